"""What can be waited for, and which calls tell: used alike by sensors, by operators and by triggers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.statuses import TASK_STATUSES
from airflow_provider_fastlabel.pipelines.waits.decisions import (
    WAITING,
    Decision,
    decide_import,
    decide_imports,
    decide_job,
    decide_tasks,
    tasks_needed,
)
from airflow_provider_fastlabel.pipelines.waits.model_jobs import find_job, job_kind, listed_jobs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient

OLDEST_TOTAL = 12
"""Looks at most for which the number of all tasks is taken as it was, while no other number has moved."""
HISTORY_PAGE = 1000
"""Import histories asked for at once, the largest page FastLabel gives."""


class Wait(ABC):
    """Something that can be waited for.

    ``read`` and ``read_alone`` make calls, ``decide`` is pure. Subclasses are dataclasses of JSON values, because their
    fields are the arguments of the trigger.
    """

    def key(self) -> tuple[Any, ...]:
        """Return what this wait asks; waits of one connection with equal keys share their readings."""
        return (type(self).__name__, repr(self.arguments()))

    def arguments(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}  # type: ignore[call-overload]

    @abstractmethod
    def read(self, client: FastLabelClient) -> Any:
        """Ask FastLabel what all waits with this key want to know."""

    def read_for(self, waits: Sequence[Wait], earlier: Any, client: FastLabelClient) -> Any:
        """Ask what all of some waits with this key want to know, leaving out what the last answer makes needless.

        :param waits: the waits, this one among them.
        :param earlier: that answer, ``None`` if there is none.
        :param client: whom to ask.
        """
        del waits, earlier
        return self.read(client)

    def read_alone(self, client: FastLabelClient) -> Any:
        """Ask FastLabel what this wait wants to know, as cheaply as it can be asked for one."""
        return self.read(client)

    @abstractmethod
    def decide(self, reading: Any) -> Decision | None:
        """Judge a reading; ``None`` when it says too little about this wait and :meth:`read_alone` is needed."""

    def look(self, client: FastLabelClient) -> Decision:
        """Look once, for this wait alone."""
        decision = self.decide(self.read_alone(client))
        assert decision is not None
        return decision


@dataclass
class ImportHistoryWait(Wait):
    """An import, by the id of its history. All waits on a project's imports share one list call.

    :param project: project slug.
    :param history_id: id of the import history.
    """

    project: str
    history_id: str

    def key(self) -> tuple[Any, ...]:
        """Return the key of the project's list of histories."""
        return ("histories", self.project)

    def read(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the project's histories, by id."""
        return {str(h.get("id")): h for h in client.get_histories(self.project, limit=HISTORY_PAGE)}

    def read_alone(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the one history."""
        return {self.history_id: client.find_history(self.history_id)}

    def decide(self, reading: Mapping[str, Mapping[str, Any]]) -> Decision | None:
        """Judge the history; ``None`` when the list was too long to hold it."""
        history = reading.get(self.history_id)
        return None if history is None else decide_import(history, project=self.project)


@dataclass
class ImportHistoriesWait(Wait):
    """Several imports of one project. Shares the list call of :class:`ImportHistoryWait`.

    :param project: project slug.
    :param histories: ids of the import histories, by the name of what each imports.
    """

    project: str
    histories: Mapping[str, str]

    def key(self) -> tuple[Any, ...]:
        """Return the key of the project's list of histories."""
        return ("histories", self.project)

    def read(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the project's histories, by id."""
        return {str(h.get("id")): h for h in client.get_histories(self.project, limit=HISTORY_PAGE)}

    def read_alone(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the list, and one by one what it was too long to hold."""
        found = self.read(client)
        missing = set(self.histories.values()) - found.keys()
        return found | {history_id: client.find_history(history_id) for history_id in sorted(missing)}

    def decide(self, reading: Mapping[str, Mapping[str, Any]]) -> Decision | None:
        """Judge the histories; ``None`` when the list was too long to hold them."""
        if not reading.keys() >= set(self.histories.values()):
            return None
        found = {name: reading[history_id] for name, history_id in self.histories.items()}
        return decide_imports(found, project=self.project)


@dataclass
class ModelJobWait(Wait):
    """A training, evaluation or auto-annotation job. All waits on jobs of a kind (and project) share one list call.

    :param kind: ``training``, ``evaluation`` or ``auto_annotation``.
    :param job_id: id of the job.
    :param project: slug of its project; empty for the kinds whose list is the workspace's.
    """

    kind: str
    job_id: str
    project: str = ""

    def key(self) -> tuple[Any, ...]:
        """Return the key of the list of jobs."""
        return ("jobs", self.kind, self.project)

    def read(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the jobs, by id."""
        kind = job_kind(self.kind)
        return {str(job.get(kind.identity)): job for job in listed_jobs(client, kind, self.project)}

    def read_alone(self, client: FastLabelClient) -> dict[str, Mapping[str, Any]]:
        """Read the one job."""
        return {self.job_id: find_job(client, job_kind(self.kind), self.job_id, self.project)}

    def decide(self, reading: Mapping[str, Mapping[str, Any]]) -> Decision | None:
        """Judge the job; ``None`` when the list was too long to hold it."""
        job = reading.get(self.job_id)
        return None if job is None else decide_job(job, kind=job_kind(self.kind))


@dataclass
class S3ImportWait(Wait):
    """The latest S3 import of a project.

    :param project: project slug.
    """

    project: str

    def read(self, client: FastLabelClient) -> Mapping[str, Any] | None:
        """Read the state of the project's S3 import; ``None`` when the project has had none.

        :raises NotFound: when there is no such project.
        """
        from airflow_provider_fastlabel.client.exceptions import NotFound

        try:
            return client.get_aws_s3_import_status_by_project(self.project)
        except NotFound:
            # FastLabel says the same of a project without import and of no project.
            if client.find_project_by_slug(self.project) is None:
                raise
            return None

    def decide(self, reading: Mapping[str, Any] | None) -> Decision:
        """Judge the state."""
        return decide_import(reading, project=self.project)


@dataclass(frozen=True)
class Counts:
    """How many tasks there are.

    :param by_status: by status, those that are in it.
    :param total: all of them; ``None`` if no wait asks for a share.
    :param looks_old: how many looks ago all were counted.
    :param statuses_old: whether the statuses are those of the look before, because this one counted all instead.
    """

    by_status: Mapping[str, int]
    total: int | None
    looks_old: int = 0
    statuses_old: bool = False


@dataclass
class TaskCountWait(Wait):
    """How many of a project's tasks, or of those with certain tags, are in one of the statuses.

    :param project: project slug.
    :param statuses: task statuses that count as reached.
    :param tags: only tasks that carry these tags; empty for all.
    :param min_count: number of tasks that must have reached one; ``None`` for no such demand.
    :param min_share: share of the tasks that must have; ``None`` for no such demand.
    """

    project: str
    statuses: Sequence[str]
    tags: Sequence[str] = ()
    min_count: int | None = None
    min_share: float | None = None

    def key(self) -> tuple[Any, ...]:
        """Return the key of the counts; waits for other numbers, shares or statuses of the same tasks share them."""
        # A status that FastLabel may refuse must not fail the waits for others.
        unlisted = sorted(set(self.statuses) - set(TASK_STATUSES))
        return ("counts", self.project, tuple(sorted(set(self.tags))), tuple(unlisted))

    def read(self, client: FastLabelClient) -> Counts:
        """Count the tasks that have reached a status, then all, so that late arrivals cannot make a share look done."""
        return self.read_for([self], None, client)

    def read_for(self, waits: Sequence[Wait], earlier: Counts | None, client: FastLabelClient) -> Counts:
        """Count each status once; all tasks only if a number has moved since the last look, and now and then.

        When it is time to count all of them again, that look counts nothing else unless they have become more or less:
        so a look at which nothing has moved costs one call for each status at most.
        """
        counted = [wait for wait in waits if isinstance(wait, TaskCountWait)]
        statuses = _late_first([status for wait in counted for status in wait.statuses])
        shares = any(wait.min_share is not None for wait in counted)
        # A wait that has joined since, with a status of its own, makes this a first look, too.
        known = earlier if earlier and earlier.total is not None and list(earlier.by_status) == statuses else None
        if shares and known and known.looks_old >= OLDEST_TOTAL and self._count(client) == known.total:
            return Counts(known.by_status, known.total, statuses_old=True)
        by_status = {status: self._count(client, status=status) for status in statuses}
        if not shares:
            return Counts(by_status, None)
        if known and known.by_status == by_status and known.looks_old < OLDEST_TOTAL:
            return Counts(by_status, known.total, known.looks_old + 1)
        return Counts(by_status, self._count(client))

    def _count(self, client: FastLabelClient, **status: str) -> int:
        """Count tasks."""
        return client.count_tasks(self.project, tags=list(self.tags), **status)

    def decide(self, reading: Counts) -> Decision | None:
        """Judge the counts; ``None`` when the wait would end by a number that is not of this look, or lacks one."""
        lacks_total = self.min_share is not None and reading.total is None
        if lacks_total or not reading.by_status.keys() >= set(self.statuses):
            return None
        decision = self._decide(reading)
        old = reading.statuses_old or (reading.looks_old and self.min_share is not None)
        return None if old and decision.status != WAITING else decision

    def _decide(self, reading: Counts) -> Decision:
        reached = sum(reading.by_status[status] for status in dict.fromkeys(self.statuses))
        total = None if self.min_share is None else reading.total
        tagged = f" tagged {', '.join(self.tags)}" if self.tags else ""
        return decide_tasks(
            reached if total is None else min(reached, total),
            total,
            what=f"project {self.project}{tagged}",
            statuses=self.statuses,
            min_count=self.min_count,
            min_share=self.min_share,
        )


@dataclass
class TaskListWait(Wait):
    """How many of some tasks, given by id or by name, are in one of the statuses.

    A look asks task by task, those first that were not there last time, and stops as soon as the wait must go on; so it
    usually costs one call, and all of them only when the wait ends.

    :param project: project slug.
    :param statuses: task statuses that count as reached.
    :param task_ids: ids of the tasks; either these or names.
    :param task_names: names of the tasks. A name that does not exist yet is a task that has not reached the status.
    :param min_count: number of tasks that must have reached one; ``None`` for no such demand.
    :param min_share: share of the tasks that must have; ``None`` for no such demand.
    """

    project: str
    statuses: Sequence[str]
    task_ids: Sequence[str] = ()
    task_names: Sequence[str] = ()
    min_count: int | None = None
    min_share: float | None = None
    _kind: str | None = field(default=None, init=False, repr=False)
    _reached: set[str] = field(default_factory=set, init=False, repr=False)

    def read(self, client: FastLabelClient) -> tuple[int, bool]:
        """Count the tasks that have reached a status; says also whether all were asked."""
        keys = list(dict.fromkeys(self.task_ids or self.task_names))
        may_miss = len(keys) - tasks_needed(len(keys), min_count=self.min_count, min_share=self.min_share)
        reached: set[str] = set()
        for number, key in enumerate(sorted(keys, key=self._reached.__contains__), start=1):
            if self._status(client, key) in self.statuses:
                reached.add(key)
                self._reached.add(key)
            else:
                self._reached.discard(key)
            if number - len(reached) > may_miss:
                return max(len(reached), len(self._reached)), number == len(keys)
        return len(reached), True

    def _status(self, client: FastLabelClient, key: str) -> str | None:
        """Return the status of a task, ``None`` when no task has the name."""
        if self._kind is None:
            self._kind = client.kind_of_project(self.project).name
        if self.task_ids:
            task = client.find_task(self._kind, key)
        else:
            task = client.find_task_by_name(self._kind, self.project, key)
        return task.get("status") if task else None

    def decide(self, reading: tuple[int, bool]) -> Decision:
        """Judge the count."""
        reached, exact = reading
        total = len(set(self.task_ids or self.task_names))
        return decide_tasks(
            reached,
            total,
            what=f"the list given of project {self.project}",
            statuses=self.statuses,
            min_count=self.min_count,
            min_share=self.min_share,
            exact=exact,
        )


def _late_first(statuses: Sequence[str]) -> list[str]:
    """Order statuses for counting, unknown ones last.

    Counted in this order, a task that moves forward between two counts is missed until the next look rather than
    counted twice.
    """
    rank: dict[str, int] = {status: number for number, status in enumerate(TASK_STATUSES)}
    return sorted(dict.fromkeys(statuses), key=lambda status: rank.get(status, len(rank)))
