"""A text file is decoded as its byte order mark says, or as UTF-8."""

from __future__ import annotations

_FIRST_BYTES = b"\xef\xff\xfe\0"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte order marks, and the codec that reads what follows; UTF-32's begins as UTF-16's does."""


def decoded(data: bytes) -> str:
    """Decode a text file. What begins with no byte order mark is UTF-8.

    :param data: the whole file.
    :returns: the text, without the mark.
    :raises ValueError: it is no such text; the message says where.
    """
    mark, encoding = b"", "utf-8"
    if data[:1] and data[0] in _FIRST_BYTES:
        mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (mark, encoding))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        place = f"byte {error.start + len(mark)} is {error.reason}"
        raise ValueError(f"not {encoding[:6].upper()} text: {place}") from None
    if "\0" in text:
        raise ValueError("not UTF-8 text: it has bytes of zero, as UTF-16 without a byte order mark has")
    return text
