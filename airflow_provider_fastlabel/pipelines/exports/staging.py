"""A place to put a data set together before it is published."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator

STALE_SECONDS = 3600
"""An abandoned staging folder is cleared away after this time, by the next export to the same folder or any store."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse_foreign_files(target: Any) -> None:
    """Refuse a local folder that publishing would refuse at the end, before the work is done.

    :param target: where the data set will be published.
    :raises FileExistsError: it holds files, and none of them is the manifest of an earlier export.
    """
    local = local_path(target)
    if local is None or not local.exists() or (local / MANIFEST).exists():
        return
    if not local.is_dir() or any(local.iterdir()):
        raise FileExistsError(
            f"{local} holds files but no {MANIFEST} of an earlier export. Nothing was read or changed. "
            "Give `output` an empty or new folder."
        )


@contextmanager
def staging(target: Any) -> Iterator[Path]:
    """Make a folder to stage an export in, and remove it afterwards.

    It lies beside a local target, on the same file system, so that publishing is a rename and the disk that must hold
    the data set is the only one that can be full; for an object store it lies in the temporary folder.

    :param target: where the data set will be published.
    :returns: the folder.
    :raises OSError: with a remedy in its text, when the folder cannot be made or the disk is full.
    """
    folder = _make_folder(local_path(target))
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(
            error.errno,
            f"{error.strerror} while the data set was put together in {folder.parent}. Nothing was published, what was "
            "published before is untouched. Free space there, or export fewer tasks",
        ) from error
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
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < STALE_SECONDS:
                continue
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
