"""FastLabel -> labelme, one JSON file per task, as labelme 6 opens it.

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

labelme's outlines have no holes: a hole is joined with its outline by a bridge of no width (:mod:`.bridge`, counted as
``holes_bridged``), and the importer finds it again.

Attributes that are true or false become flags; all attributes stand in the shape's ``attributes``, which labelme keeps
as it is. ``imagePath`` is the image's name alone: labelme looks for it beside the JSON file, whose folders are those of
the task's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.bridge import bridged
from airflow_provider_fastlabel.formats.classes import ClassMap
from airflow_provider_fastlabel.formats.folder import Folder
from airflow_provider_fastlabel.formats.geometry import Shape, image_size
from airflow_provider_fastlabel.formats.jsonbytes import dumps
from airflow_provider_fastlabel.formats.naming import OutputNames, safe_name
from airflow_provider_fastlabel.formats.stage import OnError, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_fastlabel.formats.report import ExportReport

LABELME_TYPES = ("bbox", "polygon", "segmentation", "keypoint", "line", "circle", "pose_estimation")
"""Annotation types that are written."""

_VERSION = "6.0.0"  # the first with oriented_rectangle


def export_labelme(
    tasks: Iterable[Mapping[str, Any]],
    folder: Path,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    clip: bool = True,
    on_error: OnError = "raise",
) -> ExportReport:
    """Write tasks as ``<name>.json``.

    :param tasks: Task objects as the API returns them; read once, never changed, not kept.
    :param folder: Existing folder.
    :param classes: Class map, annotation classes or class values; annotations of other values are counted as
        ``unknown_class``. None takes all.
    :param clip: Cut shapes at the image's border, counted as ``clipped``.
    :param on_error: ``raise`` stops at malformed points, naming task and annotation; ``skip`` counts them.
    :returns: Counts, files, and the class values: those given, or those found, sorted.
    :raises GeometryError: Malformed points, with ``raise``.
    """
    stage = Stage(LABELME_TYPES, ClassMap.of(classes), clip=clip, on_error=on_error)
    out = Folder(Path(folder), stage.report)
    names = OutputNames(".json")
    for task in tasks:
        name = stage.name_of(task)
        out.write(names.path_for(name), dumps(_document(task, name, stage)) + b"\n")
    if names.changed:
        stage.report.adjust("names_changed", names.changed)
    known = stage.classes
    stage.report.classes = known.sorted().values if known.open else known.values
    return stage.report


def _document(task: Mapping[str, Any], name: str, stage: Stage) -> dict[str, Any]:
    """Return one task's file."""
    width, height = image_size(task)
    shapes: list[dict[str, Any]] = []
    group = 0
    for annotation, _, shape in stage.shapes(task):
        drawn = _drawn(shape)
        if shape.has_holes():
            stage.report.adjust("holes_bridged", sum(len(region) - 1 for region in shape.regions))
        group_id = None
        if len(drawn) > 1 or shape.kind == "pose_estimation":
            group += 1
            group_id = group
        flags, attributes = _attributes(annotation)
        for one in drawn:
            one["label"] = annotation["value"]
            one["group_id"] = group_id
            one["flags"] = flags | one.get("flags", {})
            if attributes:
                one["attributes"] = attributes
            shapes.append(one)
    return {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": safe_name(name).rpartition("/")[2],
        "imageData": None,
        "imageHeight": round(height) or None,
        "imageWidth": round(width) or None,
    }


def _drawn(shape: Shape) -> list[dict[str, Any]]:
    """Return the labelme shapes of one shape."""
    if shape.kind == "bbox":
        if shape.rotation:
            return [{"points": _pairs(shape.corners()), "shape_type": "oriented_rectangle"}]
        return [{"points": [(shape.x1, shape.y1), (shape.x2, shape.y2)], "shape_type": "rectangle"}]
    if shape.kind in ("polygon", "segmentation"):
        return [{"points": _pairs(bridged(region)), "shape_type": "polygon"} for region in shape.regions]
    if shape.kind == "pose_estimation":
        return [
            {"points": [(x, y)], "shape_type": "point", "description": key, "flags": {"visible": seen == 2}}
            for key, (x, y, seen) in shape.keypoints.items()
        ]
    if shape.kind == "circle":
        x, y, radius = shape.points
        return [{"points": [(x, y), (x + radius, y)], "shape_type": "circle"}]
    points = _pairs(shape.points)
    kinds = {"keypoint": "point", "line": "line" if len(points) == 2 else "linestrip"}
    return [{"points": points, "shape_type": kinds[shape.kind]}]


def _pairs(flat: Any) -> list[tuple[float, float]]:
    """Return flat coordinates as points."""
    return list(zip(flat[::2], flat[1::2], strict=True))


def _attributes(annotation: Mapping[str, Any]) -> tuple[dict[str, bool], list[dict[str, Any]]]:
    """Return the attributes that are flags, and all of them."""
    rows = annotation.get("attributes")
    if not rows or not isinstance(rows, list):
        return {}, []
    pairs = [(str(row["key"]), row.get("value")) for row in rows if isinstance(row, dict) and "key" in row]
    flags = {key: value for key, value in pairs if isinstance(value, bool)}
    return flags, [{"key": key, "value": value} for key, value in pairs]
