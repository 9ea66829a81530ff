"""What is known of a file once its bytes have passed: its size and its digests, so that nobody need read it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    Bytes = bytes | bytearray | memoryview

_PIECE_BYTES = 1 << 20


class Facts(NamedTuple):
    """What is known of the bytes of a file.

    :param size: how many they are.
    :param sha256: their SHA-256, hexadecimal.
    :param md5: the MD5 by which S3 knows them, hexadecimal.
    """

    size: int
    sha256: str
    md5: str


class Digest:
    """Takes in the bytes of a file as they pass."""

    __slots__ = ("_md5", "_sha256", "size")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget all bytes: the file is written from its beginning again."""
        self.size: int = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, piece: Bytes) -> None:
        """Take in the next bytes.

        :param piece: the bytes.
        """
        self.size += len(piece)
        self._sha256.update(piece)
        self._md5.update(piece)

    def facts(self) -> Facts:
        """Return what is known of the bytes so far."""
        return Facts(self.size, self._sha256.hexdigest(), self._md5.hexdigest())


def facts_of(pieces: Iterable[Bytes]) -> Facts:
    """Return what is known of bytes that are all at hand.

    :param pieces: the bytes, in order.
    """
    if isinstance(pieces, tuple) and len(pieces) == 1:  # the small files of most formats
        content = pieces[0]
        md5 = hashlib.md5(content, usedforsecurity=False)
        return Facts(len(content), hashlib.sha256(content).hexdigest(), md5.hexdigest())
    digest = Digest()
    for piece in pieces:
        digest.update(piece)
    return digest.facts()


def facts_of_file(file: BinaryIO) -> Facts:
    """Read an open file to its end.

    :param file: the file, opened for reading bytes.
    :returns: what is known of the bytes from where it stands.
    :raises OSError: it cannot be read.
    """
    return facts_of(iter(lambda: file.read(_PIECE_BYTES), b""))
