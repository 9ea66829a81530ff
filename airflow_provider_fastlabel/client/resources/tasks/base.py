"""What the calls of all kinds of task share."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import optional, paging, required, texts
from airflow_provider_fastlabel.client.checks.media import checked_file, checked_folder
from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.http.bodies import StreamedBody
from airflow_provider_fastlabel.client.http.paging import exactly, iterate
from airflow_provider_fastlabel.client.http.reading_ahead import ReadAhead
from airflow_provider_fastlabel.client.http.settling import require_ours
from airflow_provider_fastlabel.client.http.shapes import a_list, an_id, an_object
from airflow_provider_fastlabel.client.kinds import KINDS, Kind
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment
from airflow_provider_fastlabel.client.resources.tasks.fields import Items, Users, clean_annotations, task_fields
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client.http.early import EarlyAnswer


class TaskResource(Resource):
    """Calls on tasks.

    Parameters that mean the same in all of them are described once, in ``tools/task_docstrings.py``, which writes them
    into the docstring of each call.

    **Filters** of lists, counts and pagers keep what fits all of them. ``iter_*`` pages by itself.

    **Fields** of create and update: what is not given, or empty, stays as it is; tags and annotations given replace the
    old ones.

    **Errors**: arguments, files and limits are checked before a byte is sent (:class:`FastLabelInvalidException`, code
    422, naming the argument or the file). A name that is taken is a :class:`Conflict`. If the answer to a create is
    lost, the name is looked up, so that no task is created twice.
    """

    def _find(self, kind: str, task_id: str) -> Any:
        return self._transport.get(f"{KINDS[kind].path}/{segment(task_id)}", shape=an_object)

    def _find_by_name(self, kind: str, project: str, task_name: str) -> Any:
        """Return the task of exactly this name, ``None`` if there is none."""
        row = KINDS[kind]
        filters = required(project=project) | {"taskName": required(task_name=task_name)["task_name"]}
        page = self._page(row, filters, None, row.default_limit)
        return exactly(row.path, "name", task_name, page, lambda: self._iterate(kind, project, task_name=task_name))

    def _list(
        self,
        kind: str,
        project: str,
        status: str | None,
        external_status: str | None,
        tags: Sequence[str] | None,
        task_name: str | None,
        offset: int | None,
        limit: int | None,
    ) -> Any:
        filters = task_filters(project, status, external_status, tags, task_name)
        return self._page(KINDS[kind], filters, offset, limit)

    def _iterate(
        self,
        kind: str,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        *,
        pages_ahead: int = 0,
        expected: int | None = None,
    ) -> Iterator[Any]:
        row = KINDS[kind]
        filters = task_filters(project, status, external_status, tags, task_name)

        def page(offset: int, limit: int, early: EarlyAnswer | None = None) -> Any:
            return self._page(row, filters, offset, limit, early)

        def ask(offset: int, limit: int) -> EarlyAnswer | None:
            return self._transport.ask_early(row.path, _page_query(row, filters, offset, limit))

        return iterate(row.path, page, row.page_maximum, ahead=ReadAhead(page, ask, pages_ahead, expected))

    def _page(
        self,
        row: Kind,
        filters: dict[str, Any],
        offset: int | None,
        limit: int | None,
        early: EarlyAnswer | None = None,
    ) -> Any:
        """Fetch one page."""
        return self._transport.get(row.path, _page_query(row, filters, offset, limit), shape=a_list, early=early)

    def _create(
        self,
        kind: str,
        project: str,
        name: str,
        path: str | os.PathLike[str] = "",
        *,
        users: Users,
        annotations: Items | None = None,
        **fields: Any,
    ) -> Any:
        """Create a task from a file, or from a folder where the kind has several files."""
        row = KINDS[kind]
        body = required(project=project, name=name)
        if row.max_files:
            body["contents"] = checked_folder(path, row, self.limits)
        elif row.media:
            body["file"] = checked_file(path, row.media, self.limits)
        body |= annotation_fields(annotations, name if row.content_on_create else None)
        body |= task_fields(users, **fields)
        try:
            return self._transport.post(
                row.path, StreamedBody(body), settle=self._by_name(row, project, name), shape=an_id
            )
        except FastLabelException as error:
            source = f", from {foreign_text(path)}" if path else ""
            error.add_note(f"The task was {name!r} in project {project!r}{source}.")
            raise

    def _by_name(self, row: Kind, project: str, name: str) -> Callable[[Callable[[object], bool]], str | None]:
        def settle(is_ours: Callable[[object], bool]) -> str | None:
            tasks = self._iterate(row.name, project, task_name=name)
            found = next((task for task in tasks if task.get("name") == name), None)
            if found is None:
                return None
            require_ours(f"task {name!r} in project {project!r} (id {found['id']})", found, is_ours)
            return found["id"]

        return settle

    def _update(self, kind: str, task_id: str, *, users: Users, annotations: Items | None = None, **fields: Any) -> Any:
        row = KINDS[kind]
        body = annotation_fields(annotations, "" if row.content_on_update else None)
        return self._transport.put(f"{row.path}/{segment(task_id)}", body | task_fields(users, **fields))


def _page_query(row: Kind, filters: dict[str, Any], offset: int | None, limit: int | None) -> dict[str, Any]:
    """Return the query of one page. The list of robotics tasks gets its paging even when it is zero."""
    page = paging(offset, limit, row.page_maximum if row.checked else None)
    sent = page | {"offset": offset or 0} if row.name == "robotics" else present(page)
    return filters | sent


def annotation_fields(annotations: Items | None, content: str | None) -> dict[str, Any]:
    """Return the body key of annotations; without any, also from an iterator, there is none.

    :param content: as in :func:`clean_annotations`.
    """
    return present({"annotations": clean_annotations(annotations, content)})


def task_filters(
    project: str,
    status: str | None,
    external_status: str | None,
    tags: Sequence[str] | None,
    task_name: str | None = None,
) -> dict[str, Any]:
    """Return the query keys of the filters of task lists; empty ones are left out."""
    optional(status=status, external_status=external_status, task_name=task_name)
    filters = {"status": status, "externalStatus": external_status, "tags": texts("tags", tags), "taskName": task_name}
    return required(project=project) | present(filters)
