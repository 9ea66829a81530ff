"""A name that strangers chose becomes a path below a folder, or is refused.

Names come out of data sets, answers, archives, manifests and listings of object stores. Each passes :func:`place_below`
before it is a path: what it names lies below the folder, whatever links lie there, and two names are never one place.
Whoever needs a name that always works (the writers, for task names) makes one first; this only says no.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.regular_files import leaves
from airflow_provider_fastlabel.words import shortened

MAX_PART = 255
"""Bytes that common file systems allow between two slashes."""
MAX_NAME = 4000
"""Bytes of a whole name: systems allow 4,096, and the folder needs some."""

_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"[/\\]")


class UnsafeNameError(ValueError):
    """A name that may not become a path; the message quotes it.

    :param name: the name.
    :param why: what is wrong, to be read after "it".

    :ivar why: the same, for messages that have named the item already.
    """

    def __init__(self, name: Any, why: str) -> None:
        super().__init__(f"{shortened(name)} names no file below its folder: it {why}")
        self.why = why


def checked_name(name: Any, *, folders: bool = True) -> str:
    """Check what can be told without a file system: for keys of object stores, members of archives, and the like.

    A backslash counts as a separator and a drive as absolute, since they are elsewhere; a backslash inside a plain name
    does no harm here and is let pass.

    :param name: the name, with ``/`` between folders.
    :param folders: whether it may have folders; without, neither ``/`` nor a backslash may be in it.
    :returns: the name, unchanged.
    :raises UnsafeNameError: it is no text, empty, absolute or too long, has a part that is empty, ``.`` or ``..``, a
        NUL, or characters that no file name can hold.
    """
    if not isinstance(name, str):
        raise UnsafeNameError(name, f"is no text but {type(name).__name__}")
    if not name:
        raise UnsafeNameError(name, "is empty")
    if "\0" in name:
        raise UnsafeNameError(name, "has a NUL character")
    if name[0] in "/\\" or _DRIVE.match(name):
        raise UnsafeNameError(name, "is absolute")
    if ".." in _SEPARATORS.split(name):
        raise UnsafeNameError(name, "has a part '..', which leads out")
    if not folders and _SEPARATORS.search(name):
        raise UnsafeNameError(name, "has a folder, where only a name may be")
    if any(part in ("", ".") for part in name.split("/")):
        raise UnsafeNameError(name, "has a part that is empty or '.', so another name could mean the same file")
    _check_lengths(name)
    return name


def is_safe(name: Any) -> bool:
    """Tell whether :func:`checked_name` lets a name pass.

    :param name: the name, with ``/`` between folders.
    """
    try:
        checked_name(name)
    except UnsafeNameError:
        return False
    return True


def _check_lengths(name: str) -> None:
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:
        raise UnsafeNameError(name, "has characters that no file name can hold") from None
    if len(raw) > MAX_NAME or any(len(part) > MAX_PART for part in raw.split(b"/")):
        raise UnsafeNameError(name, f"is too long: at most {MAX_PART} bytes between two slashes, {MAX_NAME:,} in all")


def place_below(root: str | os.PathLike[str], name: Any, *, folders: bool = True) -> Path:
    """Return the path of a name below a local folder.

    Links on the way are looked through, the last part too: those that lead to a place inside are fine. Nothing is made
    or opened.

    :param root: the folder, which need not exist; it may be reached by a link itself.
    :param name: the name, with ``/`` between folders.
    :param folders: as for :func:`checked_name`.
    :returns: ``root / name``, with its links as they are.
    :raises UnsafeNameError: as :func:`checked_name`, or a symbolic link leads out of the folder.
    """
    path = Path(root, checked_name(name, folders=folders))
    if leaves(path, os.path.realpath(root)):
        raise UnsafeNameError(name, "leads out of the folder by a symbolic link")
    return path
