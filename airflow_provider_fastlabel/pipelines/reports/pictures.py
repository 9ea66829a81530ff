"""Pictures become thumbnails, and pictures that look alike are found.

Whatever is wrong with a picture, the report is made without it: it is drawn as outlines then, and counted.
"""

from __future__ import annotations

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from airflow_provider_fastlabel.formats.picture_file import open_picture
from airflow_provider_fastlabel.pipelines.reports.samples import rank_of
from airflow_provider_fastlabel.pipelines.reports.worst import Finding
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    from airflow_provider_fastlabel.pipelines.reports.spool import Record, Spool
    from airflow_provider_fastlabel.pipelines.reports.worst import Worst

    Source = Callable[[Record], "Path | bytes | None"]

LARGE, SMALL = 360, 200
"""Longest side of a thumbnail in pixels: of a suspicious picture, and of one that stands for a bar."""
COMPARED = 2_000
"""Pictures that are compared with one another: all, or those of the lowest ranks."""
_QUALITY = 52
_ALIKE_BITS = 4
_MOST_PIXELS = 120_000_000
_LEAST_STEPS = 6
_ORIENTATION = 0x0112


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


def thumbnails(records: Iterable[tuple[Record, int]], source: Source, room: int, seen: Seen) -> Iterator[str]:
    """Make thumbnails as addresses of data, until there is no room for more.

    :param records: pictures, and the longest side that each shall have.
    :param source: says where a picture is: a path, its bytes, or ``None``.
    :param room: characters that all may take.
    :param seen: takes the counts.
    :returns: an address for each picture, empty where there is none.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="fastlabel-thumbnail") as pool:
        left = room
        waiting = [pool.submit(_thumbnail, record, side, source) for record, side in records]
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


def _thumbnail(record: Record, side: int, source: Source) -> tuple[str, str]:
    """Return a thumbnail as an address of data, and what is wrong."""
    try:
        picture = _opened(record, source, side)
        if picture is None:
            return "", "missing"
        file = io.BytesIO()
        picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=2)
    except Exception as error:  # whatever a damaged picture makes a decoder raise
        return "", f"{record.name}: {error}"
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}", ""


def _opened(record: Record, source: Source, side: int) -> Image | None:
    """Return a picture made small, turned as its labels are."""
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
        picture.draft("RGB", (side, side))
        small = _eight_bits(picture) if picture.mode.startswith("I") else picture.convert("RGB")
        small.thumbnail((side, side))
        return ImageOps.exif_transpose(small) if turn != 1 else small


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
