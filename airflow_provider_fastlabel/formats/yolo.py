"""FastLabel -> YOLO text labels (detect, segment, pose, OBB), by the rules of Ultralytics' label check.

One row per object: class id, then numbers as shares of the image's width and height, rounded to 6 decimals, in plain
notation, within 0 and 1 (shapes are always cut at the image's border). A data set holds rows of one kind only;
Ultralytics ignores an image that mixes them. The kind is the caller's choice:

* ``detect``: ``id cx cy w h``. bbox, and of everything else that has an extent its enclosing box: rotated bbox,
  polygon, segmentation, pose_estimation (each counted, ``rotation_as_box``, ``polygon_as_box`` ...).
* ``segment``: ``id x1 y1 x2 y2 ...``. polygon, segmentation, and bbox as its four corners, turned if rotated. A region
  is a row; further rows of one annotation are counted as ``extra_rows``. YOLO has no word for a hole: it is joined with
  the outer ring by a bridge of no width (there and back again), so the row's area is right (``holes_bridged``).
* ``pose``: ``id cx cy w h`` and ``x y v`` for each keypoint, in the order of the class's; v as in COCO (2 visible, 1
  not visible, 0 not set). pose_estimation only. Classes with fewer keypoints than others are filled with zeros.
* ``obb``: ``id x1 y1 x2 y2 x3 y3 x4 y4``, clockwise from the unrotated top left corner. bbox only. Corners that lie
  outside the image are moved to its border.

Types that do not fit are counted. A task without annotations has an empty file, which tells a trainer that there is
nothing to see; a task whose annotations cannot be placed, since it has no width and height, has no file for that
reason.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orjson import dumps

from airflow_provider_fastlabel.formats.bridge import bridged
from airflow_provider_fastlabel.formats.classes import ClassMap
from airflow_provider_fastlabel.formats.folder import Folder, with_classes
from airflow_provider_fastlabel.formats.geometry import AREA_KINDS, Ring, Shape, image_size
from airflow_provider_fastlabel.formats.naming import OutputNames, safe_name, split_extension
from airflow_provider_fastlabel.formats.stage import Found, OnError, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_fastlabel.formats.report import ExportReport

logger = logging.getLogger(__name__)

YoloTask = Literal["detect", "segment", "pose", "obb"]
Layout = Literal["fastlabel", "ultralytics"]

_KINDS: dict[str, tuple[str, ...]] = {
    "detect": AREA_KINDS,
    "segment": ("bbox", "polygon", "segmentation"),
    "pose": ("pose_estimation",),
    "obb": ("bbox",),
}
_SPLITS = {"train": 0.8, "val": 0.2}
# Line breaks, and what YAML 1.1 does not let into a file.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_ONE = 1_000_000


def export_yolo(
    tasks: Iterable[Mapping[str, Any]],
    folder: Path,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    task: YoloTask = "detect",
    layout: Layout = "fastlabel",
    splits: Mapping[str, float] | None = None,
    group_by: Callable[[Mapping[str, Any]], str] | None = None,
    image_dir: Path | None = None,
    on_error: OnError = "raise",
) -> ExportReport:
    """Write tasks as YOLO label files.

    ``layout="fastlabel"`` is the seed's: ``annotations/<name>.txt`` and ``classes.txt``, class values in id order.
    ``layout="ultralytics"`` can be trained on as it is: ``labels/<split>/<name>.txt``, ``images/<split>/``,
    ``data.yaml`` and ``classes.txt``; the images are linked or copied there if ``image_dir`` is given.

    :param tasks: Task objects as the API returns them; never changed. Without ``classes`` they are read twice (anything
        but a list or tuple is kept in a temporary file meanwhile).
    :param folder: Existing folder.
    :param classes: Class map, annotation classes or class values, id 0 first. None takes the values found, sorted.
    :param task: Kind of the rows, see the module.
    :param layout: Where the files go.
    :param splits: ultralytics: share of each split, ``train`` and ``val`` among them, summing to 1; default 0.8 and
        0.2. A task's split follows from the SHA-256 of its group alone, so it never changes when the data grow.
    :param group_by: ultralytics: what must stay in one split (the video a frame is of, a patient); default the task's
        name.
    :param image_dir: ultralytics: folder with the images, named like the tasks (:func:`~.naming.safe_name`); missing
        ones are counted.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :returns: Counts, files, and the class values in id order.
    :raises GeometryError: Malformed points, with ``raise``.
    :raises ValueError: An unknown kind or layout, or splits that are no shares of a whole.
    """
    if task not in _KINDS:
        raise ValueError(f"task is one of {', '.join(_KINDS)}, not {task!r}")
    if layout not in ("fastlabel", "ultralytics"):
        raise ValueError(f"layout is 'fastlabel' or 'ultralytics', not {layout!r}")
    folder = Path(folder)
    given = ClassMap.of(classes)
    with with_classes(tasks, given, _KINDS[task], folder, keypoints=task == "pose") as (known_tasks, known):
        stage = Stage(_KINDS[task], known, on_error=on_error, need_size=True)
        out = Folder(folder, stage.report)
        rows = _Rows(task, stage)
        places = _Places(_checked_splits(splits), group_by) if layout == "ultralytics" else None
        names = OutputNames(".txt")
        for one, found in stage.shapes(known_tasks):
            _write_task(one, found, stage, rows, out, names, places, image_dir)
        if names.changed:
            stage.report.adjust("names_changed", names.changed)
        _write_tables(out, stage, rows, places)
    return stage.report


def _write_task(
    one: Mapping[str, Any],
    found: list[Found],
    stage: Stage,
    rows: _Rows,
    out: Folder,
    names: OutputNames,
    places: _Places | None,
    image_dir: Path | None,
) -> None:
    """Write one task's label file, and its image where that is wanted."""
    name = stage.name_of(one)
    if one.get("annotations") and not image_size(one)[0]:
        return
    text = b"".join([rows.of(class_id, shape, one) for _, class_id, shape in found])
    path = names.path_for(name)
    if places is None:
        out.write(f"annotations/{path}", text)
        return
    split = places.split_of(one, name)
    out.write(f"labels/{split}/{path}", text)
    if image_dir is not None:
        image = f"images/{split}/{path[:-4]}{split_extension(safe_name(name))[1]}"
        _bring_image(Path(image_dir), name, image, out, stage.report)


class _Rows:
    """Turns shapes into rows of one kind."""

    def __init__(self, task: str, stage: Stage) -> None:
        self._report = stage.report
        self.of: Callable[[int, Shape, Mapping[str, Any]], bytes] = {
            "detect": self._detect,
            "segment": self._segment,
            "pose": self._pose,
            "obb": self._obb,
        }[task]
        self.keys = [[keypoint.key for keypoint in one.keypoints] for one in stage.classes]
        self.keypoints = max(map(len, self.keys), default=0) if task == "pose" else 0

    def _detect(self, class_id: int, shape: Shape, task: Mapping[str, Any]) -> bytes:
        if shape.kind != "bbox":
            self._report.adjust(f"{shape.kind}_as_box")
        elif shape.rotation:
            self._report.adjust("rotation_as_box")
        return b"%d %b\n" % (class_id, _text(_box(shape, task)))

    def _segment(self, class_id: int, shape: Shape, task: Mapping[str, Any]) -> bytes:
        regions = shape.regions
        if shape.has_holes():
            self._report.adjust("holes_bridged", sum(len(region) - 1 for region in regions))
        if len(regions) > 1:
            self._report.adjust("extra_rows", len(regions) - 1)
        width, height = task["width"], task["height"]
        return b"".join([b"%d %b\n" % (class_id, _text(_shares(bridged(region), width, height))) for region in regions])

    def _obb(self, class_id: int, shape: Shape, task: Mapping[str, Any]) -> bytes:
        shares = _shares(shape.corners(), task["width"], task["height"])
        return b"%d %b\n" % (class_id, _text([min(max(share, 0.0), 1.0) for share in shares]))

    def _pose(self, class_id: int, shape: Shape, task: Mapping[str, Any]) -> bytes:
        width, height = task["width"], task["height"]
        numbers: list[float] = _box(shape, task)
        missing = len(shape.keypoints)
        for key in self.keys[class_id]:
            x, y, visible = shape.keypoints.get(key, (0, 0, 0))
            missing -= visible > 0
            numbers += [*_shares([x, y], width, height), visible]
        if missing:
            self._report.adjust("keypoints_unknown", missing)
        numbers += [0] * (3 * (self.keypoints - len(self.keys[class_id])))
        return b"%d %b\n" % (class_id, _text(numbers))


def _box(shape: Shape, task: Mapping[str, Any]) -> list[float]:
    """Centre and size as shares; a size is never rounded to nothing."""
    kx, ky = _ONE / task["width"], _ONE / task["height"]
    x1, y1, x2, y2 = shape.x1, shape.y1, shape.x2, shape.y2
    return [
        int((x1 + x2) * kx / 2 + 0.5) / _ONE,
        int((y1 + y2) * ky / 2 + 0.5) / _ONE,
        (int((x2 - x1) * kx + 0.5) or 1) / _ONE,
        (int((y2 - y1) * ky + 0.5) or 1) / _ONE,
    ]


def _shares(ring: Ring, width: float, height: float) -> list[float]:
    """Coordinates as shares of the image, rounded half up to 6 decimals."""
    kx, ky = _ONE / width, _ONE / height
    shares = ring[:]
    shares[::2] = [int(x * kx + 0.5) / _ONE for x in ring[::2]]
    shares[1::2] = [int(y * ky + 0.5) / _ONE for y in ring[1::2]]
    return shares


def _text(numbers: list[float]) -> bytes:
    """Numbers with blanks between them. orjson writes the shortest form, far faster than a format string can."""
    text = dumps(numbers)
    if b"e" in text:  # below 0.00001 the shortest form is 1e-6
        return b" ".join([b"%d" % n if isinstance(n, int) else f"{n:.6f}".encode() for n in numbers])
    return text[1:-1].replace(b",", b" ")


class _Places:
    """Says which split a task belongs to."""

    def __init__(self, splits: Mapping[str, float], group_by: Callable[[Mapping[str, Any]], str] | None) -> None:
        self.counts = dict.fromkeys(splits, 0)
        self._splits = splits
        self._group_by = group_by

    def split_of(self, task: Mapping[str, Any], name: str) -> str:
        """Return the split of a task's group and count the task."""
        group = name if self._group_by is None else str(self._group_by(task))
        share = int.from_bytes(hashlib.sha256(group.encode("utf-8", "replace")).digest()[:7]) / (1 << 56)
        chosen = list(self._splits)[-1]
        for split, size in self._splits.items():
            share -= size
            if share < 0:
                chosen = split
                break
        self.counts[chosen] += 1
        return chosen


def _checked_splits(splits: Mapping[str, float] | None) -> Mapping[str, float]:
    """Check the shares."""
    splits = dict(splits or _SPLITS)
    if not {"train", "val"} <= set(splits) or any(safe_name(name) != name or "/" in name for name in splits):
        raise ValueError(f"splits need 'train' and 'val' (and plain names): {splits!r}")
    if min(splits.values()) < 0 or abs(sum(splits.values()) - 1) > 1e-6:
        raise ValueError(f"the shares of the splits must sum to 1: {splits!r}")
    return splits


def _bring_image(image_dir: Path, name: str, path: str, out: Folder, report: ExportReport) -> None:
    """Link an image into the data set, or copy it where that is not possible."""
    source = image_dir / safe_name(name)
    if not source.is_file():
        report.adjust("images_missing")
        return
    target = out.reserve(path)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write_tables(out: Folder, stage: Stage, rows: _Rows, places: _Places | None) -> None:
    """Write classes.txt and data.yaml."""
    report = stage.report
    report.classes = stage.classes.values
    names = [_CONTROL.sub("_", value) for value in report.classes]
    if names != report.classes:
        report.adjust("class_names_changed", sum(a != b for a, b in zip(names, report.classes, strict=True)))
    out.write("classes.txt", "".join(f"{name}\n" for name in names).encode("utf-8", "replace"))
    if places is None:
        return
    # An empty path means this file's own folder: the data set can be moved.
    lines = ['path: ""']
    for split, count in places.counts.items():
        out.make(f"images/{split}")
        lines.append(f"{split}: images/{split}")
        if not count:
            report.adjust(f"split_empty:{split}")
            logger.warning("No task falls into the split %r: give it a larger share or more tasks", split)
    if rows.keypoints:
        lines.append(f"kpt_shape: [{rows.keypoints}, 3]")
        lines.append("kpt_names:")
        for number, keys in enumerate(rows.keys):
            if keys:
                lines.append(f"  {number}: {_CONTROL.sub('_', json.dumps(keys, ensure_ascii=False))}")
    lines.append(f"nc: {len(names)}")
    lines.append("names:")
    lines += [f"  {number}: {json.dumps(name, ensure_ascii=False)}" for number, name in enumerate(names)]
    out.write("data.yaml", ("\n".join(lines) + "\n").encode("utf-8", "replace"))
