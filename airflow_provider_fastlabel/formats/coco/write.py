"""Tasks are written as one COCO file, in one pass and with flat memory.

The format is the one of cocodataset.org ("Data format"), read by pycocotools. Beside its keys stand those the FastLabel
SDK has always written: ``color``, ``keypoint_colors``, ``num_keypoints``, ``rotation`` and ``attributes``.

What goes where:

* ``bbox``: ``bbox``; the four corners as ``segmentation``. A rotated box has its four turned corners as
  ``segmentation``, the box around them as ``bbox``, its degrees as ``rotation`` and its true area. What the image's
  border has left of a rotated box is no rotated box any more: its ``rotation`` is 0.
* ``polygon``: the ring; two or more where the image's border cuts it apart. Where the border leaves a hole (of a ring
  that crosses itself), run lengths.
* ``segmentation``: one polygon per region; if any region has a hole, the compressed run lengths of all of them (in an
  image beyond :data:`~.rle.MAX_SIDE` or :data:`~.rle.MAX_PIXELS` it is counted as ``image_too_large``).
* ``pose_estimation``: ``keypoints`` in the order of the category's; the box around the keypoints that are set as
  ``bbox`` and ``area``, and its corners as ``segmentation`` (what pycocotools itself makes of a box). FastLabel keeps
  no box of the person: ``box_margin`` makes it wider than the keypoints. Keypoints on one point, or on one level or
  upright line, have a box of a pixel there, which says nothing of the person (``pose_box_without_extent``).
* an attribute ``iscrowd`` that is true: ``iscrowd`` 1 and run lengths, whatever the type; polygons, counted as
  ``crowd_as_polygon``, where the image's size is unknown or beyond those limits.
* other types (keypoint, line, circle, ...) have no place in COCO and are counted.

Tasks without annotations or without size keep their image entry. ``file_name`` is the task's name, made safe where it
would lead out of the images' folder: readers refuse it otherwise. Image and annotation ids count from 1 in the order of
the tasks (what is found to cover no pixel takes its id with it, and is counted as ``no_pixels``); a category's id is
its place in the class map plus one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from orjson import loads

from airflow_provider_fastlabel.formats.coco.rle import MAX_PIXELS, MAX_SIDE, encode_many
from airflow_provider_fastlabel.formats.geometry.reasons import IMAGE_TOO_LARGE, NO_PIXELS
from airflow_provider_fastlabel.formats.geometry.shapes import AREA_KINDS, Shape, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap, LabelClass
from airflow_provider_fastlabel.formats.writing.folder import Folder
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.formats.writing.naming import plain_file_name, safe_name
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, attributes_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_fastlabel.formats.geometry.shapes import Region
    from airflow_provider_fastlabel.formats.writing.folder import Output
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

    # Task, annotation, and their place in the list of what is left out.
    Source = tuple[Mapping[str, Any], Mapping[str, Any], tuple[int, int]]

_INFO = {"description": "Exported from FastLabel", "version": "1.0", "contributor": "", "url": "", "date_created": ""}
_TRUE = ("true", "1")
# Output is handed to the file in pieces of about this many bytes.
_BUFFER = 1 << 18
# So many annotations wait, for their run lengths to be made together: numpy's cost is per call.
_BATCH = 500
# Of shapes with holes, no more at once than cross about this many columns: each crossing takes 80 bytes meanwhile.
_CROSSINGS = 1 << 20


def export_coco(
    tasks: Iterable[Mapping[str, Any]],
    folder: Place,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    file_name: str = "annotations.json",
    clip: bool = True,
    box_margin: float = 0,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Write tasks as one COCO file.

    :param tasks: task objects as the API returns them, never changed, not kept; any iterable is read in one pass.
    :param folder: existing folder the file is written into.
    :param classes: class map, annotation classes or class values: all of them become categories, in this order, and
        annotations of other values are counted as ``unknown_class``. None takes the values found, sorted.
    :param file_name: name of the file, ending in ``.json``.
    :param clip: cut shapes at the image's border, counted as ``clipped``. A keypoint outside becomes unset.
    :param box_margin: share of a pose's extent by which its box grows on each side: the box of a person is wider than
        the person's keypoints. With ``clip`` it ends at the image's border.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts, the file's name, and the class values in id order.
    :raises GeometryError: malformed points, with ``raise``.
    :raises ValueError: the file name is no plain ``.json`` name, or ``box_margin`` is negative.
    """
    plain_file_name(file_name, ".json")
    known = ClassMap.of(classes)
    if known.open and isinstance(tasks, Sequence):
        known = ClassMap.discover(tasks, AREA_KINDS)
    stage = Stage(AREA_KINDS, known, clip=clip, on_error=on_error, left_out=left_out, areas=True, box_margin=box_margin)
    writer = _Writer(folder, stage)
    with writer.images, writer.annotations:
        for task, found in writer.stage.shapes(tasks):
            writer.add(task, found)
        writer.finish(file_name)
    return writer.stage.report


class _Writer:
    """The two lists grow in unnamed files beside the output and are joined at the end.

    Ids of discovered classes are known only then: the category id is the last key of an annotation and every annotation
    has its own line, so that the join can put the final id in place of the provisional one.
    """

    def __init__(self, folder: Place, stage: Stage) -> None:
        self.out = Folder(folder, stage.report)
        self.folder = Path(folder)
        self.stage = stage
        self.images: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115
        self.annotations: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115
        self.discovered = stage.classes.open
        self.image_id = 0
        self.annotation_id = 0
        # Pose class -> number of keypoints when its first pose was written; later poses may bring more.
        self.poses: dict[int, int] = {}
        # Lines that wait to be written: bytes, which the garbage collector need not look at.
        self.lines: list[bytes] = []
        # Those among them that become run lengths: number of the line, the annotation, regions, height and width; and
        # what is said of each if it is left out.
        self.masks: list[tuple[int, dict[str, Any], list[Region], int, int]] = []
        self.sources: list[Source] = []
        self.crossings = 0.0

    def add(self, task: Mapping[str, Any], found: list[Labelled]) -> None:
        """Write a task's image entry and annotations."""
        width, height = image_size(task)
        self.image_id += 1
        name = name_of(task)
        file_name = safe_name(name)
        if file_name != name:
            self.stage.report.adjust("names_changed")
        image = {"file_name": file_name, "height": height, "width": width, "id": self.image_id}
        self.images.write(dumps(image))
        self.images.write(b",\n")
        for annotation, class_id, shape in found:
            row = self._row(annotation, class_id, shape)
            if shape.holes or row["iscrowd"]:
                self._add_mask(row, shape, round(width), round(height), (task, annotation, self.stage.order))
            else:
                self.lines.append(dumps(row))
        if len(self.lines) >= _BATCH:
            self.flush()

    def _add_mask(self, row: dict[str, Any], shape: Shape, width: int, height: int, source: Source) -> None:
        """Keep an annotation for its run lengths to be made with others, if its image has a possible size."""
        report = self.stage.report
        too_large = max(width, height) > MAX_SIDE or width * height > MAX_PIXELS
        if too_large and shape.holes:
            self.annotation_id -= 1
            self._leave_out(IMAGE_TOO_LARGE, source)
            return
        if too_large or not width:
            if shape.holes:
                report.adjust("holes_dropped")
            if row["iscrowd"]:
                report.adjust("crowd_as_polygon")
            self.lines.append(dumps(row))
            return
        self.masks.append((len(self.lines), row, shape.regions, height, width))
        self.sources.append(source)
        self.lines.append(b"")
        self.crossings += 2 * (shape.x2 - shape.x1) * sum(map(len, shape.regions))
        if self.crossings > _CROSSINGS:
            self.flush()

    def _leave_out(self, reason: str, source: Source) -> None:
        """Count an annotation that the stage took for written."""
        task, annotation, order = source
        self.stage.report.annotations -= 1
        self.stage.report.skip(reason, task, [annotation], order)

    def flush(self) -> None:
        """Write the lines that wait."""
        counts = encode_many([one[2:] for one in self.masks])
        for (number, row, _, height, width), source, text in zip(self.masks, self.sources, counts, strict=True):
            if text is None:
                self._leave_out(NO_PIXELS, source)
                continue
            row["segmentation"] = {"size": [height, width], "counts": text}
            self.lines[number] = dumps(row)
        self.annotations.write(b",\n".join([*filter(None, self.lines), b""]))
        self.lines.clear()
        self.masks.clear()
        self.sources.clear()
        self.crossings = 0

    def _row(self, annotation: Mapping[str, Any], class_id: int, shape: Shape) -> dict[str, Any]:
        """Return a COCO annotation with polygons; ``category_id`` last, see the class."""
        self.annotation_id += 1
        x, y, area = shape.x1, shape.y1, shape.area
        if not shape.exact:
            self.stage.report.adjust("area_approximated")
        keypoints: list[float] = []
        known = 0
        if shape.kind == "pose_estimation":
            keypoints, known = self._keypoints(class_id, shape)
        rows = annotation.get("attributes")
        attributes = attributes_of(rows) if rows else {}
        return {
            "num_keypoints": known,
            "keypoints": keypoints,
            "segmentation": shape.outlines(),
            "iscrowd": int("iscrowd" in attributes and str(attributes["iscrowd"]).lower() in _TRUE),
            "area": _rounded(area) or area,
            "image_id": self.image_id,
            "bbox": [x, y, _rounded(shape.x2 - x), _rounded(shape.y2 - y)],
            "rotation": 0 if shape.clipped else shape.rotation,
            "id": self.annotation_id,
            "attributes": attributes,
            "category_id": class_id + 1,
        }

    def _keypoints(self, class_id: int, shape: Shape) -> tuple[list[float], int]:
        """Return the keypoints in the order of the category's, zeros where one is not set, and how many are set."""
        wanted = self.stage.classes[class_id].keypoints
        self.poses.setdefault(class_id, len(wanted))
        numbers: list[float] = []
        known = 0
        for keypoint in wanted:
            point = shape.keypoints.get(keypoint.key)
            known += point is not None
            numbers += point or (0, 0, 0)
        if known < len(shape.keypoints):
            self.stage.report.adjust("keypoints_unknown", len(shape.keypoints) - known)
        return numbers, known

    def finish(self, file_name: str) -> None:
        """Join the lists into the file; it appears under its name when complete."""
        self.flush()
        given = self.stage.classes
        final = given.sorted() if self.discovered else given
        new_id = [final.id_of(value) for value in given.values]
        lines = self.annotations
        if self._incomplete_poses(given) or new_id != list(range(len(new_id))):
            lines = self._renumbered(given, [number + 1 for number in new_id if number is not None])
        with self.out.open(file_name) as out:
            out.write(b'{"info":' + dumps(_INFO) + b',"licenses":[],\n"images":[\n')
            _append_list(self.images, out)
            out.write(b'],\n"categories":[\n')
            out.write(b",\n".join(dumps(_category(n, one)) for n, one in enumerate(final, 1)))
            out.write(b'],\n"annotations":[\n')
            _append_list(lines, out)
            out.write(b"]}\n")
        if lines is not self.annotations:
            lines.close()
        self.stage.report.classes = final.values

    def _incomplete_poses(self, classes: ClassMap) -> bool:
        """Whether a pose was written before its class had all its keypoints."""
        return any(count < len(classes[number].keypoints) for number, count in self.poses.items())

    def _renumbered(self, classes: ClassMap, category_ids: list[int]) -> IO[bytes]:
        """Copy the annotations with their final category ids, and poses with all their keypoints."""
        padded = self._incomplete_poses(classes)
        out: IO[bytes] = tempfile.TemporaryFile(dir=self.folder, buffering=_BUFFER)  # noqa: SIM115
        self.annotations.seek(0)
        final = {b"%d" % (n + 1): b":%d},\n" % category_ids[n] for n in range(len(classes))}
        while piece := self.annotations.read(_BUFFER):
            # Text in JSON has no line breaks, so only the ends of lines look like this.
            lines = (piece + self.annotations.readline()).split(b"},\n")[:-1]
            parts = []
            for head, _, number in [line.rpartition(b":") for line in lines]:
                keypoints = classes[int(number) - 1].keypoints if padded else ()
                parts.append(_padded(head, 3 * len(keypoints)) if keypoints else head)
                parts.append(final[number])
            out.write(b"".join(parts))
        return out


def _rounded(number: float) -> float:
    """Round what is not negative to 6 decimals: several times as fast as round(), and whole numbers stay whole."""
    return number if type(number) is int else int(number * 1e6 + 0.5) / 1e6


def _padded(head: bytes, length: int) -> bytes:
    """Lengthen the keypoints of an annotation that still lacks its category id."""
    annotation = loads(head + b":0}")
    keypoints = annotation["keypoints"]
    if annotation["num_keypoints"]:
        keypoints += [0] * (length - len(keypoints))
    return dumps(annotation)[:-3]


def _append_list(lines: IO[bytes], out: Output) -> None:
    """Copy lines that each end in a comma, without the last comma."""
    end = lines.seek(0, os.SEEK_END)
    if end:
        lines.truncate(end - 2)
        lines.seek(0)
        shutil.copyfileobj(lines, out, _BUFFER)


def _category(number: int, one: LabelClass) -> dict[str, Any]:
    """Return a category; the FastLabel SDK's keys in its order."""
    return {
        "id": number,
        "name": one.value,
        "supercategory": one.value,
        "skeleton": one.skeleton(),
        "keypoints": [keypoint.key for keypoint in one.keypoints],
        "keypoint_colors": [keypoint.color for keypoint in one.keypoints],
        "color": one.color,
    }
