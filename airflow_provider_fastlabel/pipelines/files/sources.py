"""Finds what a folder holds and turns it into future tasks with deterministic names.

A folder is a local path or any object with the ``pathlib`` interface over an fsspec file system, such as Airflow's
``ObjectStoragePath``. The name of a task is the path relative to the folder, with forward slashes, so that the same
folder always means the same tasks. Kinds whose task is a folder (sequential images, for instance) take each direct
sub-folder as one task.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import place_below
from airflow_provider_fastlabel.formats.files import is_image, walk
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


_TEMPORARY = "fastlabel-import-"
_DOTS = re.compile(r"(?:^|/)\.\.?(?:/|$)")
_LEADS_AWAY = "has a part '.' or '..' in its key, which names no folder; rename the object, or narrow `pattern`"
_BLOCK_BYTES = 64 * 1024
"""What is read at a time of a remote file whose first bytes alone are wanted; file systems default to megabytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """What will become one task.

    :param name: the task's name.
    :param location: the local path, or the key inside ``filesystem``.
    :param size: bytes (for a folder: of all its files).
    :param filesystem: the fsspec file system it lives in; ``None`` means local.
    :param files: for kinds whose task is a folder, its files in ascending name order.
    """

    name: str
    location: str
    size: int
    filesystem: Any = None
    files: tuple[Source, ...] = ()

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Give a local path for as long as the block lasts; what is remote is downloaded and removed afterwards.

        :returns: the path of the file, or of the folder.
        :raises OSError: it is gone, cannot be read, or came down shorter than listed.
        """
        if self.filesystem is None and not self.files:
            yield Path(self.location)
            return
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY) as folder:
            for item in self.files or (self,):
                item._bring(Path(folder))
            yield Path(folder) if self.files else Path(folder, _base_name(self.location))

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Open the file for reading bytes, without a local copy.

        :returns: a binary file that can seek.
        """
        if self.filesystem is None:
            with Path(self.location).open("rb") as file:
                yield file
        else:
            with self.filesystem.open(self.location, "rb", block_size=_BLOCK_BYTES) as remote:
                yield remote

    def _bring(self, folder: Path) -> None:
        path = place_below(folder, _base_name(self.location))
        if self.filesystem is None:
            # A link: of a local folder only the files that belong to the task are to be seen.
            path.symlink_to(Path(self.location).absolute())
            return
        self.filesystem.get_file(self.location, str(path))
        if path.stat().st_size != self.size:
            raise OSError(f"{self.location} was listed with {self.size} bytes but {path.stat().st_size} came down")


@dataclass(slots=True)
class Found:
    """What a folder holds.

    :param sources: the future tasks, in ascending name order.
    :param problems: files that cannot belong to any task.
    :param left_out: the files that the pattern left out.
    :param pattern: the pattern.
    :param extensions: endings of what becomes a task, lower case, with the dot.
    """

    sources: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    pattern: str = "**/*"
    extensions: frozenset[str] = frozenset()

    def selects(self, name: str) -> bool:
        """Tell whether the pattern would take a file that is not there, of this name or of its stem.

        :param name: path relative to the folder, of a missing picture or of its annotation file.
        """
        matches = glob_expression(self.pattern).fullmatch
        stem = str(PurePosixPath(name).with_suffix("")) if PurePosixPath(name).name else name
        return any(matches(place) is not None for place in (name, *(stem + ending for ending in self.extensions)))


def find_sources(
    folder: Any,
    *,
    extensions: Collection[str],
    by_folder: bool = False,
    pattern: str = "**/*",
    pictures_only: bool = False,
) -> Found:
    """List a folder as future tasks. Hidden files and folders (name starting with a dot) are left out.

    :param folder: a local path, or an object with the ``pathlib`` interface over an fsspec file system.
    :param extensions: the kind's file extensions, in lower case, with or without the dot.
    :param by_folder: each direct sub-folder is one task (otherwise each file is).
    :param pattern: glob the path relative to the folder must match; ``**`` crosses folders.
    :param pictures_only: files that are no pictures by their ending may lie beside them: annotation files, lists of
        classes, licences.
    :returns: the sources, sorted by name, and files that cannot become a task.
    :raises ImportRefused: the folder does not exist or is not a folder, or two of its objects would have one name.
    """
    matches = glob_expression(pattern).fullmatch
    media = {_dotted(extension) for extension in extensions}
    found, files = Found(pattern=pattern, extensions=frozenset(media)), []
    for item in _list_files(folder):
        suffix = PurePosixPath(item.name).suffix.lower()
        leads_away = _DOTS.search(item.name) is not None
        hidden = not leads_away and any(part.startswith(".") for part in item.name.split("/"))
        if hidden or (pictures_only and not is_image(item.name)):
            continue
        if not matches(item.name):
            found.left_out.append(item.name)
        elif leads_away:
            found.problems.append(Problem(item.name, _LEADS_AWAY))
        elif suffix not in media:
            found.problems.append(Problem(item.name, _unknown(suffix, media)))
        else:
            files.append(item)
    _refuse_shared_names(files)
    if by_folder:
        found.problems += _empty_folders(folder)
    found.sources = sorted(_group(files, found) if by_folder else files, key=lambda source: source.name)
    found.problems.sort()
    return found


def glob_expression(pattern: str) -> re.Pattern[str]:
    """Translate a glob into a regular expression over a relative path with forward slashes.

    :param pattern: ``*`` and ``?`` stay inside one folder, ``**/`` crosses any number of folders, ``[...]`` is a set.
    :returns: the expression, to be used with ``fullmatch``.
    """
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern)
    return re.compile("".join(pieces.get(part) or _literal(part) for part in parts), re.DOTALL)


def without_temporary(text: str) -> str:
    """Shorten the paths of temporary copies in a message to the names a reader knows.

    :param text: the message.
    :returns: the message without temporary folders.
    """
    return re.sub(rf"(/[^\s'\"]*)?/{_TEMPORARY}[^/\s'\"]+/?", "", text)


def _literal(part: str) -> str:
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        return "[" + part[1:-1].replace("\\", r"\\").replace("!", "^", int(part[1] == "!")) + "]"
    return re.escape(part)


def _refuse_shared_names(files: list[Source]) -> None:
    """Refuse objects that would be one task: the slashes before a name are not part of it."""
    own: dict[str, Source] = {}
    for item in files:
        if (other := own.setdefault(item.name, item)) is not item:
            raise ImportRefused(
                f"{other.location} and {item.location} would both be called {item.name!r}, and one of them would be "
                "missing. Nothing was created. Rename one of them, or narrow `pattern`."
            )


def _empty_folders(folder: Any) -> Iterator[Problem]:
    """Name the local sub-folders that hold nothing; an object store has no empty folders."""
    root = local_path(folder)
    for child in sorted(root.iterdir()) if root is not None else ():
        if child.is_dir() and not child.name.startswith(".") and not any(child.iterdir()):
            yield Problem(child.name, "is an empty folder; each direct sub-folder is one task and holds its files")


def _group(files: list[Source], found: Found) -> Iterator[Source]:
    """Gather the files of each direct sub-folder into one source."""
    groups: defaultdict[str, list[Source]] = defaultdict(list)
    for item in files:
        top, *rest = item.name.split("/")
        if len(rest) == 1:
            groups[top].append(item)
        else:
            where = "directly in the folder" if not rest else "in a sub-folder of a task's folder"
            found.problems.append(
                Problem(item.name, f"lies {where}; each direct sub-folder is one task and holds its files")
            )
    for name, group in groups.items():
        group.sort(key=lambda source: source.name)
        location = group[0].location.rpartition("/")[0]
        yield Source(name, location, sum(item.size for item in group), group[0].filesystem, tuple(group))


def _list_files(folder: Any) -> Iterator[Source]:
    path = local_path(folder)
    if path is None:
        yield from _listing(folder, folder.fs)
    else:
        if not path.exists():
            raise ImportRefused(
                f"The folder {path} does not exist on this worker. Nothing was created. Check `folder`."
            )
        if not path.is_dir():
            raise ImportRefused(f"{path} is a file, not a folder. Nothing was created. Give the folder that holds it.")
        yield from _walk(path)


def _walk(root: Path) -> Iterator[Source]:
    """List a local tree."""
    try:
        for parent, prefix, names in walk(root):
            for name in names:
                location, size = f"{parent}/{name}", -1
                # A dangling link is listed all the same, for the checks to report.
                with suppress(OSError):
                    size = Path(location).stat().st_size
                yield Source(prefix + name, location, size)
    except OSError as error:
        raise ImportRefused(f"The folder cannot be read: {error}. Nothing was created.") from error


def _listing(folder: Any, filesystem: Any) -> Iterator[Source]:
    """List an object store with as few requests as it takes; keys that end in a slash are markers, not files."""
    root = str(folder.path).rstrip("/")
    try:
        entries = filesystem.find(root, withdirs=False, detail=True)
    except FileNotFoundError:
        entries = {}
    if root in entries:
        raise ImportRefused(f"{folder} is a file, not a folder. Nothing was created. Give the folder that holds it.")
    if not entries and not filesystem.exists(root):
        raise ImportRefused(
            f"The folder {folder} does not exist. Nothing was created. Check `folder` and its connection."
        )
    for key, entry in entries.items():
        name = key[len(root) :].lstrip("/")
        if name and not key.endswith("/"):
            yield Source(name, key, int(entry.get("size") or 0), filesystem)


def _unknown(suffix: str, media: set[str]) -> str:
    kinds = ", ".join(sorted(media))
    return f"is of type {suffix or 'unknown'}, this project takes {kinds}; move it away or narrow `pattern`"


def _dotted(extension: str) -> str:
    return "." + extension.lower().lstrip(".")


def _base_name(location: str) -> str:
    return location.rpartition("/")[2]
