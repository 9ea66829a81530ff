"""Gives the writers image tasks, and their pictures where they are wanted, whatever kind of project they come from."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.digests import Digest
from airflow_provider_fastlabel.formats.writing.left_out import FETCHED
from airflow_provider_fastlabel.formats.writing.naming import PictureNames, safe_name
from airflow_provider_fastlabel.formats.writing.noted import NotedFolder
from airflow_provider_fastlabel.formats.writing.report import IMAGES_MISSING, ExportReport
from airflow_provider_fastlabel.pipelines.exports.pictures import Pictures
from airflow_provider_fastlabel.pipelines.files.task_files import download_task_file
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    import re
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.stage import OnError
    from airflow_provider_fastlabel.pipelines.exports.earlier_pictures import EarlierPictures, Offer

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)


class Frames:
    """Takes sequences and videos apart into images.

    An image of a sequence becomes a task named ``<task>/<file>`` that carries the annotations drawn on it, a frame of a
    video one named ``<task>_<number>.jpg``. ``source_name`` of these tasks is the name of the whole.

    :param client: for pictures and for fresh addresses.
    :param kind: name of the task kind: ``image``, ``sequential_image`` or ``video``.
    :param images: existing folder that pictures are brought to, named like their tasks; ``None`` for no pictures.
    :param workers: how many pictures come at a time.
    :param on_error: ``raise`` at an annotation that cannot be said to be in a frame, or ``skip`` it, counted.
    :param reserved: where the paths of pictures need a ``_``, see :class:`~.naming.PictureNames`.
    :param earlier: pictures of an earlier export, which are taken where they are still the same; ``None`` for none.
    :param aside: whether the pictures lie aside and the writer brings them into the data set: then it counts those that
        are missing.
    :param left_out: the list of what is left out; ``None`` for no list.
    """

    def __init__(
        self,
        client: FastLabelClient,
        kind: str,
        images: Place | None,
        *,
        workers: int,
        on_error: OnError,
        reserved: re.Pattern[str] | None = None,
        earlier: EarlierPictures | None = None,
        aside: bool = False,
        left_out: LeftOut | None = None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._images = images
        self._on_error: OnError = on_error
        self._reserved = reserved
        self._names = PictureNames(reserved)
        self._earlier = earlier
        self._aside = aside
        self._before = ExportReport(left_out=left_out)
        self._pictures = (
            None
            if images is None
            else Pictures(self._fetch_picture, Path(images), workers=workers, missing=self._count_missing)
        )

    def of(self, tasks: Iterable[Task]) -> Generator[Task]:
        """Yield image tasks, each once its picture is there; to be closed by who does not read them to the end.

        :param tasks: tasks of the kind.
        :returns: image tasks in the same order.
        :raises FastLabelException: a picture or clip cannot be fetched, still after the retries.
        """
        from airflow_provider_fastlabel.formats.writing.sequence import image_tasks
        from airflow_provider_fastlabel.formats.writing.video import expanded

        if self._kind == "video":
            yield from expanded(tasks, self._clip, self._images, self._before, self._on_error, self._reserved)
            return
        images = image_tasks(tasks, self._before)
        yield from images if self._pictures is None else self._pictures.ahead_of(self._named(images))

    def _named(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Give another name to tasks whose picture would lie where something else lies."""
        from airflow_provider_fastlabel.formats.writing.stage import name_of

        for task in tasks:
            name = name_of(task)
            free = self._names.name_for(name)
            yield task if free == name else {"source_name": name, **task, "name": free}

    def account(self, report: ExportReport) -> None:
        """Count what did not reach the writer, so that nothing disappears silently.

        :param report: the writer's report, to be completed.
        """
        report.add_before(self._before)
        if self._pictures is None:
            return
        if self._names.changed:
            report.adjust("names_changed", self._names.changed)
        if self._pictures.kept:
            log.info("%d pictures are those of the earlier data set, the rest was downloaded", self._pictures.kept)

    def _count_missing(self, task: Task, number: int) -> None:
        if not self._aside:
            self._before.lose("picture", IMAGES_MISSING, task, (FETCHED, number))

    def _fetch_picture(self, task: Task, target: str) -> bool:
        """Bring the picture of a task; return whether it had to be downloaded."""
        offer = None if self._earlier is None else self._earlier.offer(task["name"], target)
        if not isinstance(self._images, NotedFolder):
            return self._fetch(task, target, offer)
        digest = Digest()
        fetched = self._fetch(task, target, offer, digest)
        facts = digest.facts() if offer is None or fetched else offer.facts
        self._images.note(safe_name(task["name"]), facts)
        return fetched

    def _fetch(self, task: Task, target: str | Path, offer: Offer | None = None, digest: Digest | None = None) -> bool:
        """Download the picture or clip of a task; an address that has expired is asked for anew."""
        return download_task_file(
            self._client,
            self._kind,
            task["id"],
            task["url"],
            target,
            name=task["name"],
            is_content=lambda name: name == task.get("content_name"),
            known_md5=None if offer is None else offer.md5,
            digest=digest,
        )

    @contextmanager
    def _clip(self, task: Task) -> Iterator[Path]:
        """Fetch the clip of a task for as long as it is read."""
        beside = None if self._images is None else Path(self._images).parent
        with scratch_folder("fastlabel-clip-", beside) as folder:
            clip = folder / "clip.mp4"
            self._fetch(task, clip)
            yield clip
