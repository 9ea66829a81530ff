"""A finished data set takes its place in an object store, where nothing can be renamed.

``manifest.json`` is the mark of a finished data set: it is taken away before the first file changes and written last,
when also the files are gone that the previous version had and this one has not. A publish that died leaves no
``manifest.json`` but ``manifest.previous.json``, from which the next one knows what to clear away and what had not been
touched. A file stays where it is if :func:`held` finds it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.pipelines.exports.manifests import MOST_BYTES, DamagedFileError, checked, read_own
from airflow_provider_fastlabel.pipelines.files.buckets import make_folder
from airflow_provider_fastlabel.pipelines.files.room import room_needed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Row = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

_UPLOADS = 8
_CHUNK = 1 << 20
_CHANGED = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""What file systems of fsspec call the time at which a file was last written, the surest first."""


class Recorded(NamedTuple):
    """What earlier publishes say.

    :param old: manifest of the finished data set.
    :param before: record of a publish that died, or had only this left to remove.
    :param torn: whether one of the two files is there in part.
    :param sha256: that of the finished data set's manifest, hexadecimal; empty without one.
    """

    old: dict[str, Any] | None
    before: dict[str, Any] | None
    torn: bool
    sha256: str


def recorded(target: Any) -> Recorded:
    """Read both manifests, each once; whoever needs them at the same moment is handed what this returns.

    A store that is no bucket may keep half of the one that a publish died over; the other is whole then. Only the very
    first publish has no other, and nothing but that half.

    :param target: an object-store path.
    :raises DamagedFileError: there is a manifest, and no export can have written it.
    """
    found: dict[str, dict[str, Any] | None] = {}
    digests: dict[str, str] = {}
    damaged: DamagedFileError | None = None
    for name in (MANIFEST, PREVIOUS):
        try:
            raw = read_own(target, name, MOST_BYTES)
            found[name] = None if raw is None else checked(raw, target / name)
            digests[name] = "" if raw is None else hashlib.sha256(raw).hexdigest()
        except DamagedFileError as error:
            damaged = damaged or error
    if damaged and not any(found.values()):
        target.fs.invalidate_cache()
        if MANIFEST not in found or len(target.fs.find(target.path)) > 1:
            raise damaged
    return Recorded(found.get(MANIFEST), found.get(PREVIOUS), damaged is not None, digests.get(MANIFEST, ""))


def held(target: Any, now: Recorded | None = None) -> dict[str, dict[str, Any]]:
    """Find the files of a data set in an object store that are as its manifest says.

    A file counts if it has its size and was not written after the manifest, which comes last: an overwritten one does
    not count, even if it is as long as before. The store is listed, no file is read.

    :param target: an object-store path with ``path`` and ``fs``. After a publish that died, the files that it had not
        touched are found.
    :param now: what :func:`recorded` has just read there; read anew without it.
    :returns: path -> the file's row of the manifest.
    :raises DamagedFileError: there is a manifest, and no export can have written it.
    """
    old, before, _, _ = now or recorded(target)
    manifest, mark = (old, MANIFEST) if old is not None else (before, PREVIOUS)
    if manifest is None:
        return {}
    root = str(target.path).strip("/") + "/"
    target.fs.invalidate_cache()
    listed = target.fs.find(target.path, detail=True).items()
    found = {path.lstrip("/").removeprefix(root): (info["size"], _changed(info)) for path, info in listed}
    _, until = found.get(mark, (0, None))
    rows = {}
    for row in manifest["files"]:
        size, changed = found.get(row["path"], (-1, None))
        if size == row.get("size") and (until is None or changed is None or changed <= until):
            rows[row["path"]] = row
    return rows


def _changed(info: Mapping[str, Any]) -> Any:
    """When a file was last written, in the store's own words; None if the store does not say."""
    return next((info[name] for name in _CHANGED if info.get(name) is not None), None)


def publish_remote(
    staged: Path, target: Any, manifest: Mapping[str, Any], text: bytes, now: Recorded, there: Mapping[str, Row]
) -> bool:
    """Put a data set in its place.

    :param staged: folder with its files, which are copied.
    :param target: its place.
    :param manifest: of the data set.
    :param text: the same as it is written.
    :param now: what :func:`recorded` has read.
    :param there: what :func:`held` found by it.
    :returns: whether it was not there already.
    :raises DiskFullError: the store has no room.
    :raises OSError: a file cannot be read or written.
    """
    with room_needed(
        lambda: (
            f"the data set was copied to {target}. It is not whole there, and has no {MANIFEST} until the export is "
            "repeated: make room in the store first"
        )
    ):
        return _publish(staged, target, manifest, text, now, there)


def _publish(
    staged: Path, target: Any, manifest: Mapping[str, Any], text: bytes, now: Recorded, there: Mapping[str, Row]
) -> bool:
    old, before, torn, digest = now
    rows = {row["path"]: row for row in manifest["files"]}
    fresh = [path for path, row in rows.items() if there.get(path, {}).get("sha256") != row["sha256"]]
    settled = old is not None and before is None and not torn
    if settled and not fresh and digest == hashlib.sha256(text).hexdigest():
        return False
    stale = {row["path"] for one in (old, before) if one for row in one["files"]} - set(rows)
    make_folder(target)
    touched = rows | {path: {"path": path} for path in [*fresh, *sorted(stale)]}
    record = {"files": list(touched.values())}
    _write(target / PREVIOUS, json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
    _remove(target / MANIFEST)
    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="publish") as pool:
        list(pool.map(lambda path: _upload(staged / path, target / path), fresh))
    for path in sorted(stale):
        _remove(target / path)
    _write(target / MANIFEST, text)
    _remove(target / PREVIOUS)
    return True


def _upload(source: Path, target: Any) -> None:
    """Copy one file into the store."""
    if target.parent != target:
        make_folder(target.parent)
    with source.open("rb") as read, target.open("wb") as write:
        shutil.copyfileobj(read, write, _CHUNK)


def _write(target: Any, text: bytes) -> None:
    """Write one small object."""
    with target.open("wb") as file:
        file.write(text)


def _remove(target: Any) -> None:
    """Remove an object that may be gone already."""
    try:
        target.unlink()
    except FileNotFoundError:
        log.debug("%s was gone already", target.name)
