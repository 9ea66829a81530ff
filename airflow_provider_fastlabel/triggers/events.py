"""The event that carries the end of a wait from the triggerer to the task, and what Airflow makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowTaskTimeout,
)

from airflow_provider_fastlabel.pipelines.waits.events import ERROR, FAILED, STATUSES, SUCCESS, TIMEOUT, WaitEvent


def read_event(event: Any) -> WaitEvent:
    """Check and return the event that resumed a task.

    :param event: the payload of the trigger's event.
    :raises AirflowException: when it is missing, has no known status, or is not shaped like one of ours.
    """
    if not isinstance(event, Mapping) or event.get("status") not in STATUSES:
        raise AirflowException(
            f"The trigger sent no event this release understands: {event!r}. Known statuses: {sorted(STATUSES)}. "
            "Run the same release of airflow-provider-fastlabel on workers and triggerers, then clear the task."
        )
    message, facts = event.get("message"), event.get("facts")
    if not isinstance(message, str) or not isinstance(facts, Mapping):
        raise AirflowException(f"The trigger sent an incomplete event: {event!r}. Clear the task to wait again.")
    return WaitEvent(event["status"], message, dict(facts), dict(event.get("carry") or {}))


def raise_unless_success(event: WaitEvent, *, sensor: bool) -> None:
    """Turn every end but success into the exception Airflow acts on.

    :param event: the end of the wait.
    :param sensor: whether a sensor waited. Its failure cannot be cured by a retry, nor can its timeout; an operator's
        can, because its retry submits again or attaches to what still runs.
    :raises AirflowFailException: on ``error``, and on ``failed`` for a sensor.
    :raises AirflowException: on ``failed`` for an operator.
    :raises AirflowSensorTimeout: on ``timeout`` for a sensor.
    :raises AirflowTaskTimeout: on ``timeout`` for an operator, and on ``execution_timeout``.
    """
    if event.status == SUCCESS:
        return
    if event.status == ERROR:
        raise AirflowFailException(event.message)
    if event.status == FAILED:
        raise AirflowFailException(event.message) if sensor else AirflowException(event.message)
    if event.status == TIMEOUT and sensor:
        raise AirflowSensorTimeout(event.message)
    raise AirflowTaskTimeout(event.message)
