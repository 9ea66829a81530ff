"""A text file is decoded as its byte order mark says, or as UTF-8."""

from __future__ import annotations

_FIRST_BYTES = b"\xef\xff\xfe\0"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks, and the codec that reads and drops each; UTF-32's begins as UTF-16's does."""


def decoded(data: bytes) -> str:
    """Decode a text file. What begins with no byte order mark is UTF-8.

    :param data: the whole file.
    :returns: the text, without the mark.
    :raises ValueError: it is no such text; the message says where.
    """
    encoding = "utf-8"
    if data[:1] and data[0] in _FIRST_BYTES:
        encoding = next((codec for mark, codec in _MARKS if data.startswith(mark)), encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise ValueError(f"not {name} text: byte {error.start} is {error.reason}") from None
    if "\0" in text:
        raise ValueError("not UTF-8 text: it has bytes of zero, as UTF-16 without a byte order mark has")
    return text
