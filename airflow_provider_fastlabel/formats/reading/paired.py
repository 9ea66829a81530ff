"""Data sets of one annotation file a picture: the files are read one after the other, then paired with the pictures.

A file finds its picture by the names it states, exactly as they are written, then with another ending or case; what is
left finds it by the stem. A picture that several files state belongs to the one of its own name, if the others have
pictures of theirs; else what the files say of it is put together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from airflow_provider_fastlabel.formats.files import is_image
from airflow_provider_fastlabel.formats.reading.imported import (
    NO_PICTURE,
    UNREADABLE,
    UNUSABLE,
    Annotation,
    EntryProblem,
    ImportedAnnotations,
)
from airflow_provider_fastlabel.formats.reading.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_fastlabel.formats.reading.spool import Spool, SpooledList


@dataclass(slots=True)
class Described:
    """What one annotation file says of its picture, whichever that is.

    :param file: the file, relative to the folder.
    :param stated: paths of the picture by what the file says, relative to the folder, in the order of trust.
    :param otherwise: the image's key where there is no such picture; None where the file states no name.
    :param kind: ``"read"``; ``"unreadable"``, as one that is cut off; ``"foreign"``: it may be no annotation file.
    :param annotations: what was taken.
    :param objects: how many objects they were made of.
    :param lost: the file's problems, without their picture.
    :param remarks: its notes: message and line.
    :param spooled: what was taken, once it is on disk.
    """

    file: str
    stated: Sequence[str] = ()
    otherwise: str | None = None
    kind: Literal["read", "unreadable", "foreign"] = "read"
    annotations: list[Annotation] = field(default_factory=list)
    objects: int = 0
    lost: list[EntryProblem] = field(default_factory=list)
    remarks: list[tuple[str, int | None]] = field(default_factory=list)
    spooled: SpooledList | None = None

    def put_into(self, spool: Spool | None) -> Described:
        """Put what was taken where it is kept until its picture is known.

        :param spool: where; None for in memory.
        :returns: the same.
        """
        if spool is not None:
            self.spooled = spool.keep(self.annotations)
            self.annotations = []
        return self

    def lose(self, message: str, line: int | None = None) -> None:
        """Remember an object that cannot be taken.

        :param message: which one, and why.
        :param line: where it stands.
        """
        self.lost.append(EntryProblem(self.file, line, message, None, UNUSABLE, 1))

    def note(self, message: str, line: int | None = None) -> None:
        """Remember something that costs no object.

        :param message: what.
        :param line: where it stands.
        """
        self.remarks.append((message, line))

    @classmethod
    def failed(
        cls, file: str, kind: Literal["unreadable", "foreign"], message: str, line: int | None = None
    ) -> Described:
        """Return what a file says that says nothing.

        :param file: the file.
        :param kind: as for the class.
        :param message: why.
        :param line: where.
        :returns: its description.
        """
        return cls(file, kind=kind, lost=[EntryProblem(file, line, message, None, UNREADABLE, 0)])


def paired(described: Sequence[Described], names: Iterable[str], spool: Spool | None = None) -> ImportedAnnotations:
    """Give each description to its picture.

    :param described: the annotation files, in the order of reading.
    :param names: the files of the folder, pictures among them.
    :param spool: where the annotations are kept; None for in memory.
    :returns: all annotations by picture, what was lost and what was noted. A file that cannot be read is a problem of
        the picture of its stem; one that is no annotation file is a note unless there is such a picture.
    """
    images = [name for name in names if is_image(name)]
    pictures = Pictures(images)
    pairs = _pairs(described, pictures) if images else {}
    result = ImportedAnnotations(spool=spool)
    for one in described:
        picture = pairs.get(one.file)
        if one.kind != "read":
            _add_failed(result, one, picture)
            continue
        # A name that is another file's picture is not this file's.
        if picture is None and one.otherwise is not None and pictures.named(one.otherwise) is None:
            picture = one.otherwise
        if picture is None:
            _add_homeless(result, one)
        else:
            _add(result, one, picture)
    return result


def _pairs(described: Sequence[Described], pictures: Pictures) -> dict[str, str]:
    """Return file -> picture."""
    exact = _stated(pictures, described, exact=True)
    if len(exact) == len(described) == len(set(exact.values())):
        return exact
    read = [one for one in described if one.kind == "read"]
    claimed = set(exact.values())
    alike = _stated(pictures, (one for one in read if one.file not in exact), exact=False)
    shared = Counter(alike.values())
    alike = {file: found for file, found in alike.items() if found not in claimed and shared[found] == 1}
    pairs = {**exact, **alike}
    claimed.update(alike.values())
    several = {picture for picture, count in Counter(exact.values()).items() if count > 1}
    left = [one.file for one in read if one.file not in pairs or pairs[one.file] in several]
    # A picture that several files state may be that of one of their stems: that one keeps it.
    pairs.update(pictures.of_files(left, taken=claimed))
    for kind in ("unreadable", "foreign"):
        pairs.update(pictures.of_files((one.file for one in described if one.kind == kind), taken=pairs.values()))
    return pairs


def _stated(pictures: Pictures, described: Iterable[Described], *, exact: bool) -> dict[str, str]:
    """Return file -> the first picture that it states."""
    found = {}
    for one in described:
        for name in one.stated:
            picture = pictures.near(name, exact=exact)
            if picture is not None:
                found[one.file] = picture
                break
    return found


def _add(result: ImportedAnnotations, one: Described, picture: str) -> None:
    """Add a file's annotations, problems and notes to its picture."""
    result.describe(picture, one.file, one.annotations if one.spooled is None else one.spooled)
    if one.objects:
        result.objects[picture] += one.objects
    for problem in one.lost:
        result.add_problem(one.file, problem.message, problem.line, image=picture, reason=problem.reason)
    for message, line in one.remarks:
        result.add_note(one.file, message, line, image=picture)


def _add_failed(result: ImportedAnnotations, one: Described, picture: str | None) -> None:
    """Add a file that says nothing."""
    for problem in one.lost:
        if one.kind == "foreign" and picture is None:
            result.add_note(one.file, problem.message, problem.line)
        else:
            result.add_problem(
                one.file, problem.message, problem.line, image=picture, reason=problem.reason, lost=problem.lost
            )


def _add_homeless(result: ImportedAnnotations, one: Described) -> None:
    """Add a file that no picture can be found for."""
    lost = one.objects + len(one.lost)
    message = "it names no picture, and no single picture that is free has its name"
    if lost:
        result.add_problem(one.file, f"{message}: {lost} objects are lost", reason=NO_PICTURE, lost=lost)
    else:
        result.add_note(one.file, message)
