"""Tags of a project. They come into being when a task is given one."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.paging import iterate
from airflow_provider_fastlabel.client.resource import Resource, present, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.types import Tag

PAGE_MAXIMUM = 1000


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
        fields = {"keyword": keyword, "offset": offset, "limit": within(limit, PAGE_MAXIMUM)}
        return self._transport.get("tags", {"project": project} | present(fields))

    def iter_tags(self, project: str, keyword: str | None = None) -> Iterator[Tag]:
        """Yield all tags of a project, page by page, each once.

        :param keyword: keep tags whose name contains it.
        """
        return iterate(lambda offset, limit: self.get_tags(project, keyword, offset, limit), PAGE_MAXIMUM)

    def delete_tags(self, tag_ids: Sequence[str]) -> None:
        """Delete tags, and take them from their tasks.

        :param tag_ids: ids of the tags.
        """
        self._transport.post("tags/delete/multi", {"tagIds": list(tag_ids)}, idempotent=True)
