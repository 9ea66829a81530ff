"""Tags of a project. They come into being when a task is given one."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import optional, paging, required, texts
from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list
from airflow_provider_fastlabel.client.resources.resource import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.types import Tag

PAGE_MAXIMUM = 1000
TASKS_PER_CALL = 5000


class Tags(Resource):
    """Calls on tags."""

    def get_tags(
        self, project: str, keyword: str | None = None, offset: int | None = None, limit: int | None = 100
    ) -> list[Tag]:
        """Return a page of a project's tags.

        :param project: slug of the project.
        :param keyword: keep tags whose name contains it.
        :param offset: position of the first tag, from 0.
        :param limit: tags per page, at most 1000.
        """
        filters = {**optional(keyword=keyword), **paging(offset, limit, PAGE_MAXIMUM)}
        return self._transport.get("tags", required(project=project) | present(filters), shape=a_list)

    def iter_tags(self, project: str, keyword: str | None = None) -> Iterator[Tag]:
        """Yield all tags of a project, page by page, each once.

        :param project: slug of the project.
        :param keyword: keep tags whose name contains it.
        """
        return iterate("tags", lambda offset, limit: self.get_tags(project, keyword, offset, limit), PAGE_MAXIMUM)

    def delete_tags(self, tag_ids: Sequence[str]) -> None:
        """Delete tags, and take them from their tasks.

        :param tag_ids: ids of the tags.
        """
        self._transport.post("tags/delete/multi", {"tagIds": texts("tag_ids", tag_ids) or []}, idempotent=True)

    def add_task_tags(self, project: str, task_ids: Sequence[str], tags: Sequence[str]) -> int:
        """Add tags to many tasks; their other tags stay. Tags that do not exist come into being.

        :param project: slug of the project all tasks belong to.
        :param task_ids: ids of the tasks, sent 5000 at a time.
        :param tags: names, at most 20.
        :returns: how many tasks this call changed; it may be less when a lost answer made it repeat itself.
        :raises FastLabelInvalidException: if there is no task or no tag, before anything is sent.
        """
        return self._change_tags("add", project, task_ids, tags)

    def remove_task_tags(self, project: str, task_ids: Sequence[str], tags: Sequence[str]) -> int:
        """Take tags from many tasks; the tags themselves stay in the project. Parameters as in :meth:`add_task_tags`.

        :returns: how many tasks this call changed.
        """
        return self._change_tags("remove", project, task_ids, tags)

    def _change_tags(self, verb: str, project: str, task_ids: Sequence[str], tags: Sequence[str]) -> int:
        unique, names = list(dict.fromkeys(texts("task_ids", task_ids) or ())), texts("tags", tags)
        if not unique or not names:
            raise FastLabelInvalidException(
                f"{'tags' if unique else 'task_ids'} must not be empty. Nothing was sent.", 422
            )
        target, changed = required(project=project), 0
        for start in range(0, len(unique), TASKS_PER_CALL):
            body = target | {"taskIds": unique[start : start + TASKS_PER_CALL], "tags": names}
            try:
                changed += _count(verb, self._transport.post(f"tasks/tags/{verb}", body, idempotent=True))
            except FastLabelException as error:
                error.add_note(f"The first {start} of {len(unique)} tasks are done; the same call again does no harm.")
                raise
        return changed


def _count(verb: str, answer: object) -> int:
    count = answer.get("updatedTaskCount") if isinstance(answer, dict) else None
    if not isinstance(count, int):
        raise FastLabelException(f"POST tasks/tags/{verb}: FastLabel did not answer with updatedTaskCount.")
    return count
