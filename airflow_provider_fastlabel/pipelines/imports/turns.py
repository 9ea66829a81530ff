"""What imports from S3 into one project know of each other, so that one follows the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.running.newcomers import Before, created, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_SECONDS = 5.0
"""How long an import must be known before another may begin: much more than writing a setting and starting take."""


@dataclass(frozen=True)
class Begun:
    """An import that this task has started.

    :param history_id: id of its history.
    :param tasks_before: how many tasks the project had before.
    :param before: which imports there were before it; ``None`` when an older release has started it.
    """

    history_id: str
    tasks_before: int
    before: Before | None = None

    @staticmethod
    def kept(memory: Mapping[str, Any]) -> Begun:
        """Return what :meth:`values` gave; also as releases have kept it that knew less.

        :param memory: the values.
        """
        before = Before.kept(memory) if memory.get("newest_before") is not None else None
        return Begun(str(memory.get("history_id") or ""), int(memory.get("tasks_before") or 0), before)

    def values(self) -> dict[str, Any]:
        """Return it as values to be remembered."""
        earlier = self.before.values() if self.before is not None else {}
        return {"history_id": self.history_id, "tasks_before": self.tasks_before, **earlier}


def unquiet_seconds(history: Mapping[str, Any]) -> float:
    """Return how long another task may still begin that does not know of this import.

    :param history: the import; one that does not tell when it was created counts as just begun.
    """
    at = created(history)
    return QUIET_SECONDS if at is None else min(QUIET_SECONDS, max(0.0, at + QUIET_SECONDS - time.time()))


def last_overlap(history: Mapping[str, Any]) -> float:
    """Return until when an import must have begun to overlap with one that has ended, as seconds since 1970.

    :param history: the one that has ended; infinite where it does not tell when it began, or when it ended.
    """
    began, ended = created(history), moment(history.get("updatedAt"))
    return float("inf") if began is None or ended is None else max(began + QUIET_SECONDS, ended)
