"""Joins two polygons that were cut apart along a straight line."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]


def join(one: Sequence[float], two: Sequence[float], tolerance: float) -> list[float] | None:
    """Return the ring around two polygons that share an edge, or ``None`` when they do not.

    :param one: flat coordinates x1, y1, x2, y2, ... of an unclosed ring.
    :param two: the other ring.
    :param tolerance: pixels by which the ends of the common edge may differ.
    """
    first, second = _points(one), _points(two)
    for direction in (second, second[::-1]):
        edge = _common_edge(first, direction, tolerance)
        if edge is not None:
            i, j = edge
            ring = first[i + 1 :] + first[: i + 1]
            rest = (direction[j + 1 :] + direction[: j + 1])[1:-1]
            return [
                value
                for point in _without_straight(ring + rest, {first[i], first[i - len(first) + 1]})
                for value in point
            ]
    return None


def _points(flat: Sequence[float]) -> list[Point]:
    points = list(zip(flat[::2], flat[1::2], strict=True))
    return points[:-1] if len(points) > 1 and points[0] == points[-1] else points


def _common_edge(first: Sequence[Point], second: Sequence[Point], tolerance: float) -> tuple[int, int] | None:
    for i, start in enumerate(first):
        end = first[(i + 1) % len(first)]
        for j, other in enumerate(second):
            if _near(start, second[(j + 1) % len(second)], tolerance) and _near(end, other, tolerance):
                return i, j
    return None


def _near(one: Point, two: Point, tolerance: float) -> bool:
    return abs(one[0] - two[0]) <= tolerance and abs(one[1] - two[1]) <= tolerance


def _without_straight(ring: list[Point], seam: set[Point]) -> list[Point]:
    """Leave out the points of the seam that only lie on a straight line now."""
    kept = []
    for index, point in enumerate(ring):
        (x0, y0), (x1, y1) = ring[index - 1], ring[(index + 1) % len(ring)]
        straight = (x1 - x0) * (point[1] - y0) == (y1 - y0) * (point[0] - x0)
        if point not in seam or not straight:
            kept.append(point)
    return kept
