"""The quota of calls FastLabel grants, kept on our side so that we use all of it and never cause a 429 ourselves."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_fastlabel.client.arguments import LONGEST_DURATION, is_whole
from airflow_provider_fastlabel.client.exceptions import RateLimited
from airflow_provider_fastlabel.client.http.ledgers.ledger import ProcessLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_fastlabel.client.http.ledgers.ledger import Ledger

    Slot = tuple[Ledger, Any]

log: logging.Logger = logging.getLogger(__name__)

WINDOW_SECONDS = 600.0
"""Length of FastLabel's window: 10,000 calls per 10 minutes (seed, L13)."""


class Quota:
    """An exact sliding window over the calls of all threads of this process, and of all others that its ledger knows.

    :param limit: calls per window, at least 1.
    :param window: length of the window in seconds.
    :param clock: a monotonic clock in seconds.
    :param ledger: counts the calls; by default those of this process alone.
    """

    def __init__(
        self,
        limit: int,
        window: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        ledger: Ledger | None = None,
    ) -> None:
        self.window = window
        self._clock = clock
        self._ledger = ledger or ProcessLedger(window, clock)
        self._quiet_until = clock()
        self._changed = threading.Condition(threading.Lock())
        self.limit = limit
        _every_quota.add(self)

    @property
    def limit(self) -> int:
        """Calls per window."""
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        if not is_whole(value, 1):
            raise ValueError(f"calls_per_10_minutes must be a whole number of at least 1, not {value!r}.")
        with self._changed:
            self._limit = value
            self._changed.notify_all()

    def remaining(self) -> int:
        """Return how many calls may start at this moment without waiting."""
        with self._changed:
            try:
                return self._ledger.free(self._limit)
            except OSError as error:
                return self._count_alone(error).free(self._limit)

    @contextlib.contextmanager
    def slot(self, patience: Callable[[], float] | None = None) -> Iterator[None]:
        """Take a slot for one call, waiting for it if none is free, and stamp it when the call is over.

        :param patience: asked for the longest wait in seconds; ``None`` to wait as long as it takes.
        :raises RateLimited: the next slot is farther away than that. Its ``retry_after`` says when the window will be
            empty: whoever comes back in another process may know nothing of the calls of this one.
        """
        slot = self._acquire(patience)
        _this_thread.calls = calls_of_this_thread() + 1
        try:
            yield
        finally:
            self.give_back(slot)

    def take_if_free(self) -> Slot | None:
        """Take a slot for one call if one is free at this moment; :meth:`give_back` is then called with it, once.

        Another thread may make the call; it counts for the thread that took the slot.

        :returns: the slot; ``None`` if none is free.
        """
        with self._changed:
            receipt = self._take()
            slot = None if receipt is None else (self._ledger, receipt)
        if slot is not None:
            _this_thread.calls = calls_of_this_thread() + 1
        return slot

    def give_back(self, slot: Slot, *, sent: bool = True) -> None:
        """Say that the call of a slot is over.

        :param slot: the slot.
        :param sent: whether there was a call. Where there was none, the slot is free again at once, if no Redis counts.
        """
        ledger, receipt = slot
        with self._changed:
            try:
                ledger.settle(receipt, sent=sent)
            except OSError as error:
                self._count_alone(error)
            self._changed.notify_all()  # one alone might have stopped waiting

    def _acquire(self, patience: Callable[[], float] | None) -> Slot:
        with self._changed:
            while (receipt := self._take()) is None:
                wait = self._wait()
                if wait is not None and patience is not None and wait > patience():
                    raise RateLimited(
                        f"All {self._limit} calls of the last {self.window:g} s are used; the next could go out in "
                        f"{wait:.0f} s. Nothing was sent.",
                        None,
                        self._ledger.all_free(),
                    )
                self._changed.wait(wait)
            return self._ledger, receipt

    def _take(self) -> Any | None:
        try:
            return self._ledger.take(self._limit)
        except OSError as error:
            return self._count_alone(error).take(self._limit)

    def _wait(self) -> float | None:
        """Return seconds until it is worth asking again; ``None`` if only the end of a call of ours can help."""
        pause = self._ledger.next_free()
        if pause is None:
            return None
        now, wait = self._clock(), max(0.001, pause)
        if now >= self._quiet_until:
            self._quiet_until = now + wait
            log.info(
                "All %d calls of the last %g s are used; the next goes out in %.1f s.", self._limit, self.window, wait
            )
        return wait

    def _count_alone(self, error: OSError) -> ProcessLedger:
        """Go on with a ledger of this process's own, and say so."""
        log.warning(
            "The call quota cannot be shared with the other processes of this machine: %s. This process counts its "
            "calls alone from now on; if others use the same token, give each its part by calls_per_10_minutes.",
            error,
        )
        self._ledger = ledger = ProcessLedger(self.window, self._clock)
        _counting_alone.add(self)
        return ledger

    def _forked(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._ledger.forked()


def calls_of_this_thread() -> int:
    """Return how many slots the calling thread has taken so far, of any quota: the difference of two answers counts."""
    taken: int = getattr(_this_thread, "calls", 0)
    return taken


_this_thread = threading.local()
_every_quota: weakref.WeakSet[Quota] = weakref.WeakSet()
_counting_alone: set[Quota] = set()
"""Those that are kept although no client uses them: nobody else remembers their calls."""
_shared: weakref.WeakValueDictionary[tuple[str, str | None], Quota] = weakref.WeakValueDictionary()
_shared_lock = threading.Lock()


def shared_quota(
    api_url: str, token: str, limit: int, *, window: float = WINDOW_SECONDS, redis: str | None = None
) -> Quota:
    """Return the quota of a token at an API, one for all clients of this user on this machine.

    The limit named last holds for all clients of a process.

    :param api_url: base URL of the API.
    :param token: access token; only a digest is kept, of which it is the key.
    :param limit: calls per window.
    :param window: length of the window in seconds.
    :param redis: address of a Redis by which several machines share it; ``None`` for this machine alone.
    :raises ValueError: if an argument cannot be one; the message names it.
    """
    number = isinstance(window, int | float) and not isinstance(window, bool)
    if not (number and 0 < window <= LONGEST_DURATION):
        raise ValueError(f"quota_seconds must be a positive number of seconds, not {window!r}.")
    about = f"FastLabel's call quota at {urlsplit(api_url).netloc.lower()}, window of {float(window)!r} s"
    name = hmac.new(token.encode(), about.encode(), hashlib.sha256).hexdigest()[:32]
    with _shared_lock:
        quota = _shared.get((name, redis))
        if quota is None:
            quota = _shared[name, redis] = Quota(limit, window, ledger=_ledger(name, window, redis))
        quota.limit = limit
        return quota


def _ledger(name: str, window: float, redis: str | None) -> Ledger:
    """Return what counts the calls; nothing is opened and nobody asked before the first call."""
    from airflow_provider_fastlabel.client.http.ledgers.host_ledger import HostLedger

    host = HostLedger(name, window)
    if redis is None:
        return host
    from airflow_provider_fastlabel.client.http.ledgers.redis_ledger import RedisLedger

    return RedisLedger(name, window, redis, host)


def _after_fork() -> None:
    """Give a forked child fresh locks: a thread that held one is not there any more to release it."""
    global _shared_lock
    _shared_lock = threading.Lock()
    for quota in list(_every_quota):
        quota._forked()


os.register_at_fork(after_in_child=_after_fork)
