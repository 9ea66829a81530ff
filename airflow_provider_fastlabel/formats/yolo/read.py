"""YOLO label files are read as FastLabel annotations.

A label file is found for an image as YOLO's readers do: beside it, or with the last folder ``images`` of its path
exchanged for ``labels``; also in ``annotations``, where :func:`.export_yolo` writes by default. Where
two images differ in their ending only, ``a.png.txt`` belongs to ``a.png`` and ``a.txt`` to the other one.

Rows are ``class cx cy w h``, ``class x1 y1 x2 y2 …`` (outline), ``class cx cy w h`` and keypoints (pose), or
``class`` and four corners (OBB), all as shares of the image's size, separated by any white space. Boxes, upright or
turned, may end with a confidence, which becomes ``confidenceScore``. The size is read from the image's header and
follows its EXIF orientation, as in training.
"""

from __future__ import annotations

import math
import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_fastlabel.formats.files import files_below, is_image
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.formats.reading.imported import (
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
    tidy,
)
from airflow_provider_fastlabel.formats.reading.points import box, box_around, outline, region, turned_box

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

YoloTask = Literal["detect", "segment", "pose", "obb"]
OutlineType = Literal["segmentation", "polygon"]

_MARGIN = 0.01
"""By how much a share may leave 0..1, the tolerance of Ultralytics' own check."""


def read_yolo(
    classes_file: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    task: YoloTask = "detect",
    annotation_type: OutlineType = "segmentation",
    keypoints: Mapping[str, Sequence[str]] | None = None,
) -> ImportedAnnotations:
    """Read a folder of images with YOLO labels.

    :param classes_file: ``classes.txt`` (line number from 0 = class index) or ``data.yaml`` (``names``); it may lie in
        the folder.
    :param folder: the data set, flat or with ``images`` and ``labels``.
    :param task: how rows are meant: as boxes (``"detect"``; an outline counts as the box around it, as in training),
        outlines, poses or turned boxes. Four corners alone do not tell an outline from a turned box.
    :param annotation_type: what outlines become.
    :param keypoints: class value -> keypoint keys in the order of the rows, for ``"pose"``; default: ``kpt_names`` of
        ``data.yaml``.
    :returns: annotations by image path relative to the folder; an image without a label file is absent.
    :raises ValueError: unknown ``task`` or ``annotation_type``, or a classes file that holds no classes.
    :raises OSError: the classes file or the folder cannot be read.
    """
    if task not in get_args(YoloTask) or annotation_type not in get_args(OutlineType):
        raise ValueError(
            f"task is one of {', '.join(get_args(YoloTask))} and annotation_type one of "
            f"{', '.join(get_args(OutlineType))}, not {task!r} and {annotation_type!r}."
        )
    names, key_lists = _read_classes(Path(classes_file))
    for index, name in enumerate(names):
        if name is not None and keypoints and name in keypoints:
            key_lists[index] = list(keypoints[name])
    result = ImportedAnnotations()
    reader = _Reader(result, names, key_lists, annotation_type, _ROWS[task])
    with collector_paused():
        reader.read(Path(folder), Path(classes_file))
    return result


def _read_classes(path: Path) -> tuple[list[str | None], dict[int, list[str]]]:
    """Return class values by index (None: no such class) and keypoint keys by class index."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8 text: save it as UTF-8.") from error
    if path.suffix.lower() not in (".yaml", ".yml"):
        names: list[str | None] = [line.strip() or None for line in text.rstrip().split("\n")]
        if names == [None]:
            raise ValueError(f"{path.name} has no classes: give one value per line.")
        return names, {}
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not valid YAML: {error}") from error
    found = data.get("names") if isinstance(data, dict) else None
    if not isinstance(found, list | dict):
        raise ValueError(f"{path.name} has no names: give the classes as a list or by number under 'names'.")
    by_index = _numbered(found)
    names = [by_index.get(index) for index in range(max(by_index, default=-1) + 1)]
    keys = data.get("kpt_names") or {}
    by_class = dict.fromkeys(by_index, keys) if isinstance(keys, list) else keys
    if not isinstance(by_class, dict) or not all(map(_is_key_list, by_class.keys(), by_class.values())):
        raise ValueError(f"{path.name}: kpt_names is a list of names, or one by class number, not {keys!r}.")
    return names, {int(index): list(map(str, listed)) for index, listed in by_class.items()}


def _is_key_list(index: Any, listed: Any) -> bool:
    """Tell whether these are a class's number and its keypoints' names."""
    return str(index).isdecimal() and isinstance(listed, list) and all(isinstance(key, str | int) for key in listed)


def _numbered(found: list[Any] | dict[Any, Any]) -> dict[int, str]:
    """Return the names of data.yaml by class index."""
    pairs = enumerate(found) if isinstance(found, list) else found.items()
    try:
        return {int(index): str(name) for index, name in pairs if 0 <= int(index) < 1_000_000}
    except (TypeError, ValueError):
        raise ValueError("The classes under 'names' are not numbered with whole numbers from 0.") from None


@dataclass
class _Row:
    """A row on its way to an annotation: shares of the image, and the image's size in pixels."""

    values: list[float]
    width: int
    height: int
    annotation_type: OutlineType
    keys: list[str] | None

    def scaled(self, shares: Sequence[float]) -> list[float]:
        """Turn x, y, x, y, … shares into pixels."""
        _check(shares)
        return [tidy(share * (self.height if at % 2 else self.width)) for at, share in enumerate(shares)]

    def box(self) -> list[float]:
        """Return the corners of the leading cx, cy, w, h."""
        x, y, width, height = self.values[:4]
        _check(self.values[:4])
        if width <= 0 or height <= 0:
            raise UnusableError("the box has no area")
        left, right = (x - width / 2) * self.width, (x + width / 2) * self.width
        top, bottom = (y - height / 2) * self.height, (y + height / 2) * self.height
        return box(tidy(left), tidy(top), tidy(right), tidy(bottom))


def _check(shares: Sequence[float]) -> None:
    """Refuse values that are no shares of an image."""
    if min(shares) < -_MARGIN or max(shares) > 1 + _MARGIN:
        wrong = next(share for share in shares if not -_MARGIN <= share <= 1 + _MARGIN)
        raise UnusableError(f"{wrong:g} is not a share of the image (0 to 1)")


def _detect(row: _Row) -> Annotation:
    """Read a box; an outline counts as the box around it."""
    count = len(row.values)
    if count in (4, 5):
        annotation: Annotation = {"points": row.box(), "type": "bbox"}
        return annotation | ({"confidenceScore": row.values[4]} if count == 5 else {})
    return {"points": box_around(_outline(row)), "type": "bbox"}


def _segment(row: _Row) -> Annotation:
    """Read an outline."""
    if row.annotation_type == "polygon":
        return {"points": _outline(row), "type": "polygon"}
    return {"points": [region(_outline(row))], "type": "segmentation"}


def _outline(row: _Row) -> list[float]:
    """Return the outline in pixels; a box counts as its four corners."""
    if len(row.values) in (4, 5):
        left, top, right, bottom = row.box()
        return [left, top, right, top, right, bottom, left, bottom]
    return outline(row.scaled(row.values))


def _obb(row: _Row) -> Annotation:
    """Read a turned box; corners that are no rectangle become the smallest turned box around them, as in training."""
    if len(row.values) not in (8, 9):
        raise UnusableError(f"a turned box has eight corner values, not {len(row.values)}")
    corners = row.scaled(row.values[:8])
    found = turned_box(corners)
    if found is None:
        import cv2
        import numpy as np

        tight = cv2.boxPoints(cv2.minAreaRect(np.asarray(corners, np.float32).reshape(4, 2)))
        found = turned_box([float(value) for value in tight.flatten()])
        if found is None:
            raise UnusableError("the corners make no box")
    points, rotation = found
    annotation: Annotation = {"points": points, "type": "bbox"}
    if rotation:
        annotation["rotation"] = rotation
    return annotation | ({"confidenceScore": row.values[8]} if len(row.values) == 9 else {})


def _pose(row: _Row) -> Annotation:
    """Read keypoints: x, y and visibility (0 unset, 1 hidden, 2 visible), or x and y alone (0, 0 is unset)."""
    if not row.keys:
        raise UnusableError("the class has no keypoint keys; name them with keypoints= or kpt_names in data.yaml")
    values = row.values[4:]
    # Classes with fewer keypoints than the data set's shape are filled with zeros.
    filled = 3 * len(row.keys)
    if len(values) > filled and not len(values) % 3 and not any(values[filled:]):
        values = values[:filled]
    step = len(values) // len(row.keys)
    if step not in (2, 3) or len(values) != step * len(row.keys):
        raise UnusableError(f"{len(values)} keypoint values for {len(row.keys)} keypoint keys")
    row.box()
    found = []
    for at, key in enumerate(row.keys):
        x, y, *rest = values[at * step : at * step + step]
        visible = rest[0] if rest else (2 if x or y else 0)
        if visible not in (0, 1, 2):
            raise UnusableError(f"keypoint {key!r} has the visibility {visible:g}; 0, 1 and 2 are known")
        if visible:
            found.append({"key": key, "value": [*row.scaled([x, y]), int(visible) - 1]})
    if not found:
        raise UnusableError("no keypoint is set")
    return {"type": "pose_estimation", "keypoints": found}


_ROWS: dict[YoloTask, Callable[[_Row], Annotation]] = {
    "detect": _detect,
    "segment": _segment,
    "pose": _pose,
    "obb": _obb,
}


@dataclass
class _Reader:
    """The state of reading one folder."""

    result: ImportedAnnotations
    names: list[str | None]
    key_lists: dict[int, list[str]]
    annotation_type: OutlineType
    convert: Callable[[_Row], Annotation]
    images: set[str] = field(default_factory=set)
    stems: dict[str, list[str]] = field(default_factory=dict)

    def read(self, folder: Path, classes_file: Path) -> None:
        """Pair label files with images and read them."""
        labels = []
        for name in files_below(folder):
            if is_image(name):
                self.images.add(name)
                self.stems.setdefault(posixpath.splitext(name)[0], []).append(name)
            elif name.lower().endswith(".txt") and not _is_classes_file(folder, name, classes_file):
                labels.append(name)
        labels = [name for name in labels if not self._is_another_classes_file(name)]
        own = {self._exact(name) for name in labels if not self._has_stem(name)}
        for name in labels:
            image = self._image_of(name, own)
            if image is not None:
                self._read_labels(name, f"{folder}/{name}", image, f"{folder}/{image}")

    def _exact(self, name: str) -> str | None:
        """Return the image whose whole name a label file has, ending included."""
        return next((place for place in _label_paths(name[:-4]) if place in self.images), None)

    def _has_stem(self, name: str) -> bool:
        """Tell whether a label file has the name of an image without its ending, which is how trainers pair them."""
        return any(place in self.stems for place in _label_paths(name[:-4]))

    def _is_another_classes_file(self, name: str) -> bool:
        """Tell whether this is the list of classes that tools put into folders of labels, not an image's label file."""
        return name == "classes.txt" or (name.endswith("/classes.txt") and not self._has_stem(name))

    def _image_of(self, name: str, own: set[str | None]) -> str | None:
        """Return the image a label file is for, or report that there is not exactly one."""
        exact = self._exact(name)
        for stem in _label_paths(name[:-4]):
            candidates = [image for image in self.stems.get(stem, ()) if image not in own]
            if len(candidates) == 1:
                return candidates[0]
            if candidates and exact is None:
                self.result.add_problem(name, f"belongs to {' or '.join(candidates)}; name it {candidates[0]}.txt")
                return None
        if exact is None:
            self.result.add_problem(name, "there is no image for this label file")
        return exact

    def _read_labels(self, name: str, path: str, image: str, image_path: str) -> None:
        """Read one label file."""
        annotations = self.result.open_image(image, name)
        try:
            with open(path, "rb") as file:
                lines = file.read().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            self.result.add_problem(name, "not UTF-8 text")
            return
        rows = [(number, fields) for number, line in enumerate(lines, 1) if (fields := line.split())]
        if not rows:
            return
        try:
            with open(image_path, "rb") as file:
                width, height = image_size(file)
        except (OSError, ValueError) as error:
            self.result.add_problem(name, f"the size of {image} cannot be read: {error}")
            return
        for number, fields in rows:
            try:
                annotations.append(self._annotation(fields, width, height))
            except UnusableError as error:
                self.result.add_problem(name, str(error), number)

    def _annotation(self, fields: list[str], width: int, height: int) -> Annotation:
        """Convert one row."""
        try:
            index, *values = map(float, fields)
        except ValueError:
            raise UnusableError("a field is not a number") from None
        if not math.isfinite(sum(values)) or not index.is_integer():
            raise UnusableError("a field is not an ordinary number")
        value = self.names[int(index)] if 0 <= index < len(self.names) else None
        if value is None:
            raise UnusableError(f"class {index:g} is not in the classes file, which has {len(self.names)}")
        if len(values) < 4:
            raise UnusableError(f"{len(fields)} fields; a box has five")
        row = _Row(values, width, height, self.annotation_type, self.key_lists.get(int(index)))
        return {"value": value} | self.convert(row)


def _is_classes_file(folder: Path, name: str, classes_file: Path) -> bool:
    """Tell whether a file below the folder is the classes file; names are compared first as that costs nothing."""
    return posixpath.basename(name) == classes_file.name and classes_file.samefile(folder / name)


def _label_paths(path: str) -> list[str]:
    """Return where the image of a label path may lie: the same place, or ``images`` instead of a folder ``labels``.

    Any folder may be the one, since a folder of the images may have that name too; the last one comes first.
    """
    places = [path]
    parts = path.split("/")
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] in ("labels", "annotations"):
            places.append("/".join([*parts[:at], "images", *parts[at + 1 :]]))
            if parts[at] == "annotations":
                places.append("/".join([*parts[:at], *parts[at + 1 :]]))
    return places
