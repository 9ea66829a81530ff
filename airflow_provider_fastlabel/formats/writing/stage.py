"""A task's class ids and shapes are worked out: what every writer does before its own format begins.

A writer asks the stage for a task's shapes and writes them; classes, the error policy and the counting happen here, so
the law ``annotations_in == annotations + sum(skipped)`` holds for all formats at once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.geometry import reasons
from airflow_provider_fastlabel.formats.geometry.rings import Rings
from airflow_provider_fastlabel.formats.geometry.shapes import MAKERS, GeometryError, Known, Shape, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.left_out import WRITTEN, LeftOut
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.formats.writing.tasks import annotations_of
from airflow_provider_fastlabel.json_text import is_text
from airflow_provider_fastlabel.words import shortened

log: logging.Logger = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]
#: An annotation, the id of its class, and its shape.
Labelled = tuple[Mapping[str, Any], int, Shape]

#: Malformed annotations named in the log before it only counts.
_LOGGED = 20
# Annotations (and tasks), and coordinates of outlines, read ahead and measured together: enough for numpy, few enough
# to stay in the processor's cache.
_BATCH = 500
_BATCH_NUMBERS = 8_000


def attributes_of(rows: Any) -> dict[str, Any]:
    """Return an annotation's attributes as one object.

    :param rows: what the annotation has as ``attributes``.
    :returns: key -> value; rows without a key are left out.
    """
    attributes = {}
    try:
        for row in rows:
            attributes[row["key"]] = row["value"]
        return attributes
    except (TypeError, KeyError):
        rows = rows if isinstance(rows, (list, tuple)) else ()
        return {str(row["key"]): row.get("value") for row in rows if isinstance(row, Mapping) and "key" in row}


def malformed(message: str, before: int, on_error: OnError, cause: Exception | None = None) -> None:
    """Raise or log that an annotation is malformed, as the policy says; counting it is the caller's.

    :param message: task, annotation and what is wrong.
    :param before: how many were malformed before it: the log names the first 20.
    :param on_error: ``raise`` or ``skip``.
    :param cause: what brought it to light.
    :raises GeometryError: with ``raise``.
    """
    if on_error == "raise":
        raise GeometryError(f'{message}. Correct it in FastLabel, or export with on_error="skip"') from cause
    if before < _LOGGED:
        log.warning("Left out: %s%s", message, " (further ones are only counted)" if before + 1 == _LOGGED else "")


def name_of(task: Mapping[str, Any]) -> str:
    """Return a task's name.

    :param task: task object.
    :returns: its name.
    :raises GeometryError: it has none, whatever the policy: nothing could be called after it.
    """
    name = task.get("name")
    if not isinstance(name, str) or not name:
        raise GeometryError(f"task {task.get('id')!r} has no name, and the output is named after it")
    return name


class Stage:
    """The way of one export's tasks into shapes.

    :param kinds: annotation types the format takes; others are counted as ``unsupported_type:<type>``.
    :param classes: closed map: values it does not know are counted as ``unknown_class``. Open map: it learns them.
    :param clip: cut shapes at the image's border (counted as ``clipped``); without it they are written as they are.
    :param on_error: what malformed points do: ``raise`` a :class:`GeometryError` that names task and annotation, or
        ``skip`` the annotation, counted as ``malformed`` and logged.
    :param need_size: whether the format cannot place anything in a task without width and height; its annotations are
        then counted as ``no_image_size``.
    :param areas: whether the format writes areas: those of outlines that cross themselves are exact then, too.
    :param box_margin: share of a pose's extent by which its box grows on each side, within the image. A pose whose
        keypoints have no extent in a direction is counted as ``pose_box_without_extent``, with or without a margin.
        ``None`` where the format writes no box of a pose.
    :param left_out: the list of what is left out; ``None`` for no list.
    :raises ValueError: ``on_error`` is neither word, or ``box_margin`` is negative or no number.

    :ivar report: the counts; the writer adds files and classes.
    :ivar order: place of the task that was last yielded in the list of what is left out.
    :ivar classes: a copy of the map, which an open map's discoveries and learned keypoints go into.
    """

    def __init__(
        self,
        kinds: Collection[str],
        classes: ClassMap,
        *,
        clip: bool = True,
        on_error: OnError = "raise",
        need_size: bool = False,
        areas: bool = False,
        box_margin: float | None = 0,
        left_out: LeftOut | None = None,
    ) -> None:
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error is 'raise' or 'skip', not {on_error!r}")
        if box_margin is not None and not 0 <= box_margin < math.inf:
            raise ValueError(f"box_margin is a share of the keypoints' extent, 0 or more, not {box_margin!r}")
        self.report: ExportReport = ExportReport(left_out=left_out)
        self.order: tuple[int, int] = (WRITTEN, 0)
        self.classes: ClassMap = ClassMap(classes, open=classes.open)
        # Classes given by value only: a pose's keypoints are learned from the annotations.
        self._bare = {number for number, one in enumerate(classes) if not one.keypoints}
        # Value -> id of the classes about which only poses can tell more.
        self._settled: dict[str, int] = {}
        self._makers = {kind: MAKERS[kind] for kind in kinds}
        self._outlines = "polygon" in kinds or "segmentation" in kinds
        self._clip = clip
        self._on_error: OnError = on_error
        self._need_size = need_size
        self._areas = areas
        self._box_margin = box_margin

    def shapes(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], list[Labelled]]]:
        """Yield tasks with what of them can be written, in the order of their annotations, and count the rest.

        Some tasks are read ahead, so that their outlines can be measured together.

        :param tasks: task objects as the API returns them; not changed, nor to be changed while they are exported.
        :returns: task, and of its annotations the annotation, class id and shape, for the writer to write all of them.
        :raises GeometryError: an annotation is malformed and the policy is ``raise``.
        """
        for batch, known in self._batches(tasks):
            for task in batch:
                yield task, self._shapes(task, known)

    def _batches(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[tuple[list[Mapping[str, Any]], Known]]:
        """Read some tasks ahead and measure their outlines."""
        batch: list[Mapping[str, Any]] = []
        entries = 0
        rings = Rings(crossings=self._areas)
        for task in tasks:
            batch.append(task)
            annotations = annotations_of(task)
            entries += 1 + len(annotations)
            if self._outlines:
                rings.add(annotations)
            if entries >= _BATCH or len(rings) >= _BATCH_NUMBERS:
                yield batch, rings.measures()
                batch.clear()
                entries = 0
                rings = Rings(crossings=self._areas)
        yield batch, rings.measures()

    def _shapes(self, task: Mapping[str, Any], known: Known) -> list[Labelled]:
        """Make the shapes of one task."""
        report = self.report
        report.images += 1
        self.order = (WRITTEN, self.order[1] + 1)
        width, height = image_size(task)
        if not width:
            report.adjust("tasks_without_size")
        annotations = annotations_of(task)
        if not annotations:
            report.adjust("tasks_empty")
            return []
        report.annotations_in += len(annotations)
        if self._need_size and not width:
            report.skip(reasons.NO_IMAGE_SIZE, task, annotations, self.order)
            return []
        if not self._clip:
            width = height = 0
        found: list[Labelled] = []
        for number, annotation in enumerate(annotations, 1):
            try:
                outcome = self._one(annotation, width, height, known)
            except (GeometryError, AttributeError, TypeError, OverflowError) as error:
                self._malformed(task, number, annotation, error)
                continue
            if isinstance(outcome, str):
                report.skip(outcome, task, [annotation], self.order)
            else:
                found.append(outcome)
        report.annotations += len(found)
        return found

    def _one(self, annotation: Mapping[str, Any], width: float, height: float, known: Known) -> Labelled | str:
        """Class and shape of one annotation, or the reason why it is left out."""
        kind = annotation.get("type")
        make = self._makers.get(kind)  # type: ignore[arg-type]
        if make is None:
            return f"{reasons.UNSUPPORTED_TYPE}:{foreign_text(kind, 60)}"
        value = annotation.get("value")
        if not value or type(value) is not str:
            raise GeometryError("it has no class value")
        class_id = self._settled.get(value)
        if class_id is None or kind == "pose_estimation":
            if not is_text(value):
                raise GeometryError("its class value holds half of a surrogate pair, which no file can")
            class_id = self._class_of(annotation)
            if class_id is None:
                return reasons.UNKNOWN_CLASS
        shape = make(annotation, width, height, known)
        if isinstance(shape, str):
            return shape
        margin = self._box_margin
        if kind == "pose_estimation" and margin is not None and not shape.fit_pose(margin, width, height):
            self.report.adjust("pose_box_without_extent")
        if shape.clipped:
            self.report.adjust("clipped")
        if shape.dropped:
            self.report.adjust("rings_dropped", shape.dropped)
        return annotation, class_id, shape

    def _class_of(self, annotation: Mapping[str, Any]) -> int | None:
        """Look a class up from which there may be something to learn: an open map's, or a pose's."""
        classes = self.classes
        value = annotation["value"]
        class_id = classes.observe(annotation) if classes.open else classes.id_of(value)
        if class_id is None:
            return None
        if class_id in self._bare and annotation["type"] == "pose_estimation":
            classes.observe(annotation)
        if not classes.open or classes[class_id].color:
            self._settled[value] = class_id
        return class_id

    def _malformed(self, task: Mapping[str, Any], number: int, annotation: Any, error: Exception) -> None:
        """Raise or count, naming the task and the annotation."""
        why = str(error) if isinstance(error, GeometryError) else "it is not an annotation object"
        if isinstance(error, OverflowError):
            why = "a number is too large"
        known = annotation if isinstance(annotation, Mapping) else {}
        which = f"annotation {number}"
        details = [f"{key} {shortened(known[key])}" for key in ("id", "type", "value") if known.get(key)]
        if details:
            which += f" ({', '.join(details)})"
        message = f"task {shortened(task.get('name'), 300)}, {which}: {foreign_text(why)}"
        malformed(message, self.report.skipped.get(reasons.MALFORMED, 0), self._on_error, error)
        self.report.skip(reasons.MALFORMED, task, [annotation], self.order, why=foreign_text(why))
