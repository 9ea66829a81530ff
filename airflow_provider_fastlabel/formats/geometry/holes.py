"""Holes in formats that know one outline only: joined by a bridge of no width, and found again.

From a corner of the outer ring the outline goes over to the hole, once round it, and the same way back. A bridge covers
nothing, so area and pixels stay what they are.
"""

from __future__ import annotations

from itertools import pairwise, repeat
from math import dist
from typing import TYPE_CHECKING

import numpy as np

from airflow_provider_fastlabel.formats.geometry.regions import area_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Region, Ring

    Numbers = NDArray[np.float64]

_MANY = 100
# Squares of distances are compared roughly first: they are rounded otherwise than the distances.
_ROUNDING = 1 + 1e-12


def bridged(region: Region) -> Ring:
    """Join the holes of a region with its outer ring.

    :param region: flat open rings, the outer one first, holes inside it, the other way round.
    :returns: one flat open ring; the outer ring itself if there is no hole.
    """
    if len(region) > _MANY:
        return _many_bridged(region)
    outer = region[0]
    for hole in region[1:]:
        at = _nearest(outer, hole[0], hole[1])
        start = _nearest(hole, outer[2 * at], outer[2 * at + 1])
        round_trip = hole[2 * start :] + hole[: 2 * start + 2]
        outer = outer[: 2 * at + 2] + round_trip + outer[2 * at :]
    return outer


def _many_bridged(region: Region) -> Ring:
    """Do the same with arrays, which take a fraction of the time where there are thousands."""
    ends = np.cumsum([len(ring) // 2 for ring in region])
    flat = [value for ring in region for value in ring]
    xs, ys = np.array(flat[::2], dtype=np.float64), np.array(flat[1::2], dtype=np.float64)
    # The numbers of the corners along the ring, those at the ends of bridges twice.
    way = np.empty(len(xs) + 2 * len(region), dtype=np.int64)
    length = int(ends[0])
    way[:length] = np.arange(length)
    for begin, end in pairwise(ends.tolist()):
        corner = _first_nearest(xs[:begin], ys[:begin], float(xs[begin]), float(ys[begin]), way[:length])
        at = int(np.argmax(way[:length] == corner))
        hole = np.arange(begin, end)
        start = begin + _first_nearest(xs[begin:end], ys[begin:end], float(xs[corner]), float(ys[corner]), hole - begin)
        count = end - begin + 2
        way[at + count : length + count] = way[at:length].copy()
        way[at + 1 : at + count] = [*range(start, end), *range(begin, start + 1)]
        length += count
    return [value for corner in way[:length].tolist() for value in flat[2 * corner : 2 * corner + 2]]


def _first_nearest(xs: Numbers, ys: Numbers, x: float, y: float, way: NDArray[np.int64]) -> int:
    """Return the number of the corner that is nearest to a point; of several, the one that comes first on a way."""
    dx, dy = xs - x, ys - y
    squares = dx * dx + dy * dy
    near = np.flatnonzero(squares <= squares.min() * _ROUNDING).tolist()
    if len(near) == 1:
        return int(near[0])
    distances = [dist((xs[number], ys[number]), (x, y)) for number in near]
    least = min(distances)
    best = [number for number, distance in zip(near, distances, strict=True) if distance == least]
    return int(min(best, key=lambda number: int(np.argmax(way == number))))


def unbridged(ring: Sequence[float]) -> Region:
    """Take an outline apart that holds bridged holes.

    :param ring: flat open ring.
    :returns: the outer ring and its holes; the ring alone if it comes back to none of its corners, or not as a bridge
        does.
    """
    corners = list(zip(ring[::2], ring[1::2], strict=True))
    if len(set(corners)) == len(corners):
        return [list(ring)]
    way: list[tuple[float, float]] = []
    place: dict[tuple[float, float], int] = {}
    holes: list[list[tuple[float, float]]] = []
    for corner in corners:
        at = place.get(corner)
        if at is None:
            place[corner] = len(way)
            way.append(corner)
            continue
        if len(way) - at > 2:
            holes.append(way[at:])
        for passed in way[at + 1 :]:
            del place[passed]
        del way[at + 1 :]
    direction = _turn(way)
    if len(way) < 3 or any(_turn(hole) * direction >= 0 for hole in holes):
        return [list(ring)]
    region = [[value for corner in one for value in corner] for one in (way, *holes)]
    # Loops that lie beside one another are no holes: taken for some they would vanish.
    whole, exact = area_of([[list(ring)]])
    return region if exact and abs(area_of([region])[0] - whole) <= 1e-6 * max(whole, 1) else [list(ring)]


def _nearest(ring: Ring, x: float, y: float) -> int:
    """Return the number of the corner that is nearest to a point."""
    distances = list(map(dist, repeat((x, y)), zip(ring[::2], ring[1::2], strict=True)))
    return distances.index(min(distances))


def _turn(corners: list[tuple[float, float]]) -> float:
    """Return twice the signed area (shoelace formula): its sign is the direction."""
    return sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(corners, [*corners[1:], *corners[:1]], strict=True))
