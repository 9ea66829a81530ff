"""Shapes cover pixels of an image, by FastLabel's rule: integer coordinates run along pixel borders.

A pixel is covered if its centre is inside, so the box ``[2, 2, 8, 6]`` covers columns 2 to 7 and rows 2 to 5, and
shapes that share an edge share no pixel. Only the part of the image under the shape is made.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from airflow_provider_fastlabel.formats.geometry.scanlines import crossings, union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Region, Shape


# So many crossings at most are kept at a time, unless those of a single shape are more.
_CROSSINGS = 1 << 22
# Up to so many rings a shape is filled ring by ring, which is faster.
_FEW = 8


class Cover(NamedTuple):
    """The pixels of a shape.

    :param left: first column of the image the pixels lie in.
    :param top: first row.
    :param mask: which pixels are covered, rows by columns; at least one is.
    """

    left: int
    top: int
    mask: NDArray[np.bool_]

    @property
    def window(self) -> tuple[slice, slice]:
        """The part of the image the mask lies on, as index of an array."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def covers(shapes: Sequence[Shape], width: int, height: int) -> Iterator[Cover | None]:
    """Return the pixels of an image that each of some shapes covers, one after the other.

    Many outlines are followed at once: per image that is several times as fast as shape by shape. Each shape's pixels
    are made when it is their turn: a hundred large shapes must not take a hundred times the memory of the image.

    :param shapes: shapes of kind bbox, polygon, segmentation or circle.
    :param width: image width; pixels outside are cut off.
    :param height: image height.
    :returns: per shape its pixels, None if there is no pixel whose centre is inside.
    """
    first = crossed = 0
    for number, shape in enumerate(shapes):
        if _by_outline(shape):
            rows = max(min(ceil(shape.y2), height) - max(floor(shape.y1), 0), 0)
            most = rows * sum(len(ring) // 2 for region in shape.regions for ring in region)
            if crossed and crossed + most > _CROSSINGS:
                yield from _covers(shapes[first:number], width, height)
                first, crossed = number, 0
            crossed += most
    yield from _covers(shapes[first:], width, height)


def _covers(shapes: Sequence[Shape], width: int, height: int) -> Iterator[Cover | None]:
    """Return the pixels of shapes whose outlines are followed at once."""
    runs = _Runs([region for shape in shapes if _by_outline(shape) for region in shape.regions], width, height)
    ring = 0
    for shape in shapes:
        left, right = max(floor(shape.x1), 0), min(ceil(shape.x2), width)
        top, bottom = max(floor(shape.y1), 0), min(ceil(shape.y2), height)
        first, ring = ring, ring + sum(map(len, shape.regions)) if _by_outline(shape) else ring
        if left >= right or top >= bottom:
            yield None
        elif shape.kind == "circle":
            yield _disc(shape, left, top, right, bottom)
        elif _by_outline(shape):
            mask = runs.filled(shape, first, top, bottom)[:, left:right]
            yield Cover(left, top, mask) if mask.any() else None
        else:
            yield _box(shape, width, height)


def _by_outline(shape: Shape) -> bool:
    """Tell whether a shape's pixels follow from its rings."""
    return shape.kind != "circle" and (shape.kind != "bbox" or bool(shape.rotation))


def _box(shape: Shape, width: int, height: int) -> Cover | None:
    """Return the pixels of an upright box."""
    left, right = max(ceil(shape.x1 - 0.5), 0), min(ceil(shape.x2 - 0.5), width)
    top, bottom = max(ceil(shape.y1 - 0.5), 0), min(ceil(shape.y2 - 0.5), height)
    if left >= right or top >= bottom:
        return None
    return Cover(left, top, np.ones((bottom - top, right - left), dtype=bool))


def _disc(shape: Shape, left: int, top: int, right: int, bottom: int) -> Cover | None:
    """Return the pixels of a circle inside a window."""
    x, y, radius = shape.points
    across = (np.arange(left, right) + 0.5 - x) ** 2
    down = (np.arange(top, bottom) + 0.5 - y) ** 2
    mask = across[np.newaxis, :] + down[:, np.newaxis] < radius * radius
    return Cover(left, top, mask) if mask.any() else None


class _Runs:
    """Where the rings of an image's shapes cross the rows' centre lines.

    :param regions: regions of all shapes, one after the other.
    :param width: image width.
    :param height: image height.
    """

    def __init__(self, regions: list[Region], width: int, height: int) -> None:
        # Crossings are counted down the columns, arrays run along the rows: x and y change places.
        turned = [[_exchanged(ring) for ring in region] for region in regions]
        positions, rings = crossings(turned, width, height) if turned else (_NOTHING, _NOTHING)
        self._size = width * height + 1  # a crossing may lie behind the last pixel
        self._width = width
        self._positions = np.sort(positions + rings * self._size)
        self._starts = np.searchsorted(self._positions, np.arange(sum(map(len, regions)) + 1) * self._size)

    def filled(self, shape: Shape, ring: int, top: int, bottom: int) -> NDArray[np.bool_]:
        """Fill a shape: the union of its regions, each without its holes.

        :param shape: the shape.
        :param ring: number of its first ring.
        :param top: first row.
        :param bottom: row after the last.
        :returns: the rows' pixels, as wide as the image.
        """
        if sum(map(len, shape.regions)) > _FEW:
            return self._many_rings(shape, ring, top, bottom)
        filled: NDArray[np.bool_] | None = None
        for region in shape.regions:
            mask = self._ring(ring, top, bottom)
            for hole in range(ring + 1, ring + len(region)):
                mask &= ~self._ring(hole, top, bottom)
            ring += len(region)
            filled = mask if filled is None else filled | mask
        assert filled is not None
        return filled

    def _many_rings(self, shape: Shape, ring: int, top: int, bottom: int) -> NDArray[np.bool_]:
        """Fill a shape in one sweep over its crossings, so that each ring does not cost the whole area."""
        sizes = np.array([len(region) for region in shape.regions])
        starts = self._starts[ring : ring + sizes.sum() + 1]
        rings = np.repeat(np.arange(sizes.sum()), np.diff(starts))
        inner = self._positions[starts[0] : starts[-1]] - (ring + rings) * self._size
        inner, _ = union(inner, rings, sizes, np.zeros(len(sizes), dtype=np.int64))
        return self._between(inner, top, bottom)

    def _ring(self, number: int, top: int, bottom: int) -> NDArray[np.bool_]:
        """Fill one ring by the even-odd rule."""
        inner = self._positions[self._starts[number] : self._starts[number + 1]]
        return self._between(inner - number * self._size, top, bottom)

    def _between(self, inner: NDArray[np.int64], top: int, bottom: int) -> NDArray[np.bool_]:
        """Fill from every other position to the next one."""
        ends = np.empty(len(inner) + 2, dtype=np.int64)
        ends[0], ends[-1] = 0, (bottom - top) * self._width
        # A hole may reach above or below its outline; every row has an even number of crossings, so nothing turns over.
        np.minimum(np.maximum(inner - top * self._width, 0), ends[-1], out=ends[1:-1])
        odd = np.zeros(len(ends) - 1, dtype=bool)
        odd[1::2] = True
        return np.repeat(odd, ends[1:] - ends[:-1]).reshape(bottom - top, self._width)


def _exchanged(ring: list[float]) -> list[float]:
    """Exchange the x and y of a ring."""
    turned = ring[:]
    turned[::2], turned[1::2] = ring[1::2], ring[::2]
    return turned


_NOTHING = np.zeros(0, dtype=np.int64)
