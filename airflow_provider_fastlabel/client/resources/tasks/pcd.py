"""Point cloud tasks, single and sequential."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import PcdTask, SequentialPcdTask


class PcdTasks(TaskResource):
    """Point clouds."""

    def find_pcd_task(self, task_id: str) -> PcdTask:
        """Return a PCD task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("pcd", task_id)

    def find_pcd_task_by_name(self, project: str, task_name: str) -> PcdTask | None:
        """Return the PCD task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("pcd", project, task_name)

    def get_pcd_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[PcdTask]:
        """Return a page of PCD tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("pcd", project, status, external_status, tags, task_name, offset, limit)

    def iter_pcd_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[PcdTask]:
        """Yield all PCD tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("pcd", project, status, external_status, tags, task_name)

    def create_pcd_task(
        self,
        project: str,
        name: str,
        file_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        annotations: Items | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create a PCD task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: ``.pcd``, at most 30 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: dictionaries with ``type``, ``value`` (a class of the project), geometry and ``attributes``.
            They are copied, never changed; those read from a task may be sent back.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "pcd",
            project,
            name,
            file_path,
            status=status,
            external_status=external_status,
            priority=priority,
            annotations=annotations,
            tags=tags,
            metadatas=metadatas,
            users=users,
        )

    def update_pcd_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        annotations: Items | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a PCD task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param annotations: replace those of the task.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "pcd",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            metadatas=metadatas,
            users=users,
        )

    def find_sequential_pcd_task(
        self, task_id: str | None = None, *, project: str | None = None, task_name: str | None = None
    ) -> SequentialPcdTask | None:
        """Return a sequential PCD task by its id, or by ``project`` and ``task_name``.

        The second way is how FastLabel's README once wrote :meth:`find_sequential_pcd_task_by_name`.

        :param task_id: id of the task; or else
        :param project: slug of the project, and
        :param task_name: exact name of the task.
        :returns: the task; ``None`` if there is none of this name.
        :raises NotFound: if there is none of this id.
        """
        if task_id is not None:
            return self._find("sequential_pcd", task_id)
        if project is None or task_name is None:
            raise TypeError("find_sequential_pcd_task() needs task_id, or project and task_name")
        return self.find_sequential_pcd_task_by_name(project, task_name)

    def find_sequential_pcd_task_by_name(self, project: str, task_name: str) -> SequentialPcdTask | None:
        """Return the sequential PCD task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("sequential_pcd", project, task_name)

    def get_sequential_pcd_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 10,
    ) -> list[SequentialPcdTask]:
        """Return a page of sequential PCD tasks, at most 10.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("sequential_pcd", project, status, external_status, tags, task_name, offset, limit)

    def iter_sequential_pcd_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[SequentialPcdTask]:
        """Yield all sequential PCD tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("sequential_pcd", project, status, external_status, tags, task_name)

    def create_sequential_pcd_task(
        self,
        project: str,
        name: str,
        folder_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        annotations: Items | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create a sequential PCD task from a folder.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param folder_path: ``.pcd`` files in the order of their frames, at most 30 MB each, 250 files and 512 MB
            together.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: with ``points`` keyed by frame, from ``"1"``.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the folder breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "sequential_pcd",
            project,
            name,
            folder_path,
            status=status,
            external_status=external_status,
            priority=priority,
            annotations=annotations,
            tags=tags,
            metadatas=metadatas,
            users=users,
        )

    def update_sequential_pcd_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        annotations: Items | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a sequential PCD task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param annotations: replace those of the task.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "sequential_pcd",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            metadatas=metadatas,
            users=users,
        )
