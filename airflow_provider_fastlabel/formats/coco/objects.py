"""One COCO annotation -> FastLabel annotations of the wanted type.

What is wrong with an object is an :class:`~.imported.UnusableError`; :mod:`.mending` then looks what is left of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_fastlabel.formats.geometry.shape import EPSILON, rotated_corners
from airflow_provider_fastlabel.formats.reading.imported import (
    PLACES,
    Annotation,
    UnusableError,
    finite,
    tidy,
)
from airflow_provider_fastlabel.formats.reading.points import box, box_around, outline, ring, turned_box

CocoType = Literal["bbox", "polygon", "segmentation", "pose_estimation"]

_ALIGNED = 0.011
"""Pixels by which a box's ring may differ from its bbox: both are written with two decimals or more."""
_DERIVED = 1 + _ALIGNED
"""Pixels by which a box made of keypoints may surround them: one where they lie on one line."""


class WrongTypeError(UnusableError):
    """A sound object that the wanted type cannot say: nothing of it is to be mended."""


@dataclass(slots=True)
class Category:
    """A category as annotations need it.

    :param value: the class value.
    :param keypoints: names of the keypoints in the order of the annotations' numbers.
    """

    value: str
    keypoints: list[str]


def _has_keypoints(entry: dict[str, Any]) -> bool:
    """Tell whether any keypoint of an annotation is set."""
    keypoints = entry.get("keypoints")
    return bool(keypoints) and isinstance(keypoints, list) and any(visible != 0 for visible in keypoints[2::3])


def _as_pose(entry: dict[str, Any], category: Category) -> list[Annotation]:
    """Return the keypoints by the category's names."""
    if not _has_keypoints(entry):
        raise WrongTypeError("no keypoint is set")
    names, flat = category.keypoints, entry["keypoints"]
    if not names:
        raise WrongTypeError(f"its category names no keypoints; name them with keypoints={{{category.value!r}: [...]}}")
    if len(flat) != 3 * len(names):
        raise WrongTypeError(f"{len(flat)} keypoint numbers for the category's {len(names)} keypoint names")
    if not finite(flat):
        raise UnusableError("a keypoint has a coordinate that is no number")
    keypoints = []
    for name, x, y, visible in zip(names, flat[0::3], flat[1::3], flat[2::3], strict=True):
        if visible not in (0, 1, 2):
            raise UnusableError(f"keypoint {name!r} has the visibility {visible!r}; COCO knows 0, 1 and 2")
        if visible:
            keypoints.append({"key": name, "value": [x, y, int(visible) - 1]})
    return [{"type": "pose_estimation", "keypoints": keypoints}]


def bbox_field(entry: dict[str, Any]) -> list[float] | None:
    """Return the corners of the ``bbox`` field, or None without one."""
    corners = entry.get("bbox")
    if not corners:
        return None
    try:
        x, y, width, height = corners
        if not math.isfinite(x + y + width + height):
            raise UnusableError("its bbox has a value that is no number")
    except OverflowError:
        raise UnusableError("its bbox has a value that is no number") from None
    except (TypeError, ValueError):
        raise UnusableError("its bbox is not four numbers") from None
    if width <= 0 or height <= 0:
        raise UnusableError("its bbox has no area")
    return [x, y, round(x + width, PLACES), round(y + height, PLACES)]


def parts_of(entry: dict[str, Any]) -> list[list[float]]:
    """Return the polygons of a segmentation that is not run lengths; a bare list of numbers counts as one."""
    parts = entry.get("segmentation")
    if not parts:
        return []
    if not isinstance(parts, list):
        raise UnusableError("its segmentation is neither polygons nor run lengths")
    if type(parts[0]) is not list and not any(isinstance(part, list) for part in parts):
        return [parts]
    if len(parts) > 1 and not all(isinstance(part, list) for part in parts):
        raise UnusableError("its segmentation mixes polygons with something else")
    return parts if all(parts) else [part for part in parts if part]


def regions_of(entry: dict[str, Any]) -> list[list[list[float]]]:
    """Return the regions of run lengths."""
    from airflow_provider_fastlabel.formats.coco.rle import run_lengths_to_points

    regions = run_lengths_to_points(entry["segmentation"])
    if not regions:
        raise UnusableError("its mask is empty")
    return regions


def _degrees(rotation: Any) -> float:
    """Check a rotation and bring it to FastLabel's range, -180 to 180."""
    if not finite([rotation]):
        raise UnusableError("its rotation is no number")
    turned: float = rotation if -180 <= rotation <= 180 else tidy((rotation + 180) % 360 - 180)
    return turned


def _as_box(entry: dict[str, Any], category: Category) -> list[Annotation]:
    """Return the object's box: the ``bbox`` field first."""
    del category
    corners = bbox_field(entry)
    rotation = entry.get("rotation")
    if rotation:
        rotation = _degrees(rotation)
    if isinstance(entry.get("segmentation"), dict):
        # The box stands around the mask, whatever the object was before it became one.
        rotation = 0
        parts = [] if corners else [region[0] for region in regions_of(entry)]
    else:
        parts = parts_of(entry)
    if rotation and len(parts) == 1:
        turned = _rotated(parts[0], rotation)
        if turned is not None:
            return [turned]
    if corners is None and len(parts) == 1 and len(parts[0]) == 4:
        corners = box(*parts[0])
    if corners is None and parts:
        corners = box_around([value for part in parts for value in outline(part)])
    if corners is None:
        raise UnusableError("it has neither a bbox nor a segmentation")
    found: Annotation = {"type": "bbox", "points": corners}
    if rotation and not parts:
        found["rotation"] = rotation
    return [found]


def _rotated(part: list[float], rotation: float) -> Annotation | None:
    """Return a rotated box from its ring: the turned corners or, as the SDK writes, the upright ones.

    :returns: none if the ring is no rectangle, for example as the image's border cut it.
    """
    corners = outline(part)
    turned = turned_box(corners) if len(corners) == 8 else None
    if turned is None:
        return None
    points, measured = turned
    off = abs((measured - rotation + 180) % 360 - 180)
    if off > 1 and measured == 0:
        return {"type": "bbox", "points": points, "rotation": rotation}
    return {"type": "bbox", "points": points, "rotation": rotation if off <= 1 else measured}


def _polygon(part: list[float]) -> Annotation:
    """Return a polygon of one part, if its points do not all lie on one line."""
    points = outline(part)
    x, y = points[0], points[1]
    twice = (points[2] - x) * (points[5] - y) - (points[3] - y) * (points[4] - x)
    # The first three points settle it for nearly all.
    if -EPSILON <= twice <= EPSILON and _on_one_line(points):
        raise UnusableError("the outline has no area")
    return {"type": "polygon", "points": points}


def _on_one_line(points: list[float]) -> bool:
    """Tell whether all points lie on one line."""
    x, y = points[:2]
    ways = [(end_x - x, end_y - y) for end_x, end_y in zip(points[2::2], points[3::2], strict=True)]
    width, height = max(ways, key=lambda way: abs(way[0]) + abs(way[1]))
    return all(-EPSILON <= width * way[1] - height * way[0] <= EPSILON for way in ways)


def _as_polygons(entry: dict[str, Any], category: Category) -> list[Annotation]:
    """Return one polygon per part."""
    if isinstance(entry.get("segmentation"), dict):
        regions = regions_of(entry)
        if any(len(region) > 1 for region in regions):
            raise WrongTypeError('its mask has a hole, which a polygon cannot say; read it as "segmentation"')
        parts = [region[0] for region in regions]
    else:
        parts = parts_of(entry)
    # Two corners are no outline, nor are those of a box that is still to be turned.
    unturned = entry.get("rotation") and len(parts) == 1 and repeats_box(parts[0], entry)
    if not parts or unturned or (len(parts) == 1 and len(parts[0]) == 4):
        (found,) = _as_box(entry, category)
        left, top, right, bottom = found["points"]
        if found.get("rotation"):
            parts = [[tidy(value) for value in rotated_corners(left, top, right, bottom, found["rotation"])]]
        else:
            parts = [[left, top, right, top, right, bottom, left, bottom]]
    return [_polygon(part) for part in parts]


def _as_segmentation(entry: dict[str, Any], category: Category) -> list[Annotation]:
    """Return all parts as the regions of one segmentation."""
    if isinstance(entry.get("segmentation"), dict):
        return [{"type": "segmentation", "points": regions_of(entry)}]
    polygons = _as_polygons(entry, category)
    return [{"type": "segmentation", "points": [[ring(polygon["points"])] for polygon in polygons]}]


def _as_found(entry: dict[str, Any], category: Category) -> list[Annotation]:
    """Return whatever the object is by its own fields."""
    if entry.get("keypoints") and _has_keypoints(entry):
        return _as_pose(entry, category)
    if isinstance(entry.get("segmentation"), dict):
        return _as_segmentation(entry, category)
    parts = parts_of(entry)
    if len(parts) > 1:
        return _as_segmentation(entry, category)
    if not parts or len(parts[0]) == 4:
        return _as_box(entry, category)
    rotation = entry.get("rotation")
    turned = _rotated(parts[0], _degrees(rotation)) if rotation else None
    if turned is not None:
        return [turned]
    if repeats_box(parts[0], entry):
        return [{"type": "bbox", "points": bbox_field(entry)}]
    return [_polygon(parts[0])]


def repeats_box(part: list[float], entry: dict[str, Any]) -> bool:
    """Tell whether a polygon is just the ``bbox`` field as four corners from the top left one clockwise."""
    try:
        if len(part) not in (8, 10):
            return False
        x, y, width, height = entry["bbox"]
        right, bottom = x + width, y + height
        wanted = [x, y, right, y, right, bottom, x, bottom, x, y][: len(part)]
        return part == wanted or all(abs(a - b) <= _ALIGNED for a, b in zip(part, wanted, strict=True))
    except (KeyError, OverflowError, TypeError, ValueError):
        return False


def says_more(entry: dict[str, Any], pose: Annotation) -> bool:
    """Tell whether an object has a box or an outline that its pose does not keep.

    :param entry: the annotation.
    :param pose: what was made of it.
    :returns: false for a box that merely surrounds the keypoints and an outline that merely repeats this box.
    """
    segmentation = entry.get("segmentation")
    if segmentation and not (
        type(segmentation) is list and len(segmentation) == 1 and repeats_box(segmentation[0], entry)
    ):
        return True
    try:
        x, y, width, height = entry["bbox"]
        points = [row["value"] for row in pose["keypoints"]]
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        around = (min(xs), min(ys), max(xs), max(ys))
        return any(abs(a - b) > _DERIVED for a, b in zip(around, (x, y, x + width, y + height), strict=True))
    except (KeyError, OverflowError, TypeError, ValueError):
        return False


Convert = Callable[[dict[str, Any], Category], list[Annotation]]
CONVERTERS: dict[CocoType | None, Convert] = {
    None: _as_found,
    "bbox": _as_box,
    "polygon": _as_polygons,
    "segmentation": _as_segmentation,
    "pose_estimation": _as_pose,
}
"""Wanted type -> what makes it of an object; None decides for each object."""
