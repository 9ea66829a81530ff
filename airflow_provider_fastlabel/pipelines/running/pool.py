"""Runs one function over many items in a few threads, without holding more than those few items at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

POLL_SECONDS = 0.2
"""How often the calling thread looks up, so that a signal is answered quickly."""

GRACE_SECONDS = 3.0
"""How long work under way may finish after an interrupt; Airflow kills a task five seconds after asking it to end."""


def run_bounded(
    work: Callable[[T], object],
    items: Iterable[T],
    *,
    workers: int,
    stop: threading.Event,
    tick: Callable[[], object] = lambda: None,
) -> None:
    """Call ``work`` once for each item, in ``workers`` threads; items are taken only when a thread is free.

    No new item is taken once ``work`` has raised, ``stop`` is set, or the calling thread is interrupted.

    :param work: what to do with an item. An exception ends the run.
    :param items: taken lazily, one at a time.
    :param workers: how many threads.
    :param stop: set by others to end the run early.
    :param tick: called by the calling thread a few times a second.
    :raises Exception: the first one that ``work``, ``items`` or ``tick`` raised.
    """
    pool = _Pool(work, items, stop)
    # Daemon threads, because a thread that hangs in a call must not keep a killed task from ending.
    threads = [threading.Thread(target=pool.loop, name=f"fastlabel-{n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            _join(threads, POLL_SECONDS)
            tick()
    except BaseException as interrupt:
        pool.errors.append(interrupt)
        _join(threads, GRACE_SECONDS)
        raise
    if pool.errors:
        raise pool.errors[0]


class _Pool(Generic[T]):
    """What the threads of one run share."""

    def __init__(self, work: Callable[[T], object], items: Iterable[T], stop: threading.Event) -> None:
        self.errors: list[BaseException] = []
        self._work = work
        self._items = iter(items)
        self._turn = threading.Lock()
        self._stop = stop

    def loop(self) -> None:
        """Take items until there are none or the run is over."""
        try:
            while True:
                with self._turn:
                    if self.errors or self._stop.is_set():
                        return
                    item = next(self._items, _END)
                if isinstance(item, _End):
                    return
                self._work(item)
        except BaseException as error:
            self.errors.append(error)


class _End:
    """Marks the end of the items."""


_END = _End()


def _join(threads: list[threading.Thread], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
