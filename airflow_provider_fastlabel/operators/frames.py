"""Gives the writers image tasks, whatever kind of project they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelException, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.formats.report import ExportReport

    Task = Mapping[str, Any]

_REFUSED = (400, 403)
"""What a signed address answers once its time is over."""


class Frames:
    """Takes sequences apart into their images, and fetches the pictures.

    An image of a sequence becomes a task named ``<task>/<file>`` that carries the annotations drawn on it.

    :param client: for pictures and for fresh addresses.
    :param kind: name of the task kind.
    """

    def __init__(self, client: FastLabelClient, kind: str) -> None:
        self._client = client
        self._kind = kind
        self._homeless = 0

    def of(self, tasks: Iterable[Task]) -> Iterable[Task]:
        """Return image tasks.

        :param tasks: tasks of the kind.
        :returns: the same tasks, or the images of the sequences in order.
        """
        return self._sequence_images(tasks) if self._kind == "sequential_image" else tasks

    def account(self, report: ExportReport) -> None:
        """Count annotations that belong to no image of their sequence, so that none disappears silently.

        :param report: the writer's report, to be completed.
        """
        if self._homeless:
            report.annotations_in += self._homeless
            report.skip("no_such_image", self._homeless)

    def fetch(self, task: Task, target: Path) -> None:
        """Download the picture of a task; an address that has expired is asked for anew.

        :param task: as :meth:`of` gave it.
        :param target: where the picture goes, whole or not at all.
        :raises FastLabelException: it cannot be fetched, still after the retries.
        """
        try:
            self._client.transport.download(task["url"], target)
        except NotFound:
            raise
        except FastLabelException as error:
            if error.code not in _REFUSED:
                raise
            self._client.transport.download(self._fresh_address(task), target)

    def _fresh_address(self, task: Task) -> str:
        now = getattr(self._client, f"find_{self._kind}_task")(task["id"])
        for content in now.get("contents") or ():
            if content["name"] == task.get("content_name"):
                return str(content["url"])
        return str(now["url"])

    def _sequence_images(self, tasks: Iterable[Task]) -> Iterator[Task]:
        for task in tasks:
            by_content: dict[str, list[Mapping[str, Any]]] = {}
            for annotation in task.get("annotations") or ():
                by_content.setdefault(str(annotation.get("content")), []).append(annotation)
            for content in task.get("contents") or ():
                yield {
                    **content,
                    "id": task["id"],
                    "name": f"{task['name']}/{content['name']}",
                    "source_name": task["name"],
                    "content_name": content["name"],
                    "annotations": by_content.pop(content["name"], []),
                }
            self._homeless += sum(map(len, by_content.values()))
