"""Tasks are written as Pascal VOC annotations, one XML file each, as the VOC devkit reads it.

What goes where: every type with an extent is an ``object`` with its enclosing box: bbox (a rotated one counted as
``rotation_as_box``), polygon, segmentation and pose_estimation (counted, ``polygon_as_box`` ...). Other types have no
extent and are counted. Tasks without annotations have a file without objects.

Corners: a pixel that is partly covered counts. ``corners="one_based"`` is the devkit's convention: the first and the
last pixel of the box, counted from 1. The box ``[10, 20, 40, 60]``, which covers columns 10 to 39 counted from 0, has
``xmin`` 11 and ``xmax`` 40. ``"zero_based"`` is what labelImg writes: pixel borders counted from 0, so the same box has
``xmin`` 10 and ``xmax`` 40. The importer takes the same argument.

``truncated``, ``difficult`` and ``occluded`` come from the annotation's attributes of these keys (of type ``switch``,
or of no type, as they are uploaded): 1 for true, a number other than 0, or a text such as ``true`` or ``1``.
``segmented`` is 1 if outlines (polygon, segmentation) were labelled in the image.
"""

from __future__ import annotations

import re
from collections import Counter
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from airflow_provider_fastlabel.formats.geometry.shapes import AREA_KINDS, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.folder import Folder
from airflow_provider_fastlabel.formats.writing.naming import OutputNames, safe_name
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

Corners = Literal["one_based", "zero_based"]

# Characters XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = """<annotation>
    <folder>%s</folder>
    <filename>%s</filename>
    <path>%s</path>
    <source>
        <database>FastLabel</database>
    </source>
    <size>
        <width>%d</width>
        <height>%d</height>
        <depth>3</depth>
    </size>
    <segmented>%d</segmented>
"""
_OBJECT = """    <object>
        <name>%s</name>
        <pose>Unspecified</pose>
        <truncated>%d</truncated>
        <occluded>%d</occluded>
        <difficult>%d</difficult>
        <bndbox>
            <xmin>"""
_NO_FLAGS = (0, 0, 0)


def export_pascalvoc(
    tasks: Iterable[Mapping[str, Any]],
    folder: Place,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    corners: Corners = "one_based",
    clip: bool = True,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Write tasks as ``annotations/<name>.xml``.

    :param tasks: task objects as the API returns them; read once, never changed, not kept.
    :param folder: existing folder.
    :param classes: class map, annotation classes or class values; annotations of other values are counted as
        ``unknown_class``. None takes all.
    :param corners: ``one_based`` or ``zero_based``, see the module.
    :param clip: cut shapes at the image's border, counted as ``clipped``.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts, files, and the class values: those given, or those found, sorted.
    :raises GeometryError: malformed points, with ``raise``.
    :raises ValueError: unknown ``corners``.
    """
    if corners not in ("one_based", "zero_based"):
        raise ValueError(f"corners is 'one_based' or 'zero_based', not {corners!r}")
    first = 1 if corners == "one_based" else 0
    stage = Stage(AREA_KINDS, ClassMap.of(classes), clip=clip, on_error=on_error, left_out=left_out)
    out = Folder(folder, stage.report)
    names = OutputNames(".xml")
    documents = _Documents(first)
    for task, found in stage.shapes(tasks):
        name = name_of(task)
        out.write(f"annotations/{names.path_for(name)}", documents.of(task, name, found).encode("utf-8"))
    for kind, count in documents.boxed.items():
        stage.report.adjust(f"{kind}_as_box", count)
    if names.changed:
        stage.report.adjust("names_changed", names.changed)
    known = stage.classes
    stage.report.classes = known.sorted().values if known.open else known.values
    return stage.report


class _Documents:
    """Makes the XML of tasks.

    :param first: number of the first pixel.

    :ivar boxed: what became a box without being one, and how often.
    """

    def __init__(self, first: int) -> None:
        self.boxed: Counter[str] = Counter()
        self._first = first
        # An object's XML up to its first number, by class and flags: a data set has few of them.
        self._beginnings: dict[tuple[int, tuple[int, int, int]], str] = {}

    def of(self, task: Mapping[str, Any], name: str, found: list[Labelled]) -> str:
        """Return one task's XML."""
        width, height = image_size(task)
        first = self._first
        boxed = self.boxed
        objects = []
        segmented = 0
        for annotation, class_id, shape in found:
            kind = shape.kind
            if kind != "bbox":
                boxed[kind] += 1
                segmented |= kind != "pose_estimation"
            elif shape.rotation:
                boxed["rotation"] += 1
            attributes = annotation.get("attributes")
            flags = _flags(attributes) if attributes else _NO_FLAGS
            beginning = self._beginnings.get((class_id, flags)) or self._begin(class_id, annotation["value"], flags)
            objects.append(
                f"""{beginning}{floor(shape.x1) + first}</xmin>
            <ymin>{floor(shape.y1) + first}</ymin>
            <xmax>{ceil(shape.x2)}</xmax>
            <ymax>{ceil(shape.y2)}</ymax>
        </bndbox>
    </object>
"""
            )
        text = _xml(safe_name(name))
        head = _HEAD % (text.rpartition("/")[0], text, text, width, height, segmented)
        return f"{head}{''.join(objects)}</annotation>\n"

    def _begin(self, class_id: int, value: str, flags: tuple[int, int, int]) -> str:
        """Make the beginning of a class's objects."""
        self._beginnings[class_id, flags] = beginning = _OBJECT % (_xml(value), *flags)
        return beginning


def _flags(attributes: Any) -> tuple[int, int, int]:
    """Read the three flags; whatever is not a flag is no flag."""
    truncated = occluded = difficult = 0
    for row in attributes if isinstance(attributes, list) else ():
        value = row.get("value") if isinstance(row, dict) else None
        if value and row.get("type", "switch") == "switch" and _is_on(value):
            key = row.get("key")
            truncated |= key == "truncated"
            occluded |= key == "occluded"
            difficult |= key == "difficult"
    return truncated, occluded, difficult


def _is_on(value: Any) -> bool:
    """Read the value of a switch."""
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes", "on")
    return isinstance(value, (int, float)) and bool(value)


def _xml(text: str) -> str:
    """Escape a text and replace what XML cannot hold by ``_``; line breaks and tabs become blanks."""
    if _PLAIN.fullmatch(text):
        return text
    return escape(re.sub(r"[\t\n\r]", " ", _FORBIDDEN.sub("_", text)))


_PLAIN = re.compile(r"[\w ./\-]*")
