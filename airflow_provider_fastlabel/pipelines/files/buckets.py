"""Buckets of object stores: whoever owns a bucket makes it, for a bucket we made would often be a misspelt one."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.room import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

log: logging.Logger = logging.getLogger(__name__)

AZURE_STORES = ("abfs", "abfss", "adl", "az", "wasb", "wasbs")
"""Schemes of Azure's stores."""

BUCKET_STORES = frozenset({"s3", "s3a", "s3n", "gs", "gcs", *AZURE_STORES, "oss", "cos", "r2"})
"""Schemes of stores in which the first part of a path is a bucket (a container), and folders need not be made."""


NO_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""What file systems say where there is no file of that name."""
_QUERY = re.compile(r"\?[^\s\"'<>]*")


class BucketMissingError(FileNotFoundError):
    """The bucket of a place does not exist, or not any more."""


class StoreFailedError(OSError):
    """A store was not reached, or refused; it may answer later.

    :param failed: which place could not be reached for what, and what the store said; without a full stop.
    :param kept: a sentence on what has or has not been done; empty where who called says it.
    """

    def __init__(self, failed: str, kept: str = "") -> None:
        more = f" {kept}" if kept else ""
        super().__init__(
            f"{failed}.{more} Check the address and the key of the store in its connection, and the network, or try "
            "again later."
        )
        self.failed = failed
        self.kept = kept

    def __reduce__(self) -> tuple[type[StoreFailedError], tuple[str, str]]:
        """Return what makes this error again in another process."""
        return StoreFailedError, (self.failed, self.kept)


@contextmanager
def store_asked(place: Any, what: str, kept: str, *, alone: bool = True) -> Iterator[None]:
    """Say what has happened, to which place, if its store fails in the block; stores have their own kinds of errors.

    :param place: an object-store path, or a key; of a local path, which is in no store, nothing is said.
    :param what: what could not be done, to follow the place, as ``cannot be listed``.
    :param kept: a sentence on what has or has not been done; empty where who called says it.
    :param alone: whether nothing but the store is at work in the block; otherwise what Python itself raises, and what
        is wrong with a value, is not the store's.
    :raises StoreFailedError: in place of what the store said, except that something is not there, or has no room; what
        is an error of ours stays, too. One from within gets ``kept`` instead of its own: further out more is known.
    """
    try:
        yield
    except StoreFailedError as error:
        raise StoreFailedError(error.failed, kept or error.kept) from error.__cause__
    except Exception as error:
        if not _is_of_a_store(error, alone=alone) or (not isinstance(place, str) and local_path(place)):
            raise
        # What stands behind a question mark may be a signature.
        said = foreign_text(_QUERY.sub("", str(error))) or "no explanation"
        conn_id = dict(getattr(place, "storage_options", None) or {}).get("conn_id")
        by = f", Airflow connection {conn_id!r}" if conn_id else ""
        failed = f"{foreign_text(str(place), 1000)} {what}{by} ({type(error).__name__}: {said})"
        raise StoreFailedError(failed, kept) from error


def store_listed(folder: Any) -> AbstractContextManager[None]:
    """Say what has happened, to which folder, if listing it in the block fails.

    :param folder: an object-store path.
    :raises StoreFailedError: see :func:`store_asked`.
    """
    return store_asked(folder, "cannot be listed", "Nothing was created or sent.")


def store_read(place: Any) -> AbstractContextManager[None]:
    """Say what has happened, to which file, if reading it in the block fails.

    :param place: an object-store path.
    :raises StoreFailedError: see :func:`store_asked`.
    """
    return store_asked(place, "cannot be read", "Nothing was made of it.")


def _is_of_a_store(error: Exception, *, alone: bool) -> bool:
    """Tell whether an error is a store's word that says neither what was asked nor what to do."""
    module = type(error).__module__.partition(".")[0]
    if isinstance(error, NO_FILE) or module == __name__.partition(".")[0]:
        return False
    if isinstance(error, OSError):
        return error.errno not in FULL
    return alone or not (isinstance(error, ValueError) or module == "builtins")


def refuse_missing_bucket(place: Any, name: str) -> None:
    """Refuse a place in a bucket that does not exist, before any work.

    :param place: a local path, or an object-store path with ``protocol``, ``path`` and ``fs``.
    :param name: of the argument that gave it, for the message.
    :raises BucketMissingError: the store says that there is no such bucket.
    """
    if (bucket := _missing_bucket(place)) is not None:
        raise BucketMissingError(
            f"There is no bucket {bucket!r}, or the connection cannot see it: {_url(place)} cannot be written. Nothing "
            f"was read or changed. Correct `{name}` or its connection, or create the bucket first."
        )


@contextmanager
def bucket_needed(place: Any) -> Iterator[None]:
    """Say what has happened if the work in the block fails because its bucket is gone.

    :param place: as for :func:`refuse_missing_bucket`.
    :raises BucketMissingError: in place of whatever the store said.
    """
    try:
        yield
    except Exception as error:  # stores fail with their own kinds of errors
        if (bucket := _missing_bucket(place)) is None:
            raise
        raise BucketMissingError(
            f"The bucket {bucket!r} went away before the data set was published at {_url(place)}. Neither this data "
            "set nor an earlier one stands there. Create the bucket again and repeat the export, or give `output` "
            "another place."
        ) from error


def make_folder(place: Any) -> None:
    """Make a folder where a store has folders; in a bucket there is nothing to make.

    :param place: an object-store path.
    """
    if place.protocol not in BUCKET_STORES:
        place.mkdir(parents=True, exist_ok=True)


def _missing_bucket(place: Any) -> str | None:
    """Return the bucket of a place if its store says that it does not exist."""
    if getattr(place, "protocol", None) not in BUCKET_STORES:
        return None
    bucket = str(place.path).strip("/").partition("/")[0]
    try:
        place.fs.invalidate_cache()
        place.fs.info(bucket)
    except FileNotFoundError:
        return bucket
    except Exception as error:  # one may write into a bucket that one may not look at
        log.debug("Whether the bucket %s exists cannot be seen: %s", bucket, error)
    return None


def _url(place: Any) -> str:
    """Return a place as a user writes it; as text it also names its connection."""
    return f"{place.protocol}://{str(place.path).lstrip('/')}"
