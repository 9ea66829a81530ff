"""A finished data set takes its place in an object store, file by file, for nothing can be renamed there.

So a reader may find files of two data sets meanwhile; :mod:`.versions` spares it that. ``manifest.json`` is the mark of
a finished data set: it is taken away before the first file changes and written last, when also the files are gone that
the previous version had and this one has not. A publish that died leaves no ``manifest.json`` but
``manifest.previous.json``, from which the next one knows what to clear away and what had not been touched. A file stays
where it is if :func:`held` finds it.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, load
from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination, Put, holds_versions
from airflow_provider_fastlabel.pipelines.exports.places.pointer import read_raw
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.files.buckets import make_folder
from airflow_provider_fastlabel.pipelines.files.placed import stored_whole
from airflow_provider_fastlabel.pipelines.files.removal import remove_file
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.pipelines.files.written import told_time
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.pipelines.exports.manifest_file import Files, ManifestFile
    from airflow_provider_fastlabel.pipelines.exports.manifests import Earlier

    Row = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

UPLOADS = 8
_CHUNK = 1 << 20


class Recorded(NamedTuple):
    """What earlier publishes say.

    :param old: manifest of the finished data set.
    :param before: record of a publish that died, or had only this left to remove.
    :param torn: whether one of the two files is there in part.
    """

    old: Earlier | None
    before: Earlier | None
    torn: bool


def recorded(target: Any) -> Recorded:
    """Read both manifests, each once.

    A store that is no bucket may keep half of the one that a publish died over; the other is whole then. Only the very
    first publish has no other, and nothing but that half.

    :param target: an object-store path.
    :raises DamagedFileError: there is a manifest, and no export can have written it.
    """
    found: dict[str, Earlier | None] = {}
    damaged: DamagedFileError | None = None
    for name in (MANIFEST, PREVIOUS):
        try:
            found[name] = load(target, name)
        except DamagedFileError as error:
            damaged = damaged or error
    if damaged and not any(found.values()):
        target.fs.invalidate_cache()
        if MANIFEST not in found or len(target.fs.find(target.path)) > 1:
            raise damaged
    return Recorded(found.get(MANIFEST), found.get(PREVIOUS), damaged is not None)


def held(target: Any, now: Recorded) -> Mapping[str, Row]:
    """Find the files of a data set in an object store that are as its manifest says.

    A file counts if it has its size and was not written after the manifest, which comes last: an overwritten one does
    not count, even if it is as long as before. The store is listed, no file is read.

    :param target: an object-store path with ``path`` and ``fs``. After a publish that died, the files that it had not
        touched are found.
    :param now: what its manifests say.
    :returns: path -> the file's row of the manifest.
    """
    old, before, _ = now
    manifest, mark = (old, MANIFEST) if old is not None else (before, PREVIOUS)
    if manifest is None:
        return {}
    root = str(target.path).strip("/") + "/"
    target.fs.invalidate_cache()
    listed = target.fs.find(target.path, detail=True).items()
    found = {path.lstrip("/").removeprefix(root): (info["size"], told_time(info)) for path, info in listed}
    _, until = found.get(mark, (0, None))
    rows = Rows()
    for row in manifest.rows.below(""):
        size, changed = found.get(row["path"], (-1, None))
        if size == row.get("size") and (until is None or changed is None or changed <= until):
            rows.put(row)
    return rows


class InPlace(Destination):
    """A place in an object store that is the data set's own folder, in which file after file is replaced.

    While that lasts, and after a publish that was killed, there is no ``manifest.json``, and files of the old and the
    new data set lie beside each other. Two exports at once mix.

    :param target: the place.
    :raises PublishedOtherwiseError: it holds versions.
    :raises DamagedFileError: there is a manifest, and no export can have written it.
    """

    after_failure = f"Unless {MANIFEST} lies there, no data set is whole there until the export is repeated."

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self._now = recorded(target)
        if self._now.old is None and self._now.before is None and read_raw(target) is not None:
            raise holds_versions(target)

    def held(self, *, renew: bool = False) -> Mapping[str, Row]:
        """See the base class."""
        if renew:
            self._now = recorded(self.target)
        return held(self.target, self._now)

    def put(self, staged: Path, files: Files, text: ManifestFile, there: Mapping[str, Row]) -> Put:
        """See the base class."""
        with room_needed(
            lambda: (
                f"the data set was copied to {self.target}. It is not whole there, and has no {MANIFEST} until the "
                "export is repeated: make room in the store first"
            )
        ):
            return Put(_publish(staged, self.target, _Changes(files, self._now, there), text, self._now))


class _Changes:
    """What a store needs to hold a data set; each question reads the rows anew."""

    def __init__(self, files: Files, now: Recorded, there: Mapping[str, Row]) -> None:
        self._files = files
        self._earlier = [one.rows for one in (now.old, now.before) if one is not None]
        self._there = there

    def fresh(self) -> Iterator[str]:
        """Yield the files that are to be written."""
        return (row["path"] for row in self._files if self._is_fresh(row))

    def stale(self) -> Iterator[str]:
        """Yield the files that are to be removed."""
        for number, rows in enumerate(self._earlier):
            for path in rows:
                if path not in self._files and not any(path in others for others in self._earlier[:number]):
                    yield path

    def touched(self) -> Iterator[Row]:
        """Yield the rows that are true whatever of it has happened."""
        for row in self._files:
            yield {"path": row["path"]} if self._is_fresh(row) else row
        for path in self.stale():
            yield {"path": path}

    def _is_fresh(self, row: Row) -> bool:
        there = self._there.get(row["path"])
        return there is None or bool(there.get("sha256") != row["sha256"])


def _publish(staged: Path, target: Any, changes: _Changes, text: ManifestFile, now: Recorded) -> bool:
    settled = now.old is not None and now.before is None and not now.torn and now.old.sha256 == text.sha256
    if settled and not any(True for _ in changes.fresh()):
        return False
    make_folder(target)
    with stored_whole(target / PREVIOUS) as file:
        between = b""
        file.write(b'{"files": [')
        for row in changes.touched():
            file.write(between + json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
            between = b", "
        file.write(b"]}")
    _remove(target / MANIFEST)
    run_bounded(
        lambda path: upload(staged / path, target / path), changes.fresh(), workers=UPLOADS, stop=threading.Event()
    )
    for path in changes.stale():
        _remove(target / path)
    with stored_whole(target / MANIFEST) as file:
        text.copy_to(file)
    _remove(target / PREVIOUS)
    return True


def upload(source: Path, target: Any) -> None:
    """Copy one file into a store.

    :param source: the file.
    :param target: its place.
    :raises OSError: it cannot be read or written.
    """
    if target.parent != target:
        make_folder(target.parent)
    with source.open("rb") as read, stored_whole(target) as write:
        shutil.copyfileobj(read, write, _CHUNK)


def _remove(target: Any) -> None:
    """Remove an object that may be gone already."""
    try:
        remove_file(target)
    except FileNotFoundError:
        log.debug("%s was gone already", target.name)
