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

        :raises NotFound: if there is none.
        """
        return self._find("image", task_id)

    def find_image_task_by_name(self, project: str, task_name: str) -> ImageTask | None:
        """Return the image task of exactly this name, or ``None``."""
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
        """Return a page of image tasks, at most 1000. Filters: see :class:`TaskResource`."""
        return self._list("image", project, status, external_status, tags, task_name, offset, limit)

    def iter_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[ImageTask]:
        """Yield all image tasks, page by page, each once. Filters: see :class:`TaskResource`."""
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
        """Create an image task from a file. Fields: see :class:`TaskResource`.

        :param file_path: PNG or JPEG, at most 20 MB.
        :param storage_type: an earlier spelling of :meth:`create_integrated_image_task`, which is called then.
        :return: the id of the task.
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
        """Create an image task from a file in the connected bucket. Fields: see :class:`TaskResource`.

        :param storage_type: kind of the bucket, e.g. ``gcp``.
        :param file_path: path inside the bucket; PNG or JPEG. Nothing is read here.
        :return: the id of the task.
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
        """Update an image task. Fields: see :class:`TaskResource`.

        :param annotations: replace those of the task.
        :param relations: ``{"startIndex": ..., "endIndex": ...}``, positions in the ``annotations`` of this call.
        :return: the id of the task.
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

        :raises NotFound: if there is none.
        """
        return self._find("sequential_image", task_id)

    def find_sequential_image_task_by_name(self, project: str, task_name: str) -> SequentialImageTask | None:
        """Return the sequential image task of exactly this name, or ``None``."""
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
        """Return a page of sequential image tasks, at most 10. Filters: see :class:`TaskResource`."""
        return self._list("sequential_image", project, status, external_status, tags, task_name, offset, limit)

    def iter_sequential_image_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[SequentialImageTask]:
        """Yield all sequential image tasks, page by page, each once. Filters: see :class:`TaskResource`."""
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
        """Create a sequential image task from a folder. Fields: see :class:`TaskResource`.

        :param folder_path: PNG or JPEG files, at most 20 MB each, 250 files and 512 MB together.
        :param annotations: each with ``content``, the name of its file in the folder.
        :return: the id of the task.
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
        """Update a sequential image task. Fields: see :class:`TaskResource`.

        :param annotations: replace those of the task; each with ``content``, the name of its file.
        :return: the id of the task.
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
