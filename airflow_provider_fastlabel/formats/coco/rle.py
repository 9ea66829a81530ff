"""COCO's run lengths are encoded from regions, exact to the pixel, and decoded to masks.

A pixel belongs to a region if its centre does (even-odd rule per ring), so integer coordinates, which run along pixel
borders, give exactly the pixels between them. COCO counts pixels column by column from the top left, in alternating
runs of outside and inside; where an edge crosses the line through a column's pixel centres, a run begins or ends. Those
crossings are computed for all edges of many shapes at once; no bitmap is made.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.geometry.scanlines import crossings, union
from airflow_provider_fastlabel.formats.geometry.trace import NoisyMaskError, run_points
from airflow_provider_fastlabel.formats.reading.imported import UnusableError
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Region
    from airflow_provider_fastlabel.formats.geometry.trace import Mask

    Numbers = NDArray[np.int64]
MAX_SIDE = 1 << 20
"""Longest side of an image whose masks are read and written."""
MAX_PIXELS = (1 << 32) - 1
"""Largest such image: pycocotools counts pixels in 32 bits."""
MOST_UNPACKED = 1 << 28
"""Largest mask that becomes an array (268 megapixels): a forged size must not fill the memory."""


def encode_many(shapes: Sequence[tuple[list[Region], int, int]]) -> list[str | None]:
    """Return each shape as COCO's compressed run lengths, see :func:`run_lengths` and :func:`compress`.

    :param shapes: per shape its regions (flat open rings, pixels), and its image's height and width.
    :returns: ASCII text for ``segmentation["counts"]``, one per shape; ``None`` where it covers no pixel's centre.
    """
    if not shapes:
        return []
    lengths, first = run_lengths(shapes)
    runs = np.diff(first, append=len(lengths))
    return [text if count > 1 else None for text, count in zip(compress(lengths, first), runs, strict=True)]


def run_lengths(shapes: Sequence[tuple[list[Region], int, int]]) -> tuple[Numbers, Numbers]:
    """Rasterise the union of each shape's regions, each without its holes; what lies outside the image is cut off.

    :param shapes: as for :func:`encode_many`; at least one.
    :returns: lengths of the runs in column-major order, shape after shape, each beginning with a run of outside
        (possibly 0); and per shape the index of its first.
    """
    regions = [region for shape in shapes for region in shape[0]]
    sizes = np.array([len(region) for region in regions])
    region_of = np.repeat(np.arange(len(regions)), sizes)
    shape_of = np.repeat(np.arange(len(shapes)), [len(shape[0]) for shape in shapes])
    heights = np.array([shape[1] for shape in shapes])
    areas = heights * np.array([shape[2] for shape in shapes])
    starts = np.cumsum(areas) - areas

    ring_shape = shape_of[region_of]
    positions, rings = crossings(regions, heights[ring_shape], (areas // np.maximum(heights, 1))[ring_shape])
    positions += starts[ring_shape[rings]]
    positions, groups = union(positions, rings, sizes, shape_of)
    return _lengths(positions, groups, starts, areas)


def _lengths(turns: Numbers, shapes: Numbers, starts: Numbers, areas: Numbers) -> tuple[Numbers, Numbers]:
    """Turn positions into lengths: between a shape's start, its turns, and its end unless the last turn is there."""
    before = np.searchsorted(shapes, np.arange(len(starts)))
    after = np.searchsorted(shapes, np.arange(len(starts)), side="right")
    ends = starts + areas
    ended = (after > before) & (turns[np.maximum(after - 1, 0)] == ends if len(turns) else False)
    bounds = np.sort(np.concatenate((turns, starts, ends[~ended])))
    counts = after - before + 2 - ended
    first = np.cumsum(counts) - counts
    lengths = np.delete(np.append(bounds[1:] - bounds[:-1], 0), first + counts - 1)
    return lengths, first - np.arange(len(first))


def compress(lengths: Numbers, first: Numbers) -> list[str]:
    """Write run lengths as COCO's compressed text.

    From the fourth of a shape on, the difference to the length two before is written; a number goes out in groups of
    five bits, the lowest first, the sixth bit says that more follow, and 48 is added to make it printable (pycocotools,
    ``maskApi.c``, rleToString).

    :param lengths: run lengths, shape after shape.
    :param first: per shape the index of its first length.
    :returns: one ASCII text per shape.
    """
    values = lengths.copy()
    values[2:] -= lengths[:-2]
    plain = (first[:, np.newaxis] + np.arange(3)).ravel()
    plain = plain[plain < len(lengths)]
    values[plain] = lengths[plain]
    groups: list[Numbers] = []
    alive = np.ones(len(values), dtype=bool)
    while alive.any():
        low = values & 0x1F
        values >>= 5
        more = np.where(low & 0x10, values != -1, values != 0) & alive
        groups.append(np.where(alive, (low | (more << 5)) + 48, 0))
        alive = more
    table = np.stack(groups, axis=1).astype(np.uint8)
    used = table > 0
    text = table[used].tobytes().decode("ascii")
    ends = np.append(np.cumsum(used.sum(axis=1)), 0)
    marks = [*ends[first - 1].tolist(), len(text)]
    return [text[a:b] for a, b in pairwise(marks)]


def run_lengths_to_mask(segmentation: Mapping[str, Any]) -> Mask:
    """Unpack COCO's run length encoding (column by column, background first), plain or compressed.

    :param segmentation: ``{"size": [height, width], "counts": [int, …] or str}``. The compressed string is the one of
        the COCO API: groups of five bits, low first, each value from the third on as difference to the one two before.
    :returns: boolean array of the given size.
    :raises UnusableError: size and counts do not fit or are no run lengths at all, or the mask is too large.
    """
    counts, height, width = _checked(segmentation)
    if height * width > MOST_UNPACKED:
        raise UnusableError(f"the run lengths are of {height} x {width} pixels, which is too large")
    filled = np.arange(len(counts)) % 2 == 1
    return np.repeat(filled, counts).reshape(width, height).T


def run_lengths_to_points(segmentation: Mapping[str, Any]) -> list[list[list[float]]]:
    """Trace the pixel borders of COCO's run lengths; a large mask of few runs costs little.

    :param segmentation: as for :func:`run_lengths_to_mask`.
    :returns: regions, each a list of closed rings, holes included; none if the mask is empty.
    :raises UnusableError: size and counts do not fit or are no run lengths at all, the mask is too large, or noise.
    """
    counts, height, _ = _checked(segmentation)
    ends = np.cumsum(np.array(counts[: len(counts) // 2 * 2], dtype=np.int64))
    # Where a run is empty, those beside it are one.
    bounds, turns = np.unique(ends, return_counts=True)
    try:
        return run_points(bounds[turns % 2 == 1], height)
    except NoisyMaskError as error:
        raise UnusableError(f"its run lengths are of a mask that cannot be traced: {error}") from None


def _checked(segmentation: Mapping[str, Any]) -> tuple[list[int], int, int]:
    """Return counts, height and width of run lengths, if they are some."""
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(n) is int and n > 0 for n in size)):
        raise UnusableError("the run lengths have no size [height, width]")
    height, width = size
    if max(size) > MAX_SIDE or height * width > MAX_PIXELS:
        raise UnusableError(
            f"the run lengths are of {shortened(height)} x {shortened(width)} pixels, which is too large"
        )
    if isinstance(counts, str):
        counts = _unpack_counts(counts)
    if not (isinstance(counts, list) and all(type(n) is int and n >= 0 for n in counts)):
        raise UnusableError("the run lengths are not counts")
    if sum(counts) != height * width:
        raise UnusableError(f"the run lengths do not fill {height} x {width} pixels")
    return counts, height, width


def _unpack_counts(text: str) -> list[int]:
    """Undo the compressed form of COCO's run lengths."""
    counts: list[int] = []
    value = shift = 0
    for symbol in text:
        bits = ord(symbol) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise UnusableError("the compressed run lengths hold a character that cannot be there")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise UnusableError("the compressed run lengths break off")
    return counts
