"""When a wait is long enough to leave the worker slot for it: a rescheduled task waits in nobody's way.

Airflow starts a rescheduled task again at the time it was told, from the beginning of ``execute``, as the same try: no
retry is used up. That works for every operator from Airflow 3.1 on and needs no triggerer.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.utils.errors import asks_to_wait, retry_after
from airflow_provider_fastlabel.utils.task_memory import STORE, current_context
from airflow_provider_fastlabel.words import duration

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 3.1 keeps it elsewhere
    from airflow.exceptions import AirflowRescheduleException

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_IN_SLOT = 20.0
"""Seconds of a wait for which a task keeps its slot."""
LONGEST_PATIENCE = 600.0
"""Seconds for which a task keeps its slot at most, however much it would lose: the length of the quota's window."""
MOST_LEAVINGS = 200
"""How often one try may leave; then the wait is a failure of the try like any other."""
SPREAD = 5.0
"""Seconds over which tasks come back that left for the same reason."""

AfterLeaving = Literal["goes on", "remembers", "starts again", "stays"]
"""What an operator does with the work of before when it comes back.

``goes on``: FastLabel and a manifest tell what is done. ``remembers``: Airflow's task state store tells, so it leaves
only where there is one (3.3 and later). ``starts again``: the work so far is lost. ``stays``: it never leaves.
"""


class Slot:
    """The worker slot of one run of a task: how long it is kept for a wait, and how it is left.

    :param after_leaving: what the operator does with the work of before when it comes back.
    :param progressed: tells whether this run has brought anything about that stays.
    """

    def __init__(self, after_leaving: AfterLeaving, progressed: Callable[[], bool]) -> None:
        self._started = time.monotonic()
        self._progressed = progressed
        context = current_context()
        self._leavings: int = int(context.get("task_reschedule_count") or 0)
        remembers = context.get(STORE) is not None
        self._kind: AfterLeaving = "stays" if after_leaving == "remembers" and not remembers else after_leaving

    @property
    def may_be_left(self) -> bool:
        """Whether the operator can leave at all."""
        return self._kind != "stays"

    def patience(self) -> float:
        """Return the longest wait in seconds for which the slot is kept.

        20 s where work stays done. Where it would be lost, as long as it has taken so far: then no more time is lost
        than is waited. Whoever leaves in vain waits twice as long the next time, so that at last the work is done.
        """
        in_vain = min(LONGEST_IN_SLOT * 2.0 ** min(self._leavings, 10), LONGEST_PATIENCE)
        if self._kind == "starts again":
            return max(in_vain, min(time.monotonic() - self._started, LONGEST_PATIENCE))
        return LONGEST_IN_SLOT if self._progressed() else in_vain

    def leave_for(self, error: BaseException, log: Any) -> AirflowRescheduleException | None:
        """Return what makes Airflow start the task again when FastLabel wants to be asked, if it is worth leaving for.

        :param error: what ended the work.
        :param log: logger of the task.
        """
        seconds = retry_after(error)
        if seconds is None or seconds <= LONGEST_IN_SLOT or not self.may_be_left or not asks_to_wait(error):
            return None
        if self._leavings >= MOST_LEAVINGS:
            log.error("This try has left its slot %d times to wait for FastLabel; it does so no more", self._leavings)
            return None
        again = datetime.now(UTC) + timedelta(seconds=seconds + random.uniform(0, SPREAD))
        log.warning(
            "%s The task leaves its slot and is started again in %s, at %s; this uses up no retry",
            error,
            duration(seconds),
            f"{again:%H:%M:%S} UTC",
        )
        return AirflowRescheduleException(again)  # type: ignore[no-untyped-call]
