"""COCO annotation files are read as FastLabel annotations.

One pass over the file's annotations, whatever their number. Choices where COCO and FastLabel do not meet:

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
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.coco.attributes import attributes_of
from airflow_provider_fastlabel.formats.coco.mending import mended
from airflow_provider_fastlabel.formats.coco.objects import (
    CONVERTERS,
    Category,
    CocoType,
    Convert,
    WrongTypeError,
    says_more,
)
from airflow_provider_fastlabel.formats.reading.imported import (
    NO_PICTURE,
    UNUSABLE,
    Annotation,
    ImportedAnnotations,
    UnusableError,
    check_repeated,
    collector_paused,
    finite,
    read_json,
)
from airflow_provider_fastlabel.regular_files import read_regular

if TYPE_CHECKING:
    import os

__all__ = ["CocoType", "read_coco"]

_IDS = (int, str, float)
_POSES = "the box or outline that the file has beside the keypoints is not kept, as FastLabel's poses have none"


def read_coco(
    file: str | os.PathLike[str],
    annotation_type: CocoType | None = None,
    *,
    keypoints: Mapping[str, Sequence[str]] | None = None,
) -> ImportedAnnotations:
    """Read a COCO annotation file.

    :param file: the JSON file.
    :param annotation_type: what every object becomes. ``"bbox"``: its ``bbox`` field, else the box around its outline;
        ``"polygon"``: one polygon per part of its segmentation; ``"segmentation"``: one annotation with all parts and,
        from run lengths, holes; ``"pose_estimation"``: its keypoints. Default: decided for each object: keypoints if
        any is set, else a box if the segmentation is missing or merely repeats the box, a polygon if it has one part, a
        segmentation if it has several or is run lengths.
    :param keypoints: class value -> names of the keypoints in the file's order, for categories that name none.
    :returns: annotations by image ``file_name`` (forward slashes). Problems name the entry instead of a line; objects
        of one image that are lost for the same reason share one.
    :raises ValueError: unknown ``annotation_type``, ``keypoints`` that are no lists of names, or a file that is no COCO
        file at all: cut off, no JSON, without a list of images.
    :raises OSError: the file cannot be read.
    """
    if annotation_type is not None and annotation_type not in get_args(CocoType):
        raise ValueError(f"annotation_type must be one of {', '.join(get_args(CocoType))}, not {annotation_type!r}.")
    names = _checked(keypoints or {})
    path = Path(file)
    result = ImportedAnnotations()
    with collector_paused():
        document = read_json(read_regular(path), path.name, result)
        if result.problems:
            raise ValueError(
                f"{result.problems[0]}. Nothing of the file was read; it may be cut off: write or download it again."
            )
        _Reader(result, path.name, CONVERTERS[annotation_type], names).read(document)
    return result


def _checked(keypoints: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Check the caller's names of keypoints."""
    for value, names in keypoints.items():
        if not isinstance(names, Sequence) or not _are_names(list(names)) or isinstance(names, str):
            raise ValueError(f"keypoints: {value!r} needs a list of different names, not {names!r}.")
    return {value: list(names) for value, names in keypoints.items()}


def _are_names(names: Any) -> TypeGuard[list[str]]:
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(name, str) and name for name in names)
        and len(set(names)) == len(names)
    )


@dataclass(slots=True)
class _Picture:
    """An image of the file: its annotations, and the number of objects they were made of."""

    key: str
    annotations: list[Annotation]
    objects: int = 0


@dataclass(slots=True)
class _Seen:
    """What several entries share: the first of them, and how many."""

    first: int
    count: int = 0
    reason: str = UNUSABLE


@dataclass
class _Reader:
    """The state of reading one document.

    :ivar pictures: image id -> picture.
    :ivar categories: category id -> category.
    :ivar astray: image id of which nobody can say which picture it is -> pictures that it may be, and why.
    :ivar faults: category id that is of no use -> why.
    :ivar lost: (image key, message) -> the annotations that this cost.
    :ivar noted: message -> the annotations that it is about.
    """

    result: ImportedAnnotations
    file: str
    convert: Convert
    keypoints: Mapping[str, list[str]]
    pictures: dict[Any, _Picture] = field(default_factory=dict)
    categories: dict[Any, Category] = field(default_factory=dict)
    astray: dict[Any, tuple[dict[str, None], str]] = field(default_factory=dict)
    faults: dict[Any, str] = field(default_factory=dict)
    unlinked: list[tuple[int, str]] = field(default_factory=list)
    lost: dict[tuple[str | None, str], _Seen] = field(default_factory=dict)
    noted: dict[str, _Seen] = field(default_factory=dict)

    def read(self, document: Any) -> None:
        """Read the three lists of a document."""
        images, categories, annotations = self._lists(document)
        by_key: dict[str, _Picture] = {}
        for index, image in enumerate(images):
            self._read_image(index, image, by_key)
        for index, category in enumerate(categories):
            self._read_category(index, category)
        for ident in self.astray:
            self.pictures.pop(ident, None)
        for ident in self.faults:
            self.categories.pop(ident, None)
        self._read_annotations(annotations)
        for key, picture in by_key.items():
            self.result.by_image[key] = picture.annotations
            if picture.objects:
                self.result.objects[key] = picture.objects
        self.result.files = dict.fromkeys(by_key, self.file)
        self._report(annotations)

    def _lists(self, document: Any) -> list[list[Any]]:
        """Return the document's images, categories and annotations."""
        if not isinstance(document, dict) or not isinstance(document.get("images"), list):
            raise ValueError(
                f"{foreign_text(self.file)}: not a COCO annotation file: it has no list of images. Give another file."
            )
        names = ("images", "categories", "annotations")
        lists = [document.get(name, []) for name in names]
        for name, found in zip(names, lists, strict=True):
            if found is None:
                raise ValueError(
                    f"{self.file}: its {name} are null, so that nobody knows whether there are none: write a list, "
                    "or leave them out."
                )
            if not isinstance(found, list):
                raise ValueError(
                    f"{foreign_text(self.file)}: not a COCO annotation file: its {name} are no list. Give another file."
                )
        return lists

    def _read_image(self, index: int, image: Any, by_key: dict[str, _Picture]) -> None:
        """Register one entry of ``images``."""
        name = image.get("file_name") if isinstance(image, dict) else None
        ident = image.get("id") if name else None
        if not isinstance(name, str) or not name:
            self._leave_image(index, image)
            return
        key = name.replace("\\", "/").removeprefix("./")
        picture = by_key.get(key)
        if picture is None:
            picture = by_key[key] = _Picture(key, [])
        else:
            note = f"images[{index}]: {key!r} is listed twice; its annotations are put together"
            self.result.add_note(self.file, note, image=key)
        if not isinstance(ident, _IDS):
            self.unlinked.append((index, key))
        elif self.pictures.setdefault(ident, picture) is not picture or ident in self.astray:
            known = {self.pictures[ident].key: None}
            self.astray.setdefault(ident, (known, "is given to several images"))[0][key] = None

    def _leave_image(self, index: int, image: Any) -> None:
        """Note an image without a name, and remember why its annotations will be lost."""
        self.result.add_note(self.file, f"images[{index}]: no usable file_name; it was left out")
        ident = image.get("id") if isinstance(image, dict) else None
        if isinstance(ident, _IDS):
            self.astray.setdefault(ident, ({}, f"is images[{index}], which has no file_name"))

    def _read_category(self, index: int, category: Any) -> None:
        """Register one entry of ``categories``; one that is of no use is told with the annotations it costs."""
        ident = category.get("id") if isinstance(category, dict) else None
        if not isinstance(ident, _IDS):
            self.result.add_note(self.file, f"categories[{index}]: no usable id; it was left out")
            return
        names = [category.get("name"), category.get("supercategory")]
        value = next((name for name in names if isinstance(name, str) and name.strip()), None)
        if value is None:
            self.faults.setdefault(ident, "has no name")
            return
        found = category.get("keypoints")
        keypoints: list[str] = list(found) if found and _are_names(found) else self.keypoints.get(value, [])
        known = self.categories.setdefault(ident, Category(value, keypoints))
        if known.value != value:
            self.faults[ident] = f"is given to several categories, among them {known.value!r} and {value!r}"

    def _read_annotations(self, entries: list[Any]) -> None:
        """Convert the entries of ``annotations`` and put the results to their images; here the time goes."""
        pictures, categories, convert = self.pictures, self.categories, self.convert
        for index, entry in enumerate(entries):
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
                    self._lose(index, picture.key, str(error))
                    continue
            for annotation in made:
                annotation["value"] = category.value
                annotation["attributes"] = [dict(one) for one in attributes] if attributes else []
            if "score" in entry or category.keypoints:
                self._look_closer(index, entry, made)
            picture.annotations += made
            picture.objects += 1

    def _look_closer(self, index: int, entry: dict[str, Any], made: list[Annotation]) -> None:
        """Keep a score, and note what a pose cannot keep."""
        if "score" in entry and finite([entry["score"]]):
            for annotation in made:
                annotation["confidenceScore"] = entry["score"]
        if "keypoints" in made[0] and says_more(entry, made[0]):
            self._note(index, _POSES)

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
            self._note(index, f"left out a part that cannot be used: {fault}")
        return attributes, made

    def _lose_astray(self, index: int, entry: Any) -> None:
        """Count an annotation whose image or category is not known."""
        if not isinstance(entry, dict):
            self._lose(index, None, "it is no object with image_id and category_id")
            return
        ident, number = entry.get("image_id"), entry.get("category_id")
        if not isinstance(ident, _IDS):
            self._lose(index, None, "no usable image_id", NO_PICTURE)
            return
        picture = self.pictures.get(ident)
        if picture is None:
            keys, why = self.astray.get(ident, ({}, "is not in the file"))
            self._lose(index, next(iter(keys), None), f"image_id {ident!r} {why}", NO_PICTURE)
        elif not isinstance(number, _IDS):
            self._lose(index, picture.key, "no usable category_id")
        else:
            self._lose(index, picture.key, f"category_id {number!r} {self.faults.get(number, 'is not in the file')}")

    def _lose(self, index: int, image: str | None, message: str, reason: str = UNUSABLE) -> None:
        """Count an annotation that is lost."""
        self.lost.setdefault((image, message), _Seen(index, 0, reason)).count += 1

    def _note(self, index: int, message: str) -> None:
        """Count a remark about an annotation."""
        self.noted.setdefault(message, _Seen(index)).count += 1

    def _report(self, entries: list[Any]) -> None:
        """Tell what was lost, per image, and what is worth a note, for the file."""
        for (image, message), seen in self.lost.items():
            text = f"{_where(seen, entries)}: {message}"
            self.result.add_problem(self.file, text, image=image, reason=seen.reason, lost=seen.count)
        for message, seen in self.noted.items():
            self.result.add_note(self.file, f"{_where(seen, entries)}: {message}")
        lost = {image for (image, _), seen in self.lost.items() if seen.reason == NO_PICTURE}
        for keys, why in self.astray.values():
            for key in list(keys)[1:] if next(iter(keys), "") in lost else ():
                text = f"its id {why}, so that its annotations are not known"
                self.result.add_problem(self.file, text, image=key, reason=NO_PICTURE, lost=0)
        for index, key in self.unlinked:
            text = f"images[{index}]: {key!r} has no usable id, so that no annotation can belong to it"
            if None in lost:
                self.result.add_problem(self.file, text, image=key, reason=NO_PICTURE, lost=0)
            else:
                self.result.add_note(self.file, text, image=key)


def _where(seen: _Seen, entries: list[Any]) -> str:
    """Name the first of some entries, and how many there are."""
    entry = entries[seen.first]
    ident = entry.get("id") if isinstance(entry, dict) else None
    first = f"annotations[{seen.first}]" if ident is None else f"annotations[{seen.first}] (id {ident!r})"
    return first if seen.count == 1 else f"{seen.count} annotations, first {first}"
