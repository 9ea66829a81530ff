"""Sequential image tasks are split into one image task per image, which every exporter takes.

A sequence has ``contents``, its images with their names and sizes, and annotations that each say by ``content`` on
which image they were drawn.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.geometry.reasons import NO_SUCH_IMAGE
from airflow_provider_fastlabel.formats.geometry.shape import GeometryError
from airflow_provider_fastlabel.formats.writing.left_out import UNFOLDED
from airflow_provider_fastlabel.formats.writing.tasks import annotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_fastlabel.formats.writing.report import ExportReport

log: logging.Logger = logging.getLogger(__name__)


TASKS_WITHOUT_IMAGES = "tasks_without_images"
"""Counted: sequences with no image in them."""


def content_tasks(task: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Take a sequence apart.

    :param task: sequential image task as the API returns it; not changed.
    :returns: one image task per image, in their order, named ``<task>/<image>`` and with the keys ``source_name`` (the
        task's) and ``content_name`` (the image's) beside; and the annotations that belong to no image of the sequence,
        or are none.
    :raises GeometryError: the task or an image has no name, or contents or annotations are no list.
    """
    name = task.get("name")
    if not isinstance(name, str) or not name:
        raise GeometryError(f"task {task.get('id')!r} has no name, and its images are named after it")
    by_content: dict[str | None, list[Mapping[str, Any]]] = {}
    for annotation in annotations_of(task):
        content = annotation.get("content") if isinstance(annotation, Mapping) else None
        by_content.setdefault(None if content is None else str(content), []).append(annotation)
    contents = task.get("contents") or ()
    if not isinstance(contents, list | tuple):
        raise GeometryError(f"task {name!r}: its contents are no list but {type(contents).__name__}")
    for number, content in enumerate(contents, 1):
        if not isinstance(content, Mapping) or not isinstance(content.get("name"), str) or not content["name"]:
            raise GeometryError(f"task {name!r}: its image {number} has no name")
    images = [
        {
            **content,
            "id": task.get("id"),
            "name": f"{name}/{content['name']}",
            "source_name": name,
            "content_name": content["name"],
            "annotations": by_content.pop(content["name"], []),
        }
        for content in contents
    ]
    return images, [one for left in by_content.values() for one in left]


def image_tasks(tasks: Iterable[Mapping[str, Any]], before: ExportReport) -> Iterator[Mapping[str, Any]]:
    """Take the sequences among tasks apart; other tasks pass as they are.

    What has ``contents`` is a sequence, also with no image in them.

    :param tasks: tasks of any kind, read one after the other.
    :param before: where annotations that belong to no image, and sequences without any, are counted while the tasks are
        read, for :meth:`~.report.ExportReport.add_before`.
    :returns: image tasks; the log names sequences without images or with annotations that belong to none of them.
    """
    for number, task in enumerate(tasks):
        if task.get("contents") is None:
            yield task
            continue
        images, homeless = content_tasks(task)
        before.skip(NO_SUCH_IMAGE, task, homeless, (UNFOLDED, number))
        if not images:
            before.lose("task", TASKS_WITHOUT_IMAGES, task, (UNFOLDED, number))
            log.warning("Task %r: it has no images; its %d annotations are left out", task.get("name"), len(homeless))
        elif homeless:
            log.warning("Task %r: %d annotations belong to none of its images", task.get("name"), len(homeless))
        yield from images
