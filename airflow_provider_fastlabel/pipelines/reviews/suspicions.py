"""Finds labels that people should look at again, in the tasks of a project: by rules, or by what a model predicts.

By rules are found what the contact sheet of a report shows (:mod:`~airflow_provider_fastlabel.pipelines.reports.worst`)
of single labels. A model's predictions are paired with the labels as two versions of a data set are
(:mod:`~airflow_provider_fastlabel.pipelines.comparisons.objects`); what differs is suspected.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.geometry.matching import iou_of_pairs
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.formats.writing.sequence import image_tasks
from airflow_provider_fastlabel.formats.writing.tasks import annotations_of
from airflow_provider_fastlabel.pipelines.checks.labels import Unread, labels_of
from airflow_provider_fastlabel.pipelines.comparisons.objects import KINDS as CHANGES
from airflow_provider_fastlabel.pipelines.comparisons.objects import pair_objects
from airflow_provider_fastlabel.pipelines.files.buckets import store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path, open_place
from airflow_provider_fastlabel.pipelines.reports.measures import Measures
from airflow_provider_fastlabel.pipelines.reports.spool import Spool
from airflow_provider_fastlabel.pipelines.reports.words import said
from airflow_provider_fastlabel.scratch import scratch_folder
from airflow_provider_fastlabel.words import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
    from airflow_provider_fastlabel.pipelines.checks.labels import Labels

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

BY_RULES = ("twice", "swapped", "two_classes", "outside", "odd")
"""What labels are suspected of by rules, see :data:`~airflow_provider_fastlabel.pipelines.reports.worst.KINDS`."""
BY_MODEL = ("other_class", "missing", "shifted", "unseen")
"""What labels are suspected of where a model predicts something else."""
CONFIDENT = 0.5
"""Score from which on a prediction is held against a label."""
_SHIFTED = 0.7
_WORDS = {
    "other_class": "A model sees {predicted} here ({score:.0%}), and the label says {label}",
    "missing": "A model sees {predicted} here ({score:.0%}), and nothing is labelled",
    "shifted": "A model sees this {label} at another place, or of another size ({score:.0%})",
    "unseen": "A model sees no {label} here",
}


@dataclass(frozen=True)
class Suspicion:
    """One label, or the place of one, that somebody should look at.

    :param task_id: id of the task.
    :param task_name: its name.
    :param kind: one of :data:`BY_RULES` or :data:`BY_MODEL`.
    :param value: class that it is about.
    :param box: left, upper, right and lower edge, pixels.
    :param words: what is suspicious, for people.
    :param content_name: the picture, of a task with several.
    """

    task_id: str
    task_name: str
    kind: str
    value: str
    box: tuple[float, float, float, float]
    words: str
    content_name: str | None = None


@dataclass
class Found:
    """What was found.

    :param suspicions: the most suspicious first, the kinds in turn.
    :param counts: how many of each kind there are; more than are listed, where only the worst were kept.
    :param task_ids: the tasks that were looked at.
    """

    suspicions: list[Suspicion] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    task_ids: set[str] = field(default_factory=set)


def read_predictions(place: Any) -> ImportedAnnotations:
    """Read what a model predicts, from a COCO annotation file whose annotations have a ``score``.

    :param place: a local path, or an object with its interface in an object store.
    :raises ValueError: it is no COCO file, or nothing of it can be read.
    :raises OSError: it cannot be read.
    """
    from airflow_provider_fastlabel.formats.coco import read_coco

    with scratch_folder("fastlabel-predictions-") as folder:
        path = local_path(place)
        if path is None:
            path = folder / "predictions.json"
            with store_read(place), open_place(place) as source, path.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        found = read_coco(path)
    if not found.objects:
        raise ValueError(f"{foreign_text(place)} holds no prediction that can be read. Nothing was sent.")
    for problem in found.problems[:10]:
        log.warning("A prediction is left out: %s", problem)
    return found


def by_rules(tasks: Iterable[Task]) -> Found:
    """Find labels that are suspicious beside the others of the project.

    :param tasks: task objects as the API returns them, read once.
    :raises OSError: the disk of the temporary folder is full.
    """
    found, contents = Found(), dict[str, tuple[str, str]]()
    spool = Spool()
    try:
        measures = Measures(spool)
        measures.read(_noted(tasks, found, contents))
        classes = [foreign_text(each.value, 200) for each in measures.stage.classes]
        kinds: dict[str, list[Suspicion]] = {}
        for kind in BY_RULES:
            for finding in measures.worst.of(kind):
                record = spool.get(finding.picture)
                if finding.first < len(record.objects):
                    drawn = record.objects[finding.first]
                    name, content = contents.get(record.name, (record.name, ""))
                    words = said(kind, finding, record, classes)
                    value = classes[drawn.class_id]
                    kinds.setdefault(kind, []).append(
                        Suspicion(record.task_id, name, kind, value, drawn.box, words, content or None)
                    )
            found.counts[kind] = measures.worst.counts[kind]
    finally:
        spool.close()
    found.suspicions = _in_turn(kinds)
    return found


def by_model(tasks: Iterable[Task], predictions: ImportedAnnotations) -> Found:
    """Find labels that a model contradicts, in the pictures that it has looked at.

    A picture of which a label or a prediction cannot be read is left out, with a warning: what is there would be taken
    for missing, and people would be sent to it in vain.

    :param tasks: task objects as the API returns them, read once.
    :param predictions: what the model predicts, by the names of the pictures; those without ``confidenceScore`` count
        as certain.
    """
    found = Found()
    places: dict[str, tuple[str, str, str | None]] = {}

    def rows() -> Iterator[tuple[str, str, Any]]:
        for task in image_tasks(_noted(tasks, found, {}), ExportReport()):
            name = str(task["name"])
            if name in predictions.by_image:
                places[name] = str(task["id"]), str(task.get("source_name") or name), task.get("content_name")
                yield name, "", annotations_of(task)

    unread = _UnreadPictures(pictures={one.image for one in predictions.problems if one.image is not None})
    labels = labels_of(unread.watched(rows()), {}, unread)
    scores: list[float] = []
    own = ((name, "", predictions.by_image[name]) for name in places)
    seen = labels_of(unread.watched(own), {}, unread, lambda one: scores.append(float(one.get("confidenceScore", 1))))
    unread.warn(places)
    score = np.array(scores, np.float64)
    pairing = pair_objects(seen, labels, tolerance=1.0, fine=False)
    swapped = pairing.changes[:, CHANGES.index("reclassed")]
    iou = iou_of_pairs(seen.boxes[pairing.first], labels.boxes[pairing.second])
    sure = score[pairing.first] >= CONFIDENT
    nothing = np.full(len(labels.kind) + len(seen.kind), -1)
    apart = ~swapped & sure & (iou < _SHIFTED)
    missing = pairing.removed[score[pairing.removed] >= CONFIDENT]
    chosen = {
        "other_class": (pairing.first[swapped & sure], pairing.second[swapped & sure]),
        "missing": (missing, nothing[: len(missing)]),
        "shifted": (pairing.first[apart], pairing.second[apart]),
        "unseen": (nothing[: len(pairing.added)], pairing.added),
    }
    kinds: dict[str, list[Suspicion]] = {}
    for kind, (ones, others) in chosen.items():
        order = np.argsort(-score[ones], kind="stable") if len(score) and kind != "unseen" else np.arange(len(ones))
        pairs = zip(ones[order].tolist(), others[order].tolist(), strict=True)
        kinds[kind] = [
            _differing(kind, one, other, seen, labels, score, places)
            for one, other in pairs
            if _picture(one, other, seen, labels) not in unread.pictures
        ]
        found.counts[kind] = len(kinds[kind])
    found.suspicions = _in_turn(kinds)
    return found


@dataclass
class _UnreadPictures(Unread):
    """Notes of which pictures something cannot be read.

    :param pictures: their names.
    """

    pictures: set[str] = field(default_factory=set)

    def watched(self, rows: Iterable[tuple[str, str, Any]]) -> Iterator[tuple[str, str, Any]]:
        """Pass rows on, and note the pictures of those that were not read whole before the next was asked for."""
        for row in rows:
            before = self.count
            yield row
            if self.count > before:
                self.pictures.add(row[0])

    def warn(self, places: Iterable[str]) -> None:
        """Say which pictures are left out, of those that the model has looked at."""
        if left := sorted(self.pictures.intersection(places)):
            log.warning(
                "%s left out, because a label or a prediction cannot be read: %s",
                counted(len(left), "picture is", "pictures are"),
                "; ".join(self.examples) or shortened(left, 500),
            )


def _picture(one: int, other: int, seen: Labels, labels: Labels) -> str:
    """Return the picture of a prediction, a label, or both; -1 stands for none."""
    side, at = (labels, other) if other >= 0 else (seen, one)
    return str(side.pictures[side.picture[at]])


def _differing(
    kind: str,
    one: int,
    other: int,
    seen: Labels,
    labels: Labels,
    score: NDArray[np.float64],
    places: Mapping[str, tuple[str, str, str | None]],
) -> Suspicion:
    """Describe a prediction, a label, or both; -1 stands for none."""
    side, at = (labels, other) if other >= 0 else (seen, one)
    named = {
        "predicted": foreign_text(seen.classes[seen.kind[one]], 200) if one >= 0 else "",
        "label": foreign_text(labels.classes[labels.kind[other]], 200) if other >= 0 else "",
        "score": score[one] if one >= 0 else 0.0,
    }
    task_id, name, content = places[_picture(one, other, seen, labels)]
    x1, y1, x2, y2 = side.boxes[at].tolist()
    return Suspicion(
        task_id, name, kind, side.classes[side.kind[at]], (x1, y1, x2, y2), _WORDS[kind].format(**named), content
    )


def _noted(tasks: Iterable[Task], found: Found, contents: dict[str, tuple[str, str]]) -> Iterator[Task]:
    """Note which tasks and pictures of tasks pass."""
    for task in tasks:
        found.task_ids.add(str(task["id"]))
        for content in task.get("contents") or ():
            contents[f"{task['name']}/{content['name']}"] = str(task["name"]), str(content["name"])
        yield task


def _in_turn(kinds: Mapping[str, list[Suspicion]]) -> list[Suspicion]:
    """Return the first of each kind, then the second of each, and so on."""
    return [each for several in zip_longest(*kinds.values()) for each in several if each is not None]
