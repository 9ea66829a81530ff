"""A set of texts that takes some sixteen bytes for each, however long they are."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FEW = 20_000
"""Up to so many texts are kept themselves, which is faster."""
_FIRST_SLOTS = 1 << 16


class Seen:
    """Texts that have come before.

    Of many, 64 bits of a digest are kept, so a text that has not come may be taken for one that has: of a million
    texts, once in some thirty million runs. Which one that is depends on the texts alone.

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
        return bool(self._slots[self._place(_number(text))])

    def __len__(self) -> int:
        return self._count if self._few is None else len(self._few)

    def add(self, text: str) -> None:
        """Put a text in.

        :param text: the text.
        """
        if self._few is None:
            self._put(_number(text))
            return
        self._few.add(text)
        if len(self._few) > FEW:
            few, self._few = self._few, None
            self._grow(_FIRST_SLOTS)
            for one in few:
                self._put(_number(one))

    def _place(self, number: int) -> int:
        """Return the slot of a number, or the free one where it belongs."""
        slots, mask = self._slots, self._mask
        place = number & mask
        while slots[place] and slots[place] != number:
            place = (place + 1) & mask
        return place

    def _put(self, number: int) -> None:
        place = self._place(number)
        if self._slots[place]:
            return
        self._slots[place] = number
        self._count += 1
        if 2 * self._count > self._mask:
            self._grow(2 * (self._mask + 1))

    def _grow(self, slots: int) -> None:
        old, self._slots, self._mask = self._slots, array("Q", bytes(8 * slots)), slots - 1
        for number in old:
            if number:
                self._slots[self._place(number)] = number


def _number(text: str) -> int:
    """Return 64 bits that tell texts apart, never 0."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) or 1
