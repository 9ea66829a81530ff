"""How a task with a wait defers: deadlines as points in time, and a backstop behind the trigger's own timeout."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_fastlabel.triggers.fastlabel import trigger_for

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator

    from airflow_provider_fastlabel.pipelines.waits.conditions import Wait

BACKSTOP_SECONDS = 180.0
"""What the deferral's timeout adds to the trigger's deadline, beside two polls, so that the trigger's own end wins."""


@dataclass(frozen=True)
class Deadlines:
    """Until when a task may wait, in seconds since the epoch.

    :param end_time: deadline of the wait.
    :param execution_deadline: deadline of the task, ``None`` for none. Airflow 3 does not enforce ``execution_timeout``
        while a task is deferred, so the trigger must.
    """

    end_time: float
    execution_deadline: float | None

    @classmethod
    def starting_now(cls, task: BaseOperator, timeout: float) -> Deadlines:
        """Return the deadlines of a task that starts now.

        :param task: the task, for its ``execution_timeout``.
        :param timeout: seconds the wait may take.
        """
        now = time.time()
        limit = task.execution_timeout
        return cls(now + timeout, now + limit.total_seconds() if limit else None)

    def first(self) -> float:
        """Return the earlier deadline."""
        return min(self.end_time, self.execution_deadline or self.end_time)


def defer_wait(
    task: BaseOperator,
    wait: Wait,
    deadlines: Deadlines,
    *,
    fastlabel_conn_id: str,
    poll_interval: float,
    carry: dict[str, Any] | None = None,
) -> NoReturn:
    """Put the task aside until the wait ends; it goes on in its ``execute_complete``.

    :param task: the task that waits.
    :param wait: what it waits for.
    :param deadlines: until when.
    :param fastlabel_conn_id: id of the Airflow connection.
    :param poll_interval: seconds between looks.
    :param carry: JSON values that come back with the event.
    :raises TaskDeferred: always.
    """
    trigger = trigger_for(
        wait,
        fastlabel_conn_id=fastlabel_conn_id,
        poll_interval=poll_interval,
        end_time=deadlines.end_time,
        execution_deadline=deadlines.execution_deadline,
        carry=carry,
    )
    left = max(0.0, deadlines.first() - time.time())
    task.defer(
        trigger=trigger,
        method_name="execute_complete",
        timeout=timedelta(seconds=left + 2 * poll_interval + BACKSTOP_SECONDS),
    )
