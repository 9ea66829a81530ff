"""Which object of one labelling is which of another: pairs of boxes, or of outlines, that overlap the most.

The rule, everywhere: of all pairs that overlap by ``least_iou`` or more, the one that overlaps the most is a pair, then
the one that overlaps the most of those whose two are still alone, and so on. Of equal overlaps the one is taken whose
first box comes first, then the one whose second does. So each object is in one pair at most, what is drawn alike is
paired whatever its neighbours do, and the same objects give the same pairs.

Overlap is the area of the intersection by that of the union (IoU), in continuous coordinates, as pycocotools has it:
what has no area overlaps nothing.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from airflow_provider_fastlabel.formats.geometry.regions import area_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shape import Shape

    Boxes = NDArray[np.float64]
    Numbers = NDArray[np.int64]

_AT_ONCE = 1 << 17
"""Pairs that are measured at a time."""
_CROWD = 1 << 22
"""Pairs of one picture that may be kept; the pairs of a larger crowd are looked for one by one."""
_KNOWN = 64
"""Of a crowd, so many pairs of each first one are kept."""


class Pairs(NamedTuple):
    """Pairs of objects, in the order of the first ones.

    :param first: row of the one in the first labelling.
    :param second: row of the other in the second labelling.
    :param iou: by how much they overlap, from 0 to 1.
    """

    first: Numbers
    second: Numbers
    iou: NDArray[np.float64]


def match(
    first: Boxes, second: Boxes, *, least_iou: float, first_groups: Numbers | None = None,
    second_groups: Numbers | None = None,
) -> Pairs:  # fmt: skip
    """Pair boxes by the rule of this module, of one picture or of many at once.

    Time grows with the pairs within the groups, memory with the boxes.

    :param first: rows of left, upper, right and lower edge.
    :param second: the same of the other labelling.
    :param least_iou: overlap that a pair must have, more than 0.
    :param first_groups: a number for each row of ``first``: only rows of the same number, say of one picture and class,
        become a pair. ``None`` for one group.
    :param second_groups: the same for ``second``.
    :returns: the pairs.
    """
    ones = np.zeros(len(first), np.int64) if first_groups is None else first_groups
    others = np.zeros(len(second), np.int64) if second_groups is None else second_groups
    rows, columns = np.argsort(ones, kind="stable"), np.argsort(others, kind="stable")
    first, second, ones, others = first[rows], second[columns], ones[rows], others[columns]
    found: list[Pairs] = []
    for own, its in _blocks(ones, others):
        one, other = first[own], second[its]
        if len(one) * len(other) > _CROWD and ones[own][0] == ones[own][-1]:
            pairs = _of_crowd(one, other, least_iou)
        else:
            at, beside = _within_groups(ones[own], others[its])
            overlaps = iou_of_pairs(one[at], other[beside])
            enough = np.flatnonzero(overlaps >= least_iou)
            pairs = pair_off(at[enough], beside[enough], overlaps[enough])
        found.append(Pairs(rows[own][pairs.first], columns[its][pairs.second], pairs.iou))
    return _in_order(found)


def match_shapes(first: Sequence[Shape], second: Sequence[Shape], *, least_iou: float) -> Pairs:
    """Pair the shapes of one picture by the rule of this module, by their outlines rather than their boxes.

    :param first: shapes that cover an area.
    :param second: those of the other labelling.
    :param least_iou: overlap that a pair must have, more than 0.
    :returns: the pairs.
    """
    boxes = [
        np.array([(s.x1, s.y1, s.x2, s.y2) for s in shapes], np.float64).reshape(-1, 4) for shapes in (first, second)
    ]
    one, other = np.divmod(np.arange(len(first) * len(second)), max(len(second), 1))
    near = np.flatnonzero(iou_of_pairs(boxes[0][one], boxes[1][other]) > 0)
    one, other = one[near], other[near]
    overlaps = np.array([iou_of_shapes(first[i], second[j]) for i, j in zip(one, other, strict=True)], np.float64)
    enough = overlaps >= least_iou
    return pair_off(one[enough], other[enough], overlaps[enough])


def iou_of_pairs(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Return by how much each box overlaps the box in the same row of the other array.

    :param first: rows of left, upper, right and lower edge.
    :param second: as many rows.
    """
    across = np.minimum(first[:, 2], second[:, 2]) - np.maximum(first[:, 0], second[:, 0])
    down = np.minimum(first[:, 3], second[:, 3]) - np.maximum(first[:, 1], second[:, 1])
    common = np.maximum(across, 0) * np.maximum(down, 0)
    areas = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second))
    whole = sum(areas) - common
    overlaps: NDArray[np.float64] = np.divide(common, whole, out=np.zeros(len(common)), where=common > 0)
    return overlaps


def iou_of_shapes(first: Shape, second: Shape) -> float:
    """Return by how much the outlines of two shapes overlap, holes left out.

    :param first: a shape.
    :param second: another one.
    """
    whole, _ = area_of([*first.regions, *second.regions])
    common = first.area + second.area - whole
    return min(common / whole, 1.0) if common > 0 < whole else 0.0


def pair_off(first: Numbers, second: Numbers, iou: NDArray[np.float64]) -> Pairs:
    """Choose pairs by the rule of this module out of those that may be one.

    :param first: the one of each possible pair, a number from 0.
    :param second: the other.
    :param iou: how much they overlap.
    :returns: the pairs.
    """
    alone = (np.bincount(first)[first] == 1) & (np.bincount(second)[second] == 1)
    contested = np.flatnonzero(~alone)
    order = contested[np.lexsort((second[contested], first[contested], -iou[contested]))]
    one, other = first[order].tolist(), second[order].tolist()
    taken, taken_too = bytearray(max(one, default=-1) + 1), bytearray(max(other, default=-1) + 1)
    chosen = []
    for at, i, j in zip(order.tolist(), one, other, strict=True):
        if not taken[i] and not taken_too[j]:
            taken[i] = taken_too[j] = 1
            chosen.append(at)
    kept = np.append(np.flatnonzero(alone), np.array(chosen, np.int64))
    return _in_order([Pairs(first[kept], second[kept], iou[kept])])


def _in_order(several: list[Pairs]) -> Pairs:
    """Put pairs together, in the order of the first ones."""
    if not several:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    first, second, iou = (np.concatenate(parts) for parts in zip(*several, strict=True))
    order = np.argsort(first, kind="stable")
    return Pairs(first[order], second[order], iou[order])


def _blocks(ones: Numbers, others: Numbers) -> Iterator[tuple[slice, slice]]:
    """Yield where some whole groups lie on both sides, so few that their pairs fit into memory, or one group.

    :param ones: groups of the rows, sorted.
    :param others: the same of the other side.
    """
    starts = np.flatnonzero(np.diff(ones, prepend=ones[:1] - 1))
    ends = np.append(starts[1:], len(ones))
    left, right = (np.searchsorted(others, ones[starts], side) for side in ("left", "right"))
    pairs = np.cumsum((ends - starts) * (right - left))
    first, done = 0, 0
    while first < len(starts):
        last = max(int(np.searchsorted(pairs, done + _AT_ONCE, "right")), first + 1)
        yield slice(starts[first], ends[last - 1]), slice(left[first], right[last - 1])
        first, done = last, int(pairs[last - 1])


def _ranges(starts: Numbers, ends: Numbers) -> Numbers:
    """Return the numbers of several ranges, one after the other."""
    counts = ends - starts
    before = np.cumsum(counts) - counts
    numbers: Numbers = np.arange(counts.sum()) + np.repeat(starts - before, counts)
    return numbers


def _within_groups(ones: Numbers, others: Numbers) -> tuple[Numbers, Numbers]:
    """Return all pairs of places whose groups are the same; both sides are sorted by group."""
    starts, ends = np.searchsorted(others, ones, "left"), np.searchsorted(others, ones, "right")
    return np.repeat(np.arange(len(ones)), ends - starts), _ranges(starts, ends)


def _of_crowd(first: Boxes, second: Boxes, least_iou: float) -> Pairs:
    """Pair the boxes of one large group, of whose possible pairs only some of the best of each first one are kept."""
    free = np.ones(len(second), bool)
    known: list[list[tuple[float, int, int]]] = [[] for _ in first]

    def best_of(row: int) -> tuple[float, int, int] | None:
        while True:
            while known[row]:
                candidate = known[row].pop()
                if free[candidate[2]]:
                    return candidate
            overlaps = np.where(free, iou_of_pairs(np.broadcast_to(first[row], second.shape), second), -1)
            enough = np.flatnonzero(overlaps >= least_iou)
            if not len(enough):
                return None
            best = enough[np.argsort(-overlaps[enough], kind="stable")[:_KNOWN]][::-1]
            known[row] = [(-float(overlaps[column]), row, int(column)) for column in best]

    heap = [candidate for candidate in map(best_of, range(len(first))) if candidate]
    heapq.heapify(heap)
    chosen = []
    while heap:
        minus, row, column = heapq.heappop(heap)
        if free[column]:
            free[column] = False
            chosen.append((row, column, -minus))
        elif again := best_of(row):
            heapq.heappush(heap, again)
    rows, columns, overlaps = zip(*chosen, strict=True) if chosen else ((), (), ())
    return _in_order([Pairs(np.array(rows, np.int64), np.array(columns, np.int64), np.array(overlaps, np.float64))])
