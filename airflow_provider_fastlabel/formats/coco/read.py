"""COCO annotation files are read as FastLabel annotations.

One pass over the file's annotations, whatever their number. Choices where COCO and FastLabel do not meet:

* An object of a crowd (``iscrowd`` 1) gets the attribute ``iscrowd`` = true, from which :func:`.export_coco` makes a
  crowd again; FastLabel has no other place for it.
* ``score`` becomes ``confidenceScore``; the entries of COCO's ``attributes`` object become attributes.
* Keypoints with COCO's visibility 0 are left out, 1 (hidden) becomes 0 and 2 becomes 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_fastlabel.formats.reading.imported import (
    PLACES,
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
    finite,
    read_json,
)
from airflow_provider_fastlabel.formats.reading.points import box, box_around, outline, ring, turned_box

if TYPE_CHECKING:
    import os

CocoType = Literal["bbox", "polygon", "segmentation", "pose_estimation"]

_ALIGNED = 0.011
"""Pixels by which a box's ring may differ from its bbox: both are written with two decimals or more."""


def read_coco(file: str | os.PathLike[str], annotation_type: CocoType | None = None) -> ImportedAnnotations:
    """Read a COCO annotation file.

    :param file: the JSON file.
    :param annotation_type: what every object becomes. ``"bbox"``: its ``bbox`` field, else the box around its outline;
        ``"polygon"``: one polygon per part of its segmentation; ``"segmentation"``: one annotation with all parts and,
        from run lengths, holes; ``"pose_estimation"``: its keypoints. Default: decided for each object: keypoints if
        any is set, else a box if the segmentation is missing or merely repeats the box, a polygon if it has one part, a
        segmentation if it has several or is run lengths.
    :returns: annotations by image ``file_name`` (forward slashes); problems name the entry instead of a line.
    :raises ValueError: unknown ``annotation_type``.
    :raises OSError: the file cannot be read.
    """
    if annotation_type is not None and annotation_type not in get_args(CocoType):
        raise ValueError(f"annotation_type must be one of {', '.join(get_args(CocoType))}, not {annotation_type!r}.")
    path = Path(file)
    result = ImportedAnnotations()
    with collector_paused():
        document = read_json(path, path.name, result)
        if document is not None:
            _Reader(result, path.name, annotation_type).read(document)
    return result


@dataclass(slots=True)
class _Category:
    """A category as annotations need it."""

    value: str | None
    keypoints: list[str]


@dataclass
class _Reader:
    """The state of reading one document."""

    result: ImportedAnnotations
    file: str
    annotation_type: CocoType | None
    images: dict[Any, list[Annotation]] = field(default_factory=dict)
    categories: dict[Any, _Category] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)

    def read(self, document: Any) -> None:
        """Read the three lists of a document."""
        if not isinstance(document, dict) or not isinstance(document.get("images"), list):
            self.result.add_problem(self.file, "not a COCO annotation file: it has no list of images")
            return
        for index, image in enumerate(document["images"]):
            self._read_image(index, image)
        for index, category in enumerate(self._list(document, "categories")):
            self._read_category(index, category)
        convert = _CONVERTERS[self.annotation_type]
        for index, entry in enumerate(self._list(document, "annotations")):
            self._read_annotation(index, entry, convert)
        for message, (first, count) in self.repeated.items():
            self.result.add_problem(self.file, f"{message}: {count} annotations left out, first annotations[{first}]")

    def _list(self, document: dict[str, Any], key: str) -> list[Any]:
        """Return a list of the document, empty when it is absent."""
        found = document.get(key)
        if isinstance(found, list):
            return found
        if found is not None:
            self.result.add_problem(self.file, f"{key!r} is not a list; nothing in it was read")
        return []

    def _read_image(self, index: int, image: Any) -> None:
        """Register one entry of ``images``."""
        name = image.get("file_name") if isinstance(image, dict) else None
        if not isinstance(name, str) or not name or not isinstance(image.get("id"), int | str):
            self.result.add_problem(self.file, f"images[{index}]: no usable id and file_name")
            return
        key = name.replace("\\", "/").removeprefix("./")
        if key in self.result.by_image:
            self.result.add_problem(
                self.file, f"images[{index}]: {key!r} is listed twice; its annotations are put together"
            )
        annotations = self.result.by_image.setdefault(key, [])
        if self.images.setdefault(image["id"], annotations) is not annotations:
            self.result.add_problem(
                self.file,
                f"images[{index}]: id {image['id']!r} belongs to an earlier image; {key!r} gets no annotations",
            )

    def _read_category(self, index: int, category: Any) -> None:
        """Register one entry of ``categories``; one without a name is reported with the annotations it costs."""
        if not isinstance(category, dict) or not isinstance(category.get("id"), int | str):
            self.result.add_problem(self.file, f"categories[{index}]: no usable id")
            return
        names = [category.get("name"), category.get("supercategory")]
        value = next((name for name in names if isinstance(name, str) and name.strip()), None)
        keypoints = category.get("keypoints")
        usable = isinstance(keypoints, list) and all(isinstance(key, str) and key for key in keypoints)
        self.categories.setdefault(category["id"], _Category(value, keypoints if usable and keypoints else []))

    def _read_annotation(self, index: int, entry: Any, convert: _Convert) -> None:
        """Convert one entry of ``annotations`` and put the result to its image."""
        try:
            image = self.images.get(entry["image_id"])
            category = self.categories.get(entry["category_id"])
        except (TypeError, KeyError):
            self.result.add_problem(self.file, f"annotations[{index}]: no usable image_id and category_id")
            return
        if image is None:
            self._repeat(f"image_id {entry['image_id']!r} is not in the file", index)
        elif category is None or category.value is None:
            why = "has no name" if category else "is not in the file"
            self._repeat(f"category_id {entry['category_id']!r} {why}", index)
        elif self.annotation_type == "pose_estimation" and not _has_keypoints(entry):
            self._repeat("no keypoint is set", index)
        else:
            try:
                annotations = convert(entry, category)
                for annotation in annotations:
                    annotation["value"] = category.value
                    annotation["attributes"] = _attributes(entry)
                    if "score" in entry and finite([entry["score"]]):
                        annotation["confidenceScore"] = entry["score"]
            except UnusableError as error:
                self.result.add_problem(self.file, f"annotations[{index}] (id {entry.get('id')!r}): {error}")
            else:
                image += annotations

    def _repeat(self, message: str, index: int) -> None:
        """Count a problem that many annotations may share."""
        seen = self.repeated.setdefault(message, [index, 0])
        seen[1] += 1


def _attributes(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the FastLabel attributes of a COCO annotation, a new list."""
    if not entry.get("attributes") and entry.get("iscrowd") != 1:
        return []
    found = entry.get("attributes") or {}
    if isinstance(found, list) and all(isinstance(item, dict) and "key" in item and "value" in item for item in found):
        found = {item["key"]: item["value"] for item in found}
    if not isinstance(found, dict):
        raise UnusableError("its attributes are neither an object nor a list of key and value")
    if entry.get("iscrowd") == 1:
        found = {**found, "iscrowd": True}
    return [{"key": key, "value": value} for key, value in found.items()]


def _has_keypoints(entry: dict[str, Any]) -> bool:
    """Tell whether any keypoint of an annotation is set."""
    keypoints = entry.get("keypoints")
    return bool(keypoints) and isinstance(keypoints, list) and any(visible != 0 for visible in keypoints[2::3])


def _as_pose(entry: dict[str, Any], category: _Category) -> list[Annotation]:
    """Return the keypoints by the category's names."""
    names, flat = category.keypoints, entry["keypoints"]
    if len(flat) != 3 * len(names):
        raise UnusableError(f"{len(flat)} keypoint numbers for the category's {len(names)} keypoint names")
    if not finite(flat):
        raise UnusableError("a keypoint has a coordinate that is no number")
    keypoints = []
    for name, x, y, visible in zip(names, flat[0::3], flat[1::3], flat[2::3], strict=True):
        if visible not in (0, 1, 2):
            raise UnusableError(f"keypoint {name!r} has the visibility {visible!r}; COCO knows 0, 1 and 2")
        if visible:
            keypoints.append({"key": name, "value": [x, y, int(visible) - 1]})
    return [{"type": "pose_estimation", "keypoints": keypoints}]


def _bbox_field(entry: dict[str, Any]) -> list[float] | None:
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


def _parts(entry: dict[str, Any]) -> list[list[float]]:
    """Return the polygons of a segmentation that is not run lengths; a bare list of numbers counts as one."""
    parts = entry.get("segmentation")
    if not parts:
        return []
    if not isinstance(parts, list):
        raise UnusableError("its segmentation is neither polygons nor run lengths")
    if type(parts[0]) is not list:
        return [parts]
    if len(parts) > 1 and not all(isinstance(part, list) for part in parts):
        raise UnusableError("its segmentation mixes polygons with something else")
    return parts if all(parts) else [part for part in parts if part]


def _regions(entry: dict[str, Any]) -> list[list[list[float]]]:
    """Return the regions of run lengths."""
    from airflow_provider_fastlabel.formats.coco.rle import run_lengths_to_mask
    from airflow_provider_fastlabel.formats.geometry.trace import mask_points

    regions = mask_points(run_lengths_to_mask(entry["segmentation"]))
    if not regions:
        raise UnusableError("its mask is empty")
    return regions


def _as_box(entry: dict[str, Any], category: _Category) -> list[Annotation]:
    """Return the object's box: the ``bbox`` field first."""
    del category
    corners = _bbox_field(entry)
    rotation = entry.get("rotation") or 0
    if rotation and not finite([rotation]):
        raise UnusableError("its rotation is no number")
    if isinstance(entry.get("segmentation"), dict):
        parts = [] if corners else [region[0] for region in _regions(entry)]
    else:
        parts = _parts(entry)
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
    return [{"type": "bbox", "points": corners} | ({"rotation": rotation} if rotation and not parts else {})]


def _rotated(part: list[float], rotation: float) -> Annotation | None:
    """Return a rotated box from its ring: the turned corners or, as the SDK writes, the upright ones.

    :returns: none if the ring is no rectangle, for example as the image's border cut it.
    """
    corners = outline(part)
    if not finite([rotation]):
        raise UnusableError("its rotation is no number")
    turned = turned_box(corners) if len(corners) == 8 else None
    if turned is None:
        return None
    points, measured = turned
    off = abs((measured - rotation + 180) % 360 - 180)
    if off > 1 and measured == 0:
        return {"type": "bbox", "points": points, "rotation": rotation}
    return {"type": "bbox", "points": points, "rotation": rotation if off <= 1 else measured}


def _as_polygons(entry: dict[str, Any], category: _Category) -> list[Annotation]:
    """Return one polygon per part."""
    if isinstance(entry.get("segmentation"), dict):
        regions = _regions(entry)
        if any(len(region) > 1 for region in regions):
            raise UnusableError('its mask has a hole, which a polygon cannot say; read it as "segmentation"')
        parts = [region[0] for region in regions]
    else:
        parts = _parts(entry)
    if not parts or (len(parts) == 1 and len(parts[0]) == 4):
        left, top, right, bottom = _as_box(entry, category)[0]["points"]
        parts = [[left, top, right, top, right, bottom, left, bottom]]
    return [{"type": "polygon", "points": outline(part)} for part in parts]


def _as_segmentation(entry: dict[str, Any], category: _Category) -> list[Annotation]:
    """Return all parts as the regions of one segmentation."""
    if isinstance(entry.get("segmentation"), dict):
        return [{"type": "segmentation", "points": _regions(entry)}]
    polygons = _as_polygons(entry, category)
    return [{"type": "segmentation", "points": [[ring(polygon["points"])] for polygon in polygons]}]


def _as_found(entry: dict[str, Any], category: _Category) -> list[Annotation]:
    """Return whatever the object is by its own fields."""
    if entry.get("keypoints") and _has_keypoints(entry):
        return _as_pose(entry, category)
    if isinstance(entry.get("segmentation"), dict):
        return _as_segmentation(entry, category)
    parts = _parts(entry)
    if len(parts) > 1:
        return _as_segmentation(entry, category)
    if not parts or len(parts[0]) == 4:
        return _as_box(entry, category)
    turned = _rotated(parts[0], entry["rotation"]) if entry.get("rotation") else None
    if turned is not None:
        return [turned]
    if len(parts[0]) in (8, 10) and _repeats_box(parts[0], entry):
        return [{"type": "bbox", "points": _bbox_field(entry)}]
    return [{"type": "polygon", "points": outline(parts[0])}]


def _repeats_box(part: list[float], entry: dict[str, Any]) -> bool:
    """Tell whether a polygon is just the ``bbox`` field as four corners from the top left one clockwise."""
    try:
        x, y, width, height = entry["bbox"]
        right, bottom = x + width, y + height
        wanted = [x, y, right, y, right, bottom, x, bottom, x, y][: len(part)]
        return part == wanted or all(abs(a - b) <= _ALIGNED for a, b in zip(part, wanted, strict=True))
    except (KeyError, TypeError, ValueError):
        return False


_Convert = Callable[[dict[str, Any], _Category], list[Annotation]]
_CONVERTERS: dict[CocoType | None, _Convert] = {
    None: _as_found,
    "bbox": _as_box,
    "polygon": _as_polygons,
    "segmentation": _as_segmentation,
    "pose_estimation": _as_pose,
}
