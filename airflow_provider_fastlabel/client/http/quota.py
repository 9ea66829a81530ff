"""The quota of calls FastLabel grants, kept on our side so that we use all of it and never cause a 429 ourselves."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import is_whole
from airflow_provider_fastlabel.client.exceptions import RateLimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log: logging.Logger = logging.getLogger(__name__)

WINDOW_SECONDS = 600.0
"""Length of FastLabel's window: 10,000 calls per 10 minutes (seed, L13)."""


class Quota:
    """An exact sliding window over the calls of all threads of this process.

    A slot is taken when a call is sent and its time is stamped when the answer came. FastLabel counted the call
    somewhere in between, so at no moment can its own window hold more calls than ours.

    :param limit: calls per window, at least 1.
    :param window: length of the window in seconds.
    :param clock: a monotonic clock in seconds.
    """

    def __init__(self, limit: int, window: float = WINDOW_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.window = window
        self._clock = clock
        self._stamps: deque[float] = deque()
        self._quiet_until = clock()
        self._renew_lock()
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
            return self._free()

    @contextlib.contextmanager
    def slot(self, patience: Callable[[], float] | None = None) -> Iterator[None]:
        """Take a slot for one call, waiting for it if none is free, and stamp it when the call is over.

        :param patience: asked for the longest wait in seconds; ``None`` to wait as long as it takes.
        :raises RateLimited: the next slot is farther away than that. Its ``retry_after`` says when the window will be
            empty: whoever comes back in another process knows nothing of the calls of this one.
        """
        self._acquire(patience)
        _this_thread.calls = calls_of_this_thread() + 1
        try:
            yield
        finally:
            self.give_back(used=True)

    def take_if_free(self) -> bool:
        """Take a slot for one call if one is free at this moment; :meth:`give_back` is then called, once.

        Another thread may make the call; it counts for the thread that took the slot.

        :returns: whether there was one.
        """
        with self._changed:
            if self._free() < 1:
                return False
            self._in_flight += 1
        _this_thread.calls = calls_of_this_thread() + 1
        return True

    def give_back(self, *, used: bool) -> None:
        """End what :meth:`take_if_free` began.

        :param used: whether the call was sent. One that was not is free again at once.
        """
        with self._changed:
            self._in_flight -= 1
            if used:
                self._stamps.append(self._clock())
            self._changed.notify_all()  # one alone might have stopped waiting

    def _acquire(self, patience: Callable[[], float] | None) -> None:
        with self._changed:
            while self._free() < 1:
                wait = self._wait()
                if wait is not None and patience is not None and wait > patience():
                    raise RateLimited(
                        f"All {self._limit} calls of the last {self.window:g} s are used; the next could go out in "
                        f"{wait:.0f} s. Nothing was sent.",
                        None,
                        self._stamps[-1] + self.window - self._clock(),
                    )
                self._changed.wait(wait)
            self._in_flight += 1

    def _free(self) -> int:
        horizon = self._clock() - self.window
        while self._stamps and self._stamps[0] <= horizon:
            self._stamps.popleft()
        return max(0, self._limit - self._in_flight - len(self._stamps))

    def _wait(self) -> float | None:
        """Return seconds until the oldest stamp leaves the window; ``None`` if only the end of a call can help."""
        if not self._stamps:
            return None
        now = self._clock()
        wait = max(0.001, self._stamps[0] + self.window - now)
        if now >= self._quiet_until:
            self._quiet_until = now + wait
            log.info(
                "All %d calls of the last %g s are used; the next goes out in %.1f s.", self._limit, self.window, wait
            )
        return wait

    def _renew_lock(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._in_flight = 0


def calls_of_this_thread() -> int:
    """Return how many slots the calling thread has taken so far, of any quota: the difference of two answers counts."""
    taken: int = getattr(_this_thread, "calls", 0)
    return taken


_this_thread = threading.local()
_every_quota: weakref.WeakSet[Quota] = weakref.WeakSet()
_shared: dict[tuple[str, str], Quota] = {}
_shared_lock = threading.Lock()


def shared_quota(api_url: str, token: str, limit: int) -> Quota:
    """Return the quota of a token at an API, one for all clients of this process.

    The limit named last holds for all of them.

    :param api_url: base URL of the API.
    :param token: access token; only its digest is kept.
    :param limit: calls per 10 minutes.
    :raises ValueError: if ``limit`` is below 1.
    """
    key = (api_url, hashlib.sha256(token.encode()).hexdigest())
    with _shared_lock:
        quota = _shared.get(key)
        if quota is None:
            quota = _shared[key] = Quota(limit)
        quota.limit = limit
        return quota


def _after_fork() -> None:
    """Give a forked child fresh locks: a thread that held one is not there any more to release it."""
    global _shared_lock
    _shared_lock = threading.Lock()
    for quota in list(_every_quota):
        quota._renew_lock()


os.register_at_fork(after_in_child=_after_fork)
