"""Which files of a YOLO data set are label files, and of which picture.

A label file is found for a picture as YOLO's readers do: beside it, or with the last folder ``images`` of its path
exchanged for ``labels``; also in ``annotations``, where :func:`.export_yolo` writes by default. Where two pictures
differ in their ending only, ``a.png.txt`` belongs to ``a.png`` and ``a.txt`` to the other one. What is left belongs to
the one picture of its stem, if that lies in the same folder but for folders that one of the two does not have.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.formats.files import is_image
from airflow_provider_fastlabel.formats.reading.data_folder import why
from airflow_provider_fastlabel.formats.reading.pictures import Pictures, same_place
from airflow_provider_fastlabel.formats.reading.text import decoded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder

_CLASS_LIST = "classes.txt"


@dataclass(frozen=True)
class Stray:
    """What is in a text file that is no picture's label file by the rules of YOLO's readers.

    :param rows: how many rows it holds; 0 where it is no label file.
    :param unreadable: why it cannot be read; empty where it can.
    :param other: whether it looks like another text, as far as can be told.
    """

    rows: int = 0
    unreadable: str = ""
    other: bool = False


class LabelFiles:
    """The files of a data set, told apart by their names.

    :param listed: paths relative to the data set's folder, with forward slashes, sorted.

    :ivar images: the pictures.
    :ivar class_lists: files called ``classes.txt`` that are no picture's label file.
    :ivar labels: the other ``.txt`` files: label files and whatever else is text.
    :ivar others: all other files.
    :ivar doubtful: label file -> the pictures that fit it equally well.
    """

    def __init__(self, listed: Iterable[str]) -> None:
        self.images: set[str] = set()
        self.others: list[str] = []
        self.doubtful: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        texts = []
        for name in listed:
            if is_image(name):
                self.images.add(name)
                self._stems.setdefault(posixpath.splitext(name)[0], []).append(name)
            elif name[-4:].lower() == ".txt":
                texts.append(name)
            else:
                self.others.append(name)
        self.class_lists: list[str] = [name for name in texts if self._is_class_list(name)]
        lists = set(self.class_lists)
        self.labels: list[str] = [name for name in texts if name not in lists]

    def _is_class_list(self, name: str) -> bool:
        """Tell a list of classes, as tools put into folders of labels, from a picture's label file."""
        if posixpath.basename(name).lower() != _CLASS_LIST:
            return False
        return "/" not in name or not self._has_stem(name)

    def leave_out(self, names: Collection[str]) -> None:
        """Take away text files that turned out to be lists of classes.

        :param names: the files.
        """
        self.labels = [name for name in self.labels if name not in names]

    def pairs(self) -> dict[str, str]:
        """Find the picture of each label file by the rules of YOLO's readers; keep what is doubtful.

        :returns: label file -> picture.
        """
        own = {self._exact(name) for name in self.labels if not self._has_stem(name)}
        return {name: image for name in self.labels if (image := self._image_of(name, own))}

    def by_stem(self, labels: Collection[str], taken: Iterable[str]) -> dict[str, str]:
        """Find pictures for label files that lie elsewhere.

        :param labels: files that are label files by what is in them.
        :param taken: pictures that have label files.
        :returns: label file -> picture, where exactly one fits.
        """
        found = Pictures(self.images).of_files(labels, taken) if labels else {}
        return {name: image for name, image in found.items() if same_place(name, image)}

    def _exact(self, name: str) -> str | None:
        """Return the picture whose whole name a label file has, ending included."""
        return next((place for place in _places(name[:-4]) if place in self.images), None)

    def _has_stem(self, name: str) -> bool:
        """Tell whether a label file has the name of a picture without its ending, which is how trainers pair them."""
        return any(place in self._stems for place in _places(name[:-4]))

    def _image_of(self, name: str, own: set[str | None]) -> str | None:
        """Return the picture a label file is for."""
        exact = self._exact(name)
        for stem in _places(name[:-4]):
            candidates = [image for image in self._stems.get(stem, ()) if image not in own]
            if len(candidates) == 1:
                return candidates[0]
            if candidates and exact is None:
                self.doubtful[name] = candidates
                return None
        return exact


def stray(folder: DataFolder, name: str) -> Stray:
    """Look into a text file of which the name does not tell whether it is a label file.

    :param folder: the data set.
    :param name: the file.
    :returns: what it is.
    """
    try:
        data = folder.read(name)
    except OSError as error:
        return Stray(unreadable=why(error))
    try:
        rows = _rows(decoded(data))
        return Stray(rows, other=not rows)
    except ValueError as error:
        # Numbers look the same in all encodings that have ASCII's letters.
        letters = data.replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf").decode("latin-1")
        return Stray(unreadable=str(error), other=not _rows(letters))


def _rows(text: str) -> int:
    """Count the rows of a label file; of another text there are none.

    All lines of a label file begin with a number, one of them is made of numbers more than of words, and none names a
    picture as those of ``train.txt`` do; where a line is none of that, another is a whole row.
    """
    rows = [fields for line in text.splitlines() if (fields := line.split())]
    numbered = all(_is_number(fields[0]) and not is_image(fields[-1]) for fields in rows)
    if numbered and any(len(fields) > 1 and 2 * sum(map(_is_number, fields)) > len(fields) for fields in rows):
        return len(rows)
    return len(rows) if any(len(fields) > 4 and all(map(_is_number, fields)) for fields in rows) else 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _places(path: str) -> list[str]:
    """Return where the picture of a label path may lie: the same place, or ``images`` instead of a folder ``labels``.

    Any folder may be the one, since a folder of the pictures may have that name too; the last one comes first.
    """
    places = [path]
    parts = path.split("/")
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] in ("labels", "annotations"):
            places.append("/".join([*parts[:at], "images", *parts[at + 1 :]]))
            if parts[at] == "annotations":
                places.append("/".join([*parts[:at], *parts[at + 1 :]]))
    return places
