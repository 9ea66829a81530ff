"""Tasks are written as labelme files, one JSON file each, as labelme 6 opens it.

================================  ==================================================================
FastLabel annotation              labelme shape
================================  ==================================================================
bbox                              rectangle; with a rotation oriented_rectangle
polygon                           polygon
segmentation                      polygon per region; more than one share a group id
keypoint                          point
line                              line; of three points or more linestrip
circle                            circle
pose_estimation                   point per keypoint with one group id; ``description`` is the keypoint's key, the flag
                                  ``visible`` its visibility
================================  ==================================================================

labelme's outlines have no holes: a hole is joined with its outline by a bridge of no width (:mod:`.holes`, counted as
``holes_bridged``), and the importer finds it again.

Attributes that are true or false become flags; all attributes stand in the shape's ``attributes``, key -> value, which
labelme keeps as it is. ``imagePath`` is the image's name alone: labelme looks for it beside the JSON file, so in the
folders of the task's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.geometry.holes import bridged
from airflow_provider_fastlabel.formats.geometry.shapes import Shape, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.folder import Folder
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.formats.writing.naming import OWN_FILES, OutputNames, safe_name
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, attributes_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

    Points = list[tuple[float, float]]

LABELME_TYPES = ("bbox", "polygon", "segmentation", "keypoint", "line", "circle", "pose_estimation")
"""Annotation types that are written."""

_VERSION = "6.0.0"  # the first with oriented_rectangle


def export_labelme(
    tasks: Iterable[Mapping[str, Any]],
    folder: Place,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    clip: bool = True,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Write tasks as ``<name>.json``.

    A task whose file would have one of the data set's own names (:data:`~.naming.OWN_FILES`) keeps its extension:
    ``manifest.jpg`` becomes ``manifest.jpg.json``.

    :param tasks: task objects as the API returns them; read once, never changed, not kept.
    :param folder: existing folder.
    :param classes: class map, annotation classes or class values; annotations of other values are counted as
        ``unknown_class``. None takes all.
    :param clip: cut shapes at the image's border, counted as ``clipped``.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts, files, and the class values: those given, or those found, sorted.
    :raises GeometryError: malformed points, with ``raise``.
    """
    stage = Stage(LABELME_TYPES, ClassMap.of(classes), clip=clip, on_error=on_error, left_out=left_out)
    out = Folder(folder, stage.report)
    names = OutputNames(".json", OWN_FILES)
    for task, found in stage.shapes(tasks):
        name = name_of(task)
        out.write(names.path_for(name), dumps(_document(task, name, found, stage.report)) + b"\n")
    if names.changed:
        stage.report.adjust("names_changed", names.changed)
    known = stage.classes
    stage.report.classes = known.sorted().values if known.open else known.values
    return stage.report


def _document(task: Mapping[str, Any], name: str, found: list[Labelled], report: ExportReport) -> dict[str, Any]:
    """Return one task's file."""
    width, height = image_size(task)
    shapes: list[dict[str, Any]] = []
    groups = 0
    for annotation, _, shape in found:
        attributes, flags = _attributes(annotation.get("attributes"))
        common = {"label": annotation["value"], "group_id": None, "flags": flags}
        if attributes:
            common["attributes"] = attributes
        drawn = _drawn(shape, report)
        if len(drawn) == 1:
            common["shape_type"], common["points"] = drawn[0]
            shapes.append(common)
            continue
        groups += 1
        common["group_id"] = groups
        shapes += [{**common, "shape_type": kind, "points": points} for kind, points in drawn]
        shapes += _keypoints(shape, common)
    return {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": safe_name(name).rpartition("/")[2],
        "imageData": None,
        "imageHeight": round(height) or None,
        "imageWidth": round(width) or None,
    }


def _drawn(shape: Shape, report: ExportReport) -> list[tuple[str, Points]]:
    """Return shape type and points of each labelme shape that one shape becomes."""
    kind = shape.kind
    if kind == "bbox":
        if shape.rotation:
            return [("oriented_rectangle", _pairs(shape.corners()))]
        return [("rectangle", [(shape.x1, shape.y1), (shape.x2, shape.y2)])]
    if kind in ("polygon", "segmentation"):
        regions = shape.regions
        holes = sum(map(len, regions)) - len(regions)
        if holes:
            report.adjust("holes_bridged", holes)
            return [("polygon", _pairs(bridged(region))) for region in regions]
        return [("polygon", _pairs(region[0])) for region in regions]
    if kind == "circle":
        x, y, radius = shape.points
        return [("circle", [(x, y), (x + radius, y)])]
    if kind == "pose_estimation":
        return []
    points = _pairs(shape.points)
    if kind == "keypoint":
        return [("point", points)]
    return [("line" if len(points) == 2 else "linestrip", points)]


def _keypoints(shape: Shape, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a pose's keypoints as points that say which keypoint they are."""
    flags = [{**common["flags"], "visible": visible} for visible in (False, True)]
    for key, (x, y, visibility) in shape.keypoints.items():
        yield {
            **common,
            "flags": flags[visibility == 2],
            "shape_type": "point",
            "points": [(x, y)],
            "description": key,
        }


def _pairs(flat: Sequence[float]) -> Points:
    """Return flat coordinates as points."""
    numbers = iter(flat)
    return list(zip(numbers, numbers, strict=True))


def _attributes(rows: Any) -> tuple[dict[str, Any], dict[str, bool]]:
    """Return all attributes, and those that are true or false."""
    if not rows:
        return {}, {}
    attributes = attributes_of(rows)
    return attributes, {key: value for key, value in attributes.items() if value is True or value is False}
