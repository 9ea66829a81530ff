"""The manifest of a published data set is read, and believed only as far as an export can have written it.

It lies where others may write too. The paths in it say which files an export removes, so each passes
:func:`.foreign_names.checked_name`, and what is no manifest of ours is an error before anything is done by it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name
from airflow_provider_fastlabel.formats.reading.json_lists import JsonObject
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.json_text import UnusableJsonError, is_text, parse_json
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.files.buckets import BUCKET_STORES, store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.stored import read_beginning
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ROWS = "files"
_WINDOW_BYTES = 1 << 18
MOST_BYTES = 1 << 30
"""A larger manifest is not read: it would name some four million files."""

_MOST_SIZE = 1 << 63


class DamagedFileError(FastLabelInvalidException):
    """A file by which an earlier export says what it did is not as an export writes it. Nothing was done by it."""

    def __init__(self, place: Any, why: str) -> None:
        super().__init__(
            f"{place} is not as an export writes it: {why}. Nothing was published or changed. Put the file back as it "
            "was; or give `output` another place, or empty this one, to start anew"
        )


class Earlier(NamedTuple):
    """The manifest of an earlier export.

    :param rows: path -> row of its files.
    :param sha256: of the whole manifest, hexadecimal.
    """

    rows: Rows
    sha256: str


def load(target: Any, name: str) -> Earlier | None:
    """Read a manifest, row by row.

    :param target: the data set's local folder, or its path in an object store.
    :param name: of the manifest.
    :returns: the manifest, whose rows have harmless paths; ``None`` if there is none.
    :raises DamagedFileError: it is no regular file, or not what an export writes.
    :raises OSError: it cannot be read.
    """
    with _opened(target, name, MOST_BYTES) as file:
        if file is None:
            return None
        rows, passing = Rows(), _Passing(file)
        for row in _rows_of(passing, target / name):
            rows.put(row)
        return Earlier(rows, passing.sha256())


def is_there(target: Any, name: str) -> bool:
    """Tell whether there is a manifest, and read it to its end to see that it is one.

    :param target: as for :func:`load`.
    :param name: of the manifest.
    :raises DamagedFileError: it is no regular file, or not what an export writes.
    :raises OSError: it cannot be read.
    """
    with _opened(target, name, MOST_BYTES) as file:
        if file is not None:
            for _ in _rows_of(file, target / name):
                pass
        return file is not None


def load_whole(target: Any, name: str) -> dict[str, Any] | None:
    """Read a manifest at once; one of many files takes memory.

    :param target: as for :func:`load`.
    :param name: of the manifest.
    :returns: all that it says; ``None`` if there is none.
    :raises DamagedFileError: it is no regular file, or not what an export writes.
    :raises OSError: it cannot be read.
    """
    raw = read_own(target, name, MOST_BYTES)
    if raw is None:
        return None
    for _ in _rows_of(io.BytesIO(raw), target / name):
        pass
    return dict(parse_json(raw))


def read_own(target: Any, name: str, most: int) -> bytes | None:
    """Read a file that an earlier export wrote into its data set, without following a link or waiting for a pipe.

    :param target: as for :func:`load`.
    :param name: of the file.
    :param most: bytes that it may have.
    :returns: its content; ``None`` if it is not there.
    :raises DamagedFileError: it is no regular file, or larger.
    :raises OSError: it cannot be read.
    """
    with _opened(target, name, most) as file:
        return None if file is None else file.read()


@contextmanager
def _opened(target: Any, name: str, most: int) -> Iterator[BinaryIO | None]:
    """Open such a file; what a store has arrives as a whole, in one answer, so that it is of one moment."""
    local = local_path(target)
    try:
        file = io.BytesIO(_stored(target, name, most)) if local is None else _local(local / name)
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    except NotRegularError as error:
        raise DamagedFileError(target / name, str(error.strerror)) from None
    with file:
        if file.seek(0, os.SEEK_END) > most:
            raise DamagedFileError(target / name, f"it has more than {most:,} bytes")
        file.seek(0)
        yield file


def _local(path: Path) -> BinaryIO:
    if path.is_symlink():
        raise DamagedFileError(path, "it is a symbolic link")
    return open_regular(path)


def _stored(target: Any, name: str, most: int) -> bytes:
    """Read a file of a store, of which only stores with real folders have pipes, links and devices."""
    place = target / name
    if target.protocol not in BUCKET_STORES:
        with store_read(place):
            info = target.fs.info(place.path)
        if info["type"] != "file" or info.get("islink"):
            raise DamagedFileError(place, f"it is no file but {info['type']}")
    # In a bucket there is no look before: it may need the right to list what is there.
    with store_read(place):
        return read_beginning(place, most + 1)


class _Passing(io.RawIOBase):
    """Passes the bytes of a file on to who reads it, and hashes them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self._sha256.update(piece)
        return piece

    def sha256(self) -> str:
        return self._sha256.hexdigest()


def _rows_of(file: Any, place: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a manifest, each once it is seen to be harmless.

    :param file: the manifest, opened; read to its end.
    :param place: where it lies, for messages.
    :raises DamagedFileError: it is not what an export writes.
    """
    lists = 0
    try:
        for key, value in JsonObject(file, window=_WINDOW_BYTES).members():
            if key != _ROWS:
                continue
            lists += 1 if isinstance(value, Iterator) else 2
            rows = (row for batch in value for row in batch.entries) if isinstance(value, Iterator) else ()
            for number, row in enumerate(rows, 1):
                if fault := _fault(row, number):
                    raise DamagedFileError(place, fault)
                yield row
    except UnusableJsonError as error:
        raise DamagedFileError(place, f"it is {error}") from None
    if lists != 1:
        raise DamagedFileError(place, "it has no list of files, or not one alone")


def _fault(row: Any, number: int) -> str:
    """Say why something cannot be a row of ours; empty if it can."""
    if not isinstance(row, dict):
        return f"its file {number} is no object"
    try:
        path = checked_name(row.get("path"))
    except UnsafeNameError as error:
        return f"in file {number}, {error}"
    size, texts = row.get("size", 0), (row.get("sha256", ""), row.get("md5", ""))
    numbered = type(size) is int and abs(size) < _MOST_SIZE
    if path in (MANIFEST, PREVIOUS) or not numbered or not all(isinstance(one, str) and is_text(one) for one in texts):
        return f"its file {number} ({path!r}) has values that no export writes"
    return ""
