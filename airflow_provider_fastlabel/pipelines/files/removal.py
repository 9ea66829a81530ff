"""Objects of a store are removed by their very names: a file system takes what looks like a pattern for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_PATTERNS = frozenset("*?[")


def is_pattern(key: str) -> bool:
    """Tell whether a file system would take a key for a pattern, and remove nothing, or what fits.

    :param key: the key.
    """
    return not _OF_PATTERNS.isdisjoint(key)


def remove_file(place: Any) -> None:
    """Remove one object, and hear if the store refuses; of several at once some stores, S3 among them, say nothing.

    :param place: an object-store path.
    :raises FileNotFoundError: it is not there; not every store says so.
    :raises OSError: it cannot be removed. Stores have other kinds of errors too.
    """
    place.fs.rm_file(place.path)


def remove_files(filesystem: Any, keys: Sequence[str]) -> None:
    """Remove objects in as few requests as it takes. Some stores leave one that they do not remove without a word.

    :param filesystem: the fsspec file system that they live in.
    :param keys: their keys.
    :raises OSError: they cannot be removed. Stores have other kinds of errors too.
    """
    if plain := [key for key in keys if not is_pattern(key)]:
        filesystem.rm(plain)
    for key in filter(is_pattern, keys):
        filesystem.rm_file(key)
