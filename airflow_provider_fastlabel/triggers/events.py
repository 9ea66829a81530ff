"""How a wait can end, and the event that carries the end from the triggerer to the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowTaskTimeout,
)

SUCCESS = "success"
FAILED = "failed"
ERROR = "error"
TIMEOUT = "timeout"
EXECUTION_TIMEOUT = "execution_timeout"

STATUSES = frozenset({SUCCESS, FAILED, ERROR, TIMEOUT, EXECUTION_TIMEOUT})
"""Every way a wait can end. Frozen: a triggerer and a worker of different releases must understand each other.

``success``: what was waited for has come. ``failed``: FastLabel says it will not come. ``error``: FastLabel refuses to
answer, for a reason that does not pass. ``timeout`` and ``execution_timeout``: the wait's or the task's deadline.
"""


@dataclass(frozen=True)
class WaitEvent:
    """The end of a wait.

    :param status: one of :data:`STATUSES`.
    :param message: one sentence for the log and the error.
    :param facts: what was last seen, JSON values only.
    :param carry: what the task handed to its trigger to get back, JSON values only.
    """

    status: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    carry: dict[str, Any] = field(default_factory=dict)

    def standing(self) -> dict[str, Any]:
        """Return how far the wait came, in JSON values; ``summary`` says it in words."""
        seen: dict[str, Any] = {name: self.facts[name] for name in ("done", "total", "needed") if name in self.facts}
        return {"summary": f"The wait is over: {self.message}", **seen}

    def payload(self) -> dict[str, Any]:
        """Return the event as the JSON object a trigger sends."""
        return asdict(self)


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
