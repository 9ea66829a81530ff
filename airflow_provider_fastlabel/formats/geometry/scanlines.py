"""Outlines meet the columns of an image: where each ring enters and leaves."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Region

    Numbers = NDArray[np.int64]


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


def _whole(numbers: NDArray[np.float64], limit: int | Numbers) -> Numbers:
    """Cut whole numbers off at 0 and a limit. For small arrays this takes a third of the time of ``np.clip``."""
    return np.minimum(np.maximum(numbers, 0), limit).astype(np.int64)
