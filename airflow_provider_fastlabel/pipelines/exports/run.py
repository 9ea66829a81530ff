"""Runs an export: the labelled tasks of a project go through a writer into a data set that is then published."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.client.http.shapes import needed
from airflow_provider_fastlabel.client.kinds import kind_of_project_type
from airflow_provider_fastlabel.formats.writing.class_changes import ClassChanges, brought_up_to_date, class_changes
from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE, ClassMap, changes_of_lock
from airflow_provider_fastlabel.pipelines.exports.assembly import Assembly
from airflow_provider_fastlabel.pipelines.exports.earlier_pictures import EarlierPictures
from airflow_provider_fastlabel.pipelines.exports.image_tasks import Frames
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, read_own
from airflow_provider_fastlabel.pipelines.exports.places.destination import FileGoneError
from airflow_provider_fastlabel.pipelines.exports.publish import looked_at
from airflow_provider_fastlabel.pipelines.running.progress import Progress

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import NotedFolder, Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.formats.writing.stage import OnError
    from airflow_provider_fastlabel.pipelines.exports.dataset_formats import DatasetFormat
    from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination
    from airflow_provider_fastlabel.pipelines.exports.publish import Published
    from airflow_provider_fastlabel.pipelines.exports.rows import Rows

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

IMAGE_KINDS = ("image", "sequential_image", "video")
"""Kinds of tasks that are pictures, or can be taken apart into pictures."""
MOST_CHANGES = 100
"""How many classes of each kind of change a result names; the manifest names all."""
_SHOWN_CHANGES = 20
_MOST_LOCK_BYTES = 1 << 26
"""A larger class lock is not read."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export of a project.

    :param client: the client.
    :param destination: where the data set is published, as it was when the export began.
    :param filters: what the tasks are selected by: ``project``, its slug, and what ``count_tasks`` takes beside it.
    :param kinds: names of the task kinds that can be written.
    :param format: name of the format, for the manifest.
    :param write: writes image tasks into a folder: it is given the tasks, to be read once, the folder with its account,
        the project's classes, the folder in which a task's image lies when the task comes, or ``None``, and the list of
        what is left out.
    :param images_folder: says where images are downloaded to, given a folder for work and the one of the data set;
        ``None`` when images are not wanted.
    :param earlier_places: says where in the published data set the image of a task may lie, given the task's name;
        ``None`` when images are not wanted.
    :param reserved: where the paths of images need a ``_``, so that they meet no other file of the format, see
        :class:`~.naming.PictureNames`.
    :param first_class_id: id of the first class.
    :param on_error: ``raise`` at the first malformed annotation, or ``skip`` such and count them.
    :param allow_empty: publish an empty data set if no task matches.
    :param workers: how many images are downloaded at a time.
    :param keep_renamed: whether a class with another value than in the earlier export keeps its number.
    """

    client: FastLabelClient
    destination: Destination
    filters: Mapping[str, Any]
    kinds: Collection[str]
    format: str
    write: Callable[[Iterable[Task], Place, ClassMap, Place | None, LeftOut], ExportReport]
    images_folder: Callable[[Path, Path], Path | None]
    earlier_places: Callable[[str], Sequence[str]] | None = None
    reserved: re.Pattern[str] | None = None
    first_class_id: int = 0
    on_error: OnError = "raise"
    allow_empty: bool = False
    workers: int = 4
    keep_renamed: bool = False

    @classmethod
    def in_format(cls, form: DatasetFormat, **more: Any) -> Export:
        """Return an export in one of our formats.

        :param form: the format.
        :param more: the other fields; they go before what the format says.
        """
        of_form = {
            "kinds": IMAGE_KINDS,
            "format": form.name,
            "write": form.write,
            "images_folder": form.images_folder,
            "earlier_places": form.earlier_places if form.include_images else None,
            "reserved": form.reserved,
            "first_class_id": form.first_class_id,
            "on_error": form.on_error,
        }
        return cls(**{**of_form, **more})

    @property
    def project(self) -> str:
        """Slug of the project."""
        return str(self.filters["project"])

    def run(self) -> tuple[ExportReport, Published]:
        """Export what matches, and publish it if it differs from what is there.

        :returns: what the writer did, and what publishing did.
        :raises FastLabelInvalidException: the project does not exist or has no images.
        :raises ValueError: no task matches, or a class holds half a character, which no file can.
        :raises DamagedFileError: the manifest or the class lock at the target is not as an export writes it.
        :raises OvertakenError: another export has published to the same place meanwhile.
        :raises OSError: the disk is full, or the target cannot be written; what was published before stays.
        """
        kind = self._kind()
        count = self._count()
        classes, changes, last = self._classes()
        self._tell_changes(changes)
        wanted = self.earlier_places
        with looked_at(self.destination.target):
            earlier = None if wanted is None else EarlierPictures.of(self.destination, wanted)
        try:
            report, published = self._publish(kind, count, classes, last, earlier)
        except FileGoneError as gone:
            log.warning("%s: the export starts again and downloads every image", gone)
            report, published = self._publish(kind, count, classes, last, None)
        report.class_changes = changes.to_dict(MOST_CHANGES)
        return report, published

    def _kind(self) -> Kind:
        project = self.client.find_project_by_slug(self.project)
        if project is None:
            raise NotFound(
                f"Project {self.project!r} does not exist, or the token may not see it. Nothing was published. "
                "Check `project` (the slug, as in the address of the project's page)."
            )
        kind = kind_of_project_type(needed(project, "type", f"project {self.project}"))
        if kind.name not in self.kinds:
            raise FastLabelInvalidException(
                f"Project {self.project!r} is of type {project['type']}; {self.format} exports are for "
                f"{', '.join(self.kinds)} tasks. Nothing was published."
            )
        return kind

    def _count(self) -> int:
        count = self.client.count_tasks(**self.filters)
        if count or self.allow_empty:
            return count
        asked = ", ".join(f"{name}={value!r}" for name, value in self.filters.items() if value and name != "project")
        raise ValueError(
            f"No task of project {self.project!r} matches {asked or 'at all'}; the project has "
            f"{self.client.count_tasks(self.project)} tasks. Nothing was published. Wait for the labels with "
            "FastLabelTaskStatusSensor, change the filters, or set allow_empty=True."
        )

    def _classes(self) -> tuple[ClassMap, ClassChanges, dict[str, Any]]:
        """Return the project's classes, whose ids of an earlier export to the same place stay, and what changed.

        The last is how they changed when they last did: it stays in the data set while nothing else changes there.
        """
        current = ClassMap.of(list(self.client.iter_annotations(self.project)))
        current, changes, last = classes_at(self.destination.dataset, current, keep_renamed=self.keep_renamed)
        current.to_lock(last)  # what cannot be written is refused now, not after all the work
        return current, changes, last

    def _tell_changes(self, changes: ClassChanges) -> None:
        """Say in the log what has become of the classes since the earlier export to the same place."""
        shown = changes.to_dict(_SHOWN_CHANGES)
        if shown:
            log.log(
                logging.INFO if shown.keys() <= {"new"} else logging.WARNING,
                "Classes have changed since the earlier export to %s: %s. Numbers that were given stay; a class that "
                "was renamed %s.",
                self.destination.target,
                shown,
                "keeps its number" if self.keep_renamed else "gets a new one (keep_renamed=True: keeps its number)",
            )

    def _publish(
        self, kind: Kind, count: int, classes: ClassMap, last: Mapping[str, Any], earlier: EarlierPictures | None
    ) -> tuple[ExportReport, Published]:
        """Put the data set together aside, and publish it."""
        return Assembly(
            destination=self.destination,
            format=self.format,
            classes=classes,
            first_class_id=self.first_class_id,
            filters=self.filters,
            class_changes=last,
        ).publish(
            lambda work, folder, left_out: self._written(kind, count, work, folder, classes, earlier, left_out),
            lambda: earlier.stand_ins if earlier else None,
        )

    def _written(
        self,
        kind: Kind,
        count: int,
        work: NotedFolder[Rows],
        folder: NotedFolder[Rows],
        classes: ClassMap,
        earlier: EarlierPictures | None,
        left_out: LeftOut,
    ) -> ExportReport:
        """Bring the tasks, with their images where they are wanted, to the writer."""
        place = self.images_folder(work.path, folder.path)
        images = None if place is None else work.at(place)
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        frames = Frames(
            self.client,
            kind.name,
            images,
            workers=self.workers,
            on_error=self.on_error,
            reserved=self.reserved,
            earlier=earlier,
            aside=place is not None and not place.is_relative_to(folder.path),
            left_out=left_out,
        )
        progress = Progress(count, calls_left=self.client.quota.remaining)
        # Closed also where the writer has failed: its error would keep downloads going while the folder is removed.
        with closing(frames.of(self._tasks(kind, count, progress))) as tasks:
            report = self.write(tasks, folder, classes, images, left_out)
        frames.account(report)
        if progress.done < count:
            report.adjust("tasks_gone_meanwhile", count - progress.done)
            log.warning(
                "%d tasks matched at the start and %d were read: the others were deleted or changed meanwhile, so that "
                "they do not match any more, and are not in the data set. The next export sees what matches then.",
                count,
                progress.done,
            )
        return report

    def _tasks(self, kind: Kind, count: int, progress: Progress) -> Iterator[Task]:
        """Read the tasks, some pages ahead of the writer, and say every now and then how far it is."""
        filters = {name: value for name, value in self.filters.items() if name != "project"}
        for task in self.client.iter_tasks(self.project, kind.name, **filters, pages_ahead=PAGES_AHEAD, expected=count):
            yield task
            progress.count("exported")
            progress.beat()


def classes_at(
    target: Any, current: ClassMap, *, keep_renamed: bool = False
) -> tuple[ClassMap, ClassChanges, dict[str, Any]]:
    """Bring classes to the ids that they have in the data set which is published at a place.

    :param target: the place.
    :param current: the classes as they are now.
    :param keep_renamed: whether a class with another value than there keeps its number.
    :returns: the classes with their ids, what has become of them, and how they changed when they last did.
    :raises DamagedFileError: the list of ids there is not as an export writes it.
    :raises StoreFailedError: the object store was not reached, or refused.
    """
    with looked_at(target):
        lock = read_own(target, LOCK_FILE, _MOST_LOCK_BYTES)
    if lock is None:
        return current, ClassChanges(), {}
    try:
        locked = ClassMap.from_lock(lock)
    except ValueError as error:
        raise DamagedFileError(target / LOCK_FILE, str(error)) from None
    changes = class_changes(locked, current)
    last = changes.to_dict() or changes_of_lock(lock)
    return brought_up_to_date(locked, current, keep_renamed=keep_renamed), changes, last
