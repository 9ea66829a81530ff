"""Outlines meet the columns of an image: where each ring enters and leaves, and where what they enclose does."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Region

    Numbers = NDArray[np.int64]

# More than any point can have of outer rings around it.
_HOLE = 1 << 20


def crossings(regions: list[Region], height: int | Numbers, width: int | Numbers) -> tuple[Numbers, Numbers]:
    """Find where edges cross the columns' centre lines.

    :param regions: regions of flat open rings, pixels.
    :param height: image height, or one per ring; what lies outside the image is cut off.
    :param width: image width, or one per ring.
    :returns: per crossing column * height + row below it, and the number of its ring, counted through all regions; the
        rings one after the other.
    """
    all_rings = [ring for region in regions for ring in region]
    sizes = [len(ring) // 2 for ring in all_rings]
    numbers = array("d")
    for ring in all_rings:
        numbers.fromlist(ring)
    points = np.frombuffer(numbers)
    ring_of = np.repeat(np.arange(len(all_rings)), sizes)
    xa, ya = points[::2], points[1::2]
    following = np.arange(1, len(xa) + 1)
    ends = np.cumsum(sizes)
    following[ends - 1] = ends - sizes
    xb, yb = xa[following], ya[following]
    reached = _whole(np.ceil(xa - 0.5), width[ring_of] if isinstance(width, np.ndarray) else width)
    left = reached[following]
    first = np.minimum(reached, left)
    counts = np.maximum(reached, left) - first
    used = np.flatnonzero(counts)
    counts, first = counts[used], first[used]
    edge = np.repeat(used, counts)
    columns = np.arange(len(edge)) + np.repeat(first - np.cumsum(counts) + counts, counts)
    slope = np.zeros(len(xa))
    slope[used] = (yb[used] - ya[used]) / (xb[used] - xa[used])
    rows = np.ceil(ya[edge] + (columns + 0.5 - xa[edge]) * slope[edge] - 0.5)
    rings = ring_of[edge]
    rows_limit = height[rings] if isinstance(height, np.ndarray) else height
    return columns * rows_limit + _whole(rows, rows_limit), rings


def union(positions: Numbers, rings: Numbers, sizes: Numbers, shape_of: Numbers) -> tuple[Numbers, Numbers]:
    """Find where the union of each shape's regions, each without its holes, begins and ends by turns.

    The cost is that of the crossings, whatever the number of regions and the size of the image.

    :param positions: of the crossings, so that those of different shapes are in the order of the shapes.
    :param rings: their rings, as :func:`crossings` numbers them.
    :param sizes: rings of each region, the outer one first.
    :param shape_of: the shape of each region, in ascending order.
    :returns: positions, beginning with an entry and alternating, and their shapes; sorted by shape and position.
    """
    region_of = np.repeat(np.arange(len(sizes)), sizes)
    outer = np.zeros(len(region_of), dtype=bool)
    outer[np.cumsum(sizes) - sizes] = True
    # Within a ring, crossings go in and out by turns, and every column has an even number of them.
    order = _order(rings, positions)
    positions, rings = positions[order], rings[order]
    sign = 1 - 2 * (np.arange(len(positions)) & 1)
    weights = np.where(outer[rings], sign, -_HOLE * sign)
    positions, groups = _turns(positions, region_of[rings], weights)
    sign = 1 - 2 * (np.arange(len(positions)) & 1)
    return _turns(positions, shape_of[groups], sign)


def _order(groups: Numbers, positions: Numbers) -> Numbers:
    """Order by group and, in each, by position; as one number if that fits, for what is nearly sorted sorts fast."""
    span = int(positions.max(initial=0)) + 1
    if int(groups.max(initial=0) + 1) * span < 1 << 62:
        return np.argsort(groups * span + positions, kind="stable")
    return np.lexsort((positions, groups))


def _turns(positions: Numbers, groups: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Per group, sum the weights along the positions and return where the sum turns positive or ceases to be.

    :returns: positions, beginning with an entry and alternating, and their groups; sorted by group and position.
    """
    order = _order(groups, positions)
    positions, groups = positions[order], groups[order]
    inside = np.cumsum(weights[order]) > 0
    if not len(positions):
        return positions, groups
    final = np.append((positions[1:] != positions[:-1]) | (groups[1:] != groups[:-1]), True)
    positions, groups, inside = positions[final], groups[final], inside[final]
    turns = inside != np.append(False, inside[:-1])
    return positions[turns], groups[turns]


def _whole(numbers: NDArray[np.float64], limit: int | Numbers) -> Numbers:
    """Cut whole numbers off at 0 and a limit. For small arrays this takes a third of the time of ``np.clip``."""
    return np.minimum(np.maximum(numbers, 0), limit).astype(np.int64)
