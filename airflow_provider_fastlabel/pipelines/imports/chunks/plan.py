"""The plan of an import in chunks: a folder in shared storage that the planner writes and every chunk reads.

It holds, for each chunk, three files, and one for all:

``00000.jsonl``
    the chunk: a header line with what is asked, then a line per item with all that the planner knows of it: where the
    file lies, the id of its task if it is one, what earlier runs wrote of it, its pre-annotations. It is written once.
``00000.account.jsonl``
    the manifest of the chunk, as of any import; it is continued by every try.
``00000.result.json``
    how the last try of the chunk has ended.
``plan.json``
    the chunks with their digests, what is known of the import as a whole, and its summary once that is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.files.buckets import BUCKET_STORES, store_asked
from airflow_provider_fastlabel.pipelines.files.local_path import local_path, open_place
from airflow_provider_fastlabel.pipelines.files.placed import put_file
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.files.removal import remove_files
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRATCH = "fastlabel-chunk-"
"""Beginning of the names of temporary folders in which chunks are read."""
_INDEX = "plan.json"
_ACCOUNT = ".account.jsonl"
_FILE = re.compile(r"\.?(?:\d{5,}(?:|\.account|\.result)\.jsonl?|plan\.json)(?:\.\w+)?")
_UNREAD, _UNWRITTEN = "cannot be read as the plan of an import", "cannot be written as the plan of an import"
_AGAIN = "Clear the task that plans, and all after it: it plans anew, and what are tasks already stay"


@dataclass(frozen=True)
class PlanFolder:
    """The folder of a plan.

    :param place: a local path, or an object with the ``pathlib`` interface over an fsspec file system.
    """

    place: Any

    def chunk(self, number: int) -> Any:
        """Return where a chunk lies.

        :param number: its number, from 0.
        """
        return self.place / f"{number:05d}.jsonl"

    def account(self, number: int) -> Any:
        """Return where the manifest of a chunk lies.

        :param number: its number.
        """
        return self.place / f"{number:05d}{_ACCOUNT}"

    def write_chunk(self, number: int, lines: Iterator[dict[str, Any]]) -> str:
        """Write a chunk, and return its digest.

        :param number: its number.
        :param lines: what it says.
        :raises OSError: it cannot be written.
        """
        digest = hashlib.sha256()

        def written() -> Iterator[bytes]:
            for line in lines:
                raw = json.dumps(line).encode() + b"\n"
                digest.update(raw)
                yield raw

        with room_needed(lambda: f"chunk {number} of {self.place} was written"), self._asked(_UNWRITTEN):
            put_file(self.place, self.chunk(number).name, written())
        return digest.hexdigest()

    @contextlib.contextmanager
    def read_chunk(self, number: int, sha256: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Give the lines of a chunk, which is read as a whole before.

        :param number: its number.
        :param sha256: its digest, as :meth:`write_chunk` told.
        :raises ImportRefused: it is not there, or is another one.
        """
        place, digest = self.chunk(number), hashlib.sha256()
        with scratch_folder(SCRATCH) as aside:
            path = aside / "chunk.jsonl"
            try:
                with self._asked(_UNREAD), self._opened(place) as source, path.open("wb") as copy:
                    while piece := source.read(1 << 20):
                        digest.update(piece)
                        copy.write(piece)
            except FileNotFoundError:
                raise ImportRefused(
                    f"The chunk {place} is not there. Nothing of it was created now. If it was planned on another "
                    "machine, name a place that all workers reach as [fastlabel] manifests_path, or as `manifest`; if "
                    f"the whole import has ended well, its plan is gone. {_AGAIN}."
                ) from None
            if digest.hexdigest() != sha256:
                raise ImportRefused(
                    f"The chunk {place} is not the one that was planned: it was changed, or the folder was planned "
                    f"anew. Nothing of it was created now. {_AGAIN}."
                )
            with path.open("rb") as file:
                yield (parse_json(raw) for raw in file)

    def write_result(self, number: int, result: dict[str, Any] | None) -> None:
        """Write how a chunk has ended.

        :param number: its number.
        :param result: the end; ``None`` while the chunk is at work.
        """
        self._write(_result_of(number), result)

    def read_result(self, number: int) -> dict[str, Any] | None:
        """Return how a chunk has ended, ``None`` if it has not.

        :param number: its number.
        """
        return self._read(_result_of(number))

    def write_index(self, index: dict[str, Any]) -> None:
        """Write what is known of the whole.

        :param index: JSON values.
        """
        self._write(_INDEX, index)

    def read_index(self) -> dict[str, Any] | None:
        """Return what is known of the whole, ``None`` if there is no plan."""
        return self._read(_INDEX)

    def accounts(self) -> list[int]:
        """Return the numbers of the chunks that have a manifest."""
        found = (name.removesuffix(_ACCOUNT) for name in self._names() if name.endswith(_ACCOUNT))
        return sorted(int(number) for number in found if number.isdecimal())

    def account_lines(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield what the manifest of a chunk says, line by line; a line that cannot be read is empty.

        :param number: the chunk's number.
        """
        with self._asked(_UNREAD), self._opened(self.account(number)) as file:
            for raw in file:
                yield _parsed(raw)

    def empty(self, *, but_index: bool = False) -> None:
        """Remove what is in the folder; first what makes a plan of it, so that nobody takes the rest for one.

        :param but_index: whether what is known of the whole stays.
        """
        names = set(self._names())
        if not but_index and _INDEX in names:
            self._remove([_INDEX])
        self._remove(sorted(names - {_INDEX}))

    def remove(self) -> None:
        """Remove the folder with what is in it.

        :raises OSError: it cannot be removed, or not all of it.
        """
        self.empty()
        if left := self._names():  # some stores refuse without a word
            raise OSError(f"{len(left)} files of {self.place} are there still")
        path = local_path(self.place)
        if path is not None:
            path.rmdir()
        elif self.place.protocol not in BUCKET_STORES:
            self.place.fs.rmdir(self.place.path)

    def _names(self) -> list[str]:
        """Return the names of all files in the folder, what a killed process has left of one too."""
        path = local_path(self.place)
        if path is not None:
            return [file.name for file in path.iterdir()] if path.is_dir() else []
        with self._asked(_UNREAD):
            self._refresh()
            return [str(key).rpartition("/")[2] for key in self.place.fs.find(self.place.path)]

    def _remove(self, names: Sequence[str]) -> None:
        path = local_path(self.place)
        if path is not None:
            for name in names:
                (path / name).unlink(missing_ok=True)
            return
        with self._asked(_UNWRITTEN):
            remove_files(self.place.fs, [(self.place / name).path for name in names])

    def _write(self, name: str, value: Any) -> None:
        raw = json.dumps({"sha256": _digest(value), "value": value}).encode()
        with room_needed(lambda: f"{self.place / name} was written"), self._asked(_UNWRITTEN):
            put_file(self.place, name, [raw])

    def _read(self, name: str) -> dict[str, Any] | None:
        """Return what was written into a file, ``None`` if it is not there.

        :raises ImportRefused: it is not what was written.
        """
        place = self.place / name
        try:
            with self._asked(_UNREAD), self._opened(place) as file:
                found = parse_json(file.read())
        except FileNotFoundError:
            return None
        except UnusableJsonError as error:
            raise ImportRefused(f"{place} cannot be read: {error}. Nothing was created now. {_AGAIN}.") from None
        if not (isinstance(found, dict) and "value" in found and found.get("sha256") == _digest(found["value"])):
            raise ImportRefused(f"{place} is not as it was written. Nothing was created now. {_AGAIN}.")
        value: dict[str, Any] | None = found["value"]
        return value

    def _opened(self, place: Any) -> Any:
        self._refresh()
        return open_place(place)

    def _asked(self, what: str) -> contextlib.AbstractContextManager[None]:
        """Say what has happened if the store of the plan fails in the block."""
        return store_asked(self.place, what, "What are tasks already stay; run again.", alone=False)

    def _refresh(self) -> None:
        """Forget what a file system has noted of the folder: other machines write into it."""
        if local_path(self.place) is None:
            self.place.fs.invalidate_cache()


def plan_place(beside: str, task: Sequence[str], run: Sequence[str]) -> str:
    """Return the path or URL of a plan's folder; those of all runs of a task lie in one folder.

    :param beside: a folder, with its slash.
    :param task: what names the task that plans, in all of its runs.
    :param run: what tells the run from all others.
    """
    whose = (hashlib.sha256("\n".join(names).encode()).hexdigest()[:12] for names in (task, run))
    return f"{beside}.plans/{'/'.join(whose)}"


def is_of_a_plan(name: str) -> bool:
    """Tell whether a file in a plan's folder is the plan's, or what a killed process has left of one.

    :param name: the file's name.
    """
    return _FILE.fullmatch(name) is not None


def _result_of(number: int) -> str:
    return f"{number:05d}.result.json"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        line = parse_json(raw)
    except UnusableJsonError:
        return {}
    return line if isinstance(line, dict) else {}
