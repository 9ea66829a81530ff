"""Asks for the next pages of a list while those before them are worked on; what is read of them stays the pager's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_provider_fastlabel.client.arguments import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_fastlabel.client.http.early import EarlyAnswer

T = TypeVar("T")

PAGES_AHEAD = 8
"""Pages under way at a time where a list is read to its end: with answers that take 500 ms, 16,000 tasks a second."""
MOST_PAGES_AHEAD = 16
"""More connections than that to one list are not asked for."""
MOST_BYTES_AHEAD = 16 * 1024**2
"""Bytes of pages under way, by the largest page so far: a page of annotated tasks has one to four million."""


class ReadAhead(Generic[T]):
    """Pages under way, by their offsets. Used by one thread.

    It begins with one page, the next, which the pager asks for in any case. Each full page that came as foreseen and
    that had to be waited for lets one more be under way: 1, 2, 4, 8 at a time. So those asked for in vain, when the
    list ends or turns out to be another, are fewer than the pages read before; where no answer is waited for, there are
    none. While one has failed, which may be FastLabel's wish for a pause, nothing new is asked for.

    :param get: returns the items from an offset on, given what was asked for early, or ``None``.
    :param ask: asks for them early; ``None`` if that cannot be now.
    :param most: pages under way at most; 0 to ask for none.
    :param expected: items in the list as far as known. What lies behind is not asked for early, but for the next page.
    """

    def __init__(
        self,
        get: Callable[[int, int, EarlyAnswer | None], Sequence[T]],
        ask: Callable[[int, int], EarlyAnswer | None],
        most: int,
        expected: int | None = None,
    ) -> None:
        self._get = get
        self._ask = ask
        self.expected = expected
        self._most = most
        self._under_way: dict[int, EarlyAnswer] = {}
        self._window = 1
        self._longest = 0
        self._largest = 1

    def page(self, offset: int, limit: int) -> Sequence[T]:
        """Return the items from an offset on: of the page under way, else of one asked for now.

        :param offset: of the first item.
        :param limit: items at most, the same at each call.
        """
        early = self._under_way.pop(offset, None)
        if early is None:
            self.stop()  # the list is not as foreseen
        waits = early is None or not early.there
        page = self._get(offset, limit, early)
        if early is None or early.failed or len(page) < self._longest:
            self._window = 1
        elif waits:
            self._window = min(self._window + 1, self._most)
        self._longest = max(self._longest, len(page))
        self._largest = max(self._largest, 0 if early is None else early.size)
        return page

    def foresee(self, offset: int, step: int, limit: int) -> None:
        """Ask for the next pages.

        :param offset: of the next page.
        :param step: from the offset of one page to that of the next.
        :param limit: items of a page at most.
        """
        if offset not in self._under_way:
            self.stop()  # pages have become shorter, or longer
        for place in range(min(self._window, self._most, max(1, MOST_BYTES_AHEAD // self._largest))):
            at = offset + place * step
            if at in self._under_way:
                continue
            if any(early.failed for early in self._under_way.values()):
                return
            if place and self.expected is not None and at >= self.expected:
                return
            early = self._ask(at, limit)
            if early is None:
                return
            self._under_way[at] = early

    def stop(self) -> None:
        """Ask for nothing more, and forget what is under way."""
        for early in self._under_way.values():
            early.drop()
        self._under_way.clear()


def checked_ahead(pages_ahead: int, expected: int | None) -> None:
    """Check what is said of reading ahead.

    :raises FastLabelInvalidException: (422) naming what is no such number.
    """
    whole_number("pages_ahead", pages_ahead, MOST_PAGES_AHEAD)
    if expected is not None:
        whole_number("expected", expected)
