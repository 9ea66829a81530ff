"""Data sets to publish, and a store with real folders, as SFTP has: what lies outside of them is in reach there."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from upath import UPath

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.places.pointer import POINTER
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination, Way
    from airflow_provider_fastlabel.pipelines.exports.publish import Published


class DiskFileSystem(LocalFileSystem):
    """A store whose folders are those of this machine."""

    protocol = "disk"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        path = str(path).removeprefix("disk://")
        return super()._strip_protocol(path)


fsspec.register_implementation("disk", DiskFileSystem, clobber=True)


def store_at(folder: Path) -> Any:
    """Return a folder as a place in that store."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that universal_pathlib has no class of its own for the scheme
        return UPath(f"disk://{folder}")


def staged(folder: Path, files: dict[str, str]) -> Path:
    """Write files, to be published."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def content(folder: Any) -> dict[str, str]:
    """Return what lies in a folder, of a disk or a store, without its manifest."""
    if hasattr(folder, "fs"):  # a request for each file, and no more
        root = f"{folder.path.strip('/')}/"
        folder.fs.invalidate_cache()
        found = {path.lstrip("/").removeprefix(root): path for path in folder.fs.find(folder.path)}
        return {name: folder.fs.cat_file(found[name]).decode() for name in found if not name.endswith(MANIFEST)}
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path).removeprefix(str(folder)).strip("/"): path.read_text() for path in files}


def change_manifest(folder: Path, change: Any, name: str = MANIFEST) -> None:
    """Change what a manifest says, keeping when it was written in order."""
    data = json.loads((folder / MANIFEST).read_bytes())
    change(data)
    (folder / name).write_text(json.dumps(data))


def in_place(target: Any) -> Destination:
    """Return a place that is to be published to in place."""
    return destination(target, "in_place")


@dataclass
class Spot:
    """A place and the way that data sets are published there."""

    place: Any
    way: Way

    def publish(self, staged: Path, manifest: dict[str, Any], **more: Any) -> Published:
        """Publish as an export does that begins and ends now."""
        return publish(staged, destination(self.place, self.way), manifest, **more)

    @property
    def data(self) -> Any:
        """Where a reader finds the data set."""
        return current(self.place) if self.way == "versions" else self.place


def current(place: Any) -> Any:
    """Return where a data set lies as a reader finds it: by the file that says which version is current."""
    return place / json.loads((place / POINTER).read_bytes())["path"]


def read_whole(place: Any) -> dict[str, str]:
    """Return the files of the current version, every byte of which is as the pointer and the manifest say."""
    pointer = json.loads((place / POINTER).read_bytes())
    folder = place / pointer["path"]
    raw = (folder / MANIFEST).read_bytes()
    assert hashlib.sha256(raw).hexdigest() == pointer["sha256"]
    found = content(folder)
    rows = {row["path"]: row for row in json.loads(raw)["files"]}
    assert found.keys() == rows.keys()
    for path, text in found.items():
        assert hashlib.sha256(text.encode()).hexdigest() == rows[path]["sha256"]
    return found
