"""What a watcher can watch: which calls tell what is there now, and what its events say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.waits.conditions import OLDEST_TOTAL, Counts, TaskCountWait
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING, decide_import, decide_job
from airflow_provider_fastlabel.pipelines.waits.model_jobs import all_jobs, job_kind, summary_of
from airflow_provider_fastlabel.triggers.arrivals import IDS_SHOWN, all_reached, arrived, first_cursor, first_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.triggers.arrivals import Cursor, Facts

OLDEST_LISTING = 12
"""Looks at most between two listings of the tasks, while their number does not change."""


@dataclass(frozen=True)
class Listing:
    """The things that are where a watcher watches.

    :param things: facts by id.
    :param count: how many tasks FastLabel counted before they were listed; not used by other things.
    :param looks_old: how many looks ago they were listed.
    """

    things: Mapping[str, Facts]
    count: int = -1
    looks_old: int = 0


class Watched(ABC):
    """Something that can be watched. ``read`` makes calls, the rest is pure."""

    @abstractmethod
    def key(self) -> tuple[Any, ...]:
        """Return what is asked; watchers of one connection with equal keys share their readings."""

    @abstractmethod
    def read(self, client: FastLabelClient, earlier: Any) -> Any:
        """Ask FastLabel what all watchers with this key want to know.

        :param client: whom to ask.
        :param earlier: the answer before; ``None`` if there is none.
        """

    @abstractmethod
    def begin(self, reading: Any, *, now: str, include_existing: bool) -> Cursor:
        """Return the cursor of a watcher that has never looked before; parameters as in :func:`first_cursor`."""

    @abstractmethod
    def judge(self, cursor: Cursor, reading: Any, before: Any) -> tuple[Cursor, list[dict[str, Any]]]:
        """Return the cursor after a look, and the payloads of the events it makes.

        :param cursor: what the watcher remembers.
        :param reading: the look.
        :param before: the look before it in this process; ``None`` at the first.
        """


@dataclass
class WatchedThings(Watched):
    """Base of what is watched by listing it."""

    def begin(self, reading: Listing, *, now: str, include_existing: bool) -> Cursor:
        """Take what is there for known, or for new."""
        return first_cursor(reading.things, now=now, include_existing=include_existing)

    def judge(self, cursor: Cursor, reading: Listing, before: Listing | None) -> tuple[Cursor, list[dict[str, Any]]]:
        """Make an event of each thing that has arrived."""
        after, groups = self._groups(cursor, reading, before, every=1)
        return after, [self.payload(ident, facts) for group in groups for ident, facts in group.items()]

    @staticmethod
    def _groups(
        cursor: Cursor, reading: Listing, before: Listing | None, *, every: int
    ) -> tuple[Cursor, list[dict[str, Facts]]]:
        """Tell what has arrived; nothing if this is the list of the look before."""
        if before is not None and before.things is reading.things:
            return cursor, []
        return arrived(cursor, reading.things, before.things if before else {}, every=every)

    @abstractmethod
    def payload(self, ident: str, facts: Facts) -> dict[str, Any]:
        """Return what the event of one thing says."""


@dataclass
class WatchedTasks(WatchedThings):
    """The tasks of a project, or of those with certain tags, that are in one of the statuses.

    A look costs one count for each status. Only when the count has changed, or after some looks, the tasks are listed,
    which FastLabel does with their annotations. Of two changes that keep the count, a task that came and one that
    left, it is so told at the latest :data:`OLDEST_LISTING` looks later.

    :param project: slug of the project.
    :param statuses: statuses that are waited for.
    :param tags: only tasks that carry these tags; empty for all.
    :param every: how many tasks make an event.
    """

    project: str
    statuses: Sequence[str]
    tags: Sequence[str] = ()
    every: int = 1
    _kind: str | None = field(default=None, init=False, repr=False)

    def key(self) -> tuple[Any, ...]:
        """Return the key of the tasks; watchers that group them otherwise share it."""
        return ("tasks", self.project, tuple(self.statuses), tuple(self.tags))

    def read(self, client: FastLabelClient, earlier: Listing | None) -> Listing:
        """Count the tasks, and list them when that, or time, says so."""
        if self._kind is None:
            self._kind = client.kind_of_project(self.project).name
        count = sum(client.count_tasks(self.project, status=s, tags=list(self.tags)) for s in self.statuses)
        if earlier is not None and earlier.count == count and earlier.looks_old < OLDEST_LISTING:
            return replace(earlier, looks_old=earlier.looks_old + 1)
        return Listing({str(task["id"]): _told_of(task) for task in self._tasks(client, self._kind)}, count)

    def _tasks(self, client: FastLabelClient, kind: str) -> Iterator[Mapping[str, Any]]:
        for status in self.statuses:
            yield from client.iter_tasks(self.project, kind, status=status, tags=list(self.tags) or None)

    def judge(self, cursor: Cursor, reading: Listing, before: Listing | None) -> tuple[Cursor, list[dict[str, Any]]]:
        """Make an event of each task, or of each group of tasks, that has reached a status."""
        if self.every == 1:
            return super().judge(cursor, reading, before)
        after, groups = self._groups(cursor, reading, before, every=self.every)
        return after, [self._batch(cursor, number, group) for number, group in enumerate(groups, cursor.told + 1)]

    def payload(self, ident: str, facts: Facts) -> dict[str, Any]:
        """Tell of one task. A task that leaves the status and reaches it again has another time, so another key."""
        return {
            "key": f"{self.project}/task/{ident}/{facts['status']}/{facts['updated_at']}",
            "project": self.project,
            "task_id": ident,
            **facts,
        }

    def _batch(self, cursor: Cursor, number: int, group: Mapping[str, Facts]) -> dict[str, Any]:
        """Tell of a group of tasks."""
        return {
            "key": f"{_place(self.project, self.statuses, self.tags)}/{self.every}/{cursor.since}/{number}",
            "project": self.project,
            "statuses": list(self.statuses),
            "tags": list(self.tags),
            "number": number,
            "count": len(group),
            "task_ids": list(group)[:IDS_SHOWN],
        }


@dataclass
class WatchedShare(Watched):
    """Whether all tasks of a project, or all of those with certain tags, have reached one of the statuses.

    Asks for the counts that a sensor on these tasks asks for.

    :param project: slug of the project.
    :param statuses: statuses that are waited for.
    :param tags: only tasks that carry these tags; empty for all.
    """

    project: str
    statuses: Sequence[str]
    tags: Sequence[str] = ()
    _exists: bool = field(default=False, init=False, repr=False)

    def key(self) -> tuple[Any, ...]:
        """Return the key of the counts."""
        return ("all tasks", self.project, tuple(self.statuses), tuple(self.tags))

    def read(self, client: FastLabelClient, earlier: Counts | None) -> Counts:
        """Count those that have reached a status, and all when that number has changed."""
        if not self._exists:
            client.kind_of_project(self.project)
            self._exists = True
        wait = TaskCountWait(self.project, self.statuses, self.tags, min_share=1.0)
        if earlier is not None and earlier.looks_old >= OLDEST_TOTAL:
            earlier = None  # a look of which all is new is what a watcher that has joined since goes by
        return wait.read_for([wait], earlier, client)

    def begin(self, reading: Counts, *, now: str, include_existing: bool) -> Cursor:
        """Take a set that is complete already as told, or not."""
        return first_of_all(_reached(reading), reading.total or 0, now=now, include_existing=include_existing)

    def judge(self, cursor: Cursor, reading: Counts, before: Counts | None) -> tuple[Cursor, list[dict[str, Any]]]:
        """Make an event when all have reached a status."""
        del before
        reached, total = _reached(reading), reading.total or 0
        if reading.looks_old and reached >= total:
            return cursor, []  # more tasks may have come since all were counted
        after, told = all_reached(cursor, reached, total)
        if not told:
            return after, []
        payload = {
            "key": f"{_place(self.project, self.statuses, self.tags)}/all/{after.since}/{after.told}",
            "project": self.project,
            "statuses": list(self.statuses),
            "tags": list(self.tags),
            "number": after.told,
            "count": total,
        }
        return after, [payload]


def _reached(counts: Counts) -> int:
    """Return how many tasks are in one of the statuses that were counted."""
    return sum(counts.by_status.values())


@dataclass
class WatchedImports(WatchedThings):
    """The imports of a project that have ended.

    :param project: slug of the project.
    :param outcomes: ``success``, ``failed`` or both.
    """

    project: str
    outcomes: Sequence[str] = ("success",)

    def key(self) -> tuple[Any, ...]:
        """Return the key of the project's whole list of histories."""
        return ("all histories", self.project)

    def read(self, client: FastLabelClient, earlier: Listing | None) -> Listing:
        """List the histories; a call for 1,000."""
        del earlier
        ended: dict[str, dict[str, Any]] = {}
        for history in client.iter_histories(self.project):
            decision = decide_import(history, project=self.project)
            if decision.status != WAITING:
                ended[str(history.get("id"))] = {
                    "outcome": decision.status,
                    "status": foreign_text(decision.facts["status"], 60),
                    "message": decision.message,
                    "updated_at": history.get("updatedAt"),
                }
        return Listing(ended)

    def judge(self, cursor: Cursor, reading: Listing, before: Listing | None) -> tuple[Cursor, list[dict[str, Any]]]:
        """Make an event of each import that ended as asked for."""
        after, payloads = super().judge(cursor, reading, before)
        return after, [payload for payload in payloads if payload["outcome"] in self.outcomes]

    def payload(self, ident: str, facts: Facts) -> dict[str, Any]:
        """Tell of one import."""
        return {
            "key": f"{self.project}/import/{ident}/{facts['outcome']}",
            "project": self.project,
            "history_id": ident,
            **facts,
        }


@dataclass
class WatchedJobs(WatchedThings):
    """The training, evaluation or auto-annotation jobs that have ended.

    :param kind: ``training``, ``evaluation`` or ``auto_annotation``.
    :param project: slug of the project; empty for the kinds whose list is the workspace's.
    :param outcomes: ``success``, ``failed`` or both.
    """

    kind: str
    project: str = ""
    outcomes: Sequence[str] = ("success",)

    def key(self) -> tuple[Any, ...]:
        """Return the key of the whole list of jobs."""
        return ("all jobs", self.kind, self.project)

    def read(self, client: FastLabelClient, earlier: Listing | None) -> Listing:
        """List the jobs; a call for 1,000."""
        del earlier
        kind = job_kind(self.kind)
        ended: dict[str, dict[str, Any]] = {}
        for job in all_jobs(client, kind, self.project):
            decision = decide_job(job, kind=kind)
            if decision.status != WAITING:
                summary = summary_of(kind, job)
                ended[summary["job_id"]] = {**summary, "outcome": decision.status, "updated_at": job.get("completedAt")}
        return Listing(ended)

    def judge(self, cursor: Cursor, reading: Listing, before: Listing | None) -> tuple[Cursor, list[dict[str, Any]]]:
        """Make an event of each job that ended as asked for."""
        after, payloads = super().judge(cursor, reading, before)
        return after, [payload for payload in payloads if payload["outcome"] in self.outcomes]

    def payload(self, ident: str, facts: Facts) -> dict[str, Any]:
        """Tell of one job."""
        told = {name: value for name, value in facts.items() if name != "updated_at"}
        return {"key": f"{self.kind}/job/{ident}/{facts['outcome']}", "project": self.project, **told}


def _told_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event tells of a task; its annotations are not kept."""
    return {
        "name": foreign_text(task.get("name"), 200),
        "status": foreign_text(task.get("status"), 60),
        "updated_at": task.get("updatedAt"),
    }


def _place(project: str, statuses: Sequence[str], tags: Sequence[str]) -> str:
    """Return the beginning of the keys of numbered events."""
    return "/".join([project, "tasks", "+".join(statuses), *tags])
