"""The objects of a published data set as columns of numbers, whatever its format.

The files are read by the readers of :mod:`airflow_provider_fastlabel.formats`, only such as the manifest lists; the
annotations wait on the disk until they become numbers. Memory then holds 49 bytes an object.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_names import place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.files import is_image
from airflow_provider_fastlabel.formats.geometry.shape import FARTHEST
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError, shape_of
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder
from airflow_provider_fastlabel.formats.reading.spool import Spool
from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE, ClassMap
from airflow_provider_fastlabel.formats.writing.naming import OWN_FILES
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, read_own
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.stored import read_files
from airflow_provider_fastlabel.pipelines.reports.table import FLAT
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
    from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset

_HEAD_BYTES = 256 * 1024
_MOST_LOCK_BYTES = 1 << 26
_SHOWN = 10


class DamagedDatasetError(DamagedFileError):
    """A file of a data set is not as its format wants it, so that nothing can be said of the others."""

    def __init__(self, place: Any, why: str) -> None:
        FastLabelInvalidException.__init__(
            self, f"{place} is not as an export writes it: {why.rstrip('.')}. Nothing was made of it. Export it again."
        )


@dataclass
class Unread:
    """What of a data set could not be read.

    :param count: how many objects, and files of which nobody can tell how many objects they hold.
    :param examples: some of it, in words.
    """

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, what: str, count: int = 1) -> None:
        """Count something.

        :param what: what it is, in words.
        :param count: how many objects.
        """
        self.count += max(count, 1)
        if len(self.examples) < _SHOWN:
            self.examples.append(foreign_text(what))


@dataclass(frozen=True)
class Entries:
    """Where the entries of objects are in the one file of a data set.

    :param file: its path within the data set.
    :param at: position of the entry, of each object.
    :param parts: as :attr:`.CocoColumns.parts` has them.
    """

    file: str
    at: NDArray[np.int32]
    parts: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Labels:
    """The objects of a data set.

    :param pictures: names of the pictures, those without an object too.
    :param splits: the split of each picture, empty for none.
    :param classes: values of the classes, those without an object too.
    :param picture: the number of its picture, of each object, in rising order.
    :param kind: the number of its class, of each object.
    :param boxes: its left, upper, right and lower edge, of each object, in pixels.
    :param solid: whether it covers an area, of each object: points and lines do not.
    :param outlines: a number that is the same, in this process, for objects whose outline, keypoints and rotation are
        the same, of each object; 0 for upright boxes.
    :param attributes: the same for their attributes; 0 for none.
    :param unread: what could not be read.
    :param entries: where the entry of each object is in its file, to be read again; ``None`` for formats of many files.
    """

    pictures: list[str]
    splits: list[str]
    classes: list[str]
    picture: NDArray[np.int64]
    kind: NDArray[np.int64]
    boxes: NDArray[np.float64]
    solid: NDArray[np.bool_]
    outlines: NDArray[np.int64]
    attributes: NDArray[np.int64]
    unread: Unread
    entries: Entries | None = None

    def per_class(self) -> dict[str, int]:
        """Return how many objects each class has."""
        return dict(zip(self.classes, np.bincount(self.kind, minlength=len(self.classes)).tolist(), strict=True))


def read_labels(published: PublishedDataset) -> Labels:
    """Read the objects of a data set.

    :param published: the data set.
    :raises FastLabelInvalidException: its format holds no objects, or not their sizes.
    :raises DamagedDatasetError: a file of it is not as its format wants it.
    :raises OSError: it cannot be read.
    """
    place, form = published.place, published.manifest.get("format")
    read = _READERS.get(form) if isinstance(form, str) else None
    if read is None and form != "coco":
        raise FastLabelInvalidException(
            f"{place} is a data set of the format {foreign_text(form, 60)}, from which no labels can be read back. "
            f"Nothing was made of it. Give a data set of coco, {', '.join(_READERS)}."
        )
    if form == "yolo" and _without_pictures(published):
        raise FastLabelInvalidException(
            f"{place} holds YOLO labels without pictures, so nobody knows how many pixels a box has. Nothing was "
            "checked. Export it with include_images=True, or check the COCO export of the same tasks."
        )
    unread = Unread()
    with ExitStack() as stack:
        folder = _listed(_local(published, stack), published, unread)
        classes = _classes(place, published)
        spool = Spool()
        stack.callback(spool.close)
        try:
            if read is None:
                return _of_coco(folder, published, classes, unread)
            if published.pictures_said() == 0:  # of which YOLO and masks may have no table of classes either
                return labels_of((), classes, unread)
            return _columns(read(folder, spool), published, classes, unread)
        except ValueError as error:
            raise DamagedDatasetError(place, str(error)) from error


def _without_pictures(published: PublishedDataset) -> bool:
    """Tell whether labels lie in a data set, and no picture does."""
    folders = ("annotations/", "labels/")
    return any(path.startswith(folders) for path in published.files) and not any(map(is_image, published.files))


def _local(published: PublishedDataset, stack: ExitStack) -> Path:
    """Return a folder of this machine with the files that are read; of a picture in a store only the beginning."""
    place = published.place
    local = local_path(place)
    if local is not None:
        return local
    tree = stack.enter_context(scratch_folder("fastlabel-checks-"))
    pictures = [path for path in published.files if path.startswith("images/") and is_image(path)]
    heads = set(pictures)
    texts = [path for path in published.files if path not in heads and path not in OWN_FILES]
    for paths, most in ((texts, None), (pictures, _HEAD_BYTES)):
        for path, data in read_files(place, paths, most):  # what is not there is counted by what the manifest lists
            target = place_below(tree, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return tree


def _listed(root: Path, published: PublishedDataset, unread: Unread) -> DataFolder:
    """Return the folder with the files that the manifest lists and nothing else, and count those that are not there."""
    folder = DataFolder(root)
    there = set(folder.names)
    for path in published.files:
        if path not in there and path not in OWN_FILES and not (path.startswith("images/") and is_image(path)):
            unread.add(f"{path}: the manifest lists it, and it is not there or hidden")
    folder.names = [name for name in folder.names if name in published.files and name not in OWN_FILES]
    return folder


def _of_coco(folder: DataFolder, published: PublishedDataset, classes: dict[str, int], unread: Unread) -> Labels:
    """Read the one file of a COCO data set."""
    from airflow_provider_fastlabel.formats.coco.columns import read_columns

    files = [name for name in folder.names if name.endswith(".json") and "/" not in name]
    if len(files) != 1:
        raise FileNotFoundError(
            f"{published.place} should hold one COCO file, and holds {len(files)}. Nothing was made of it. Export it "
            "again."
        )
    found = read_columns(folder.place(files[0]))
    for text in found.lost:
        unread.add(text)
    used = np.bincount(found.kind, minlength=len(found.classes)).tolist()
    numbers = np.array(
        [
            classes.setdefault(value, len(classes)) if count else -1
            for value, count in zip(found.classes, used, strict=True)
        ]
        + [-1],
        np.int64,
    )
    order = slice(None) if (np.diff(found.picture) >= 0).all() else np.argsort(found.picture, kind="stable")
    return Labels(
        found.pictures, [""] * len(found.pictures), list(classes), found.picture[order], numbers[found.kind[order]],
        found.boxes[order], np.ones(len(found.kind), np.bool_), found.outlines[order], found.attributes[order], unread,
        Entries(files[0], found.entries[order], found.parts),
    )  # fmt: skip


def _yolo(folder: DataFolder, spool: Spool) -> ImportedAnnotations:
    from airflow_provider_fastlabel.formats.yolo import read_yolo

    return read_yolo(None, folder, spool=spool)


def _pascalvoc(folder: DataFolder, spool: Spool) -> ImportedAnnotations:
    from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

    try:
        return read_pascalvoc(folder, spool=spool)
    except ValueError:  # corners that count from 0, which the manifest does not say
        return read_pascalvoc(folder, "zero_based", spool=spool)


def _labelme(folder: DataFolder, spool: Spool) -> ImportedAnnotations:
    from airflow_provider_fastlabel.formats.labelme import read_labelme

    return read_labelme(folder, spool=spool)


def _masks(folder: DataFolder, spool: Spool) -> ImportedAnnotations:
    from airflow_provider_fastlabel.formats.masks import read_masks

    return read_masks(folder, spool=spool)


_READERS = {"yolo": _yolo, "pascalvoc": _pascalvoc, "labelme": _labelme, "masks": _masks}
_FILE_PER_PICTURE = ("labelme", "pascalvoc")


def _classes(place: Any, published: PublishedDataset) -> dict[str, int]:
    """Return a number for each class that the project had when the data set was exported."""
    lock = read_own(place, LOCK_FILE, _MOST_LOCK_BYTES)
    try:
        gone = set() if lock is None else {one.value for one in ClassMap.from_lock(lock) if one.gone}
    except ValueError as error:
        raise DamagedFileError(place / LOCK_FILE, str(error)) from None
    known = published.manifest.get("classes")
    values = [str(value) for value in known if value not in gone] if isinstance(known, dict) else []
    return {value: number for number, value in enumerate(values)}


def _columns(
    imported: ImportedAnnotations,
    published: PublishedDataset,
    classes: dict[str, int],
    unread: Unread,
) -> Labels:
    """Turn annotations into numbers."""
    for problem in imported.problems:
        unread.add(str(problem), problem.lost)
    if published.manifest.get("format") in _FILE_PER_PICTURE:
        # In anybody's folder such a file may be something else; what an export lists was a label file.
        for note in imported.notes:
            if note.image is None and note.file in published.files:
                unread.add(str(note))
    rows = ((*published.told_apart(key), drawn) for key, drawn in imported.by_image.items())
    return labels_of(rows, classes, unread)


def labels_of(
    rows: Iterable[tuple[str, str, Iterable[Mapping[str, Any]]]],
    classes: dict[str, int],
    unread: Unread,
    taken: Callable[[Mapping[str, Any]], object] = lambda _: None,
) -> Labels:
    """Turn annotations, as FastLabel has them, into numbers.

    :param rows: of each picture its name, its split, and its annotations.
    :param classes: numbers of the classes that are known; others are added.
    :param unread: where what cannot be read is counted.
    :param taken: called with each annotation that became an object, in their order.
    """
    names: list[str] = []
    splits: list[str] = []
    picture, kind, boxes, solid = array("q"), array("q"), array("d"), array("b")
    outlines, attributes = array("q"), array("q")
    for number, (name, split, drawn) in enumerate(rows):
        names.append(name)
        splits.append(split)
        for annotation in drawn:
            if not isinstance(annotation, Mapping) or not isinstance(annotation.get("value"), str):
                unread.add(f"{name}: an annotation without a class")
                continue
            box = _box(annotation, name, unread)
            if box is not None:
                taken(annotation)
                picture.append(number)
                kind.append(classes.setdefault(annotation["value"], len(classes)))
                boxes.extend(box)
                solid.append(annotation["type"] not in FLAT)
                outlines.append(_outline(annotation))
                attributes.append(_number_of(annotation.get("attributes")))
    return Labels(
        names, splits, list(classes), np.frombuffer(picture, np.int64), np.frombuffer(kind, np.int64),
        np.frombuffer(boxes, np.float64).reshape(-1, 4), np.frombuffer(solid, np.bool_),
        np.frombuffer(outlines, np.int64), np.frombuffer(attributes, np.int64), unread,
    )  # fmt: skip


def _box(annotation: Mapping[str, Any], name: str, unread: Unread) -> Iterable[float] | None:
    """Return the box around an object, its lower corner first."""
    if annotation.get("type") == "bbox" and not annotation.get("rotation") and _is_box(annotation.get("points")):
        points: Iterable[float] = annotation["points"]
        return points
    try:
        shape = shape_of(annotation)
    except GeometryError as error:
        unread.add(f"{name}: {error}")
        return None
    if isinstance(shape, str):
        unread.add(f"{name}: {shape}")
        return None
    return shape.x1, shape.y1, shape.x2, shape.y2


def _is_box(points: Any) -> bool:
    """Tell whether points are the corners of an upright box as they are; of what is not, shapes know what it is."""
    try:
        x1, y1, x2, y2 = points
        return bool(-FARTHEST <= x1 <= x2 <= FARTHEST and -FARTHEST <= y1 <= y2 <= FARTHEST)
    except (TypeError, ValueError):
        return False


def _outline(annotation: Mapping[str, Any]) -> int:
    """Return a number for how an object is drawn."""
    if annotation["type"] == "bbox" and not annotation.get("rotation"):
        return 0
    return _number_of([annotation["type"], *map(annotation.get, ("points", "keypoints", "rotation"))])


def _number_of(value: Any) -> int:
    """Return a number that is the same, in this process, for the same JSON value; 0 for none."""
    return hash(repr(value)) if value else 0
