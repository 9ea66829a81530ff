"""What an answer of FastLabel means for a wait: one pure function per thing that can be waited for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.waits.events import FAILED, SUCCESS
from airflow_provider_fastlabel.pipelines.waits.model_jobs import summary_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.waits.model_jobs import JobKind

WAITING = "waiting"

DONE = frozenset({"completed", "success", "succeeded"})
ENDED_BADLY = frozenset({"failed", "failure", "error", "canceled", "cancelled", "aborted"})
NO_MESSAGE = frozenset({"", "none"})

FAILURES_SHOWN = 10
"""Failed imports spelled out in a message."""


@dataclass(frozen=True)
class Decision:
    """What one look has shown.

    :param status: ``waiting``, ``success`` or ``failed``.
    :param message: one sentence saying what was seen.
    :param facts: the same as JSON values; ``done`` and ``total`` where there is progress to speak of.
    """

    status: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


def decide_import(history: Mapping[str, Any] | None, *, project: str) -> Decision:
    """Judge an import history, as found by id, in a project's list or as the state of its S3 import.

    FastLabel documents the statuses ``running`` and ``completed``. An import that calls itself failed in any usual
    word, or whose message level is ``error``, has failed; any other word counts as still running, so that a new
    intermediate status of FastLabel does not break a wait.

    :param history: the history object; ``None`` when the project has no import yet.
    :param project: slug of the project, for the message.
    """
    if not history:
        return Decision(WAITING, f"project {project} has no import yet", {"project": project, "history_id": None})
    status = str(history.get("status") or "unknown").lower()
    facts = {"project": project, "history_id": history.get("id"), "status": status}
    shown = foreign_text(status, 60)
    words = [foreign_text(history.get(key) or "") for key in ("msgCode", "message")]
    said = [word for word in words if word.lower() not in NO_MESSAGE]
    ident = foreign_text(history.get("id"), 100)
    about = f"import {ident} of project {project} is {shown}" + (f" ({', '.join(said)})" if said else "")
    if status in ENDED_BADLY or str(history.get("msgLevel")).lower() == "error":
        return Decision(FAILED, f"{about}; look at the project's import history in FastLabel", facts)
    return Decision(SUCCESS if status in DONE else WAITING, about, facts)


def decide_imports(histories: Mapping[str, Mapping[str, Any]], *, project: str) -> Decision:
    """Judge several imports together: over when all have ended, failed when one has.

    :param histories: the history object of each import, by the name of what it imports.
    :param project: slug of the project, for the message.
    """
    decisions = {name: decide_import(history, project=project) for name, history in histories.items()}
    failed = {name: decision.message for name, decision in decisions.items() if decision.status == FAILED}
    ended = sum(decision.status != WAITING for decision in decisions.values())
    facts = {"project": project, "done": ended, "total": len(histories), "failed": sorted(failed)}
    about = f"{ended} of {len(histories)} imports of project {project} have ended"
    if ended < len(histories):
        return Decision(WAITING, about, facts)
    if failed:
        listed = "; ".join(
            f"{foreign_text(name, 200)}: {message}" for name, message in list(failed.items())[:FAILURES_SHOWN]
        )
        return Decision(FAILED, f"{about}, {len(failed)} of them failed. {listed}", facts)
    return Decision(SUCCESS, about, facts)


def decide_job(job: Mapping[str, Any], *, kind: JobKind) -> Decision:
    """Judge a training, evaluation or auto-annotation job.

    FastLabel documents the statuses ``in_progress`` and ``completed``. A job that calls itself failed in any usual word
    has failed; any other word counts as still running.

    :param job: the job object.
    :param kind: its kind.
    """
    facts = summary_of(kind, job)
    status, code = facts["status"], foreign_text(job.get("msgCode") or "")
    about = f"{kind.title} {foreign_text(facts['job_id'], 100)} is {foreign_text(status, 60)}"
    about += f" ({code})" if code.lower() not in NO_MESSAGE else ""
    if status in ENDED_BADLY:
        return Decision(FAILED, f"{about}; look at the job in FastLabel", facts)
    return Decision(SUCCESS if status in DONE else WAITING, about, facts)


def tasks_needed(total: int, *, min_count: int | None, min_share: float | None) -> int:
    """Return how many of ``total`` tasks must have reached the status; at least one, unless a number of 0 is demanded.

    :param total: number of tasks watched.
    :param min_count: number that must have reached it; ``None`` for no such demand.
    :param min_share: share of the total that must have reached it, above 0 up to 1; ``None`` for no such demand.
    """
    # The allowance keeps 0.07 * 100 = 7.000000000000001 from asking for an eighth task.
    by_share = math.ceil(min_share * total - 1e-9) if min_share is not None else 0
    return max(0 if min_count == 0 else 1, min_count or 0, by_share)


def decide_tasks(
    reached: int,
    total: int | None,
    *,
    what: str,
    statuses: Sequence[str],
    min_count: int | None,
    min_share: float | None,
    exact: bool = True,
) -> Decision:
    """Judge how many tasks have reached a status.

    No task at all means waiting, not success: an import that has not begun must not look like finished work. Only a
    demand for 0 tasks, as of an import that found nothing new, is met at once.

    :param reached: tasks that are in one of the statuses now.
    :param total: tasks watched; ``None`` if they were not counted, because no share is demanded.
    :param what: what is watched, for the message.
    :param statuses: the statuses waited for.
    :param min_count: number of tasks that must have reached one; ``None`` for no such demand.
    :param min_share: share of the total that must have; ``None`` for no such demand.
    :param exact: false when the look ended early, its answer being sure, so that ``reached`` is from earlier looks.
    """
    needed = tasks_needed(total or 0, min_count=min_count, min_share=min_share)
    names = " or ".join(statuses)
    facts: dict[str, Any] = {"done": reached, "total": total, "needed": needed, "statuses": [*statuses]}
    if total == 0 and needed:
        return Decision(WAITING, f"{what} has no task yet; waiting for the first", facts)
    seen = "" if exact else "seen "
    about = f"{reached}{'' if total is None else f' of {total}'} tasks of {what} {seen}{names}, {needed} needed"
    return Decision(SUCCESS if reached >= needed else WAITING, about, facts)
