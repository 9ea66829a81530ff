"""``manifest.json`` is written row by row into a file of its own, from which it is copied to its place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    Row = Mapping[str, Any]

VERSION = 1
_EMPTY = '\n "files": []'
_TOGETHER = 1000
_PIECE_BYTES = 1 << 20


class Placed(NamedTuple):
    """One file of a data set.

    :param row: its row in the manifest.
    :param source: path in the earlier data set at which the very same file lies; ``None`` for a staged one.
    """

    row: Row
    source: str | None


class Files(ABC):
    """The rows of a data set's manifest in the order of their paths, as often as they are asked for."""

    def __iter__(self) -> Iterator[Row]:
        return (placed.row for placed in self.placed())

    @abstractmethod
    def placed(self) -> Iterator[Placed]:
        """Yield the files, each with where its bytes are.

        :raises FileGoneError: an earlier file that a staged one stands for is not as it was.
        """

    @abstractmethod
    def __contains__(self, path: str) -> bool: ...


class ManifestFile(NamedTuple):
    """A manifest that is written and not published yet.

    :param file: the manifest, opened for reading, in no folder.
    :param sha256: of its bytes, hexadecimal.
    """

    file: IO[bytes]
    sha256: str

    def copy_to(self, target: IO[bytes]) -> None:
        """Write it to its place.

        :param target: the place, opened for writing bytes.
        :raises OSError: it cannot be written.
        """
        self.file.seek(0)
        shutil.copyfileobj(self.file, target, _PIECE_BYTES)


@contextmanager
def manifest_file(folder: Path, about: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[ManifestFile]:
    """Write a manifest aside, for as long as it is needed there.

    Its bytes are those of ``json.dumps(..., ensure_ascii=False, indent=1, sort_keys=True)`` and a line break.

    :param folder: existing folder, on whose disk it lies meanwhile.
    :param about: what it says beside its version and its files.
    :param rows: its files, in the order of their paths.
    :returns: the manifest.
    :raises OSError: it cannot be written.
    """
    digest = hashlib.sha256()
    with tempfile.TemporaryFile(dir=folder) as file:
        for piece in _pieces({**about, "version": VERSION, "files": []}, rows):
            digest.update(piece)
            file.write(piece)
        yield ManifestFile(file, digest.hexdigest())


def _pieces(about: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[bytes]:
    text = json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    # Entries further in have more blanks before them, and texts have no line breaks: this one is there once.
    before, after = text.split(_EMPTY)
    waiting, number = [before], 0
    for number, row in enumerate(rows, 1):
        waiting.append(f"{',' if number > 1 else _EMPTY[:-1]}{_row_text(row)}")
        if len(waiting) >= _TOGETHER:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting.clear()
    waiting += ["\n ]" if number else _EMPTY, after]
    yield "".join(waiting).encode("utf-8", "replace")


def _row_text(row: Row) -> str:
    values = ",\n   ".join(f'"{name}": {json.dumps(row[name], ensure_ascii=False)}' for name in sorted(row))
    return f"\n  {{\n   {values}\n  }}"
