"""The folder of a data set: its files are found by name, and only opened where that is safe.

Folders come from strangers. A link in one may lead to any file of the machine, and what has the name of a file may be a
named pipe that nobody ever writes to. What was a file when the folder was listed, and has been exchanged for
such a link since, is not opened either. Links that leave the folder keep their names here, because an annotation file
must not be given to another picture only because its own is such a link; but they are not opened.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_fastlabel.formats.files import walk
from airflow_provider_fastlabel.formats.reading.imported import UNREADABLE
from airflow_provider_fastlabel.regular_files import (
    LEAVES,
    NotRegularError,
    open_below,
    open_regular,
    read_below,
    read_regular,
    refuse_unless_regular,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations

# Files of one picture have some kilobytes; labelme's may hold the picture.
_MOST_BYTES = 1 << 30


class DataFolder:
    """The files below a folder, hidden ones left out.

    Paths stay plain text here and in the importers: making a ``Path`` costs more than reading a small file.

    :param folder: the folder; it may be a link itself.
    :param follow_links: whether links that leave the folder are followed.
    :param unusable: name -> why, of files that are not to be opened, for the place from which the folder was filled
        has such links there, or what is no file. A linked folder has a slash behind its name.
    :raises NotADirectoryError: there is no such folder.
    :raises OSError: it, or a folder in it, cannot be read.

    :ivar names: paths relative to the folder with forward slashes, sorted; links that leave it among them.
    :ivar closed: linked folders that are not entered.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, follow_links: bool = False, unusable: Mapping[str, str] | None = None
    ) -> None:
        self.path: str = os.fspath(folder)
        self._follow = follow_links
        if not Path(folder).is_dir():
            raise NotADirectoryError(f"There is no folder {self.path!r} to read annotations from.")
        self._unusable = dict(unusable or {})
        names: list[str] = []
        for level in walk(folder, follow_links=follow_links):
            names += [level.prefix + entry.name for entry in level.files]
            for entry in level.files:
                if not entry.is_file(follow_symlinks=False) and (why_not := _strangeness(entry.path)):
                    self._unusable[level.prefix + entry.name] = why_not
            self._unusable.update({level.prefix + name: LEAVES for name in level.outside})
        self.closed: list[str] = sorted(name.rstrip("/") for name in self._unusable if name.endswith("/"))
        names += [name for name in self._unusable if not name.endswith("/")]
        self.names: list[str] = sorted(set(names))

    @classmethod
    def of(cls, folder: str | os.PathLike[str] | DataFolder, *, follow_links: bool) -> DataFolder:
        """Return a folder, which may be one of this class already.

        :param folder: the folder.
        :param follow_links: as for the class; a folder of this class keeps its own.
        :returns: the folder.
        """
        return folder if isinstance(folder, DataFolder) else cls(folder, follow_links=follow_links)

    def __fspath__(self) -> str:
        return self.path

    def place(self, name: str) -> str:
        """Return where a file is, which was a regular one when the folder was listed.

        :param name: one of :attr:`names`.
        :returns: its path.
        :raises OSError: it is a link that leaves the folder, no regular file, or unusable otherwise.
        """
        if name in self._unusable:
            raise OSError(errno.EACCES, self._unusable[name], name)
        return f"{self.path}/{name}"

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading bytes.

        :param name: one of :attr:`names`.
        :returns: the file.
        :raises OSError: it is a link that leaves the folder, no regular file, or cannot be read.
        """
        place = self.place(name)
        return open_regular(place, seen=True) if self._follow else open_below(self.path, name)

    def read(self, name: str) -> bytes:
        """Read a file whole; parameters and errors are those of :meth:`open`, and it has at most 1 GB."""
        place = self.place(name)
        if self._follow:
            return read_regular(place, seen=True, most=_MOST_BYTES)
        return read_below(self.path, name, most=_MOST_BYTES)

    def tell_closed(self, result: ImportedAnnotations) -> ImportedAnnotations:
        """Report the linked folders that were not entered: annotation files in them would be lost without a word.

        :param result: where they are reported.
        :returns: the same.
        """
        for name in self.closed:
            result.add_problem(name, LEAVES, reason=UNREADABLE, lost=0)
        return result


def _strangeness(path: str) -> str | None:
    """Say why something is not opened; None for a link to a file, and for one to nowhere, which the opening says."""
    try:
        refuse_unless_regular(os.stat(path).st_mode, path)  # noqa: PTH116 - the path is plain text
    except OSError as error:
        return error.strerror if isinstance(error, NotRegularError) else None
    return None


def why(error: Exception) -> str:
    """Return what was wrong with a file, without its path.

    :param error: of opening or reading it.
    """
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
