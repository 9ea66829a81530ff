"""Regions -> exact pixels -> COCO's run lengths.

A pixel belongs to a region if its centre does (even-odd rule per ring), so integer coordinates, which run along pixel
borders, give exactly the pixels between them. COCO counts pixels column by column from the top left, in alternating
runs of outside and inside; where an edge crosses the line through a column's pixel centres, a run begins or ends. Those
crossings are computed for all edges at once; no bitmap is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry import Region


def run_lengths(regions: list[Region], height: int, width: int) -> NDArray[np.int64]:
    """Rasterise the union of regions, each without its holes.

    :param regions: Regions of flat open rings, pixels.
    :param height: Image height; what lies outside the image is cut off.
    :param width: Image width.
    :returns: Lengths of the runs in column-major order, beginning with a run of outside (possibly 0).
    """
    positions, rings = crossings(regions, height, width)
    positions, covered = _coverage(positions, rings, regions)
    last = np.append(positions[1:] != positions[:-1], True)[: len(positions)]
    positions, covered = positions[last], covered[last]
    turns = positions[covered != np.concatenate(([False], covered[:-1]))] if len(covered) else positions
    total = height * width
    ends = np.array([0, *turns, total] if not len(turns) or turns[-1] < total else [0, *turns], dtype=np.int64)
    return ends[1:] - ends[:-1]


def _coverage(
    positions: NDArray[np.int64], rings: NDArray[np.int64], regions: list[Region]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Sort the crossings and say of each whether the union of the regions is entered or being left there."""
    if len(regions) == 1 and len(regions[0]) == 1:
        return np.sort(positions), np.arange(1, len(positions) + 1) % 2 == 1
    order = np.argsort(positions, kind="stable")
    positions, rings = positions[order], rings[order]
    covered = np.zeros(len(positions), dtype=bool)
    number = 0
    for region in regions:
        inside = np.zeros(len(positions), dtype=bool)
        for hole in range(len(region)):
            odd = np.cumsum(rings == number) & 1
            inside = inside & (odd == 0) if hole else odd == 1
            number += 1
        covered |= inside
    return positions, covered


def crossings(regions: list[Region], height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find where edges cross the columns' centre lines.

    :param regions: Regions of flat open rings, pixels.
    :param height: Image height; what lies outside the image is cut off.
    :param width: Image width.
    :returns: Per crossing column * height + row below it, and the number of its ring, counted through all regions; the
        rings one after the other.
    """
    all_rings = [ring for region in regions for ring in region]
    sizes = [len(ring) // 2 for ring in all_rings]
    points = np.array([number for ring in all_rings for number in ring], dtype=np.float64)
    xa, ya = points[::2], points[1::2]
    following = np.arange(1, len(xa) + 1)
    ends = np.cumsum(sizes)
    following[ends - 1] = ends - sizes
    xb, yb = xa[following], ya[following]
    first = np.clip(np.ceil(np.minimum(xa, xb) - 0.5), 0, width).astype(np.int64)
    stop = np.clip(np.ceil(np.maximum(xa, xb) - 0.5), 0, width).astype(np.int64)
    counts = stop - first
    used = np.flatnonzero(counts)
    counts, first = counts[used], first[used]
    edge = np.repeat(used, counts)
    columns = np.arange(len(edge)) + np.repeat(first - np.cumsum(counts) + counts, counts)
    slope = np.zeros(len(xa))
    slope[used] = (yb[used] - ya[used]) / (xb[used] - xa[used])
    rows = np.ceil(ya[edge] + (columns + 0.5 - xa[edge]) * slope[edge] - 0.5)
    positions = columns * height + np.clip(rows, 0, height).astype(np.int64)
    return positions, np.repeat(np.arange(len(all_rings)), sizes)[edge]


def compress(lengths: NDArray[np.int64]) -> str:
    """Write run lengths as COCO's compressed text.

    From the fourth on, the difference to the length two before is written; a number goes out in groups of five bits,
    the lowest first, the sixth bit says that more follow, and 48 is added to make it printable (pycocotools,
    ``maskApi.c``, rleToString).

    :param lengths: Run lengths.
    :returns: ASCII text for ``segmentation["counts"]``.
    """
    values = lengths.copy()
    values[3:] -= lengths[1:-2]
    groups: list[NDArray[np.int64]] = []
    alive = np.ones(len(values), dtype=bool)
    while alive.any():
        low = values & 0x1F
        values >>= 5
        more = np.where(low & 0x10, values != -1, values != 0) & alive
        groups.append(np.where(alive, (low | (more << 5)) + 48, 0))
        alive = more
    table = np.stack(groups, axis=1) if groups else np.zeros((0, 1), dtype=np.int64)
    return bytes(table[table > 0].astype(np.uint8)).decode("ascii")


def encode_regions(regions: list[Region], height: int, width: int) -> str:
    """Return regions as compressed run lengths, see :func:`run_lengths` and :func:`compress`."""
    return compress(run_lengths(regions, height, width))
