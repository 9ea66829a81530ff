"""Many small files into one folder, and tasks that must be read twice."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import orjson

from airflow_provider_fastlabel.formats.writing.classes import ClassMap

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_fastlabel.formats.writing.report import ExportReport

_BUFFER = 1 << 18


class Folder:
    """Writes files below a folder and lists them in the report.

    :param path: existing folder.
    :param report: where the files are listed.
    """

    def __init__(self, path: Path, report: ExportReport) -> None:
        self._root = os.fspath(path)
        self._files = report.files
        self._made: set[str] = set()

    def make(self, path: str) -> None:
        """Create a sub-folder.

        :param path: relative path with forward slashes.
        """
        if path not in self._made:
            os.makedirs(f"{self._root}/{path}", exist_ok=True)  # noqa: PTH103
            self._made.add(path)

    def write(self, path: str, content: bytes) -> None:
        """Write one file, with its folders.

        :param path: relative path with forward slashes, safe as :mod:`.naming` makes it.
        :param content: the whole content.
        :raises OSError: the disk is full, or the file cannot be made; the message names it.
        """
        target = self.reserve(path)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            while content:
                content = content[os.write(handle, content) :]
        except OSError as error:
            error.filename = target
            raise
        finally:
            os.close(handle)

    def reserve(self, path: str) -> str:
        """List a file that somebody else writes, and make its folders.

        :param path: relative path with forward slashes.
        :returns: the path to write to.
        """
        self.make(path.rpartition("/")[0])
        self._files.append(path)
        return f"{self._root}/{path}"


@contextmanager
def with_classes(
    tasks: Iterable[Mapping[str, Any]],
    classes: ClassMap,
    kinds: Collection[str],
    folder: Path,
    *,
    keypoints: bool = False,
) -> Iterator[tuple[Iterable[Mapping[str, Any]], ClassMap]]:
    """Know the classes before the first task is written.

    An open map (or, where keypoints matter, a pose class without any) means reading the tasks twice: a list is simply
    read again, anything else is kept in an unnamed file meanwhile, so that memory stays flat.

    :param tasks: task objects.
    :param classes: map of the caller.
    :param kinds: annotation types whose values count.
    :param folder: where the unnamed file may be.
    :param keypoints: whether the classes' keypoints must be known too.
    :returns: the tasks, to be read once, and a closed map.
    """
    if not classes.open and not (keypoints and any(not one.keypoints for one in classes)):
        yield tasks, classes
        return
    with tempfile.TemporaryFile(dir=folder, buffering=_BUFFER) as spool:
        again: Iterable[Mapping[str, Any]] = tasks if isinstance(tasks, Sequence) else _Kept(tasks, spool)
        found = ClassMap.discover(again, tuple(kinds))
        if not classes.open:
            found = ClassMap([*classes, *(one for one in found if one.value in classes)])
        yield again, found


class _Kept:
    """Tasks that are written to a file while they are read first, and read from it afterwards."""

    def __init__(self, tasks: Iterable[Mapping[str, Any]], spool: IO[bytes]) -> None:
        self._tasks: Iterable[Mapping[str, Any]] | None = tasks
        self._spool = spool

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        if self._tasks is None:
            self._spool.seek(0)
            for line in self._spool:
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError:
                    yield json.loads(line)
            return
        for task in self._tasks:
            try:
                self._spool.write(orjson.dumps(task))
            except orjson.JSONEncodeError:  # half of a surrogate pair, an integer beyond 64 bits: must come back as is
                self._spool.write(json.dumps(task).encode())
            self._spool.write(b"\n")
            yield task
        self._tasks = None
