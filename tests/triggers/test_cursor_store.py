"""What a watcher remembers comes back as it was, in values of bounded size, whatever a kill leaves of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest

from airflow_provider_fastlabel.marks import mark_of
from airflow_provider_fastlabel.triggers.arrivals import Cursor, arrived
from airflow_provider_fastlabel.triggers.cursor_store import CursorStore

NOW = "2026-11-28T12:00:00+00:00"


class State:
    """The state of one asset; dies after so many writes."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.writes = 0
        self.life = 10**9

    async def aget(self, key):
        return json.loads(self.kept[key]) if key in self.kept else None

    async def aset(self, key, value):
        if self.writes >= self.life:
            raise ConnectionError("killed")
        self.writes += 1
        self.kept[key] = json.dumps(value)


def marks(number):
    return frozenset(mark_of(str(each)) for each in range(number))


def load(state):
    return asyncio.run(CursorStore(state, "photos").load())


def test_nothing_comes_of_nothing():
    assert load(State()) is None
    assert not CursorStore(None, "photos").available


def test_a_hundred_thousand_tasks_fit_and_one_more_writes_two_values():
    state = State()
    cursor = Cursor(NOW, marks(100_000), (mark_of("1"), mark_of("2")), told=3, total=7)
    store = CursorStore(state, "photos")
    asyncio.run(store.save(cursor))
    assert max(map(len, state.kept.values())) < 64 * 1024
    assert load(state) == cursor
    before = state.writes
    asyncio.run(store.save(Cursor(NOW, cursor.known | {mark_of("new")}, cursor.pending, told=4, total=7)))
    assert state.writes == before + 2
    asyncio.run(store.save(Cursor(NOW, cursor.known | {mark_of("new")}, cursor.pending, told=4, total=7)))
    assert state.writes == before + 2


def test_watchers_of_one_asset_keep_apart():
    state = State()
    asyncio.run(CursorStore(state, "photos").save(Cursor(NOW, marks(3))))
    assert asyncio.run(CursorStore(state, "videos").load()) is None


def test_a_kill_while_it_is_first_stored_leaves_none():
    state = State()
    state.life = 5
    with pytest.raises(ConnectionError):
        asyncio.run(CursorStore(state, "photos").save(Cursor(NOW, marks(1000))))
    assert load(state) is None


@pytest.mark.parametrize("life", range(8))
def test_a_kill_while_it_is_stored_loses_no_task_of_a_group(life):
    """Every task is told or waits to be told after the restart, wherever between two writes the kill came."""
    state = State()
    store = CursorStore(state, "photos")
    asyncio.run(store.save(Cursor(NOW)))
    present = {str(number): {"updated_at": str(number)} for number in range(5)}
    after, groups = arrived(Cursor(NOW), present, {}, every=2)
    assert len(groups) == 2
    state.life = state.writes + life
    with suppress(ConnectionError):
        asyncio.run(store.save(after))
    found = load(state)
    later, again = arrived(found, {**present, "5": {"updated_at": "5"}}, {}, every=2)
    told = {mark_of(ident) for group in again for ident in group}
    assert {mark_of("4"), mark_of("5")} <= told | {*later.pending}
