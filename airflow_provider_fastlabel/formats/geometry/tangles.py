"""Outlines that cross themselves thousands of times are known before GEOS looks at them, and measured roughly.

Where edges cross, GEOS makes a face of every gap between them: their number, and with it time and memory, grows with
the square of the corners. No outline that was drawn or computed crosses itself so often; one of random numbers does.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
import shapely

from airflow_provider_fastlabel.formats.geometry.scanlines import crossings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MOST_CROSSINGS = 5_000
"""Crossings up to which areas and cuts are exact."""
# So few edges cannot cross more often.
_FEW = isqrt(2 * MOST_CROSSINGS)
# Pairs of edges that lie near one another, and of these, those looked at before it is enough.
_MOST_PAIRS = 2_000_000
_AT_ONCE = 100_000
# Rings with more corners may take GEOS long also where none cross: edges side by side, each as long as all.
LONG = 8_000
_FINEST = 1024
_SAMPLES = 1 << 20


def tangled(rings: Sequence[Numbers]) -> bool:
    """Tell whether rings cross themselves and one another too often for exact answers.

    :param rings: corners of each, row by row, closed.
    :returns: false if they cross at most :data:`MOST_CROSSINGS` times, and not too many edges lie over one another.
    """
    count = sum(map(len, rings)) - len(rings)
    if count <= _FEW:
        return False
    starts, ends = np.concatenate([ring[:-1] for ring in rings]), np.concatenate([ring[1:] for ring in rings])
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    tree = shapely.STRtree(boxes)
    found = near = 0
    step = max(1, _AT_ONCE // count)
    for first in range(0, count, step):
        one, other = tree.query(boxes[first : first + step])
        one += first
        once = one < other
        one, other = one[once], other[once]
        near += len(one)
        found += int(_cross(starts[one], ends[one], starts[other], ends[other]).sum())
        if near > _MOST_PAIRS or found > MOST_CROSSINGS:
            return True
    return False


def _cross(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> NDArray[np.bool_]:
    """Tell which edges from a to b cross those from c to d; one that only touches does not count."""
    ab, cd = b - a, d - c
    return (_side(ab, c - a) * _side(ab, d - a) < 0) & (_side(cd, a - c) * _side(cd, b - c) < 0)


def _side(way: Numbers, point: Numbers) -> Numbers:
    side: Numbers = np.sign(way[:, 0] * point[:, 1] - way[:, 1] * point[:, 0])
    return side


def sampled_area(regions: Sequence[Sequence[Sequence[float]]]) -> float:
    """Measure roughly: by a grid of up to a thousand lines each way, fewer for many corners.

    :param regions: as for :func:`.regions.area_of`, open or closed.
    :returns: square pixels, right to about a hundredth of the box around them.
    """
    rings = [np.array(ring, dtype=np.float64).reshape(-1, 2) for region in regions for ring in region]
    points = np.concatenate(rings)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    if not span.all():
        return 0.0
    lines = min(_FINEST, _SAMPLES // len(points), isqrt(64 * _SAMPLES // len(rings)))
    lines = max(lines, 16)
    scaled = iter([((ring - low) / span * lines).ravel().tolist() for ring in rings])
    positions, which = crossings([[next(scaled) for _ in region] for region in regions], lines, lines)
    bounds = np.searchsorted(which, np.arange(len(rings) + 1))
    covered = np.zeros(lines * lines, dtype=bool)
    number = 0
    for region in regions:
        filled = covered
        for order in range(len(region)):
            turns = np.bincount(positions[bounds[number] : bounds[number + 1]], minlength=lines * lines + 1)[:-1]
            # Every column has an even number of crossings, so the next one begins outside.
            inside = np.cumsum(turns) % 2 == 1
            filled = filled & ~inside if order else inside
            number += 1
        covered |= filled
    return float(covered.mean() * span.prod())
