"""A file takes its place in a folder or an object store, whole or not at all."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.buckets import make_folder
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

log: logging.Logger = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20


@contextmanager
def stored_whole(place: Any) -> Iterator[Any]:
    """Give an object of a store to write; if the block, or the end of writing, fails, what was there before stays.

    A file of fsspec that is closed after a failure, as its own ``with`` does, or when nobody refers to it any more,
    sends once more what is waiting, and then completes an object that lacks the rest.

    :param place: an object-store path. In a store with real folders a file that could not be written is there in part.
    :raises OSError: it cannot be written. Stores have other kinds of errors too.
    """
    from fsspec.spec import AbstractBufferedFile

    file = place.fs.open(place.path, "wb")
    try:
        yield file
        file.close()
    except BaseException:
        if isinstance(file, AbstractBufferedFile):
            file.closed = True
            _discard(file, place)
        else:
            file.close()
        raise


def _discard(file: Any, place: Any) -> None:
    """Have a store forget what was sent of an object; that it does not changes nothing of what stands there."""
    try:
        file.discard()
    except Exception as error:  # stores fail with their own kinds of errors
        log.debug("What was sent of %s is not discarded: %s", place, error)


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
            with stored_whole(target / name) as file:
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
