"""Says what can be wrong with a run over many items: one item's problem, a refused import, an incomplete run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOWN = 10
"""How many single problems a message spells out; the manifest or the log holds the rest."""
SHOWN_OF_ONE = 20
"""The same where all are of one thing, such as a definition, and stand nowhere else."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that keeps an item from reaching its goal.

    :param name: the name of the task or file, or its id where only that is known.
    :param message: what is wrong and, where it helps, what to do.
    :param reason: why annotations are lost with it, for counting; empty if none are.
    :param lost: how many objects of the annotation files are lost with it; 0 also where nobody can tell.
    """

    name: str
    message: str
    reason: str = ""
    lost: int = 0

    def __str__(self) -> str:
        return f"{foreign_text(repr(self.name), 300)}: {foreign_text(self.message, 1000)}"


class AnnotationCounts(TypedDict):
    """What became of the objects that the annotation files hold; ``read == sent + existing + lost``, by reason.

    ``existing`` are those of tasks that existed and were left as they are.
    """

    read: int
    sent: int
    existing: int
    lost: dict[str, int]


class ImportSummary(TypedDict):
    """What an import did, small enough for an XCom.

    ``total`` is the number of items: the files offered, and pictures that annotation files speak of and that are not
    there. It equals ``created + exists + updated + failed`` when the run went through, and ``with_annotations +
    without_annotations + failed``. ``links_left_out`` counts the links out of the folder, which are no items.
    ``differs`` counts tasks whose file is now another one than was sent, ``not_compared`` tasks that exist and of whose
    file the manifest knows nothing, and ``same_elsewhere``, which is only there if there are any, new items that seem
    to be the files of tasks under another path.
    ``manifest`` is where the fate of every item is written.
    Where annotation files were read, ``attributes_left_out`` counts attributes that classes do not have, by key, and
    ``notes`` the remarks in the log that cost nothing.
    """

    total: int
    created: int
    exists: int
    updated: int
    failed: int
    with_annotations: int
    without_annotations: int
    annotations: AnnotationCounts
    links_left_out: int
    differs: int
    not_compared: int
    same_elsewhere: NotRequired[int]
    attributes_left_out: NotRequired[dict[str, int]]
    notes: NotRequired[int]
    manifest: str


class ImportRefused(FastLabelInvalidException):
    """The import was not started: problems were found before the first create. Nothing was created.

    :param message: the whole text.
    :param problems: every problem found, in a stable order.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, 422)
        self.problems: tuple[Problem, ...] = tuple(problems)

    def __reduce__(self) -> tuple[type[ImportRefused], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.message, self.problems)

    def __str__(self) -> str:
        return self.message


class RunIncomplete(FastLabelException):
    """Some items failed: more than were tolerated, or any at all when none are tolerated. The others were kept.

    :param message: the whole text.
    :param summary: the counts, as the run would have returned them.
    :param failures: the items that failed.
    """

    def __init__(self, message: str, summary: Mapping[str, Any], failures: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.summary = summary
        self.failures: tuple[Problem, ...] = tuple(failures)

    def __reduce__(self) -> tuple[type[RunIncomplete], tuple[str, Mapping[str, Any], tuple[Problem, ...]]]:
        return type(self), (self.message, self.summary, self.failures)


class ImportIncomplete(RunIncomplete):
    """An import is incomplete; the summary also says where the manifest is."""

    summary: ImportSummary


def enumerate_problems(problems: Iterable[Problem | str], shown: int = SHOWN) -> str:
    """Spell out the first problems and say how many more there are.

    :param problems: the problems, in the order to show them.
    :param shown: how many to spell out.
    :returns: lines, each starting with a dash.
    """
    listed = list(problems)
    lines = [f"  - {problem}" for problem in listed[:shown]]
    if len(listed) > shown:
        lines.append(f"  - and {len(listed) - shown} more")
    return "\n".join(lines)


def count_items(problems: Iterable[Problem]) -> int:
    """Count the items with at least one problem.

    :param problems: the problems.
    :returns: the number of distinct names.
    """
    return len(Counter(problem.name for problem in problems))
