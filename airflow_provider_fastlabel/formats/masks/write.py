"""Tasks are written as index masks, one PNG each: a pixel's value is a class (semantic) or an object (instance).

Exact pixels by the rule of :mod:`.raster`; where annotations overlap, the later one wins. Boxes (rotated too), polygons
and segmentations with their holes are drawn; other types are counted. Index 0 is background.

A mask is a palette image of 256 colours, or, where an index above 255 is needed, a grey one of 16 bits. Beside the
masks lies the table that gives the indexes a meaning:

* semantic: ``classes.json``, ``[{"id", "value", "title", "color"}]``, ``color`` being the one in the masks;
* instance: ``instances.jsonl``, per mask one line ``{"mask", "image", "instances": [{"id", "value"}]}``.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from airflow_provider_fastlabel.formats.geometry.raster import covers
from airflow_provider_fastlabel.formats.geometry.reasons import IMAGE_TOO_LARGE, NO_PIXELS
from airflow_provider_fastlabel.formats.geometry.shapes import image_size
from airflow_provider_fastlabel.formats.masks.png import Canvas
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.folder import Folder, with_classes
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.formats.writing.naming import OWN_FILES, OutputNames
from airflow_provider_fastlabel.formats.writing.palette import whole_palette
from airflow_provider_fastlabel.formats.writing.report import TASKS_WITHOUT_FILE
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.formats.writing.folder import Output
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

MASK_TYPES = ("bbox", "polygon", "segmentation")
"""Annotation types that are drawn."""
CLASSES_FILE = "classes.json"
INSTANCES_FILE = "instances.jsonl"
TOO_MANY = "no_index_left"
"""Reason: 16 bits are used up."""
MAX_PIXELS = 1 << 28
"""Largest mask that is made (268 megapixels): a forged size must not fill the memory."""
MAX_SIDE = 1 << 20
"""Its longest side: outlines are followed row by row."""

_MOST = 65_535


def export_masks(
    tasks: Iterable[Mapping[str, Any]],
    folder: Place,
    *,
    kind: Literal["semantic", "instance"],
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    palette: Sequence[int] | None = None,
    start_index: int = 1,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Write one index mask per task.

    :param tasks: task objects as the API returns them; read once, never changed, not kept.
    :param folder: existing folder the masks are written into.
    :param kind: ``"semantic"``: the index is the class's; ``"instance"``: the annotation's, counted anew per image in
        the order of the annotations that are drawn.
    :param classes: class map, annotation classes or class values in the order of their indexes; annotations of other
        values are counted as ``unknown_class``. None takes the values found in drawable annotations, sorted; semantic
        masks read the tasks twice for that (anything but a list is kept in a temporary file meanwhile).
    :param palette: R, G, B, R, G, B, … from index 0; completed to 256 colours. None for the VOC devkit's colour map.
    :param start_index: index of the first class or object, 1, or 0 to use background's.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts and files. A task without size makes no mask.
    :raises GeometryError: malformed points, with ``raise``.
    :raises ValueError: unknown ``kind``, negative ``start_index``, or a palette of no whole colours.
    """
    if kind not in ("semantic", "instance"):
        raise ValueError(f"kind is 'semantic' or 'instance', not {kind!r}")
    if start_index < 0:
        raise ValueError(f"start_index counts from 0, not {start_index}")
    given = ClassMap.of(classes)
    by_instance = kind == "instance"
    with ExitStack() as stack:
        if not by_instance:
            tasks, given = stack.enter_context(with_classes(tasks, given, MASK_TYPES, folder))
        stage = Stage(MASK_TYPES, given, on_error=on_error, left_out=left_out, need_size=True)
        out = Folder(folder, stage.report)
        table = stack.enter_context(out.open(INSTANCES_FILE)) if by_instance else None
        writer = _Writer(out, stage, table, whole_palette(palette), start_index)
        for task, found in stage.shapes(tasks):
            writer.add(task, found)
        writer.finish()
    return stage.report


class _Writer:
    """Masks and the rows of their table."""

    def __init__(self, out: Folder, stage: Stage, table: Output | None, palette: bytes, start_index: int) -> None:
        self.out = out
        self.stage = stage
        self.table = table
        self.palette = palette
        self.start = start_index
        self.names = OutputNames(".png", (*OWN_FILES, CLASSES_FILE, INSTANCES_FILE))
        self.canvas: Canvas | None = None

    def add(self, task: Mapping[str, Any], found: list[Labelled]) -> None:
        """Draw one task."""
        name = name_of(task)
        width, height = (round(side) for side in image_size(task))
        if max(width, height) > MAX_SIDE or not 0 < width * height <= MAX_PIXELS:
            self._leave_out(IMAGE_TOO_LARGE, task, [annotation for annotation, _, _ in found])
            self.stage.report.lose("task", TASKS_WITHOUT_FILE, task, self.stage.order)
            return
        canvas = self._cleared(width, height)
        instances: list[dict[str, Any]] = []
        covered = covers([shape for _, _, shape in found], width, height)
        for (annotation, class_id, _), cover in zip(found, covered, strict=True):
            index = self.start + (class_id if self.table is None else len(instances))
            if 255 < index <= _MOST and not canvas.wide:
                canvas = canvas.widened()
            if cover is None or index > _MOST:
                self._leave_out(TOO_MANY if cover else NO_PIXELS, task, [annotation])
            else:
                np.copyto(canvas.pixels[cover.window], index, where=cover.mask)
                instances.append({"id": index, "value": annotation["value"]})
        path = self.names.path_for(name)
        self.out.write(path, canvas.png(self.palette))
        if self.table is not None:
            self.table.write(dumps({"mask": path, "image": name, "instances": instances}) + b"\n")

    def _cleared(self, width: int, height: int) -> Canvas:
        """Return an empty canvas; images of one size take turns on one."""
        if self.canvas is None or not self.canvas.fits(width, height):
            self.canvas = Canvas(width, height)
        else:
            self.canvas.clear()
        return self.canvas

    def _leave_out(self, reason: str, task: Mapping[str, Any], annotations: Sequence[Any]) -> None:
        """Count annotations the stage took for written."""
        self.stage.report.annotations -= len(annotations)
        self.stage.report.skip(reason, task, annotations, self.stage.order)

    def finish(self) -> None:
        """Write the table."""
        report = self.stage.report
        known = self.stage.classes
        report.classes = known.sorted().values if known.open else known.values
        if self.names.changed:
            report.adjust("names_changed", self.names.changed)
        if self.table is not None:
            return
        rows = []
        for index, one in enumerate(known, self.start):
            row: dict[str, Any] = {"id": index, "value": one.value, "title": one.title}
            if index < 256:
                row["color"] = "#" + self.palette[3 * index : 3 * index + 3].hex()
            rows.append(dumps(row))
        self.out.write(CLASSES_FILE, b"[\n" + b",\n".join(rows) + b"\n]\n")
