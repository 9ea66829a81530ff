"""A finished folder appears at its target whole or not at all.

An exporter writes into a staging folder; :func:`publish` adds ``manifest.json`` (files with size, SHA-256 and MD5,
counts, class ids, filters, provider version; no timestamps, so the same content has the same bytes) and puts it in
place.

* **Local folder**: the new data set is completed beside the target (``.<name>.publishing``) and renamed into place; the
  old one is renamed away (``.<name>.previous``) just before. Then the files that a user has put into the old one are
  carried over, and only when all are, the rest is removed, ``manifest.json`` among it. A publish killed at any moment
  is set right by :func:`settle`, with which the next one begins: an old data set that has its manifest is put back or
  gives the user's files; of one without, nothing is wanted any more.
* **Object store** (any object with the pathlib methods over an fsspec file system, such as Airflow's
  ``ObjectStoragePath``): there is no rename, so ``manifest.json`` is the mark of a finished data set: it is taken away
  before the first file changes and written last, when also the files are gone that the previous version had and this
  one has not. A publish that died leaves no ``manifest.json`` but ``manifest.previous.json``, from which the next one
  knows what to clear away and what had not been touched. A file stays where it is if :func:`held` finds it.

Publishing the same content again changes nothing, unless a file of the data set is missing, has another size, or was
written after the manifest: then somebody has overwritten it, and it is put right.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.pipelines.files.buckets import bucket_needed, make_folder
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

    Row = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

_VERSION = 1
_UPLOADS = 8
_CHUNK = 1 << 20
_CHANGED = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""What file systems of fsspec call the time at which a file was last written, the surest first."""


class FileGoneError(OSError):
    """A file that was to stay where it is in an object store is not there any more. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    :param manifest: the manifest as written.
    :param digest: SHA-256 of ``manifest.json``, hexadecimal: the same for the same data set.
    :param changed: false if the target already held this very data set.
    """

    manifest: dict[str, Any]
    digest: str
    changed: bool


def manifest_of(
    report: ExportReport,
    *,
    format: str,
    classes: ClassMap | None = None,
    first_class_id: int = 0,
    filters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe an export for its manifest.

    :param report: what the exporter returned.
    :param format: name of the format, e.g. ``coco``.
    :param classes: class map, for the ids; without it the report's classes, in order.
    :param first_class_id: id of the first class in the format: 1 for COCO categories, 0 for YOLO.
    :param filters: what the tasks were selected by (project, status, tags ...); JSON types.
    :returns: the manifest without its files, which :func:`publish` adds.
    """
    counts = report.to_dict()
    values = counts.pop("classes") if classes is None else classes.values
    counts.pop("files")
    return {
        "format": format,
        "provider": f"airflow-provider-fastlabel {__version__}",
        "filters": dict(filters or {}),
        "counts": counts,
        "classes": {value: number for number, value in enumerate(values, first_class_id)},
    }


def publish(
    staged: Path, target: Any, manifest: Mapping[str, Any], *, stand_ins: Mapping[str, Row] | None = None
) -> Published:
    """Put a finished folder in its place.

    :param staged: folder with the files, on this machine. Its files are moved or copied; what is left is the
        caller's to remove.
    :param target: where the data set shall be: ``str`` or ``Path`` of a local folder, or an object-store path.
    :param manifest: what to say about it, see :func:`manifest_of`; ``version`` and ``files`` are added.
    :param stand_ins: for an object store: the SHA-256 of a staged file that only stands for one that is there already,
        at the same path -> the row of that file, as :func:`held` gave it.
    :returns: the manifest, its digest, and whether anything changed.
    :raises FileExistsError: a local target holds files but no manifest of ours: it would be overwritten.
    :raises BucketMissingError: the bucket of the target does not exist; none is created.
    :raises FileGoneError: a file that a stand-in stands for is not at its path, or has changed.
    :raises OSError: files cannot be read, written or renamed; the old data set is then still there.
    """
    staged = Path(staged)
    (staged / MANIFEST).unlink(missing_ok=True)
    with bucket_needed(target):
        return _published(staged, target, manifest, stand_ins or {})


def _published(staged: Path, target: Any, manifest: Mapping[str, Any], stand_ins: Mapping[str, Row]) -> Published:
    local = local_path(target)
    there = held(target) if local is None else {}
    files = [_meant(row, stand_ins, there) for row in _described(staged)]
    full = {**manifest, "version": _VERSION, "files": files}
    text = (json.dumps(full, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", "replace")
    if local is None:
        changed = _publish_remote(staged, target, full, text, there)
    else:
        changed = _publish_local(staged, local, text)
    return Published(full, hashlib.sha256(text).hexdigest(), changed)


def read_manifest(target: Any) -> dict[str, Any] | None:
    """Read the manifest of a data set.

    :param target: as for :func:`publish`.
    :returns: the manifest, or None if there is no finished data set.
    """
    return _load(Path(target) if isinstance(target, str) else target, MANIFEST)


def _described(folder: Path) -> list[dict[str, Any]]:
    """List the files under a folder, sorted, with size, SHA-256, and the MD5 by which S3 knows them."""
    rows = []
    for path in _files(folder):
        size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with (folder / path).open("rb") as file:
            while piece := file.read(_CHUNK):
                size += len(piece)
                sha256.update(piece)
                md5.update(piece)
        rows.append({"path": path, "size": size, "sha256": sha256.hexdigest(), "md5": md5.hexdigest()})
    return rows


def _meant(row: dict[str, Any], stand_ins: Mapping[str, Row], there: Mapping[str, Row]) -> Row:
    """Return the row of the file that a staged one stands for; of itself, if it is no stand-in."""
    meant = stand_ins.get(row["sha256"])
    if meant is None:
        return row
    if there.get(row["path"]) != meant:
        raise FileGoneError(f"{row['path']} is not in the earlier data set any more, or not as it was")
    return meant


def _files(folder: Path) -> list[str]:
    """Relative paths of all files under a folder, links to folders among them, sorted, with forward slashes."""
    found = []
    for root, folders, names in os.walk(folder):
        inside = PurePosixPath(os.path.relpath(root, folder))
        links = [name for name in folders if Path(root, name).is_symlink()]
        found += [str(inside / name) for name in [*names, *links]]
    return sorted(found)


def _load(target: Any, name: str) -> dict[str, Any] | None:
    """Read a manifest; None if it is missing or none of ours."""
    try:
        data = json.loads((target / name).read_bytes())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("files"), list) else None


# Local folders.


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one publish at a time work in a folder; the lock goes with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def settle(target: Any) -> None:
    """End a publish into a local folder that was killed between its renames or while it removed the old data set.

    Call it before anything is read from the target: the old data set may lie beside it. :func:`publish` does so itself.

    :param target: as for :func:`publish`; an object store needs nothing.
    :raises FileExistsError: somebody has put files where the old data set is to come back; nothing was changed.
    :raises OSError: files cannot be renamed or removed.
    """
    local = local_path(target)
    if local is None or not _beside(local.absolute(), "previous").exists():
        return
    with _locked(local.absolute().parent):
        _settle(local.absolute(), _beside(local.absolute(), "previous"))


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{what}")


def _publish_local(staged: Path, target: Path, text: bytes) -> bool:
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    coming, leaving = _beside(target, "publishing"), _beside(target, "previous")
    with _locked(target.parent):
        _settle(target, leaving)
        old = _load(target, MANIFEST)
        if _same(target, text, old):
            return False
        if old is None and target.exists() and any(target.iterdir()):
            raise FileExistsError(
                f"{target} holds files but no {MANIFEST} of an earlier export: nothing was changed. "
                f"Give an empty or new folder, or remove its content first."
            )
        shutil.rmtree(coming, ignore_errors=True)
        _complete(staged, coming, text)
        if target.exists():
            target.rename(leaving)
        coming.rename(target)
        if leaving.exists():
            _carry_over(leaving, target, old)
            _clear(leaving)
    return True


def _same(target: Path, text: bytes, manifest: Mapping[str, Any] | None) -> bool:
    """Whether a folder holds this very data set, every file with its size and not written after the manifest."""
    try:
        if manifest is None or (target / MANIFEST).read_bytes() != text:
            return False
        until = (target / MANIFEST).stat().st_mtime_ns
        seen = ((row["size"], (target / row["path"]).stat()) for row in manifest["files"])
        return all(stat.st_size == size and stat.st_mtime_ns <= until for size, stat in seen)
    except OSError:
        return False


def _complete(staged: Path, coming: Path, text: bytes) -> None:
    """Bring the staged files beside the target, by rename where that is possible, and write the manifest.

    The folder itself is new: a staging folder is often readable by its owner only.
    """
    coming.mkdir()
    for child in list(staged.iterdir()):
        shutil.move(child, coming / child.name)
    with (coming / MANIFEST).open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _settle(target: Path, leaving: Path) -> None:
    """Put the old data set back if the new one had not arrived, else carry a user's files over; then clear."""
    old = _load(leaving, MANIFEST)
    if old is not None and not (target / MANIFEST).exists():
        if target.exists() and any(target.iterdir()):
            raise FileExistsError(
                f"A publish to {target} was killed, and since then somebody has put files there. The data set that was "
                f"published before lies whole in {leaving}; nothing was changed. Move the files of {target} elsewhere "
                "and repeat the export: it puts the data set back."
            )
        if target.exists():
            target.rmdir()
        leaving.rename(target)
    elif leaving.exists():
        if old is not None:
            _carry_over(leaving, target, old)
        _clear(leaving)


def _clear(leaving: Path) -> None:
    """Remove the old data set, first of all its manifest: without it nothing in the folder is wanted any more."""
    (leaving / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(leaving)


def _carry_over(leaving: Path, target: Path, old: Mapping[str, Any] | None) -> None:
    """Move what a user has put into the old data set to the new one; where that has a file, it stays."""
    ours = {MANIFEST, *(row["path"] for row in old["files"])} if old else set()
    for path in _files(leaving):
        if path in ours:
            continue
        try:
            if not (taken := (target / path).exists()):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (leaving / path).rename(target / path)
        except (FileExistsError, NotADirectoryError):  # a file has the name of its folder
            taken = True
        if taken:
            log.warning("%s of the earlier data set is replaced by the new one's", target / path)


# Object stores.


def held(target: Any) -> dict[str, dict[str, Any]]:
    """Find the files of a data set in an object store that are as its manifest says.

    A file counts if it has its size and was not written after the manifest, which comes last: an overwritten one does
    not count, even if it is as long as before. The store is listed, no file is read.

    :param target: an object-store path with ``path`` and ``fs``. After a publish that died, the files that it had not
        touched are found.
    :returns: path -> the file's row of the manifest.
    """
    for mark in (MANIFEST, PREVIOUS):
        if (manifest := _load(target, mark)) is not None:
            break
    else:
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


def _publish_remote(
    staged: Path, target: Any, manifest: Mapping[str, Any], text: bytes, there: Mapping[str, Row]
) -> bool:
    old, before = _load(target, MANIFEST), _load(target, PREVIOUS)
    rows = {row["path"]: row for row in manifest["files"]}
    fresh = [path for path, row in rows.items() if there.get(path, {}).get("sha256") != row["sha256"]]
    if old is not None and before is None and not fresh and (target / MANIFEST).read_bytes() == text:
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
