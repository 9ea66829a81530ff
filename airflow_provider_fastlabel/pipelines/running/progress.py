"""Calm progress in the log: a line every 5 % or every 30 seconds, whichever comes first, and one at the end."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.words import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log: logging.Logger = logging.getLogger(__name__)

results: logging.Logger = logging.getLogger("airflow_provider_fastlabel.results")
"""Where a run's result is written into the log; whoever shows the result itself may leave these lines out."""

EVERY_SECONDS = 30.0
"""At least one line in this time."""
EVERY_SHARE = 0.05
"""At least one line per this share of the items ..."""
AT_MOST_EVERY_SECONDS = 2.0
"""... but not more often than this."""


_listener: ContextVar[Callable[[Progress], object] | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Callable[[Progress], object]) -> Iterator[None]:
    """Let somebody beside the log know of all work that begins within: at its start and a few times a second.

    :param listener: called with the progress, by the thread that began the work. It decides how often it looks.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Progress:
    """Counts fates and says every now and then how far the work is. Safe to use from several threads.

    :param total: the number of items.
    :param calls_left: asked when a line is written: the calls left in the quota window.
    :param clock: seconds that only go forward.
    """

    def __init__(
        self, total: int, *, calls_left: Callable[[], int] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.counts: Counter[str] = Counter()
        self._calls_left = calls_left
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock()
        self._said_at = self._started
        self._said_done = 0
        self._listener = _listener.get()
        self._tell()

    @property
    def done(self) -> int:
        """The number of items whose fate is known."""
        return self.counts.total()

    def count(self, fate: str) -> None:
        """Count an item and write a line if one is due.

        :param fate: what became of the item.
        """
        with self._lock:
            self.counts[fate] += 1
            now, done = self._clock(), self.done
            waited = now - self._said_at
            moved = done - self._said_done >= self.total * EVERY_SHARE and waited >= AT_MOST_EVERY_SECONDS
            if waited >= EVERY_SECONDS or moved or done == self.total:
                self._said_at, self._said_done = now, done
                log.info("%s", self._line(now, done))

    def beat(self) -> None:
        """Write a line if there was none for a while: a run that waits for its quota is not to look dead.

        To be called by the thread that began the work, as often as it likes.
        """
        with self._lock:
            now = self._clock()
            if now - self._said_at >= EVERY_SECONDS:
                self._said_at, self._said_done = now, self.done
                log.info("%s", self._line(now, self.done))
        self._tell()

    def standing(self) -> dict[str, Any]:
        """Return how far the work is, in JSON values: done, total, rate, seconds left, fates, calls left."""
        with self._lock:
            now, done = self._clock(), self.done
            rate = done / max(now - self._started, 1e-9)
            return {
                "summary": self._line(now, done),
                "done": done,
                "total": self.total,
                "per_second": round(rate, 2),
                "seconds_left": round((self.total - done) / rate) if rate else None,
                "calls_left": None if self._calls_left is None else self._calls_left(),
                "fates": dict(sorted(self.counts.items())),
            }

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener(self)

    def _line(self, now: float, done: int) -> str:
        rate = done / max(now - self._started, 1e-9)
        parts = [f"{done} of {self.total} items", f"{rate:.1f}/s"]
        if rate and done < self.total:
            parts.append(f"about {duration((self.total - done) / rate)} left")
        parts += [f"{count} {fate}" for fate, count in sorted(self.counts.items())]
        if self._calls_left is not None:
            parts.append(f"{self._calls_left()} API calls left in this window")
        return ", ".join(parts)
