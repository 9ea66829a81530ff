"""JSON request bodies with files inside, sent in flat memory.

FastLabel takes files as base64 text inside the JSON body. Here such a body is a sequence of ready JSON text and of
files that are read, encoded and sent piece by piece. Its exact length is known before the first byte, and it can be
sent again for a retry.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_fastlabel.client.arguments import path_text
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.sent_files import noted
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.regular_files import open_regular, refuse_unless_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK_BYTES = 3 * 64 * 1024
"""Bytes read from a file at a time. A multiple of three, so that the base64 texts of the pieces simply follow each
other.
"""


def base64_length(size: int) -> int:
    """Return the number of characters that ``size`` bytes take as base64 text with padding (RFC 4648)."""
    return (size + 2) // 3 * 4


class FilePart:
    """A file that stands in a body for its base64 text. It is opened only while it is sent.

    Of a file that is not, or no longer, as long as it said when the call began, never more than that is sent, and never
    the last piece: what arrives is then shorter than announced, so that FastLabel stores nothing.

    :param path: the file.
    :raises FastLabelInvalidException: if it does not exist or is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path_text(path))
        try:
            self._stat = self.path.stat()
            if path:
                refuse_unless_regular(self._stat.st_mode, path)
        except (OSError, ValueError) as error:  # ValueError for a NUL in the name
            why = getattr(error, "strerror", None) or error
            raise FastLabelInvalidException(
                f"Cannot read {foreign_text(path)}: {why}. Nothing was sent.", 422
            ) from error
        if not path:
            raise FastLabelInvalidException("An empty path is not a file. Nothing was sent.", 422)
        self.size: int = self._stat.st_size

    def pieces(self) -> Iterator[bytes]:
        """Yield the base64 text in pieces. Errors as in :meth:`chunks`."""
        return map(base64.b64encode, noted(self.path, self.chunks()))

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces, together as long as :attr:`size` says.

        :raises FastLabelInvalidException: if the file cannot be read, or is no longer what it was when the call began.
            The body is then cut off before its end.
        """
        with self._opened() as file:
            left = self.size
            self._check(file, left)
            while left:  # the last piece only when nothing comes after it
                piece = file.read(min(CHUNK_BYTES, left))
                left -= len(piece)
                self._check(file, left, ended=not piece)
                yield piece
            self._check(file, self.size)

    def refuse_changes(self) -> None:
        """Make sure that the file still is what it was when this part was made.

        :raises FastLabelInvalidException: if it is not, or cannot be read any more.
        """
        with self._opened() as file:
            self._check(file, self.size)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with open_regular(self.path) as file:
                yield file
        except OSError as error:
            raise FastLabelInvalidException(
                f"Cannot read {foreign_text(self.path)}: {error.strerror}. Nothing was created.", 422
            ) from error

    def _check(self, file: BinaryIO, left: int, *, ended: bool = False) -> None:
        """Refuse a file that has changed; ask before the last piece whether that is the end."""
        now, then = os.fstat(file.fileno()), self._stat
        if ended or (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            raise FastLabelInvalidException(
                f"{foreign_text(self.path)} changed while it was uploaded. Nothing was created; "
                "send it again once it is complete.",
                422,
            )
        if not left and file.read(1):
            raise FastLabelInvalidException(
                f"{foreign_text(self.path)} has more than the {self.size} bytes that the system says it has, as files "
                "of the kernel do. Nothing was created; send a copy of it.",
                422,
            )


class RawBody:
    """A file that is sent as it is. It can be sent again for a retry, as long as it has not changed."""

    def __init__(self, file: FilePart) -> None:
        self._file = file

    def __len__(self) -> int:
        return self._file.size

    def __iter__(self) -> Iterator[bytes]:
        return self._file.chunks()


class StreamedBody:
    """A JSON object whose values may hold :class:`FilePart` objects at any depth.

    :param fields: the object to send; read once, never changed.
    :raises FastLabelInvalidException: if it is not JSON (NaN, infinity, an unknown type).
    """

    def __init__(self, fields: Mapping[str, object]) -> None:
        mark = f"file-{secrets.token_hex(16)}-"
        files: list[FilePart] = []

        def stand_in(value: object) -> str:
            if not isinstance(value, FilePart):
                raise TypeError(f"{short(value)} is not JSON")
            files.append(value)
            return f"{mark}{len(files) - 1}"

        text = encode(fields, stand_in)
        pieces = re.split(f"{mark}(\\d+)".encode(), text)
        self._parts: list[bytes | FilePart] = [
            piece if index % 2 == 0 else files[int(piece)] for index, piece in enumerate(pieces)
        ]
        self._length = sum(len(part) if isinstance(part, bytes) else base64_length(part.size) for part in self._parts)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.pieces()


def encode(fields: object, default: object = None) -> bytes:
    """Return ``fields`` as JSON text.

    :param default: function that turns an unknown object into a JSON value, as in :func:`json.dumps`.
    :raises FastLabelInvalidException: if it is not JSON (NaN, infinity, an unknown type, a cycle).
    """
    try:
        return json.dumps(fields, allow_nan=False, default=default).encode()  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError) as error:
        place = ""
        with contextlib.suppress(RecursionError):  # something contains itself, or is too deep
            place = _misfit(fields, default)
        where = f" at {foreign_text(place)}" if place else ""
        raise FastLabelInvalidException(
            f"The request cannot be written as JSON{where}: {foreign_text(error)}. Nothing was sent.",
            422,
        ) from error


def _misfit(value: object, default: object, place: str = "") -> str:
    """Return the place of the first value that is not JSON, empty if it is not a single one."""
    if isinstance(value, dict):
        inner = [(f"{place}.{key}".removeprefix("."), each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        inner = [(f"{place}[{index}]", each) for index, each in enumerate(value)]
    else:
        try:
            json.dumps(value, allow_nan=False, default=default)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return place
        return ""
    return next(filter(None, (_misfit(each, default, where) for where, each in inner)), "")
