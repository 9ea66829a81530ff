"""A picture as the page gets it: short lists of whole numbers, and its suspicions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.reports.measures import step_of
from airflow_provider_fastlabel.pipelines.reports.table import CLASSES, place_cells, size_cells
from airflow_provider_fastlabel.pipelines.reports.words import said
from airflow_provider_fastlabel.pipelines.reports.worst import KINDS

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.reports.measures import Measures
    from airflow_provider_fastlabel.pipelines.reports.spool import Drawn, Record

SCALE = 1000
"""Boxes are given in thousandths of the picture."""
_FAR = 5 * SCALE


class Shown:
    """Makes pictures of a page, and the lists that their numbers point into.

    :param measures: what was counted.
    """

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self.classes: list[str] = [foreign_text(each.value, 200) for each in measures.stage.classes]
        self.texts: dict[str, int] = {}
        self._findings: dict[int, list[tuple[str, Any]]] = {}
        for kind in KINDS:
            for finding in measures.worst.of(kind):
                self._findings.setdefault(finding.picture, []).append((kind, finding))

    def picture(self, number: int, record: Record) -> dict[str, Any]:
        """Return a picture as the page gets it.

        :param number: of the picture.
        :param record: what is known of it.
        :returns: see ``page/report.js``; without what is empty.
        """
        width = record.width or max((each.box[2] for each in record.objects), default=1) or 1
        height = record.height or max((each.box[3] for each in record.objects), default=1) or 1
        findings = [
            [KINDS.index(kind), one.first, one.second if one.first >= 0 else -1, self._said(kind, one, record)]
            for kind, one in self._findings.get(number, ())
        ]
        made = {
            "n": foreign_text(record.name),
            "i": foreign_text(record.task_id, 80),
            "z": [round(width), round(height)],
            "s": self.text(record.status),
            "p": self.text(record.split) if record.split else None,
            "w": self.text(record.person) if record.person else None,
            "c": record.total,
            "k": step_of(record.total),
            "o": self._objects(record, width, height),
            "a": record.attributes,
            "r": [self.text(reason) for reason in record.reasons],
            "f": findings,
            "b": 1 if record.back else None,
        }
        return {key: value for key, value in made.items() if value not in (None, [], "")}

    def text(self, value: str) -> int:
        """Return the number of a text that many pictures share.

        :param value: a foreign text.
        """
        return self.texts.setdefault(foreign_text(value, 200), len(self.texts))

    def _said(self, kind: str, finding: Any, record: Record) -> str:
        other = ""
        if finding.first < 0 <= finding.second:
            other = foreign_text(self._measures.spool.get(finding.second).name, 120)
        return said(kind, finding, record, self.classes, other)

    def _objects(self, record: Record, width: float, height: float) -> list[list[int]]:
        """Return objects as class, x, y, width, height, cells of the maps of size and place, and outline."""
        if not record.objects:
            return []
        rows = np.array([[0, 0, 0, *each.box, width, height] for each in record.objects], np.float64)
        known = bool(record.width)
        sizes = size_cells(rows).tolist() if known else [-1] * len(rows)
        places = place_cells(rows).tolist() if known else [-1] * len(rows)
        return [
            [*self._box(each, width, height), size, place, *self._ring(each, width, height)]
            for each, size, place in zip(record.objects, sizes, places, strict=True)
        ]

    def _box(self, each: Drawn, width: float, height: float) -> list[int]:
        x1, y1, x2, y2 = each.box
        left, top = _part(x1, width), _part(y1, height)
        return [each.class_id, left, top, _part(x2, width) - left, _part(y2, height) - top]

    def _ring(self, each: Drawn, width: float, height: float) -> list[int]:
        sizes = (width, height)
        return [_part(number, sizes[at % 2]) for at, number in enumerate(each.ring)]


def group_of(class_id: int) -> int:
    """Return which maps a class has: its own, or those that the classes beyond :data:`~.table.CLASSES` share.

    :param class_id: number of the class.
    """
    return min(class_id, CLASSES)


def _part(value: float, whole: float) -> int:
    return round(min(max(value / whole * SCALE, -_FAR), _FAR))
