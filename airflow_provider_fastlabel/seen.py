"""A set of texts that takes some thirty bytes for each, however long they are."""

from __future__ import annotations

import hashlib
import struct
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FEW = 2_000
"""Up to so many texts are kept themselves, which is faster."""
_FIRST_SLOTS = 1 << 16
_HALVES = struct.Struct("<QQ")


class Seen:
    """Texts that have come before.

    Of many, 128 bits of a digest are kept. That two texts have the same ones is not to be met, however many come.

    :param texts: those that are in from the start.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._few: set[str] | None = set()
        self._slots: array[int] = array("Q")
        self._mask = 0
        self._count = 0
        for text in texts:
            self.add(text)

    def __contains__(self, text: str) -> bool:
        if self._few is not None:
            return text in self._few
        return bool(self._slots[self._place(*_digest(text))])

    def __len__(self) -> int:
        return self._count if self._few is None else len(self._few)

    def add(self, text: str) -> bool:
        """Put a text in.

        :param text: the text.
        :returns: whether it was not in before.
        """
        if self._few is None:
            return self._put(*_digest(text))
        before = len(self._few)
        self._few.add(text)
        new = len(self._few) > before
        if len(self._few) > FEW:
            few, self._few = self._few, None
            self._grow(_FIRST_SLOTS)
            for one in few:
                self._put(*_digest(one))
        return new

    def _place(self, first: int, second: int) -> int:
        """Return the place of a digest, or the free one where it belongs: of its first half, the second is behind."""
        slots, mask = self._slots, self._mask
        place = 2 * (first & mask)
        while slots[place] and (slots[place] != first or slots[place + 1] != second):
            place = (place + 2) & (2 * mask + 1)
        return place

    def _put(self, first: int, second: int) -> bool:
        place = self._place(first, second)
        if self._slots[place]:
            return False
        self._slots[place], self._slots[place + 1] = first, second
        self._count += 1
        if 5 * self._count > 4 * self._mask:
            self._grow(2 * (self._mask + 1))
        return True

    def _grow(self, count: int) -> None:
        old, self._slots, self._mask = self._slots, array("Q", bytes(16 * count)), count - 1
        for at in range(0, len(old), 2):
            if old[at]:
                place = self._place(old[at], old[at + 1])
                self._slots[place], self._slots[place + 1] = old[at], old[at + 1]


def _digest(text: str) -> tuple[int, int]:
    """Return 128 bits that tell texts apart, in halves, the first never 0."""
    first, second = _HALVES.unpack(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    return first or 1, second
