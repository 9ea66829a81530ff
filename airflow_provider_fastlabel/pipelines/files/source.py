"""What will become one task, a file or a folder of files, read where it lies or from a copy for as long as it takes."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.files.buckets import store_asked
from airflow_provider_fastlabel.regular_files import LEAVES, leaves, open_below, open_regular
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEMPORARY = "fastlabel-import-"
_UNREAD = "cannot be read from its store"
_BLOCK_BYTES = 64 * 1024
"""What is read at a time of a remote file whose first bytes alone are wanted; file systems default to megabytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """What will become one task.

    :param name: the task's name.
    :param location: the local path, or the key inside ``filesystem``.
    :param size: bytes (for a folder: of all its files).
    :param filesystem: the fsspec file system it lives in; ``None`` means local.
    :param files: for kinds whose task is a folder, its files in ascending name order.
    :param inside: the folder, without links, that a local file must not leave; empty if it may.
    :param stamp: changes when the file is written anew: the time of its last change, or what its store has instead;
        empty where nobody says.
    """

    name: str
    location: str
    size: int
    filesystem: Any = None
    files: tuple[Source, ...] = ()
    inside: str = ""
    stamp: str = ""

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Give a local path for as long as the block lasts; what is remote is downloaded and removed afterwards.

        :returns: the path of the file, or of the folder.
        :raises OSError: it is gone, cannot be read, came down shorter than listed, or has become a link that leaves
            the folder; if its store failed, a ``StoreFailedError``.
        """
        if self.filesystem is None and not self.files:
            yield self.place()
            return
        with scratch_folder(_TEMPORARY) as folder:
            for item in self.files or (self,):
                item._bring(folder)
            yield folder if self.files else folder / base_name(self.location)

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Open the file for reading bytes, without a local copy.

        :returns: a binary file that can seek.
        :raises OSError: it cannot be read, is no regular file, or has become a link that leaves the folder; if its
            store failed, a ``StoreFailedError``, while the file is read, too.
        """
        if self.filesystem is None:
            with open_below(self.inside, self.name) if self.inside else open_regular(self.location) as file:
                yield file
        else:
            with (
                store_asked(self.location, _UNREAD, "", alone=False),
                self.filesystem.open(self.location, "rb", block_size=_BLOCK_BYTES) as remote,
            ):
                yield remote

    def place(self) -> Path:
        """Return where a local file is. Since it was listed, a link may have taken its place.

        :raises OSError: it has, and leaves the folder.
        """
        if self.inside and leaves(self.location, self.inside):
            raise OSError(errno.EACCES, LEAVES, self.location)
        return Path(self.location)

    def _bring(self, folder: Path) -> None:
        path = place_below(folder, base_name(self.location))
        if self.filesystem is None:
            # A link: of a local folder only the files that belong to the task are to be seen.
            path.symlink_to(self.place().absolute())
            return
        with store_asked(self.location, _UNREAD, ""):
            self.filesystem.get_file(self.location, str(path))
        if path.stat().st_size != self.size:
            raise OSError(
                f"{foreign_text(self.location)} was listed with {self.size} bytes but {path.stat().st_size} came down"
            )


def without_temporary(text: str) -> str:
    """Shorten the paths of temporary copies in a message to the names a reader knows.

    :param text: the message.
    :returns: the message without temporary folders.
    """
    return re.sub(rf"(/[^\s'\"]*)?/{_TEMPORARY}[^/\s'\"]+/?", "", text)


def base_name(location: str) -> str:
    """Return the last part of a path or a key.

    :param location: with forward slashes.
    """
    return location.rpartition("/")[2]
