"""A finished data set becomes the current version of its place, beside the others: whole or not at all in any store.

The version is completed in a folder of its own, which no reader knows, and then one small file is written that says
where it lies (:mod:`.pointer`). That write fails if another export has been faster. Last, the folders are removed that
the new pointer does not name. Only those that were there when this export began: an export that began before the
pointer was written cannot write its own any more, and the folder of one that began later is not among them.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from abc import abstractmethod
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, load
from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination, FileGoneError, Put
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import (
    complete,
    is_untouched,
    locked,
    refuse_odd,
)
from airflow_provider_fastlabel.pipelines.exports.places.object_store import UPLOADS, Recorded, held, upload
from airflow_provider_fastlabel.pipelines.exports.places.pointer import (
    POINTER,
    VERSIONS,
    OvertakenError,
    Version,
    is_ours,
    new_aside,
    new_version,
    pointer_bytes,
    read_pointer,
    refuse_overtaken,
    write_stored,
)
from airflow_provider_fastlabel.pipelines.files.buckets import BUCKET_STORES, make_folder
from airflow_provider_fastlabel.pipelines.files.removal import is_pattern
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.exports.manifest_file import Files, ManifestFile, Placed
    from airflow_provider_fastlabel.pipelines.exports.manifests import Earlier

    Row = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SURE_COPIES = frozenset({"s3", "s3a", "s3n"})
"""Stores that answer a copy when it is done; of others the size of what has arrived is looked at."""


class _Versions(Destination):
    """What versions in a folder and in a store share.

    :param target: the place.
    :param keep: how many earlier versions stay beside the current one, for readers that are at them; at least 1.
    :raises DamagedFileError: the pointer is not as an export writes it, or the version that it names is not there.
    """

    def __init__(self, target: Any, keep: int) -> None:
        super().__init__(target)
        self._keep = keep
        self._seen = read_pointer(target)
        self._listed = self._list()
        self._earlier: Earlier | None = None
        if self._seen.current is not None:
            self.dataset: Any = target / self._seen.current.path
            self._earlier = load(self.dataset, MANIFEST)
            if self._earlier is None or self._earlier.sha256 != self._seen.current.sha256:
                why = "is not there" if self._earlier is None else f"has another {MANIFEST} than that says"
                raise DamagedFileError(target / POINTER, f"the version that it names, {self._seen.current.path}, {why}")

    def put(self, staged: Path, files: Files, text: ManifestFile, there: Mapping[str, Row]) -> Put:
        """See the base class."""
        with self._alone():
            current, earlier = self._seen.current, self._seen.earlier
            if current is not None and current.sha256 == text.sha256 and self._is_whole(files, there):
                # What a killed export has left goes away now, and only once no other can publish what it began before.
                kept = self._kept(current, earlier)
                if self._orphans(kept):
                    self._point(kept)
                    self._clean(kept)
                return Put(False, current.path)
            version = new_version(text.sha256)
            kept = self._kept(version, earlier if current is None else (current, *earlier))
            try:
                self._fill(version, staged, files, text)
            except Exception as error:
                self._remove(version.id)
                if not isinstance(error, FileGoneError | FileNotFoundError):
                    raise
                refuse_overtaken(self.target, self._seen)  # the other one may have removed what this one is at
                raise
            try:
                self._point(kept)
            except OvertakenError:
                self._remove(version.id)
                raise
            self._clean(kept)
            return Put(True, version.path)

    def _kept(self, current: Version, earlier: Sequence[Version]) -> Sequence[Version]:
        """Return the versions that the pointer is to name, the current one first."""
        return (current, *[one for one in earlier if one.id in self._listed][: self._keep])

    def _orphans(self, kept: Sequence[Version]) -> list[str]:
        return sorted(self._listed.difference(one.id for one in kept))

    def _point(self, kept: Sequence[Version]) -> None:
        current, *earlier = kept
        self._write_pointer(pointer_bytes(current, earlier))

    def _clean(self, kept: Sequence[Version]) -> None:
        for name in self._orphans(kept):
            self._remove(name)

    def _remove(self, name: str) -> None:
        """Remove what lies in the folder of versions; that it cannot be changes nothing of what was published."""
        try:
            self._delete(name)
        except FileNotFoundError:
            log.debug("%s was gone already", name)
        except Exception as error:
            log.warning(
                "%s/%s/%s is not needed any more and cannot be removed (%s). The next export here tries again.",
                self.target,
                VERSIONS,
                name,
                error,
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other exports out where that is possible."""
        yield

    @abstractmethod
    def _list(self) -> set[str]:
        """Return the names of what exports have put into the folder of versions."""

    @abstractmethod
    def _is_whole(self, files: Files, there: Mapping[str, Row]) -> bool:
        """Tell whether the current version has all files of a data set with its digest, as they were written."""

    @abstractmethod
    def _fill(self, version: Version, staged: Path, files: Files, text: ManifestFile) -> None:
        """Put all files of a version in their places, its manifest last."""

    @abstractmethod
    def _write_pointer(self, data: bytes) -> None: ...

    @abstractmethod
    def _delete(self, name: str) -> None: ...


class StoredVersions(_Versions):
    """Versions in an object store. Files that the current one has too are copied within the store."""

    takes_from_elsewhere = True

    def held(self, *, renew: bool = False) -> Mapping[str, Row]:
        """See the base class."""
        if renew:
            refuse_overtaken(self.target, self._seen)
        return {} if self._earlier is None else held(self.dataset, Recorded(self._earlier, None, False))

    def put(self, staged: Path, files: Files, text: ManifestFile, there: Mapping[str, Row]) -> Put:
        """See the base class."""
        said = f"the data set was copied to {self.target}. What readers find there is untouched: make room in the store"
        with room_needed(lambda: said):
            return super().put(staged, files, text, there)

    def _list(self) -> set[str]:
        self.target.fs.invalidate_cache()
        try:
            found = self.target.fs.ls((self.target / VERSIONS).path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return set()
        names = {str(row["name"]).rstrip("/").rpartition("/")[2] for row in found if not row.get("islink")}
        return {name for name in names if is_ours(name)}

    def _is_whole(self, files: Files, there: Mapping[str, Row]) -> bool:
        return all(row["path"] in there for row in files)

    def _fill(self, version: Version, staged: Path, files: Files, text: ManifestFile) -> None:
        root = self.target / version.path
        make_folder(root)
        run_bounded(
            lambda placed: self._bring(placed, staged, root),
            files.placed(),
            workers=UPLOADS,
            stop=threading.Event(),
        )
        with (root / MANIFEST).open("wb") as file:
            text.copy_to(file)

    def _bring(self, placed: Placed, staged: Path, root: Any) -> None:
        """Put one file in its place."""
        path = placed.row["path"]
        if placed.source is None:
            upload(staged / path, root / path)
            return
        try:
            self._copy(self.dataset / placed.source, root / path, placed.row["size"])
        except FileNotFoundError as error:
            raise FileGoneError(f"{placed.source} is not in the earlier data set any more") from error

    def _copy(self, source: Any, target: Any, size: int) -> None:
        """Copy a file within the store, by the store itself if it can."""
        fs = self.target.fs
        make_folder(target.parent)
        try:
            fs.cp_file(source.path, target.path)
        except NotImplementedError:  # SFTP, and buckets of Google with zones
            with fs.open(source.path, "rb") as read, fs.open(target.path, "wb") as write:
                shutil.copyfileobj(read, write, _CHUNK)
        if self.target.protocol not in _SURE_COPIES and (arrived := fs.info(target.path)["size"]) != size:
            raise OSError(f"The store has copied {arrived} of {size} bytes of {source.path}. Repeat the export.")

    def _write_pointer(self, data: bytes) -> None:
        write_stored(self.target, data, self._seen)

    def _delete(self, name: str) -> None:
        fs, path = self.target.fs, (self.target / VERSIONS / name).path
        fs.invalidate_cache()
        if not is_pattern(path):
            fs.rm(path, recursive=True)
            fs.invalidate_cache()
            if left := fs.find(path):  # some stores refuse without a word
                raise OSError(f"{len(left)} of its files are there still")
            return
        run_bounded(fs.rm_file, fs.find(path), workers=UPLOADS, stop=threading.Event())
        if self.target.protocol not in BUCKET_STORES and fs.isdir(path):
            for folder in sorted({path, *fs.find(path, withdirs=True)}, reverse=True):
                fs.rmdir(folder)


class LocalVersions(_Versions):
    """Versions in a local folder. One export at a time publishes there."""

    def __init__(self, target: Path, keep: int) -> None:
        refuse_odd(target, target / VERSIONS)
        super().__init__(target, keep)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        (self.target / VERSIONS).mkdir(parents=True, exist_ok=True)
        refuse_odd(self.target, self.target / VERSIONS)
        with locked(self.target):
            refuse_overtaken(self.target, self._seen)
            yield

    def _list(self) -> set[str]:
        with ExitStack() as stack:
            try:
                entries = stack.enter_context(os.scandir(self.target / VERSIONS))
            except FileNotFoundError:
                return set()
            return {entry.name for entry in entries if is_ours(entry.name) and not entry.is_symlink()}

    def _is_whole(self, files: Files, there: Mapping[str, Row]) -> bool:
        del there
        return is_untouched(self.dataset, files)

    def _fill(self, version: Version, staged: Path, files: Files, text: ManifestFile) -> None:
        del files
        complete(staged, self.target / version.path, text)

    def _write_pointer(self, data: bytes) -> None:
        aside = self.target / new_aside()
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.target / POINTER)

    def _delete(self, name: str) -> None:
        path = Path(self.target, VERSIONS, name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
