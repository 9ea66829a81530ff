"""Pictures become thumbnails, the worst of them one sheet, and pictures that look alike are found.

Whatever is wrong with a picture, the report is made without it: it is drawn as outlines then, and counted.
"""

from __future__ import annotations

import base64
import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.picture_file import open_picture
from airflow_provider_fastlabel.pipelines.reports.page_file import MADE_BY
from airflow_provider_fastlabel.pipelines.reports.samples import rank_of
from airflow_provider_fastlabel.pipelines.reports.words import TITLES
from airflow_provider_fastlabel.pipelines.reports.worst import KINDS, Finding
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    from airflow_provider_fastlabel.pipelines.reports.spool import Record, Spool
    from airflow_provider_fastlabel.pipelines.reports.worst import Worst

    Source = Callable[[Record], "Path | bytes | None"]
    View = Sequence[float]
    Wanted = tuple[Record, int, View | None]

LARGE, SMALL = 360, 200
"""Longest side of a thumbnail in pixels: of a suspicious picture, and of one that stands for a bar."""
COMPARED = 2_000
"""Pictures that are compared with one another: all, or those of the lowest ranks."""
PALETTE = ("#ff5a5f", "#2ec4ff", "#ffd23f", "#5ee07a", "#c77dff", "#ff9f1c", "#4df0d0", "#ff77c8")
"""Colours of classes that have none."""
_QUALITY = 52
_ALIKE_BITS = 4
_MOST_PIXELS = 120_000_000
_MOST_CROPPED = 40_000_000
_LEAST_STEPS = 6
_ORIENTATION = 0x0112
# Airflow shows a picture in the text of an approval 300 pixels wide: two columns, and large words, can be read there.
_TILES, _COLUMNS, _TILE, _CAPTION, _GAP = 12, 2, (360, 270), 32, 8
_DARK, _EMPTY, _LIGHT = "#16181d", "#2b3038", "#e8eaed"


@dataclass
class Seen:
    """What became of the pictures.

    :param wanted: how many were asked for.
    :param missing: of how many there is no file.
    :param damaged: how many could not be read.
    :param compared: how many were compared with one another.
    :param faults: what is wrong with those.
    """

    wanted: int = 0
    missing: int = 0
    damaged: int = 0
    compared: int = 0
    faults: list[str] = field(default_factory=list)


def thumbnails(records: Iterable[Wanted], source: Source, room: int, seen: Seen) -> Iterator[str]:
    """Make thumbnails as addresses of data, until there is no room for more.

    :param records: pictures; the longest side that each shall have; and the part of it that is meant, as left, top,
        width and height in pixels of its labels, or ``None`` for all of it.
    :param source: says where a picture is: a path, its bytes, or ``None``.
    :param room: characters that all may take.
    :param seen: takes the counts.
    :returns: an address for each picture, empty where there is none.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="fastlabel-thumbnail") as pool:
        left = room
        waiting = [pool.submit(_thumbnail, record, side, source, view) for record, side, view in records]
        for future in waiting:
            if left <= 0:
                future.cancel()
                yield ""
                continue
            data, fault = future.result()
            seen.wanted += 1
            seen.missing += fault == "missing"
            if fault not in ("", "missing"):
                seen.damaged += 1
                seen.faults.append(fault)
            left -= len(data)
            yield data if left >= 0 else ""


def _thumbnail(record: Record, side: int, source: Source, view: View | None) -> tuple[str, str]:
    """Return a thumbnail as an address of data, and what is wrong."""
    try:
        picture = _opened(record, source, side, view)
        if picture is None:
            return "", "missing"
        file = io.BytesIO()
        picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=2)
    except Exception as error:  # whatever a damaged picture makes a decoder raise
        return "", f"{record.name}: {error}"
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}", ""


def _opened(record: Record, source: Source, side: int, view: View | None = None) -> Image | None:
    """Return a picture, or a part of it, made small and turned as its labels are."""
    from PIL import ImageOps

    place = source(record)
    if place is None:
        return None
    with io.BytesIO(place) if isinstance(place, bytes) else open_regular(place) as file, open_picture(file) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError(f"it has {picture.width} x {picture.height} pixels, too many for a thumbnail")
        turn = picture.getexif().get(_ORIENTATION, 1)
        stated = (round(record.width), round(record.height))
        if turn in (5, 6, 7, 8) and stated == picture.size != picture.size[::-1]:
            turn = 1  # the labels were drawn on the picture as it is stored
        if view is not None:
            return _part(picture, turn, record.width, side, view)
        picture.draft("RGB", (side, side))
        small = _eight_bits(picture) if picture.mode.startswith("I") else picture.convert("RGB")
        small.thumbnail((side, side))
        return ImageOps.exif_transpose(small) if turn != 1 else small


def _part(picture: Image, turn: int, stated: float, side: int, view: View) -> Image:
    """Return a part of a picture; what lies outside of it is black."""
    from PIL import ImageOps

    across = picture.height if turn in (5, 6, 7, 8) else picture.width
    drawn = stated or across  # pixels from left to right of which the labels know
    least = min(side * drawn / (view[2] * across), 1)
    picture.draft("RGB", (math.ceil(picture.width * least), math.ceil(picture.height * least)))
    if picture.width * picture.height > _MOST_CROPPED:
        raise ValueError(f"it has {picture.width} x {picture.height} pixels, too many to show a part of it")
    whole = _eight_bits(picture) if picture.mode.startswith("I") else picture.convert("RGB")
    if turn != 1:
        whole = ImageOps.exif_transpose(whole)
    left, top, width, height = (number * whole.width / drawn for number in view)
    if max(width, 1) * max(height, 1) > _MOST_CROPPED:  # an object that lies far outside of the picture
        raise ValueError(f"the part in question has {width:.0f} x {height:.0f} pixels, too many to show it")
    part = whole.crop((round(left), round(top), round(left + max(width, 1)), round(top + max(height, 1))))
    part.thumbnail((side, side))
    return part


def _eight_bits(picture: Image) -> Image:
    """Return a picture of 16 bits a channel as one of 8, from its darkest to its lightest."""
    from PIL import Image

    values = np.asarray(picture, np.float32)
    low, high = float(values.min()), float(values.max())
    return Image.fromarray(((values - low) * (255 / max(high - low, 1))).astype(np.uint8)).convert("RGB")


def look_alike(spool: Spool, chosen: list[int], source: Source, worst: Worst, seen: Seen) -> None:
    """Find pictures that are the same or almost, by whether each of 64 places is darker than the one beside it.

    :param spool: the records.
    :param chosen: numbers of the pictures to compare.
    :param source: says where a picture is.
    :param worst: takes the suspicions: of each pair the later picture, with the earlier one as ``second`` and, as
        ``value``, 1 where their labels differ in number.
    :param seen: takes how many were compared.
    """
    records = [spool.get(number) for number in chosen]
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="fastlabel-alike") as pool:
        prints = list(pool.map(lambda record: _print(record, source), records))
    known = [at for at, bits in enumerate(prints) if bits is not None]
    seen.compared = len(known)
    if len(known) < 2:
        return
    signs = np.array([prints[at] for at in known], np.float32) * 2 - 1
    apart = (signs.shape[1] - signs @ signs.T) / 2
    for row, at in enumerate(known[1:], 1):
        nearest = int(apart[row, :row].argmin())
        if apart[row, nearest] <= _ALIKE_BITS:
            mine, other = records[at], known[nearest]
            differs = mine.total != records[other].total
            score = 100 * differs - float(apart[row, nearest])
            worst.add("alike", Finding(score, -rank_of(mine.name), chosen[at], -1, chosen[other], float(differs)))


def _print(record: Record, source: Source) -> NDArray[np.bool_] | None:
    """Return the 64 bits of a picture; ``None`` if it cannot be read or has nothing to be known by."""
    try:
        picture = _opened(record, source, 32)
    except Exception:  # it is counted where its thumbnail is made
        return None
    if picture is None:
        return None
    steps = np.diff(np.asarray(picture.convert("L").resize((9, 8)), np.int16), axis=1).ravel()
    return None if (np.abs(steps) > 2).sum() < _LEAST_STEPS else steps > 0


def contact_sheet(pictures: Sequence[Mapping[str, Any]], colours: Mapping[int, str]) -> bytes:
    """Draw the first pictures of a page, with their objects and their first suspicion, as one JPEG.

    It shows no text that strangers wrote: in a picture it could not be told from ours.

    :param pictures: as the page has them, see :meth:`.Shown.picture`, with their thumbnails.
    :param colours: of classes by their numbers, empty for none.
    :returns: the file; that of no picture is a blank one.
    """
    from PIL import Image

    shown = pictures[:_TILES]
    rows = max(-(-len(shown) // _COLUMNS), 1)
    columns = min(max(len(shown), 1), _COLUMNS)
    wide, high = _TILE[0] + _GAP, _TILE[1] + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * wide + _GAP, rows * high + _GAP), _DARK)
    for at, picture in enumerate(shown):
        sheet.paste(_tile(picture, colours), (_GAP + at % _COLUMNS * wide, _GAP + at // _COLUMNS * high))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=85, comment=MADE_BY)
    return file.getvalue()


def _tile(picture: Mapping[str, Any], colours: Mapping[int, str]) -> Image:
    """Draw one picture of a contact sheet: those of its objects that are suspicious, or all, and what it is."""
    from PIL import Image, ImageDraw, ImageFont

    tile = Image.new("RGB", (_TILE[0], _TILE[1] + _CAPTION), _DARK)
    width, height = (max(side, 1) for side in picture["z"])
    scale = min(_TILE[0] / width, _TILE[1] / height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    inside = Image.new("RGB", size, _EMPTY)
    if thumbnail := picture.get("t"):
        with Image.open(io.BytesIO(base64.b64decode(thumbnail.partition(",")[2]))) as photograph:
            inside.paste(photograph.convert("RGB").resize(size))
    pen = ImageDraw.Draw(inside)
    kind, first, second = [*picture.get("f", [[-1, -1, -1]])[0]][:3]
    meant = {first, second} - {-1}
    for at, (number, *box) in enumerate(picture.get("o", ())):
        if not meant or at in meant:
            _outline(pen, box, size, colours.get(number) or PALETTE[number % len(PALETTE)])
    tile.paste(inside, ((_TILE[0] - size[0]) // 2, (_TILE[1] - size[1]) // 2))
    if kind >= 0:
        words = TITLES[KINDS[kind]]
        ImageDraw.Draw(tile).text((2, _TILE[1] + 2), words, fill=_LIGHT, font=ImageFont.load_default(22))
    return tile


def _outline(pen: ImageDraw, box: Sequence[int], size: tuple[int, int], colour: str) -> None:
    """Draw an object: its outline where there is one, else its box; given in thousandths of the picture."""
    left, top, wide, high, _, _, *ring = box
    flat = ring or [left, top, left + wide, top, left + wide, top + high, left, top + high]
    corners = [(x * size[0] / 1000, y * size[1] / 1000) for x, y in zip(flat[::2], flat[1::2], strict=True)]
    for colour_of_line, thickness in (("black", 7), (colour, 4)):
        pen.line([*corners, corners[0]], fill=colour_of_line, width=thickness, joint="curve")
