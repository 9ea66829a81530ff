"""Where a watcher's memory lies: Airflow's asset state store (3.3 and later), or nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.marks import split_marks
from airflow_provider_fastlabel.triggers.arrivals import Cursor

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = 16
"""Values that the marks are spread over: each then holds those of 8,000 tasks within the store's 64 KiB, and one more
task rewrites one of them."""


class CursorStore:
    """Keeps the cursor of one watcher in the state of the assets it watches for.

    A watcher that several assets share keeps it in each of them, so that it outlives the removal of one.

    :param accessors: what Airflow gives a watcher, ``None`` before 3.3 and outside a triggerer.
    :param identity: JSON values that say what is watched; another identity is another watcher.
    """

    def __init__(self, accessors: Any, *identity: Any) -> None:
        self._stores = _single_stores(accessors)
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._name = f"fastlabel_watcher_{digest[:16]}"
        self._saved: dict[str, Any] = {}
        self._last: Cursor | None = None

    @property
    def available(self) -> bool:
        """Whether this Airflow can store it."""
        return bool(self._stores)

    async def load(self) -> Cursor | None:
        """Return the stored cursor, ``None`` if there is none."""
        for store in self._stores:
            head = await store.aget(self._name)
            if isinstance(head, dict):
                return await self._read(store, head)
        return None

    async def save(self, cursor: Cursor) -> None:
        """Store a cursor; only what differs from the one stored before is written.

        The head goes last at first, so that a kill leaves no cursor that knows nothing; later it goes first, so that a
        kill lets something be told twice rather than never.

        :param cursor: what to store.
        """
        if cursor == self._last or not self._stores:
            return
        values = await asyncio.to_thread(self._values, cursor)
        for key, value in values if self._name in self._saved else reversed(values):
            if self._saved.get(key, "") != value:
                for store in self._stores:
                    await store.aset(key, value)
                self._saved[key] = value
        self._last = cursor

    def _values(self, cursor: Cursor) -> list[tuple[str, Any]]:
        """Return what is stored of a cursor, by key, the head first."""
        marks: dict[int, list[str]] = {part: [] for part in range(PARTS)}
        for mark in sorted(cursor.known):
            marks[_part_of(mark)].append(mark)
        pending = "".join(cursor.pending)
        head = {"since": cursor.since, "pending": pending, "told": cursor.told, "total": cursor.total}
        return [(self._name, head), *((f"{self._name}_{part}", "".join(found)) for part, found in marks.items())]

    async def _read(self, store: Any, head: Mapping[str, Any]) -> Cursor:
        self._saved = {self._name: dict(head)}
        for part in range(PARTS):
            key = f"{self._name}_{part}"
            self._saved[key] = await store.aget(key) or ""
        marks = "".join(self._saved[f"{self._name}_{part}"] for part in range(PARTS))
        pending = tuple(split_marks(head["pending"]))
        self._last = Cursor(head["since"], frozenset(split_marks(marks)), pending, head["told"], head["total"])
        return self._last


def _part_of(mark: str) -> int:
    """Return which part holds a mark."""
    return hashlib.sha256(mark.encode()).digest()[0] % PARTS


def _single_stores(accessors: Any) -> list[Any]:
    """Return the store of each asset: the accessor of all of them answers only where there is one."""
    if accessors is None:
        return []
    by_asset = {**getattr(accessors, "_by_name", {}), **getattr(accessors, "_by_uri", {})}
    return [store for _, store in sorted(by_asset.items())] or [accessors]
