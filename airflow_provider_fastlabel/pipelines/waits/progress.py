"""Calm progress lines for a long wait: done, total, rate, time left; at most one per 30 seconds or 5 percent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.words import duration

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.waits.decisions import Decision

LINE_SECONDS = 30.0
QUIET_SECONDS = 600.0
LINE_SHARE = 0.05


class WaitProgress:
    """Decides when a wait has something to say.

    A line comes with the first look; then when the message has changed and 30 seconds have passed or the done share has
    moved by 5 percent of the total; and every 10 minutes as a sign of life.
    """

    def __init__(self) -> None:
        self._said: str | None = None
        self._said_at = 0.0
        self._said_done = 0
        self._first: tuple[float, int] | None = None

    def line(self, decision: Decision, now: float) -> str | None:
        """Return the line to log, or ``None`` when it is not time for one.

        :param decision: what the last look has shown.
        :param now: seconds on any steady clock.
        """
        facts = decision.facts
        done, total = int(facts.get("done") or 0), int(facts.get("total") or facts.get("needed") or 0)
        self._begin(done, now)
        if self._said is not None and not self._is_due(decision.message, done, total, now):
            return None
        self._said, self._said_at, self._said_done = decision.message, now, done
        return decision.message + self._pace(done, int(facts.get("needed") or total), now)

    def standing(self, decision: Decision, now: float) -> dict[str, Any]:
        """Return how far the wait is, in JSON values; ``summary`` says it in words.

        :param decision: what the last look has shown.
        :param now: seconds on the same clock as in :meth:`line`.
        """
        facts = decision.facts
        done = int(facts.get("done") or 0)
        first, needed = self._begin(done, now), int(facts.get("needed") or facts.get("total") or 0)
        seconds, gained = now - first[0], done - first[1]
        rate = gained / seconds if seconds > 0 and gained > 0 else 0.0
        return {
            "summary": decision.message + self._pace(done, needed, now),
            "done": facts.get("done"),
            "total": facts.get("total"),
            "needed": facts.get("needed"),
            "per_minute": round(rate * 60, 2),
            "seconds_left": round(max(0, needed - done) / rate) if rate else None,
        }

    def _begin(self, done: int, now: float) -> tuple[float, int]:
        """Return when the first look was and what it saw."""
        if self._first is None:
            self._first = (now, done)
        return self._first

    def _is_due(self, message: str, done: int, total: int, now: float) -> bool:
        """Tell whether the next line may be written."""
        silence = now - self._said_at
        if message == self._said:
            return silence >= QUIET_SECONDS
        return silence >= LINE_SECONDS or (total > 0 and abs(done - self._said_done) >= LINE_SHARE * total)

    def _pace(self, done: int, needed: int, now: float) -> str:
        """Return rate and time left since the first look, empty while there is no movement."""
        assert self._first is not None
        seconds, gained = now - self._first[0], done - self._first[1]
        if seconds <= 0 or gained <= 0:
            return ""
        rate = gained / seconds
        left = max(0, needed - done) / rate
        return f" ({rate * 60:.1f} per minute, about {duration(left)} left)"
