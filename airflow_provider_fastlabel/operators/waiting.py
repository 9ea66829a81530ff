"""What operators share that start something at FastLabel and wait for its end, in a worker or deferred."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_fastlabel.hooks import settings
from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING
from airflow_provider_fastlabel.pipelines.waits.events import SUCCESS
from airflow_provider_fastlabel.pipelines.waits.watch import look, wait_in_worker
from airflow_provider_fastlabel.triggers.deferral import Deadlines, defer_wait
from airflow_provider_fastlabel.triggers.events import read_event
from airflow_provider_fastlabel.triggers.watch import AirflowWatch
from airflow_provider_fastlabel.utils.numbers import seconds
from airflow_provider_fastlabel.utils.progress_store import ProgressStore

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow_provider_fastlabel.pipelines.waits.conditions import Wait
    from airflow_provider_fastlabel.pipelines.waits.decisions import Decision
    from airflow_provider_fastlabel.pipelines.waits.events import WaitEvent
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["Deadlines", "FastLabelWaitingOperator"]


POLL_INTERVAL = 30.0
"""Seconds between looks where neither the operator nor the configuration says it."""


class FastLabelWaitingOperator(FastLabelBaseOperator):
    """Base of the operators that wait.

    :param wait_for_completion: when false, return right after submitting.
    :param deferrable: wait in the triggerer, without a worker slot; default as configured for Airflow's operators.
    :param poll_interval: seconds between looks, or a ``timedelta``; default as configured (``[fastlabel]
        poll_interval``), else 30.
    :param timeout: seconds, or a ``timedelta``, the waiting may take; a retry attaches again and has as much time anew,
        and so has a task that had left its slot because FastLabel asked for a pause before the wait began.
    """

    after_leaving: ClassVar[AfterLeaving] = "remembers"

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float | timedelta | None = None,
        timeout: float | timedelta = 24 * 3600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval: float | None = None if poll_interval is None else seconds("poll_interval", poll_interval)
        self.timeout: float = seconds("timeout", timeout)

    @staticmethod
    def may_attach(decision: Decision, *, cleared: bool) -> bool:
        """Tell whether this try may take up work that an earlier one began, instead of beginning it again.

        What still runs, in any case. What has succeeded, if Airflow itself tries again; a person who clears the task,
        say after having marked it, wants the work done anew. What has failed, never.

        :param decision: what the work has come to.
        :param cleared: whether a person has cleared the task since.
        """
        return decision.status == WAITING or (decision.status == SUCCESS and not cleared)

    def taken_up(self, event: Any) -> WaitEvent:
        """Return the end of a deferred wait.

        :param event: payload of the trigger's event.
        :raises AirflowException: it is not one of ours.
        """
        return self._ended(read_event(event))

    def _ended(self, end: WaitEvent) -> WaitEvent:
        """Show the end of a wait, and return it."""
        (self._progress or ProgressStore(self.log)).show(end.standing())
        return end

    def wait_for(self, wait: Wait, deadlines: Deadlines, carry: dict[str, Any]) -> WaitEvent:
        """Wait for the end, after one look in any case; deferred, the task goes on in ``execute_complete``.

        :param wait: what is waited for.
        :param deadlines: until when.
        :param carry: JSON values that come back with the event.
        :returns: the end, when it came without deferring.
        :raises TaskDeferred: when it did not.
        """
        # Airflow keeps the execution timeout as long as the task is in a worker.
        interval = settings.poll_interval(POLL_INTERVAL) if self.poll_interval is None else self.poll_interval
        watch = AirflowWatch(self.log, end_time=deadlines.end_time, execution_deadline=None, store=self._progress)
        watch.calls_left = self.client.quota.remaining
        if not self.deferrable:
            return self._ended(wait_in_worker(wait, self.client, watch, poll_interval=interval))
        if (early := watch.judge(look(wait, self.client), time.time())) is not None:
            return self._ended(early)
        defer_wait(
            self,
            wait,
            deadlines,
            fastlabel_conn_id=self.fastlabel_conn_id,
            poll_interval=interval,
            carry=carry,
        )
