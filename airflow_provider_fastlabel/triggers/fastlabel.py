"""The triggers: a wait that has moved from a worker to the triggerer."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_fastlabel.pipelines.waits.conditions import (
    ImportHistoriesWait,
    ImportHistoryWait,
    ModelJobWait,
    S3ImportWait,
    TaskCountWait,
    TaskListWait,
    Wait,
)
from airflow_provider_fastlabel.pipelines.waits.watch import JITTER
from airflow_provider_fastlabel.triggers.progress import StretchNotice
from airflow_provider_fastlabel.triggers.shared_polls import Poll, Reading, call, now, shared_poll
from airflow_provider_fastlabel.triggers.watch import MISSING_LOOKS, AirflowWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow_provider_fastlabel.pipelines.waits.decisions import Decision
    from airflow_provider_fastlabel.pipelines.waits.events import WaitEvent

FIRST_SLEEP = 5.0
"""Seconds before the first look: Airflow can fail a task whose trigger fires while the task is still put aside."""

SPREAD = 0.01
"""Seconds per wait over which those that share a poll take up its reading: each needs a millisecond or a few."""


class FastLabelTrigger(BaseTrigger):
    """Base of the triggers: looks until the end of the wait, then sends one event and ends.

    Its arguments are JSON values and the id of a connection, never a token: Airflow stores them in plain text.
    Deadlines are points in time, so that a triggerer that takes over keeps them; running again from the start changes
    nothing.

    :param fastlabel_conn_id: id of the Airflow connection.
    :param poll_interval: seconds between looks. The shortest one of the waits that share a poll counts; where all waits
        of the triggerer on the connection would use more than their share of its quota (a fifth, unless ``[fastlabel]
        wait_quota_share`` is configured), those that ask most look less often.
    :param end_time: deadline of the wait, seconds since the epoch.
    :param execution_deadline: deadline of the task, seconds since the epoch; ``None`` for none.
    :param carry: JSON values that come back in the event. The arguments Airflow itself can carry over a deferral are
        lost in ``airflow dags test``.
    :param wait: fields of the wait, by name.
    """

    wait_class: ClassVar[type[Wait]]

    def __init__(
        self,
        *,
        fastlabel_conn_id: str,
        poll_interval: float,
        end_time: float,
        execution_deadline: float | None = None,
        carry: Mapping[str, Any] | None = None,
        **wait: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fastlabel_conn_id = fastlabel_conn_id
        self.poll_interval = poll_interval
        self.end_time = end_time
        self.execution_deadline = execution_deadline
        self.carry: dict[str, Any] = dict(carry or {})
        self.wait: Wait = self.wait_class(**wait)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that make this trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "fastlabel_conn_id": self.fastlabel_conn_id,
            "poll_interval": self.poll_interval,
            "end_time": self.end_time,
            "execution_deadline": self.execution_deadline,
            "carry": self.carry,
            **self.wait.arguments(),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait and yield one event, the payload of a :class:`.WaitEvent`."""
        event = replace(await self._watch(), carry=self.carry)
        yield TriggerEvent(event.payload())  # type: ignore[no-untyped-call]

    async def _watch(self) -> WaitEvent:
        """Take part in the shared poll and judge its readings until the wait ends."""
        watch = AirflowWatch(
            self.log,
            end_time=self.end_time,
            execution_deadline=self.execution_deadline,
            missing_looks=MISSING_LOOKS,
        )
        with shared_poll(self.fastlabel_conn_id, self.wait.key(), self.wait) as poll:
            seen, stretched = now(), StretchNotice(self.log, poll, self.poll_interval)
            await asyncio.sleep(FIRST_SLEEP * (1 + random.uniform(0, JITTER)))
            while True:
                reading = await poll.reading(
                    lambda: call(
                        self.fastlabel_conn_id, partial(self.wait.read_for, tuple(poll.readers), poll.answer), poll
                    ),
                    newer_than=seen,
                    interval=self.poll_interval,
                    latest=now() + watch.deadline - time.time(),
                )
                seen = reading.at
                # Hundreds that judged and logged at once would hold up the event loop.
                apart = min(SPREAD * len(poll.readers), watch.deadline - time.time())
                await asyncio.sleep(random.uniform(0, max(0.0, apart)))
                stretched.say(seen)
                event = watch.judge(await self._outcome(reading, poll), time.time())
                if event is not None:
                    return event

    async def _outcome(self, reading: Reading, poll: Poll) -> Decision | Exception:
        """Judge a shared reading; ask for this wait alone when it says nothing about it."""
        if reading.error is not None:
            return reading.error
        decision = self.wait.decide(reading.answer)
        if decision is not None:
            return decision
        try:
            outcome: Decision = await call(self.fastlabel_conn_id, self.wait.look, poll)
        except Exception as error:
            return error
        return outcome

    async def on_kill(self) -> None:
        """Say that only the waiting has ended.

        Called by Airflow 3.3 and later when a user ends the task, and falsely when triggerers hand over, so nothing may
        be undone here; FastLabel has no call to cancel an import or a job anyway.
        """
        self.log.info(
            "This trigger stops watching %s. FastLabel knows no cancel: what runs there goes on.", self.wait.arguments()
        )


class FastLabelImportHistoryTrigger(FastLabelTrigger):
    """Waits for an import: ``project``, ``history_id``."""

    wait_class: ClassVar[type[Wait]] = ImportHistoryWait


class FastLabelImportHistoriesTrigger(FastLabelTrigger):
    """Waits for several imports: ``project``, ``histories``."""

    wait_class: ClassVar[type[Wait]] = ImportHistoriesWait


class FastLabelModelJobTrigger(FastLabelTrigger):
    """Waits for a training, evaluation or auto-annotation job: ``kind``, ``job_id``, ``project``."""

    wait_class: ClassVar[type[Wait]] = ModelJobWait


class FastLabelS3ImportTrigger(FastLabelTrigger):
    """Waits for the latest S3 import of ``project``."""

    wait_class: ClassVar[type[Wait]] = S3ImportWait


class FastLabelTaskCountTrigger(FastLabelTrigger):
    """Waits for a number or share of the tasks of a project or tag; arguments as in ``TaskCountWait``."""

    wait_class: ClassVar[type[Wait]] = TaskCountWait


class FastLabelTaskListTrigger(FastLabelTrigger):
    """Waits for a number or share of the tasks of a list; arguments as in ``TaskListWait``."""

    wait_class: ClassVar[type[Wait]] = TaskListWait


TRIGGERS: dict[type[Wait], type[FastLabelTrigger]] = {
    trigger.wait_class: trigger
    for trigger in (
        FastLabelImportHistoryTrigger,
        FastLabelImportHistoriesTrigger,
        FastLabelModelJobTrigger,
        FastLabelS3ImportTrigger,
        FastLabelTaskCountTrigger,
        FastLabelTaskListTrigger,
    )
}
"""The trigger of each kind of wait."""


def trigger_for(
    wait: Wait, *, fastlabel_conn_id: str, poll_interval: float, end_time: float, **more: Any
) -> FastLabelTrigger:
    """Return the trigger that goes on with a wait; parameters as in :class:`FastLabelTrigger`."""
    return TRIGGERS[type(wait)](
        fastlabel_conn_id=fastlabel_conn_id,
        poll_interval=poll_interval,
        end_time=end_time,
        **more,
        **wait.arguments(),
    )
