"""Which of the objects that have changed are shown: a bounded choice, the most suspicious first.

What may be a slip comes first: of reclassed objects those whose change of class is rare; of moved and resized ones
those whose boxes overlap the least; of the others the largest, on which most depends. The worst of each kind come in
turn, so that no kind hides the others. Behind them come, for each number that is told of a class, two that it stands
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from airflow_provider_fastlabel.pipelines.comparisons.objects import KINDS
from airflow_provider_fastlabel.pipelines.comparisons.result import OBJECT_COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.pipelines.comparisons.objects import Numbers
    from airflow_provider_fastlabel.pipelines.comparisons.run import Compared

    Box = tuple[float, float, float, float]

SUSPICIOUS = 100
"""Objects that are shown for their own sake."""
CLASSES = 100
"""Classes, and changes from one class to another, that are shown with objects of their own."""
_EACH = 2


class Change(NamedTuple):
    """One object that has changed.

    :param picture: name of its picture.
    :param what: of :data:`~.result.OBJECT_COUNTS`, those that have happened to it.
    :param classes: value of its class before and after; ``None`` where it was not there.
    :param boxes: left, upper, right and lower edge before and after, in pixels; likewise.
    :param rows: its rows in the two versions; -1 where it was not there.
    """

    picture: str
    what: tuple[str, ...]
    classes: tuple[str | None, str | None]
    boxes: tuple[Box | None, Box | None]
    rows: tuple[int, int]


@dataclass(frozen=True)
class _Candidates:
    """Objects to which the same has happened, the most suspicious first.

    :param pairs: numbers of their pairs; -1 for objects that are in none.
    :param first: rows in the earlier version, -1 for none.
    :param second: rows in the later one.
    :param classes: numbers of the classes by which they are counted.
    :param alone: whether the picture itself came or went, of each.
    """

    pairs: Numbers
    first: Numbers
    second: Numbers
    classes: Numbers
    alone: NDArray[np.bool_]


def changes_of(compared: Compared) -> tuple[list[Change], int]:
    """Choose the changed objects that are shown.

    :param compared: the two versions.
    :returns: the objects, and how many of them, the first ones, are shown for their own sake.
    """
    kinds = {name: _candidates(compared, name) for name in OBJECT_COUNTS}
    chosen: dict[tuple[int, int], tuple[int, int, int]] = {}
    turns = ((one, np.flatnonzero(~one.alone)[:SUSPICIOUS].tolist()) for one in kinds.values())
    columns = [[_row(one, at) for at in rows] for one, rows in turns]
    for turn in zip_longest(*columns):
        for row in turn:
            if row is not None and len(chosen) < SUSPICIOUS:
                chosen.setdefault(row[1:], row)
    suspicious = len(chosen)
    for row in _standing(compared, kinds):
        chosen.setdefault(row[1:], row)
    return [_change(compared, *row) for row in chosen.values()], suspicious


def _row(one: _Candidates, at: int) -> tuple[int, int, int]:
    return int(one.pairs[at]), int(one.first[at]), int(one.second[at])


def _standing(compared: Compared, kinds: dict[str, _Candidates]) -> Iterator[tuple[int, int, int]]:
    """Yield objects that stand for the numbers that are told of classes."""
    numbers = {value: number for number, value in enumerate(compared.pairing.classes)}
    shown = np.array([numbers[one.value] for one in compared.comparison.classes[:CLASSES]], np.int64)
    for one in kinds.values():
        for at in _firsts(one.classes, shown, _EACH):
            yield _row(one, at)
    swapped = kinds["reclassed"]
    earlier, later = compared.pairing.kind
    width = len(numbers) or 1
    keys = earlier[swapped.first] * width + later[swapped.second]
    wanted = [numbers[a] * width + numbers[b] for a, b, _ in compared.comparison.reclassed[:CLASSES]]
    for at in _firsts(keys, np.array(wanted, np.int64), _EACH):
        yield _row(swapped, at)


def _firsts(keys: Numbers, wanted: Numbers, most: int) -> Iterable[int]:
    """Return the places of the first of each wanted key, so many of each."""
    places = np.flatnonzero(np.isin(keys, wanted))
    order = places[np.argsort(keys[places], kind="stable")]
    ordered = keys[order]
    before = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, "left")
    found: list[int] = order[before < most].tolist()
    return found


def _candidates(compared: Compared, name: str) -> _Candidates:
    """Return the objects to which something has happened, the most suspicious first."""
    pairing, (known, labels) = compared.pairing, compared.labels
    if name in KINDS:
        pairs = np.flatnonzero(pairing.changes[:, KINDS.index(name)])
        first, second = pairing.first[pairs], pairing.second[pairs]
        classes = pairing.kind[1][second]
        alone = np.zeros(len(pairs), bool)
        before, after = known.boxes[first], labels.boxes[second]
        if name == "reclassed":
            keys = pairing.kind[0][first] * (len(pairing.classes) or 1) + classes
            _, place, count = np.unique(keys, return_inverse=True, return_counts=True)
            score = -count[place].astype(np.float64)
        else:
            score = 1 - _overlap(before, after) if name in ("moved", "resized") else _area(after)
    else:
        side = 0 if name == "removed" else 1
        rows = pairing.removed if name == "removed" else pairing.added
        nothing = np.full(len(rows), -1)
        pairs, first, second = (nothing, rows, nothing) if side == 0 else (nothing, nothing, rows)
        classes = pairing.kind[side][rows]
        once = set(compared.pictures[name])
        of = np.array([number for number, each in enumerate(pairing.pictures) if each in once], np.int64)
        alone = np.isin(pairing.picture[side][rows], of)
        score = _area(compared.labels[side].boxes[rows])
    order = np.argsort(-score, kind="stable")
    return _Candidates(pairs[order], first[order], second[order], classes[order], alone[order])


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    return area


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of boxes over their union, pair by pair."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    whole = _area(one) + _area(other) - both
    shares: NDArray[np.float64] = both / np.maximum(whole, 1e-9)
    return shares


def _change(compared: Compared, pair: int, first: int, second: int) -> Change:
    pairing = compared.pairing
    if pair >= 0:
        what = tuple(name for name, so in zip(KINDS, pairing.changes[pair].tolist(), strict=True) if so)
    else:
        what = ("removed",) if second < 0 else ("added",)
    side, row = (1, second) if second >= 0 else (0, first)
    classes: list[str | None] = [None, None]
    boxes: list[Box | None] = [None, None]
    for at, own in enumerate((first, second)):
        if own >= 0:
            left, top, right, bottom = compared.labels[at].boxes[own].tolist()
            classes[at], boxes[at] = pairing.classes[pairing.kind[at][own]], (left, top, right, bottom)
    name = pairing.pictures[pairing.picture[side][row]]
    return Change(name, what, (classes[0], classes[1]), (boxes[0], boxes[1]), (first, second))
