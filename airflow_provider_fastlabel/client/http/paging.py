"""Lazy reading of a whole list that may change while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.http.shapes import unexpected
from airflow_provider_fastlabel.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client.http.reading_ahead import ReadAhead

T = TypeVar("T")

SHORTEST_PAGE = 10
"""No list of FastLabel has a smaller page maximum (seed, L551, L749): a shorter page is the last one."""
TOO_OFTEN = 20
"""Times in a row that a page may come again, moved on by items that join in front of it."""
MANY = 64
"""Pages after which the last item is looked up, since others may add items as fast as we read."""
MANY_SHORT = 4
"""Pages in a row, shorter than one before, after which the same is done: the end moves on."""
FARTHEST = 1 << 31
"""No list is that long."""


def iterate(
    path: str,
    fetch: Callable[[int, int], Sequence[T]],
    page_size: int,
    key: str | int = "id",
    ahead: ReadAhead[T] | None = None,
) -> Iterator[T]:
    """Yield every item of a list once, reading page by page, and end whatever others do to the list meanwhile.

    The API pages by offset. When an item leaves the list meanwhile (a filter on the status is enough), all behind it
    move up, and a plain loop over offsets would miss some. So each page begins one item before the end of the last one.
    If that item is not where it was, the pager reads further back until it meets one it knows. It relies on a stable
    order (creation order), and yields every item that was in the list all the time; one that joins or leaves meanwhile
    may or may not be seen.

    What joins after the start need not be read. A page of less than :data:`SHORTEST_PAGE` items ends with the last item
    there was when it came, so it is the last page. Where pages stay longer, because others add items as fast as we
    read, the pager asks which item is the last at that time, and ends with that.

    None of this depends on the order in which the server looks at the pages, so some may be asked for early: an item
    that stays lies between the same others at any time.

    :param path: of the list, for messages.
    :param fetch: returns the items from an offset on, at most as many as the second argument says. Shorter pages are
        fine, of at least :data:`SHORTEST_PAGE` items where as many are left.
    :param page_size: the largest page of this list, at least :data:`SHORTEST_PAGE`.
    :param key: of what tells two items apart.
    :param ahead: asks for pages early; ``None`` for each page when all items before it were taken.
    :raises FastLabelException: if an item lacks the key, the server gives the same page at every offset, or the list
        has no end.
    """
    try:
        for fresh in _fresh(path, fetch, page_size, key, ahead):
            fresh.reverse()
            while fresh:
                yield fresh.pop()  # a page of annotated tasks takes tens of megabytes: none stays while the next comes
    finally:
        if ahead is not None:
            ahead.stop()


def _fresh(
    path: str, fetch: Callable[[int, int], Sequence[T]], page_size: int, key: str | int, ahead: ReadAhead[T] | None
) -> Iterator[list[T]]:
    """Yield the items of each page that were in none before."""
    seen = Seen()  # and no text of a page, which would keep others of that page in memory
    offset = pages = longest = short = repeated = 0
    last: list[object] = []
    final: set[object] = set()  # items that were the last one at some time
    while True:
        page, offset = _overlapping(fetch if ahead is None else ahead.page, page_size, offset, seen, path, key)
        names, count = _names(path, page, key), len(page)
        fresh = []
        for item, name in zip(page, names, strict=True):
            if seen.add(str(name)):
                fresh.append(item)
        repeated = repeated + 1 if names == last else 0
        if repeated == TOO_OFTEN:
            raise FastLabelException(f"GET {path}: the list gives the same page at every offset; it cannot be read on.")
        del page  # what is fresh of it is the reader's alone, who takes it out item by item
        over = count < SHORTEST_PAGE or not final.isdisjoint(names)
        if ahead is not None and not over:
            ahead.foresee(offset + count - 1, count - 1, page_size)
        yield fresh
        if over:
            return
        pages, short = pages + 1, short + 1 if count < longest else 0
        last, longest = names, max(longest, count)
        offset += count - 1
        # Again after twice as many pages, and so on: what was the last item may have left.
        if any(times >= least and times.bit_count() == 1 for times, least in ((pages, MANY), (short, MANY_SHORT))):
            step = max(count, (0 if ahead is None else ahead.expected or 0) - 1 - offset)
            final.add(_last(fetch, page_size, offset, step, path, key))


def _overlapping(
    fetch: Callable[[int, int], Sequence[T]],
    page_size: int,
    offset: int,
    seen: Seen,
    path: str,
    key: str | int,
) -> tuple[Sequence[T], int]:
    """Return a page that begins with an item seen before, or at the start of the list, and its offset."""
    page = fetch(offset, page_size)
    step = page_size // 2  # of the page then read again half is new, if only a few items have left
    while offset > 0 and (not page or str(_names(path, page, key)[0]) not in seen):
        offset = max(0, offset - step)
        step *= 2
        page = fetch(offset, page_size)
    return page, offset


def _last(
    fetch: Callable[[int, int], Sequence[Any]], page_size: int, low: int, step: int, path: str, key: str | int
) -> object:
    """Return what tells the last item of the list apart, at some moment of the search; ``None`` if the list is empty.

    :param low: an offset with items behind it.
    :param step: how far to look ahead first; as far as the last item is thought to be, where that is known.
    """
    high = None  # an offset with no item
    while low < FARTHEST:
        offset = low + step if high is None else (low + high) // 2
        page = fetch(offset, page_size)
        end = offset + len(page)
        if page and (len(page) < SHORTEST_PAGE or (high is not None and end >= high)):
            return _names(path, page, key)[-1]
        if page:
            low, step = end - 1, step * 2
            continue
        if offset == 0:
            return None
        high = offset
        low = low if low < high else high // 2
    raise FastLabelException(f"GET {path}: the list has no end, so it cannot be read. Check the API URL.")


def _names(path: str, page: Any, key: str | int) -> list[object]:
    """Return what tells the items of a page apart."""
    try:
        names: list[object] = [item[key] for item in page] if isinstance(page, list) else [None]
    except (KeyError, TypeError, IndexError):
        names = [None]
    if all(isinstance(name, str | int) for name in names):
        return names
    raise unexpected(f"GET {path}", f"something else than a list of objects that all have {key!r}")


def exactly(path: str, key: str, value: str, page: Any, every: Callable[[], Iterator[Any]]) -> Any:
    """Return the item whose ``key`` is exactly ``value``, ``None`` if there is none.

    :param path: of the list, for messages.
    :param page: the first page FastLabel gives for this value. Should FastLabel match by part, and this page be full of
        others, the exact one may be on a later page.
    :param every: returns a pager of all items FastLabel gives for this value.
    :raises UnexpectedAnswer: if the item has no id.
    """
    found = next((item for item in page if item.get(key, value) == value), None)
    if found is None and len(page) >= SHORTEST_PAGE:
        found = next((item for item in every() if item.get(key) == value), None)
    if found is not None and not found.get("id"):
        raise unexpected(f"GET {path}", "something else than objects that all have 'id'")
    return found
