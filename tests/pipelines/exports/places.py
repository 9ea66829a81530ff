"""Data sets to publish, and a store with real folders, as SFTP has: what lies outside of them is in reach there."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from upath import UPath

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path


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
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path).removeprefix(str(folder)).strip("/"): path.read_text() for path in files}


def change_manifest(folder: Path, change: Any, name: str = MANIFEST) -> None:
    """Change what a manifest says, keeping when it was written in order."""
    data = json.loads((folder / MANIFEST).read_bytes())
    change(data)
    (folder / name).write_text(json.dumps(data))
