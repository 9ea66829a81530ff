"""Foreign shapes become FastLabel points: boxes from corners, closed rings, turned boxes from four corners.

The inverse of the export geometry. Pixels, origin top left, y down; "clockwise" means as seen on the screen.
"""

from __future__ import annotations

import math
from operator import mul
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.formats.geometry.holes import unbridged
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError, shape_of
from airflow_provider_fastlabel.formats.reading.imported import UnusableError, finite, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

SQUARE_TOLERANCE = 1.0
"""Pixels by which four corners may miss a rectangle and still be one (labels are rounded)."""


def box(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    """Put two opposite corners in FastLabel's order.

    :param x1: x of one corner.
    :param y1: y of one corner.
    :param x2: x of the opposite corner.
    :param y2: y of the opposite corner.
    :returns: ``[left, top, right, bottom]``.
    :raises UnusableError: not finite, or without area.
    """
    if not finite((x1, y1, x2, y2)):
        raise UnusableError("the box has a coordinate that is no number")
    left, right = (x1, x2) if x1 <= x2 else (x2, x1)
    top, bottom = (y1, y2) if y1 <= y2 else (y2, y1)
    if left == right or top == bottom:
        raise UnusableError("the box has no area")
    return [left, top, right, bottom]


def box_around(flat: Sequence[float]) -> list[float]:
    """Return the upright box around points.

    :param flat: ``x1, y1, x2, y2, …``
    :returns: ``[left, top, right, bottom]``.
    :raises UnusableError: the points have no extent.
    """
    xs, ys = flat[0::2], flat[1::2]
    return box(min(xs), min(ys), max(xs), max(ys))


def outline(flat: Sequence[float]) -> list[float]:
    """Check a polygon and drop the repeated first point, as FastLabel's polygons have none.

    :param flat: ``x1, y1, x2, y2, …``, open or closed.
    :returns: the open outline, a new list.
    :raises UnusableError: odd count, a value that is no number, or fewer than three points.
    """
    points = list(flat)
    count = len(points)
    if count % 2:
        raise UnusableError(f"the outline has an odd number of coordinates ({count})")
    if not finite(points):
        raise UnusableError("the outline has a coordinate that is no number")
    while count > 2 and points[0] == points[-2] and points[1] == points[-1]:
        del points[-2:]
        count -= 2
    if count < 6:
        raise UnusableError("an outline needs three points or more")
    return points


def area_outline(flat: Sequence[float]) -> list[float]:
    """Check a polygon that is to cover something.

    :param flat: the outline, open or closed, in any direction.
    :returns: the open outline, a new list; its points keep their order.
    :raises UnusableError: as :func:`outline`, or it has no area, or lies too far away.
    """
    points = outline(flat)
    if not 1e-3 < abs(_doubled_area(points)) < 1e12:
        # As an outline has that crosses itself; exact where it matters only.
        _check_area(points)
    return points


def ring(flat: Sequence[float]) -> list[float]:
    """Make the outer ring of a segmentation: closed and clockwise.

    :param flat: the outline, open or closed, in any direction.
    :returns: flat closed ring, a new list.
    :raises UnusableError: as :func:`outline`, or it has no area, or lies too far away.
    """
    points = outline(flat)
    _check_area(points)
    closed = points + points[:2]
    return _backwards(closed) if _doubled_area(points) < 0 else closed


def _doubled_area(points: list[float]) -> float:
    """Twice the signed area of an open outline (shoelace formula): positive if it runs clockwise."""
    xs, ys = points[::2], points[1::2]
    doubled: float = xs[-1] * ys[0] - ys[-1] * xs[0] + sum(map(mul, xs, ys[1:])) - sum(map(mul, ys, xs[1:]))
    return doubled


def _check_area(points: list[float]) -> None:
    """Refuse an open outline without area."""
    try:
        shape = shape_of({"type": "polygon", "points": points})
    except GeometryError as error:
        raise UnusableError(str(error)) from None
    if isinstance(shape, str):
        raise UnusableError("the outline has no area")


def region(flat: Sequence[float]) -> list[list[float]]:
    """Make a segmentation's region of an outline, with the holes that were joined with it (:mod:`.holes`).

    :param flat: the outline, open or closed, in any direction.
    :returns: closed rings: the outer one clockwise, holes counter-clockwise.
    :raises UnusableError: as :func:`ring`.
    """
    outer, *holes = unbridged(outline(flat))
    return [ring(outer), *(_backwards(ring(hole)) for hole in holes)]


def _backwards(closed: list[float]) -> list[float]:
    """Turn a closed ring round."""
    turned = closed[:]
    turned[::2], turned[1::2] = closed[-2::-2], closed[::-2]
    return turned


def turned_box(corners: Sequence[float]) -> tuple[list[float], float] | None:
    """Take four corners of a rectangle apart into an upright box and its rotation.

    The first corner is the box's top left one before it was turned, the second its top right one.

    :param corners: eight numbers, the corners one after the other in either direction.
    :returns: (``[left, top, right, bottom]``, degrees clockwise on screen in (-180, 180]), or None when the corners
        miss a rectangle by more than :data:`SQUARE_TOLERANCE` pixels.
    :raises UnusableError: a value is no number, or the box has no area.
    """
    if not finite(corners):
        raise UnusableError("the box has a coordinate that is no number")
    ax, ay, bx, by, cx, cy, dx, dy = corners
    if math.hypot(ax + cx - bx - dx, ay + cy - by - dy) / 2 > SQUARE_TOLERANCE:
        return None
    if abs(math.hypot(cx - ax, cy - ay) - math.hypot(dx - bx, dy - by)) > SQUARE_TOLERANCE:
        return None
    middle_x, middle_y = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    width = (math.hypot(bx - ax, by - ay) + math.hypot(cx - dx, cy - dy)) / 2
    height = (math.hypot(dx - ax, dy - ay) + math.hypot(cx - bx, cy - by)) / 2
    across_x, across_y, down_x, down_y = bx - ax + cx - dx, by - ay + cy - dy, dx - ax + cx - bx, dy - ay + cy - by
    # Both pairs of sides say how far it was turned, the longer one more exactly.
    way = 1 if across_x * down_y >= across_y * down_x else -1
    rotation = tidy(math.degrees(math.atan2(across_y - way * down_x, across_x + way * down_y)))
    points = box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
    return [tidy(value) for value in points], 180.0 if rotation == -180.0 else rotation
