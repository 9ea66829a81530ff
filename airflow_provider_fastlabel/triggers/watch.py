"""One wait's judgement of what it sees, the same in a worker and in a triggerer."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_fastlabel.triggers.decisions import WAITING, Decision
from airflow_provider_fastlabel.triggers.events import ERROR, EXECUTION_TIMEOUT, TIMEOUT, WaitEvent
from airflow_provider_fastlabel.triggers.progress import LINE_SECONDS, QUIET_SECONDS, WaitProgress
from airflow_provider_fastlabel.utils.errors import is_permanent, is_transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.triggers.conditions import Wait
    from airflow_provider_fastlabel.utils.progress_store import ProgressStore

JITTER = 0.1
"""Share of the poll interval by which polls are spread, so that many waits do not ask in one instant."""


MISSING_LOOKS = 5
"""Looks in a row that a triggerer may fail to find the connection.

Airflow answers "isn't defined" also while its database or a secrets backend does not answer.
"""

HINT = (
    ". It must be defined for workers and triggerers alike: in Airflow's database (Admin > Connections), in a secrets "
    "backend of both, or in the environment of both."
)


class Watch:
    """Turns looks into the end of a wait, and logs progress on the way.

    A failure that may pass never ends a wait: only the deadline does, and its message then says what failed last.

    :param log: logger of the task or trigger.
    :param end_time: deadline of the wait, seconds since the epoch; ``None`` when the caller keeps it.
    :param execution_deadline: deadline of the task, seconds since the epoch; ``None`` for none.
    :param missing_looks: after how many looks in a row a missing Airflow connection ends the wait.
    :param store: where the progress is shown beside the log; ``None`` in a triggerer, which cannot reach it.
    """

    def __init__(
        self,
        log: Any,
        *,
        end_time: float | None = None,
        execution_deadline: float | None = None,
        missing_looks: int = 1,
        store: ProgressStore | None = None,
    ) -> None:
        self._log = log
        self._end_time = end_time
        self._execution_deadline = execution_deadline
        self._missing_looks = missing_looks
        self._store = store
        self.calls_left: Callable[[], int] | None = None
        self._progress = WaitProgress()
        self._seen: Decision | None = None
        self._failure: Exception | None = None
        self._failures = 0
        self._complaint = ""
        self._complained_at = 0.0

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
            missing = isinstance(outcome, AirflowNotFoundException)
            if is_permanent(outcome) and not (missing and self._failures < self._missing_looks):
                return WaitEvent(ERROR, f"The wait cannot go on: {outcome}{HINT if missing else ''}", self._facts())
            if not (missing or is_transient(outcome)):
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
