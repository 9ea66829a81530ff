"""Runs a task the way Airflow's worker and triggerer do, without scheduler and database.

The only file of the tests that touches Airflow's private modules. It plays the supervisor of a task process: templates
are rendered, the end is mapped to a state, retry policies are asked; a deferred task's trigger is stored as JSON, made
again from it and run, and the task resumed in a fresh instance, as it would be in another process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest
import structlog
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG
from airflow.sdk.api.datamodels._generated import DagRun, TIRunContext
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.execution_time import comms, task_runner

from airflow_provider_fastlabel.pipelines.imports import turns
from airflow_provider_fastlabel.triggers import fastlabel as triggers
from airflow_provider_fastlabel.utils.progress_store import PROGRESS_KEY
from airflow_provider_fastlabel.utils.retry import HAS_RETRY_POLICY
from airflow_provider_fastlabel.utils.slot import SPREAD

try:
    from airflow.sdk.module_loading import import_string  # type: ignore[attr-defined]
    from airflow.sdk.serde import deserialize, serialize
except ImportError:  # Airflow 3.1 stores deferrals in the form of the scheduler
    from airflow.serialization.serialized_objects import BaseSerialization
    from airflow.utils.module_loading import import_string  # type: ignore[import-not-found, no-redef]

    serialize = BaseSerialization.serialize  # type: ignore[assignment]

    def deserialize(stored: Any) -> Any:  # type: ignore[misc]
        """Decode what was encoded; plain JSON stays, as with the later ``deserialize``."""
        return BaseSerialization.deserialize(stored) if stored.keys() == {"__type", "__var"} else stored


if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 22, tzinfo=UTC)
RETRIES = 3
HAS_STORE = hasattr(comms, "SetTaskStateStore")
"""Whether this Airflow has the task state store (3.3 and later)."""

needs_state_store = pytest.mark.skipif(not HAS_STORE, reason="Airflow before 3.3 has no task state store")
needs_retry_policy = pytest.mark.skipif(not HAS_RETRY_POLICY, reason="Airflow before 3.3 has no retry policies")


@dataclass(frozen=True)
class Pause:
    """When a rescheduled task was to be started again; both bounds of it hold on a machine under any load.

    :param after_start: seconds since the part that was rescheduled began.
    :param after_end: seconds since it had ended.
    """

    after_start: float
    after_end: float

    def is_of(self, seconds: float) -> bool:
        """Tell whether the part asked for a pause of so many seconds, spread as all are."""
        return self.after_start >= seconds and self.after_end <= seconds + SPREAD


@dataclass
class Outcome:
    """How a try ended."""

    state: str
    error: BaseException | None = None
    xcoms: dict[str, Any] = field(default_factory=dict)
    deferrals: list[dict[str, Any]] = field(default_factory=list)
    retry_delay: float | None = None
    reschedules: int = 0
    pauses: list[Pause] = field(default_factory=list)
    """When the task was to be started again, of each time it was rescheduled."""

    @property
    def reason(self) -> BaseException | None:
        """The error behind the failure: before Airflow 3.3 an ``AirflowFailException`` carries a permanent one."""
        wrapped = not HAS_RETRY_POLICY and isinstance(self.error, AirflowFailException)
        return self.error.__cause__ or self.error if wrapped and self.error else self.error

    @property
    def result(self) -> Any:
        """The return value."""
        return self.xcoms.get("return_value")


class Supervisor:
    """Answers what a task asks its supervisor, and remembers what a task instance leaves behind.

    ``upstream`` holds the return values of other tasks by their ids, for the test to fill.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.upstream: dict[str, Any] = {}
        self.keep_history: list[tuple[str, Any]] = []
        self.progress: list[dict[str, Any]] = []
        self.store_fails = False
        self.xcoms: dict[str, Any] = {}
        self.skipped: list[str] = []
        self.missed: list[str] = []  # for each of which Airflow's client logs an error
        self.last: Any = None
        self.first_start: datetime | None = None

    def send(self, msg: Any) -> Any:
        """Take one message."""
        match msg:
            case (
                comms.SucceedTask() | comms.TaskState() | comms.DeferTask() | comms.RetryTask() | comms.RescheduleTask()
            ):
                self.last = msg
            case comms.SetXCom():
                self.xcoms[msg.key] = msg.value
            case comms.GetXComSequenceSlice():
                return comms.XComSequenceSliceResult(root=[self.upstream[msg.task_id]])
            case comms.GetXCom():
                self.missed += [msg.key] if msg.task_id not in self.upstream and msg.key not in self.xcoms else []
                known = self.upstream.get(msg.task_id, self.xcoms.get(msg.key))
                return comms.XComResult(key=msg.key, value=known)
            case comms.SkipDownstreamTasks():
                self.skipped = [each if isinstance(each, str) else each[0] for each in msg.tasks]
            case comms.ValidateInletsAndOutlets():
                return comms.InactiveAssetsResult(inactive_assets=[])
            case comms.GetTaskRescheduleStartDate():
                return comms.TaskRescheduleStartDate(start_date=self.first_start)
            case comms.GetAssetByUri():
                return comms.ErrorResponse.model_validate({"error": "ASSET_NOT_FOUND"})
            case _ if HAS_STORE:
                return self._keep(msg)
        return comms.OKResponse(ok=True)

    def _keep(self, msg: Any) -> Any:
        """Take one message to the task state store; the progress, which no try reads, is kept apart."""
        match msg:
            case comms.SetTaskStateStore() | comms.GetTaskStateStore() if self.store_fails:
                raise AirflowRuntimeError(comms.ErrorResponse.model_validate({"error": "API_SERVER_ERROR"}))
            case comms.SetTaskStateStore() if msg.key == PROGRESS_KEY:
                self.progress.append(json.loads(json.dumps(msg.value)))
            case comms.GetTaskStateStore() if msg.key == PROGRESS_KEY and self.progress:
                return comms.TaskStateStoreResult(value=self.progress[-1])
            case comms.SetTaskStateStore():
                self.kept[msg.key] = json.loads(json.dumps(msg.value))
                self.keep_history.append((msg.key, self.kept[msg.key]))
            case comms.GetTaskStateStore() if msg.key in self.kept:
                return comms.TaskStateStoreResult(value=self.kept[msg.key])
            case comms.GetTaskStateStore():
                return comms.ErrorResponse.model_validate({"error": "TASK_STORE_NOT_FOUND"})
            case comms.DeleteTaskStateStore():
                self.kept.pop(msg.key, None)
        return comms.OKResponse(ok=True)

    async def asend(self, msg: Any) -> Any:
        """Take one message from an event loop."""
        return self.send(msg)


class AirflowRun:
    """One task instance, tried as often as the test wants; its state store survives the tries.

    With ``finalizes`` each process ends as in Airflow, which then stores what the links of the operator return.

    :param make: builds the task anew, as parsing its DAG file would.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
        self.supervisor = Supervisor()
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", self.supervisor, raising=False)
        self._make = make
        self._max_tries = RETRIES
        self.run_id = "run"
        self.finalizes = False
        self.instance: Any = None

    def clear(self, tries: int) -> None:
        """Clear the task instance, as a person does: it gets all its retries anew.

        :param tries: how many tries it has had.
        """
        self._max_tries = tries + RETRIES

    def attempt(self, try_number: int = 1, *, retries_left: bool = False, triggerer: bool = True) -> Outcome:
        """Run one try to its end.

        :param try_number: from 1; a later one starts with empty XComs, as in Airflow.
        :param retries_left: whether a failure may be retried.
        :param triggerer: false to stop at the first deferral.
        """
        self.supervisor.xcoms = {}
        outcome = Outcome("")
        resume: dict[str, Any] = {}
        started = self.supervisor.first_start = datetime.now(UTC)
        while True:
            began = datetime.now(UTC)
            state, error = self._step(try_number, retries_left, resume, outcome.reschedules, started)
            outcome.state, outcome.error, outcome.xcoms = state, error, dict(self.supervisor.xcoms)
            if state == "deferred":
                outcome.deferrals.append(stored := self._stored_trigger())
                if not triggerer:
                    return outcome
                kwargs = {**stored["next_kwargs"], "event": asyncio.run(first_event(stored))}
                resume = {"next_method": self.supervisor.last.next_method, "next_kwargs": serialize(kwargs)}
            elif state == "up_for_reschedule":
                outcome.reschedules += 1
                again, ended = self.supervisor.last.reschedule_date, datetime.now(UTC)
                outcome.pauses.append(Pause((again - began).total_seconds(), (again - ended).total_seconds()))
                self.between_parts()
            else:
                outcome.retry_delay = getattr(self.supervisor.last, "retry_delay_seconds", None)
                return outcome

    def between_parts(self) -> None:
        """Do what a test puts here, between a rescheduling and the new start."""

    def _stored_trigger(self) -> dict[str, Any]:
        """Return the deferral as the database would hold it."""
        msg = self.supervisor.last
        assert isinstance(msg, comms.DeferTask)
        sent = json.loads(msg.model_dump_json())
        return {
            "classpath": sent["classpath"],
            "kwargs": deserialize(sent["trigger_kwargs"]),
            "timeout": msg.trigger_timeout.total_seconds() if msg.trigger_timeout else None,
            "next_kwargs": deserialize(sent["next_kwargs"]),
        }

    def _step(
        self, try_number: int, retries_left: bool, resume: dict[str, Any], reschedules: int, started: datetime
    ) -> tuple[str, BaseException | None]:
        """Run the task's process once."""
        with DAG("dag", schedule=None, start_date=START):
            task = self._make()
        now = dict.fromkeys(
            ("logical_date", "data_interval_start", "data_interval_end", "run_after", "start_date"), START
        )
        later = {"partition_key": None} if "partition_key" in DagRun.model_fields else {}
        run = DagRun.model_validate(
            {
                "dag_id": "dag", "run_id": self.run_id, "run_type": "manual", "state": "running", "end_date": None,
                "consumed_asset_events": [], **now, **later,
            }
        )  # fmt: skip
        answer = TIRunContext(
            dag_run=run,
            max_tries=self._max_tries,
            should_retry=retries_left,
            task_reschedule_count=reschedules,
            **resume,
        )
        instance = task_runner.RuntimeTaskInstance.model_construct(
            id=uuid4(), task_id=task.task_id, dag_id="dag", run_id=self.run_id, try_number=try_number, map_index=-1,
            dag_version_id=uuid4(), task=task, start_date=started, max_tries=answer.max_tries, hostname="localhost",
            _ti_context_from_server=answer,
        )  # fmt: skip
        self.instance = instance
        handler = signal.getsignal(signal.SIGTERM)
        try:
            context, log = instance.get_template_context(), structlog.get_logger("task")
            state, _, error = task_runner.run(instance, context, log)
            if self.finalizes:
                task_runner.finalize(instance, state, context, log, error)
        finally:
            signal.signal(signal.SIGTERM, handler)
        return str(getattr(state, "value", state)), error


def make_trigger(stored: dict[str, Any]) -> Any:
    """Make a trigger from its stored form."""
    return import_string(stored["classpath"])(**cast("dict[str, Any]", deserialize(stored["kwargs"])))


async def first_event(stored: dict[str, Any]) -> Any:
    """Run a stored trigger and return the payload of its event, as JSON carries it."""
    trigger = make_trigger(stored)
    try:
        async for event in trigger.run():
            return json.loads(json.dumps(event.payload))
    finally:
        await trigger.cleanup()
    raise AssertionError("the trigger ended without an event")


@pytest.fixture
def airflow_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], AirflowRun]:
    """Return how to make an :class:`AirflowRun`; triggers take their first look almost at once."""
    monkeypatch.setattr(triggers, "FIRST_SLEEP", 0.02)
    monkeypatch.setattr(turns, "QUIET_SECONDS", 0.0)
    logging.getLogger("task").setLevel(logging.INFO)
    return lambda make: AirflowRun(monkeypatch, make)
