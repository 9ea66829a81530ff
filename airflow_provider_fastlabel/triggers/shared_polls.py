"""Shared polls: however many waits of a process ask FastLabel the same thing, it is asked once per interval.

Calls run in small pools of threads, because the client is synchronous and a triggerer's event loop must never stand
still. Each connection has a pool of its own: a server that holds its calls holds up only who waits for it. All polls of
a connection together keep to a share of its quota; where they want more, those that want most are stretched. State is
kept per event loop; nothing of it needs to survive, a restarted triggerer just asks again.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from airflow_provider_fastlabel.client.http.quota import calls_of_this_thread
from airflow_provider_fastlabel.hooks import settings as configuration
from airflow_provider_fastlabel.hooks.fastlabel import build_client
from airflow_provider_fastlabel.pipelines.waits.watch import JITTER
from airflow_provider_fastlabel.triggers.connections import read_settings
from airflow_provider_fastlabel.utils.errors import retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Iterator

    from airflow_provider_fastlabel.client import FastLabelClient

POLL_THREADS = 8
"""Calls that the triggers of one process make by one connection at once."""

POLL_RETRIES = 1
"""Retries of one call: the next look comes soon, so a thread must not be held by long back-offs."""

POLL_PATIENCE = 1.0
"""Seconds of a ``Retry-After`` that a thread sleeps; a longer one delays the next look, and the waits' logs say so."""

_MOMENT = 0.001
"""Seconds that are too short to wait for; what is left of them is owed."""

_BUSY = 0.05
"""Seconds after which the next look tries again if it has found every thread busy."""

_pools: dict[str, ThreadPoolExecutor] = {}
_clients: dict[str, tuple[str, FastLabelClient]] = {}
_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, Hashable], Poll]] = WeakKeyDictionary()
_paces: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Pace]] = WeakKeyDictionary()


def now() -> float:
    """Return the time on the clock of the running event loop, by which its polls go."""
    return asyncio.get_running_loop().time()


@dataclass
class Reading:
    """One answer, or the error that came in its place.

    :param at: when it was asked for, on the event loop's clock.
    """

    at: float
    answer: Any = None
    error: Exception | None = None


@dataclass
class Pace:
    """How fast the polls of one connection go together.

    What is allowed is shared out evenly. A poll that asks for less than its share has it all; the others divide what is
    left, so that one costly wait does not slow down those that take a call each. That holds on the average; polls that
    would come all at once come one after the other, and only when a thread is free: those that queued while the server
    or the machine was slow would go out in one burst when it is quick again.

    :param allowed: calls per second that they may make; unknown before the first call.
    """

    allowed: float = float("inf")
    _wanted: Counter[float] = field(default_factory=Counter)
    _owed: float = 0.0
    _since: float = 0.0
    _under_way: int = 0
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def demand(self) -> float:
        """Calls per second that the polls would make at the intervals they were given."""
        return sum(calls * polls for calls, polls in self._wanted.items())

    def change(self, before: float, now: float) -> None:
        """Take note that a poll wants other than it wanted before.

        :param before: calls per second; 0 for nothing.
        :param now: calls per second; 0 for nothing any more.
        """
        self._wanted[before] -= 1
        self._wanted[now] += 1
        for calls in (before, now):
            if not calls or not self._wanted[calls]:
                del self._wanted[calls]

    @asynccontextmanager
    async def turn(self, latest: float, interval: float) -> AsyncIterator[None]:
        """Wait until the looks before leave room for one more, as if each were one call; it is under way inside.

        Who came first goes first, so that none is left behind where the machine cannot do as much as it may.

        :param latest: time on the event loop's clock at which it is made even without room.
        :param interval: seconds after which it sees that the quota has grown.
        """
        in_line = await self._line_up(latest)
        try:
            while (pause := min(self._busy_for(), latest - now())) > _MOMENT:
                await asyncio.sleep(min(pause, interval))
            full = self._full_for()
            self._owed = 1 + (full * self.allowed if full > 0 else 0)
            self._since = now()
            self._under_way += 1
        finally:
            if in_line:
                self._line.release()
        try:
            yield
        finally:
            self._under_way -= 1

    async def _line_up(self, latest: float) -> bool:
        """Wait until all who came before have gone; tell whether they have, or it was too late to wait."""
        try:
            async with asyncio.timeout_at(None if latest == float("inf") else latest):
                return await self._line.acquire()
        except TimeoutError:
            return False

    def _busy_for(self) -> float:
        """Return how many seconds to wait before the look is tried again."""
        return max(self._full_for(), _BUSY if self._under_way >= POLL_THREADS else 0.0)

    def _full_for(self) -> float:
        """Return for how many seconds the looks before leave no room, by what is allowed now."""
        return self._owed / self.allowed - (now() - self._since)

    def stretch_of(self, demand: float) -> float:
        """Return by what the intervals of a poll are multiplied so that it keeps to its share; 1 if it does anyway.

        :param demand: calls per second that the poll would make.
        """
        left, polls = self.allowed, self._wanted.total()
        for calls, number in sorted(self._wanted.items()):
            if calls * polls > left:
                return max(1.0, demand * polls / left)
            left -= calls * number
            polls -= number
        return 1.0


@dataclass
class Poll:
    """What all waits on one thing share: the last reading, and the right to make the next.

    :param pace: that of all polls of the connection, which this one adds its demand to.
    :param readers: those who take part, in their own words: whoever asks can ask what all of them want to know.
    """

    pace: Pace = field(default_factory=Pace)
    started: float = field(default_factory=now)
    last: Reading | None = None
    readers: list[Any] = field(default_factory=list)
    spread: float = 0.0
    phase: float = field(default_factory=lambda: random.uniform(0, 2))
    spent: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _demand: float = 0.0

    def due(self, interval: float) -> float:
        """Return when the next reading may be made, on the event loop's clock."""
        # Polls that began together go apart by what their intervals are longer than asked for.
        pause = interval * (1 + self.spread) * (1 + (self.stretch - 1) * self.phase)
        if self.last is None:
            return self.started + pause
        asked_for = retry_after(self.last.error) or 0.0
        return self.last.at + max(pause, asked_for)

    @property
    def stretch(self) -> float:
        """By what the intervals are multiplied, on average."""
        return self.pace.stretch_of(self._demand)

    @property
    def answer(self) -> Any:
        """The last answer, ``None`` before the first and after an error."""
        return self.last.answer if self.last else None

    def demand(self, calls: int, interval: float) -> None:
        """Say what this poll would ask for.

        :param calls: calls that one reading takes, with what waits ask for themselves after it; 0 for none any more.
        :param interval: seconds between two readings.
        """
        before, self._demand = self._demand, calls / interval
        self.pace.change(before, self._demand)

    async def reading(
        self, ask: Callable[[], Any], *, newer_than: float, interval: float, latest: float = float("inf")
    ) -> Reading:
        """Return a reading made after ``newer_than``, making it when it is due and no other wait has.

        :param ask: coroutine function that gets the answer.
        :param newer_than: time on the event loop's clock.
        :param interval: seconds between two readings, by the wish of this wait.
        :param latest: time on that clock at which a reading is made even before it is due.
        """
        if self.last is None and not self._demand:
            self.demand(1, interval)
        while self.last is None or self.last.at <= newer_than:
            pause = min(self.due(interval), latest) - now()
            if pause > 0:
                # Not all of it at once: others may leave meanwhile, or the quota may grow.
                await asyncio.sleep(min(pause, interval))
                continue
            seen = self.last
            async with self.lock:
                if self.last is seen:
                    async with self.pace.turn(latest, interval):
                        self.last = await _read(ask)
                    self.demand(max(1, self.spent), interval)
                    self.spent = 0
                    self.spread, self.phase = random.uniform(0, JITTER), random.uniform(0.5, 1.5)
        return self.last


async def _read(ask: Callable[[], Any]) -> Reading:
    """Ask once; an error becomes part of the reading, so that every wait that shares it learns of it."""
    at = now()
    try:
        return Reading(at, answer=await ask())
    except Exception as error:
        return Reading(at, error=error)


@contextmanager
def shared_poll(conn_id: str, key: Hashable, reader: Any = None) -> Iterator[Poll]:
    """Take part in the poll of this event loop with that key; it is forgotten when the last reader leaves.

    :param conn_id: id of the Airflow connection.
    :param key: what is asked.
    :param reader: who takes part, see :class:`Poll`.
    """
    loop = asyncio.get_running_loop()
    pace = _paces.setdefault(loop, {}).setdefault(conn_id, Pace())
    board = _boards.setdefault(loop, {})
    poll = board.setdefault((conn_id, key), Poll(pace, spread=random.uniform(0, JITTER)))
    poll.readers.append(reader)
    try:
        yield poll
    finally:
        poll.readers.remove(reader)
        if not poll.readers and board.get((conn_id, key)) is poll:
            poll.demand(0, 1)
            del board[conn_id, key]


async def call(conn_id: str, function: Callable[[FastLabelClient], Any], poll: Poll) -> Any:
    """Call FastLabel from an event loop without holding it up.

    The connection is read anew each time, so that a rotated token is taken up; the client, with its open connections,
    is kept as long as the connection says the same.

    :param conn_id: id of the Airflow connection.
    :param function: what to do with the client, in a thread of the connection's pool.
    :param poll: on whose account the calls go.
    """
    settings = await read_settings(conn_id)
    fingerprint = settings.fingerprint()

    def work() -> Any:
        known = _clients.get(conn_id)
        if known is None or known[0] != fingerprint:
            client = build_client(settings, max_retries=POLL_RETRIES)
            client.transport.patience = lambda: POLL_PATIENCE
            known = _clients[conn_id] = (fingerprint, client)
        quota = known[1].quota
        poll.pace.allowed = configuration.wait_quota_share() * quota.limit / quota.window
        before = calls_of_this_thread()
        try:
            return function(known[1])
        finally:
            poll.spent += calls_of_this_thread() - before

    return await asyncio.get_running_loop().run_in_executor(_pool(conn_id), work)


def _pool(conn_id: str) -> ThreadPoolExecutor:
    """Return the threads of a connection; those of a new pool start when they are needed."""
    if conn_id not in _pools:
        _pools[conn_id] = ThreadPoolExecutor(POLL_THREADS, thread_name_prefix=f"fastlabel-poll-{conn_id}")
    return _pools[conn_id]
