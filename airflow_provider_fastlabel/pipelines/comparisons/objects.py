"""Which object of one version is which of the other, and what has become of it.

Pictures are the same by their names. Exports give objects no ids that last, so the objects of a picture are paired:

1. what is drawn the same: same class and attributes first, then same class, then whatever class;
2. of the others those of one class, then those of any class, by their boxes, as :mod:`~.geometry.matching` says: the
   pair that overlaps the most first, with an IoU of :data:`LEAST_IOU` at least. Points and lines, which cover nothing,
   count as if they were :data:`LEAST_PIXELS` across.

What is in no pair was added or removed; an object that was moved farther than that is both. A pair is *resized* if its
box has another width or height, else *moved* if it has another place, else *reshaped* if its outline, keypoints or
rotation are others; and beside that it may be *reclassed*, and have other *attributes*. Lengths that differ by no more
than the tolerance are the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.geometry.matching import match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.pipelines.checks.labels import Labels

    Numbers = NDArray[np.int64]
    Columns = Sequence[NDArray[Any]]

LEAST_IOU = 0.5
"""Overlap of boxes from which on two objects are taken for one that was changed."""
LEAST_PIXELS = 16.0
KINDS = ("moved", "resized", "reshaped", "reclassed", "attributes")
"""What may have become of an object that is there in both versions; the first three exclude each other."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True)
class Pairing:
    """The objects of two versions.

    :param pictures: names of the pictures of both, those of the earlier version first.
    :param classes: values of the classes of both.
    :param picture: number of the picture of each object, of the earlier version and of the later.
    :param kind: the same for its class.
    :param first: row in the earlier version of each pair, in rising order of picture.
    :param second: its row in the later version.
    :param changes: for each pair, and each of :data:`KINDS`, whether that happened.
    :param removed: rows of the earlier version that are in no pair.
    :param added: rows of the later version that are in no pair.
    """

    pictures: list[str]
    classes: list[str]
    picture: tuple[Numbers, Numbers]
    kind: tuple[Numbers, Numbers]
    first: Numbers
    second: Numbers
    changes: NDArray[np.bool_]
    removed: Numbers
    added: Numbers

    def reclassed(self) -> list[tuple[str, str, int]]:
        """Return class before, class after, and of how many objects; the most first."""
        swapped = self.changes[:, KINDS.index("reclassed")]
        one, other = self.kind[0][self.first[swapped]], self.kind[1][self.second[swapped]]
        pairs = Counter(zip(one.tolist(), other.tolist(), strict=True))
        listed = [(self.classes[a], self.classes[b], count) for (a, b), count in pairs.items()]
        return sorted(listed, key=lambda row: (-row[2], row[0], row[1]))


def pair_objects(before: Labels, after: Labels, *, tolerance: float, fine: bool) -> Pairing:
    """Pair the objects of two versions, and say what has become of each.

    :param before: the earlier version.
    :param after: the later version.
    :param tolerance: pixels by which lengths may differ without being different.
    :param fine: whether outlines and attributes are compared, which needs the same format.
    """
    pictures, picture = _numbered(before.pictures, after.pictures, before.picture, after.picture)
    classes, kind = _numbered(before.classes, after.classes, before.kind, after.kind)
    sides = (before, after)
    nothing = [np.zeros(len(side.kind), np.int64) for side in sides]
    outlines = [side.outlines for side in sides] if fine else nothing
    attributes = [side.attributes for side in sides] if fine else nothing
    left = [np.arange(len(side.kind)) for side in sides]
    found: list[tuple[Numbers, Numbers]] = []

    def take(one: Numbers, other: Numbers) -> None:
        found.append((left[0][one], left[1][other]))
        for side, taken in enumerate((one, other)):
            left[side] = np.delete(left[side], taken)

    for more in ([kind, attributes], [kind], []):
        columns = [
            [picture[at], *side.boxes.T, outlines[at], *(each[at] for each in more)] for at, side in enumerate(sides)
        ]
        take(*_alike(columns[0], columns[1], left[0], left[1]))
    boxes = [_wide(side.boxes) for side in sides]
    for groups in ([where * len(classes) + what for where, what in zip(picture, kind, strict=True)], picture):
        some, others = left
        pairs = match(
            boxes[0][some], boxes[1][others], least_iou=LEAST_IOU,
            first_groups=groups[0][some], second_groups=groups[1][others],
        )  # fmt: skip
        take(pairs.first, pairs.second)
    first, second = (np.concatenate(rows) for rows in zip(*found, strict=True))
    order = np.lexsort((first, picture[0][first]))
    first, second = first[order], second[order]
    changes = _changes(before.boxes[first], after.boxes[second], tolerance)
    placed = changes.any(axis=1)
    changes = np.column_stack(
        [
            changes,
            ~placed & (outlines[0][first] != outlines[1][second]),
            kind[0][first] != kind[1][second],
            attributes[0][first] != attributes[1][second],
        ]
    )
    return Pairing(pictures, classes, picture, kind, first, second, changes, left[0], left[1])


def _numbered(
    before: Sequence[str], after: Sequence[str], ones: Numbers, others: Numbers
) -> tuple[list[str], tuple[Numbers, Numbers]]:
    """Give names that two versions number each by itself one number in both."""
    numbers: dict[str, int] = {}
    sides = []
    for names, rows in ((before, ones), (after, others)):
        own = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        sides.append(own[rows] if len(rows) else np.zeros(0, np.int64))
    return list(numbers), (sides[0], sides[1])


def _alike(ones: Columns, others: Columns, rows: Numbers, columns: Numbers) -> tuple[Numbers, Numbers]:
    """Pair rows of the same numbers: the first of such on one side with the first on the other, and so on.

    :param ones: the numbers of the one side, column by column.
    :param others: those of the other side.
    :param rows: which rows of the one side are looked at.
    :param columns: which of the other.
    :returns: places within ``rows`` and ``columns``.
    """
    keys = []
    for numbers, own in ((ones, rows), (others, columns)):
        mixed = _mixed(numbers, own)
        order = np.argsort(mixed, kind="stable")
        ordered = mixed[order]
        place = np.empty(len(own), np.int64)
        place[order] = np.arange(len(own)) - np.searchsorted(ordered, ordered, "left")
        keys.append(_stirred(mixed, place))
    _, one, other = np.intersect1d(keys[0], keys[1], return_indices=True)
    same = np.ones(len(one), bool)  # keys of rows that differ may be the same by chance
    for mine, theirs in zip(ones, others, strict=True):
        same &= mine[rows[one]] == theirs[columns[other]]
    return one[same], other[same]


def _mixed(numbers: Columns, rows: Numbers) -> NDArray[np.uint64]:
    """Return one number for each row, which is nearly surely another one for a row of other numbers."""
    keys = np.zeros(len(rows), np.uint64)
    for column in numbers:
        keys = _stirred(keys, column[rows])
    return keys


def _stirred(keys: NDArray[np.uint64], column: NDArray[Any]) -> NDArray[np.uint64]:
    """Stir one more number into each key; -0.0 is 0.0."""
    bits = (column + 0.0 if column.dtype.kind == "f" else column).view(np.uint64)
    stirred: NDArray[np.uint64] = (keys ^ bits) * _ODD
    return stirred ^ (stirred >> _SHIFT)


def _wide(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes of which those without area are widened, so that they can overlap."""
    flat = ((boxes[:, 2:] - boxes[:, :2]) <= 0).any(axis=1)
    if not flat.any():
        return boxes
    wide = boxes.copy()
    middle = (boxes[flat, :2] + boxes[flat, 2:]) / 2
    half = np.maximum(boxes[flat, 2:] - boxes[flat, :2], LEAST_PIXELS) / 2
    wide[flat] = np.hstack([middle - half, middle + half])
    return wide


def _changes(before: NDArray[np.float64], after: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Tell of each pair of boxes whether it was moved, and whether it was resized."""
    grown = (after[:, 2:] - after[:, :2]) - (before[:, 2:] - before[:, :2])
    resized = (np.abs(grown) > tolerance).any(axis=1)
    moved = ~resized & (np.abs(after - before) > tolerance).any(axis=1)
    return np.column_stack([moved, resized])
