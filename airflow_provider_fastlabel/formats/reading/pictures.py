"""Pairs annotation files with pictures: by the stated name, else by the stem when exactly one picture fits."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter, defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PICTURE_FOLDERS = frozenset(("image", "images", "img", "imgs", "jpegimages", "photos", "pictures"))
"""Names, in lower case, of folders that hold a data set's pictures."""
_ANNOTATIONS = {"annotation", "annotations", "json", "jsons", "label", "labelme", "labels", "txt", "voc", "xml", "xmls"}
_SISTERS = PICTURE_FOLDERS | _ANNOTATIONS
"""Names, in lower case, of folders that hold the pictures or the annotation files of one data set side by side."""

_MOST_FOLDERS = 1000
"""Folders that are tried; where more would make pictures of the same few names, none of them is the one."""


class Pictures:
    """The pictures of a data set, to be found by what annotation files say of them.

    Names are compared in Unicode's composed form: one file system decomposes them, another does not.

    :param names: paths relative to the data set's folder, with forward slashes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: dict[str, str] = {_composed(name): name for name in names}

    @cached_property
    def _by_path(self) -> _Index:
        """The pictures by their paths without ending; made when a name is not found as it is written."""
        return _Index(_without_ending, self._by_name.values())

    @cached_property
    def _by_stem(self) -> _Index:
        """The pictures by their names without ending and folders."""
        return _Index(lambda name: posixpath.basename(_without_ending(name)), self._by_name.values())

    @cached_property
    def _by_place(self) -> _Index:
        """The pictures by their names without ending and their places: a name may be in every folder of a data set."""
        return _Index(_stem_in_place, self._by_name.values())

    @cached_property
    def _folders(self) -> set[str]:
        """The folders in which pictures lie."""
        return {posixpath.dirname(name) for name in self._by_name.values()}

    def named(self, stated: str) -> str | None:
        """Find the picture of exactly this name.

        :param stated: path relative to the folder.
        :returns: the picture, as it was listed.
        """
        return self._by_name.get(_composed(stated))

    def alike(self, stated: str) -> str | None:
        """Find the picture of this name, whatever its ending and the case of its letters.

        :param stated: path relative to the folder.
        :returns: the picture, or None where none fits or several do.
        """
        return self.named(stated) or self._by_path.only(_without_ending(stated))

    def near(self, stated: str, *, exact: bool) -> str | None:
        """Find the picture that an annotation file names, where it says or in the folder beside that.

        :param stated: path relative to the folder, as if the picture lay beside the annotation file; a name without
            ending may end with a dot.
        :param exact: whether ending and case must be those that are stated.
        :returns: the picture, or None where none fits or several do.
        """
        found = self.named(stated) if exact else self.alike(stated)
        if found is not None:
            return found
        sisters = self._by_place.all(_stem_in_place(stated))
        if exact and sisters:
            name = _composed(posixpath.basename(stated))
            sisters = [picture for picture in sisters if _composed(posixpath.basename(picture)) == name]
        return sisters[0] if len(sisters) == 1 else None

    def of_files(self, files: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
        """Pair annotation files, each of which describes one picture, with pictures by their stems.

        The picture lies beside the file; or in the folder beside the file's, as ``images`` lies beside ``annotations``;
        or it is the only one of its stem, unless other pictures lie beside the file: its own is missing there then.

        :param files: paths of the annotation files.
        :param taken: pictures that belong to other files already.
        :returns: file -> picture. A file for which several pictures fit is left out, and so are files that would share
            a picture.
        """
        others = set(taken)
        pairs = {file: picture for file in files if (picture := self._of_file(file)) and picture not in others}
        shared = Counter(pairs.values())
        return {file: picture for file, picture in pairs.items() if shared[picture] == 1}

    def _of_file(self, file: str) -> str | None:
        beside = self._by_path.only(_without_ending(file))
        if beside is not None:
            return beside
        alike = self._by_stem.all(posixpath.basename(_without_ending(file)))
        sisters = self._by_place.all(_stem_in_place(file))
        found = sisters or ([] if posixpath.dirname(file) in self._folders else alike)
        return found[0] if len(found) == 1 else None

    def all_of(self, stated: Iterable[str]) -> dict[str, str]:
        """Find the pictures that one file names, all relative to the same folder.

        Where no name fits, the file may mean another folder than ours: one that holds ours, or one inside of it. The
        folder that is to be taken from all names, or put before them, is used if it makes every name fit that can, and
        no other folder does as well.

        :param stated: the paths that the file states.
        :returns: stated path -> picture, for those that were found; no picture for two.
        """
        listed = list(stated)
        found = self._each(listed, listed)
        if not found and listed:
            found = self._moved(listed)
        shared = Counter(found.values())
        exact = {picture for name, picture in found.items() if self.named(name) == picture}
        return {
            name: picture
            for name, picture in found.items()
            if shared[picture] == 1 or (picture in exact and self.named(name) == picture)
        }

    def _each(self, stated: list[str], moved: Iterable[str]) -> dict[str, str]:
        """Find what is stated, in the order of the names it has when it is moved to another folder."""
        return {name: picture for name, place in zip(stated, moved, strict=True) if (picture := self.alike(place))}

    def _moved(self, stated: list[str]) -> dict[str, str]:
        """Try the folders that the first names leave open; see :meth:`all_of`."""
        folders = self._folders_before(stated[:50])
        if len(folders) > _MOST_FOLDERS:
            return {}
        tries = [self._each(stated, [f"{folder}/{name}" for name in stated]) for folder in folders]
        common = posixpath.commonpath([posixpath.dirname(name) for name in stated]) if _same_root(stated) else ""
        cuts = range(1, common.count("/") + 2 if common else 0)
        tries += [self._each(stated, [name.split("/", cut)[-1] for name in stated]) for cut in cuts]
        best = max(map(len, tries), default=0)
        fitting = [found for found in tries if len(found) == best and best]
        return fitting[0] if fitting and all(found == fitting[0] for found in fitting) else {}

    def _folders_before(self, stated: list[str]) -> list[str]:
        """Return the folders that, put before one of these names, make a picture of it."""
        folders = {}
        for name in stated:
            path = _without_ending(name)
            for picture in self._by_stem.all(posixpath.basename(path)):
                place = _without_ending(picture)
                if place.endswith("/" + path):
                    folders[picture[: len(place) - len(path) - 1]] = True
        return list(folders)


def same_place(one: str, other: str) -> bool:
    """Tell whether the folders of one path are among the other's, in their order, but for those named for a kind.

    :param one: path with forward slashes.
    :param other: another one.
    :returns: false where the two lie in folders that contradict each other, as ``cam1`` and ``cam2`` do.
    """
    short, long = sorted((_place(one), _place(other)), key=len)
    rest = iter(long)
    return all(part in rest for part in short)


def possible_places(name: str) -> list[str]:
    """Return where the picture of an annotation file could lie, were it there.

    :param name: path of the annotation file, or of the picture as if it lay beside the file.
    :returns: the path itself, and those with one of its folders exchanged for one of pictures, or left out.
    """
    *folders, base = name.split("/")
    places = [name]
    for at, folder in enumerate(folders):
        if folder.casefold() in _SISTERS | {"masks", "segmentationclass"}:
            others: tuple[list[str], ...] = (["images"], ["JPEGImages"], ["Images"], [])
            places += ["/".join([*folders[:at], *other, *folders[at + 1 :], base]) for other in others]
    return places


class _Index:
    """Pictures by something several of them may share."""

    def __init__(self, key: Callable[[str], str], names: Iterable[str]) -> None:
        self._found: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            self._found[key(name)].append(name)

    def all(self, key: str) -> list[str]:
        return self._found.get(key, [])

    def only(self, key: str) -> str | None:
        found = self.all(key)
        return found[0] if len(found) == 1 else None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _without_ending(name: str) -> str:
    return posixpath.splitext(_composed(name))[0].casefold()


def _place(name: str) -> tuple[str, ...]:
    """Return the folders of a path without those that only tell pictures from annotation files."""
    return _place_of(name.rpartition("/")[0])


def _stem_in_place(name: str) -> str:
    """Return a path's place and its name without ending, as one text."""
    return "/".join((*_place(name), posixpath.basename(_without_ending(name))))


@lru_cache(maxsize=1024)
def _place_of(folder: str) -> tuple[str, ...]:
    """Return the place of what lies in a folder; a data set has few of them."""
    return tuple(part for part in _composed(folder).casefold().split("/") if part not in _SISTERS and part)


def _same_root(names: list[str]) -> bool:
    return len({name.startswith("/") for name in names}) == 1
