"""The outlines of a few objects of a data set, which its columns of numbers do not hold: they are read once more.

Of a COCO file only the parts are read that hold them, a few megabytes each. Of other formats none is read: there an
object is shown by its box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.coco.objects import CONVERTERS, Category
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError, shape_of
from airflow_provider_fastlabel.formats.reading.imported import UnusableError
from airflow_provider_fastlabel.pipelines.files.buckets import store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_fastlabel.pipelines.checks.labels import Labels
    from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset

CORNERS = 40
"""Corners of an outline that are kept."""


def outlines_of(published: PublishedDataset, labels: Labels, rows: Iterable[int]) -> dict[int, list[float]]:
    """Return the outlines of some objects: of each the ring of most corners.

    :param published: the data set.
    :param labels: its objects.
    :param rows: which of them; what is below 0 is none.
    :returns: row -> flat coordinates in pixels, without upright boxes, poses and what has no outline.
    :raises UnusableJsonError: the file is not what it was.
    :raises OSError: it cannot be read.
    """
    from airflow_provider_fastlabel.formats.coco.columns import read_entries

    wanted = [row for row in rows if row >= 0 and labels.outlines[row]]
    if labels.entries is None or not wanted:
        return {}
    place = published.place / labels.entries.file

    def read(start: int, stop: int | None) -> bytes:
        if (path := local_path(place)) is None:
            with store_read(place):
                return bytes(place.fs.cat_file(place.path, start=start, end=stop))
        with open_regular(path) as file:
            file.seek(start)
            return file.read(-1 if stop is None else stop - start)

    at = {row: int(labels.entries.at[row]) for row in wanted}
    entries = read_entries(read, labels.entries.parts, at.values())
    rings = {row: _ring(entries.get(position)) for row, position in at.items()}
    return {row: ring for row, ring in rings.items() if ring}


def _ring(entry: Any) -> list[float]:
    """Return the outline of an entry; nothing if it has none."""
    try:
        shape = shape_of(CONVERTERS[None](entry, Category("", []))[0]) if isinstance(entry, dict) else ""
    except (UnusableError, GeometryError):  # what cannot be told so is shown by its box
        return []
    if isinstance(shape, str) or not (shape.kind in ("polygon", "segmentation") or shape.rotation):
        return []
    outer = max((region[0] for region in shape.regions), key=len)
    step = 2 * -(-len(outer) // (2 * CORNERS))
    return [round(number, 1) for pair in zip(outer[::step], outer[1::step], strict=True) for number in pair]
