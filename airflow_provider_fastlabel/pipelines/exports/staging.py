"""A place to put a data set together before it is published."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.room import room_needed

if TYPE_CHECKING:
    from collections.abc import Iterator

STALE_SECONDS = 3600
"""An abandoned staging folder is cleared away after this time, by the next export to the same folder or any store."""


@contextmanager
def staging(target: Any) -> Iterator[Path]:
    """Make a folder to stage an export in, and remove it afterwards.

    It lies beside a local target, on the same file system, so that publishing is a rename and the disk that must hold
    the data set is the only one that can be full; for an object store it lies in the temporary folder.

    :param target: where the data set will be published.
    :returns: the folder.
    :raises DiskFullError: the disk is full.
    :raises OSError: with a remedy in its text, when the folder cannot be made.
    """
    folder = _make_folder(local_path(target))
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with room_needed(
            lambda: (
                f"the data set was put together in {folder.parent}. Nothing was published, what was published "
                "before is untouched. Free space there, or export fewer tasks"
            )
        ):
            yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder(local: Path | None) -> Path:
    """Make a folder beside a local target, or in the temporary folder."""
    if local is None:
        parent, prefix = Path(tempfile.gettempdir()), "fastlabel-export-"
    else:
        parent, prefix = local.absolute().parent, f".{local.name}.staging-"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(parent, prefix)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        remedy = "TMPDIR" if local is None else "`output`"
        raise OSError(
            error.errno,
            f"{error.strerror}: the data set cannot be put together in {parent}. Nothing was published, what was "
            f"published before is untouched. Let the worker's user write there, or give {remedy} another folder",
        ) from error


def _clear_abandoned(parent: Path, prefix: str) -> None:
    """Remove staging folders whose process was killed: old ones that nobody holds locked."""
    for name in os.listdir(parent):  # noqa: PTH208 - a glob would take brackets of the name for its own
        if name.startswith(prefix):
            with suppress(OSError):
                _clear_if_abandoned(parent / name)


def _clear_if_abandoned(folder: Path) -> None:
    """Remove one of them; what is no folder, such as a pipe or a link, is not opened."""
    if time.time() - folder.lstat().st_mtime < STALE_SECONDS:
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
