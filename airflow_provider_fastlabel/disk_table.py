"""A table on disk, by name, so that memory stays flat however many rows it has.

The table is SQLite's, in a file without a name: it goes with the process, however that ends. A small one never leaves
memory.
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
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")

AT_A_TIME = 1000
"""Rows that are put in, and read, together."""
_CACHE_KIB = 1024
_LONGEST_FOLDER = 400
"""Bytes of a folder's path, of which SQLite takes 512 with the name."""
# One writer, nothing to recover, and no locks, which some network file systems do not have.
_SET_UP = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -{_CACHE_KIB};
"""


class DiskTable(Mapping[str, T], Generic[T]):
    """Key -> value, in the order of the keys. May be used from any thread.

    A kind of table names its ``columns`` and how a value becomes a row and a row a value.

    :param folder: existing folder of ours on whose disk the table lies, without a name; ``None``, or one whose path is
        too long for SQLite, for the temporary folder of the system, where it only lies once it is large.
    :raises OSError: the table cannot be made. In all that reads and writes: the disk is full.
    """

    columns: ClassVar[tuple[str, ...]]

    def __init__(self, folder: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._waiting: dict[bytes, tuple[Any, ...]] = {}
        self._names = ", ".join(self.columns)
        self._one = f"SELECT {self._names} FROM rows WHERE key = ?"
        self._insert = f"INSERT OR REPLACE INTO rows VALUES (?{', ?' * len(self.columns)})"
        with _full_disk_said():
            if folder is None or len(os.fsencode(folder.absolute())) > _LONGEST_FOLDER:
                self._table = self._connected("")
                return
            handle, name = tempfile.mkstemp(prefix=".rows-", dir=folder)
            os.close(handle)
            try:
                self._table = self._connected(f"{Path(name).absolute().as_uri()}?nolock=1")
            finally:
                os.unlink(name)  # noqa: PTH108

    def to_row(self, value: T) -> tuple[Any, ...]:
        """Return the columns of a value.

        :param value: the value.
        """
        raise NotImplementedError

    def to_value(self, key: str, row: tuple[Any, ...]) -> T:
        """Return the value of a row.

        :param key: its key.
        :param row: its columns.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Forget the rows, and give the disk its room back."""
        self._table.close()

    def __del__(self) -> None:
        if hasattr(self, "_table"):
            self._table.close()

    def remove(self, key: str) -> None:
        """Take a row out.

        :param key: its key, which need not be there.
        """
        with self._lock, _full_disk_said():
            self._flush()
            self._table.execute("DELETE FROM rows WHERE key = ?", (as_bytes(key),))

    def count(self, prefix: str) -> int:
        """Return how many keys begin so.

        :param prefix: the beginning.
        """
        start = as_bytes(prefix)
        with self._lock, _full_disk_said():
            self._flush()
            found = self._table.execute(
                "SELECT count(*) FROM rows WHERE key >= ? AND substr(key, 1, ?) = ?", (start, len(start), start)
            ).fetchone()
            return int(found[0])

    def rows_from(self, start: str) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
        """Yield keys with their rows, in order. Rows put in meanwhile may be missing.

        :param start: the smallest key.
        """
        after = as_bytes(start)
        while True:
            with self._lock, _full_disk_said():
                self._flush()
                found = self._table.execute(
                    f"SELECT key, {self._names} FROM rows WHERE key >= ? ORDER BY key LIMIT ?", (after, AT_A_TIME)
                ).fetchall()
            for key, *row in found:
                yield key, tuple(map(_told, row))
            if len(found) < AT_A_TIME:
                return
            after = found[-1][0] + b"\0"

    def __getitem__(self, key: str) -> T:
        found = self.find_row(key)
        if found is None:
            raise KeyError(key)
        return self.to_value(key, found)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.find_row(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (as_text(key) for key, _ in self.rows_from(""))

    def __len__(self) -> int:
        return self.count("")

    def __setitem__(self, key: str, value: T) -> None:
        self.put_row(key, self.to_row(value))

    def put_row(self, key: str, row: tuple[Any, ...]) -> None:
        """Take a row in, in place of any earlier one.

        :param key: its key.
        :param row: its columns.
        """
        with self._lock:
            self._waiting[as_bytes(key)] = row
            if len(self._waiting) >= AT_A_TIME:
                with _full_disk_said():
                    self._flush()

    def find_row(self, key: str) -> tuple[Any, ...] | None:
        """Return the columns of a row, if it is there.

        :param key: its key.
        """
        raw = as_bytes(key)
        with self._lock:
            if (waiting := self._waiting.get(raw)) is not None:
                return waiting
            try:  # asked for each file: a context manager would cost a fifth of it
                found: tuple[Any, ...] | None = self._table.execute(self._one, (raw,)).fetchone()
            except sqlite3.OperationalError as error:
                raise _as_of_the_system(error) from error
            return None if found is None else tuple(map(_told, found))

    def _flush(self) -> None:
        if self._waiting:
            self._table.executemany(self._insert, [(key, *map(_stored, row)) for key, row in self._waiting.items()])
            self._waiting.clear()

    def _connected(self, uri: str) -> sqlite3.Connection:
        table = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        table.executescript(f"{_SET_UP}CREATE TABLE rows (key BLOB PRIMARY KEY, {self._names}) WITHOUT ROWID; BEGIN;")
        return table


def as_bytes(key: str) -> bytes:
    """Return a key as bytes, which are in the same order.

    :param key: the key; names of files that are no UTF-8 among them.
    """
    return key.encode("utf-8", "surrogatepass")


def as_text(key: bytes) -> str:
    """Return a key as it was before :func:`as_bytes`.

    :param key: the bytes.
    """
    return key.decode("utf-8", "surrogatepass")


def _stored(value: Any) -> Any:
    """Return a text as bytes: what strangers wrote may be none for SQLite."""
    return as_bytes(value) if isinstance(value, str) else value


def _told(value: Any) -> Any:
    return as_text(value) if isinstance(value, bytes) else value


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
