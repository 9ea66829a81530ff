"""Image tasks, those whose file lies in a connected bucket, and sequential image tasks."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.arguments import path_text, required
from airflow_provider_fastlabel.client.checks.media import check_extension
from airflow_provider_fastlabel.client.kinds import IMAGE
from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource, annotation_fields
from airflow_provider_fastlabel.client.resources.tasks.fields import task_fields

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import ImageTask, SequentialImageTask


class ImageTasks(TaskResource):
    """Images with annotations."""

    def find_image_task(self, task_id: str) -> ImageTask:
        """Return an image task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("image", task_id)

    def find_image_task_by_name(self, project: str, task_name: str) -> ImageTask | None:
        """Return the image task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("image", project, task_name)

    def get_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[ImageTask]:
        """Return a page of image tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("image", project, status, external_status, tags, task_name, offset, limit)

    def iter_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[ImageTask]:
        """Yield all image tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("image", project, status, external_status, tags, task_name)

    def create_image_task(
        self,
        project: str,
        name: str = "",
        file_path: str | os.PathLike[str] = "",
        status: str | None = None,
        external_status: str | None = None,
        custom_task_status: str = "",
        priority: int | None = None,
        annotations: Items | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        is_delete_exif: bool = False,
        storage_type: str | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create an image task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: PNG or JPEG, at most 20 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param custom_task_status: ``registered``, ``pending``, or ``workflow_N_completed`` and ``workflow_N_declined``,
            N from 1 to 6.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: dictionaries with ``type``, ``value`` (a class of the project), geometry and ``attributes``.
            They are copied, never changed; those read from a task may be sent back.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param is_delete_exif: whether FastLabel removes EXIF data from the image.
        :param storage_type: an earlier spelling of :meth:`create_integrated_image_task`, which is called then.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        if storage_type is not None:
            fields = (status, external_status, annotations, tags, metadatas)
            return self.create_integrated_image_task(project, storage_type, file_path, *fields, **users)
        if not name or not file_path:
            raise TypeError("create_image_task() needs name and file_path")
        return self._create(
            "image",
            project,
            name,
            file_path,
            status=status,
            external_status=external_status,
            custom_task_status=custom_task_status,
            priority=priority,
            annotations=annotations,
            tags=tags,
            metadatas=metadatas,
            is_delete_exif=is_delete_exif,
            users=users,
        )

    def create_integrated_image_task(
        self,
        project: str,
        storage_type: str,
        file_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        annotations: Items | None = None,
        tags: Sequence[str] | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create an image task from a file in the connected bucket.

        :param project: slug of the project.
        :param storage_type: kind of the bucket, e.g. ``gcp``.
        :param file_path: path inside the bucket; PNG or JPEG. Nothing is read here.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param annotations: dictionaries with ``type``, ``value`` (a class of the project), geometry and ``attributes``.
            They are copied, never changed; those read from a task may be sent back.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises OutcomeUnknown: if the answer was lost: FastLabel names the task itself, so it cannot be looked up.
        """
        check_extension(file_path, IMAGE)
        place = required(file_path=path_text(file_path), storage_type=storage_type)
        body = required(project=project) | {"filePath": place["file_path"], "storageType": storage_type}
        body |= annotation_fields(annotations, place["file_path"])
        body |= task_fields(users, status=status, external_status=external_status, tags=tags, metadatas=metadatas)
        return self._transport.post("tasks/integrated-image", body)

    def update_image_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        custom_task_status: str = "",
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        annotations: Items | None = None,
        relations: Items | None = None,
        metadatas: Items | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update an image task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param custom_task_status: ``registered``, ``pending``, or ``workflow_N_completed`` and ``workflow_N_declined``,
            N from 1 to 6.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param annotations: replace those of the task.
        :param relations: ``{"startIndex": ..., "endIndex": ...}``, positions in the ``annotations`` of this call.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "image",
            task_id,
            status=status,
            external_status=external_status,
            custom_task_status=custom_task_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            relations=relations,
            metadatas=metadatas,
            users=users,
        )

    def find_sequential_image_task(self, task_id: str) -> SequentialImageTask:
        """Return a sequential image task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("sequential_image", task_id)

    def find_sequential_image_task_by_name(self, project: str, task_name: str) -> SequentialImageTask | None:
        """Return the sequential image task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("sequential_image", project, task_name)

    def get_sequential_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 10,
    ) -> list[SequentialImageTask]:
        """Return a page of sequential image tasks, at most 10.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("sequential_image", project, status, external_status, tags, task_name, offset, limit)

    def iter_sequential_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[SequentialImageTask]:
        """Yield all sequential image tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("sequential_image", project, status, external_status, tags, task_name)

    def create_sequential_image_task(
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
        is_delete_exif: bool = False,
        **users: Unpack[Users],
    ) -> str:
        """Create a sequential image task from a folder.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param folder_path: PNG or JPEG files, at most 20 MB each, 250 files and 512 MB together.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: each with ``content``, the name of its file in the folder.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param is_delete_exif: whether FastLabel removes EXIF data from the image.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the folder breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "sequential_image",
            project,
            name,
            folder_path,
            status=status,
            external_status=external_status,
            priority=priority,
            annotations=annotations,
            tags=tags,
            metadatas=metadatas,
            is_delete_exif=is_delete_exif,
            users=users,
        )

    def update_sequential_image_task(
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
        """Update a sequential image task.

        :param task_id: id of the task.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param tags: names of tags; unknown ones come into being.
        :param annotations: replace those of the task; each with ``content``, the name of its file.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        """
        return self._update(
            "sequential_image",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            metadatas=metadatas,
            users=users,
        )
