"""Many small files into one folder, and tasks that must be read twice."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from airflow_provider_fastlabel.digests import Digest, facts_of
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.noted import NotedFolder

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

_BUFFER = 1 << 18
_REMEMBERED = 10_000
"""Sub-folders that are remembered as made; of more, the system is asked."""


class Folder:
    """The one way of a writer's files into its folder: they are counted, and told to the account if there is one.

    :param place: existing folder.
    :param report: where the files are listed.
    """

    def __init__(self, place: Place, report: ExportReport) -> None:
        self._root = os.fspath(place)
        self._noted = place if isinstance(place, NotedFolder) else None
        self._report = report
        self._made: set[str] = set()

    def make(self, path: str) -> None:
        """Create a sub-folder.

        :param path: relative path with forward slashes.
        """
        if path not in self._made:
            os.makedirs(f"{self._root}/{path}", exist_ok=True)  # noqa: PTH103
            if len(self._made) < _REMEMBERED:
                self._made.add(path)

    def write(self, path: str, content: bytes) -> None:
        """Write one file, with its folders.

        :param path: relative path with forward slashes, safe as :mod:`.naming` makes it.
        :param content: the whole content.
        :raises OSError: the disk is full, or the file cannot be made; the message names it.
        """
        target = self._target(path)
        rest = content
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            while rest:
                rest = rest[os.write(handle, rest) :]
        except OSError as error:
            error.filename = target
            raise
        finally:
            os.close(handle)
        self.count(path)
        if self._noted is not None:
            self._noted.note(path, facts_of((content,)))

    def write_pieces(self, path: str, content: Sequence[bytes | memoryview]) -> None:
        """Write one file without counting it; from any thread.

        :param path: as for :meth:`write`.
        :param content: the content, in pieces.
        :raises OSError: as for :meth:`write`.
        """
        target = self._target(path)
        try:
            with open(target, "wb") as file:
                file.writelines(content)
        except OSError as error:
            error.filename = error.filename or target
            raise
        if self._noted is not None:
            self._noted.note(path, facts_of(content))

    @contextmanager
    def open(self, path: str) -> Iterator[Output]:
        """Write one file piece by piece; it appears under its name when it is complete.

        :param path: as for :meth:`write`.
        :returns: what is written to.
        :raises OSError: the disk is full, or the file cannot be made.
        """
        target = self._target(path)
        self.count(path)
        part = Path(f"{target}.part")
        try:
            with part.open("wb", buffering=_BUFFER) as file:
                output = Output(file, None if self._noted is None else Digest())
                yield output
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        if self._noted is not None and output.digest is not None:
            self._noted.note(path, output.digest.facts())

    def link(self, source: str, of: Place, path: str) -> None:
        """Make a file of another folder one of this one too: a link, or a copy where none can be made.

        :param source: path of the file there.
        :param of: the other folder; what its account knows of the file holds here as well.
        :param path: as for :meth:`write`.
        :raises OSError: it cannot be copied.
        """
        target = self._target(path)
        there = f"{os.fspath(of)}/{source}"
        try:
            # Without this, Linux would link the symbolic link, which leads elsewhere from there.
            os.link(os.path.realpath(there), target)
        except OSError:
            shutil.copyfile(there, target)
        self.count(path)
        facts = of.facts_of(source) if isinstance(of, NotedFolder) else None
        if self._noted is not None and facts is not None:
            self._noted.note(path, facts)

    def count(self, path: str) -> None:
        """List a file in the report; of a folder with an account it is only counted there.

        :param path: as for :meth:`write`.
        """
        self._report.file_count += 1
        if self._noted is None:
            self._report.files.append(path)

    def _target(self, path: str) -> str:
        self.make(path.rpartition("/")[0])
        return f"{self._root}/{path}"


class Output:
    """A file that is being written.

    :param file: the file, opened for writing.
    :param digest: takes in what is written; None where nobody asks for it.
    """

    def __init__(self, file: IO[bytes], digest: Digest | None) -> None:
        self._file = file
        self.digest: Digest | None = digest

    def write(self, piece: bytes) -> int:
        """Write on.

        :param piece: the next bytes.
        :returns: how many they are.
        """
        if self.digest is not None:
            self.digest.update(piece)
        return self._file.write(piece)


@contextmanager
def with_classes(
    tasks: Iterable[Mapping[str, Any]],
    classes: ClassMap,
    kinds: Collection[str],
    folder: Place,
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
    with tempfile.TemporaryFile(dir=os.fspath(folder), buffering=_BUFFER) as spool:
        again: Iterable[Mapping[str, Any]] = tasks if isinstance(tasks, Sequence) else Kept(tasks, spool)
        found = ClassMap.discover(again, tuple(kinds))
        if not classes.open:
            found = ClassMap([*classes, *(one for one in found if one.value in classes)])
        yield again, found


class Kept:
    """Tasks that are written to a file while they are read first, and read from it afterwards.

    :param tasks: task objects; the file takes their JSON.
    :param spool: an empty file, opened for reading and writing.
    """

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
