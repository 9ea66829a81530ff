"""What imports from S3 into one project know of each other, so that one follows the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_SECONDS = 5.0
"""How long an import must be known before another may begin: much more than writing a setting and starting take."""


@dataclass(frozen=True)
class Begun:
    """An import that this task has started.

    :param history_id: id of its history.
    :param tasks_before: how many tasks the project had before.
    :param newest_before: when the newest import before it was created, as FastLabel writes it; ``None`` when an older
        release has started it.
    """

    history_id: str
    tasks_before: int
    newest_before: str | None = None


def time_of(text: str) -> datetime:
    """Return the time that a text of FastLabel says."""
    return datetime.fromisoformat(text)


def unquiet_seconds(history: Mapping[str, Any]) -> float:
    """Return how long another task may still begin that does not know of this import."""
    age = (datetime.now(UTC) - time_of(created(history))).total_seconds()
    return min(QUIET_SECONDS, max(0.0, QUIET_SECONDS - age))


def created(history: Mapping[str, Any]) -> str:
    """Return when an import was created; FastLabel writes it so that texts compare like times."""
    return str(history.get("createdAt") or "")
