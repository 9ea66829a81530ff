"""What every importer hands back, and the few rules all importers share.

An importer never stops at one bad entry and never loses one silently: what it could take is in
:attr:`ImportedAnnotations.by_image`, what it could not is in :attr:`ImportedAnnotations.problems`. Remarks that cost
nothing are apart, in :attr:`ImportedAnnotations.notes`: nobody fails because of one.
"""

from __future__ import annotations

import gc
import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.formats.reading.spool import Spool, SpooledList

    AnnotationList = list["Annotation"] | SpooledList

PLACES = 6
"""Decimals kept of a computed pixel coordinate: far below any format's precision, far above float noise."""

UNUSABLE = "unusable_object"
"""Reason: an object that cannot become an annotation."""
UNREADABLE = "unreadable_file"
"""Reason: a file, or the size of its picture, cannot be read."""
NO_PICTURE = "no_picture"
"""Reason: there is no picture the object could belong to."""
REASONS = (UNUSABLE, UNREADABLE, NO_PICTURE)
"""Why an importer loses objects."""

FORMAT_FLAGS = frozenset(("iscrowd", "truncated", "occluded", "difficult", "track_id", "keyframe"))
"""Attributes that formats and tools note about every object; a class without such an attribute does not ask for it."""

Annotation = dict[str, Any]


MOST_REPEATED = 100_000
"""Attributes that all annotations made of one object may have together."""


class UnusableError(Exception):
    """One entry of a file cannot become an annotation; the text says why."""


def check_repeated(attributes: Sequence[Any], annotations: int) -> None:
    """Refuse an object of many parts and many attributes: each part has all of them, so that they multiply.

    :param attributes: of the object.
    :param annotations: how many are made of it.
    :raises UnusableError: they are too many together.
    """
    if len(attributes) * annotations > MOST_REPEATED:
        raise UnusableError(
            f"its {len(attributes)} attributes for each of its {annotations} parts are more than {MOST_REPEATED:,}"
        )


@dataclass(frozen=True)
class EntryProblem:
    """Something an importer lost, or noted, with the place where it stands.

    :param file: the file, relative to the folder that was read (posix), or its name when one file was read.
    :param line: line number from 1, or None where the format has no useful lines (JSON: the message names the entry).
    :param message: what is wrong, with which entry.
    :param image: key of the picture it concerns, in :attr:`ImportedAnnotations.by_image` or not; None where none is
        known.
    :param reason: one of :data:`REASONS`, for counting; empty for a note.
    :param lost: how many objects of the file it costs; 0 for a note, and where nobody can tell (a file that is cut
        off).
    """

    file: str
    line: int | None
    message: str
    image: str | None = None
    reason: str = ""
    lost: int = 0

    def __str__(self) -> str:
        """Return ``file:line: message``, the form editors turn into a link."""
        file = foreign_text(self.file)
        where = file if self.line is None else f"{file}:{self.line}"
        return f"{where}: {foreign_text(self.message, 1000)}"


@dataclass
class ImportedAnnotations:
    """The annotations of a data set, ready for the create methods, what was lost, and what is worth a note.

    :param by_image: image path relative to the data set's folder (posix; meant to be the task name) -> FastLabel
        annotations. An image that is described without objects has an empty list. With a spool the lists are on disk:
        they can be read like others, and extended.
    :param objects: image -> how many objects of the files its annotations were made of. One object may make several
        annotations (a polygon of several parts) and several one (a pose of labelme points).
    :param files: image -> the file that describes it.
    :param problems: what was lost, in the order of reading. A picture with a problem is not complete.
    :param notes: what is worth knowing and costs no object.
    :param spool: where the annotations are kept; None for in memory.
    """

    by_image: dict[str, AnnotationList] = field(default_factory=dict)
    objects: Counter[str] = field(default_factory=Counter)
    files: dict[str, str] = field(default_factory=dict)
    problems: list[EntryProblem] = field(default_factory=list)
    notes: list[EntryProblem] = field(default_factory=list)
    spool: Spool | None = None

    @property
    def read(self) -> int:
        """Objects that the files hold: those that were taken and those that were lost."""
        return self.objects.total() + sum(problem.lost for problem in self.problems)

    def add_problem(
        self,
        file: str,
        message: str,
        line: int | None = None,
        *,
        image: str | None = None,
        reason: str = UNUSABLE,
        lost: int = 1,
    ) -> None:
        """Remember that something was lost; the parameters are those of :class:`EntryProblem`."""
        self.problems.append(EntryProblem(file, line, message, image, reason, lost))

    def add_note(self, file: str, message: str, line: int | None = None, *, image: str | None = None) -> None:
        """Remember something that costs no object; the parameters are those of :class:`EntryProblem`."""
        self.notes.append(EntryProblem(file, line, message, image))

    def describe(self, image: str, file: str, annotations: AnnotationList) -> None:
        """Add what a file says of an image; note it when it is a second file that describes the same image.

        :param image: key of :attr:`by_image`.
        :param file: the file that describes it.
        :param annotations: what it says; the list becomes the image's own. Count the objects in :attr:`objects`.
        """
        self.files.setdefault(image, file)
        if image in self.by_image:
            self.add_note(file, f"image {image!r} was described before; the annotations are put together", image=image)
            self.by_image[image].extend(annotations)
        else:
            self.by_image[image] = kept(annotations, self.spool)


def kept(annotations: AnnotationList, spool: Spool | None) -> AnnotationList:
    """Return annotations where they are to be kept until their picture's turn comes.

    :param annotations: the annotations; a list that is on disk stays there.
    :param spool: where; None for in memory.
    """
    return spool.keep(annotations) if spool is not None and isinstance(annotations, list) else annotations


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's cyclic garbage collector while many dictionaries are built.

    Parsed files hold no cycles, yet the collector walks all of them again and again: two to four times the run time on
    a large file. A thread that ends its pause early switches it on for all, which costs speed and nothing else.

    :returns: a context manager.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_json(data: bytes, file: str, result: ImportedAnnotations) -> Any:
    """Parse a JSON file, with ``NaN`` and a byte order mark let through as many writers produce them.

    :param data: the file's content.
    :param file: its name in problems.
    :param result: where an unreadable file is reported.
    :returns: the parsed document, or None when it was reported as a problem.
    """
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return parse_json(data)
    except UnusableJsonError as error:
        result.add_problem(file, error.problem, error.line, reason=UNREADABLE, lost=0)
    return None


def finite(values: Sequence[Any]) -> bool:
    """Tell whether all values are ordinary numbers.

    :param values: what should be numbers.
    :returns: false when one is no number, NaN or infinite.
    """
    try:
        return math.isfinite(sum(values))
    except (TypeError, OverflowError):
        return False


def tidy(value: float) -> float:
    """Round away float noise of a computed coordinate.

    :param value: pixels.
    :returns: the value to :data:`PLACES` decimals.
    """
    return round(value, PLACES)
