"""Finds what a folder holds and turns it into future tasks with deterministic names.

A folder is a local path or any object with the ``pathlib`` interface over an fsspec file system, such as Airflow's
``ObjectStoragePath``. The name of a task is the path relative to the folder, with forward slashes, so that the same
folder always means the same tasks. Kinds whose task is a folder (sequential images, for instance) take each direct
sub-folder as one task.

Folders come from strangers: links that lead out of one are left out and counted, unless the caller has them followed,
and only regular files are opened.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.files import is_image, walk
from airflow_provider_fastlabel.pipelines.files.buckets import store_listed
from airflow_provider_fastlabel.pipelines.files.globs import Glob
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, Problem
from airflow_provider_fastlabel.pipelines.files.source import Source, base_name
from airflow_provider_fastlabel.pipelines.files.source_table import Sources
from airflow_provider_fastlabel.pipelines.files.stored import kind_at, list_files
from airflow_provider_fastlabel.regular_files import LEAVES, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

_DOTS = re.compile(r"(?:^|/)\.\.?(?:/|$)")
_LEADS_AWAY = "has a part '.' or '..' in its key, which names no folder; rename the object, or narrow `pattern`"
_OF_SYSTEMS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
"""What Windows leaves in folders by itself, in lower case; macOS hides what it leaves."""
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "modified", "created")
"""What listings of object stores call the mark of a version of an object, the surest first."""


@dataclass(slots=True)
class Found:
    """What a folder holds.

    :param sources: the future tasks, in ascending name order, on disk.
    :param problems: files that cannot belong to any task.
    :param left_out: the files that the pattern left out.
    :param links: links that lead out of the folder and are left out; of a folder with a slash behind.
    :param irregular: what has the name of a file and is none -> what it is.
    :param pattern: the pattern.
    :param extensions: endings of what becomes a task, lower case, with the dot.
    """

    sources: Sources = field(default_factory=Sources)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    irregular: dict[str, str] = field(default_factory=dict)
    pattern: str = "**/*"
    extensions: frozenset[str] = frozenset()
    _glob: Glob = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._glob = Glob(self.pattern)

    @property
    def unusable(self) -> dict[str, str]:
        """What cannot be opened -> why; a linked folder has a slash behind its name."""
        return dict.fromkeys(self.links, LEAVES) | self.irregular

    def links_in_words(self) -> str:
        """Say how many links are left out and what can be done, empty if none is."""
        if not self.links:
            return ""
        count = f"{len(self.links)} links lead" if len(self.links) > 1 else "1 link leads"
        return (
            f"{count} out of the folder and were left out (first: {foreign_text(repr(self.links[0]))}); "
            "if that is where the files are, give follow_links=True. "
        )

    def selects(self, name: str) -> bool:
        """Tell whether the pattern would take a file that is not there, of this name or of its stem.

        :param name: path relative to the folder, of a missing picture or of its annotation file.
        """
        stem = str(PurePosixPath(name).with_suffix("")) if PurePosixPath(name).name else name
        return any(self._glob.matches(place) for place in (name, *(stem + ending for ending in self.extensions)))


def find_sources(
    folder: Any,
    *,
    extensions: Collection[str],
    by_folder: bool = False,
    pattern: str = "**/*",
    pictures_only: bool = False,
    follow_links: bool = False,
) -> Found:
    """List a folder as future tasks.

    Hidden files and folders (name starting with a dot), ``Thumbs.db`` and ``desktop.ini`` are left out.

    Links that lead out of a local folder are left out, too; a task's folder that holds one is a problem, for the task
    would lack a part. What is no regular file is a problem. The folder itself may be a link.

    :param folder: a local path, or an object with the ``pathlib`` interface over an fsspec file system.
    :param extensions: the kind's file extensions, in lower case, with or without the dot.
    :param by_folder: each direct sub-folder is one task (otherwise each file is).
    :param pattern: glob the path relative to the folder must match; ``**`` crosses folders.
    :param pictures_only: files that are no pictures by their ending may lie beside them: annotation files, lists of
        classes, licences.
    :param follow_links: whether links that lead out of the folder are followed.
    :returns: the sources, sorted by name, files that cannot become a task, and links that were left out.
    :raises ImportRefused: the folder does not exist or is not a folder, or two of its objects would have one name.
    """
    glob = Glob(pattern)
    media = {_dotted(extension) for extension in extensions}
    found = Found(pattern=pattern, extensions=frozenset(media))
    files = Sources() if by_folder else found.sources
    for item in _list_files(folder, found, follow_links=follow_links):
        suffix = PurePosixPath(item.name).suffix.lower()
        leads_away = _DOTS.search(item.name) is not None
        hidden = not leads_away and any(part.startswith(".") for part in item.name.split("/"))
        if hidden or base_name(item.name).lower() in _OF_SYSTEMS or (pictures_only and not is_image(item.name)):
            continue
        if not glob.matches(item.name):
            found.left_out.append(item.name)
        elif leads_away:
            found.problems.append(Problem(item.name, _LEADS_AWAY))
        elif suffix not in media:
            found.problems.append(Problem(item.name, _unknown(suffix, media)))
        elif item.name in found.irregular:
            found.problems.append(Problem(_task_of(item.name, by_folder), _of(item.name, found.irregular, by_folder)))
        elif (other := files.add(item)) is not None:
            raise _shared_name(item, other)
    _sort_links(found, glob, by_folder=by_folder, pictures_only=pictures_only)
    if by_folder:
        found.problems += _empty_folders(folder, found.links)
        found.sources = Sources(_group(files, found))
    found.problems.sort()
    return found


def _sort_links(found: Found, glob: Glob, *, by_folder: bool, pictures_only: bool) -> None:
    """Keep those links that would have been tasks or hold some; one within a task's folder is a problem of the task."""
    kept = []
    for name in sorted(found.links):
        if not name.endswith("/") and not glob.matches(name):
            found.left_out.append(name)
        elif by_folder and name.find("/") not in (-1, len(name) - 1):
            found.problems.append(Problem(_task_of(name, by_folder), _of(name, {name: LEAVES}, by_folder)))
        elif name.endswith("/") or is_image(name) or not pictures_only:
            kept.append(name)
    found.links = kept


def _shared_name(item: Source, other: Source) -> ImportRefused:
    """Return the error of objects that would be one task: the slashes before a name are not part of it."""
    places = " and ".join(foreign_text(each.location) for each in (other, item))
    return ImportRefused(
        f"{places} would both be called {item.name!r}, and one of them would be missing. Nothing was created. "
        "Rename one of them, or narrow `pattern`."
    )


def _task_of(name: str, by_folder: bool) -> str:
    """Return the task that a file belongs to."""
    return name.partition("/")[0] if by_folder else name


def _of(name: str, why: Mapping[str, str], by_folder: bool) -> str:
    """Say what is wrong with a file, naming it where it is only part of a task."""
    return (
        f"{name.partition('/')[2]} in it cannot be sent: {why[name]}" if by_folder else f"cannot be sent: {why[name]}"
    )


def _empty_folders(folder: Any, links: Collection[str]) -> Iterator[Problem]:
    """Name the local sub-folders that hold nothing; an object store has no empty folders."""
    root = local_path(folder)
    for child in sorted(root.iterdir()) if root is not None else ():
        if f"{child.name}/" in links:
            continue
        if child.is_dir() and not child.name.startswith(".") and not any(child.iterdir()):
            yield Problem(child.name, "is an empty folder; each direct sub-folder is one task and holds its files")


def _group(files: Sources, found: Found) -> Iterator[Source]:
    """Gather the files of each direct sub-folder into one source; in the order of their names they lie together."""
    for name, items in groupby(files, key=lambda item: item.name.partition("/")[0]):
        group = []
        for item in items:
            depth = item.name.count("/")
            if depth == 1:
                group.append(item)
            else:
                where = "directly in the folder" if not depth else "in a sub-folder of a task's folder"
                found.problems.append(
                    Problem(item.name, f"lies {where}; each direct sub-folder is one task and holds its files")
                )
        if group:
            yield _folder_of(name, group)


def _folder_of(name: str, group: list[Source]) -> Source:
    """Return the source of one sub-folder."""
    size, first = sum(item.size for item in group), group[0]
    stamp = ""
    if all(item.stamp for item in group):
        parts = "\n".join(f"{item.size} {item.stamp} {base_name(item.name)}" for item in group)
        stamp = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:32]
    location = first.location.rpartition("/")[0]
    return Source(name, location, size, first.filesystem, tuple(group), first.inside, stamp)


def _list_files(folder: Any, found: Found, *, follow_links: bool) -> Iterator[Source]:
    path = local_path(folder)
    if path is None:
        yield from _listing(folder, folder.fs, found)
    else:
        if not path.exists():
            raise ImportRefused(
                f"The folder {path} does not exist on this worker. Nothing was created. Check `folder`."
            )
        if not path.is_dir():
            kind = kind_of(path.stat().st_mode).replace("regular ", "")
            raise ImportRefused(f"{path} is {kind}, not a folder. Nothing was created. Give the folder that holds it.")
        yield from _walk(path, found, follow_links=follow_links)


def _walk(root: Path, found: Found, *, follow_links: bool) -> Iterator[Source]:
    """List a local tree."""
    inside = "" if follow_links else os.path.realpath(root)
    try:
        for level in walk(root, follow_links=follow_links):
            found.links += [level.prefix + name for name in level.outside]
            for entry in level.files:
                name, size, stamp = level.prefix + entry.name, -1, ""
                # A dangling link is listed all the same, for the checks to report.
                with suppress(OSError):
                    status = entry.stat()
                    size, stamp = status.st_size, str(status.st_mtime_ns)
                    if not stat.S_ISREG(status.st_mode):
                        found.irregular[name] = f"it is {kind_of(status.st_mode)}, not a regular file"
                yield Source(name, entry.path, size, inside=inside, stamp=stamp)
    except OSError as error:
        raise ImportRefused(f"The folder cannot be read: {error}. Nothing was created.") from error


def _listing(folder: Any, filesystem: Any, found: Found) -> Iterator[Source]:
    """List an object store with as few requests as it takes; keys that end in a slash are markers, not files."""
    root = str(folder.path).rstrip("/")
    try:
        with store_listed(folder):
            entries = list_files(folder)
            there = bool(entries) or bool(kind_at(folder))
    except FileNotFoundError:
        entries, there = {}, False
    if root in entries:
        raise ImportRefused(f"{folder} is a file, not a folder. Nothing was created. Give the folder that holds it.")
    if not there:
        raise ImportRefused(
            f"The folder {folder} does not exist. Nothing was created. Check `folder` and its connection."
        )
    for key, entry in entries.items():
        name = key[len(root) :].lstrip("/")
        if name and not key.endswith("/"):
            try:
                checked_name(base_name(key))  # by which it would lie on this machine to be sent
            except UnsafeNameError as error:
                found.irregular[name] = f"its name {error.why}"
            yield Source(name, key, int(entry.get("size") or 0), filesystem, stamp=_stamp(entry))


def _stamp(entry: Mapping[str, Any]) -> str:
    """Return what the listing of a store says of when, or as what, an object was written."""
    return next((str(entry[key]) for key in _STAMPS if entry.get(key)), "")


def _unknown(suffix: str, media: set[str]) -> str:
    kinds = ", ".join(sorted(media))
    return f"is of type {suffix or 'unknown'}, this project takes {kinds}; move it away or narrow `pattern`"


def _dotted(extension: str) -> str:
    return "." + extension.lower().lstrip(".")
