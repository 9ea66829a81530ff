"""Comments on tasks, and the messages (threads) they consist of."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import listed, optional, paging, required, texts
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.types import Comment, CommentThread

MAXIMUM = 1000


class Comments(Resource):
    """The calls on comments."""

    def get_task_comments(
        self, project: str, task_id: str, offset: int | None = None, limit: int | None = 100
    ) -> list[Comment]:
        """Return the comments of a task, each with its messages.

        :param project: slug of the project.
        :param task_id: id of the task.
        :param offset: position of the first comment, from 0.
        :param limit: comments per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        required(task_id=task_id)
        params = required(project=project) | {"taskId": task_id, **paging(offset, limit, MAXIMUM)}
        return self._transport.get("comments", params, shape=a_list)

    def iter_task_comments(self, project: str, task_id: str) -> Iterator[Comment]:
        """Yield all comments of a task. Parameters as in :meth:`get_task_comments`."""
        return iterate(
            "comments", lambda offset, limit: self.get_task_comments(project, task_id, offset, limit), MAXIMUM
        )

    def get_project_comments(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        issue_category_id: str | None = None,
        offset: int | None = None,
        limit: int | None = 100,
    ) -> list[CommentThread]:
        """Return the messages in a project, each with the comment it belongs to.

        :param project: slug of the project.
        :param status: only of tasks with this status.
        :param external_status: only of tasks with this external status.
        :param tags: only of tasks with these tags.
        :param issue_category_id: only of comments in this category of issues.
        :param offset: position of the first message, from 0.
        :param limit: messages per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        optional(status=status, external_status=external_status, issue_category_id=issue_category_id)
        filters = {
            "taskStatus": status,
            "taskExternalStatus": external_status,
            "taskTags": texts("tags", tags),
            "issueCategoryId": issue_category_id,
        }
        params = required(project=project) | present(filters) | paging(offset, limit, MAXIMUM)
        return self._transport.get("comments/threads", params, shape=a_list)

    def iter_project_comments(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        issue_category_id: str | None = None,
    ) -> Iterator[CommentThread]:
        """Yield all messages in a project. Parameters as in :meth:`get_project_comments`."""
        names = texts("tags", tags)
        return iterate(
            "comments/threads",
            lambda offset, limit: self.get_project_comments(
                project, status, external_status, names, issue_category_id, offset, limit
            ),
            MAXIMUM,
        )

    def create_task_comment(
        self,
        task_id: str | None = None,
        points: Sequence[float] | None = None,
        text: str | None = None,
        content_id: str | None = None,
        type: str = "text",
        scale: float = 0,
        frame: int = 0,
        status: str | None = None,
        priority: int | None = None,
        is_resolved: bool = False,
        task_annotation_id: str | None = None,
        color: str | None = None,
        comment_id: str | None = None,
        *,
        content_name: str | None = None,
    ) -> dict[str, Any]:
        """Comment on a task, or reply to a comment. FastLabel shows "via API" as the author.

        :param task_id: id of the task; not used for a reply.
        :param points: place of the comment, ``[x, y]`` in pixels.
        :param text: the message.
        :param content_id: id of the content; of a task with several, this or ``content_name`` is needed.
        :param type: kind of comment.
        :param scale: zoom at which it was made.
        :param frame: frame from 1 in sequences and clips, else 0.
        :param status: status of the comment, such as ``todo``.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :param is_resolved: whether it is settled already.
        :param task_annotation_id: annotation it belongs to.
        :param color: ``#rrggbb``.
        :param comment_id: comment to reply to; then only ``text`` counts.
        :param content_name: file name of the content, instead of its id. By keyword only: FastLabel's SDK has it since
            0.26, before ``content_id``; here the order of the older releases stays.
        :raises FastLabelInvalidException: (422) neither ``task_id`` nor ``comment_id`` is given, or both ``content_id``
            and ``content_name``.
        :raises OutcomeUnknown: the answer was lost; look with :meth:`get_task_comments` before commenting again.
        """
        if comment_id is not None:
            return self._transport.post(f"comments/{segment(comment_id)}/threads", {"text": text})
        if task_id is None:
            raise FastLabelInvalidException("Give task_id to comment on a task, or comment_id to reply.", 422)
        if content_id is not None and content_name is not None:
            raise FastLabelInvalidException("Give content_id or content_name, not both.", 422)
        place = {"contentId": content_id, "contentName": content_name, "taskAnnotationId": task_annotation_id}
        state = {"status": status, "priority": priority, "color": color}
        body = {
            "taskId": task_id,
            "points": listed("points", points),
            "text": text,
            "type": type,
            "isResolved": is_resolved,
            "scale": scale,
            "frame": frame,
            **{key: value for key, value in (place | state).items() if value is not None},
        }
        return self._transport.post("comments", body)

    def update_task_comment(self, thread_id: str, text: str) -> dict[str, Any]:
        """Change a message.

        :param thread_id: id of the message.
        :param text: its new text.
        """
        return self._transport.put(f"comments/threads/{segment(thread_id)}", required(text=text))

    def delete_task_comment(self, thread_id: str) -> None:
        """Delete a message; with the last one the comment goes too.

        :param thread_id: id of the message.
        """
        self._transport.delete(f"comments/threads/{segment(thread_id)}")
