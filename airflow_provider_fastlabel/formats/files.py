"""Files of a data set are listed and told apart by their names."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIXES = "avif bmp dib gif heic heif jfif jp2 jpe jpeg jpg mpo png tif tiff webp"
IMAGE_SUFFIXES = frozenset("." + name for name in _SUFFIXES.split())
"""File name endings, in lower case, that make a file an image for the importers."""


def walk(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Walk a folder; linked folders are entered, each once, hidden ones are left out.

    :param folder: the folder.
    :returns: for every folder its path, the same relative to the first with a slash behind it (empty for the first
        itself), and the names of its files.
    :raises OSError: a folder cannot be read: what it holds would be missing without a word.
    """
    root, seen = str(folder), set[str]()
    for parent, folders, names in os.walk(root, followlinks=True, onerror=_raise):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(parent, root).replace(os.sep, "/")
        yield parent, "" if below == "." else f"{below}/", names


def _raise(error: OSError) -> None:
    raise error


def files_below(folder: Path) -> list[str]:
    """List the files below a folder in a fixed order; linked folders are entered, once, hidden names are left out.

    Paths stay plain text here and in the importers: making a ``Path`` costs more than reading a small file.

    :param folder: the folder.
    :returns: paths relative to the folder with forward slashes, sorted.
    :raises NotADirectoryError: there is no such folder.
    :raises OSError: it, or a folder in it, cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"There is no folder {str(folder)!r} to read annotations from.")
    found = [prefix + name for _, prefix, names in walk(folder) for name in names if not name.startswith(".")]
    found.sort()
    return found


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
