"""The objects of all pictures as rows of numbers, a hundred thousand at a time: cells of the figures, and suspicions.

A row is ``class, picture, object, x1, y1, x2, y2, width, height, rank, solid, split``: the picture's number, the
object's number within it, its box in pixels, the picture's size (0 if not known), whether it covers an area, and the
number of the split.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.pipelines.reports.misfits import Misfits
from airflow_provider_fastlabel.pipelines.reports.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.pipelines.reports.worst import Worst

    Rows = NDArray[np.float64]

CHUNK = 1 << 17
COLUMNS = 12
GRID = 10
"""Cells of the position map along each side."""
ASPECTS, SIZES = 12, 9
"""Cells of the size map: half octaves of width over height, and octaves of the side over the picture's."""
CLASSES = 300
"""Classes that have maps of their own; the others share one."""
CELLS = ASPECTS * SIZES
SPLITS = 16
"""Splits that are told apart."""
FLAT = frozenset({"keypoint", "line"})
"""Kinds of shapes that cover no area."""
_TINY_PIXELS, _TINY_SHARE, _HUGE_SHARE = 4.0, 2e-5, 0.9
_OUTSIDE_PIXELS, _OUTSIDE_SHARE = 1.0, 0.02
_SAME_CLASS, _OTHER_CLASS = 0.7, 0.9

Row = tuple[float, ...]


class ObjectTable:
    """Takes the objects in, picture by picture, and works chunks of them off.

    :param worst: takes the suspicions.

    :ivar classes: counts by ``class * SPLITS + split``.
    :ivar sizes: counts by ``class * CELLS + cell``, of the first :data:`CLASSES` classes; the others have the class
        :data:`CLASSES`.
    :ivar places: the same by ``class * GRID * GRID + cell``.
    """

    def __init__(self, worst: Worst) -> None:
        self.classes: Samples = Samples()
        self.sizes: Samples = Samples()
        self.places: Samples = Samples()
        self.misfits: Misfits = Misfits(worst)
        self._worst = worst
        # An array, because the collector of garbage would walk over a hundred thousand tuples again and again.
        self._rows = array("d")

    def add(self, rows: Iterable[Row]) -> None:
        """Take the objects of a picture.

        :param rows: see the module; all of one picture come together.
        """
        for row in rows:
            self._rows.extend(row)
        if len(self._rows) >= CHUNK * COLUMNS:
            self.work_off()

    def work_off(self) -> None:
        """Count what has come, and look for suspicions in it."""
        if not self._rows:
            return
        rows = np.frombuffer(self._rows, np.float64).reshape(-1, COLUMNS)
        self._rows = array("d")
        keys = (rows[:, 0] * SPLITS + rows[:, 11]).astype(np.int64)
        self.classes.add_all(keys, rows[:, 1].astype(np.int64), rows[:, 9].astype(np.int64))
        placed = rows[rows[:, 7] > 0]
        group = np.minimum(placed[:, 0], CLASSES).astype(np.int64)
        solid = placed[:, 10] > 0
        numbers, ranks = placed[:, 1].astype(np.int64), placed[:, 9].astype(np.int64)
        self.places.add_all(group * GRID * GRID + place_cells(placed), numbers, ranks)
        self.sizes.add_all(group[solid] * CELLS + size_cells(placed[solid]), numbers[solid], ranks[solid])
        self._odd_sizes(placed[solid])
        self._outside(placed)
        self._overlaps(rows[rows[:, 10] > 0])
        self.misfits.add(placed[solid])

    def _odd_sizes(self, rows: Rows) -> None:
        """Find what is too small to be meant, and what covers the whole picture."""
        width, height = rows[:, 5] - rows[:, 3], rows[:, 6] - rows[:, 4]
        share = width * height / (rows[:, 7] * rows[:, 8])
        least = np.minimum(width, height)
        tiny = (least < _TINY_PIXELS) | (share < _TINY_SHARE)
        self._worst.add_all("tiny", -share[tiny], rows[tiny], values=least[tiny])
        huge = share > _HUGE_SHARE
        self._worst.add_all("huge", share[huge], rows[huge])

    def _outside(self, rows: Rows) -> None:
        """Find what reaches out of its picture."""
        left, top = np.maximum(rows[:, 3], 0), np.maximum(rows[:, 4], 0)
        right, bottom = np.minimum(rows[:, 5], rows[:, 7]), np.minimum(rows[:, 6], rows[:, 8])
        whole = np.maximum(rows[:, 5] - rows[:, 3], 1e-9) * np.maximum(rows[:, 6] - rows[:, 4], 1e-9)
        inside = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
        beyond = np.max([-rows[:, 3], -rows[:, 4], rows[:, 5] - rows[:, 7], rows[:, 6] - rows[:, 8]], axis=0)
        share = np.where(rows[:, 10] > 0, 1 - inside / whole, 1.0)
        out = (beyond > _OUTSIDE_PIXELS) & (share > _OUTSIDE_SHARE)
        self._worst.add_all("outside", share[out], rows[out])

    def _overlaps(self, rows: Rows) -> None:
        """Find boxes that lie on one another."""
        for first, second, share in overlaps(rows[:, 1], rows[:, 3:7]):
            a, b = rows[first], rows[second]
            same = a[:, 0] == b[:, 0]
            for kind, found in (
                ("twice", same & (share > _SAME_CLASS)),
                ("two_classes", ~same & (share > _OTHER_CLASS)),
            ):
                self._worst.add_all(kind, share[found], a[found], b[found, 2].astype(int).tolist())


def overlaps(
    pictures: NDArray[Any], boxes: Rows
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield the pairs of boxes of one picture that meet, by a sweep from left to right within each picture.

    :param pictures: the number of the picture of each box.
    :param boxes: left, upper, right and lower edge of each box.
    :returns: rows of the one and of the other, and by how much they overlap (IoU); of each pair once, in some parts.
    """
    order = np.lexsort((boxes[:, 0], pictures))
    pictures, boxes = pictures[order], boxes[order]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    first = np.arange(len(boxes))
    step = 0
    while len(first):
        step += 1
        first = first[first + step < len(boxes)]
        second = first + step
        meets = (pictures[second] == pictures[first]) & (boxes[second, 0] < boxes[first, 2])
        first, second = first[meets], second[meets]
        a, b = boxes[first], boxes[second]
        across = np.minimum(a[:, 2], b[:, 2]) - b[:, 0]
        down = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
        common = np.maximum(across, 0) * np.maximum(down, 0)
        yield order[first], order[second], common / np.maximum(area[first] + area[second] - common, 1e-9)


def place_cells(rows: Rows) -> NDArray[np.int64]:
    """Return the cell of the position map in which the middle of each object lies.

    :param rows: rows with a picture's size.
    """
    across = (rows[:, 3] + rows[:, 5]) / 2 / rows[:, 7]
    down = (rows[:, 4] + rows[:, 6]) / 2 / rows[:, 8]
    column, line = (np.clip(each * GRID, 0, GRID - 1).astype(np.int64) for each in (across, down))
    return line * GRID + column


def size_cells(rows: Rows) -> NDArray[np.int64]:
    """Return the cell of the size map of each object.

    :param rows: rows with a picture's size.
    """
    width, height = np.maximum(rows[:, 5] - rows[:, 3], 1e-3), np.maximum(rows[:, 6] - rows[:, 4], 1e-3)
    side = np.sqrt(width * height / (rows[:, 7] * rows[:, 8]))
    aspect = np.clip(np.floor(2 * np.log2(width / height)) + ASPECTS // 2, 0, ASPECTS - 1)
    size = np.clip(np.floor(np.log2(side)) + SIZES, 0, SIZES - 1)
    cells: NDArray[np.int64] = (size * ASPECTS + aspect).astype(np.int64)
    return cells
