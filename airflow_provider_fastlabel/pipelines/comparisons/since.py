"""What has changed since the version before, as the page shows it: numbers, and objects with their two outlines.

The two versions are compared before the tasks are read, and only the choice that the page shows is kept: the columns of
a comparison and the counts of a report are never in memory together.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.writing.naming import safe_name, split_extension
from airflow_provider_fastlabel.json_text import UnusableJsonError
from airflow_provider_fastlabel.pipelines.comparisons.outlines import outlines_of
from airflow_provider_fastlabel.pipelines.comparisons.result import OBJECT_COUNTS, WORDS
from airflow_provider_fastlabel.pipelines.comparisons.run import EarlierVersionError, compare_published, published_at
from airflow_provider_fastlabel.pipelines.comparisons.sample import CLASSES, changes_of
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError
from airflow_provider_fastlabel.pipelines.exports.places.pointer import version_before, version_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.pipelines.comparisons.result import Comparison
    from airflow_provider_fastlabel.pipelines.comparisons.run import Compared
    from airflow_provider_fastlabel.pipelines.comparisons.sample import Change
    from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset

log: logging.Logger = logging.getLogger(__name__)

NONE = "There is no earlier version to compare with."
_PICTURES = ("added", "removed", "changed", "relabelled")
_MOST_TOLD = 700_000
"""Bytes that the objects may take in the page, without their crops."""
_AROUND, _LEAST = 1.8, 1 / 6
"""A crop is so many times as wide as what is in it, and such a part of the picture at least."""
_SHAPE = 4 / 3


@dataclass(frozen=True)
class Since:
    """What has changed since a version.

    :param title: what that version is called.
    :param note: why nothing was compared; empty if something was.
    :param comparison: the numbers.
    :param changes: the objects that are shown, the most suspicious first.
    :param suspicious: how many of them are shown for their own sake.
    :param rings: their outlines before, and after, by their rows; of those that have one.
    """

    title: str
    note: str = ""
    comparison: Comparison | None = None
    changes: list[Change] = field(default_factory=list)
    suspicious: int = 0
    rings: tuple[Mapping[int, list[float]], Mapping[int, list[float]]] = ({}, {})

    def names(self) -> list[str]:
        """Return the names of the pictures that the page should hold, those that more depends on first."""
        names = [] if self.comparison is None else [n for what in _PICTURES for n in self.comparison.examples[what]]
        return list(dict.fromkeys((*names, *(each.picture for each in self.changes))))

    def shown(self, numbers: Mapping[str, int], sizes: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        """Return the section as the page gets it, see ``page/changes.js``.

        :param numbers: by the name of a picture, its place among the pictures of the page.
        :param sizes: by the name of a picture, its width and height in pixels, as far as they are known.
        """
        found = self.comparison
        if found is None:
            return {"title": self.title, "note": self.note}
        classes = [
            [foreign_text(one.value, 100), one.before, one.after, [one.counts[name] for name in OBJECT_COUNTS]]
            for one in found.classes[:CLASSES]
        ]
        return {
            "title": self.title,
            "sides": [[one.pictures, one.objects] for one in (found.before, found.after)],
            "unread": found.before.unread + found.after.unread,
            "fine": found.fine,
            "words": list(WORDS.values()),
            "pictures": [self._picture_row(found, what, numbers) for what in _PICTURES],
            "objects": [found.objects[name] for name in OBJECT_COUNTS],
            "classes": classes,
            "more_classes": len(found.classes) - len(classes),
            "swaps": [
                [foreign_text(one, 100), foreign_text(other, 100), count]
                for one, other, count in found.reclassed[:CLASSES]
            ],
            "suspicious": self.suspicious,
            "changes": list(self._bounded(numbers, sizes)),
        }

    @staticmethod
    def _picture_row(found: Comparison, what: str, numbers: Mapping[str, int]) -> list[Any]:
        """Return a kind, its count, and of some pictures the places in the page; of others the names."""
        held = {name: numbers.get(name, -1) for name in found.examples[what]}
        places = [place for place in held.values() if place >= 0]
        return [what, found.pictures[what], places, [foreign_text(name, 200) for name, at in held.items() if at < 0]]

    def _bounded(
        self, numbers: Mapping[str, int], sizes: Mapping[str, tuple[float, float]]
    ) -> Iterator[dict[str, Any]]:
        room = _MOST_TOLD
        for each in self.changes:
            told = {
                "n": foreign_text(each.picture, 200),
                "p": numbers.get(each.picture, -1),
                "w": [OBJECT_COUNTS.index(name) for name in each.what],
                "c": [None if value is None else foreign_text(value, 100) for value in each.classes],
                "v": view_of(each, sizes.get(each.picture)),
                "r": [
                    None if box is None else rings.get(row) or _ring(box)
                    for box, row, rings in zip(each.boxes, each.rows, self.rings, strict=True)
                ],
            }
            room -= len(json.dumps(told))
            if room < 0:
                return
            yield told


def key_of(name: str) -> str:
    """Return by what a picture of a data set and its task know each other: the name without what the file adds.

    :param name: of either.
    """
    return split_extension(safe_name(name))[0]


def number_of(name: str, noted: Mapping[str, Mapping[str, int]]) -> int | None:
    """Return the number of a picture of a data set among those of the tasks; ``None`` if none can be told.

    :param name: of the picture. A task of the same name is its own, else the only one that differs in the ending.
    :param noted: as :attr:`.Measures.noted` has them.
    """
    alike = noted.get(key_of(name), {})
    if len(alike) == 1:
        return next(iter(alike.values()))
    return alike.get(safe_name(name))


def view_of(change: Change, size: tuple[float, float] | None) -> list[float]:
    """Return the part of a picture that shows an object before and after: left, top, width and height, in pixels.

    :param change: the object.
    :param size: of the picture; ``None`` if it is not known.
    """
    boxes = [box for box in change.boxes if box is not None]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    width = max((right - left) * _AROUND, (bottom - top) * _AROUND * _SHAPE, 32)
    if size is not None:
        width = max(width, size[0] * _LEAST)
    height = width / _SHAPE
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    if size is not None:
        x, width = _within(x, width, size[0])
        y, height = _within(y, height, size[1])
    return [round(number, 1) for number in (x, y, width, height)]


def _within(start: float, length: float, whole: float) -> tuple[float, float]:
    """Return start and length of a part that lies within the whole."""
    return (0, whole) if length >= whole else (min(max(start, 0), whole - length), length)


def _ring(box: Iterable[float]) -> list[float]:
    left, top, right, bottom = (round(number, 1) for number in box)
    return [left, top, right, top, right, bottom, left, bottom]


def changes_since(dataset: PublishedDataset, before: Any) -> Since:
    """Compare a data set with the version before.

    :param dataset: the data set.
    :param before: folder of the earlier version; ``None`` for the one before at the same place, if it keeps versions.
    :returns: what has changed; a note if there is no earlier version, or, where none was asked for, if such a data set
        cannot be read back or the earlier version is damaged.
    :raises EarlierVersionError: the earlier version is damaged, and ``before`` was given.
    :raises FastLabelInvalidException: from one of the two no objects can be read back, and ``before`` was given.
    :raises DamagedDatasetError: a file of the data set is not as its format wants it.
    :raises OSError: a data set cannot be read.
    """
    # The one before the version that was read: the place may have a newer one by now.
    place = version_before(dataset.place) if before is None else before
    title = "the last version" if place is None else _title(place)
    try:
        earlier = None if place is None else _earlier_at(place)
        if earlier is None:
            if before is not None:
                log.info("%s holds no data set, so the report does not say what has changed", foreign_text(before))
            return Since("the last version", NONE)
        title = _title(earlier.place)
        log.info("Comparing the data set with %s", title)
        return _since(title, compare_published(earlier, dataset))
    except EarlierVersionError as error:
        if before is not None:
            raise
        log.warning("The version before is damaged, so the report does not say what has changed: %s", error)
        return Since(title, "That version is damaged, so the two were not compared; the log of the task says how.")
    except FastLabelInvalidException as error:
        if before is not None or isinstance(error, DamagedFileError):
            raise
        log.info("The report does not say what has changed: %s", error)
        return Since(title, "Labels of this format cannot be read back, so the two versions were not compared.")


def _earlier_at(place: Any) -> PublishedDataset | None:
    """Return the data set of a folder, if there is one."""
    try:
        return published_at(place)
    except DamagedFileError as error:
        raise EarlierVersionError(str(error)) from error


def _title(place: Any) -> str:
    """Return what the data set of a folder is called."""
    begun = version_time(place)
    return foreign_text(place.name, 80) if begun is None else f"the version of {begun:%Y-%m-%d %H:%M} UTC"


def _since(title: str, found: Compared) -> Since:
    """Choose what the page shows of a comparison."""
    changes, suspicious = changes_of(found)
    rings = [_rings(found, side, [each.rows[side] for each in changes[:suspicious]]) for side in (0, 1)]
    return Since(title, "", found.comparison, changes, suspicious, (rings[0], rings[1]))


def _rings(found: Compared, side: int, rows: list[int]) -> dict[int, list[float]]:
    """Return outlines of objects of one version; none if that has gone since it was compared, or is another now."""
    published = found.published[side]
    try:
        return outlines_of(published, found.labels[side], rows)
    except (FileNotFoundError, UnusableJsonError) as error:
        log.warning(
            "%s has changed since it was read (%s), so the report shows its objects by their boxes, without outlines",
            foreign_text(published.place),
            foreign_text(error),
        )
        return {}
