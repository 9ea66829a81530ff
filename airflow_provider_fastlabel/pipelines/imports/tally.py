"""Counts what becomes of pictures and of the objects that their annotation files hold."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_fastlabel.pipelines.files.problems import AnnotationCounts, Problem

PICTURE_FAILED = "picture_failed"
"""Reason: the objects were sound, but the checks or FastLabel refused their picture."""
NOT_TRIED = "not_tried"
"""Reason: the run ended before it came to their picture."""


class Tally:
    """The account of one import. Safe to use from several threads.

    :param objects: task name -> objects its annotations were made of.
    """

    def __init__(self, objects: Mapping[str, int]) -> None:
        self._objects = {name: count for name, count in objects.items() if count}
        self._known: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._lock = threading.Lock()
        self.sent: int = 0
        self.existing: int = 0
        self.with_annotations: int = 0
        self.without_annotations: int = 0
        self._lost: Counter[str] = Counter()

    def know(self, problems: Iterable[Problem]) -> None:
        """Take in what the reader lost already.

        :param problems: problems of any items.
        """
        for problem in problems:
            self._known[problem.name][problem.reason] += problem.lost

    def forgive(self, name: str) -> None:
        """Count what the reader lost of an item as existing: its task exists and stays as it is.

        :param name: the task's name.
        """
        self._objects[name] = self.objects(name) + self._known.pop(name, Counter()).total()

    def objects(self, name: str) -> int:
        """Return how many objects go with an item."""
        return self._objects.get(name, 0)

    def take_out(self, name: str) -> int:
        """Return how many objects go with an item, which is to be known as a problem instead.

        :param name: the task's name.
        """
        return self._objects.pop(name, 0)

    @property
    def read(self) -> int:
        """All objects of the annotation files."""
        return sum(self._objects.values()) + sum(lost.total() for lost in self._known.values())

    def arrived(self, name: str, *, sent: bool) -> int:
        """Count an item whose task is there now.

        :param name: the task's name.
        :param sent: whether its annotations were sent; otherwise the task existed and was left as it is.
        :returns: how many objects were sent.
        """
        count = self.objects(name)
        with self._lock:
            if count:
                self.with_annotations += 1
            else:
                self.without_annotations += 1
            if sent:
                self.sent += count
            else:
                self.existing += count
        return count if sent else 0

    def failed(self, name: str) -> dict[str, int]:
        """Count an item that failed.

        :param name: the task's name.
        :returns: what it cost, by reason.
        """
        lost = Counter({PICTURE_FAILED: self.objects(name)}) + self._known.get(name, Counter())
        with self._lock:
            self._lost += lost
        return dict(lost)

    def counts(self) -> AnnotationCounts:
        """Return the counts, with what was not tried as lost."""
        with self._lock:
            lost = dict(sorted(self._lost.items()))
            rest = self.read - self.sent - self.existing - sum(lost.values())
            if rest:
                lost[NOT_TRIED] = rest
            return {"read": self.read, "sent": self.sent, "existing": self.existing, "lost": lost}
