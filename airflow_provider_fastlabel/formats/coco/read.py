"""COCO annotation files are read as FastLabel annotations.

One batch of the file's annotations is in memory at a time (:mod:`.lists`). Choices where COCO and FastLabel do not
meet:

* An object of a crowd (``iscrowd`` 1) gets the attribute ``iscrowd`` = true, from which :func:`.export_coco` makes a
  crowd again; FastLabel has no other place for it.
* ``score`` becomes ``confidenceScore``; the entries of COCO's ``attributes`` object become attributes. What tools note
  about every object (``occluded``, ``keyframe`` ...) does only where it is true, ``track_id`` always; the ``rotation``
  that CVAT puts there is the box's.
* Keypoints with COCO's visibility 0 are left out, 1 (hidden) becomes 0 and 2 becomes 1.
* An object becomes one annotation. One that becomes a pose leaves its box and its outline behind: a note counts them.
* Of an object with a part that cannot be used (a crumb of two points, a keypoint that is no number, an empty mask
  beside a good box) the rest is kept: a note counts the parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.coco.attributes import attributes_of
from airflow_provider_fastlabel.formats.coco.lists import IDS, Lists, are_names
from airflow_provider_fastlabel.formats.coco.mending import mended
from airflow_provider_fastlabel.formats.coco.objects import (
    CONVERTERS,
    CocoType,
    Convert,
    WrongTypeError,
    says_more,
)
from airflow_provider_fastlabel.formats.reading.imported import (
    NO_PICTURE,
    UNUSABLE,
    Annotation,
    EntryProblem,
    ImportedAnnotations,
    UnusableError,
    check_repeated,
    collector_paused,
    finite,
    kept,
)
from airflow_provider_fastlabel.formats.reading.json_lists import FileChangedError
from airflow_provider_fastlabel.json_text import UnusableJsonError
from airflow_provider_fastlabel.regular_files import MOST_BYTES, open_regular

if TYPE_CHECKING:
    import os

    from airflow_provider_fastlabel.formats.coco.lists import Picture
    from airflow_provider_fastlabel.formats.coco.objects import Category
    from airflow_provider_fastlabel.formats.reading.spool import Spool

__all__ = ["CocoType", "read_coco"]

_POSES = "the box or outline that the file has beside the keypoints is not kept, as FastLabel's poses have none"


def read_coco(
    file: str | os.PathLike[str],
    annotation_type: CocoType | None = None,
    *,
    keypoints: Mapping[str, Sequence[str]] | None = None,
    spool: Spool | None = None,
) -> ImportedAnnotations:
    """Read a COCO annotation file.

    :param file: the JSON file.
    :param annotation_type: what every object becomes. ``"bbox"``: its ``bbox`` field, else the box around its outline;
        ``"polygon"``: one polygon per part of its segmentation; ``"segmentation"``: one annotation with all parts and,
        from run lengths, holes; ``"pose_estimation"``: its keypoints. Default: decided for each object: keypoints if
        any is set, else a box if the segmentation is missing or merely repeats the box, a polygon if it has one part, a
        segmentation if it has several or is run lengths.
    :param keypoints: class value -> names of the keypoints in the file's order, for categories that name none.
    :param spool: keeps the annotations on disk until they are looked at; default: in memory. The file itself is never
        in memory as a whole.
    :returns: annotations by image ``file_name`` (forward slashes). Problems name the entry instead of a line; objects
        of one image that are lost for the same reason share one.
    :raises ValueError: unknown ``annotation_type``, ``keypoints`` that are no lists of names, or a file that is no COCO
        file at all: cut off, no JSON, without a list of images, or one that was changed meanwhile.
    :raises OSError: the file cannot be read.
    """
    if annotation_type is not None and annotation_type not in get_args(CocoType):
        raise ValueError(f"annotation_type must be one of {', '.join(get_args(CocoType))}, not {annotation_type!r}.")
    names = _checked(keypoints or {})
    path = Path(file)
    result = ImportedAnnotations(spool=spool)
    with collector_paused(), open_regular(path, most=MOST_BYTES) as opened:
        try:
            lists = Lists(opened, path.name, names)
            _Reader(result, path.name, CONVERTERS[annotation_type], lists).read()
        except UnusableJsonError as error:
            where = EntryProblem(path.name, error.line, error.problem)
            raise ValueError(
                f"{where}. Nothing of the file was read; it may be cut off: write or download it again."
            ) from None
        except FileChangedError as error:
            raise ValueError(f"{foreign_text(path.name)}: {error}") from None
    return result


def _checked(keypoints: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Check the caller's names of keypoints."""
    for value, names in keypoints.items():
        if not isinstance(names, Sequence) or not are_names(list(names)) or isinstance(names, str):
            raise ValueError(f"keypoints: {value!r} needs a list of different names, not {names!r}.")
    return {value: list(names) for value, names in keypoints.items()}


@dataclass(slots=True)
class _Seen:
    """What several entries share: where the first of them is, and how many there are."""

    first: str
    count: int = 0
    reason: str = UNUSABLE


@dataclass
class _Reader:
    """The state of reading one document.

    :ivar lost: (image key, message) -> the annotations that this cost.
    :ivar noted: message -> the annotations that it is about.
    """

    result: ImportedAnnotations
    file: str
    convert: Convert
    lists: Lists
    lost: dict[tuple[str | None, str], _Seen] = field(default_factory=dict)
    noted: dict[str, _Seen] = field(default_factory=dict)

    def read(self) -> None:
        """Convert the annotations, and put them to their images."""
        images, result = self.lists.images, self.result
        for message, image in [*images.notes, *self.lists.categories.notes]:
            result.add_note(self.file, message, image=image)
        for key in images.by_key:
            result.by_image[key] = kept([], result.spool)
        first = 0
        for entries in self.lists.annotations():
            touched = self._read_annotations(first, entries)
            first += len(entries)
            for picture in touched:
                result.by_image[picture.key].extend(picture.annotations)
                picture.annotations = []
        for key, picture in images.by_key.items():
            if picture.objects:
                result.objects[key] = picture.objects
        result.files = dict.fromkeys(images.by_key, self.file)
        self._report()

    def _read_annotations(self, first: int, entries: list[Any]) -> list[Picture]:
        """Convert some entries of ``annotations``; here the time goes.

        :param first: the position of the first of them.
        :param entries: the entries.
        :returns: the pictures that got annotations.
        """
        pictures, categories, convert = self.lists.images.by_id, self.lists.categories.by_id, self.convert
        touched = []
        for index, entry in enumerate(entries, first):
            try:
                picture = pictures[entry["image_id"]]
                category = categories[entry["category_id"]]
            except (KeyError, TypeError):
                self._lose_astray(index, entry)
                continue
            try:
                more = entry.get("attributes") or entry.get("iscrowd") == 1
                attributes = attributes_of(entry) if more else None
                made = convert(entry, category)
                if attributes and len(made) > 1:
                    check_repeated(attributes, len(made))
            except UnusableError as error:
                attributes, made = self._rescued(index, entry, category, error)
                if not made:
                    self._lose((index, entry), picture.key, str(error))
                    continue
            for annotation in made:
                annotation["value"] = category.value
                annotation["attributes"] = [dict(one) for one in attributes] if attributes else []
            if "score" in entry or category.keypoints:
                self._look_closer(index, entry, made)
            if not picture.annotations:
                touched.append(picture)
            picture.annotations += made
            picture.objects += 1
        return touched

    def _look_closer(self, index: int, entry: dict[str, Any], made: list[Annotation]) -> None:
        """Keep a score, and note what a pose cannot keep."""
        if "score" in entry and finite([entry["score"]]):
            for annotation in made:
                annotation["confidenceScore"] = entry["score"]
        if "keypoints" in made[0] and says_more(entry, made[0]):
            self._note((index, entry), _POSES)

    def _rescued(
        self, index: int, entry: dict[str, Any], category: Category, error: UnusableError
    ) -> tuple[list[dict[str, Any]], list[Annotation]]:
        """Return attributes and annotations of an object without its bad parts, no annotation if nothing is left."""
        if isinstance(error, WrongTypeError):
            return [], []
        left, faults = mended(entry, category)
        if not faults:
            return [], []
        try:
            attributes, made = attributes_of(entry), self.convert(left, category)
            check_repeated(attributes, len(made))
        except UnusableError:
            return [], []
        for fault in faults:
            self._note((index, entry), f"left out a part that cannot be used: {fault}")
        return attributes, made

    def _lose_astray(self, index: int, entry: Any) -> None:
        """Count an annotation whose image or category is not known."""
        at, images, faults = (index, entry), self.lists.images, self.lists.categories.faults
        if not isinstance(entry, dict):
            self._lose(at, None, "it is no object with image_id and category_id")
            return
        ident, number = entry.get("image_id"), entry.get("category_id")
        if not isinstance(ident, IDS):
            self._lose(at, None, "no usable image_id", NO_PICTURE)
            return
        picture = images.by_id.get(ident)
        if picture is None:
            keys, why = images.astray.get(ident, ({}, "is not in the file"))
            self._lose(at, next(iter(keys), None), f"image_id {ident!r} {why}", NO_PICTURE)
        elif not isinstance(number, IDS):
            self._lose(at, picture.key, "no usable category_id")
        else:
            self._lose(at, picture.key, f"category_id {number!r} {faults.get(number, 'is not in the file')}")

    def _lose(self, at: tuple[int, Any], image: str | None, message: str, reason: str = UNUSABLE) -> None:
        """Count an annotation that is lost."""
        seen = self.lost.get((image, message))
        if seen is None:
            seen = self.lost[image, message] = _Seen(_place(*at), 0, reason)
        seen.count += 1

    def _note(self, at: tuple[int, Any], message: str) -> None:
        """Count a remark about an annotation."""
        seen = self.noted.get(message)
        if seen is None:
            seen = self.noted[message] = _Seen(_place(*at))
        seen.count += 1

    def _report(self) -> None:
        """Tell what was lost, per image, and what is worth a note, for the file."""
        for (image, message), seen in self.lost.items():
            text = f"{_where(seen)}: {message}"
            self.result.add_problem(self.file, text, image=image, reason=seen.reason, lost=seen.count)
        for message, seen in self.noted.items():
            self.result.add_note(self.file, f"{_where(seen)}: {message}")
        lost = {image for (image, _), seen in self.lost.items() if seen.reason == NO_PICTURE}
        for keys, why in self.lists.images.astray.values():
            for key in list(keys)[1:] if next(iter(keys), "") in lost else ():
                text = f"its id {why}, so that its annotations are not known"
                self.result.add_problem(self.file, text, image=key, reason=NO_PICTURE, lost=0)
        for index, key in self.lists.images.unlinked:
            text = f"images[{index}]: {key!r} has no usable id, so that no annotation can belong to it"
            if None in lost:
                self.result.add_problem(self.file, text, image=key, reason=NO_PICTURE, lost=0)
            else:
                self.result.add_note(self.file, text, image=key)


def _place(index: int, entry: Any) -> str:
    """Name an entry."""
    ident = entry.get("id") if isinstance(entry, dict) else None
    return f"annotations[{index}]" if ident is None else f"annotations[{index}] (id {ident!r})"


def _where(seen: _Seen) -> str:
    """Name the first of some entries, and how many there are."""
    return seen.first if seen.count == 1 else f"{seen.count} annotations, first {seen.first}"
