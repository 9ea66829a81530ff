"""A folder of masks becomes annotations, one segmentation for each index of each mask.

Layouts that are told apart:

* what :func:`.export_masks` writes, with ``classes.json`` or ``instances.jsonl`` at the top;
* the VOC devkit's, CVAT's too: ``JPEGImages`` and ``SegmentationClass`` (``SegmentationObject`` is not read: it names
  no classes);
* a folder ``masks``, ``labels`` or ``annotations`` beside the pictures' or in it, with the same tree below;
* pictures in a folder ``images`` and masks outside of it; or pictures and PNG masks side by side.

Index 0 is background. Index 255 is what the devkit draws around objects, and is left out where it has no class; but
where it is the only index of a mask it is no border, so that it is lost and said to be.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import is_safe
from airflow_provider_fastlabel.formats.files import is_image, suffix_of
from airflow_provider_fastlabel.formats.geometry.trace import NoisyMaskError, label_points
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.formats.masks.read import indexes_in, load_colours, load_indexes
from airflow_provider_fastlabel.formats.masks.tables import Table, table_of
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder, why
from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations, collector_paused
from airflow_provider_fastlabel.formats.reading.paired import Described, paired
from airflow_provider_fastlabel.formats.reading.pictures import PICTURE_FOLDERS, Pictures

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.reading.spool import Spool

_MASK_FOLDERS = {"annotation", "annotations", "label", "labels", "mask", "masks", "segmentationclass", "trimaps"}
_OBJECTS = "segmentationobject"
_LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif", ".heic", ".heif"}


def read_masks(
    folder: str | os.PathLike[str],
    classes: Mapping[Any, str] | None = None,
    *,
    pictures: str | os.PathLike[str] | None = None,
    background: int = 0,
    ignore: int | None = 255,
    follow_links: bool = False,
    spool: Spool | None = None,
) -> ImportedAnnotations:
    """Read a folder of masks; one is in memory at a time.

    :param folder: the folder of the masks, read with its sub-folders; see the module for its layouts.
    :param classes: index -> annotation class value, or ``#rrggbb`` -> value for masks of colours. Default: the table at
        the top of the folder, ``classes.json``, ``instances.jsonl`` or CVAT's ``labelmap.txt``.
    :param pictures: folder of the pictures, if they are not in the folder of the masks.
    :param background: the index that is nothing.
    :param ignore: an index that is left out, with a note, unless it has a class or is the only one of its mask; None
        for no such index.
    :param follow_links: whether links that leave the folder are followed; otherwise what they lead to is lost, and said
        to be.
    :param spool: keeps the annotations on disk until they are looked at; default: in memory.
    :returns: segmentations by picture, its path relative to the folder of the pictures. Each index of a mask is an
        object; one without class is lost, and so are those of a mask of another size than its picture.
    :raises ValueError: no table, or one that cannot be read.
    :raises OSError: a folder cannot be read.
    """
    root = DataFolder.of(folder, follow_links=follow_links)
    table = table_of(root, classes)
    images = [name for name in root.names if is_image(name)]
    masks = _masks(images, table, elsewhere=pictures is not None)
    picture_root = root if pictures is None else DataFolder.of(pictures, follow_links=follow_links)
    taken = set(masks)
    named = (
        [name for name in images if name not in taken and _OBJECTS not in _folders(name)]
        if pictures is None
        else [name for name in picture_root.names if is_image(name)]
    )
    reader = _Reader(root, picture_root, table, background, ignore)
    pairs = _pairs(masks, named, table)
    with collector_paused():
        described = [reader.read(mask, pairs.get(mask)).put_into(spool) for mask in masks]
        described += [reader.missing(mask) for mask in table.instances if mask not in taken]
        return root.tell_closed(paired(described, named, spool))


def _folders(name: str) -> list[str]:
    return name.casefold().split("/")[:-1]


def _masks(images: Sequence[str], table: Table, *, elsewhere: bool) -> list[str]:
    """Tell the masks of a folder from its pictures.

    :param elsewhere: whether the pictures lie in another folder.
    """
    if table.instances:
        return [name for name in images if name in table.instances]
    usable = [name for name in images if _OBJECTS not in _folders(name)]
    found = [name for name in usable if not _MASK_FOLDERS.isdisjoint(_folders(name))]
    if not found and any(not PICTURE_FOLDERS.isdisjoint(_folders(name)) for name in usable):
        found = [name for name in usable if PICTURE_FOLDERS.isdisjoint(_folders(name))]
    if not found:
        found = usable if elsewhere else [name for name in usable if suffix_of(name).lower() == ".png"]
    return found


def _pairs(masks: Sequence[str], named: Sequence[str], table: Table) -> dict[str, str]:
    """Return mask -> picture, as far as the names tell."""
    every = Pictures(named)
    bare = {mask: "/".join(part for part in mask.split("/") if part.casefold() not in _MASK_FOLDERS) for mask in masks}
    pairs = {}
    for mask in masks:
        # Where two images differ in their ending only, a.png.png is the mask of a.png and a.png that of the other one.
        stated = table.images.get(mask) or posixpath.splitext(bare[mask])[0]
        found = every.near(stated, exact=True) if is_image(stated) else None
        if found is not None:
            pairs[mask] = found
    claimed = set(pairs.values())
    left = [mask for mask in masks if mask not in pairs]
    places = Counter(bare[mask] for mask in left)
    found_by_stem = Pictures(name for name in named if name not in claimed).of_files(
        bare[mask] for mask in left if places[bare[mask]] == 1
    )
    pairs.update({mask: found_by_stem[bare[mask]] for mask in left if bare[mask] in found_by_stem})
    return pairs


class _Reader:
    """Reads masks one by one."""

    def __init__(
        self, root: DataFolder, pictures: DataFolder, table: Table, background: int, ignore: int | None
    ) -> None:
        self._root = root
        self._pictures = pictures
        self._table = table
        self._background = background
        self._ignore = ignore

    def read(self, mask: str, picture: str | None) -> Described:
        """Read one mask.

        :param mask: its path.
        :param picture: its picture, if there is one.
        """
        stated = [] if picture is None else [picture]
        image = self._table.images.get(mask)
        described = Described(mask, stated, image if is_safe(image) else None)
        try:
            pixels, coloured = self._load(mask)
        except (OSError, ValueError) as error:
            failed = Described.failed(mask, "unreadable", why(error))
            failed.stated = stated
            return failed
        size = None if picture is None else self._size_of(picture)
        height, width = pixels.shape
        unfit = size is not None and size != (width, height)
        indexes = indexes_in(pixels)
        values = self._values(mask, indexes, described, coloured=coloured)
        taken: list[int] = []
        for index, value in values.items():
            what = f"colour #{index:06x}" if coloured else f"index {index}"
            if unfit and size is not None:
                described.lose(f"{what}: the mask has {width} x {height} pixels, its picture {size[0]} x {size[1]}")
            elif value is None:
                described.lose(f"{what} has no annotation class; its area was left out")
            else:
                taken.append(index)
        for index, points in zip(taken, label_points(pixels, taken), strict=True):
            if isinstance(points, NoisyMaskError):
                described.lose(f"index {index}: the mask cannot be traced: {points}")
            else:
                described.annotations.append({"type": "segmentation", "value": values[index], "points": points})
        described.objects = len(described.annotations)
        unseen = len(self._table.instances.get(mask, {}).keys() - set(indexes))
        if unseen:
            described.note(f"{unseen} objects of its table have no pixel, as others cover them")
        return described

    def missing(self, mask: str) -> Described:
        """Return what is known of a mask that is in the table and not in the folder."""
        failed = Described.failed(mask, "unreadable", "there is no such mask, although the table lists it")
        failed.stated = [self._table.images[mask]]
        return failed

    def _load(self, mask: str) -> tuple[NDArray[Any], bool]:
        """Return a mask's pixels, and whether they are colours."""
        if suffix_of(mask).lower() in _LOSSY:
            raise ValueError("a JPEG or HEIC does not keep the indexes of a mask: save masks as PNG")
        if self._table.by_colour:
            with self._root.open(mask) as file:
                colours = load_colours(file, mask)
            if colours is not None:
                return colours, True
        with self._root.open(mask) as file:
            return load_indexes(file, mask), False

    def _values(
        self, mask: str, indexes: Iterable[int], described: Described, *, coloured: bool
    ) -> dict[int, str | None]:
        """Return index -> class value, None where it has none, without what is no object."""
        table = self._table
        if coloured:
            nothing = {colour for colour, value in table.by_colour.items() if value is None} or {0}
            found = {colour: table.by_colour.get(colour) for colour in indexes if colour not in nothing}
            borders = [colour for colour in found if table.is_border(colour)] if self._ignore is not None else []
        else:
            values = table.values_of(mask)
            found = {index: values.get(index) for index in indexes if index != self._background}
            borders = [index for index in found if index == self._ignore and found[index] is None]
        if borders and len(found) > len(borders):
            for border in borders:
                del found[border]
            described.note("its borders, which have no class, were left out")
        return found

    def _size_of(self, picture: str) -> tuple[int, int] | None:
        """Return a picture's size, or None where only its name is there."""
        try:
            with self._pictures.open(picture) as file:
                size = image_size(file)
        except (OSError, ValueError):
            return None
        return size.width, size.height
