"""Which tasks a bulk operator works on: a list of ids, a list of names, or those that match a filter."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.client.http.shapes import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient

KNOWN_FIELDS = {"status": "status", "external_status": "externalStatus", "priority": "priority", "tags": "tags"}
"""Fields of a task that are kept when it was listed: our name to FastLabel's."""


@dataclass(frozen=True)
class ChosenTask:
    """One task to work on.

    :param label: its name, or its id where only that is known; for messages.
    :param task_id: its id; ``None`` when there is no task of that name.
    :param known: its fields as listed, by our names; ``None`` when it was not listed.
    """

    label: str
    task_id: str | None
    known: dict[str, Any] | None = None


@dataclass(frozen=True)
class TaskSelection:
    """A choice of tasks of a project, made in exactly one way.

    :param project: project slug.
    :param task_ids: these tasks, by id.
    :param task_names: these tasks, by name.
    :param filter_status: tasks in one of these statuses.
    :param filter_tags: tasks that carry these tags; may go together with ``filter_status``.
    :raises FastLabelInvalidException: when tasks are chosen in no way or in several.
    """

    project: str
    task_ids: Sequence[str] | None = None
    task_names: Sequence[str] | None = None
    filter_status: str | Sequence[str] | None = None
    filter_tags: Sequence[str] | None = None
    _kind: list[str] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        ways = [self.task_ids is not None, self.task_names is not None, bool(self.filter_status or self.filter_tags)]
        if sum(ways) != 1:
            raise FastLabelInvalidException(
                "Choose the tasks in one way: task_ids, task_names, or a filter (filter_status, filter_tags). "
                "Choosing a whole project by leaving all of them out is refused; filter by its statuses instead."
            )

    def resolve(self, client: FastLabelClient) -> list[ChosenTask]:
        """Return the chosen tasks, each once.

        All are found before the first is touched: a filter would lose its place when tasks stop matching it.
        """
        if self.task_ids is not None:
            return [ChosenTask(str(task_id), str(task_id)) for task_id in dict.fromkeys(self.task_ids)]
        if self.task_names is not None:
            ids = client.task_ids_by_name(self.project) if self.task_names else {}
            return [ChosenTask(str(name), ids.get(str(name))) for name in dict.fromkeys(self.task_names)]
        return list({task["id"]: _listed(task) for task in self._objects(client, PAGES_AHEAD)}.values())

    def whole(
        self, client: FastLabelClient, without: Callable[[str], bool] = lambda _: False
    ) -> Iterator[tuple[ChosenTask, Any]]:
        """Yield the chosen tasks, each once, with all that FastLabel says of it; ``None`` for one that is not there.

        They come as they are listed, so nothing may be changed before the last has come. No page is asked for ahead:
        the addresses of the pictures expire, and nobody knows how long is spent on each task.

        :param client: whom to ask.
        :param without: tells of an id whether nothing needs to be known of the task: it costs no call of its own then,
            and comes with ``None``.
        """
        if self.task_ids is None and self.task_names is None:
            seen: set[str] = set()
            for task in self._objects(client):
                if task["id"] not in seen:
                    seen.add(task["id"])
                    yield _listed(task), task
            return
        for chosen in self.resolve(client):
            task = None
            if chosen.task_id is not None and not without(chosen.task_id):
                with suppress(NotFound):
                    task = client.find_task(self.kind(client), chosen.task_id)
            yield (chosen if task is None else _listed(task)), task

    def count(self, client: FastLabelClient) -> int:
        """Return how many tasks are chosen, by one call per status; of a list, its length."""
        given = self.task_ids if self.task_ids is not None else self.task_names
        if given is not None:
            return len(set(given))
        tags = list(self.filter_tags or [])
        return sum(client.count_tasks(self.project, status=status, tags=tags) for status in self._statuses())

    def kind(self, client: FastLabelClient) -> str:
        """Return the kind of the project's tasks, asked for once.

        :raises NotFound: when there is no such project.
        """
        if not self._kind:
            self._kind.append(client.kind_of_project(self.project).name)
        return self._kind[0]

    def _statuses(self) -> list[str | None]:
        statuses = [self.filter_status] if isinstance(self.filter_status, str) else self.filter_status
        return [*statuses] if statuses else [None]

    def _objects(self, client: FastLabelClient, pages_ahead: int = 0) -> Iterator[Any]:
        """Yield the tasks that match the filter; one that changes its status meanwhile may come twice."""
        kind = self.kind(client)
        for status in self._statuses():
            tags = list(self.filter_tags or [])
            yield from client.iter_tasks(self.project, kind, status=status, tags=tags, pages_ahead=pages_ahead)


def _listed(task: Any) -> ChosenTask:
    """Return a task that was listed, with the few of its fields that matter here."""
    return ChosenTask(str(needed(task, "name", f"task {task['id']}")), str(task["id"]), known_fields(task))


def known_fields(task: Any) -> dict[str, Any]:
    """Return what matters here of a task object of FastLabel."""
    return {ours: task.get(theirs) for ours, theirs in KNOWN_FIELDS.items()}
