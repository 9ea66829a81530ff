"""Merges tasks that were registered from the parts of a split image, video or audio file."""

from __future__ import annotations

import re
import sqlite3
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import not_found
from airflow_provider_fastlabel.emulator.world.polygons import join as join_polygons
from airflow_provider_fastlabel.emulator.world.state import Emu, Emulation, OrjsonRoute, answer

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["merge"])

_GRID = 3
_TOUCH = 1.0
_PART = re.compile(r"([0-9]{1,9})(\.[^./]+)$")


@dataclass(slots=True)
class Part:
    """One part of a split file.

    :param number: from 1.
    :param extension: with its dot.
    :param media: description of its file.
    :param annotations: its annotations, without ids.
    """

    number: int
    extension: str
    media: dict[str, Any]
    annotations: list[dict[str, Any]]


def parts_of(emu: Emulation, kind: str, query: schemas.PrefixQuery) -> list[Part]:
    """Return the parts named ``<prefix>/<number>.<extension>`` in order of their numbers.

    :raises ApiError: 404 when there is none.
    """
    project = emu.project(query.project)
    start = f"{query.prefix}/"
    sql = "SELECT name, media, annotations FROM tasks WHERE project_id=? AND kind=? AND substr(name,1,?)=?"
    parts = [_part(row, len(start)) for row in emu.store.rows(sql, project.id, kind, len(start), start)]
    found = sorted((part for part in parts if part is not None), key=lambda part: part.number)
    if not found:
        raise not_found("split task with prefix", query.prefix)
    return found


def _part(row: sqlite3.Row, skip: int) -> Part | None:
    match = _PART.fullmatch(row["name"][skip:])
    if match is None:
        return None
    annotations = orjson.loads(row["annotations"])
    for item in annotations:
        item.pop("id", None)
    return Part(int(match[1]), match[2], orjson.loads(row["media"]), annotations)


def _merged(query: schemas.PrefixQuery, parts: Sequence[Part], annotations: list[dict[str, Any]]) -> Response:
    return answer({"name": query.prefix + parts[0].extension, "annotations": annotations})


@router.get("/tasks/integrate/images")
async def find_integrated_image_task_by_prefix(emu: Emu, query: Annotated[schemas.PrefixQuery, Query()]) -> Response:
    """Merge the nine tiles of a split image."""
    parts = [part for part in parts_of(emu, "image", query) if 1 <= part.number <= _GRID * _GRID]
    if not parts:
        raise not_found("split task with prefix", query.prefix)
    return _merged(query, parts, merge_tiles(parts, emu.settings.merge_overlap))


@router.get("/tasks/integrate/videos")
async def find_integrated_video_task_by_prefix(emu: Emu, query: Annotated[schemas.PrefixQuery, Query()]) -> Response:
    """Merge the parts of a split video."""
    parts = parts_of(emu, "video", query)
    return _merged(query, parts, merge_clips(parts))


@router.get("/tasks/integrate/audios")
async def find_integrated_audio_task_by_prefix(emu: Emu, query: Annotated[schemas.PrefixQuery, Query()]) -> Response:
    """Merge the parts of a split audio file."""
    parts = parts_of(emu, "audio", query)
    lengths = [audio_length(emu.files.path(part.media.get("sha256", "")), part) for part in parts]
    return _merged(query, parts, merge_sounds(parts, lengths))


# Images


def merge_tiles(parts: Sequence[Part], overlap: int) -> list[dict[str, Any]]:
    """Return the boxes and polygons of a 3x3 split in the coordinates of the whole image.

    :param parts: tiles, numbered row by row from 1; what has another number is no tile.
    :param overlap: pixels by which neighbouring tiles overlap.
    """
    columns = [0.0] * _GRID
    rows = [0.0] * _GRID
    parts = [part for part in parts if 1 <= part.number <= _GRID**2]
    for part in parts:
        row, column = divmod(part.number - 1, _GRID)
        columns[column] = max(columns[column], part.media.get("width", 0))
        rows[row] = max(rows[row], part.media.get("height", 0))
    placed: list[dict[str, Any]] = []
    for part in parts:
        row, column = divmod(part.number - 1, _GRID)
        left, top = sum(columns[:column]) - column * overlap, sum(rows[:row]) - row * overlap
        size = (columns[column], rows[row])
        for item in part.annotations:
            if item["type"] in ("bbox", "polygon"):
                seam = _on_seam(item["points"], row, column, size)
                placed.append({**item, "points": _moved(item["points"], left, top), "seam": seam, "tile": part.number})
    joined = _join(placed)
    return [{key: value for key, value in item.items() if key not in ("seam", "tile")} for item in joined]


def _moved(points: Sequence[float], left: float, top: float) -> list[float]:
    return [_plain(value + (top if index % 2 else left)) for index, value in enumerate(points)]


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _on_seam(points: Sequence[float], row: int, column: int, size: tuple[float, float]) -> bool:
    """Whether a shape touches an edge of its tile behind which another tile lies."""
    xs, ys = points[::2], points[1::2]
    return (
        (column > 0 and min(xs) <= _TOUCH)
        or (column < _GRID - 1 and max(xs) >= size[0] - _TOUCH)
        or (row > 0 and min(ys) <= _TOUCH)
        or (row < _GRID - 1 and max(ys) >= size[1] - _TOUCH)
    )


def _join(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join pairs until no two shapes of one class meet at a seam any more."""
    done: list[dict[str, Any]] = []
    waiting = list(items)
    while waiting:
        item = waiting.pop(0)
        partner = next((index for index, other in enumerate(waiting) if _union(item, other) is not None), None)
        if partner is None:
            done.append(item)
        else:
            other = waiting.pop(partner)
            waiting.insert(0, {**item, "points": _union(item, other), "tile": 0})
    return done


def _union(one: dict[str, Any], two: dict[str, Any]) -> list[float] | None:
    same = (
        one["value"] == two["value"] and one["type"] == two["type"] and (one["tile"] != two["tile"] or not one["tile"])
    )
    if not same or not one["seam"] or not two["seam"]:
        return None
    if one["type"] == "polygon":
        return join_polygons(one["points"], two["points"], _TOUCH)
    if one["rotation"] or two["rotation"]:
        return None
    a, b = _corners(one["points"]), _corners(two["points"])
    apart = any(a[axis] > b[axis + 2] + _TOUCH or b[axis] > a[axis + 2] + _TOUCH for axis in (0, 1))
    return None if apart else [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]


def _corners(points: Sequence[float]) -> tuple[float, float, float, float]:
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


# Videos and audios


def merge_clips(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return frame-keyed annotations of consecutive clips as those of one clip."""
    merged: list[dict[str, Any]] = []
    offset = 0
    for part in parts:
        open_ends = [item for item in merged if str(offset) in item["points"]]
        for item in part.annotations:
            points = {str(int(key) + offset): value for key, value in item["points"].items()}
            first = str(offset + 1)
            before = next((old for old in open_ends if first in points and _same(old, item)), None)
            if before is None:
                merged.append({**item, "points": points})
            else:
                before["points"] |= points
                open_ends.remove(before)
        offset += int(part.media.get("frameCount", 0))
    return merged


def merge_sounds(parts: Sequence[Part], lengths: Sequence[float]) -> list[dict[str, Any]]:
    """Return segments of consecutive audio parts as those of one file.

    :param parts: parts in order.
    :param lengths: their lengths in seconds.
    """
    merged: list[dict[str, Any]] = []
    offset = 0.0
    for part, length in zip(parts, lengths, strict=True):
        for item in part.annotations:
            start, end = round(item["start"] + offset, 6), round(item["end"] + offset, 6)
            before = next(
                (old for old in merged if item["start"] == 0 and old["end"] == start and _same(old, item)), None
            )
            if before is None or not offset:
                merged.append({**item, "start": _plain(start), "end": _plain(end)})
            else:
                before["end"] = _plain(end)
        offset = round(offset + length, 6)
    return merged


def _same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return bool(one["value"] == two["value"] and one["type"] == two["type"])


def audio_length(path: Path, part: Part) -> float:
    """Return the seconds of a part: of the file when it is WAV, else up to the end of its last annotation."""
    try:
        with wave.open(str(path)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, OSError, ZeroDivisionError):
        return max((float(item["end"]) for item in part.annotations), default=0.0)
