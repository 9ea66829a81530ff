"""Point clouds from above: a choice of the points of a PCD file, with cuboids."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from airflow_provider_fastlabel.emulator.pages.layout import many, shortened
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag, text
from airflow_provider_fastlabel.emulator.pages.shapes import MOST_NAMES, NAME, Label, colour_of, ring

_SHOWN = 8000
_MOST_HEAD = 64
_LONGEST_LINE = 4096
_FAR = 1e7
_SHORTEST_LINE = 4
"""Bytes of two numbers and what is between and after them."""
_FORMATS = {("F", 4): "<f4", ("F", 8): "<f8", ("I", 1): "<i1", ("I", 2): "<i2", ("I", 4): "<i4", ("I", 8): "<i8",
            ("U", 1): "<u1", ("U", 2): "<u2", ("U", 4): "<u4", ("U", 8): "<u8"}  # fmt: skip


@dataclass(slots=True)
class Cloud:
    """A choice of a cloud's points.

    :param count: how many the file has.
    :param number: which of them were chosen.
    :param place: x and y of each of those.
    """

    count: int
    number: np.ndarray
    place: np.ndarray


def read_cloud(path: Path) -> Cloud:
    """Return a choice of a PCD file's points, evenly over the file.

    :param path: the file.
    :raises ValueError: when it is not PCD, or of the packed kind (``binary_compressed``).
    """
    with path.open("rb") as file:
        head = _head(file)
        try:
            fields, kinds = head["FIELDS"], head["TYPE"]
            sizes, counts = [int(each) for each in head["SIZE"]], [int(each) for each in head.get("COUNT", [])]
            count, form = int(head["POINTS"][0]), head["DATA"][0].lower()
            formats = [_FORMATS[kind.upper(), size] for kind, size in zip(kinds, sizes, strict=True)]
            columns = list(zip(fields, formats, counts or [1] * len(fields), strict=True))
            names = [name.lower() for name in fields]
            x, y = names.index("x"), names.index("y")
        except (KeyError, IndexError, ValueError):
            raise ValueError("its head is not one of a PCD file") from None
        if not all(0 < each <= 10_000 for _, _, each in columns) or count < 0:
            raise ValueError("its head is not one of a PCD file")
        if form == "ascii":
            before = [sum(each for _, _, each in columns[:at]) for at in (x, y)]
            room = (path.stat().st_size - file.tell() + 1) // _SHORTEST_LINE
            return _of_lines(file, min(count, room), before[0], before[1])
        if form != "binary":
            raise ValueError(f"its data are {form[:40]!r}, and these pages read ascii and binary only")
        layout = np.dtype([(f"f{at}", each, (times,)) for at, (_, each, times) in enumerate(columns)])
        there = min(count, (path.stat().st_size - file.tell()) // layout.itemsize)
        if not there:
            raise ValueError("it has no points")
        points = np.memmap(path, layout, "r", file.tell(), (there,))
        number = np.arange(0, there, math.ceil(there / _SHOWN))
        chosen = points[number]
        place = np.stack([chosen[f"f{at}"][:, 0].astype(float) for at in (x, y)], axis=1)
        return _finite(there, number, place)


def _head(file: IO[bytes]) -> dict[str, list[str]]:
    head: dict[str, list[str]] = {}
    for _ in range(_MOST_HEAD):
        line = file.readline(_LONGEST_LINE)
        words = line.decode("ascii", "replace").partition("#")[0].split()
        if not line:
            break
        if words:
            head[words[0].upper()] = words[1:]
            if words[0].upper() == "DATA":
                break
    return head


def _of_lines(file: IO[bytes], count: int, x: int, y: int) -> Cloud:
    step = max(math.ceil(count / _SHOWN), 1)
    number, place = [], []
    for at, line in enumerate(islice(file, 0, count, step)):
        words = line.split(None, max(x, y) + 1)
        if len(words) > max(x, y):
            try:
                place.append((float(words[x]), float(words[y])))
            except ValueError:
                raise ValueError(f"point {at * step + 1} is no numbers") from None
            number.append(at * step)
    if not place:
        raise ValueError("it has no points")
    return _finite(count, np.array(number), np.array(place))


def _finite(count: int, number: np.ndarray, place: np.ndarray) -> Cloud:
    good = (np.abs(place) < _FAR).all(axis=1)  # not those that are no number either
    return Cloud(count, number[good], place[good])


def from_above(cloud: Cloud | None, labels: Sequence[Label]) -> Markup:
    """Return points and labels as seen from above: x to the right, y upwards.

    :param cloud: the points, or ``None`` where they cannot be read.
    :param labels: cuboids, and segments: lists of the numbers of points.
    """
    boxes = [(annotation, _footprint(points)) for annotation, points in labels if annotation["type"] == "cuboid"]
    boxes = [(annotation, corners) for annotation, corners in boxes if np.isfinite(corners).all()]
    all_places = [corners.reshape(-1, 2) for _, corners in boxes]
    if cloud is not None and len(cloud.place):
        # A few points far away would make all the others a spot.
        all_places.append(np.percentile(cloud.place, (1, 99), axis=0))
    places = np.concatenate(all_places) if all_places else np.zeros((1, 2))
    low, high = places.min(axis=0), places.max(axis=0)
    margin = max(float((high - low).max()) * 0.05, 0.5)
    left, top = float(low[0]) - margin, -float(high[1]) - margin
    width, height = (float(each) + 2 * margin for each in high - low)
    drawn = [] if cloud is None else _dots(cloud, labels)
    for annotation, corners in boxes:
        front = (corners[1] + corners[2]) / 2
        middle = corners.mean(axis=0)
        nose = f"M{middle[0]:g} {-middle[1]:g}L{front[0]:g} {-front[1]:g}"
        outline = ring([float(f"{each:g}") for x, y in corners for each in (x, -y)])
        name = str(annotation.get("title") or annotation["value"])
        pieces = [tag("title", name), tag("path", d=f"{outline}Z", fill_opacity="0.2"), tag("path", d=nose)]
        if len(boxes) <= MOST_NAMES:
            right, top_edge = corners[:, 0].max(), -corners[:, 1].max()
            pieces.append(tag("text", shortened(name, NAME), x=f"{right:g}", y=f"{top_edge:g}",
                              font_size=f"{max(width, height) / 50:g}", fill="#fff"))  # fmt: skip
        drawn.append(tag("g", pieces, stroke=colour_of(annotation), fill=colour_of(annotation)))
    told = f"Seen from above, {width:.4g} by {height:.4g}: {many(len(labels), 'label')}, listed below"
    return tag("svg", drawn, viewBox=f"{left:g} {top:g} {width:g} {height:g}", class_="above", role="img",
               aria_label=told)  # fmt: skip


def _footprint(points: Sequence[float]) -> np.ndarray:
    """Return the corners of a cuboid from above, of which the second and third are in front."""
    x, y, _, _, _, turn, length, width, _ = points
    half = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (length / 2, width / 2)
    c, s = math.cos(turn), math.sin(turn)
    return np.asarray(half @ np.array([(c, s), (-s, c)]) + (x, y))


def _dots(cloud: Cloud, labels: Sequence[Label]) -> list[Markup]:
    """Return the points, those of each segment in its colour."""
    owner = np.full(cloud.count, -1)
    segments = [(annotation, points) for annotation, points in labels if annotation["type"] == "segmentation"]
    for at, (_, points) in enumerate(segments):
        members = np.array(points, dtype=float)
        members = members[(members >= 0) & (members < cloud.count)].astype(int)
        owner[members] = at
    chosen = owner[cloud.number]
    drawn = []
    for at in np.unique(chosen):
        path = "".join(f"M{x:.6g} {-y:.6g}h0" for x, y in cloud.place[chosen == at])
        label: Mapping[str, Any] | None = segments[at][0] if at >= 0 else None
        name = tag("title", label.get("title") or label["value"]) if label else text()
        drawn.append(tag("path", name, d=path, stroke=colour_of(label) if label else None,
                         class_="points" if label is None else "points taken"))  # fmt: skip
    return drawn
