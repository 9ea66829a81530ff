"""Lazy reading of a whole list that may change while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_fastlabel.client.exceptions import FastLabelException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

SHORTEST_PAGE = 10
"""No list of FastLabel has a smaller page maximum (seed, L551, L749): a shorter page is the last one."""
TOO_OFTEN = 20
"""Times in a row that a page may come again, moved on by items that join in front of it."""


def iterate(path: str, fetch: Callable[[int, int], Sequence[T]], page_size: int, key: str | int = "id") -> Iterator[T]:
    """Yield every item of a list once, reading page by page.

    The API pages by offset. When an item leaves the list meanwhile (a filter on the status is enough), all behind it
    move up, and a plain loop over offsets would miss some. So each page begins one item before the end of the last one.
    If that item is not where it was, the pager reads further back until it meets one it knows. It relies on a stable
    order (creation order), and yields every item that was in the list all the time; one that joins or leaves meanwhile
    may or may not be seen.

    :param path: of the list, for messages.
    :param fetch: returns the items from an offset on, at most as many as the second argument says. Shorter pages are
        fine.
    :param page_size: the largest page of this list, at least :data:`SHORTEST_PAGE`.
    :param key: of what tells two items apart.
    :raises FastLabelException: if an item lacks the key, or the server gives the same page at every offset.
    """
    seen: set[object] = set()
    offset = 0
    last: list[object] = []
    repeated = 0
    while True:
        page, offset = _overlapping(fetch, page_size, offset, seen, path, key)
        names = _names(path, page, key)
        fresh = []
        for item, name in zip(page, names, strict=True):
            if name not in seen:
                seen.add(name)
                fresh.append(item)
        if not fresh and len(page) <= 1:
            return
        repeated = repeated + 1 if names == last else 0
        if repeated == TOO_OFTEN:
            raise FastLabelException(f"GET {path}: the list gives the same page at every offset; it cannot be read on.")
        yield from fresh
        last = names
        offset += len(page) - 1


def _overlapping(
    fetch: Callable[[int, int], Sequence[T]],
    page_size: int,
    offset: int,
    seen: set[object],
    path: str,
    key: str | int,
) -> tuple[Sequence[T], int]:
    """Return a page that begins with an item seen before, or at the start of the list, and its offset."""
    page = fetch(offset, page_size)
    step = page_size - 1
    while offset > 0 and (not page or _names(path, page, key)[0] not in seen):
        offset = max(0, offset - step)
        step *= 2
        page = fetch(offset, page_size)
    return page, offset


def _names(path: str, page: Any, key: str | int) -> list[object]:
    """Return what tells the items of a page apart."""
    try:
        names: list[object] = [item[key] for item in page] if isinstance(page, list) else [None]
    except (KeyError, TypeError, IndexError):
        names = [None]
    if all(isinstance(name, str | int) for name in names):
        return names
    raise _unexpected(path, f"a list of objects that all have {key!r}")


def objects(path: str, answer: Any) -> list[Any]:
    """Return the answer of a list.

    :raises FastLabelException: if it is something else.
    """
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise _unexpected(path, "a list of objects")
    return answer


def mapped(path: str, answer: Any) -> dict[str, str]:
    """Return the answer of a map of ids to names or slugs.

    :raises FastLabelException: if it is something else.
    """
    if not isinstance(answer, dict) or not all(isinstance(value, str) for value in answer.values()):
        raise _unexpected(path, "an object of texts")
    return answer


def exactly(path: str, key: str, value: str, page: Any, every: Callable[[], Iterator[Any]]) -> Any:
    """Return the item whose ``key`` is exactly ``value``, ``None`` if there is none.

    :param path: of the list, for messages.
    :param page: the first page FastLabel gives for this value. Should FastLabel match by part, and this page be full of
        others, the exact one may be on a later page.
    :param every: returns a pager of all items FastLabel gives for this value.
    :raises FastLabelException: if the page is no list of objects, or the item has no id.
    """
    found = next((item for item in objects(path, page) if item.get(key, value) == value), None)
    if found is None and len(page) >= SHORTEST_PAGE:
        found = next((item for item in every() if item.get(key) == value), None)
    if found is not None and not found.get("id"):
        raise _unexpected(path, "objects that all have 'id'")
    return found


def _unexpected(path: str, expected: str) -> FastLabelException:
    return FastLabelException(f"GET {path}: FastLabel did not answer with {expected}. Check the API URL.")
