"""The tasks of a project are read once, and everything is counted that the report shows."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.geometry.shapes import MAKERS, image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.naming import safe_name, split_extension
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.formats.writing.sequence import image_tasks
from airflow_provider_fastlabel.formats.writing.stage import Stage
from airflow_provider_fastlabel.formats.writing.tasks import annotations_of
from airflow_provider_fastlabel.pipelines.reports.people import People, is_back
from airflow_provider_fastlabel.pipelines.reports.samples import Samples, rank_of
from airflow_provider_fastlabel.pipelines.reports.spool import (
    LONGEST_NAME,
    MOST_OBJECTS,
    Record,
    drawn,
    person_of,
    text_of,
)
from airflow_provider_fastlabel.pipelines.reports.table import FLAT, SPLITS, ObjectTable
from airflow_provider_fastlabel.pipelines.reports.worst import Finding, Worst

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from airflow_provider_fastlabel.formats.writing.stage import Labelled
    from airflow_provider_fastlabel.pipelines.reports.spool import Spool

    Task = Mapping[str, Any]

DONE = frozenset({"approved", "reviewed", "completed"})
"""Statuses in which somebody has said that a picture is labelled."""
MOST_VALUES = 60
"""Values of an attribute that are told apart."""
MOST_ATTRIBUTES = 40
REST = "(other values)"
_RARE_SHARE, _RARE_LEAST = 0.0005, 1_000
_FRAME_KEYED = ("frameCount", "fps")


class Measures:
    """Everything that is counted. Memory grows with classes and figures, not with tasks, but for some bytes each.

    :param spool: takes what must be known of each picture.
    :param split_of: says in which split of the data set a picture is, empty for none; given its name.
    :param reasons_of: says why an export left out what of a picture, given its name.
    :param wanted: keys of pictures whose numbers are needed, see :func:`.since.key_of`.

    :ivar noted: by key, the numbers of those, by their names in a data set.
    :ivar worst: the suspicions.
    :ivar table: the objects.
    :ivar statuses: tasks by status, ``splits`` pictures by split, ``per_picture`` by step of :func:`step_of`,
        ``attributes`` by (attribute, value), ``people`` tasks by annotator, ``back`` those that came back, ``reasons``
        annotations by why they could not be read.
    """

    def __init__(
        self,
        spool: Spool,
        split_of: Callable[[str], str] = lambda _: "",
        reasons_of: Callable[[str], Iterable[str]] = lambda _: (),
        wanted: Container[str] = (),
    ) -> None:
        self.spool = spool
        self.worst: Worst = Worst()
        self.table: ObjectTable = ObjectTable(self.worst)
        self.stage: Stage = Stage(tuple(MAKERS), ClassMap(open=True), clip=False, on_error="skip")
        self.statuses: Samples = Samples()
        self.splits: Samples = Samples()
        self.per_picture: Samples = Samples()
        self.attributes: Samples = Samples()
        self.people_tasks: Samples = Samples()
        self.people_back: Samples = Samples()
        self.reasons: Samples = Samples()
        self.people: People = People()
        self.tasks: int = 0
        self.objects: int = 0
        self.before: ExportReport = ExportReport()
        self.attribute_titles: dict[str, str] = {}
        self.values: dict[tuple[str, str], int] = {}
        self.noted: dict[str, dict[str, int]] = {}
        self._wanted = wanted
        self._ranks = array("Q")
        self._split_of = split_of
        self._reasons_of = reasons_of
        self._split_numbers: dict[str, int] = {}
        self._skipped: dict[str, int] = {}
        self._value_counts: Counter[str] = Counter()
        self._known_pairs: dict[tuple[str, str | bool], list[tuple[str, str]]] = {}

    @property
    def split_names(self) -> list[str]:
        """The splits, by their numbers."""
        return list(self._split_numbers)

    def lowest_ranks(self, most: int) -> list[int]:
        """Return the numbers of the pictures of the lowest ranks, in the order in which they were read.

        :param most: how many.
        """
        ranks = np.frombuffer(self._ranks, np.uint64)
        return sorted(np.argsort(ranks, kind="stable")[:most].tolist())

    def read(self, tasks: Iterable[Task]) -> None:
        """Read the tasks, once and to their end.

        :param tasks: task objects as the API returns them, of any kind; not changed.
        :raises OSError: the disk of the temporary folder is full.
        """
        for task, found in self.stage.shapes(image_tasks(self._counted(tasks), self.before)):
            self._take(task, found)
        self.table.work_off()
        self.table.misfits.finish()
        self._look_for_rare_classes()

    def _counted(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Count tasks, before sequences are split into pictures; a video stands for one picture."""
        for task in tasks:
            self.tasks += 1
            if any(key in task for key in _FRAME_KEYED):
                task = _one_frame(task)
            if task.get("contents"):
                yield _with_facts(task)
            else:
                yield task

    def _take(self, task: Task, found: list[Labelled]) -> None:
        """Count a picture and keep what must be known of it."""
        name = text_of(task.get("name"), LONGEST_NAME) or text_of(task.get("id")) or "(no name)"
        rank, number = rank_of(name), len(self.spool)
        self._ranks.append(rank)
        if self._wanted and (key := split_extension(safe := safe_name(name))[0]) in self._wanted:
            self.noted.setdefault(key, {}).setdefault(safe, number)
        total = len(annotations_of(task))
        self.objects += len(found)
        status, split = text_of(task.get("status")), self._split_of(name)
        self.statuses.add(status, number, rank)
        if split:
            self.splits.add(split, number, rank)
        self.per_picture.add(step_of(len(found)), number, rank)
        person = person_of(task)
        if person:
            person = self.people.add(person, task, len(found))
            self.people_tasks.add(person, number, rank)
            if is_back(task):
                self.people_back.add(person, number, rank)
        if not total and status in DONE and "attributes" not in task:
            self.worst.add("empty", Finding(0, -rank, number))
        width, height = image_size(task)
        self._take_objects(found, number, width, height, rank, split)
        self.spool.add(
            Record(
                name=name,
                task_id=text_of(task.get("id")),
                url=task["url"] if isinstance(task.get("url"), str) else "",
                status=status,
                split=split,
                person=person,
                width=width,
                height=height,
                total=len(found),
                objects=[drawn(class_id, shape) for _, class_id, shape in found[:MOST_OBJECTS]],
                attributes=self._take_attributes(task, found, number, rank),
                reasons=self._take_reasons(name, number, rank, read=len(found) == total),
                back=is_back(task),
            )
        )

    def _take_objects(
        self, found: list[Labelled], number: int, width: float, height: float, rank: int, split: str
    ) -> None:
        """Put the objects of a picture into the table."""
        if not found:
            return
        part = self._split_numbers.setdefault(split, min(len(self._split_numbers), SPLITS - 1))
        self.table.add(
            [
                (class_id, number, at, s.x1, s.y1, s.x2, s.y2, width, height, rank, s.kind not in FLAT, part)
                for at, (_, class_id, s) in enumerate(found)
            ]
        )

    def _take_attributes(self, task: Task, found: list[Labelled], number: int, rank: int) -> list[int]:
        """Count the values of attributes, and return which of them the picture has."""
        seen: Counter[tuple[str, str]] = Counter()
        for rows in (task.get("attributes"), *(annotation.get("attributes") for annotation, _, _ in found)):
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, Mapping) and isinstance(row.get("key"), str):
                    seen.update(self._pairs(row))
        for pair, count in seen.items():
            self.attributes.add(pair, number, rank, count)
        return sorted(self.values[pair] for pair in seen)

    def _pairs(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return under which attribute and values a row is counted; switches and choices are many and much the same."""
        value = row.get("value")
        if not isinstance(value, str | bool):
            return [self._pair(row, text) for text in values_of(value)]
        known = self._known_pairs.get((row["key"], value))
        if known is None:
            known = [self._pair(row, text) for text in values_of(value)]
            if len(self._known_pairs) < MOST_ATTRIBUTES * MOST_VALUES:
                self._known_pairs[row["key"], value] = known
        return known

    def _pair(self, row: Mapping[str, Any], value: str) -> tuple[str, str]:
        """Return under which attribute and value one is counted: of both, only so many are told apart."""
        pair = (row["key"][:100], value)
        if pair in self.values:
            return pair
        key = pair[0]
        if key not in self.attribute_titles:
            if len(self.attribute_titles) >= MOST_ATTRIBUTES:
                key = REST
            self.attribute_titles[key] = (text_of(row.get("name")) if key != REST else "") or key
        if self._value_counts[key] >= MOST_VALUES:
            value = REST
        else:
            self._value_counts[key] += 1
        self.values.setdefault((key, value), len(self.values))
        return key, value

    def _take_reasons(self, name: str, number: int, rank: int, *, read: bool) -> list[str]:
        """Return why annotations of the picture that was just read are not in it."""
        exported = list(self._reasons_of(name))
        for reason in exported:
            self.reasons.add(reason, number, rank)
        if read:
            return exported
        now = self.stage.report.skipped
        reasons = [reason for reason, count in now.items() if count != self._skipped.get(reason, 0)]
        for reason in reasons:
            self.reasons.add(reason, number, rank, now[reason] - self._skipped.get(reason, 0))
        self._skipped = dict(now)
        return list(dict.fromkeys([*reasons, *exported]))

    def _look_for_rare_classes(self) -> None:
        """Suspect the objects of classes that hardly occur in a large data set: slips of the class list."""
        if self.objects < _RARE_LEAST:
            return
        counts: Counter[int] = Counter()
        for key, count in self.table.classes.counts.items():
            counts[key // SPLITS] += count
        rare = {number for number, count in counts.items() if count <= max(1, _RARE_SHARE * self.objects)}
        for key, pairs in self.table.classes.kept():
            if key // SPLITS in rare:
                for rank, number in pairs:
                    objects = self.spool.get(number).objects
                    first = next((at for at, each in enumerate(objects) if each.class_id == key // SPLITS), -1)
                    self.worst.add(
                        "rare", Finding(-counts[key // SPLITS], -rank, number, first, -1, counts[key // SPLITS])
                    )


def step_of(count: int) -> int:
    """Return the step of the figure "objects per picture": each number up to 12 by itself, then doubling.

    :param count: objects of a picture.
    :returns: the least number of the step: 0, 1, ..., 12, 13, 26, 52, 104 ...
    """
    return count if count < 13 else 13 << int(math.log2(count / 13))


def values_of(value: Any) -> list[str]:
    """Return an attribute's value as texts: each of a list of choices by itself.

    :param value: a text, number, boolean, or list of them.
    """
    if isinstance(value, list):
        return [text for each in value[:20] for text in values_of(each) if not isinstance(each, list)] or ["(none)"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, float):
        return [f"{value:g}"]
    if value is None or value == "":
        return ["(none)"]
    return [str(value)[:80]] if isinstance(value, str | int) else ["(an object)"]


def _with_facts(task: Task) -> Task:
    """Return a sequence whose pictures say what the page shows of their task; how long it took says the first alone."""
    contents = task["contents"]
    if not isinstance(contents, list) or not all(isinstance(each, Mapping) for each in contents):
        return task
    shared = {key: task[key] for key in ("status", "externalStatus", "assignee", "externalAssignee") if key in task}
    given = [{**each, **shared} for each in contents]
    given[0]["secondsToAnnotate"] = task.get("secondsToAnnotate")
    return {**task, "contents": given}


def _one_frame(task: Task) -> dict[str, Any]:
    """Return a video as a picture: each object where it is first seen."""
    annotations: list[Any] = []
    for annotation in annotations_of(task):
        points = annotation.get("points") if isinstance(annotation, Mapping) else None
        if isinstance(points, Mapping):
            shown = [frame.get("value") for frame in points.values() if isinstance(frame, Mapping)]
            annotations.append({**annotation, "points": next((each for each in shown if each), [])})
        else:
            annotations.append(annotation)
    return {**task, "annotations": annotations, "url": ""}
