"""The three lists of a COCO file: images and categories are taken as they come, annotations when both are known.

A file may have its lists in any order, COCO's own has the categories at its end. So what a batch of annotations says is
looked at in a second reading; a small file is read once. Of a list that a file has twice, the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.coco.objects import Category
from airflow_provider_fastlabel.formats.reading.json_lists import JsonObject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from airflow_provider_fastlabel.formats.reading.imported import Annotation
    from airflow_provider_fastlabel.formats.reading.json_lists import Batch

IDS = (int, str, float)
"""What an id may be."""

_NAMES = ("images", "categories", "annotations")


def are_names(names: Any) -> TypeGuard[list[str]]:
    """Tell whether a value is a list of different names.

    :param names: anything.
    """
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(name, str) and name for name in names)
        and len(set(names)) == len(names)
    )


@dataclass(slots=True)
class Picture:
    """An image of the file: annotations that were just read, and the number of objects of all of them."""

    key: str
    annotations: list[Annotation] = field(default_factory=list)
    objects: int = 0


@dataclass
class Images:
    """The entries of ``images``.

    :ivar by_key: image key -> picture.
    :ivar by_id: image id -> picture.
    :ivar astray: image id of which nobody can say which picture it is -> pictures that it may be, and why.
    :ivar unlinked: position and key of the images without a usable id.
    :ivar notes: what is worth knowing -> key of the image, if there is one.
    """

    by_key: dict[str, Picture] = field(default_factory=dict)
    by_id: dict[Any, Picture] = field(default_factory=dict)
    astray: dict[Any, tuple[dict[str, None], str]] = field(default_factory=dict)
    unlinked: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, index: int, image: Any) -> None:
        """Register an entry.

        :param index: its position.
        :param image: the entry.
        """
        name = image.get("file_name") if isinstance(image, dict) else None
        ident = image.get("id") if name else None
        if not isinstance(name, str) or not name:
            self._leave(index, image)
            return
        key = name.replace("\\", "/").removeprefix("./")
        picture = self.by_key.get(key)
        if picture is None:
            picture = self.by_key[key] = Picture(key)
        else:
            self.notes.append((f"images[{index}]: {key!r} is listed twice; its annotations are put together", key))
        if not isinstance(ident, IDS):
            self.unlinked.append((index, key))
        elif self.by_id.setdefault(ident, picture) is not picture or ident in self.astray:
            known = {self.by_id[ident].key: None}
            self.astray.setdefault(ident, (known, "is given to several images"))[0][key] = None

    def _leave(self, index: int, image: Any) -> None:
        """Note an image without a name, and remember why its annotations will be lost."""
        self.notes.append((f"images[{index}]: no usable file_name; it was left out", None))
        ident = image.get("id") if isinstance(image, dict) else None
        if isinstance(ident, IDS):
            self.astray.setdefault(ident, ({}, f"is images[{index}], which has no file_name"))


@dataclass
class Categories:
    """The entries of ``categories``.

    :param keypoints: class value -> names of the keypoints, for categories that name none.

    :ivar by_id: category id -> category.
    :ivar faults: category id that is of no use -> why.
    :ivar notes: what is worth knowing.
    """

    keypoints: Mapping[str, list[str]]
    by_id: dict[Any, Category] = field(default_factory=dict)
    faults: dict[Any, str] = field(default_factory=dict)
    notes: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, index: int, category: Any) -> None:
        """Register an entry; one that is of no use is told with the annotations it costs.

        :param index: its position.
        :param category: the entry.
        """
        ident = category.get("id") if isinstance(category, dict) else None
        if not isinstance(ident, IDS):
            self.notes.append((f"categories[{index}]: no usable id; it was left out", None))
            return
        names = [category.get("name"), category.get("supercategory")]
        value = next((name for name in names if isinstance(name, str) and name.strip()), None)
        if value is None:
            self.faults.setdefault(ident, "has no name")
            return
        found = category.get("keypoints")
        keypoints: list[str] = list(found) if found and are_names(found) else self.keypoints.get(value, [])
        known = self.by_id.setdefault(ident, Category(value, keypoints))
        if known.value != value:
            self.faults[ident] = f"is given to several categories, among them {known.value!r} and {value!r}"


class Lists:
    """What a file holds.

    :param file: the file, open for reading bytes.
    :param name: what messages call it.
    :param keypoints: as for :class:`Categories`.
    :raises ValueError: it is no COCO file.
    :raises UnusableJsonError: it is no JSON that this package takes.
    :raises OSError: it cannot be read.

    :ivar images: its images.
    :ivar categories: its categories.
    """

    def __init__(self, file: BinaryIO, name: str, keypoints: Mapping[str, list[str]]) -> None:
        self._file = file
        self._keypoints = keypoints
        self._batches: list[Batch] = []
        self.images: Images = Images()
        self.categories: Categories = Categories(keypoints)
        found: dict[str, Any] = {}
        for member, value in JsonObject(file).members():
            if member in _NAMES:
                found[member] = self._take(member, value)
        check_lists(found, name)
        for ident in self.images.astray:
            self.images.by_id.pop(ident, None)
        for ident in self.categories.faults:
            self.categories.by_id.pop(ident, None)

    def annotations(self) -> Iterator[list[Any]]:
        """Yield the entries of ``annotations``, some at a time.

        :raises FileChangedError: the file is not what it was.
        """
        for batch in self._batches:
            yield batch.read(self._file)

    def _take(self, name: str, batches: Any) -> Any:
        """Take a list, in the place of one of the same name before; return what the member is."""
        if name == "annotations":
            self._batches = []
        taker: Images | Categories | None = None
        if name == "images":
            taker = self.images = Images()
        elif name == "categories":
            taker = self.categories = Categories(self._keypoints)
        if not isinstance(batches, Iterator):
            return batches
        first = 0
        for batch in batches:
            if taker is None:
                self._batches.append(batch.put_aside())
                continue
            for index, entry in enumerate(batch.entries, first):
                taker.add(index, entry)
            first += len(batch.entries)
        return []


def check_lists(found: Mapping[str, Any], file: str) -> None:
    """Refuse a document without its lists.

    :param found: the members that it has, lists among them as lists.
    :param file: its name, for the message.
    :raises ValueError: it is no COCO file.
    """
    if not isinstance(found.get("images"), list):
        raise ValueError(
            f"{foreign_text(file)}: not a COCO annotation file: it has no list of images. Give another file."
        )
    for name in _NAMES:
        value = found.get(name, [])
        if value is None:
            raise ValueError(
                f"{file}: its {name} are null, so that nobody knows whether there are none: write a list, "
                "or leave them out."
            )
        if not isinstance(value, list):
            raise ValueError(
                f"{foreign_text(file)}: not a COCO annotation file: its {name} are no list. Give another file."
            )
