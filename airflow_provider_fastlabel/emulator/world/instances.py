"""Annotations of tasks: what was sent, checked and completed from the project's classes."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_fastlabel.emulator.world.errors import invalid
from airflow_provider_fastlabel.emulator.world.kinds import Kind
from airflow_provider_fastlabel.emulator.world.schemas import AnnotationIn, AttributeIn
from airflow_provider_fastlabel.emulator.world.state import Emulation, lenient

_COUNTS = {"bbox": (4, 4), "keypoint": (2, 2), "circle": (3, 3), "cuboid": (9, 9)}
_PATHS = {"line": 4, "polygon": 6}
_FRAME_DIGITS = 9
_SPANS = ("ner", "sub_task")


def classes_of(emu: Emulation, project_id: str) -> dict[str, dict[str, Any]]:
    """Return the annotation classes of a project by value."""
    return {record.body["value"]: record.out() for record in emu.store.list("annotation", scope=project_id)}


def render(
    kind: Kind,
    classes: Mapping[str, Mapping[str, Any]],
    annotations: Sequence[AnnotationIn],
    seed: uuid.UUID,
    contents: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return annotations as the API shows them.

    :param kind: kind of the task.
    :param classes: classes of its project by value.
    :param annotations: what was sent.
    :param seed: namespace of the new annotation ids.
    :param contents: files of the task, when it has several.
    :raises ApiError: 422 naming the annotation and what is wrong with it.
    """
    shown = []
    for index, sent in enumerate(annotations):
        where = f"annotations.{index}"
        definition = classes.get(sent.value)
        if definition is None:
            raise invalid(f"{where}: the project has no annotation class with value {sent.value!r}")
        if lenient.get():
            sent = sent.model_copy(update={"type": definition["type"]})
        if sent.type not in kind.types:
            raise invalid(f"{where}: type {sent.type!r} does not fit a {kind.name} task, use one of {kind.types}")
        if definition["type"] != sent.type:
            raise invalid(f"{where}: class {sent.value!r} is of type {definition['type']!r}, not {sent.type!r}")
        item: dict[str, Any] = {
            "id": str(uuid.uuid5(seed, str(index))),
            "type": sent.type,
            "title": definition["title"],
            "value": sent.value,
            "color": definition["color"],
            "attributes": render_attributes(definition, sent.attributes, where),
        }
        item |= _geometry(kind, sent, definition, where)
        if kind.name == "sequential_image":
            item["content"] = _content(sent, contents, where)
        elif kind.name == "dicom":
            item["contentId"] = str(uuid.uuid5(seed, "content"))
        item["confidenceScore"] = sent.confidence_score
        shown.append(item)
    return shown


def render_attributes(
    definition: Mapping[str, Any], attributes: Sequence[AttributeIn], where: str
) -> list[dict[str, Any]]:
    """Return attribute values with the name and type of their definition.

    :param definition: annotation class.
    :param attributes: what was sent.
    :param where: prefix of error messages.
    :raises ApiError: 422 when the class has no such attribute or option.
    """
    known = {item["key"]: item for item in definition["attributes"]}
    shown = []
    for sent in attributes:
        attribute = known.get(sent.key)
        if attribute is None:
            raise invalid(f"{where}: class {definition['value']!r} has no attribute {sent.key!r}")
        _check_value(attribute, sent.value, where)
        item = {"key": sent.key, "name": attribute["name"], "type": attribute["type"], "value": sent.value}
        titles = [option["title"] for option in attribute["options"] if option["value"] == sent.value]
        shown.append(item | ({"title": titles[0]} if titles else {}))
    return shown


def _check_value(attribute: Mapping[str, Any], value: Any, where: str) -> None:
    where = f"{where}: attribute {attribute['key']!r}"
    kind = attribute["type"]
    if kind in ("select", "radio", "checkbox"):
        options = [option["value"] for option in attribute["options"]]
        chosen = value if isinstance(value, list) else [value]
        unknown = [item for item in chosen if item not in (None, "") and item not in options]
        if unknown:
            raise invalid(f"{where} has no option {unknown[0]!r}")
    elif kind in ("text", "textarea") and not isinstance(value, str):
        raise invalid(f"{where} takes text")
    elif kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float | None)):
        raise invalid(f"{where} takes a number")


def _content(sent: AnnotationIn, contents: Sequence[Mapping[str, Any]], where: str) -> str:
    if sent.content is None or sent.content not in {content["name"] for content in contents}:
        raise invalid(f"{where}: content {sent.content!r} is not a file of the task")
    return sent.content


def _geometry(kind: Kind, sent: AnnotationIn, definition: Mapping[str, Any], where: str) -> dict[str, Any]:
    if sent.type in _SPANS or kind.name in ("audio", "multi_modal_video_audio"):
        return _span(sent, where)
    if sent.type == "pose_estimation":
        return {"rotation": 0, "keypoints": _keypoints(sent, definition, where)}
    if kind.framed:
        points: Any = _framed(sent, where)
    else:
        points = _points(sent.type, sent.points, where, flat=kind.name == "pcd")
    return {"points": points, "rotation": sent.rotation, "keypoints": []}


def _span(sent: AnnotationIn, where: str) -> dict[str, Any]:
    if sent.start is None or sent.end is None or sent.start < 0 or sent.end < sent.start:
        raise invalid(f"{where}: start and end are needed, with 0 <= start <= end")
    if sent.type == "sub_task":
        return {"points": [sent.start, sent.end], "rotation": 0, "keypoints": []}
    return {"start": sent.start, "end": sent.end} | ({"text": sent.text or ""} if sent.type == "ner" else {})


def _keypoints(sent: AnnotationIn, definition: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    defined = definition.get("keypoints") or []
    values = {point.key: point.value for point in sent.keypoints}
    if not defined:
        return [{"key": key, "name": key, "value": value, "edges": []} for key, value in values.items()]
    keys = {point["id"]: point["key"] for point in defined}
    unknown = [key for key in values if key not in keys.values()]
    if unknown:
        raise invalid(f"{where}: class {sent.value!r} has no keypoint {unknown[0]!r}")
    return [
        {
            "key": point["key"],
            "name": point["name"],
            "value": values.get(point["key"], []),
            "edges": [keys[edge] for edge in point["edges"] if edge in keys],
        }
        for point in defined
    ]


def _framed(sent: AnnotationIn, where: str) -> dict[str, Any]:
    if not isinstance(sent.points, dict) or not sent.points:
        raise invalid(f"{where}: points must be an object keyed by frame number")
    frames = {}
    for key, frame in sent.points.items():
        if not (key.isascii() and key.isdigit() and len(key) <= _FRAME_DIGITS and int(key) >= 1):
            raise invalid(f"{where}: frame {key!r} is not a number from 1 upwards")
        if not isinstance(frame, dict) or frame.keys() - {"value", "autogenerated"}:
            raise invalid(f"{where}: frame {key} must have value and autogenerated only")
        points = _points(sent.type, frame.get("value"), f"{where}: frame {key}")
        frames[key] = {"value": points, "autogenerated": bool(frame.get("autogenerated", False))}
    return frames


def _points(shape: str, points: Any, where: str, *, flat: bool = False) -> list[Any]:
    if shape == "segmentation" and not flat:
        return _regions(points, where)
    if not _numbers(points):
        raise invalid(f"{where}: points must be a list of numbers")
    least, most = _COUNTS.get(shape, (_PATHS.get(shape, 0), math.inf))
    if not least <= len(points) <= most or (shape in _PATHS and len(points) % 2):
        raise invalid(f"{where}: {len(points)} numbers do not make a {shape}")
    return list(points)


def _regions(points: Any, where: str) -> list[Any]:
    if not isinstance(points, list) or not all(isinstance(region, list) and region for region in points):
        raise invalid(f"{where}: points must be a list of regions, each a list of rings")
    for ring in (ring for region in points for ring in region):
        if not _numbers(ring) or len(ring) < 6 or len(ring) % 2:
            raise invalid(f"{where}: every ring must be a list of x, y numbers of three points or more")
    return points


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )
