"""Boxes and areas of many rings at once: numpy's cost is per call, Python's is per number.

What is measured here is measured for speed alone: a ring that is odd in any way (no list, no numbers, too far away) is
left out, and :mod:`.shapes` looks at it by itself and says what is wrong with it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from airflow_provider_fastlabel.formats.geometry.shape import FARTHEST
from airflow_provider_fastlabel.formats.geometry.tangles import LONG, tangled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.intp]
    Flags = NDArray[np.bool_]

#: Six numbers: x1, y1, x2, y2 of the enclosing box; twice the signed area (shoelace formula), positive if the ring runs
#: clockwise on screen; and 1 if the ring crosses or touches itself, so that the area may be another, else 0. Whether a
#: ring is open or closed makes no difference.
Measures = list[float]


class Rings:
    """Collects the rings of annotations and measures them together.

    A ring is known by its identity, so this object must live, and the rings stay unchanged, until the shapes are made.

    :param crossings: whether to find out which rings cross themselves; without it none is said to.
    """

    def __init__(self, *, crossings: bool = True) -> None:
        self._crossings = crossings
        self._numbers = array("d")
        self._rings: list[list[float]] = []
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Return the number of coordinates collected."""
        return len(self._numbers)

    def add(self, annotations: Any) -> None:
        """Collect the rings of a task's annotations.

        :param annotations: annotations as the API returns them; whatever is none is passed over.
        """
        for annotation in annotations:
            try:
                kind = annotation["type"]
                if kind == "polygon":
                    self.add_ring(annotation["points"])
                elif kind == "segmentation":
                    for region in annotation["points"]:
                        for ring in region:
                            self.add_ring(ring)
            except (KeyError, TypeError, OverflowError):
                pass

    def add_ring(self, ring: list[float]) -> None:
        """Collect one ring, if it has pairs of numbers for three corners.

        :param ring: flat coordinates.
        :raises TypeError: it is no list of numbers.
        :raises OverflowError: it holds an integer beyond any float.
        """
        size = len(ring)
        if size < 6 or size & 1:
            return
        self._numbers.fromlist(ring)
        if size > 6 and ring[0] == ring[-2] and ring[1] == ring[-1]:
            del self._numbers[-2:]
            size -= 2
        self._rings.append(ring)
        self._sizes.append(size // 2)

    def measures(self) -> Mapping[int, Measures]:
        """Measure what was collected.

        :returns: identity of a ring -> its measures; only of rings of numbers, none beyond :data:`~.shape.FARTHEST`.
        """
        if not self._rings:
            return {}
        points = np.frombuffer(self._numbers).reshape(-1, 2)
        x, y = points.T.copy()
        sizes = np.array(self._sizes)
        starts = np.cumsum(sizes) - sizes
        crossed = np.zeros(len(sizes), dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):
            boxes = [extreme.reduceat(one, starts) for extreme in (np.minimum, np.maximum) for one in (x, y)]
            near = np.abs(boxes).max(axis=0) <= FARTHEST
            if self._crossings:
                x -= np.repeat(np.add.reduceat(x, starts) / sizes, sizes)
                y -= np.repeat(np.add.reduceat(y, starts) / sizes, sizes)
            turns = _cross(x, y, starts, sizes)
            if self._crossings:
                crossed = near & ~_star_shaped(turns, y, starts, sizes)
            doubled = np.add.reduceat(turns, starts)
        if crossed.any():
            crossed[crossed] = _crossed(points[np.repeat(crossed, sizes)], sizes[crossed])
        rows = np.stack([*boxes, doubled, crossed], axis=1).tolist()
        measured = dict(zip(map(id, self._rings), rows, strict=True))
        for number in np.flatnonzero(~near):
            measured.pop(id(self._rings[number]), None)
        return measured


def measured(ring: list[float]) -> Measures:
    """Measure one ring that was not measured with others.

    :param ring: flat coordinates of three corners or more, none beyond :data:`~.shape.FARTHEST`.
    :returns: its measures.
    """
    rings = Rings()
    rings.add_ring(ring)
    return rings.measures()[id(ring)]


def _cross(x: Numbers, y: Numbers, starts: Counts, sizes: Counts) -> Numbers:
    """Cross product of each corner and the next one of its ring."""
    lasts = starts + sizes - 1
    cross = np.empty(len(x))
    np.subtract(x[:-1] * y[1:], y[:-1] * x[1:], out=cross[:-1])
    cross[lasts] = x[lasts] * y[starts] - y[lasts] * x[starts]
    return cross


def _star_shaped(turns: Numbers, y: Numbers, starts: Counts, sizes: Counts) -> Flags:
    """Whether rings, seen from the middle of their corners, go round once and never back: such ones are simple.

    Most are, and so are spared GEOS.

    :param turns: cross products of neighbouring corners, seen from the middle.
    :param y: the corners' y, seen from the middle: on a way round it changes its sign twice.
    """
    lasts = starts + sizes - 1
    below = y >= 0
    passes = np.empty(len(y), dtype=bool)
    np.not_equal(below[:-1], below[1:], out=passes[:-1])
    passes[lasts] = below[lasts] != below[starts]
    one_way = (np.minimum.reduceat(turns, starts) > 0) | (np.maximum.reduceat(turns, starts) < 0)
    flags: Flags = one_way & (np.add.reduceat(passes, starts, dtype=np.intp) == 2)
    return flags


def _crossed(points: Numbers, sizes: Counts) -> Flags:
    """Whether rings cross or touch themselves, as GEOS sees it."""
    rings: Any = shapely.linearrings(points, indices=np.repeat(np.arange(len(sizes)), sizes))
    doubtful = sizes > LONG
    if doubtful.any():
        doubtful[doubtful] = [tangled([shapely.get_coordinates(ring)]) for ring in rings[doubtful]]
        # What would take GEOS too long counts as crossed: then the area is measured, not taken from the corners.
        rings[doubtful] = None
    return cast("Flags", ~shapely.is_simple(rings) | doubtful)
