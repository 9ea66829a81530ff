"""The rows of a manifest, one for each file: a table on disk, so that memory stays flat however many there are.

The table is SQLite's, in a file without a name: it goes with the process, however that ends.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.digests import Facts

if TYPE_CHECKING:
    Row = Mapping[str, Any]

_WAITING = 1000
"""Rows that are put in together."""
_CACHE_KIB = 4096
_LONGEST_FOLDER = 400
"""Bytes of a folder's path, of which SQLite takes 512 with the name."""
# One writer, nothing to recover, and no locks, which some network file systems do not have.
_SET_UP = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -{_CACHE_KIB};
CREATE TABLE rows (key BLOB PRIMARY KEY, path TEXT, size INTEGER, sha256 TEXT, md5 TEXT) WITHOUT ROWID;
BEGIN;
"""
_ONE = "SELECT path, size, sha256, md5 FROM rows WHERE key = ?"
_COLUMNS = ("path", "size", "sha256", "md5")


class Rows(Mapping[str, "Row"]):
    """Path -> row of a manifest, in the order of the paths. May be used from any thread.

    :param folder: existing folder of ours on whose disk the table lies, without a name; ``None``, or one whose path is
        too long for SQLite, for the temporary folder of the system, where it only lies once it is large.
    :raises OSError: the table cannot be made. In all that reads and writes: the disk is full.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._waiting: dict[bytes, tuple[Any, ...]] = {}
        with _full_disk_said():
            if folder is None or len(os.fsencode(folder.absolute())) > _LONGEST_FOLDER:
                self._table = _connected("")
                return
            handle, name = tempfile.mkstemp(prefix=".rows-", dir=folder)
            os.close(handle)
            try:
                self._table = _connected(f"{Path(name).absolute().as_uri()}?nolock=1")
            finally:
                os.unlink(name)  # noqa: PTH108

    def close(self) -> None:
        """Forget the rows, and give the disk its room back."""
        self._table.close()

    def __del__(self) -> None:
        if hasattr(self, "_table"):
            self._table.close()

    def put(self, row: Row, key: str | None = None) -> None:
        """Take a row in, in place of any earlier one of the same key.

        :param row: of ``path``, ``size``, ``sha256`` and ``md5`` those that it has.
        :param key: the key, if it is not the path.
        """
        path = row["path"]
        self._put(path if key is None else key, (None if key is None else path, *map(row.get, _COLUMNS[1:])))

    def note(self, path: str, facts: Facts) -> None:
        """Take in the row of a file; see :class:`~.noted.Account`.

        :param path: the file's path.
        :param facts: of the file.
        """
        self._put(path, (None, *facts))

    def facts_of(self, path: str) -> Facts | None:
        """Return the facts of a file, if there is a row of it.

        :param path: the file's path.
        """
        found = self._find(path)
        return None if found is None else Facts(*found[1:])

    def remove(self, path: str) -> None:
        """Take a row out.

        :param path: its key.
        """
        with self._lock, _full_disk_said():
            self._flush()
            self._table.execute("DELETE FROM rows WHERE key = ?", (_key(path),))

    def count(self, prefix: str) -> int:
        """Return how many keys begin so.

        :param prefix: the beginning.
        """
        start = _key(prefix)
        with self._lock, _full_disk_said():
            self._flush()
            found = self._table.execute(
                "SELECT count(*) FROM rows WHERE key >= ? AND substr(key, 1, ?) = ?", (start, len(start), start)
            ).fetchone()
            return int(found[0])

    def below(self, prefix: str) -> Iterator[Row]:
        """Yield the rows whose keys begin so, in order, without that beginning. Rows put in meanwhile may be missing.

        :param prefix: the beginning; empty for all.
        """
        start = _key(prefix)
        after = start
        while True:
            with self._lock, _full_disk_said():
                self._flush()
                found = self._table.execute(
                    "SELECT key, path, size, sha256, md5 FROM rows WHERE key >= ? ORDER BY key LIMIT ?",
                    (after, _WAITING),
                ).fetchall()
            for key, *values in found:
                if not key.startswith(start):
                    return
                yield _row(key[len(start) :], values)
            if len(found) < _WAITING:
                return
            after = found[-1][0] + b"\0"

    def __getitem__(self, key: str) -> Row:
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return _row(_key(key), found)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (row["path"] for row in self.below(""))

    def __len__(self) -> int:
        return self.count("")

    def _put(self, key: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            self._waiting[_key(key)] = values
            if len(self._waiting) >= _WAITING:
                with _full_disk_said():
                    self._flush()

    def _flush(self) -> None:
        if self._waiting:
            rows = [(key, *values) for key, values in self._waiting.items()]
            self._table.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", rows)
            self._waiting.clear()

    def _find(self, key: str) -> tuple[Any, ...] | None:
        raw = _key(key)
        with self._lock:
            if (waiting := self._waiting.get(raw)) is not None:
                return waiting
            try:  # asked for each file: a context manager would cost a fifth of it
                found: tuple[Any, ...] | None = self._table.execute(_ONE, (raw,)).fetchone()
            except sqlite3.OperationalError as error:
                raise _as_of_the_system(error) from error
            return found


def _connected(uri: str) -> sqlite3.Connection:
    table = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    table.executescript(_SET_UP)
    return table


def _key(path: str) -> bytes:
    """Return a path as bytes, which are in the same order."""
    return path.encode("utf-8", "surrogateescape")


def _row(key: bytes, values: tuple[Any, ...] | list[Any]) -> Row:
    path = values[0] if values[0] is not None else key.decode("utf-8", "surrogateescape")
    row = zip(_COLUMNS, (path, *values[1:]), strict=True)
    return {name: value for name, value in row if value is not None}


@contextmanager
def _full_disk_said() -> Iterator[None]:
    """Say it as the system does where the table's disk is full."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _as_of_the_system(error) from error


def _as_of_the_system(error: sqlite3.OperationalError) -> OSError:
    if error.sqlite_errorcode == sqlite3.SQLITE_IOERR_WRITE:  # SQLite does not tell these from each other
        return OSError(errno.EDQUOT, "No room by a quota or by a limit on the size of files, or a fault of the disk,")
    number = errno.ENOSPC if error.sqlite_errorcode == sqlite3.SQLITE_FULL else errno.EIO
    return OSError(number, os.strerror(number))
