"""What every FastLabel sensor shares: one wait, in a worker or deferred, with the same ends and errors."""

from __future__ import annotations

import time
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_fastlabel.hooks import settings
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.pipelines.waits.events import ERROR, SUCCESS, WaitEvent
from airflow_provider_fastlabel.triggers.deferral import Deadlines, defer_wait
from airflow_provider_fastlabel.triggers.events import raise_unless_success, read_event
from airflow_provider_fastlabel.triggers.watch import AirflowWatch
from airflow_provider_fastlabel.utils.checked_arguments import CheckedArguments
from airflow_provider_fastlabel.utils.links import LinkedTask
from airflow_provider_fastlabel.utils.numbers import seconds
from airflow_provider_fastlabel.utils.progress_store import ProgressStore
from airflow_provider_fastlabel.utils.slot import LONGEST_IN_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.waits.conditions import Wait
    from airflow_provider_fastlabel.pipelines.waits.decisions import Decision


POLL_INTERVAL = 60.0
"""Seconds between looks where neither the sensor nor the configuration says it."""


class FastLabelSensor(CheckedArguments, LinkedTask, BaseSensorOperator):
    """Base of the FastLabel sensors.

    Deferred or not, a sensor ends the same way. Errors that may pass (network, 5xx, exceeded quota) do not end it,
    only the timeout does, and its message says what was last seen. Errors that do not pass (wrong token, unknown
    project, an argument that rendered to nothing) and failed imports fail the task at once, without retries; with
    ``soft_fail`` they skip it, as Airflow defines that argument. The return value is a small object with what was last
    seen.

    :param fastlabel_conn_id: id of the Airflow connection. Templated.
    :param poll_interval: seconds between looks, or a ``timedelta``; default as configured (``[fastlabel]
        poll_interval``), else 60.
    :param timeout: seconds, or a ``timedelta``, after which the sensor gives up; default as configured for Airflow's
        sensors (7 days).
    :param deferrable: wait in the triggerer, without a worker slot; default as configured for Airflow's operators. When
        false, ``mode="reschedule"`` frees the slot between looks.
    """

    template_fields: Sequence[str] = ("fastlabel_conn_id", "project")
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        project: str,
        fastlabel_conn_id: str = FastLabelHook.default_conn_name,
        poll_interval: float | timedelta | None = None,
        timeout: float | timedelta | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        if poll_interval is not None:
            kwargs.setdefault("poke_interval", seconds("poll_interval", poll_interval))
        if timeout:  # 0 is for one look
            seconds("timeout", timeout)
        if timeout is not None:  # before 3.2, None is no default to Airflow
            kwargs["timeout"] = timeout
        given = "poke_interval" in {**(kwargs.get("default_args") or {}), **kwargs}
        super().__init__(**kwargs if given else {**kwargs, "poke_interval": POLL_INTERVAL})
        self._interval_given = given
        self.project = project
        self.fastlabel_conn_id = fastlabel_conn_id
        self.deferrable = deferrable

    @abstractmethod
    def build_wait(self) -> Wait:
        """Return what this sensor waits for, from its rendered arguments.

        :raises ValueError: when the arguments make no sense.
        """

    @cached_property
    def _wait(self) -> Wait:
        self.check_rendered()
        return self.build_wait()

    @cached_property
    def _watch(self) -> AirflowWatch:
        # Without a deadline: in a worker Airflow keeps it, afterwards the trigger does.
        return AirflowWatch(self.log, store=ProgressStore(self.log))

    def execute(self, context: Context) -> dict[str, Any]:
        """Wait: in this process, or in the triggerer when ``deferrable`` and the first look does not end it."""
        self.show_links(context)
        try:
            if not self._interval_given:
                self.poke_interval = settings.poll_interval(POLL_INTERVAL)
            wait = self._wait
        except ValueError as error:
            return self._finish(WaitEvent(ERROR, f"The wait cannot begin: {error}"))
        if not self.deferrable:
            return self._execute_in_worker(context)
        deadlines = Deadlines.starting_now(self, float(self.timeout))
        if (event := self._look()) is not None:
            return self._finish(event)
        defer_wait(
            self,
            wait,
            deadlines,
            fastlabel_conn_id=self.fastlabel_conn_id,
            poll_interval=float(self.poke_interval),
        )

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002
        """Look once; Airflow calls this in a worker."""
        event = self._look()
        if event is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._finish(event))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Take up the end of the wait from the trigger.

        :param event: payload of the trigger's event.
        """
        return self._finish(read_event(event))

    def _execute_in_worker(self, context: Context) -> dict[str, Any]:
        """Run Airflow's own loop over :meth:`poke`, and say at a timeout what was last seen."""
        try:
            facts: dict[str, Any] = super().execute(context)
        except AirflowSensorTimeout as error:
            raise AirflowSensorTimeout(f"{error} {self._watch.last_seen()}") from None
        except AirflowSkipException as error:
            raise AirflowSkipException(f"{error} {self._watch.last_seen()}") from error.__cause__
        return facts

    def _look(self) -> WaitEvent | None:
        """Look once and judge it."""
        outcome: Decision | Exception
        try:
            client = self.hook.get_conn()
            client.patience = lambda: LONGEST_IN_SLOT  # the next look comes; a longer sleep here helps nobody
            self._watch.calls_left = client.quota.remaining
            outcome = self._wait.look(client)
        except Exception as error:
            outcome = error
        return self._watch.judge(outcome, time.time())

    def _finish(self, event: WaitEvent) -> dict[str, Any]:
        """Return the facts of a success, raise on every other end."""
        ProgressStore(self.log).show(event.standing())
        if event.status != SUCCESS and (self.soft_fail or self.never_fail):
            raise AirflowSkipException(event.message)
        raise_unless_success(event, sensor=True)
        return event.facts
