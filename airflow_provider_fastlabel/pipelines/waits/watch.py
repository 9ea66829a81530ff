"""One wait's judgement of what it sees, the same in a terminal, in a worker and in a triggerer."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_fastlabel.client.exceptions import FastLabelException, cannot_pass
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING, Decision
from airflow_provider_fastlabel.pipelines.waits.events import ERROR, EXECUTION_TIMEOUT, TIMEOUT, WaitEvent
from airflow_provider_fastlabel.pipelines.waits.progress import LINE_SECONDS, QUIET_SECONDS, WaitProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.waits.conditions import Wait

JITTER = 0.1
"""Share of the poll interval by which polls are spread, so that many waits do not ask in one instant."""


class Shown(Protocol):
    """Where the progress of a wait is shown beside the log."""

    @property
    def is_due(self) -> bool:
        """Whether it is time to show something again."""
        ...

    def show(self, standing: dict[str, Any], /) -> object:
        """Show how far the wait is.

        :param standing: JSON values, as :meth:`.WaitProgress.standing` returns them.
        """


class Watch:
    """Turns looks into the end of a wait, and logs progress on the way.

    A failure that may pass never ends a wait: only the deadline does, and its message then says what failed last.

    :param log: logger of the task or trigger.
    :param end_time: deadline of the wait, seconds since the epoch; ``None`` when the caller keeps it.
    :param execution_deadline: deadline of the task, seconds since the epoch; ``None`` for none.
    :param store: where the progress is shown beside the log; ``None`` where nothing can.
    """

    def __init__(
        self,
        log: Any,
        *,
        end_time: float | None = None,
        execution_deadline: float | None = None,
        store: Shown | None = None,
    ) -> None:
        self._log = log
        self._end_time = end_time
        self._execution_deadline = execution_deadline
        self._store = store
        self.calls_left: Callable[[], int] | None = None
        self._progress = WaitProgress()
        self._seen: Decision | None = None
        self._failure: Exception | None = None
        self._failures = 0
        self._complaint = ""
        self._complained_at = 0.0

    @property
    def failures(self) -> int:
        """How many looks in a row have failed."""
        return self._failures

    def is_permanent(self, error: Exception) -> bool:
        """Tell whether a failed look ends the wait.

        :param error: why it failed.
        """
        return cannot_pass(error)

    def is_transient(self, error: Exception) -> bool:
        """Tell whether the failure may pass; what neither ends the wait nor passes is a mistake in a program.

        :param error: why a look failed.
        """
        return isinstance(error, FastLabelException | OSError)

    def advice(self, error: Exception) -> str:
        """Return what helps against an error that ends the wait, to be put behind it; empty if it says so itself.

        :param error: why a look failed.
        """
        del error
        return ""

    @property
    def deadline(self) -> float:
        """The first of the deadlines, seconds since the epoch; infinite without any."""
        return min((t for t in (self._end_time, self._execution_deadline) if t is not None), default=float("inf"))

    def last_seen(self) -> str:
        """Return what the wait saw last, and what failed since."""
        seen = f"Last seen: {self._seen.message}" if self._seen else "Nothing was seen: FastLabel never answered"
        if self._failure is None:
            return f"{seen}."
        return f"{seen}. The last {self._failures} look(s) failed: {self._failure}"

    def judge(self, outcome: Decision | Exception, now: float) -> WaitEvent | None:
        """Take in one look and return the end of the wait, or ``None`` to go on.

        :param outcome: what the look has shown, or the error it ended with.
        :param now: seconds since the epoch.
        :raises Exception: the outcome itself, when it is neither FastLabel's nor the network's failure.
        """
        if isinstance(outcome, Exception):
            self._failure, self._failures = outcome, self._failures + 1
            if self.is_permanent(outcome):
                return WaitEvent(ERROR, f"The wait cannot go on: {outcome}{self.advice(outcome)}", self._facts())
            if not self.is_transient(outcome):
                raise outcome
            self._complain(str(outcome), now)
        else:
            if self._failures:
                self._log.info("FastLabel answers again after %s failed look(s)", self._failures)
            self._seen, self._failure, self._failures = outcome, None, 0
            if outcome.status != WAITING:
                self._log.info("%s", outcome.message)
                return WaitEvent(outcome.status, outcome.message, outcome.facts)
            if line := self._progress.line(outcome, now):
                self._log.info("Waiting: %s", line)
            self._show(outcome, now)
        return self._overdue(now)

    def _show(self, seen: Decision, now: float) -> None:
        """Show what a look has seen beside the log, if that was not done for a while."""
        if self._store is None or not self._store.is_due:
            return
        calls_left = self.calls_left() if self.calls_left is not None else None
        self._store.show({**self._progress.standing(seen, now), "calls_left": calls_left})

    def _complain(self, complaint: str, now: float) -> None:
        """Log a failed look: the first of a row, another failure after 30 seconds, the same one every 10 minutes."""
        silence = now - self._complained_at
        if self._failures > 1 and silence < (QUIET_SECONDS if complaint == self._complaint else LINE_SECONDS):
            return
        self._complaint, self._complained_at = complaint, now
        self._log.warning("Look %s in a row failed, the wait goes on: %s", self._failures, complaint)

    def _overdue(self, now: float) -> WaitEvent | None:
        """Return the event of the first deadline when it has passed."""
        if now < self.deadline:
            return None
        status = EXECUTION_TIMEOUT if self.deadline == self._execution_deadline else TIMEOUT
        name = "execution_timeout" if status == EXECUTION_TIMEOUT else "timeout"
        return WaitEvent(status, f"The wait reached its {name}. {self.last_seen()}", self._facts())

    def _facts(self) -> dict[str, Any]:
        """Return the facts of the last look that had an answer."""
        return dict(self._seen.facts) if self._seen else {}


def look(wait: Wait, client: FastLabelClient) -> Decision | Exception:
    """Look once, from a worker; a failure is returned, not raised, because the watch judges it."""
    try:
        return wait.look(client)
    except Exception as error:
        return error


def wait_in_worker(
    wait: Wait,
    client: FastLabelClient,
    watch: Watch,
    *,
    poll_interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> WaitEvent:
    """Wait in this process until the end of the wait; looks once at the very deadline.

    :param wait: what is waited for.
    :param client: whom to ask.
    :param watch: the judgement, which holds the deadlines.
    :param poll_interval: seconds between looks.
    :param sleep: how to let time pass.
    """
    while True:
        event = watch.judge(look(wait, client), time.time())
        if event is not None:
            return event
        pause = poll_interval * (1 + random.uniform(-JITTER, JITTER))
        sleep(max(0.0, min(pause, watch.deadline - time.time())))
