"""The manifest of a published data set is read, and believed only as far as an export can have written it.

It lies where others may write too. The paths in it say which files an export removes, so each passes
:func:`.foreign_names.checked_name`, and what is no manifest of ours is an error before anything is done by it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.files.buckets import BUCKET_STORES
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 30
"""A larger manifest is not read: it would name some four million files."""


class DamagedFileError(FastLabelInvalidException):
    """A file by which an earlier export says what it did is not as an export writes it. Nothing was done by it."""

    def __init__(self, place: Any, why: str) -> None:
        super().__init__(
            f"{place} is not as an export writes it: {why}. Nothing was published or changed. Put the file back as it "
            "was; or give `output` another place, or empty this one, to start anew"
        )


def load(target: Any, name: str) -> dict[str, Any] | None:
    """Read a manifest.

    :param target: the data set's local folder, or its path in an object store.
    :param name: of the manifest.
    :returns: the manifest, whose ``files`` are objects with a harmless ``path``; ``None`` if there is none.
    :raises DamagedFileError: it is no regular file, or not what an export writes.
    :raises OSError: it cannot be read.
    """
    raw = read_own(target, name, MOST_BYTES)
    return None if raw is None else checked(raw, target / name)


def checked(raw: bytes, place: Any) -> dict[str, Any]:
    """Return the manifest that a file holds.

    :param raw: content of the file.
    :param place: where it lies, for messages.
    :raises DamagedFileError: it is not what an export writes.
    """
    try:
        data = parse_json(raw)
    except UnusableJsonError as error:
        raise DamagedFileError(place, f"it is {error}") from None
    if fault := _fault(data):
        raise DamagedFileError(place, fault)
    return dict(data)


def read_own(target: Any, name: str, most: int) -> bytes | None:
    """Read a file that an earlier export wrote into its data set, without following a link or waiting for a pipe.

    :param target: as for :func:`load`.
    :param name: of the file.
    :param most: bytes that it may have.
    :returns: its content; ``None`` if it is not there.
    :raises DamagedFileError: it is no regular file, or larger.
    :raises OSError: it cannot be read.
    """
    local = local_path(target)
    try:
        raw = _read_stored(target, name, most) if local is None else _read_local(local / name, most)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotRegularError as error:
        raise DamagedFileError(target / name, str(error.strerror)) from None
    if len(raw) > most:
        raise DamagedFileError(target / name, f"it has more than {most:,} bytes")
    return raw


def _read_local(path: Path, most: int) -> bytes:
    if path.is_symlink():
        raise DamagedFileError(path, "it is a symbolic link")
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        return file.read(min(size, most) + 1)


def _read_stored(target: Any, name: str, most: int) -> bytes:
    """Read a file of a store, of which only stores with real folders have pipes, links and devices."""
    place = target / name
    if target.protocol not in BUCKET_STORES:
        info = target.fs.info(place.path)
        if info["type"] != "file" or info.get("islink"):
            raise DamagedFileError(place, f"it is no file but {info['type']}")
    try:
        # In a bucket there is no look before: it may need the right to list what is there.
        return bytes(target.fs.cat_file(place.path, start=0, end=most + 1))
    except FileNotFoundError:
        raise
    except OSError:  # an empty object has no first byte to ask for
        return bytes(place.read_bytes())


def _fault(data: Any) -> str:
    """Say why something cannot be a manifest of ours; empty if it can."""
    rows = data.get("files") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return "it has no list of files"
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            return f"its file {number} is no object"
        try:
            path = checked_name(row.get("path"))
        except UnsafeNameError as error:
            return f"in file {number}, {error}"
        texts = (row.get("sha256", ""), row.get("md5", ""))
        if path in (MANIFEST, PREVIOUS) or type(row.get("size", 0)) is not int or not all(map(_is_text, texts)):
            return f"its file {number} ({path!r}) has values that no export writes"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
