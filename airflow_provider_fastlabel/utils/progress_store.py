"""How far a task is, in Airflow's task state store, where its UI shows it (Airflow 3.3 and later).

At most one write in 30 seconds, and one when the work of the try ends. The store is a window, not a part of the work:
when it fails, the log says so once and the task goes on.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_fastlabel.utils.task_memory import STORE, current_context

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

PROGRESS_KEY = "fastlabel_progress"
"""Name in the store."""
EVERY_SECONDS = 30.0
"""At most one write in this time."""


class Counting(Protocol):
    """What knows how far a work is."""

    @property
    @abstractmethod
    def done(self) -> int:
        """The number of items whose fate is known."""

    @abstractmethod
    def standing(self) -> dict[str, Any]:
        """Return how far the work is, in JSON values; ``summary`` says it in words."""


class ProgressStore:
    """Shows how far a task is. Use as a context manager; at its end the last standing is written.

    :param log: logger of the task.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        context = current_context()
        self._store: Any = context.get(STORE)
        self._counting: Counting | None = None
        self._last_word: Counting | None = None
        self._written_at = float("-inf")
        if self._store is not None and context.get("task_reschedule_count"):
            self._take_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last_word is not None:
            self._write(self._last_word.standing())

    def tell(self, counting: Counting) -> None:
        """Look at a work, and show how far it is if that was not done for a while.

        :param counting: the work.
        """
        self._counting = self._last_word = counting
        if self.is_due:
            self._write(counting.standing())

    @property
    def is_due(self) -> bool:
        """Whether something may be shown again."""
        return self._store is not None and time.monotonic() - self._written_at >= EVERY_SECONDS

    def anything_done(self) -> bool:
        """Tell whether the fate of any item is known."""
        return self._counting is not None and self._counting.done > 0

    def _take_up(self) -> None:
        """Count the write of a process before this one: a sensor that reschedules looks in a new one each time."""
        try:
            at = (self._store.get(PROGRESS_KEY) or {}).get("at")
            ago = time.time() - datetime.fromisoformat(at).timestamp() if at else float("inf")
        except Exception as error:
            self._give_up(error)
        else:
            self._written_at = time.monotonic() - ago

    def _give_up(self, error: Exception) -> None:
        self._store = None
        self._log.warning("The progress cannot be shown in Airflow's task state store, the work goes on: %s", error)

    def show(self, standing: Mapping[str, Any]) -> None:
        """Show how far the task is now, in the place of what a work before has told.

        :param standing: JSON values.
        """
        self._last_word = None
        self._write(standing)

    def _write(self, standing: Mapping[str, Any]) -> None:
        """Write to the store; a failure is logged, and nothing is written any more."""
        if self._store is None:
            return
        self._written_at = time.monotonic()
        try:
            self._store.set(PROGRESS_KEY, {**standing, "at": datetime.now(UTC).isoformat(timespec="seconds")})
        except Exception as error:
            self._give_up(error)
