"""Notices a picture whose end is missing, as an upload or a copy leaves it that stopped half-way.

A JPEG ends with a mark (``EOI``: ITU-T T.81, B.1.1.3), a PNG with a chunk (``IEND``: PNG specification, third edition,
11.2.4), and so a look at the end is enough for nearly all. Some sound files lack them, or have much behind them:
there Pillow tells, by reading all of the pixels.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_fastlabel.formats.image_size import EndlessError, jpeg_segments
from airflow_provider_fastlabel.formats.picture_file import check_size, open_picture

if TYPE_CHECKING:
    from collections.abc import Callable

_JPEG = b"\xff\xd8\xff"
_END_OF_JPEG = b"\xff\xd9"
_PNG = b"\x89PNG\r\n\x1a\n"
_END_OF_PNG = b"\0\0\0\0IEND\xaeB`\x82"
_END_BYTES = 1 << 16
"""What is read of the end: cameras put notes behind a picture's end."""


def cut_off(file: BinaryIO) -> str | None:
    """Say in what a JPEG or PNG is not whole.

    :param file: the picture, open for reading bytes and seekable.
    :returns: what the decoder says, empty if it is whole; ``None`` for what is neither, which is not looked at.
    :raises OSError: the file cannot be read.
    """
    file.seek(0)
    start = file.read(len(_PNG))
    try:
        if start.startswith(_JPEG):
            whole = _ends_with(file, _END_OF_JPEG, _pixels_of_jpeg)
        elif start == _PNG:
            whole = _ends_with(file, _END_OF_PNG, lambda _: len(_PNG))
        else:
            return None
    except EndlessError as error:
        return str(error)
    return "" if whole else _undecodable(file)


def _ends_with(file: BinaryIO, mark: bytes, pixels: Callable[[BinaryIO], int]) -> bool:
    """Tell whether a mark stands near the end of a file, and behind where its pixels begin."""
    try:
        behind = pixels(file)
    except EndlessError:
        raise
    except ValueError:  # Pillow forgives more
        return False
    length = file.seek(0, os.SEEK_END)
    file.seek(max(behind, length - _END_BYTES))
    return mark in file.read(_END_BYTES)


def _pixels_of_jpeg(file: BinaryIO) -> int:
    """Return where the pixels begin: a small preview in front of them has an end of its own."""
    for _ in jpeg_segments(file):
        pass
    return file.tell()


def _undecodable(file: BinaryIO) -> str:
    file.seek(0)
    try:
        with open_picture(file) as picture:
            check_size(picture)
            picture.load()
    except Exception as error:  # whatever a damaged picture makes a decoder raise
        return str(error) or "it is damaged"
    return ""
