"""Boxes and areas of many rings at once: numpy's cost is per call, Python's is per number.

What is measured here is measured for speed alone: a ring that is odd in any way (no list, no numbers, not finite) is
left out, and :mod:`.geometry` looks at it by itself and says what is wrong with it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.shape import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Five numbers: x1, y1, x2, y2 of the enclosing box, and twice the signed area (shoelace formula), positive if the
#: ring runs clockwise on screen. Whether a ring is open or closed makes no difference to them.
Measures = list[float]


class Rings:
    """Collects the rings of annotations and measures them together.

    A ring is known by its identity, so this object must live, and the rings stay unchanged, until the shapes are made.
    """

    def __init__(self) -> None:
        self._numbers = array("d")
        self._rings: list[list[float]] = []
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Return the number of coordinates collected."""
        return len(self._numbers)

    def add(self, annotations: Any) -> None:
        """Collect the rings of a task's annotations.

        :param annotations: Annotations as the API returns them; whatever is none is passed over.
        """
        for annotation in annotations:
            try:
                kind = annotation["type"]
                if kind == "polygon":
                    self._add(annotation["points"])
                elif kind == "segmentation":
                    for region in annotation["points"]:
                        for ring in region:
                            self._add(ring)
            except (KeyError, TypeError, OverflowError):
                pass

    def _add(self, ring: list[float]) -> None:
        """Collect one ring if it has pairs of numbers for three corners."""
        size = len(ring)
        if size >= 6 and not size & 1:
            self._numbers.fromlist(ring)
            self._rings.append(ring)
            self._sizes.append(size)

    def measures(self) -> Mapping[int, Measures]:
        """Measure what was collected.

        :returns: Identity of a ring -> its measures; only of rings of numbers, none beyond :data:`~.shape.FARTHEST`.
        """
        if not self._rings:
            return {}
        import numpy as np

        points = np.frombuffer(self._numbers)
        x, y = points[::2], points[1::2]
        ends = np.cumsum(self._sizes) // 2
        starts, lasts = np.append(0, ends[:-1]), ends - 1
        with np.errstate(over="ignore", invalid="ignore"):
            cross = np.empty(len(x))
            np.subtract(x[:-1] * y[1:], y[:-1] * x[1:], out=cross[:-1])
            cross[lasts] = x[lasts] * y[starts] - y[lasts] * x[starts]
            table = np.stack(
                [
                    np.minimum.reduceat(x, starts),
                    np.minimum.reduceat(y, starts),
                    np.maximum.reduceat(x, starts),
                    np.maximum.reduceat(y, starts),
                    np.add.reduceat(cross, starts),
                ],
                axis=1,
            )
            odd = np.flatnonzero(~(np.abs(table[:, :4]).max(axis=1) <= FARTHEST))
        measured = dict(zip(map(id, self._rings), table.tolist(), strict=True))
        for number in odd:
            measured.pop(id(self._rings[number]), None)
        return measured
