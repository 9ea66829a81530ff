"""What imports from S3 into one project know of each other, so that one follows the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.running.newcomers import created, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUIET_SECONDS = 5.0
"""How long an import must be known before another may begin: much more than writing a setting and starting take."""


@dataclass(frozen=True)
class Begun:
    """An import that this task has started.

    :param history_id: id of its history.
    :param tasks_before: how many tasks the project had before.
    :param newest_before: when the newest import before it was created, as FastLabel writes it; ``None`` when an older
        release has started it.
    :param undated_before: ids of the imports before it that do not tell when they were created.
    """

    history_id: str
    tasks_before: int
    newest_before: str | None = None
    undated_before: Sequence[str] = field(default_factory=list)


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
