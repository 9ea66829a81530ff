"""A FastLabel annotation becomes a shape: this is the one place where points become geometry.

Coordinates are pixels, origin top left, x to the right, y down; integer coordinates run along pixel borders, so the box
``[2, 2, 8, 6]`` covers columns 2 to 7 and rows 2 to 5 (reference: FastLabel data model, "Annotation instance"). What
:func:`shape_of` returns obeys these rules, whatever the points looked like:

* a box has its lower corner first; a rotated one is turned about its centre, positive degrees clockwise on screen;
* rings are flat lists, **open** (the first point is not repeated), of three points or more; a region is a list of
  rings, the outer one first; corners keep the order they came in, but holes run against their outline, and what had
  to be cut runs clockwise on screen;
* ``area`` is exact: the union of the regions, holes subtracted, each ring by the even-odd rule; where edges cross more
  than :data:`.tangles.MOST_CROSSINGS` times it is measured roughly, and ``exact`` says so;
* holes lie inside their outer ring and apart: what a hole takes away is cut out, what of it reaches out is dropped;
* with the image's size given, nothing lies outside it; without, nothing lies beyond :data:`~.shape.FARTHEST`.

Lines and circles are not cut at the image's border: no format asks for it. Frame-keyed points (video projects) are not
shapes; :mod:`.video` turns them into one task per frame first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from operator import mul
from typing import Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.geometry import reasons
from airflow_provider_fastlabel.formats.geometry.containment import apart
from airflow_provider_fastlabel.formats.geometry.numbers import explained, numbers_of, too_far
from airflow_provider_fastlabel.formats.geometry.regions import TangledError, area_of, resolved
from airflow_provider_fastlabel.formats.geometry.rings import Measures, measured
from airflow_provider_fastlabel.formats.geometry.shape import (
    AREA_KINDS,
    EPSILON,
    FARTHEST,
    Box,
    GeometryError,
    Region,
    Ring,
    Shape,
    overlapping,
    rotated_corners,
)
from airflow_provider_fastlabel.words import shortened

Known = Mapping[int, Measures]
# An open ring, its measures, its area.
_Solid = tuple[Ring, Measures, float]

_NO_REGIONS = "a segmentation is a list of regions, each a list of rings, each a list of numbers"

__all__ = ["AREA_KINDS", "GeometryError", "Region", "Ring", "Shape", "image_size", "shape_of"]


def image_size(task: Mapping[str, Any]) -> tuple[float, float]:
    """Return a task's width and height.

    :param task: task object.
    :returns: pixels; (0, 0) if either is missing, not a number, not positive, or beyond :data:`~.shape.FARTHEST`.
    """
    width, height = task.get("width"), task.get("height")
    try:
        if 0 < width <= FARTHEST and 0 < height <= FARTHEST:  # type: ignore[operator]
            return width, height  # type: ignore[return-value]
    except TypeError:
        pass
    return 0, 0


def shape_of(annotation: Mapping[str, Any], width: float = 0, height: float = 0) -> Shape | str:
    """Turn an annotation into a shape.

    :param annotation: annotation as the API returns it; not changed.
    :param width: image width in pixels to clip to; 0 leaves shapes uncut.
    :param height: image height.
    :returns: the shape, or the reason (a constant of :mod:`.reasons`) why there is none.
    :raises GeometryError: the points are no geometry: not numbers, not finite, an odd number of coordinates.
    """
    kind = annotation.get("type")
    make = MAKERS.get(kind)  # type: ignore[arg-type]
    if make is None:
        return f"{reasons.UNSUPPORTED_TYPE}:{foreign_text(kind, 60)}"
    return make(annotation, width, height, {})


def _bbox(annotation: Mapping[str, Any], width: float, height: float, _: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    try:
        x1, y1, x2, y2 = points
        if x1 > x2:
            x1, x2 = x2, x1
        if y1 > y2:
            y1, y2 = y2, y1
        near = x1 >= -FARTHEST and y1 >= -FARTHEST and x2 <= FARTHEST and y2 <= FARTHEST
    except (TypeError, ValueError):
        raise GeometryError(explained(points, "a box needs four numbers")) from None
    if not near:
        raise GeometryError(too_far(points))
    rotation = annotation.get("rotation")
    if rotation:
        return _rotated_box(x1, y1, x2, y2, rotation, width, height)
    clipped = False
    if width and (x1 < 0 or y1 < 0 or x2 > width or y2 > height):
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            return reasons.OUTSIDE_IMAGE
        clipped = True
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if x2 - x1 <= EPSILON or y2 - y1 <= EPSILON:
        return reasons.DEGENERATE
    return Shape("bbox", x1, y1, x2, y2, (x2 - x1) * (y2 - y1), None, (x1, y1, x2, y2), clipped)


def _rotated_box(x1: float, y1: float, x2: float, y2: float, rotation: Any, width: float, height: float) -> Shape | str:
    """Turn a box about its centre; half turns leave it as it is."""
    if not isinstance(rotation, (int, float)) or not isfinite(rotation):
        raise GeometryError(f"the rotation is not a finite number of degrees: {rotation!r}")
    if x2 - x1 <= EPSILON or y2 - y1 <= EPSILON:
        return reasons.DEGENERATE
    corners = rotated_corners(x1, y1, x2, y2, rotation)
    shape = _of_ring("bbox", corners, width, height, _measured(corners))
    if isinstance(shape, Shape):
        shape.points = (x1, y1, x2, y2)
        shape.rotation = rotation
        if not shape.clipped:
            shape.area = (x2 - x1) * (y2 - y1)
    return shape


def _polygon(annotation: Mapping[str, Any], width: float, height: float, known: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    measures = known.get(id(points))
    return _of_ring("polygon", points if measures else numbers_of(points), width, height, measures)


def _of_ring(kind: str, ring: Ring, width: float, height: float, measures: Measures | None) -> Shape | str:
    """Make a shape of one ring without holes. This is the path nearly all outlines take, so it allocates little."""
    if ring[0] == ring[-2] and ring[1] == ring[-1]:
        ring = ring[:-2]
    if len(ring) < 6:
        return reasons.DEGENERATE
    x1, y1, x2, y2, doubled, crossed = measures = measures or measured(ring)
    if x2 - x1 <= EPSILON or y2 - y1 <= EPSILON:
        return reasons.DEGENERATE
    if width and (x1 < 0 or y1 < 0 or x2 > width or y2 > height):
        return _of_regions(kind, [[ring]], width, height, {id(ring): measures})
    area, exact = abs(doubled) / 2, True
    if crossed or area <= EPSILON * (x2 - x1 + y2 - y1):
        area, exact = area_of([[ring]])
        if area <= EPSILON * (x2 - x1 + y2 - y1):
            return reasons.DEGENERATE
    shape = Shape(kind, x1, y1, x2, y2, area, [[ring]])
    if not exact:
        shape.exact = False
    return shape


def _segmentation(annotation: Mapping[str, Any], width: float, height: float, known: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    if not isinstance(points, (list, tuple)):
        raise GeometryError(explained(points, "a segmentation is a list of regions, each a list of rings"))
    regions: list[Region] = []
    for region in points:
        if not isinstance(region, (list, tuple)):
            raise GeometryError(_NO_REGIONS)
        regions.append([ring if id(ring) in known else _ring(ring) for ring in region])
    if len(regions) == 1 and len(regions[0]) == 1 and regions[0][0]:
        ring = regions[0][0]
        return _of_ring("segmentation", ring, width, height, known.get(id(ring)))
    return _of_regions("segmentation", regions, width, height, known)


def _ring(ring: Any) -> Ring:
    """Check a ring of a segmentation; an empty one is let through."""
    if not isinstance(ring, (list, tuple)):
        raise GeometryError(_NO_REGIONS)
    return numbers_of(ring) if ring else []


def _of_regions(kind: str, given: list[Region], width: float, height: float, known: Known) -> Shape | str:
    """Make a shape of any regions: drop what is degenerate, cut them, let holes run against their outlines."""
    regions: list[Region] = []
    boxes: list[Box] = []
    covered = 0.0
    clipped = False
    dropped = outside = 0
    for region in given:
        outer = _solid(region[0], known) if region else None
        if outer is None:
            dropped += 1
            continue
        x1, y1, x2, y2 = outer[1][:4]
        leaves = bool(width) and (x1 < 0 or y1 < 0 or x2 > width or y2 > height)
        if len(region) == 1 and not leaves:
            boxes.append((x1, y1, x2, y2))
            covered += outer[2]
            regions.append([outer[0]])
            continue
        holes = [_solid(ring, known) for ring in region[1:]]
        solid = [outer, *(hole for hole in holes if hole)]
        dropped += len(region) - len(solid)
        try:
            parts, area = _cut(solid, *((width, height) if leaves else (0, 0)))
        except TangledError:
            return reasons.TOO_TANGLED
        if not parts:
            dropped += 1
            outside += leaves
            continue
        clipped |= leaves
        covered += area
        for part in parts:
            boxes.append(tuple(part[0][1][:4]))  # type: ignore[arg-type]
            regions.append([part[0][0], *(_against(hole, part[0]) for hole in part[1:])])
    if not regions:
        return reasons.OUTSIDE_IMAGE if outside else reasons.DEGENERATE
    inner = sum(map(len, regions)) - len(regions)
    # Holes may leave nothing; and an outline that crosses itself has more than the sum says, if nobody looked for that.
    if inner and covered <= EPSILON and area_of(regions)[0] <= EPSILON:
        return reasons.DEGENERATE
    x1, y1, x2, y2 = boxes[0] if len(boxes) == 1 else _hull(boxes)
    shape = Shape(kind, x1, y1, x2, y2, None if overlapping(boxes) else covered, regions, (), clipped or outside > 0)
    shape.dropped = dropped
    shape.holes = inner
    return shape


def _solid(ring: Ring, known: Known) -> _Solid | None:
    """Open and measure one ring.

    :returns: the open ring, its measures, and its area; None if it is degenerate.
    """
    measures = known.get(id(ring))
    if len(ring) >= 4 and ring[0] == ring[-2] and ring[1] == ring[-1]:
        ring = ring[:-2]
    if len(ring) < 6:
        return None
    x1, y1, x2, y2, doubled, crossed = measures = measures or measured(ring)
    if x2 - x1 <= EPSILON or y2 - y1 <= EPSILON:
        return None
    area = abs(doubled) / 2
    if crossed or area <= EPSILON * (x2 - x1 + y2 - y1):
        area, _ = area_of([[ring]])
        if area <= EPSILON * (x2 - x1 + y2 - y1):
            return None
    return ring, measures, area


def _cut(solid: list[_Solid], width: float, height: float) -> tuple[list[list[_Solid]], float]:
    """Cut a region at the image's border and at its holes; return what is left, and its area."""
    rings = [ring for ring, _, _ in solid]
    if not width and apart(rings):
        return [solid], solid[0][2] - sum(area for _, _, area in solid[1:])
    parts, area = resolved(rings, width, height)
    if parts and parts[0] is rings:
        return [solid], area
    return [[(ring, _measured(ring), 0.0) for ring in part] for part in parts], area


def _against(hole: _Solid, outer: _Solid) -> Ring:
    """Let a hole run against its outline."""
    return _reversed(hole[0]) if hole[1][4] * outer[1][4] > 0 else hole[0]


def _hull(boxes: list[Box]) -> tuple[float, float, float, float]:
    """Box around boxes."""
    x1s, y1s, x2s, y2s = zip(*boxes, strict=True)
    return min(x1s), min(y1s), max(x2s), max(y2s)


def _pose(annotation: Mapping[str, Any], width: float, height: float, _: Known) -> Shape | str:
    keypoints: dict[str, tuple[float, float, int]] = {}
    clipped = False
    seen = 0
    for row in annotation.get("keypoints") or ():
        try:
            value, key = row.get("value"), row["key"]
            if not value:
                continue
            x, y = value[0], value[1]
            near = abs(x) <= FARTHEST and abs(y) <= FARTHEST
            visible = len(value) < 3 or value[2] == 1
        except (AttributeError, IndexError, KeyError, TypeError):
            raise GeometryError(f"a keypoint needs a key and a value [x, y, visible]: {shortened(row)}") from None
        if not near:
            raise GeometryError(f"keypoint {key!r}: {too_far(value)}")
        seen += 1
        if width and not (0 <= x <= width and 0 <= y <= height):
            clipped = True
            continue
        keypoints[key] = (x, y, 2 if visible else 1)
    if not keypoints:
        return reasons.OUTSIDE_IMAGE if seen else reasons.NO_POINTS
    xs = [point[0] for point in keypoints.values()]
    ys = [point[1] for point in keypoints.values()]
    x1, x2 = _at_least_a_pixel(min(xs), max(xs), width)
    y1, y2 = _at_least_a_pixel(min(ys), max(ys), height)
    shape = Shape("pose_estimation", x1, y1, x2, y2, (x2 - x1) * (y2 - y1), None, (), clipped)
    shape.keypoints = keypoints
    return shape


def _at_least_a_pixel(low: float, high: float, limit: float) -> tuple[float, float]:
    """Widen an interval to one pixel, inside the image if its size is known: a pose always has a box."""
    if high - low >= 1:
        return low, high
    middle = (low + high) / 2
    if limit:
        middle = min(max(middle, 0.5), max(limit - 0.5, 0.5))
    return middle - 0.5, middle + 0.5


def _keypoint(annotation: Mapping[str, Any], width: float, height: float, _: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    numbers = numbers_of(points)
    if len(numbers) != 2:
        raise GeometryError(f"a keypoint needs two numbers: {shortened(points)}")
    x, y = numbers
    if width and not (0 <= x <= width and 0 <= y <= height):
        return reasons.OUTSIDE_IMAGE
    return Shape("keypoint", x, y, x, y, 0, [], numbers)


def _line(annotation: Mapping[str, Any], width: float, height: float, _: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    numbers = numbers_of(points)
    xs, ys = numbers[::2], numbers[1::2]
    x1, y1, x2, y2 = min(xs), min(ys), max(xs), max(ys)
    if len(xs) < 2 or (x2 - x1 <= EPSILON and y2 - y1 <= EPSILON):
        return reasons.DEGENERATE
    if width and (x2 < 0 or y2 < 0 or x1 > width or y1 > height):
        return reasons.OUTSIDE_IMAGE
    return Shape("line", x1, y1, x2, y2, 0, [], numbers)


def _circle(annotation: Mapping[str, Any], width: float, height: float, _: Known) -> Shape | str:
    points = annotation.get("points")
    if not points:
        return reasons.NO_POINTS
    try:
        x, y, radius = points
        near = abs(x) <= FARTHEST and abs(y) <= FARTHEST and abs(radius) <= FARTHEST
    except (TypeError, ValueError):
        raise GeometryError(explained(points, "a circle needs three numbers: centre and radius")) from None
    if not near:
        raise GeometryError(too_far(points))
    if radius <= EPSILON:
        return reasons.DEGENERATE
    x1, y1, x2, y2 = x - radius, y - radius, x + radius, y + radius
    if width and (x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height):
        return reasons.OUTSIDE_IMAGE
    return Shape("circle", x1, y1, x2, y2, 3.141592653589793 * radius * radius, [], (x, y, radius))


#: Annotation type -> what makes its shape: the parameters of :func:`shape_of`, and the measures of the rings that were
#: measured before.
MAKERS: dict[str, Callable[[Mapping[str, Any], float, float, Known], Shape | str]] = {
    "bbox": _bbox,
    "polygon": _polygon,
    "segmentation": _segmentation,
    "pose_estimation": _pose,
    "keypoint": _keypoint,
    "line": _line,
    "circle": _circle,
}


def _measured(ring: Ring) -> Measures:
    """Measure a small ring that is known not to cross itself."""
    xs, ys = ring[::2], ring[1::2]
    doubled: float = sum(map(mul, xs, ys[1:])) - sum(map(mul, ys, xs[1:])) + xs[-1] * ys[0] - xs[0] * ys[-1]
    return [min(xs), min(ys), max(xs), max(ys), doubled, 0]


def _reversed(ring: Ring) -> Ring:
    """Turn a ring the other way round, from the same first point."""
    xs, ys = ring[::2], ring[1::2]
    xs[1:], ys[1:] = xs[:0:-1], ys[:0:-1]
    back = ring[:]
    back[::2], back[1::2] = xs, ys
    return back
