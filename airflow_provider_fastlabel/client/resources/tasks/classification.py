"""Image classification tasks, of one image or several."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.arguments import path_text, required
from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource
from airflow_provider_fastlabel.client.resources.tasks.fields import task_fields

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import ImageClassificationTask, MultiImageClassificationTask


class ImageClassificationTasks(TaskResource):
    """Images with attributes."""

    def find_image_classification_task(self, task_id: str) -> ImageClassificationTask:
        """Return an image classification task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("image_classification", task_id)

    def find_image_classification_task_by_name(self, project: str, task_name: str) -> ImageClassificationTask | None:
        """Return the image classification task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("image_classification", project, task_name)

    def get_image_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[ImageClassificationTask]:
        """Return a page of image classification tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("image_classification", project, status, external_status, tags, task_name, offset, limit)

    def iter_image_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[ImageClassificationTask]:
        """Yield all image classification tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("image_classification", project, status, external_status, tags, task_name)

    def create_image_classification_task(
        self,
        project: str,
        name: str,
        file_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        is_delete_exif: bool = False,
        **users: Unpack[Users],
    ) -> str:
        """Create an image classification task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: PNG or JPEG, at most 20 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param attributes: ``{"key": ..., "value": ...}`` dictionaries, as the project's class defines them.
        :param tags: names of tags; unknown ones come into being.
        :param is_delete_exif: whether FastLabel removes EXIF data from the image.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "image_classification",
            project,
            name,
            file_path,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            is_delete_exif=is_delete_exif,
            users=users,
        )

    def create_integrated_image_classification_task(
        self,
        project: str,
        file_path: str | os.PathLike[str],
        storage_type: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Create an image classification task from a file in the connected bucket.

        :param project: slug of the project.
        :param file_path: path inside the bucket. Nothing is read here.
        :param storage_type: kind of the bucket, e.g. ``gcp``.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param attributes: ``{"key": ..., "value": ...}`` dictionaries, as the project's class defines them.
        :param tags: names of tags; unknown ones come into being.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises OutcomeUnknown: if the answer was lost: FastLabel names the task itself, so it cannot be looked up.
        """
        place = required(file_path=path_text(file_path), storage_type=storage_type)
        body = required(project=project) | {"filePath": place["file_path"], "storageType": storage_type}
        body |= task_fields(
            users, status=status, external_status=external_status, priority=priority, attributes=attributes, tags=tags
        )
        return self._transport.post("tasks/integrated-image/classification", body)

    def update_image_classification_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update an image classification task.

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
            "image_classification",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            users=users,
        )

    def find_multi_image_classification_task(self, task_id: str) -> MultiImageClassificationTask:
        """Return a multi-image classification task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("multi_image_classification", task_id)

    def find_multi_image_classification_task_by_name(
        self, project: str, task_name: str
    ) -> MultiImageClassificationTask | None:
        """Return the multi-image classification task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("multi_image_classification", project, task_name)

    def get_multi_image_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[MultiImageClassificationTask]:
        """Return a page of multi-image classification tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list(
            "multi_image_classification", project, status, external_status, tags, task_name, offset, limit
        )

    def iter_multi_image_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[MultiImageClassificationTask]:
        """Yield all multi-image classification tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("multi_image_classification", project, status, external_status, tags, task_name)

    def create_multi_image_classification_task(
        self,
        project: str,
        name: str,
        folder_path: str | os.PathLike[str],
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        is_delete_exif: bool = False,
        **users: Unpack[Users],
    ) -> str:
        """Create a multi-image classification task from a folder.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param folder_path: PNG or JPEG files, at most 20 MB each, 6 files and 512 MB together.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param attributes: ``{"key": ..., "value": ...}`` dictionaries, as the project's class defines them.
        :param tags: names of tags; unknown ones come into being.
        :param is_delete_exif: whether FastLabel removes EXIF data from the image.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the folder breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "multi_image_classification",
            project,
            name,
            folder_path,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            is_delete_exif=is_delete_exif,
            users=users,
        )

    def update_multi_image_classification_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a multi-image classification task.

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
            "multi_image_classification",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            users=users,
        )
