"""How far a project is, how fast people are, and when they will be done, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.kinds import KINDS
from airflow_provider_fastlabel.pipelines.running.newcomers import moment
from airflow_provider_fastlabel.words import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_fastlabel.client import FastLabelClient

MOST_PAGES = 20
"""Pages of tasks that are read to tell the pace; where it would take more, no pace is told."""

LONGEST = timedelta(days=365)
"""A forecast that goes further says only so."""


@dataclass(frozen=True)
class Pace:
    """How far a project, or its tasks with some tags, has come.

    :param project: project slug.
    :param tags: the tags; empty for all tasks.
    :param statuses: what counts as reached.
    :param reached: tasks in one of the statuses.
    :param total: all tasks.
    :param recent: those that have reached a status and were last changed within the window; ``None`` if that was not
        looked at, because everything or nothing is done, or because they are too many to be read.
    :param window: how far back.
    :param at: when it was looked at.
    """

    project: str
    tags: Sequence[str]
    statuses: Sequence[str]
    reached: int
    total: int
    recent: int | None
    window: timedelta
    at: datetime

    @property
    def left(self) -> int:
        """Tasks that have not reached a status."""
        return max(0, self.total - self.reached)

    @property
    def done_at(self) -> datetime | None:
        """When the last task is done at this pace; ``None`` if that cannot be told, or is more than a year away."""
        if not self.recent or not self.left:
            return None
        span = self.window * self.left / self.recent
        return self.at + span if span <= LONGEST else None

    def text(self) -> str:
        """Return one or two sentences: how many are left, and when they are done at this pace, or why nobody knows."""
        what = f"Project {self.project}" + (f" (tagged {', '.join(self.tags)})" if self.tags else "")
        names = " or ".join(self.statuses)
        if not self.total:
            return f"{what} has no tasks yet."
        if not self.left:
            return f"{what}: all {self.total} tasks are {names}."
        return f"{what}: still {self.left} of {self.total} tasks are not {names}. {self._forecast(names)}"

    def _forecast(self, names: str) -> str:
        span = duration(self.window.total_seconds())
        if self.recent is None and self.reached:
            return f"The {self.reached} that are were too many to read, so the pace is not known."
        if not self.recent:
            return f"None became so in the last {span}, so nobody can tell when they will be."
        were = f"{self.recent} of those that are {names} changed in the last {span}"
        if self.done_at is None:
            return f"{were}; at this pace the rest takes more than a year."
        day = f"{self.done_at:%A}, {self.done_at.day} {self.done_at:%B %Y, %H:%M} UTC"
        left = duration((self.done_at - self.at).total_seconds())
        return f"{were}; at this pace the rest is done on {day} (in {left})."


def project_pace(
    client: FastLabelClient,
    project: str,
    statuses: Sequence[str],
    *,
    tags: Sequence[str] = (),
    window: timedelta = timedelta(hours=24),
    now: datetime | None = None,
) -> Pace:
    """Look how far a project is and how many tasks were done lately.

    Costs one call per status and one for the total, and, where something is done and something left, one call per page
    of what is done, at most 20. FastLabel does not say when a task reached its status, only when it was last changed:
    what was touched afterwards, for instance to get a tag, counts as done then.

    :param client: the client.
    :param project: project slug.
    :param statuses: task statuses that count as reached.
    :param tags: only tasks that carry these tags.
    :param window: how far back the pace is measured.
    :param now: the time; by default that of this machine.
    :raises NotFound: there is no such project.
    """
    now = now or datetime.now(UTC)
    counts = [client.count_tasks(project, status=status, tags=list(tags)) for status in statuses]
    reached, total = sum(counts), client.count_tasks(project, tags=list(tags))
    recent = None
    if 0 < reached < total:
        kind = client.kind_of_project(project).name
        if reached <= MOST_PAGES * KINDS[kind].page_maximum:
            recent = sum(
                _changed_since(task, now - window)
                for status in statuses
                for task in client.iter_tasks(project, kind, status=status, tags=list(tags))
            )
    return Pace(project, list(tags), list(statuses), reached, total, recent, window, now)


def _changed_since(task: Any, since: datetime) -> bool:
    """Tell whether a task was last changed after a time; one without a readable time was not."""
    at = moment(task.get("updatedAt"))
    return at is not None and at >= since.timestamp()
