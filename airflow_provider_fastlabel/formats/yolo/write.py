"""Tasks are written as YOLO text labels (detect, segment, pose, OBB), by the rules of Ultralytics' label check.

One row per object: class id, then numbers as shares of the image's width and height, with 6 decimals, within 0 and 1
(shapes are always cut at the image's border). A data set holds rows of one kind only; Ultralytics ignores an image that
mixes them. The kind is the caller's choice:

* ``detect``: ``id cx cy w h``. bbox, and of everything else that has an extent its enclosing box: rotated bbox,
  polygon, segmentation, pose_estimation (each counted, ``rotation_as_box``, ``polygon_as_box`` ...).
* ``segment``: ``id x1 y1 x2 y2 ...``. polygon, segmentation, and bbox as its four corners, turned if rotated. A region
  is a row; further rows of one annotation are counted as ``extra_rows``. YOLO has no word for a hole: it is joined with
  the outer ring by a bridge of no width (there and back again), so the row's area is right (``holes_bridged``).
* ``pose``: ``id cx cy w h`` and ``x y v`` for each keypoint, in the order of the class's; v as in COCO (2 visible, 1
  not visible, 0 not set). pose_estimation only. Classes with fewer keypoints than others are filled with zeros. The box
  is that around the keypoints and wider by ``box_margin``; where they have no extent it is a pixel wide or high and
  says nothing of the person (``pose_box_without_extent``).
* ``obb``: ``id x1 y1 x2 y2 x3 y3 x4 y4``, clockwise from the unrotated top left corner. bbox only. Corners that lie
  outside the image are moved to its border; where they then hold less than half of what the image shows of the box, the
  row is the upright box around that (``rotation_as_box``).

Types that do not fit are counted. A task without annotations has an empty file, which tells a trainer that there is
nothing to see; a task whose annotations cannot be placed, since it has no width and height, has no file for that
reason.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.formats.geometry.shapes import AREA_KINDS, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.folder import Folder, with_classes
from airflow_provider_fastlabel.formats.writing.naming import OutputNames, Paths, safe_name, split_extension
from airflow_provider_fastlabel.formats.writing.report import IMAGES_MISSING, TASKS_WITHOUT_FILE
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, name_of
from airflow_provider_fastlabel.formats.yolo.rows import Rows
from airflow_provider_fastlabel.formats.yolo.splits import NOT_FOUND, SPLITS, checked_splits
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

log: logging.Logger = logging.getLogger(__name__)

YoloTask = Literal["detect", "segment", "pose", "obb"]
Layout = Literal["fastlabel", "ultralytics"]

_KINDS: dict[str, tuple[str, ...]] = {
    "detect": AREA_KINDS,
    "segment": ("bbox", "polygon", "segmentation"),
    "pose": ("pose_estimation",),
    "obb": ("bbox",),
}
_PNG = b"\x89PNG"
# Line breaks, and what YAML 1.1 does not let into a file.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
# So many numbers, or tasks, wait at most.
_NUMBERS = 1 << 12
_FILES = 1000


def export_yolo(
    tasks: Iterable[Mapping[str, Any]],
    folder: Place,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    task: YoloTask = "detect",
    layout: Layout = "fastlabel",
    splits: Mapping[str, float] | None = None,
    group_by: Callable[[Mapping[str, Any]], str] | None = None,
    image_dir: Place | None = None,
    box_margin: float = 0,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Write tasks as YOLO label files.

    ``layout="fastlabel"`` is the seed's: ``annotations/<name>.txt`` and ``classes.txt``, class values in id order.
    ``layout="ultralytics"`` can be trained on as it is: ``labels/<split>/<name>.txt``, ``images/<split>/``,
    ``data.yaml`` and ``classes.txt``; the images are linked or copied there if ``image_dir`` is given.

    :param tasks: task objects as the API returns them; never changed. Without ``classes`` they are read twice (anything
        but a list or tuple is kept in a temporary file meanwhile).
    :param folder: existing folder.
    :param classes: class map, annotation classes or class values, id 0 first. None takes the values found, sorted.
    :param task: kind of the rows, see the module.
    :param layout: where the files go. In ``ultralytics`` a trainer finds the labels of an image by its path: the last
        folder ``images`` becomes ``labels``. So a task's folder ``images``, and what begins with a dot and would not be
        listed, gets a ``_`` in front (``names_changed``, see :func:`~.naming.safe_name`), and an image without
        extension gets one.
    :param splits: ultralytics: share of each split, ``train`` and ``val`` among them, summing to 1; default 0.8 and
        0.2. A task's split follows from the SHA-256 of its group alone, so it never changes when the data grow.
    :param group_by: ultralytics: what must stay in one split (the video a frame is of, a patient); default the task's
        name.
    :param image_dir: ultralytics: folder with the images, named like the tasks; missing ones are counted.
    :param box_margin: share of a pose's extent by which its box grows on each side, within the image.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts, files, and the class values in id order.
    :raises GeometryError: malformed points, with ``raise``.
    :raises ValueError: an unknown kind or layout, splits that are no shares of a whole, or a negative ``box_margin``.
    """
    if task not in _KINDS:
        raise ValueError(f"task is one of {', '.join(_KINDS)}, not {task!r}")
    if layout not in ("fastlabel", "ultralytics"):
        raise ValueError(f"layout is 'fastlabel' or 'ultralytics', not {layout!r}")
    given = ClassMap.of(classes)
    with with_classes(tasks, given, _KINDS[task], folder, keypoints=task == "pose") as (known_tasks, known):
        stage = Stage(_KINDS[task], known, on_error=on_error, left_out=left_out, need_size=True, box_margin=box_margin)
        out = Folder(folder, stage.report)
        rows = Rows(task, stage.classes, stage.report)
        places = _Places(checked_splits(splits), group_by) if layout == "ultralytics" else None
        writer = _Writer(out, stage, rows, places, image_dir)
        for one, found in stage.shapes(known_tasks):
            writer.add(one, found)
        writer.flush()
        if writer.names.changed:
            stage.report.adjust("names_changed", writer.names.changed)
        _write_tables(out, stage, rows, places)
    return stage.report


def image_paths(name: str, splits: Iterable[str] | None = None) -> list[str]:
    """Return where in an earlier export with the Ultralytics layout the image of a task may lie.

    :param name: task name.
    :param splits: names of the splits; default ``train`` and ``val``.
    :returns: relative paths in every split: the one its labels have by themselves, and those they may have when other
        tasks' names differ in the extension only, up to the ninth.
    """
    safe = safe_name(name, NOT_FOUND)
    stem, extension = split_extension(safe)
    endings = (extension,) if extension else (".jpg", ".png")
    stems = [*dict.fromkeys((stem, safe)), *(f"{safe}~{number}" for number in range(2, 10))]
    return [f"images/{split}/{one}{ending}" for one in stems for ending in endings for split in splits or SPLITS]


class _Writer:
    """Writes the label files; some tasks wait, for the text of their rows to be made together."""

    def __init__(self, out: Folder, stage: Stage, rows: Rows, places: _Places | None, image_dir: Place | None) -> None:
        self.names = OutputNames(".txt", unwanted=NOT_FOUND if places else None)
        self._out = out
        self._stage = stage
        self._rows = rows
        self._places = places
        self._image_dir = image_dir
        self._images = Paths()
        self._waiting: list[str] = []

    def add(self, task: Mapping[str, Any], found: list[Labelled]) -> None:
        """Take one task, and bring its image where that is wanted."""
        name = name_of(task)
        width, height = image_size(task)
        if task.get("annotations") and not width:
            self._stage.report.lose("task", TASKS_WITHOUT_FILE, task, self._stage.order)
            return
        path = self.names.path_for(name)
        if self._places is None:
            self._waiting.append(f"annotations/{path}")
        else:
            split = self._places.split_of(task, name)
            self._waiting.append(f"labels/{split}/{path}")
            if self._image_dir is not None:
                self._bring_image(self._image_dir, safe_name(name), f"images/{split}", path[:-4], task)
        self._rows.add(found, width, height)
        if len(self._rows) >= _NUMBERS or len(self._waiting) >= _FILES:
            self.flush()

    def _bring_image(self, images: Place, safe: str, folder: str, stem: str, task: Mapping[str, Any]) -> None:
        """Link the image of a task into the data set, or copy it where that is not possible."""
        source = Path(images, safe)
        if not source.is_file():
            self._stage.report.lose("picture", IMAGES_MISSING, task, self._stage.order)
            return
        extension = split_extension(source.name)[1]
        if not extension:
            extension = _extension_of(source)
            if stem == task["name"]:  # else it is counted already
                self._stage.report.adjust("names_changed")
        # The labels' names are unlike in all but their endings; only names made for it are a folder of others here.
        path = f"{folder}/{stem}{extension}"
        if not self._images.take(path):
            self._stage.report.lose("picture", IMAGES_MISSING, task, self._stage.order)
            log.warning(
                "The image of task %r is left out: another image has a folder of its name, or the reverse", task["name"]
            )
            return
        self._out.link(safe, images, path)

    def flush(self) -> None:
        """Write the files that wait."""
        for path, text in zip(self._waiting, self._rows.texts(), strict=True):
            self._out.write(path, text)
        self._waiting.clear()


class _Places:
    """Says which split a task belongs to."""

    def __init__(self, splits: Mapping[str, float], group_by: Callable[[Mapping[str, Any]], str] | None) -> None:
        self.counts = dict.fromkeys(splits, 0)
        self.splits = splits
        self._group_by = group_by

    def split_of(self, task: Mapping[str, Any], name: str) -> str:
        """Return the split of a task's group and count the task."""
        group = name if self._group_by is None else str(self._group_by(task))
        share = int.from_bytes(hashlib.sha256(group.encode("utf-8", "replace")).digest()[:7]) / (1 << 56)
        chosen = list(self.splits)[-1]
        for split, size in self.splits.items():
            share -= size
            if share < 0:
                chosen = split
                break
        self.counts[chosen] += 1
        return chosen


def _extension_of(image: Path) -> str:
    """Return the extension for an image whose name has none: a trainer finds images by it, and reads what is inside."""
    with open_regular(image) as file:
        return ".png" if file.read(len(_PNG)) == _PNG else ".jpg"


def _write_tables(out: Folder, stage: Stage, rows: Rows, places: _Places | None) -> None:
    """Write classes.txt and data.yaml."""
    report = stage.report
    report.classes = stage.classes.values
    names = [_CONTROL.sub("_", value) for value in report.classes]
    if names != report.classes:
        report.adjust("class_names_changed", sum(a != b for a, b in zip(names, report.classes, strict=True)))
    out.write("classes.txt", "".join(f"{name}\n" for name in names).encode("utf-8", "replace"))
    if places is None:
        return
    report.count_splits(places.splits, places.counts)
    # An empty path means this file's own folder: the data set can be moved.
    lines = ['path: ""']
    for split, count in places.counts.items():
        out.make(f"images/{split}")
        lines.append(f"{split}: images/{split}")
        if not count:
            report.adjust(f"split_empty:{split}")
            log.warning("No task falls into the split %r: give it a larger share or more tasks", split)
    if rows.keypoints:
        lines.append(f"kpt_shape: [{rows.keypoints}, 3]")
        lines.append("kpt_names:")
        for number, keys in enumerate(rows.keys):
            if keys:
                lines.append(f"  {number}: {_CONTROL.sub('_', json.dumps(keys, ensure_ascii=False))}")
    lines.append(f"nc: {len(names)}")
    lines.append("names:" if names else "names: {}")
    lines += [f"  {number}: {json.dumps(name, ensure_ascii=False)}" for number, name in enumerate(names)]
    out.write("data.yaml", ("\n".join(lines) + "\n").encode("utf-8", "replace"))
