"""Watchers: triggers of assets that wake DAGs when something happens at FastLabel, with no task waiting."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.pipelines.waits.model_jobs import job_kind
from airflow_provider_fastlabel.triggers.complaints import Complaints
from airflow_provider_fastlabel.triggers.cursor_store import CursorStore
from airflow_provider_fastlabel.triggers.progress import StretchNotice
from airflow_provider_fastlabel.triggers.shared_polls import call, now, shared_poll
from airflow_provider_fastlabel.triggers.watched import (
    Watched,
    WatchedImports,
    WatchedJobs,
    WatchedShare,
    WatchedTasks,
)
from airflow_provider_fastlabel.utils.arguments import refused, rendered_texts, require_rendered, task_status
from airflow_provider_fastlabel.utils.errors import is_permanent
from airflow_provider_fastlabel.utils.numbers import Number, seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
    from datetime import timedelta

    from airflow.triggers.shared_stream import SharedStreamProducer

    from airflow_provider_fastlabel.triggers.arrivals import Cursor
    from airflow_provider_fastlabel.triggers.shared_polls import Reading
else:
    try:
        from airflow.triggers.shared_stream import SharedStreamProducer
    except ImportError:  # Airflow before 3.3
        SharedStreamProducer = object

__all__ = [
    "FastLabelImportEventTrigger",
    "FastLabelModelJobEventTrigger",
    "FastLabelTaskStatusEventTrigger",
]

FIRST_LOOK = 2.0
"""Seconds until the first look: what happens before it is not seen by a watcher that starts for the first time."""
TROUBLE_INTERVAL = 300.0
"""Seconds at least between two looks while an error lasts that does not pass by itself."""
SETTLE = 10.0
"""Seconds between the last event of a look and the event before it.

Up to 3.3.2, Airflow's scheduler gives a run only the event that it makes the run for, and those before it; what comes
until the run is made waits for the next event. So the last one comes when the scheduler is done with the others, and
its run takes along what was left.
"""
MOST_AT_ONCE = 5000
"""Tasks of one event at most: those not told yet are part of the stored cursor."""
CONFIRMS = hasattr(BaseEventTrigger, "create_shared_stream_producer")
"""Whether this Airflow says when an event has been stored (3.3 and later)."""


@dataclass
class Look:
    """One look at FastLabel on its way through a watcher.

    :param reading: what was seen.
    :param save: stores the cursor that says that the events of the look, and of all before it, were told; ``None`` if
        there is nothing to store.
    """

    reading: Reading
    save: Callable[[], Awaitable[None]] | None = None


class FastLabelEventTrigger(BaseEventTrigger):
    """Base of the watchers: looks for ever, and sends an event for what has happened since the look before.

    To be given to an ``AssetWatcher``. A look that fails ends nothing: the first of a row is logged, and the watcher
    goes on; Airflow would start a trigger that ends again at once, for ever. Its arguments are JSON values and the id
    of a connection, never a token; Airflow does not render templates in them.

    On Airflow 3.3 and later the watcher remembers in the asset's state what it has told, once Airflow has stored the
    events: a restart loses nothing, and repeats only what was not confirmed yet when it was killed, the events of the
    last seconds, with the same ``key``. On earlier releases it begins anew with each start.

    :param poll_interval: seconds between looks, or a ``timedelta``. Watchers of the same things share their looks, and
        all waits of the triggerer use at most a fifth of the connection's quota together.
    :param include_existing: whether what is there when the watcher first looks is told, too.
    :param fastlabel_conn_id: id of the Airflow connection.
    """

    watched: Watched

    def __init__(
        self,
        *,
        poll_interval: float | timedelta = 60,
        include_existing: bool = False,
        fastlabel_conn_id: str = FastLabelHook.default_conn_name,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_interval: float = seconds("poll_interval", poll_interval)
        if not isinstance(include_existing, bool):
            raise refused(f"include_existing must be True or False, not {include_existing!r}.")
        self.include_existing = include_existing
        self.fastlabel_conn_id: str = literal("fastlabel_conn_id", fastlabel_conn_id)

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return what is watched, as JSON values: the arguments that set this watcher apart."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that make this trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            **self.arguments(),
            "poll_interval": self.poll_interval,
            "include_existing": self.include_existing,
            "fastlabel_conn_id": self.fastlabel_conn_id,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield events for ever. Without Airflow's word for it, an event counts as stored at the next look."""

        async def saved_before_the_next() -> AsyncIterator[Look]:
            last: Look | None = None
            async for look in self.looks():
                if last is not None and last.save is not None:
                    await last.save()
                last = look
                yield look

        async for event in self.events(saved_before_the_next()):
            yield event

    def shared_stream_key(self) -> Hashable | None:
        """Return a key of this trigger alone: what Airflow's streams are used for is their confirmation of events.

        Looks are shared in the process anyway, with waiting tasks too.
        """
        return ("fastlabel", type(self).__qualname__, self.trigger_id) if CONFIRMS else None

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """Return what looks, and stores the cursor when Airflow has stored the events."""
        return ConfirmedLooks(cls(**kwargs))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Turn looks into events."""
        async for event in self.events(shared_stream):
            yield event

    async def looks(self) -> AsyncIterator[Look]:
        """Look for ever, together with all others that ask the same."""
        with shared_poll(self.fastlabel_conn_id, self.watched.key()) as poll:
            stretched = StretchNotice(self.log, poll, self.poll_interval)
            seen, interval, latest = now(), self.poll_interval, now() + FIRST_LOOK
            while True:
                reading = await poll.reading(
                    lambda: call(self.fastlabel_conn_id, lambda client: self.watched.read(client, poll.answer), poll),
                    newer_than=seen,
                    interval=interval,
                    latest=latest,
                )
                seen, latest = reading.at, float("inf")
                trouble = reading.error is not None and is_permanent(reading.error)
                interval = max(self.poll_interval, TROUBLE_INTERVAL) if trouble else self.poll_interval
                stretched.say(seen)
                yield Look(reading)

    async def events(self, looks: AsyncIterator[Look]) -> AsyncIterator[TriggerEvent]:
        """Turn looks into events, and say on each look how to store that they were told.

        :param looks: the looks, in the order of time.
        """
        asked, kept = Complaints(self.log, self.arguments()), Complaints(self.log, self.arguments())
        store = CursorStore(getattr(self, "asset_state_store", None), type(self).__qualname__, self.arguments())
        remembered: Cursor | None = None
        loaded, before, told_at = False, None, float("-inf")
        async for look in looks:
            if look.reading.error is not None:
                asked.failed(look.reading.error)
                continue
            asked.answered()
            if not loaded:
                try:
                    remembered, loaded = await store.load(), True
                except Exception as error:
                    kept.failed(error)
                    continue
            # In a thread, because a project may have 100,000 tasks, and the triggerer's loop must not stand still.
            if remembered is None:
                remembered = await asyncio.to_thread(self._begin, look, store)
            after, payloads = await asyncio.to_thread(self.watched.judge, remembered, look.reading.answer, before)
            remembered, before = after, look.reading.answer
            look.save = partial(_save, store, after, kept)
            for number, payload in enumerate(payloads, start=1):
                if number == len(payloads):
                    await asyncio.sleep(max(0.0, told_at + SETTLE - now()))
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call]
                told_at = now()

    def _begin(self, look: Look, store: CursorStore) -> Cursor:
        """Return the cursor of a watcher that remembers nothing, and say so."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.log.info(
            "Watching %s from now on%s; %s",
            self.arguments(),
            ", and what is there already" if self.include_existing else "",
            "what was told is stored with the asset"
            if store.available
            else "what was told is stored nowhere, since this Airflow is older than 3.3: a restart begins anew",
        )
        return self.watched.begin(look.reading.answer, now=now, include_existing=self.include_existing)


class ConfirmedLooks(SharedStreamProducer):
    """The looks of one watcher; stores its cursor when Airflow has stored the events that were made of a look.

    :param trigger: a watcher with the same arguments.
    """

    def __init__(self, trigger: FastLabelEventTrigger) -> None:
        self._trigger = trigger

    async def open_stream(self) -> AsyncIterator[tuple[Look, Look]]:
        """Yield each look, as what happened and as what there is to confirm."""
        async for look in self._trigger.looks():
            yield look, look

    async def advance(self, batch: Sequence[Any]) -> None:
        """Store the cursor of the last look whose events, like those of all before it, are stored.

        :param batch: looks in the order of time, with how Airflow fared with their events.
        """
        for item in batch:
            if item.outcome.is_clean and item.broker_payload.save is not None:
                await item.broker_payload.save()


class FastLabelTaskStatusEventTrigger(FastLabelEventTrigger):
    """Watches the tasks of a project, or of those with certain tags, for reaching a status.

    :param project: slug of the project.
    :param statuses: one status, or several of which any will do.
    :param tags: only tasks that carry all these tags.
    :param every: ``1``: an event of each task; a larger number: an event of each so many tasks; ``"all"``: an event
        when all have reached it, and again when that has come true again, or of another number of tasks.
    :param options: see :class:`FastLabelEventTrigger`.
    :raises FastLabelInvalidException: when an argument cannot be meant.
    """

    def __init__(
        self,
        *,
        project: str,
        statuses: str | Sequence[str] = "approved",
        tags: Sequence[str] | None = None,
        every: int | Literal["all"] = 1,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.project: str = literal("project", project)
        self.statuses: list[str] = list(
            dict.fromkeys(literal("statuses", text) for text in rendered_texts("statuses", statuses))
        )
        require_rendered("statuses", self.statuses)
        for status in self.statuses:
            task_status("statuses", status)
        self.tags: list[str] = [literal("tags", tag) for tag in rendered_texts("tags", tags or [])]
        self.every: int | Literal["all"] = "all" if every == "all" else _EVERY.read("every", every)
        self.watched: Watched = (
            WatchedShare(self.project, self.statuses, self.tags)
            if self.every == "all"
            else WatchedTasks(self.project, self.statuses, self.tags, every=self.every)
        )

    def arguments(self) -> dict[str, Any]:
        """Return project, statuses, tags, and how many tasks make an event."""
        return {"project": self.project, "statuses": self.statuses, "tags": self.tags, "every": self.every}


class FastLabelImportEventTrigger(FastLabelEventTrigger):
    """Watches a project for imports that end: one event of each.

    :param project: slug of the project.
    :param outcomes: ``success``, ``failed``, or both.
    :param options: see :class:`FastLabelEventTrigger`.
    :raises FastLabelInvalidException: when an argument cannot be meant.
    """

    def __init__(self, *, project: str, outcomes: str | Sequence[str] = "success", **options: Any) -> None:
        super().__init__(**options)
        self.project: str = literal("project", project)
        self.outcomes: list[str] = _outcomes(outcomes)
        self.watched: Watched = WatchedImports(self.project, self.outcomes)

    def arguments(self) -> dict[str, Any]:
        """Return project and outcomes."""
        return {"project": self.project, "outcomes": self.outcomes}


class FastLabelModelJobEventTrigger(FastLabelEventTrigger):
    """Watches for training, evaluation or auto-annotation jobs that end: one event of each.

    :param kind: ``training``, ``evaluation`` or ``auto_annotation``.
    :param project: slug of the project; for ``auto_annotation`` only, the others' list is the workspace's.
    :param outcomes: ``success``, ``failed``, or both.
    :param options: see :class:`FastLabelEventTrigger`.
    :raises ValueError: when an argument cannot be meant.
    """

    def __init__(
        self, *, kind: str, project: str = "", outcomes: str | Sequence[str] = "success", **options: Any
    ) -> None:
        super().__init__(**options)
        if job_kind(kind).per_project != bool(project):
            raise refused(
                f"project must be given for auto_annotation, whose jobs are a project's, and for no other kind; it is "
                f"{project!r} for {kind}."
            )
        self.kind = kind
        self.project: str = literal("project", project) if project else ""
        self.outcomes: list[str] = _outcomes(outcomes)
        self.watched: Watched = WatchedJobs(kind, self.project, self.outcomes)

    def arguments(self) -> dict[str, Any]:
        """Return kind, project and outcomes."""
        return {"kind": self.kind, "project": self.project, "outcomes": self.outcomes}


_EVERY = Number(least=1, most=MOST_AT_ONCE)
OUTCOMES = ("success", "failed")


def literal(name: str, value: Any) -> str:
    """Return a text that is taken as it is written.

    :param name: of the argument.
    :param value: the text.
    :raises FastLabelInvalidException: when it is none, empty, or a template, which nobody would render.
    """
    require_rendered(name, value)
    if not isinstance(value, str):
        raise refused(f"{name} must be a text, not {value!r}.")
    if "{{" in value or "{%" in value:
        raise refused(f"{name} {value!r} is a template, but Airflow renders none in a watcher. Write the value itself.")
    return value


def _outcomes(value: str | Sequence[str]) -> list[str]:
    """Return the outcomes that are told."""
    outcomes = list(dict.fromkeys(rendered_texts("outcomes", value)))
    if not outcomes or not set(outcomes) <= set(OUTCOMES):
        raise refused(f"outcomes must be of {', '.join(OUTCOMES)}, not {value!r}.")
    return outcomes


async def _save(store: CursorStore, cursor: Cursor, complaints: Complaints) -> None:
    """Store a cursor; what cannot be stored now is stored after the next look."""
    try:
        await store.save(cursor)
    except Exception as error:
        complaints.failed(error)
    else:
        complaints.answered()
