"""Matches what annotation files say of pictures with the items of an import."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, kept
from airflow_provider_fastlabel.formats.reading.pictures import Pictures, possible_places
from airflow_provider_fastlabel.pipelines.files.problems import SHOWN, ImportRefused, Problem
from airflow_provider_fastlabel.pipelines.imports.attributes import SettledAttributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from airflow_provider_fastlabel.formats.reading.imported import AnnotationList, EntryProblem, ImportedAnnotations
    from airflow_provider_fastlabel.formats.reading.spool import Spool
    from airflow_provider_fastlabel.pipelines.files.sources import Found

log: logging.Logger = logging.getLogger(__name__)


@dataclass
class PreAnnotations:
    """What was read for the items of an import.

    :param by_name: task name -> annotations as the create methods take them.
    :param objects: task name -> how many objects of the annotation files they were made of.
    :param problems: what was lost, by the name of the task it belongs to, else of the picture or file.
    :param notes: how many remarks there were that cost nothing.
    :param asked: whether annotations were asked for: a run that brings none is no success then.
    :param settled: what becomes of attributes that classes do not have.
    :param spool: where the annotations are kept; None for in memory. They are gone when it is closed.
    """

    by_name: dict[str, AnnotationList] = field(default_factory=dict)
    objects: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    notes: int = 0
    asked: bool = True
    settled: SettledAttributes = field(default_factory=SettledAttributes)
    spool: Spool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.spool is not None:
            self.spool.close()

    @property
    def read(self) -> int:
        """Objects that the annotation files hold for what is imported."""
        return self.objects.total() + sum(problem.lost for problem in self.problems)

    @property
    def lost(self) -> dict[str, int]:
        """Objects that were lost, by reason."""
        lost = Counter[str]()
        for problem in self.problems:
            lost[problem.reason] += problem.lost
        return dict(lost)


def as_read(annotations: Mapping[str, Sequence[Mapping[str, Any]]]) -> PreAnnotations:
    """Return annotations that a caller gives as if they had been read: each is an object.

    :param annotations: task name -> annotations.
    """
    lists: dict[str, AnnotationList] = {name: [dict(one) for one in own] for name, own in annotations.items()}
    counts = Counter({name: len(own) for name, own in lists.items() if own})
    return PreAnnotations(lists, counts, asked=bool(counts))


def lasting(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values that can be read more than once: an iterator gives its items to the first reader only.

    :param values: a task's fields.
    """
    if not any(isinstance(value, Iterator) for value in values.values()):
        return values
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in values.items()}


def match(imported: ImportedAnnotations, found: Found, form: str, *, one_file: bool) -> PreAnnotations:
    """Put annotations to task names; a picture of a folder task becomes the annotation's ``content``.

    :param imported: what was read.
    :param found: what the folder holds.
    :param form: the format, for messages.
    :param one_file: whether one file names all pictures, which are then relative to one folder.
    :returns: what belongs to the items; what speaks of pictures that the pattern leaves out is left out.
    :raises ImportRefused: there is no annotation, or none belongs to any item.
    """
    return _Match(imported, found, form).run(one_file=one_file)


class _Match:
    """One match of a data set with the files of a folder."""

    def __init__(self, imported: ImportedAnnotations, found: Found, form: str) -> None:
        self.imported = imported
        self.found = found
        self.form = form
        self.tasks = {file.name: source.name for source in found.sources for file in source.files or (source,)}
        self.names = {source.name for source in found.sources}
        self.unusable = found.unusable
        self.result = PreAnnotations(notes=len(imported.notes), spool=imported.spool)
        self.left_out = 0
        self.empty: list[str] = []

    def run(self, *, one_file: bool) -> PreAnnotations:
        """Match everything, and refuse what would bring nothing."""
        if not self.imported.read and not self.imported.problems:
            raise ImportRefused(
                f"There is no {self.form} annotation: {self._seen()}. Nothing was created. Check `annotations_format` "
                "and `annotations_path`; an import without `annotations_format` creates tasks without annotations."
            )
        pictures = Pictures([*self.tasks, *self.found.left_out, *self.unusable])
        images = dict.fromkeys([*self.imported.by_image, *(p.image for p in self.imported.problems if p.image)])
        if one_file:
            places = pictures.all_of(images)
        else:
            places = {image: place for image in images if (place := pictures.named(image))}
        self._note_moves(places)
        strangers = [image for image in self.imported.by_image if not self._take(image, places.get(image))]
        self._refuse_if_strange(strangers)
        for problem in self.imported.problems:
            self._lose(problem, places.get(problem.image or ""))
        self._say()
        if not self.result.read and not self.result.problems:
            raise ImportRefused(
                f"The {self.form} annotations speak only of files that `pattern` leaves out, or of pictures without "
                f"objects: {self._seen()}. Nothing was created. Check `pattern` and `annotations_path`."
            )
        return self.result

    def _seen(self) -> str:
        count = len(self.imported.by_image)
        notes = "".join(f"; {note}" for note in self.imported.notes[:3])
        return f"{count} pictures are described, none has an object{notes}" if count else f"none was found{notes}"

    def _take(self, image: str, place: str | None) -> bool:
        """Take the annotations of one picture.

        :returns: false for a picture that is not among the files.
        """
        objects = self.imported.objects[image]
        if place in self.unusable:
            if objects:
                text = f"has {objects} annotations, and cannot be opened: {self.unusable[place]}"
                self.result.problems.append(Problem(self._task_of(place), text, NO_PICTURE, objects))
            return True
        if place is None or place not in self.tasks:
            if place is not None or not self._selects(image, self.imported.files.get(image)):
                self.left_out += objects
            elif objects:
                file = self.imported.files.get(image, f"the {self.form} file")
                text = f"has {objects} annotations in {file}, and there is no such picture"
                self.result.problems.append(Problem(self._task_of(image), text, NO_PICTURE, objects))
                return False
            else:
                self.empty.append(image)
            return True
        name = self.tasks[place]
        own = self.imported.by_image[image]
        if name != place:
            content = PurePosixPath(place).name
            own = kept([{**annotation, "content": content} for annotation in own], self.imported.spool)
        if name in self.result.by_name:
            self.result.by_name[name].extend(own)
        else:
            self.result.by_name[name] = own
        self.result.objects[name] += objects
        return True

    def _selects(self, image: str | None, file: str | None) -> bool:
        """Tell whether the pattern would take a picture that is not there, by what is known of it."""
        named = [name for name in (image, None if "/" in (image or "") else file) if name]
        return any(self.found.selects(place) for name in named for place in possible_places(name))

    def _task_of(self, image: str) -> str:
        """Return the task that a missing picture belongs to, else the picture."""
        folder = image.split("/")[0]
        return folder if folder != image and folder in self.names else image

    def _lose(self, problem: EntryProblem, place: str | None) -> None:
        """Take over one loss of the reader."""
        image = place or problem.image
        if place in self.tasks:
            name = self.tasks[place]
        elif (place is not None and place not in self.unusable) or not self._selects(image, problem.file):
            self.left_out += problem.lost
            return
        else:
            name = str(problem).partition(": ")[0] if image is None else self._task_of(image)
        self.result.problems.append(Problem(name, str(problem), problem.reason, problem.lost))

    def _note_moves(self, places: dict[str, str]) -> None:
        moved = [(image, place) for image, place in places.items() if image != place]
        if moved:
            image, place = moved[0]
            log.info("%d pictures have another name than stated (first: %r is %r)", len(moved), image, place)

    def _refuse_if_strange(self, strangers: Sequence[str]) -> None:
        if not strangers or self.result.objects:
            return
        listed = ", ".join(map(repr, strangers[:3]))
        raise ImportRefused(
            f"None of the {len(strangers)} images the {self.form} annotations speak of (first: {listed}) is "
            f"among the files of the folder (first: {next(iter(self.tasks), None)!r}). Nothing was created. Image "
            "names must be paths relative to `folder`; give the folder they are relative to, or correct them.",
            self.result.problems,
        )

    def _say(self) -> None:
        """Write what was read into the log."""
        log.info(
            "Read %d %s annotations: %d for %d of %d items, lost %s; %d are for files that the pattern leaves out",
            self.result.read + self.left_out,
            self.form,
            self.result.objects.total(),
            sum(count > 0 for count in self.result.objects.values()),
            len(self.found.sources),
            self.result.lost or "none",
            self.left_out,
        )
        if self.empty:
            log.info("Note: %d pictures without objects are not there (first: %r)", len(self.empty), self.empty[0])
        _say_notes(self.imported.notes)


def _say_notes(notes: Sequence[EntryProblem]) -> None:
    for note in notes[:SHOWN]:
        log.info("Note: %s", note)
    if len(notes) > SHOWN:
        log.info("Note: and %d more", len(notes) - SHOWN)


def merged(parts: Iterable[ImportedAnnotations], into: ImportedAnnotations) -> ImportedAnnotations:
    """Put several data sets together.

    :param parts: the data sets; a picture that two describe gets the annotations of both.
    :param into: the first of them, which is changed.
    :returns: ``into``.
    """
    for part in parts:
        for image, own in part.by_image.items():
            into.describe(image, part.files.get(image, ""), own)
        into.objects.update(part.objects)
        into.problems += part.problems
        into.notes += part.notes
    return into
