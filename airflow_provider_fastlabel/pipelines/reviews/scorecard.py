"""Counts what people have made of pre-annotations: what they kept, moved, reclassed, deleted, and added.

The objects of a picture are paired with those that were imported into it, as two versions of a data set are
(:mod:`~airflow_provider_fastlabel.pipelines.comparisons.objects`), by the boxes around them. Of each pre-annotated
object exactly one thing is said, the worst that became of it; so for each version and class

    ``preannotated == kept + moved + reclassed + deleted``

and the objects that the files hold are ``preannotated + waiting + missing + unread``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.reading.pictures import Pictures
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.formats.writing.sequence import image_tasks
from airflow_provider_fastlabel.formats.writing.tasks import annotations_of
from airflow_provider_fastlabel.markdown_text import markdown_table, markdown_text
from airflow_provider_fastlabel.pipelines.checks.labels import Unread, labels_of
from airflow_provider_fastlabel.pipelines.comparisons.objects import KINDS, pair_objects
from airflow_provider_fastlabel.pipelines.comparisons.result import MOST_CLASSES, told
from airflow_provider_fastlabel.seen import Seen
from airflow_provider_fastlabel.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
    from airflow_provider_fastlabel.pipelines.checks.labels import Labels
    from airflow_provider_fastlabel.pipelines.comparisons.objects import Pairing

    Task = Mapping[str, Any]

SAME = 1.0
"""Pixels by which the edges of a box may differ without being moved: a format may round to whole pixels."""
FATES = ("kept", "moved", "reclassed", "deleted")
"""What becomes of a pre-annotated object; one that has another class is reclassed, wherever it is now."""
_CLASSES_SHOWN, _NAMES_SHOWN, _NAME, _EXAMPLES = 15, 5, 80, 20


@dataclass(frozen=True)
class ClassScore:
    """What people made of one class.

    :param value: of the class.
    :param counts: ``preannotated``, :data:`FATES`, and ``added``: objects that are in no pre-annotation. An object that
        was reclassed counts in the class that it was imported with.
    """

    value: str
    counts: dict[str, int]


@dataclass(frozen=True)
class VersionScore:
    """What people made of what one version of a model has drawn.

    :param version: its name.
    :param pictures: how many the files describe (``described``), and of these how many were ``seen``, are ``waiting``,
        because their tasks have not come to the status, or are ``missing`` from the project or data set.
    :param objects: of the pictures seen as :attr:`ClassScore.counts`; those of pictures that are ``waiting`` or
        ``missing``; and what of the files is ``unread``.
    :param classes: those with most pre-annotated objects first, at most :data:`.MOST_CLASSES`.
    :param reclassed: class before, class after, and how many objects; the most first, as many at most.
    :param examples: names of some pictures that are ``waiting`` or ``missing``, and of some objects ``unread``.
    """

    version: str
    pictures: dict[str, int]
    objects: dict[str, int]
    classes: list[ClassScore]
    reclassed: list[tuple[str, str, int]]
    examples: dict[str, list[str]]


@dataclass(frozen=True)
class Scorecard:
    """What people made of pre-annotations.

    :param status: the status that tasks had to have; ``None`` for any.
    :param versions: a score for each version, in the order in which they were given.
    :param unread: how many labels of people cannot be compared, because they have no place in a picture.
    :param unread_examples: some of them, in words.
    """

    status: str | None
    versions: list[VersionScore]
    unread: int = 0
    unread_examples: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return the numbers alone, for an XCom or an asset's event: by version, then objects and pictures."""
        versions = {each.version: {**each.objects, "pictures": each.pictures} for each in self.versions}
        return {"status": self.status, "versions": versions, "unread": self.unread}

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        found: dict[str, Any] = told(asdict(self))
        return found

    def markdown(self) -> str:
        """Return a short body of Markdown, in which what strangers wrote is text and nothing else."""
        head = ["pre-annotated", *FATES, "added", "kept, %"]
        rows = [[markdown_text(each.version, _NAME), *_row(each.objects)] for each in self.versions]
        parts = [markdown_table(["version", *head], rows)]
        for each in self.versions:
            parts.append(f"**{markdown_text(each.version, _NAME)}**: {self._pictures(each)}")
            shown = each.classes[:_CLASSES_SHOWN]
            if shown:
                table = [[markdown_text(one.value, _NAME), *_row(one.counts)] for one in shown]
                parts.append(markdown_table(["class", *head], table))
            if len(each.classes) > len(shown):
                parts.append(f"and {counted(len(each.classes) - len(shown), 'more class', 'more classes')}")
            swaps = [
                f"{markdown_text(one, _NAME)} → {markdown_text(other, _NAME)} {count:,}"
                for one, other, count in each.reclassed[:_NAMES_SHOWN]
            ]
            parts += [f"Reclassed: {', '.join(swaps)}"] if swaps else []
        if self.unread:
            examples = "; ".join(markdown_text(text, 200) for text in self.unread_examples[:3])
            parts.append(f"{counted(self.unread, 'label')} of people cannot be compared: {examples}")
        return "\n\n".join(parts)

    def _pictures(self, each: VersionScore) -> str:
        """Say which pictures were seen, and which were not."""
        why = {"waiting": f"not {(self.status or '').replace('_', ' ')} yet", "missing": "not there"}
        text = (
            f"{each.pictures['seen']:,} of {counted(each.pictures['described'], 'picture was', 'pictures were')} seen"
        )
        for what, words in why.items():
            if count := each.pictures[what]:
                names = ", ".join(markdown_text(name, _NAME) for name in each.examples[what][:_NAMES_SHOWN])
                text += f"; {words}: {count:,}, with {counted(each.objects[what], 'object')} ({names}"
                text += f" and {count - _NAMES_SHOWN:,} more)" if count > _NAMES_SHOWN else ")"
        if unread := each.objects["unread"]:
            examples = "; ".join(markdown_text(one, 200) for one in each.examples["unread"][:3])
            text += f"; cannot be read: {counted(unread, 'object')} ({examples})"
        return text


def score(
    tasks: Iterable[Task], prelabels: Mapping[str, ImportedAnnotations], *, status: str | None = "approved"
) -> Scorecard:
    """Count what people have made of pre-annotations, in the tasks of a project.

    Pictures are found as an import finds them: by the stated name, else by the stem when exactly one fits.

    :param tasks: task objects of any status as the API returns them, read once; one that comes twice counts once.
    :param prelabels: what was imported, by the name of the model's version.
    :param status: only tasks of this status are looked at; ``None`` for all.
    :raises GeometryError: a task is not as the API describes it.
    """
    waiting: dict[str, None] = {}
    known = Seen()

    def settled() -> Iterator[Task]:
        for task in tasks:
            if not known.add(str(task["id"])):
                continue
            if status is None or task.get("status") == status:
                yield task
            else:
                waiting.update(dict.fromkeys(str(one["name"]) for one in image_tasks([task], ExportReport())))

    homeless = ExportReport()
    rows = ((str(task["name"]), "", annotations_of(task)) for task in image_tasks(settled(), homeless))
    labels = labels_of(rows, {}, Unread())
    if lost := sum(homeless.skipped.values()):
        labels.unread.add(f"{lost:,} labels of sequences are on none of their pictures; the log names the tasks", lost)
    return score_labels(labels, prelabels, status=status, waiting=waiting)


def score_labels(
    labels: Labels,
    prelabels: Mapping[str, ImportedAnnotations],
    *,
    status: str | None = None,
    waiting: Iterable[str] = (),
) -> Scorecard:
    """Count what people have made of pre-annotations, in labels that were read already.

    :param labels: what people have left, of each picture.
    :param prelabels: what was imported, by the name of the model's version.
    :param status: what the result says of the status.
    :param waiting: names of the pictures that are not among the labels yet.
    """
    numbers = {name: number for number, name in enumerate(labels.pictures)}
    pictures = Pictures([*numbers, *waiting])
    versions = [_scored(name, own, labels, numbers, pictures) for name, own in prelabels.items()]
    return Scorecard(status, versions, labels.unread.count, labels.unread.examples)


def _scored(
    version: str,
    imported: ImportedAnnotations,
    labels: Labels,
    numbers: Mapping[str, int],
    pictures: Pictures,
) -> VersionScore:
    """Score one version."""
    places = pictures.all_of(imported.by_image)
    names: dict[str, list[str]] = {"seen": [], "waiting": [], "missing": []}
    for image in imported.by_image:
        place = places.get(image)
        names["missing" if place is None else "seen" if place in numbers else "waiting"].append(image)
    lost = Unread()
    for problem in imported.problems:
        lost.add(str(problem), problem.lost)
    drawn = labels_of(((places[image], "", imported.by_image[image]) for image in names["seen"]), {}, lost)
    seen = np.zeros(len(labels.pictures), np.bool_)
    seen[[numbers[places[image]] for image in names["seen"]]] = True
    left = _only(labels, seen)
    pairing = pair_objects(drawn, left, tolerance=SAME, fine=False)
    edges = np.abs(drawn.boxes[pairing.first] - left.boxes[pairing.second])
    placed: NDArray[np.bool_] = np.any(edges > SAME, axis=1)
    classes = _classes(pairing, placed)
    objects = {name: sum(each.counts[name] for each in classes) for name in ("preannotated", *FATES, "added")}
    unseen = {what: sum(len(imported.by_image[image]) for image in names[what]) for what in ("waiting", "missing")}
    examples = {what: sorted(names[what])[:_EXAMPLES] for what in unseen}
    return VersionScore(
        version,
        {"described": len(imported.by_image), **{what: len(found) for what, found in names.items()}},
        {**objects, **unseen, "unread": lost.count},
        classes[:MOST_CLASSES],
        pairing.reclassed()[:MOST_CLASSES],
        {**examples, "unread": lost.examples},
    )


def _only(labels: Labels, chosen: Any) -> Labels:
    """Return the objects of some pictures."""
    rows = chosen[labels.picture]
    columns = ("picture", "kind", "boxes", "solid", "outlines", "attributes")
    return replace(labels, **{name: getattr(labels, name)[rows] for name in columns})


def _classes(pairing: Pairing, placed: NDArray[np.bool_]) -> list[ClassScore]:
    """Count what became of the objects of each class; ``placed`` tells of each pair whether an edge is elsewhere."""
    other = pairing.changes[:, KINDS.index("reclassed")]
    before = pairing.kind[0][pairing.first]
    columns = {
        "preannotated": pairing.kind[0],
        "kept": before[~other & ~placed],
        "moved": before[~other & placed],
        "reclassed": before[other],
        "deleted": pairing.kind[0][pairing.removed],
        "added": pairing.kind[1][pairing.added],
    }
    counts = {name: np.bincount(kinds, minlength=len(pairing.classes)).tolist() for name, kinds in columns.items()}
    found = [
        ClassScore(value, {name: own[at] for name, own in counts.items()}) for at, value in enumerate(pairing.classes)
    ]
    found = [each for each in found if any(each.counts.values())]
    return sorted(found, key=lambda each: (-each.counts["preannotated"], -each.counts["added"], each.value))


def _row(counts: Mapping[str, int]) -> list[str]:
    """Return the cells of a table after the first."""
    whole = counts["preannotated"]
    share = percent(counts["kept"] / whole).removesuffix(" %") if whole else "–"
    return [f"{counts[name]:,}" for name in ("preannotated", *FATES, "added")] + [share]
