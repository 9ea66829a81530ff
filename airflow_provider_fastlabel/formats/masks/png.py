"""Index masks become PNG files (PNG specification, third edition), several times as fast as by the general writers.

Rows go out unfiltered and deflated by ISA-L: large areas of one value shrink to almost nothing either way.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from isal import isal_zlib

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GREY, _PALETTE = 0, 3
# 4 to 16 bytes: with fewer or more, the faulty code sees the beginning after all.
_FIRST = 8


class Canvas:
    """An index image that is drawn where it will be compressed.

    :param width: columns.
    :param height: rows.
    :param wide: whether an index has 16 bits instead of 8.

    :ivar pixels: rows by columns of indexes, all 0 at first; write into it.
    :ivar wide: as given.
    """

    __slots__ = ("_rows", "pixels", "wide")

    def __init__(self, width: int, height: int, *, wide: bool = False) -> None:
        size = 2 if wide else 1
        # A row of a PNG begins with the number of its filter; 0 is none. 16-bit numbers have the high byte first.
        self._rows = np.zeros((height, 1 + width * size), dtype=np.uint8)
        strides = (self._rows.shape[1], size)
        self.pixels: NDArray[Any] = np.ndarray((height, width), ">u2" if wide else "u1", self._rows.data, 1, strides)
        self.wide: bool = wide

    def fits(self, width: int, height: int) -> bool:
        """Tell whether an 8-bit image of this size can be drawn here."""
        return self.pixels.shape == (height, width) and not self.wide

    def clear(self) -> None:
        """Set all indexes to 0."""
        self._rows[:] = 0

    def widened(self) -> Canvas:
        """Return a canvas of 16 bits with the same indexes."""
        height, width = self.pixels.shape
        wide = Canvas(width, height, wide=True)
        wide.pixels[:] = self.pixels
        return wide

    def png(self, palette: bytes) -> bytes:
        """Return the image as a file.

        :param palette: 768 bytes of R, G, B. 16 bits make a grey image without palette: PNG knows no larger one.
        :returns: the file.
        """
        height, width = self.pixels.shape
        header = struct.pack(">IIBB3x", width, height, 16 if self.wide else 8, _GREY if self.wide else _PALETTE)
        parts = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header)]
        if not self.wide:
            parts.append(_chunk(b"PLTE", palette))
        return b"".join([*parts, _chunk(b"IDAT", _deflated(self._rows)), _chunk(b"IEND", b"")])


def _deflated(rows: NDArray[np.uint8]) -> bytes:
    """Return rows as a zlib stream that follows from them alone.

    The first bytes go in by themselves. Given all at once, levels 1 and 2 of ISA-L (2.32 on x86-64) hash the third byte
    from a register that still holds the address of their state: now and then a match is found or missed by it, and the
    same rows make other bytes in another process or thread. So few bytes are left to the code for the end of a stream,
    which has no such fault. This costs some twenty bytes; level 3, as sound, takes up to 14 times as long.
    """
    data = rows.reshape(-1)
    stream = isal_zlib.compressobj(1)
    first = stream.compress(data[:_FIRST]) + stream.flush(isal_zlib.Z_SYNC_FLUSH)
    return b"".join((first, stream.compress(data[_FIRST:]), stream.flush()))


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk: length, type, data, CRC of type and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
