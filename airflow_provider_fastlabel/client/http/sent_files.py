"""Notes what was sent of each file, on its way: whoever wants its digest need not read the file again."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SentFile(NamedTuple):
    """What was sent of a file.

    :param size: its bytes.
    :param sha256: SHA-256 of its content, in hexadecimal digits.
    """

    size: int
    sha256: str


_notes: ContextVar[dict[Path, SentFile] | None] = ContextVar("fastlabel_sent_files", default=None)


@contextmanager
def noting_sent_files() -> Iterator[dict[Path, SentFile]]:
    """Note the files that this thread sends as long as the block lasts.

    :returns: path -> what was sent of it last, filled as files go out. One that did not go out as a whole is not there.
    """
    notes: dict[Path, SentFile] = {}
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def noted(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on the content of a file, and note it at its end where somebody wants to know.

    :param path: the file.
    :param chunks: its content.
    """
    notes = _notes.get()
    if notes is None:
        yield from chunks
        return
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    notes[path] = SentFile(size, digest.hexdigest())
