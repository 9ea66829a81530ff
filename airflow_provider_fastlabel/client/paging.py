"""Lazy reading of a whole list that may change while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_fastlabel.client.exceptions import FastLabelException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

TOO_OFTEN = 20
"""Times in a row that a page may come again, moved on by items that join in front of it."""


def _id(item: Any) -> object:
    return item["id"]


def iterate(
    fetch: Callable[[int, int], Sequence[T]], page_size: int, identity: Callable[[T], object] = _id
) -> Iterator[T]:
    """Yield every item of a list once, reading page by page.

    The API pages by offset. When an item leaves the list meanwhile (a filter on the status is enough), all behind it
    move up, and a plain loop over offsets would miss some. So each page begins one item before the end of the last one.
    If that item is not where it was, the pager reads further back until it meets one it knows. It relies on a stable
    order (creation order), and yields every item that was in the list all the time; one that joins or leaves meanwhile
    may or may not be seen.

    :param fetch: returns the items from an offset on, at most as many as the second argument says. Shorter pages are
        fine.
    :param page_size: the largest page of this list; FastLabel has none below 10.
    :param identity: what tells two items apart.
    :raises FastLabelException: if the server gives the same page at every offset.
    """
    seen: set[object] = set()
    offset = 0
    last: list[object] = []
    repeated = 0
    while True:
        page, offset = _overlapping(fetch, page_size, offset, seen, identity)
        names = [identity(item) for item in page]
        fresh = [item for item, name in zip(page, names, strict=True) if name not in seen]
        if not fresh and len(page) <= 1:
            return
        repeated = repeated + 1 if names == last else 0
        if repeated == TOO_OFTEN:
            raise FastLabelException("The list gives the same page at every offset; it cannot be read on.")
        seen.update(names)
        yield from fresh
        last = names
        offset += len(page) - 1


def _overlapping(
    fetch: Callable[[int, int], Sequence[T]],
    page_size: int,
    offset: int,
    seen: set[object],
    identity: Callable[[T], object],
) -> tuple[Sequence[T], int]:
    """Return a page that begins with an item seen before, or at the start of the list, and its offset."""
    page = fetch(offset, page_size)
    step = page_size - 1
    while offset > 0 and (not page or identity(page[0]) not in seen):
        offset = max(0, offset - step)
        step *= 2
        page = fetch(offset, page_size)
    return page, offset
