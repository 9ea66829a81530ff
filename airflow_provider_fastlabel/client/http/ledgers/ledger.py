"""Who counts the calls of a quota: what every such ledger answers, and the one that knows its own process only."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Ledger(Protocol):
    """An exact sliding window over calls.

    A call is taken when it is sent and settled when its answer came. FastLabel counted it somewhere in between, so a
    taken call fills its place until it is settled, and then for a window. One thread at a time uses a ledger.
    """

    def take(self, limit: int) -> Any | None:
        """Take a place for one call.

        :param limit: places in a window.
        :returns: a receipt for :meth:`settle`; ``None`` if no place is free.
        :raises OSError: if the ledger cannot be kept any more.
        """

    def settle(self, receipt: Any, *, sent: bool = True) -> None:
        """Say that the call of a receipt is over.

        :param receipt: as :meth:`take` gave it.
        :param sent: whether there was a call; where there was none, its place is free again if that is possible.
        :raises OSError: if the ledger cannot be kept any more.
        """

    def free(self, limit: int) -> int:
        """Return how many places are free at this moment.

        :raises OSError: if the ledger cannot be kept any more.
        """
        raise NotImplementedError

    def next_free(self) -> float | None:
        """Return after how many seconds to ask again, where none was free; ``None``: when a call of ours is over."""

    def all_free(self) -> float:
        """Return the seconds until every place is free, if nobody takes another."""
        raise NotImplementedError

    def forked(self) -> None:
        """Take note that this process is the child of the one that kept the ledger: the calls under way are not its."""


class ProcessLedger:
    """Counts the calls of this process alone.

    :param window: length of the window in seconds.
    :param clock: a monotonic clock in seconds.
    """

    def __init__(self, window: float, clock: Callable[[], float]) -> None:
        self._window = window
        self._clock = clock
        self._stamps: deque[float] = deque()
        self._under_way = 0

    def take(self, limit: int) -> Any | None:
        """See :class:`Ledger`."""
        if self.free(limit) < 1:
            return None
        self._under_way += 1
        return True

    def settle(self, receipt: Any, *, sent: bool = True) -> None:
        """See :class:`Ledger`; one receipt is like another."""
        del receipt
        self._under_way -= 1
        if sent:
            self._stamps.append(self._clock())

    def free(self, limit: int) -> int:
        """See :class:`Ledger`."""
        horizon = self._clock() - self._window
        while self._stamps and self._stamps[0] <= horizon:
            self._stamps.popleft()
        return max(0, limit - self._under_way - len(self._stamps))

    def next_free(self) -> float | None:
        """See :class:`Ledger`."""
        return self._stamps[0] + self._window - self._clock() if self._stamps else None

    def all_free(self) -> float:
        """See :class:`Ledger`."""
        return self._stamps[-1] + self._window - self._clock() if self._stamps else 0.0

    def forked(self) -> None:
        """See :class:`Ledger`."""
        self._under_way = 0
