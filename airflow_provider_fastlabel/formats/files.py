"""Files of a data set are listed and told apart by their names."""

from __future__ import annotations

import heapq
import os
import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.regular_files import is_below, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIXES = "avif bmp dib gif heic heif jfif jp2 jpe jpeg jpg mpo png tif tiff webp"
IMAGE_SUFFIXES = frozenset("." + name for name in _SUFFIXES.split())
"""File name endings, in lower case, that make a file an image for the importers."""

AT_A_TIME = 10_000
"""Files of one folder that are held together."""


@dataclass(slots=True)
class Level:
    """One folder of a tree, or a part of it, without what is hidden in it.

    :param path: the folder.
    :param prefix: its path relative to the root, with a slash behind it; empty for the root itself.
    :param files: what lies in it and is no folder, links inside of the tree among it.
    :param outside: names of its links that lead out of the tree and are not followed; of a folder with a slash behind.
    """

    path: str
    prefix: str
    files: list[os.DirEntry[str]] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def walk(folder: str | os.PathLike[str], *, follow_links: bool = False) -> Iterator[Level]:
    """Walk a folder. What is hidden is left out; linked folders are entered, each once, after those that are no links.

    :param folder: the folder, which may be a link itself.
    :param follow_links: whether links that lead out of the folder are followed.
    :returns: each folder of the tree; one with very many files in several pieces, for memory's sake.
    :raises OSError: a folder cannot be read: what it holds would be missing without a word.
    """
    root = os.path.realpath(folder)
    seen, left, linked = set[str](), [(os.fspath(folder), "")], list[tuple[str, str]]()
    while left or linked:
        # Links last and in order: which name a folder has must not depend on how the system lists it.
        path, prefix = left.pop() if left else heapq.heappop(linked)[::-1]
        real = os.path.realpath(path)
        if real in seen or not (follow_links or is_below(real, root)):
            continue
        seen.add(real)
        level = Level(path, prefix)
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    _sort_in(entry, level, root, left, linked, follow_links=follow_links)
                if len(level.files) == AT_A_TIME:
                    yield level
                    level = Level(path, prefix)
        yield level


def _sort_in(
    entry: os.DirEntry[str],
    level: Level,
    root: str,
    left: list[tuple[str, str]],
    linked: list[tuple[str, str]],
    *,
    follow_links: bool,
) -> None:
    """Put an entry of a folder among its files, among the folders to enter, or among what is left out."""
    is_link = entry.is_symlink()
    is_folder = Path(entry.path).is_dir() if is_link else entry.is_dir()
    if is_link and not follow_links and leaves(entry.path, root):
        level.outside.append(entry.name + "/" * is_folder)
    elif not is_folder:
        level.files.append(entry)
    elif is_link:
        heapq.heappush(linked, (f"{level.prefix}{entry.name}/", entry.path))
    else:
        left.append((entry.path, f"{level.prefix}{entry.name}/"))


def suffix_of(name: str) -> str:
    """Return the last ending of a path.

    :param name: path with forward slashes.
    :returns: the ending with its dot; empty if there is none.
    """
    return posixpath.splitext(name)[1]


def is_image(name: str) -> bool:
    """Tell whether a file name is that of an image.

    :param name: file name or path.
    :returns: true for the endings of :data:`IMAGE_SUFFIXES`, upper or lower case.
    """
    return suffix_of(name).lower() in IMAGE_SUFFIXES
