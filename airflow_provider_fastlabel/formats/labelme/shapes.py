"""One labelme shape -> FastLabel annotations, of the type its own type means or of one that is wanted for all."""

from __future__ import annotations

import base64
import io
import math
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.formats.geometry.holes import unbridged
from airflow_provider_fastlabel.formats.picture_file import read_pixels
from airflow_provider_fastlabel.formats.reading.imported import Annotation, UnusableError, finite, tidy
from airflow_provider_fastlabel.formats.reading.points import area_outline, box, box_around, outline, region, turned_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    #: Flat coordinates of a shape's points.
    Points = list[float]
    Convert = Callable[[Points, dict[str, Any]], list[Annotation]]
    Outline = Callable[[Points, dict[str, Any]], Points]

LabelmeType = Literal["bbox", "polygon", "segmentation"]
"""What shapes that have an area become."""

_CIRCLE_ERROR = 0.1
"""Pixels by which the outline of a circle may miss it."""
_LARGEST_CIRCLE = 1e6
"""Its outline has 7,000 points; of one a thousand times as large, it would fill the memory."""


def points_of(shape: dict[str, Any]) -> Points:
    """Return a shape's points after a check.

    :param shape: the shape.
    :returns: ``x1, y1, x2, y2, …``
    :raises UnusableError: there are none, or a point is not two numbers.
    """
    points = shape.get("points")
    if not isinstance(points, list) or not points:
        raise UnusableError("it has no points")
    try:
        flat = list(chain.from_iterable(points))
        pairs = set(map(len, points)) == {2}
    except TypeError:
        pairs = False
    if not pairs or not finite(flat):
        raise UnusableError("a point is not two numbers")
    return flat


def converters(wanted: LabelmeType | None) -> dict[str, Convert]:
    """Return what converts each type of shape.

    :param wanted: the annotation type all are to have; None: the one that is nearest to the shape's.
    :returns: shape type -> function of points and shape that returns annotations without their value, or raises
        :class:`UnusableError`.
    """
    return _SHAPES if wanted is None else {**dict.fromkeys(_SHAPES, _without_area(wanted)), **_AREAS[wanted]}


def names_keypoint(shape: dict[str, Any]) -> bool:
    """Tell whether a point is part of a pose: it names a keypoint and has a group.

    :param shape: a shape of type ``point``.
    :returns: true if it is.
    """
    key = shape.get("description")
    return isinstance(key, str) and bool(key) and isinstance(shape.get("group_id"), int | str)


def _need(points: Points, count: int, kind: str) -> None:
    """Refuse a shape with another number of points than its type has."""
    if len(points) != 2 * count:
        raise UnusableError(f"{kind} with {len(points) // 2} points; it has {count}")


def _polygon(points: Points, _: dict[str, Any]) -> list[Annotation]:
    """Read a polygon; one with holes joined to it is a segmentation."""
    flat = area_outline(points)
    if len(unbridged(flat)) > 1:
        return [{"points": [region(flat)], "type": "segmentation"}]
    return [{"points": flat, "type": "polygon"}]


def _rectangle(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    """Read two opposite corners in any order, or four."""
    if len(points) == 8:
        return _oriented_rectangle(points, shape)
    _need(points, 2, "rectangle")
    return [{"points": box(*points), "type": "bbox"}]


def _oriented_rectangle(points: Points, _: dict[str, Any]) -> list[Annotation]:
    """Read four corners."""
    _need(points, 4, "oriented_rectangle")
    found = turned_box(points)
    if found is None:
        raise UnusableError("its four corners are no rectangle")
    corners, rotation = found
    if rotation in (0, 90, -90, 180):
        return [{"points": box_around(points), "type": "bbox"}]
    return [{"points": corners, "type": "bbox", "rotation": rotation}]


def _circle(points: Points, _: dict[str, Any]) -> list[Annotation]:
    """Read a centre and a point of the border."""
    _need(points, 2, "circle")
    x, y, border_x, border_y = points
    radius = tidy(math.hypot(border_x - x, border_y - y))
    if not radius:
        raise UnusableError("the circle has no radius")
    return [{"points": [x, y, radius], "type": "circle"}]


def _line(points: Points, _: dict[str, Any]) -> list[Annotation]:
    """Read a line of two points or more."""
    if len(points) < 4:
        raise UnusableError("a line needs two points or more")
    return [{"points": points, "type": "line"}]


def _point(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    """Read points; one that names a keypoint and has a group is part of a pose."""
    if len(points) == 2 and names_keypoint(shape):
        flags = shape.get("flags")
        visible = flags.get("visible", True) if isinstance(flags, dict) else True
        keypoint = {"key": shape["description"], "value": [*points, int(bool(visible))]}
        return [{"type": "pose_estimation", "keypoints": [keypoint]}]
    return [{"points": points[at : at + 2], "type": "keypoint"} for at in range(0, len(points), 2)]


def _mask(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    """Read a mask: a PNG in base64 whose first pixel lies at the first point."""
    from airflow_provider_fastlabel.formats.geometry.trace import NoisyMaskError, mask_points

    try:
        pixels, _ = read_pixels(io.BytesIO(base64.b64decode(shape.get("mask") or "")))
    except (TypeError, ValueError) as error:
        raise UnusableError(f"its mask is no PNG in base64 that can be unpacked: {error}") from None
    found = pixels != 0 if pixels.ndim == 2 else pixels[:, :, 0] != 0
    left, top = (int(value) for value in points[:2])
    try:
        regions = mask_points(found, left, top)
    except NoisyMaskError as error:
        raise UnusableError(f"its mask cannot be traced: {error}") from None
    if not regions:
        raise UnusableError("its mask is empty")
    return [{"points": regions, "type": "segmentation"}]


_SHAPES: dict[str, Convert] = {
    "rectangle": _rectangle,
    "oriented_rectangle": _oriented_rectangle,
    "polygon": _polygon,
    "mask": _mask,
    "circle": _circle,
    "line": _line,
    "linestrip": _line,
    "point": _point,
    "points": _point,
}


def _without_area(wanted: LabelmeType) -> Convert:
    """Return the refusal of points and lines."""

    def refuse(_: Points, shape: dict[str, Any]) -> list[Annotation]:
        raise UnusableError(f"a {shape.get('shape_type')} has no area, so it becomes no {wanted}")

    return refuse


def _four_corners(points: Points, _: dict[str, Any]) -> Points:
    """Return the outline of a rectangle: as it was drawn if its corners are given."""
    if len(points) == 8:
        return area_outline(points)
    _need(points, 2, "rectangle")
    left, top, right, bottom = box(*points)
    return [left, top, right, top, right, bottom, left, bottom]


def _round(points: Points, shape: dict[str, Any]) -> Points:
    """Return the outline of a circle."""
    x, y, radius = _circle(points, shape)[0]["points"]
    if radius > _LARGEST_CIRCLE:
        raise UnusableError(f"the circle has a radius of {radius:g} pixels, too many for an outline")
    step = math.acos(max(1 - _CIRCLE_ERROR / radius, 0))
    count = max(12, math.ceil(math.pi / step))
    angles = (2 * math.pi * number / count for number in range(count))
    return [tidy(value) for angle in angles for value in (x + radius * math.cos(angle), y + radius * math.sin(angle))]


_OUTLINES: dict[str, Outline] = {
    "rectangle": _four_corners,
    "oriented_rectangle": _four_corners,
    "polygon": lambda points, _: area_outline(points),
    "circle": _round,
}


def _as_polygon(make: Outline) -> Convert:
    return lambda points, shape: [{"points": make(points, shape), "type": "polygon"}]


def _as_segmentation(make: Outline) -> Convert:
    return lambda points, shape: [{"points": [region(make(points, shape))], "type": "segmentation"}]


def _mask_as_polygons(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    """Return one polygon per part of a mask."""
    regions = _mask(points, shape)[0]["points"]
    if any(len(rings) > 1 for rings in regions):
        raise UnusableError('its mask has a hole, which a polygon cannot say; read it as "segmentation"')
    return [{"points": outline(rings[0]), "type": "polygon"} for rings in regions]


def _hull(rings: Iterable[list[float]]) -> list[Annotation]:
    """Return the box around outlines."""
    return [{"points": box_around([value for ring in rings for value in ring]), "type": "bbox"}]


def _circle_as_box(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    x, y, radius = _circle(points, shape)[0]["points"]
    return [{"points": box(x - radius, y - radius, x + radius, y + radius), "type": "bbox"}]


_AREAS: dict[LabelmeType, dict[str, Convert]] = {
    "bbox": {
        "rectangle": _rectangle,
        "oriented_rectangle": _oriented_rectangle,
        "polygon": lambda points, _: _hull([area_outline(points)]),
        "mask": lambda points, shape: _hull(rings[0] for rings in _mask(points, shape)[0]["points"]),
        "circle": _circle_as_box,
    },
    "polygon": {**{kind: _as_polygon(make) for kind, make in _OUTLINES.items()}, "mask": _mask_as_polygons},
    "segmentation": {**{kind: _as_segmentation(make) for kind, make in _OUTLINES.items()}, "mask": _mask},
}
