"""labelme files are read as FastLabel annotations.

=====================  ==============================================================================
labelme shape          FastLabel annotation
=====================  ==============================================================================
rectangle              bbox, whatever corners were clicked first
oriented_rectangle     bbox with rotation
polygon                polygon; those of one label and one group id together: one segmentation
mask                   segmentation, holes included
circle                 circle
line, linestrip        line
point                  keypoint; those of one label and group id with a description: one pose, see below
points                 one keypoint per point
=====================  ==============================================================================

``group_id`` ties shapes into one object. Points of a group whose ``description`` names a keypoint are a pose, its flag
``visible`` tells seen from hidden; that is how our export writes one. Flags that are on become attributes with the
value true; the ``attributes`` our export adds to a shape are read as they are.

An image's key is where labelme looks for it, beside or relative to the JSON file; files of the official SDK, which
write the path from the data set's root instead, are recognised.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import posixpath
from itertools import chain
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.files import files_below, image_beside, suffix_of
from airflow_provider_fastlabel.formats.geometry.holes import unbridged
from airflow_provider_fastlabel.formats.reading.imported import (
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
    finite,
    read_json,
    tidy,
)
from airflow_provider_fastlabel.formats.reading.points import box, box_around, outline, region, turned_box

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

#: Flat coordinates of a shape's points.
Points = list[float]


def read_labelme(folder: str | os.PathLike[str]) -> ImportedAnnotations:
    """Read every labelme file below a folder.

    :param folder: the folder.
    :returns: annotations by image path relative to the folder; problems name the shape by its position from 0.
    :raises OSError: the folder cannot be read.
    """
    result = ImportedAnnotations()
    root = Path(folder)
    with collector_paused():
        for name in files_below(root):
            if name.lower().endswith(".json"):
                _read_file(result, root, name)
    return result


def _read_file(result: ImportedAnnotations, root: Path, name: str) -> None:
    """Read one JSON file."""
    document = read_json(f"{root}/{name}", name, result)
    if document is None:
        return
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        result.add_problem(name, "not a labelme file: it has no list of shapes")
        return
    image = _image_of(root, name, document.get("imagePath"))
    if image is None:
        result.add_problem(name, "its imagePath names no image and no single image lies beside it")
        return
    flags = document.get("flags")
    on = [key for key, value in flags.items() if value] if isinstance(flags, dict) else []
    if on:
        result.add_problem(name, f"flags of the whole image have no place in an annotation: {', '.join(on)}")
    annotations = result.open_image(image, name)
    groups: dict[tuple[str, str, Any], Annotation] = {}
    for number, shape in enumerate(document["shapes"]):
        try:
            _read_shape(shape, annotations, groups)
        except UnusableError as error:
            result.add_problem(name, f"shapes[{number}]: {error}")


def _image_of(root: Path, name: str, image_path: Any) -> str | None:
    """Return the path of the image a file speaks of, relative to the root."""
    stem = posixpath.splitext(name)[0]
    stated = image_path.replace("\\", "/") if isinstance(image_path, str) else ""
    ending = suffix_of(stated)
    if not ending:
        found = image_beside(root / stem)
        return stem + found if found else None
    if stated.startswith("/") or ":" in stated.partition("/")[0]:
        stated = posixpath.basename(stated)
    relative = posixpath.normpath(posixpath.join(posixpath.dirname(name), stated))
    from_root = posixpath.normpath(stated)
    beside = stem + ending
    if from_root == beside and not isfile(f"{root}/{relative}"):  # noqa: PTH113
        return from_root
    return beside if relative.startswith("../") else relative


def _read_shape(shape: Any, annotations: list[Annotation], groups: dict[tuple[str, str, Any], Annotation]) -> None:
    """Convert one shape and add it to the image, or to the object of its group."""
    if not isinstance(shape, dict):
        raise UnusableError("not an object")
    value = shape.get("label")
    if not isinstance(value, str) or not value.strip():
        raise UnusableError("it has no label")
    kind = shape.get("shape_type") or "polygon"
    convert = _SHAPES.get(kind) if isinstance(kind, str) else None
    if convert is None:
        raise UnusableError(f"shape_type {kind!r} has no FastLabel type")
    found = convert(_points(shape), shape)
    attributes = _attributes(shape, found)
    for annotation in found:
        annotation = {"value": value, **annotation}
        if attributes:
            annotation["attributes"] = [dict(item) for item in attributes]
        if not _join_group(annotation, shape.get("group_id"), groups):
            annotations.append(annotation)


def _join_group(annotation: Annotation, group: Any, groups: dict[tuple[str, str, Any], Annotation]) -> bool:
    """Add a polygon, mask or pose point to the object of its group.

    :returns: false if it is the first of its group, or not of a kind that objects consist of.
    """
    family = {"polygon": "area", "segmentation": "area", "pose_estimation": "pose"}.get(annotation["type"])
    if family is None or not isinstance(group, int | str):
        return False
    first = groups.setdefault((family, annotation["value"], group), annotation)
    if first is annotation:
        return False
    if family == "pose":
        first["keypoints"] += annotation["keypoints"]
        return True
    if first["type"] == "polygon":
        first["points"], first["type"] = _regions(first), "segmentation"
    first["points"] += _regions(annotation)
    return True


def _regions(annotation: Annotation) -> list[Any]:
    """Return a polygon's or segmentation's regions."""
    if annotation["type"] == "segmentation":
        return list(annotation["points"])
    return [region(annotation["points"])]


def _attributes(shape: dict[str, Any], found: list[Annotation]) -> list[dict[str, Any]]:
    """Return the attributes of a shape: those our export wrote, and the flags that are on."""
    listed = shape.get("attributes")
    known = listed if isinstance(listed, dict) else {}
    attributes = [{"key": key, "value": value} for key, value in known.items()]
    flags = shape.get("flags")
    pose = any(annotation["type"] == "pose_estimation" for annotation in found)
    for key, value in flags.items() if isinstance(flags, dict) else ():
        if value and key not in known and not (pose and key == "visible"):
            attributes.append({"key": key, "value": value})
    return attributes


def _points(shape: dict[str, Any]) -> Points:
    """Return a shape's points after a check."""
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


def _need(points: Points, count: int, kind: str) -> None:
    """Refuse a shape with another number of points than its type has."""
    if len(points) != 2 * count:
        raise UnusableError(f"{kind} with {len(points) // 2} points; it has {count}")


def _polygon(points: Points, _: dict[str, Any]) -> list[Annotation]:
    """Read a polygon; one with holes joined to it is a segmentation."""
    flat = outline(points)
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
    key = shape.get("description")
    if len(points) == 2 and isinstance(key, str) and key and isinstance(shape.get("group_id"), int | str):
        flags = shape.get("flags")
        visible = flags.get("visible", True) if isinstance(flags, dict) else True
        return [{"type": "pose_estimation", "keypoints": [{"key": key, "value": [*points, int(bool(visible))]}]}]
    return [{"points": points[at : at + 2], "type": "keypoint"} for at in range(0, len(points), 2)]


def _mask(points: Points, shape: dict[str, Any]) -> list[Annotation]:
    """Read a mask: a PNG in base64 whose first pixel lies at the first point."""
    import numpy as np
    from PIL import Image

    from airflow_provider_fastlabel.formats.geometry.trace import mask_points

    try:
        with Image.open(io.BytesIO(base64.b64decode(shape.get("mask") or ""))) as picture:
            pixels = np.asarray(picture)
    except (OSError, SyntaxError, TypeError, ValueError, binascii.Error) as error:
        raise UnusableError(f"its mask is no PNG in base64: {error}") from None
    except Image.DecompressionBombError as error:
        raise UnusableError(f"its mask cannot be unpacked: {error}") from None
    found = pixels != 0 if pixels.ndim == 2 else pixels[:, :, 0] != 0
    left, top = (int(value) for value in points[:2])
    regions = mask_points(found, left, top)
    if not regions:
        raise UnusableError("its mask is empty")
    return [{"points": regions, "type": "segmentation"}]


_SHAPES: dict[str, Callable[[Points, dict[str, Any]], list[Annotation]]] = {
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
