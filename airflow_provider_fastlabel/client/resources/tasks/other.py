"""DICOM and robotics tasks."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.arguments import required
from airflow_provider_fastlabel.client.checks.media import checked_file
from airflow_provider_fastlabel.client.http.shapes import a_thing
from airflow_provider_fastlabel.client.kinds import DICOM
from airflow_provider_fastlabel.client.resources.imports import ImportResource
from airflow_provider_fastlabel.client.resources.resource import segment
from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource
from airflow_provider_fastlabel.client.resources.tasks.fields import clean_annotations, task_fields
from airflow_provider_fastlabel.client.resources.zips import upload_zip

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import DicomTask, ImportHistory, RoboticsTask


class OtherTasks(TaskResource, ImportResource):
    """Tasks whose files come by another way than the request body."""

    def find_dicom_task(self, task_id: str) -> DicomTask:
        """Return a DICOM task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("dicom", task_id)

    def find_dicom_task_by_name(self, project: str, task_name: str) -> DicomTask | None:
        """Return the DICOM task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("dicom", project, task_name)

    def get_dicom_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[DicomTask]:
        """Return a page of DICOM tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("dicom", project, status, external_status, tags, task_name, offset, limit)

    def iter_dicom_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[DicomTask]:
        """Yield all DICOM tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("dicom", project, status, external_status, tags, task_name)

    def create_dicom_task(
        self,
        project: str,
        file_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> ImportHistory:
        """Start the import of a DICOM series.

        :param project: slug of the project.
        :param file_path: zip, at most 2 GB; put to FastLabel's store as it is, in flat memory.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the import history. The task appears when its status is ``completed``; ask with ``find_history``.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises OutcomeUnknown: if the answer was lost and the histories do not tell what became of it.
        """
        required(project=project)
        checked_file(file_path, DICOM, self.limits)
        fields = task_fields(users, status=status, external_status=external_status, tags=tags, metadatas=metadatas)
        body = {"project": project, "fileKey": upload_zip(self._transport, project, file_path)} | fields
        return self._transport.post("tasks/dicom", body, settle=self._started_import(project), shape=a_thing)

    def update_dicom_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a DICOM task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "dicom",
            task_id,
            status=status,
            external_status=external_status,
            tags=tags,
            metadatas=metadatas,
            users=users,
        )

    def find_robotics_task(self, task_id: str) -> RoboticsTask:
        """Return a robotics task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("robotics", task_id)

    def find_robotics_task_by_name(self, project: str, task_name: str) -> RoboticsTask | None:
        """Return the robotics task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("robotics", project, task_name)

    def get_robotics_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = 0,
        limit: int | None = 100,
    ) -> list[RoboticsTask]:
        """Return a page of robotics tasks, at most 100.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("robotics", project, status, external_status, tags, task_name, offset, limit)

    def iter_robotics_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[RoboticsTask]:
        """Yield all robotics tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("robotics", project, status, external_status, tags, task_name)

    def create_robotics_task(
        self,
        project: str,
        name: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        operator: str | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create a robotics task without contents.

        The contents come by ``import_robotics_contents_file``.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param operator: name of the person who moved the robot.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "robotics",
            project,
            name,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            operator=operator,
            metadatas=metadatas,
            users=users,
        )

    def update_robotics_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        operator: str | None = None,
        annotations: Items | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a robotics task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param operator: name of the person who moved the robot.
        :param annotations: replace those of the task. Here an empty list removes them all.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        body = {} if annotations is None else {"annotations": clean_annotations(annotations)}
        body |= task_fields(
            users,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            operator=operator,
            metadatas=metadatas,
        )
        return self._transport.put(f"tasks/robotics/{segment(task_id)}", body)
