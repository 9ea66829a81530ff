"""Runs watchers as a triggerer does, without scheduler and database; touches Airflow's private modules.

``Triggerer`` plays the process: it gives a watcher the state store of its assets, takes its events, and on Airflow 3.3
and later confirms them. What it has stored outlives it, as a database would.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.execution_time import comms, task_runner

from airflow_provider_fastlabel.triggers import shared_polls, watchers
from tests.airflow_run import make_trigger

if TYPE_CHECKING:
    from collections.abc import Callable

HAS_ASSET_STORE = hasattr(comms, "SetAssetStateStoreByName")
"""Whether this Airflow has the asset state store (3.3 and later)."""

needs_asset_store = pytest.mark.skipif(not HAS_ASSET_STORE, reason="Airflow before 3.3 has no asset state store")


class Assets:
    """The state of assets, as the supervisor keeps it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}
        self.broken = False

    async def asend(self, msg: Any) -> Any:
        """Take one message from an event loop."""
        if self.broken:
            raise ConnectionError("the API server is away")
        match msg:
            case comms.SetAssetStateStoreByName():
                self.kept[msg.name, msg.key] = json.loads(json.dumps(msg.value))
            case comms.GetAssetStateStoreByName() if (msg.name, msg.key) in self.kept:
                return comms.AssetStateStoreResult(value=self.kept[msg.name, msg.key])
            case comms.GetAssetStateStoreByName():
                return comms.ErrorResponse.model_validate({"error": "ASSET_STORE_NOT_FOUND"})
        return comms.OKResponse(ok=True)


class Triggerer:
    """One life of a triggerer, as an asynchronous context manager; leaving it kills it.

    :param assets: the state that outlives it.
    :param confirming: whether it takes part in Airflow's confirmation of events; else it runs ``run()``.
    :param persisting: whether the events reach the database; false for one that is killed before.
    """

    def __init__(self, assets: Assets | None, *, confirming: bool, persisting: bool = True) -> None:
        self._assets, self._confirming, self._persisting = assets, confirming, persisting
        self._tasks: list[asyncio.Task[None]] = []
        self._ids = itertools.count(1)
        self._begun = 0
        self.events: list[dict[str, Any]] = []

    async def __aenter__(self) -> Triggerer:
        if self._confirming:
            from airflow.triggers.shared_stream import SharedStreamManager

            self._streams = SharedStreamManager()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._confirming:
            await self._streams.stop_all()

    def watch(self, watcher: Any, *assets: str) -> None:
        """Start a watcher of assets, made again from what the database holds of it."""
        classpath, kwargs = watcher.serialize()
        made = make_trigger({"classpath": classpath, "kwargs": json.loads(json.dumps(kwargs))})
        made.trigger_id = next(self._ids)
        begin = made._begin

        def begun(*arguments: Any) -> Any:
            cursor = begin(*arguments)
            self._begun += 1
            return cursor

        made._begin = begun
        if self._assets is not None:
            from airflow.sdk.execution_time.context import AssetStateStoreAccessors

            made.asset_state_store = AssetStateStoreAccessors(inlets=[Asset(name) for name in assets or ("photos",)])
        self._tasks.append(asyncio.create_task(self._run(made)))

    async def _run(self, made: Any) -> None:
        key = made.shared_stream_key()
        if not self._confirming:
            async for event in made.run():
                self.events.append(json.loads(json.dumps(event.payload)))
            return
        stream = self._streams.subscribe(trigger_id=made.trigger_id, trigger=made, key=key)
        async for event in made.filter_shared_stream(stream):
            seq = self._streams.bind_pending_event(trigger_id=made.trigger_id, key=key)
            self.events.append(json.loads(json.dumps(event.payload)))
            if self._persisting and seq is not None:
                asyncio.get_running_loop().call_later(0.01, self._streams.confirm_persisted, (seq,))

    async def until(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        """Let it run until something is so.

        :raises AssertionError: when it is not in time, or a watcher ended.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not done():
            ended = [task for task in self._tasks if task.done()]
            assert not ended, f"a watcher ended: {ended}"
            assert asyncio.get_running_loop().time() < deadline, f"not in time; events: {self.events}"
            await asyncio.sleep(0.01)

    async def begun(self, number: int = 1) -> None:
        """Wait until so many watchers have taken what is there already for known."""
        await self.until(lambda: self._begun >= number)

    async def count(self, number: int) -> list[dict[str, Any]]:
        """Wait for so many events, and a little for one too many; return them."""
        await self.until(lambda: len(self.events) >= number)
        await asyncio.sleep(0.15)
        return self.events


@pytest.fixture
def assets(monkeypatch: pytest.MonkeyPatch) -> Assets:
    """The state of assets; watchers look and tell almost at once, by clients of this test's connection."""
    kept = Assets()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", kept, raising=False)
    monkeypatch.setattr(watchers, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(watchers, "SETTLE", 0.0)
    monkeypatch.setattr(shared_polls, "_clients", {})
    return kept
