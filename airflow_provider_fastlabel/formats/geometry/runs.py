"""A mask is known by its runs: which pixels are filled, where its borders have corners, and what hangs together.

Nothing here is as large as the mask: a forged size of a million by a million pixels costs what its runs cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


class Runs:
    """The filled pixels of a mask, counted column by column.

    Each run is taken apart into pieces of one column. Of the whole columns that it fills only the first and the last
    are pieces: what lies between has no corner.

    :param bounds: where runs begin and end by turns; none is empty, and none touches the next.
    :param height: pixels of a column.
    """

    def __init__(self, bounds: Numbers, height: int) -> None:
        self._height = height
        self._starts, self._ends = starts, ends = bounds[::2], bounds[1::2]
        # A row more than there is: the row below the last piece of a column is not the first of the next column.
        self._step = height + 2
        first, last = starts // height, (ends - 1) // height
        several = first < last
        inner = last - first > 1
        none, full = np.zeros(inner.sum(), np.int64), np.full(inner.sum(), height)
        bottoms = np.where(several, height, (ends - 1) % height + 1)
        pieces = [
            (first, starts % height, bottoms),
            (last[several], np.zeros(several.sum(), np.int64), ((ends - 1) % height + 1)[several]),
            (first[inner] + 1, none, full),
            (last[inner] - 1, none, full),
        ]
        columns, tops, bottoms = (np.concatenate(part) for part in zip(*pieces, strict=True))
        keys, index = np.unique(columns * self._step + tops, return_index=True)
        self._keys, self._columns, self._tops, self._bottoms = keys, columns[index], tops[index], bottoms[index]
        across = np.searchsorted(keys, [(first[inner] + 1) * self._step, (last[inner] - 1) * self._step])
        self._parts = self._joined(across)

    def corners(self) -> tuple[Numbers, Numbers, Numbers]:
        """Find where the border may have corners.

        :returns: pattern of the four pixels around each (upper left 1, upper right 2, lower left 4, lower right 8), its
            column and its row, in reading order.
        """
        width = int(self._columns.max()) + 2
        rows = np.concatenate((self._tops, self._bottoms))
        columns = np.concatenate((self._columns, self._columns))
        ys, xs = np.divmod(np.unique(np.concatenate((rows * width + columns, rows * width + columns + 1))), width)
        codes = self._filled(xs - 1, ys - 1) + 2 * self._filled(xs, ys - 1)
        codes += 4 * self._filled(xs - 1, ys) + 8 * self._filled(xs, ys)
        return codes, xs, ys

    def part_of(self, x: int, y: int) -> int:
        """Return the number of the part that hangs together with a filled pixel beside a corner.

        :param x: its column.
        :param y: its row.
        """
        return self._parts[int(np.searchsorted(self._keys, x * self._step + y, side="right")) - 1]

    def _filled(self, xs: Numbers, ys: Numbers) -> Numbers:
        """Tell of pixels, those outside of the mask too, whether they are filled."""
        places = xs * self._height + ys
        begun = np.searchsorted(self._starts, places, side="right")
        ended = np.searchsorted(self._ends, places, side="right")
        return ((begun > ended) & (ys >= 0) & (ys < self._height) & (xs >= 0)).astype(np.int64)

    def _joined(self, across: Numbers) -> list[int]:
        """Return the part of each piece; parts hang together, diagonal neighbours too.

        :param across: pairs of pieces that whole columns join.
        """
        following = (self._columns + 1) * self._step
        lows = np.searchsorted(self._columns * self._step + self._bottoms, following + self._tops).tolist()
        highs = np.searchsorted(self._keys, following + self._bottoms, side="right").tolist()
        parts = list(range(len(lows)))

        def join(one: int, other: int) -> None:
            one, other = _root(parts, one), _root(parts, other)
            parts[max(one, other)] = min(one, other)

        for one, (low, high) in enumerate(zip(lows, highs, strict=True)):
            for other in range(low, high):
                join(one, other)
        for one, other in across.T.tolist():
            join(one, other)
        return [_root(parts, one) for one in range(len(parts))]


def _root(parts: list[int], one: int) -> int:
    """Follow a piece to the first of its part, and shorten the way."""
    while parts[one] != one:
        parts[one] = one = parts[parts[one]]
    return one
