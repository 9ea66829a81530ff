"""Checks pre-annotations before anything is sent: class, type, attributes, geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.reading.imported import finite
from airflow_provider_fastlabel.json_text import is_number
from airflow_provider_fastlabel.pipelines.imports.attribute_values import listed, value_complaint
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.formats.image_size import ImageSize

MARGIN = 1.0
"""Pixels a coordinate may lie outside the image: formats differ by one in where they count from."""

_FEWEST_NUMBERS = {"polygon": 6, "line": 4}
_ORDINARY = frozenset((int, float))
_EXACT_NUMBERS = {"bbox": 4, "keypoint": 2, "circle": 3, "cuboid": 9}


_SHAPES = ("bbox", "polygon", "segmentation", "pose_estimation", "keypoint", "line")


def own_type(project_type: str) -> str | None:
    """Return the annotation type that a project type stands for; ``None`` when it takes several.

    :param project_type: such as ``image_bbox``, or ``image_all``.
    """
    return next((shape for shape in _SHAPES if project_type.endswith(f"_{shape}")), None)


class ClassRules:
    """What the classes of a project allow.

    :param classes: the annotation classes as the API returns them.
    """

    def __init__(self, classes: Iterable[Mapping[str, Any]]) -> None:
        self._types: dict[str, set[str]] = {}
        self._attributes: dict[str, dict[str, Mapping[str, Any]]] = {}
        for item in classes:
            value = str(item["value"])
            self._types.setdefault(value, set()).add(str(item["type"]))
            known = self._attributes.setdefault(value, {})
            known.update({str(attribute["key"]): attribute for attribute in item.get("attributes") or ()})

    def complaints(self, annotation: Mapping[str, Any]) -> Iterator[str]:
        """Say what the project does not allow about an annotation.

        :param annotation: ``type``, ``value`` and, where wanted, ``attributes``.
        :returns: one sentence per complaint.
        """
        value, kind = annotation.get("value"), annotation.get("type")
        types = self._types.get(str(value))
        if types is None:
            yield f"class {value!r} does not exist in the project; it has {listed(self._types)}"
            return
        if kind not in types:
            yield f"class {value!r} is of type {listed(types)} in the project, the annotation is of type {kind!r}"
        yield from self.attribute_complaints(annotation)

    def attribute_complaints(self, annotation: Mapping[str, Any]) -> Iterator[str]:
        """Say what a class that exists does not allow about the attributes of an annotation.

        :param annotation: ``value`` and, where wanted, ``attributes``.
        :returns: one sentence per complaint.
        """
        value = str(annotation.get("value"))
        known = self._attributes[value]
        for attribute in annotation.get("attributes") or ():
            key = attribute.get("key")
            if not isinstance(key, str) or not key.strip():
                yield f"an attribute of an annotation of class {value!r} has no key, but {key!r}"
            elif (definition := known.get(key)) is None:
                yield f"class {value!r} has no attribute {key!r} in the project; it has {listed(known)}"
            elif (complaint := value_complaint(definition, attribute.get("value"))) is not None:
                yield f"attribute {key!r} of class {value!r} {complaint}"


def geometry_complaints(annotation: Mapping[str, Any], size: ImageSize | None) -> Iterator[str]:
    """Say what is wrong with the shape of an annotation.

    :param annotation: an annotation as FastLabel takes it; frame-keyed points are checked frame by frame.
    :param size: the image's size, or ``None`` when coordinates cannot be compared with it.
    :returns: one sentence per complaint.
    """
    kind = str(annotation.get("type"))
    if kind == "pose_estimation":
        keypoints = [list(item.get("value") or ())[:2] for item in annotation.get("keypoints") or ()]
        shapes = [keypoint for keypoint in keypoints if keypoint]
        yield from _first(_shape_complaint("keypoint", shape, size) for shape in shapes)
        return
    points = annotation.get("points")
    if isinstance(points, dict):
        frames = (frame.get("value") for frame in points.values())
        yield from _first(_shape_complaint(kind, frame, size) for frame in frames)
    elif kind == "segmentation" and points and isinstance(points[0], list):
        rings = (ring for region in points for ring in region)
        yield from _first(_shape_complaint("polygon", ring, size) for ring in rings)
    elif kind in _EXACT_NUMBERS or kind in _FEWEST_NUMBERS:
        # A turned box gives its corners before the turn; they may lie outside although the box does not.
        inside = None if annotation.get("rotation") else size
        yield from _first([_shape_complaint(kind, points, inside)])


def _first(complaints: Iterable[str | None]) -> Iterator[str]:
    """Yield the first complaint only: one bad annotation is one problem, however many points it has."""
    for complaint in complaints:
        if complaint is not None:
            yield complaint
            return


def _shape_complaint(kind: str, points: Any, size: ImageSize | None) -> str | None:
    complaint = _number_complaint(kind, points)
    if complaint is not None:
        return complaint
    if kind == "bbox" and (points[0] == points[2] or points[1] == points[3]):
        return f"bbox {points} has no area"
    if size is None or kind == "cuboid":
        return None
    flat = points[:2] if kind == "circle" else points
    for limit, values in ((size.width, flat[0::2]), (size.height, flat[1::2])):
        if min(values) < -MARGIN or max(values) > limit + MARGIN:
            return f"{kind} {shortened(list(points))} lies outside the image of {size.width} x {size.height} pixels"
    return None


def are_numbers(points: list[Any] | tuple[Any, ...]) -> bool:
    """Tell whether all of them are ordinary numbers; one by one only where not all can be told at once.

    :param points: coordinates, or anything else that stands where they should.
    """
    return (_ORDINARY.issuperset(map(type, points)) and finite(points)) or all(map(is_number, points))


def _number_complaint(kind: str, points: Any) -> str | None:
    if not isinstance(points, list | tuple) or not points:
        return f"{kind} has no points"
    if not are_numbers(points):
        return f"{kind} {shortened(list(points))} holds something that is not a finite number"
    exact, fewest = _EXACT_NUMBERS.get(kind), _FEWEST_NUMBERS.get(kind)
    if exact is not None and len(points) != exact:
        return f"{kind} needs {exact} numbers, not {len(points)}"
    if fewest is not None and (len(points) < fewest or len(points) % 2):
        return f"{kind} needs an even count of at least {fewest} numbers, not {len(points)}"
    return None
