"""Reads the video codec from the boxes of an MP4 container (ISO/IEC 14496-12), without decoding anything.

Every clip passes here before OpenCV opens it: OpenCV takes whatever it knows, also lists that name other files.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST_WALK = 100_000
# With anything else in front, a file of half a gigabyte can be an MP4 to us and a list of files to a decoder.
_FIRST = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}


class NotMp4(Exception):  # noqa: N818 - a finding, caught by who asked
    """The file is not an MP4 container with a video track."""


def video_codec(path: Path) -> str:
    """Return the four-character code of the first video track's sample entry, e.g. ``avc1`` or ``hvc1``.

    :param path: the file; only box headers are read.
    :raises NotMp4: if there is no video track to be found.
    :raises OSError: if the file cannot be read.
    """
    with open_regular(path) as file:
        return codec_of(file)


def codec_of(file: BinaryIO) -> str:
    """Return the same of a file that is open for reading bytes and can seek.

    :param file: the file; only box headers are read.
    :raises NotMp4: if there is no video track to be found.
    :raises OSError: if the file cannot be read.
    """
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(8)[4:] not in _FIRST:
        raise NotMp4("it does not begin with a box of MP4")
    for _, start, stop in _inside(file, 0, end, "moov", "trak"):
        if _handler(file, start, stop) == "vide":
            return _sample_entry(file, start, stop)
    raise NotMp4("no video track")


def _handler(file: BinaryIO, start: int, stop: int) -> str:
    """Return the handler type of a track: 8 bytes into its ``hdlr`` box."""
    for _, begin, end in _inside(file, start, stop, "mdia", "hdlr"):
        return _code(file, begin + 8, end)
    return ""


def _sample_entry(file: BinaryIO, start: int, stop: int) -> str:
    """Return the type of the first sample entry: 12 bytes into ``stsd``, behind version, flags, count and its size."""
    for _, begin, end in _inside(file, start, stop, "mdia", "minf", "stbl", "stsd"):
        return _code(file, begin + 12, end)
    raise NotMp4("video track without sample description")


def _code(file: BinaryIO, position: int, end: int) -> str:
    if position + 4 > end:
        raise NotMp4("truncated box")
    file.seek(position)
    return file.read(4).decode("latin-1")


def _inside(file: BinaryIO, start: int, stop: int, *path: str) -> Iterator[tuple[str, int, int]]:
    """Yield the boxes reached by a path of types: type, start and end of the content."""
    for kind, begin, end in _boxes(file, start, stop):
        if kind == path[0]:
            if len(path) == 1:
                yield kind, begin, end
            else:
                yield from _inside(file, begin, end, *path[1:])


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[str, int, int]]:
    """Yield the boxes between two positions. Size 1 means a 64-bit size follows, size 0 means up to the end."""
    for _ in range(_LONGEST_WALK):
        if start + 8 > stop:
            return
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8).rjust(8, b"\0"))[0], 16
        elif size == 0:
            size = stop - start
        if size < head or start + size > stop:
            raise NotMp4(f"box at byte {start} has the impossible size {size}")
        yield kind.decode("latin-1"), start + head, start + size
        start += size
    raise NotMp4("too many boxes")
