"""Annotations on disk: what readers take of a large data set waits in one file until its picture's turn comes.

The file lies in the temporary folder and has no name there, so that nothing is left of it however the process ends, and
nobody else can open it.
"""

from __future__ import annotations

import os
import pickle
import struct
import tempfile
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_HEAD = struct.Struct("<qQ")
_NONE_BEFORE = -1
_BUFFER_BYTES = 1 << 20
_START_BYTES = 4096
"""What is read of a piece at once: most are shorter."""


class Spool:
    """A file of lists, each written in one or more pieces. Safe to use from several threads.

    :param folder: where the file lies; ``None`` for the temporary folder.
    :raises OSError: there is no room.
    """

    def __init__(self, folder: str | None = None) -> None:
        with tempfile.TemporaryFile(prefix="fastlabel-annotations-", dir=folder) as file:
            self._descriptor = os.dup(file.fileno())
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._written = 0

    def close(self) -> None:
        """Give the room back. Lists that were not read are gone."""
        self._close()

    def new_list(self) -> SpooledList:
        """Return an empty list that is kept in this file."""
        return SpooledList(self)

    def keep(self, items: Iterable[dict[str, Any]]) -> SpooledList:
        """Return a list that is kept in this file.

        :param items: what it holds.
        """
        kept = SpooledList(self)
        kept.extend(items)
        return kept

    def put(self, items: list[dict[str, Any]], before: int) -> int:
        """Write a piece of a list.

        :param items: the piece.
        :param before: where the piece before it lies; -1 for the first one.
        :returns: where it lies.
        """
        content = pickle.dumps(items, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            place = self._written + len(self._buffer)
            self._buffer += _HEAD.pack(before, len(content))
            self._buffer += content
            if len(self._buffer) >= _BUFFER_BYTES:
                self._flush()
        return place

    def get(self, place: int) -> tuple[list[dict[str, Any]], int]:
        """Read a piece of a list.

        :param place: where it lies.
        :returns: the piece, and where the one before it lies.
        """
        with self._lock:
            if place + _HEAD.size > self._written:
                self._flush()
        start = os.pread(self._descriptor, _START_BYTES, place)
        before, size = _HEAD.unpack_from(start)
        items: list[dict[str, Any]] = pickle.loads(self._content(size, place + _HEAD.size, start[_HEAD.size :]))
        return items, before

    def _content(self, size: int, place: int, content: bytes) -> bytes:
        """Return so many bytes from a place on, of which some, or more than them, are there."""
        while len(content) < size:  # Linux gives two gigabytes at most
            content += os.pread(self._descriptor, size - len(content), place + len(content))
        return content

    def _flush(self) -> None:
        """Write what is collected; called with the lock held."""
        with memoryview(self._buffer) as content:
            done = 0
            while done < len(content):
                done += os.pwrite(self._descriptor, content[done:], self._written + done)
        self._written += len(self._buffer)
        self._buffer = bytearray()


def change_each(lists: Iterable[list[dict[str, Any]] | SpooledList], change: Callable[[dict[str, Any]], bool]) -> None:
    """Change annotations where they are kept.

    :param lists: lists of annotations.
    :param change: changes an annotation in place, and tells whether it did.
    """
    for own in lists:
        if isinstance(own, SpooledList):
            items = own.read()
            changed = [change(item) for item in items]
            if any(changed):
                own.replace(items)
        else:
            for item in own:
                change(item)


class SpooledList(Sequence[dict[str, Any]]):
    """A list of annotations on disk. Whoever looks at it gets copies: changing those changes nothing.

    :param spool: the file.
    """

    __slots__ = ("_count", "_last", "_spool")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._last = _NONE_BEFORE
        self._count = 0

    def extend(self, items: Iterable[dict[str, Any]]) -> None:
        """Add items at the end.

        :param items: the items.
        """
        listed = list(items)
        if listed:
            self._last = self._spool.put(listed, self._last)
            self._count += len(listed)

    def replace(self, items: Iterable[dict[str, Any]]) -> None:
        """Take other items instead of those that are there.

        :param items: the others.
        """
        self._last, self._count = _NONE_BEFORE, 0
        self.extend(items)

    def read(self) -> list[dict[str, Any]]:
        """Return all items."""
        pieces, place = [], self._last
        while place != _NONE_BEFORE:
            piece, place = self._spool.get(place)
            pieces.append(piece)
        if len(pieces) == 1:
            return pieces[0]
        return [item for piece in reversed(pieces) for item in piece]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.read()[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.read())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | SpooledList) else NotImplemented

    __hash__: ClassVar[None]  # type: ignore[assignment]  # a class with __eq__ alone has none

    def __repr__(self) -> str:
        return f"<{self._count} annotations on disk>"
