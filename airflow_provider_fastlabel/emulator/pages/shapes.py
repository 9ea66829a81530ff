"""Labels over a picture, as SVG in the picture's own coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_fastlabel.emulator.pages.layout import many, shortened
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_SPARE = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
MOST_NAMES = 40
"""Labels that are named in the picture itself; the names of more would cover it."""
NAME = 24
"""Letters of a name that are shown."""

Label = tuple[Mapping[str, Any], Any]
"""An annotation, and its points in the frame that is shown."""


def colour_of(annotation: Mapping[str, Any]) -> str:
    """Return the colour of a label: that of its class where it is one, and else the same for the same class."""
    given = annotation.get("color")
    if isinstance(given, str) and _COLOUR.fullmatch(given):
        return given
    return _SPARE[sum(str(annotation.get("value")).encode()) % len(_SPARE)]


def overlay(labels: Sequence[Label], width: float, height: float) -> Markup:
    """Return the labels of a picture, to be laid over it.

    :param labels: the annotations with their points.
    :param width: of the picture.
    :param height: of the picture.
    """
    named = len(labels) <= MOST_NAMES
    size = max(width, height) / 40
    drawn = [_drawn(annotation, points, size if named else 0) for annotation, points in labels]
    return tag("svg", drawn, viewBox=f"0 0 {width:g} {height:g}", id="overlay", class_="overlay", role="img",
               aria_label=f"{many(len(labels), 'label')}, listed below")  # fmt: skip


def _drawn(annotation: Mapping[str, Any], points: Any, size: float) -> Markup:
    colour, turn = colour_of(annotation), None
    pieces = list(_pieces(annotation, points))
    anchor = _anchor(annotation, points)
    if annotation["type"] == "bbox" and annotation.get("rotation") and len(points) == 4:
        x, y = (points[0] + points[2]) / 2, (points[1] + points[3]) / 2
        turn = f"rotate({annotation['rotation']} {x} {y})"
    name = str(annotation.get("title") or annotation.get("value"))
    if size and anchor:
        y = max(anchor[1] - size / 3, size)
        pieces.append(tag("text", shortened(name, NAME), x=anchor[0], y=y, font_size=size, fill="#fff"))
    return tag("g", tag("title", name), pieces, stroke=colour, fill=colour, transform=turn)


def _pieces(annotation: Mapping[str, Any], points: Any) -> Iterator[Markup]:
    kind = annotation["type"]
    if kind == "pose_estimation":
        yield from _pose(annotation["keypoints"])
    elif kind == "bbox":
        x1, y1, x2, y2 = points
        yield tag("path", d=f"M{x1} {y1}H{x2}V{y2}H{x1}Z", fill_opacity="0.08")
    elif kind == "circle":
        yield tag("circle", cx=points[0], cy=points[1], r=abs(points[2]), fill_opacity="0.15")
    elif kind == "keypoint":
        yield _dot(points[0], points[1])
    elif kind == "line":
        yield tag("path", d=ring(points), fill="none")
    elif kind == "segmentation":
        rings = "".join(f"{ring(each)}Z" for region in points for each in region)
        yield tag("path", d=rings, fill_opacity="0.35", fill_rule="evenodd")
    elif kind == "polygon":
        yield tag("path", d=f"{ring(points)}Z", fill_opacity="0.2")


def _pose(keypoints: Iterable[Mapping[str, Any]]) -> Iterator[Markup]:
    places = {point["key"]: point for point in keypoints if len(point["value"]) >= 2}
    bones = []
    for point in places.values():
        for other in point["edges"]:
            if other in places:
                (x1, y1), (x2, y2) = point["value"][:2], places[other]["value"][:2]
                bones.append(f"M{x1} {y1}L{x2} {y2}")
    if bones:
        yield tag("path", d="".join(bones), fill="none")
    for point in places.values():
        yield _dot(*point["value"][:2], tag("title", point["name"]))


def _dot(x: float, y: float, *inside: Any) -> Markup:
    """Return a dot that is as large at any size of the picture: a line without length and with round ends."""
    return tag("path", inside, d=f"M{x} {y}h0", class_="dot")


def ring(points: Sequence[float]) -> str:
    """Return flat coordinates as a path."""
    return "M" + "L".join(f"{x} {y}" for x, y in zip(points[::2], points[1::2], strict=False))


def _anchor(annotation: Mapping[str, Any], points: Any) -> tuple[float, float] | None:
    """Return where the name of a label stands: at the leftmost of its highest points."""
    flat = numbers_of(points if annotation["type"] != "pose_estimation" else annotation["keypoints"])
    if annotation["type"] == "circle":
        return (flat[0], flat[1] - abs(flat[2]))
    places = list(zip(flat[::2], flat[1::2], strict=False))
    if annotation["type"] == "bbox" and len(places) == 2:
        return (min(flat[0], flat[2]), min(flat[1], flat[3]))
    return min(places, key=lambda place: (place[1], place[0])) if places else None


def numbers_of(points: Any) -> list[float]:
    """Return the coordinates in points of any kind, x after y."""
    if isinstance(points, Mapping):
        value = points.get("value") or []
        return [] if not isinstance(value, list) else numbers_of(value[:2] if "key" in points else value)
    if isinstance(points, list):
        return [number for each in points for number in numbers_of(each)]
    return [points] if isinstance(points, int | float) else []
