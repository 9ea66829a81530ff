"""Video, video classification and multi-modal tasks."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_provider_fastlabel.client.resources.tasks.base import TaskResource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users
    from airflow_provider_fastlabel.client.types import MultiModalVideoAudioTask, VideoClassificationTask, VideoTask


class VideoTasks(TaskResource):
    """Videos."""

    def find_video_task(self, task_id: str) -> VideoTask:
        """Return a video task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("video", task_id)

    def find_video_task_by_name(self, project: str, task_name: str) -> VideoTask | None:
        """Return the video task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("video", project, task_name)

    def get_video_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 10,
    ) -> list[VideoTask]:
        """Return a page of video tasks, at most 10.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("video", project, status, external_status, tags, task_name, offset, limit)

    def iter_video_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[VideoTask]:
        """Yield all video tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("video", project, status, external_status, tags, task_name)

    def create_video_task(
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
        """Create a video task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: MP4 with H.264 video, at most 250 MB.
        :param status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``, ``sent_back``,
            ``registered``, ``pending``.
        :param external_status: as ``status``, or ``customer_declined``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param annotations: with ``points`` keyed by frame, from ``"1"``.
        :param tags: names of tags; unknown ones come into being.
        :param metadatas: ``{"key": ..., "value": ...}`` dictionaries of the task itself.
        :param users: slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.
        :returns: the id of the task.
        :raises FastLabelInvalidException: if the file breaks a rule; nothing was sent then.
        :raises Conflict: if the name is taken.
        """
        return self._create(
            "video",
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

    def update_video_task(
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
        """Update a video task.

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
            "video",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            tags=tags,
            annotations=annotations,
            metadatas=metadatas,
            users=users,
        )

    def find_video_classification_task(self, task_id: str) -> VideoClassificationTask:
        """Return a video classification task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("video_classification", task_id)

    def find_video_classification_task_by_name(self, project: str, task_name: str) -> VideoClassificationTask | None:
        """Return the video classification task of exactly this name, or ``None``.

        :param project: slug of the project.
        :param task_name: exact name of the task.
        """
        return self._find_by_name("video_classification", project, task_name)

    def get_video_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[VideoClassificationTask]:
        """Return a page of video classification tasks, at most 1000.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("video_classification", project, status, external_status, tags, task_name, offset, limit)

    def iter_video_classification_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[VideoClassificationTask]:
        """Yield all video classification tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("video_classification", project, status, external_status, tags, task_name)

    def create_video_classification_task(
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
        """Create a video classification task from a file.

        :param project: slug of the project.
        :param name: name of the task, unique in the project; may contain ``/``.
        :param file_path: MP4 with H.264 video, at most 250 MB.
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
            "video_classification",
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

    def update_video_classification_task(
        self,
        task_id: str,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        attributes: Items | None = None,
        tags: Sequence[str] | None = None,
        **users: Unpack[Users],
    ) -> str:
        """Update a video classification task.

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
            "video_classification",
            task_id,
            status=status,
            external_status=external_status,
            priority=priority,
            attributes=attributes,
            tags=tags,
            users=users,
        )

    def find_multi_modal_video_audio_task(self, task_id: str) -> MultiModalVideoAudioTask:
        """Return a multi-modal video-audio task by its id.

        :param task_id: id of the task.
        :raises NotFound: if there is none.
        """
        return self._find("multi_modal_video_audio", task_id)

    def get_multi_modal_video_audio_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = 10,
    ) -> list[MultiModalVideoAudioTask]:
        """Return a page of multi-modal video-audio tasks, at most 10.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        :param offset: position of the first task, from 0.
        :param limit: tasks per page; ``None`` leaves it to FastLabel.
        """
        return self._list("multi_modal_video_audio", project, status, external_status, tags, task_name, offset, limit)

    def iter_multi_modal_video_audio_tasks(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[MultiModalVideoAudioTask]:
        """Yield all multi-modal video-audio tasks, page by page, each once.

        :param project: slug of the project.
        :param status: keep tasks of this status: ``approved``, ``reviewed``, ``completed``, ``skipped``, ``declined``,
            ``sent_back``, ``registered``, ``pending``.
        :param external_status: keep tasks of this external status: as ``status``, or ``customer_declined``.
        :param tags: keep tasks with these tags, at most 10.
        :param task_name: exact name of the task.
        """
        return self._iterate("multi_modal_video_audio", project, status, external_status, tags, task_name)
