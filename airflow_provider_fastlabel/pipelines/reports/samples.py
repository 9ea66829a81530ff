"""Counts with a few pictures that stand for each, chosen so that the figures share their pictures.

Each picture has a rank, made of its name alone. A count keeps the pictures of the lowest ranks that it has met. So the
choice does not depend on the order of the tasks, stays much the same from night to night, and a picture that stands for
one bar tends to stand for others too: the page needs few.
"""

from __future__ import annotations

import zlib
from bisect import insort
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

KEPT = 4
"""Pictures that are kept for one count."""


def rank_of(name: str) -> int:
    """Return the rank of a picture: 0 to 2**32 - 1, the same in every run.

    :param name: of the picture.
    """
    return zlib.crc32(name.encode("utf-8", "surrogatepass"))


class Samples:
    """Counts by key, and the pictures of the lowest ranks of each.

    :param most: keys at most; what comes further is counted under ``None``, if at all.
    """

    def __init__(self, most: int = 100_000) -> None:
        self.counts: Counter[Any] = Counter()
        self._kept: dict[Any, list[tuple[int, int]]] = {}
        self._most = most

    def add(self, key: Hashable, number: int, rank: int, count: int = 1) -> None:
        """Count, and keep the picture if its rank is low.

        :param key: what is counted.
        :param number: of the picture.
        :param rank: of the picture.
        :param count: how often.
        """
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= self._most and key is not None:
                key = None
            kept = self._kept.setdefault(key, [])
        self.counts[key] += count
        pair = (rank, number)
        if len(kept) < KEPT:
            if pair not in kept:
                insort(kept, pair)
        elif pair < kept[-1] and pair not in kept:
            insort(kept, pair)
            kept.pop()

    def add_all(self, keys: NDArray[np.int64], numbers: NDArray[np.int64], ranks: NDArray[np.int64]) -> None:
        """Count many at once.

        :param keys: what is counted, of each.
        :param numbers: the picture of each.
        :param ranks: the rank of its picture.
        """
        if not len(keys):
            return
        order = np.lexsort((numbers, ranks, keys))
        keys, numbers, ranks = keys[order], numbers[order], ranks[order]
        fresh = np.ones(len(keys), bool)  # one line a key and picture
        fresh[1:] = (keys[1:] != keys[:-1]) | (numbers[1:] != numbers[:-1])
        found, counts = np.unique(keys, return_counts=True)
        keys, numbers, ranks = keys[fresh], numbers[fresh], ranks[fresh]
        starts = np.searchsorted(keys, found)
        ends = np.append(starts[1:], len(keys))
        for key, count, start, end in zip(found.tolist(), counts.tolist(), starts, ends, strict=True):
            chosen = range(start, min(start + KEPT, end))
            for at in chosen:
                rest = count - len(chosen) if at == start else 0
                self.add(key, int(numbers[at]), int(ranks[at]), 1 + rest)

    def kept(self) -> Iterator[tuple[Any, list[tuple[int, int]]]]:
        """Yield each key with the rank and the number of its pictures, those of the lowest ranks first."""
        yield from self._kept.items()
