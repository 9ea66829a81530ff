"""Calls that are the same for all kinds of task."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from airflow_provider_fastlabel.client.arguments import paging, required
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD, ReadAhead, checked_ahead
from airflow_provider_fastlabel.client.http.shapes import a_count, a_map, an_object
from airflow_provider_fastlabel.client.kinds import kind_named
from airflow_provider_fastlabel.client.resources.resource import present, segment
from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource, task_filters
from airflow_provider_fastlabel.client.resources.tasks.fields import task_fields

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client.http.early import EarlyAnswer
    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import MergedTask, Task

MAP_MAXIMUM = 1000
_NAMES = "tasks/map/id-name"


class CommonTasks(TaskResource):
    """Tasks of any kind."""

    def update_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update what tasks of all kinds have.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        fields = {"status": status, "external_status": external_status, "priority": priority}
        return self._transport.put(
            f"tasks/{segment(task_id)}", task_fields(users, **fields, tags=tags, metadatas=metadatas)
        )

    def delete_task(self, task_id: str) -> None:
        """Delete a task and its annotations.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        self._transport.delete(f"tasks/{segment(task_id)}")

    def delete_task_annotations(self, task_id: str) -> None:
        """Delete all annotations of a task, which stays.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        self._transport.delete(f"tasks/{segment(task_id)}/task-annotations")

    def count_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> int:
        """Return the number of tasks.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        """
        return self._transport.get("tasks/count", task_filters(project, status, external_status, tags), shape=a_count)

    def get_task_id_name_map(
        self, project: str, offset: int | None = None, limit: int | None = MAP_MAXIMUM
    ) -> dict[str, str]:
        """Return a page of the names of tasks by their ids.

        :param project: slug of the project.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page, at most 1000.
        """
        return self._transport.get(_NAMES, _names_query(project, offset, limit), shape=a_map)

    def task_ids_by_name(self, project: str) -> dict[str, str]:
        """Return the ids of all tasks of a project by their names, which are unique; see :meth:`iter_task_names`.

        :param project: slug of the project.
        """
        return dict(self.iter_task_names(project))

    def iter_task_names(self, project: str) -> Iterator[tuple[str, str]]:
        """Yield the name and the id of each task of a project; 1000 tasks per call.

        Of a long list up to eight pages are asked for at a time, and up to seven, where it ends, in vain.

        :param project: slug of the project.
        """

        def page(offset: int, limit: int, early: EarlyAnswer | None = None) -> list[tuple[str, str]]:
            query = _names_query(project, offset, limit)
            return list(self._transport.get(_NAMES, query, shape=a_map, early=early).items())

        def ask(offset: int, limit: int) -> EarlyAnswer | None:
            return self._transport.ask_early(_NAMES, _names_query(project, offset, limit))

        ahead = ReadAhead(page, ask, PAGES_AHEAD)
        return ((name, task_id) for task_id, name in iterate(_NAMES, page, MAP_MAXIMUM, key=0, ahead=ahead))

    def iter_tasks(
        self,
        project: str,
        kind: str,
        *,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        pages_ahead: int = 0,
        expected: int | None = None,
    ) -> Iterator[Task]:
        """Yield all tasks of a kind, page by page, each once.

        Whoever reads all of them need not wait for each page: with ``pages_ahead`` the next ones are asked for
        meanwhile. It begins with one, and more are under way while the reader still has to wait. Nothing new is asked
        for when the reader stops.

        :param project: slug of the project.
        :param kind: a key of :data:`~airflow_provider_fastlabel.client.kinds.KINDS`, e.g. ``video_classification``.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param pages_ahead: how many pages are under way at a time at most, up to 16, each in a thread of its own; by
            default each page is asked for when all tasks before it were taken. Only calls that the quota has free are
            used for it.
        :param expected: how many tasks there are, as far as known, so that the calls stay as many as without
            ``pages_ahead``. Without it, fewer than ``pages_ahead`` pages, and fewer than were read, may be asked for in
            vain where the list ends.
        :raises FastLabelInvalidException: (422) if ``pages_ahead`` or ``expected`` is no such number.
        """
        name, filters = kind_named(kind).name, (status, external_status, tags, task_name)
        checked_ahead(pages_ahead, expected)
        return self._iterate(name, project, *filters, pages_ahead=pages_ahead, expected=expected)

    def create_task(self, project: str, kind: str, name: str, path: str | os.PathLike[str], **fields: Any) -> Any:
        """Create a task of any kind, by the method of that kind.

        :param project: slug of the project.
        :param kind: a key of :data:`~airflow_provider_fastlabel.client.kinds.KINDS`.
        :param name: unique in the project; not used for DICOM, which FastLabel names itself.
        :param path: the file or folder; not used for robotics, whose contents come later.
        :param fields: as in that method.
        :returns: the id of the task; the import history for DICOM.
        :raises FastLabelInvalidException: if tasks of this kind cannot be created by the API.
        """
        create = self._call_of(kind, "create")
        place = {"dicom": (path,), "robotics": (name,)}.get(kind, (name, path))
        return create(project, *place, **fields)

    def find_task(self, kind: str, task_id: str) -> Any:
        """Return a task of any kind by its id.

        :param kind: a key of :data:`~airflow_provider_fastlabel.client.kinds.KINDS`.
        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find(kind_named(kind).name, task_id)

    def find_task_by_name(self, kind: str, project: str, name: str) -> Any:
        """Return the task of any kind of exactly this name, or ``None``.

        :param kind: a key of :data:`~airflow_provider_fastlabel.client.kinds.KINDS`.
        :param project: slug of the project.
        :param name: name of the task.
        """
        return self._find_by_name(kind_named(kind).name, project, name)

    def update_task_of(self, kind: str, task_id: str, **fields: Any) -> str:
        """Update a task of any kind with what only that kind has, such as annotations, by the method of that kind.

        :param kind: a key of :data:`~airflow_provider_fastlabel.client.kinds.KINDS`.
        :param task_id: id of the task.
        :param fields: as in that method.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if tasks of this kind cannot be updated by the API.
        :raises NotFound: if there is no such task.
        """
        return self._call_of(kind, "update")(task_id, **fields)

    def _call_of(self, kind: str, verb: str) -> Callable[..., Any]:
        """Return the method that creates or updates tasks of a kind: those take different fields from kind to kind."""
        call: Callable[..., Any] | None = getattr(self, f"{verb}_{kind_named(kind).name}_task", None)
        if call is None:
            raise FastLabelInvalidException(f"FastLabel's API {verb}s no {kind} tasks.", 422)
        return call

    def find_integrated_image_task_by_prefix(self, project: str, prefix: str) -> MergedTask:
        """Return the tiles of a split image as one task. Boxes and polygons that touch a seam are joined (alpha).

        :param project: slug of the project.
        :param prefix: what the names of the parts begin with, e.g. ``image/cat`` for ``image/cat/1.jpg`` to ``9.jpg``.
        """
        return self._transport.get("tasks/integrate/images", required(project=project, prefix=prefix), shape=an_object)

    def find_integrated_video_task_by_prefix(self, project: str, prefix: str) -> MergedTask:
        """Return the parts of a split video as one task (alpha).

        :param project: slug of the project.
        :param prefix: what the names of the parts begin with, e.g. ``video/cat`` for ``video/cat/1.mp4`` and so on.
        """
        return self._transport.get("tasks/integrate/videos", required(project=project, prefix=prefix), shape=an_object)

    def find_integrated_audio_task_by_prefix(self, project: str, prefix: str) -> MergedTask:
        """Return the parts of a split sound as one task. An annotation that goes on in the next part is joined (alpha).

        :param project: slug of the project.
        :param prefix: what the names of the parts begin with, e.g. ``audio/voice`` for ``audio/voice/1.mp3`` and so on.
        """
        return self._transport.get("tasks/integrate/audios", required(project=project, prefix=prefix), shape=an_object)


def _names_query(project: str, offset: int | None, limit: int | None) -> dict[str, Any]:
    return required(project=project) | present(paging(offset, limit, MAP_MAXIMUM))
