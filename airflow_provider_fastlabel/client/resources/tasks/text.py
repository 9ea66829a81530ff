"""Text tasks and text classification tasks."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import TextClassificationTask, TextTask


class TextTasks(TaskResource):
    """Texts."""

    def find_text_task(self, task_id: str) -> TextTask:
        """Return a text task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("text", task_id)

    def find_text_task_by_name(self, project: str, task_name: str) -> TextTask | None:
        """Return the text task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("text", project, task_name)

    def get_text_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[TextTask]:
        """Return a page of text tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("text", project, status, external_status, tags, task_name, offset, limit)

    def iter_text_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[TextTask]:
        """Yield all text tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("text", project, status, external_status, tags, task_name)

    def create_text_task(
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
        """Create a text task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: ``.txt``, at most 2 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: with ``start`` and ``end`` (characters, the end exclusive) and ``text``.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "text",
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

    def update_text_task(
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
        """Update a text task.

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
            "text",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            metadatas=metadatas,
            users=users,
        )

    def find_text_classification_task(self, task_id: str) -> TextClassificationTask:
        """Return a text classification task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("text_classification", task_id)

    def find_text_classification_task_by_name(self, project: str, task_name: str) -> TextClassificationTask | None:
        """Return the text classification task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("text_classification", project, task_name)

    def get_text_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[TextClassificationTask]:
        """Return a page of text classification tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("text_classification", project, status, external_status, tags, task_name, offset, limit)

    def iter_text_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[TextClassificationTask]:
        """Yield all text classification tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("text_classification", project, status, external_status, tags, task_name)

    def create_text_classification_task(
        self,
        project: str,
        name: str,
        file_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create a text classification task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: ``.txt``, at most 2 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param attributes: ``{"key": ..., "value": ...}`` dictionaries, as the project's class defines them.
        :param tags: names of tags; unknown ones come into being.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "text_classification",
            project,
            name,
            file_path,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            users=users,
        )

    def update_text_classification_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a text classification task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param attributes: replace those of the task.
        :param tags: names of tags; unknown ones come into being.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "text_classification",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            users=users,
        )
