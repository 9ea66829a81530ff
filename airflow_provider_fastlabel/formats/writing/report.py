"""What an export did: counts of what was written, left out, and changed.

The law of every writer: ``annotations_in == annotations + sum(skipped.values())``. Nothing disappears silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.formats.geometry.reasons import UNSUPPORTED_TYPE
from airflow_provider_fastlabel.formats.writing.left_out import LeftOut, row_of_annotation, row_of_task
from airflow_provider_fastlabel.words import top_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASKS_WITHOUT_FILE = "tasks_without_file"
"""Counted: tasks for which the format has no file, since they have no size, or a forged one."""
IMAGES_MISSING = "images_missing"
"""Counted: tasks whose image is not there."""
MOST_CLASSES = 1000
"""How many class values a summary names; the manifest names all."""
_WITH_TYPE = f"{UNSUPPORTED_TYPE}:"


@dataclass(slots=True)
class ExportReport:
    """Counts of one export.

    :param images: images (tasks or video frames) the output speaks of, empty ones included.
    :param annotations_in: annotations the tasks held; one of a video counts once per frame it is in.
    :param annotations: annotations written. One annotation may take several rows in a format (YOLO).
    :param skipped: reason -> number of annotations left out.
    :param adjusted: change -> how often it was made; such annotations and tasks are in the output (``clipped``,
        ``rotation_as_box``, ``tasks_empty``, ``names_changed``, ...).
    :param files: paths of the files written, relative to the folder, with forward slashes. Of a folder that keeps an
        account itself (:class:`~.noted.NotedFolder`) they are only in that.
    :param file_count: how many files were written.
    :param classes: class values in id order.
    :param splits: of each split, where the format has some, the share asked for, the images it got, and their share.
    :param class_changes: what has become of the classes since an earlier export to the same place.
    :param left_out: the list that gets a row for each annotation in ``skipped``, and for each picture and task that is
        counted by :meth:`lose`; ``None`` for no list.
    """

    images: int = 0
    annotations_in: int = 0
    annotations: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    adjusted: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    splits: dict[str, dict[str, float]] = field(default_factory=dict)
    file_count: int = 0
    class_changes: dict[str, Any] = field(default_factory=dict)
    left_out: LeftOut | None = field(default=None, repr=False, compare=False)

    def count_splits(self, asked: Mapping[str, float], counts: Mapping[str, int]) -> None:
        """Note how many images each split got: of few images the shares are far from what was asked for.

        :param asked: split -> share.
        :param counts: split -> images.
        """
        total = sum(counts.values())
        self.splits = {
            split: {"asked": share, "images": counts[split], "share": round(counts[split] / total, 4) if total else 0.0}
            for split, share in asked.items()
        }

    def skip(
        self, reason: str, task: Mapping[str, Any], annotations: Sequence[Any], order: tuple[int, int], **more: Any
    ) -> None:
        """Count annotations of a task that are not in the output, and list them where a list is wanted.

        :param reason: why, one of :mod:`.reasons`, possibly followed by ``:`` and the annotation type.
        :param task: the task.
        :param annotations: the annotations.
        :param order: their place in the list, as for :meth:`.LeftOut.add`.
        :param more: what else their rows say.
        """
        if not annotations:
            return
        self.skipped[reason] = self.skipped.get(reason, 0) + len(annotations)
        if self.left_out is not None:
            for one in annotations:
                self.left_out.add(order, row_of_annotation(reason, task, one, more))

    def lose(
        self, what: Literal["picture", "task"], reason: str, task: Mapping[str, Any], order: tuple[int, int]
    ) -> None:
        """Count a picture or task that is not in the output among what was adjusted, and list it where that is wanted.

        :param what: which of the two.
        :param reason: why.
        :param task: the task.
        :param order: as for :meth:`skip`.
        """
        self.adjust(reason)
        if self.left_out is not None:
            self.left_out.add(order, row_of_task(what, reason, task))

    def add_before(self, before: ExportReport) -> None:
        """Add what was left out before the writer saw it.

        :param before: where that was counted, ``skipped`` and ``adjusted``.
        """
        for reason, count in before.skipped.items():
            self.annotations_in += count
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        for change, count in before.adjusted.items():
            self.adjust(change, count)

    def adjust(self, change: str, count: int = 1) -> None:
        """Count something that is in the output but not exactly as FastLabel had it.

        :param change: what was changed.
        :param count: how many.
        """
        self.adjusted[change] = self.adjusted.get(change, 0) + count

    def to_dict(self, *, whole: bool = False) -> dict[str, Any]:
        """Return the counts for a summary; ``files`` is their number.

        :param whole: name every type that the format has no place for, and every class. Without it the ten most
            frequent types are named and the others counted together; of more than :data:`MOST_CLASSES` classes the
            first are named, and ``classes_more`` says how many there are beyond them.
        :returns: a new dictionary of JSON types with sorted reasons.
        """
        classes = list(self.classes)
        more = 0 if whole else len(classes) - MOST_CLASSES
        return {
            "images": self.images,
            "annotations_in": self.annotations_in,
            "annotations": self.annotations,
            "skipped": dict(sorted(self.skipped.items())) if whole else self.top_reasons(),
            "adjusted": dict(sorted(self.adjusted.items())),
            "files": self.file_count,
            "classes": classes[:MOST_CLASSES] if more > 0 else classes,
            **({"classes_more": more} if more > 0 else {}),
            **({"splits": self.splits} if self.splits else {}),
        }

    def top_reasons(self) -> dict[str, int]:
        """Return :attr:`skipped` with the ten most frequent types by name, and the others together."""
        kinds = {reason: count for reason, count in self.skipped.items() if reason.startswith(_WITH_TYPE)}
        own = {reason: count for reason, count in self.skipped.items() if reason not in kinds}
        return dict(sorted(own.items())) | top_counts(kinds, rest=f"{_WITH_TYPE}and {{}} more")
