"""A task's name becomes the path of an output file: inside the folder, possible on the file system, nobody else's.

A task's name is data from outside. It may be ``../../x.jpg``, ``/abs.jpg``, hold control characters, be longer than
a file name may be, or differ from another task's name in its extension only. Names that need no change keep their
folders; what is changed is counted, and no file is ever overwritten by another task's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE
from airflow_provider_fastlabel.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Row = Mapping[str, Any]

MANIFEST = "manifest.json"
PREVIOUS = "manifest.previous.json"
LEFT_OUT_FILE = "left_out.jsonl"
"""The list of what an export left out, beside the manifest."""
REPORT_FILES = ("report.html", "contact-sheet.jpg", "report.json")
"""The report about a data set, which may lie beside it and is no part of it."""
OWN_FILES = (MANIFEST, PREVIOUS, LOCK_FILE, LEFT_OUT_FILE, *REPORT_FILES)
"""What a data set's folder holds beside the writers' files."""

# What makes a name need work: what files or XML cannot hold, a component that is empty, "." or "..", a drive, and the
# mark of a name that was changed, which no other name may have.
_SUSPECT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\ufffe\uffff]|(?:^|/)\.{0,2}(?:/|$)|^[A-Za-z]:"
    r"|~[0-9a-f]{16}(?:\.[A-Za-z0-9]{1,5})?$"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\ufffe\uffff]")
_DRIVE = re.compile(r"[A-Za-z]:")
# File systems allow 255 bytes a component; the rest is kept for suffixes added here and by whoever copies the files.
_MAX_COMPONENT = 200
_MAX_PATH = 1000


def safe_name(name: str, unwanted: re.Pattern[str] | None = None) -> str:
    """Return a relative path with forward slashes that stays where it is put.

    ``..`` becomes ``__``, empty components and ``.`` disappear (so an absolute path becomes relative), a drive's colon,
    backslashes and control characters become ``_``; a component of more than 200 bytes is shortened, and the folders
    of a path of more than 1,000 become one. A changed name ends, before its extension, with ``~`` and 16 hexadecimal
    digits of the given name's SHA-256: two names never become one, in whatever order they come, and nothing needs to be
    remembered.

    :param name: task name.
    :param unwanted: finds, with matches of no width, where a format cannot have a component begin as it does; there the
        name gets a ``_``.
    :returns: the path; the same name for a name that needed no change.
    """
    # 50 characters cannot be more than 200 bytes.
    suspect = _SUSPECT.search(name) or (unwanted and unwanted.search(name))
    if not suspect and (len(name) <= 50 or (len(name) <= _MAX_COMPONENT and name.isascii())):
        return name
    parts = [part for part in _CONTROL.sub("_", name).split("/") if part not in ("", ".")]
    folders = ["__" if part == ".." else _shortened(part) for part in parts[:-1]]
    last = "__" if parts[-1:] == [".."] else "".join(parts[-1:]) or "_"
    if not suspect and [*folders, _shortened(last)] == parts and len(name.encode()) <= _MAX_PATH:
        return name
    stem, extension = split_extension(last)
    room = _MAX_COMPONENT - len(extension) - 17
    last = f"{stem.encode()[:room].decode(errors='ignore')}~{_digest(name, 16)}{extension}"
    first, *others = [*folders, last]
    path = "/".join([first.replace(":", "_", 1) if _DRIVE.match(first) else first, *others])
    if unwanted:
        path = unwanted.sub("_", path)
    if len(path.encode()) <= _MAX_PATH:
        return path
    return f"{_digest('/'.join(folders), 8)}/{path.rpartition('/')[2]}"


def split_extension(path: str) -> tuple[str, str]:
    """Split a path into stem and extension of the last component.

    An extension is what a media file has: one to five letters or digits, not all digits, so that ``shot.1`` and
    ``shot.2`` stay two names.

    :param path: path with forward slashes.
    :returns: stem with its folders, and the extension with its dot or an empty string.
    """
    stem, dot, extension = path.rpartition(".")
    if not dot or not stem or stem.endswith("/") or not _EXTENSION.fullmatch(extension):
        return path, ""
    return stem, dot + extension


_EXTENSION = re.compile(r"(?!\d+$)[A-Za-z0-9]{1,5}")


class Paths:
    """Paths that are taken, and what stands in the way of another: the same path, or a file with the name of a folder.

    Upper and lower case count as the same, and so do the two ways to write an accent: they are the same file on many
    machines.

    :param taken: paths that are taken from the start.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._files = Seen(_key(path) for path in taken)
        self._folders = Seen([""])
        self._last: dict[str, int] = {}
        self._last_beside: dict[str, int] = {}

    def _numbers_for(self, path: str) -> Iterator[int]:
        """Count from 2 for names that are to be like a path, but beyond what an earlier call has come to.

        Those up to there are taken and stay so. To try them again would cost the square of such names.
        """
        key = _key(path)
        for number in count(self._last.get(key, 1) + 1):
            self._last[key] = number
            yield number

    def _beside_files(self, path: str) -> str:
        """Rename the first folder of a path that exists as a file, as often as needed."""
        parts = path.split("/")
        for end in range(1, len(parts)):
            name = parts[end - 1]
            if _key("/".join(parts[:end])) not in self._files:
                continue
            last = self._last_beside.get(key := _key("/".join(parts[:end])), 2)
            for number in count(last):
                parts[end - 1] = f"{name}~{number}"
                if _key("/".join(parts[:end])) not in self._files:
                    self._last_beside[key] = number
                    break
        return "/".join(parts)

    def take(self, path: str) -> bool:
        """Claim a path, if it can be a file beside all others.

        :param path: relative path with forward slashes.
        :returns: whether it can.
        """
        return self._take(_key(path))

    def _take(self, key: str) -> bool:
        """Claim a path unless it is a file or folder already, or one of its folders is a file."""
        if key in self._files or key in self._folders:
            return False
        folders = []
        folder = key.rpartition("/")[0]
        while folder not in self._folders:
            if folder in self._files:
                return False
            folders.append(folder)
            folder = folder.rpartition("/")[0]
        for folder in folders:
            self._folders.add(folder)
        self._files.add(key)
        return True


def _key(path: str) -> str:
    """Return what is the same for paths that are one file somewhere."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path.casefold())


class PictureNames(Paths):
    """Gives every task of one export a name under which its picture, and with it its other files, can lie.

    Decided in the order of the tasks, before the first picture comes: where two would lie at one path, or one where
    another has a folder, the later one gets a number, ``a~2.jpg``.

    :param reserved: finds, with matches of no width, where the path of a picture needs a ``_``, or it would meet other
        files of the data set: one of the patterns below.
    """

    def __init__(self, reserved: re.Pattern[str] | None = None) -> None:
        super().__init__()
        self._reserved = reserved
        self.changed: int = 0

    def name_for(self, name: str) -> str:
        """Return a name whose :func:`safe_name` is a path that no earlier call has returned.

        :param name: task name.
        :returns: the same name where that is possible; :attr:`changed` counts the others.
        """
        safe = safe_name(name)
        wanted = self._reserved.sub("_", safe) if self._reserved else safe
        if wanted is safe or wanted == safe:
            if self.take(safe):
                return name
        elif self.take(safe_name(wanted)):
            self.changed += 1
            return wanted
        self.changed += 1
        stem, extension = split_extension(self._beside_files(wanted))
        candidate = stem + extension
        numbers = self._numbers_for(candidate)
        while not self.take(safe_name(candidate)):
            candidate = f"{stem}~{next(numbers)}{extension}"
        return candidate


def _before(*names: str) -> str:
    """Return an expression for the place before a path that is, or begins with, one of some names."""
    return rf"^(?=(?:{'|'.join(map(re.escape, names))})(?:/|$))"


BESIDE_OWN_FILES = re.compile(_before(*OWN_FILES), re.IGNORECASE)
"""For pictures at the root of a data set: they are none of its own files, nor folders of these names."""
BESIDE_JSON = re.compile(rf"{_before(*REPORT_FILES[:2])}|(?:(?<=\.json)|(?<=\.jsonl))(?=/|$)", re.IGNORECASE)
"""For pictures beside JSON files and JSON Lines of any name, and beside the other files of a report."""
BESIDE_IMAGES = re.compile(r"^(?=images/)", re.IGNORECASE)
"""For pictures in ``images/`` and other files of the tasks at the root: those of a folder ``images`` lie elsewhere."""


class OutputNames(Paths):
    """Gives every task of one export its own path.

    Two names that want one path are told apart in the order in which they come: the first has ``a.txt``, the next
    keeps its extension, ``a.png.txt``, and any further one a number, ``a.png~2.txt``.

    :param suffix: what replaces the extension, e.g. ``.txt``.
    :param taken: paths that no task may have.
    :param unwanted: as for :func:`safe_name`.
    """

    def __init__(self, suffix: str, taken: Iterable[str] = (), unwanted: re.Pattern[str] | None = None) -> None:
        super().__init__(taken)
        self._suffix = suffix
        self._unwanted = unwanted
        self.changed: int = 0

    def path_for(self, name: str) -> str:
        """Return a path no earlier call has returned.

        :param name: task name.
        :returns: relative path with forward slashes, ending in the suffix. :attr:`changed` counts the paths that are
            not simply the name with its extension replaced.
        """
        safe = safe_name(name, self._unwanted)
        stem, extension = split_extension(safe)
        path = stem + self._suffix
        key = _key(path)
        folder = key.rpartition("/")[0]
        if safe is name and key not in self._files and folder in self._folders and key not in self._folders:
            self._files.add(key)
            return path
        changed = safe != name
        if not self._take(key):
            changed = True
            safe = self._beside_files(safe)
            numbers = self._numbers_for(safe)
            path = safe + self._suffix if extension else f"{safe}~{next(numbers)}{self._suffix}"
            while not self.take(path):
                path = f"{safe}~{next(numbers)}{self._suffix}"
        self.changed += changed
        return path


def plain_file_name(name: str, suffix: str) -> str:
    """Check a file name a caller chose.

    :param name: file name without folders.
    :param suffix: how it must end, upper or lower case.
    :returns: the name.
    :raises ValueError: it names a folder, holds control characters, or ends otherwise.
    """
    if not name.lower().endswith(suffix) or "/" in name or _SUSPECT.search(name):
        raise ValueError(f"{name!r} is no plain file name ending in {suffix}: give the folder in its own argument")
    return name


def _shortened(part: str) -> str:
    """Cut a folder's name to the UTF-8 bytes a component may have, and add a digest to one that was longer."""
    raw = part.encode()
    if len(raw) <= _MAX_COMPONENT:
        return part
    return f"{raw[: _MAX_COMPONENT - 9].decode(errors='ignore')}~{_digest(part, 8)}"


def _digest(text: str, digits: int) -> str:
    """Hexadecimal digits that tell names apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
