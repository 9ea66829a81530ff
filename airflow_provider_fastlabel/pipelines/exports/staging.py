"""A place to put a data set together before it is published."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    with (
        _folder(local_path(target)) as folder,
        room_needed(
            lambda: (
                f"the data set was put together in {folder.parent}. Nothing was published, what was published "
                "before is untouched. Free space there, or export fewer tasks"
            )
        ),
    ):
        yield folder


@contextmanager
def _folder(local: Path | None) -> Iterator[Path]:
    """Make a folder beside a local target, or in the temporary folder."""
    if local is None:
        parent, kind = Path(tempfile.gettempdir()), "fastlabel-export-"
    else:
        parent, kind = local.absolute().parent, f".{local.name}.staging-"
    with ExitStack() as stack:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch_folder(kind, parent))
        except OSError as error:
            remedy = "TMPDIR" if local is None else "`output`"
            raise OSError(
                error.errno,
                f"{error.strerror}: the data set cannot be put together in {parent}. Nothing was published, what was "
                f"published before is untouched. Let the worker's user write there, or give {remedy} another folder",
            ) from error
        yield folder
