"""A file takes its place in a folder or an object store, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.buckets import make_folder
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECE_BYTES = 1 << 20


def put_file(target: Any, name: str, pieces: Iterable[bytes]) -> None:
    """Write a file, in the place of the one that may be there.

    :param target: a local folder or a path in an object store; the folder is made if it is missing.
    :param name: of the file.
    :param pieces: its content, read once.
    :raises OSError: it cannot be written; what was there before stays.
    """
    local = local_path(target)
    if local is None:
        with tempfile.TemporaryFile() as spool:
            spool.writelines(pieces)
            spool.seek(0)
            make_folder(target)
            with (target / name).open("wb") as file:
                shutil.copyfileobj(spool, file, _PIECE_BYTES)
        return
    local.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix=f".{name}.", dir=local)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(path, 0o644)  # noqa: PTH101 - a temporary file is its owner's alone
        os.replace(path, local / name)  # noqa: PTH105
    except BaseException:
        os.unlink(path)  # noqa: PTH108
        raise
