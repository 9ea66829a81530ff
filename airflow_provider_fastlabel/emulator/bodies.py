"""Takes files out of JSON bodies while they arrive, so that a 250 MB video never lies in memory."""

from __future__ import annotations

import binascii
import hashlib
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.files import MARKER, Base64Writer, Files

_LONG = 1024
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_ESCAPED_MARKER = MARKER.replace("\x00", "\\u0000").encode()


class JsonSpooler:
    """Copies JSON text, replacing every long base64 string by a marker and storing its bytes as a file.

    :param files: Where the bytes go.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._out = bytearray()
        self._held = bytearray()
        self._in_string = False
        self._spool: Base64Writer | None = None

    @property
    def size(self) -> int:
        """Characters kept in memory so far."""
        return len(self._out) + len(self._held)

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body, cut anywhere."""
        position = 0
        while position < len(chunk):
            quote = chunk.find(b'"', position)
            end = len(chunk) if quote < 0 else quote
            piece = chunk[position:end]
            if self._in_string:
                self._inside(piece, closed=quote >= 0)
            else:
                self._out += piece
                if quote >= 0:
                    self._out += b'"'
                    self._in_string = True
            position = end + 1

    def finish(self) -> bytes:
        """Return the JSON text without the files."""
        self._out += self._held
        return bytes(self._out)

    def _inside(self, piece: bytes, *, closed: bool) -> None:
        if self._spool is not None:
            self._spool.feed(piece)
        else:
            self._held += piece
            if closed and self._quote_is_escaped():
                self._held += b'"'
                return
            if len(self._held) > _LONG and not self._held.translate(None, _ALPHABET):
                self._spool = Base64Writer(self._files.writer())
                self._spool.feed(bytes(self._held))
                self._held.clear()
        if closed:
            self._close()

    def _quote_is_escaped(self) -> bool:
        return bool((len(self._held) - len(self._held.rstrip(b"\\"))) % 2)

    def _close(self) -> None:
        if self._spool is not None:
            blob = self._spool.finish()
            self._out += _ESCAPED_MARKER + (f"{blob.sha256}:{blob.size}".encode() if blob else b":0")
            self._spool = None
        self._out += self._held + b'"'
        self._held.clear()
        self._in_string = False


def readable(body: bytes, path: str) -> Any:
    """Return a request body for the request log: file contents as ``{"sha256", "size"}``.

    :param body: JSON text as the spooler left it.
    :param path: Path below ``/v1/``; ``filePath`` is a file for dataset objects and a path elsewhere.
    """
    if not body:
        return None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")
    keys = {"file", "configFile"} | ({"filePath"} if path.startswith("dataset-revision-objects") else set())
    return _without_files(value, keys)


def _without_files(value: Any, file_keys: set[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _without_files(item, file_keys, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_files(item, file_keys) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith(MARKER):
        sha256, _, size = value[len(MARKER) :].partition(":")
        return {"sha256": sha256, "size": int(size)}
    return _digest(value) if key in file_keys else value


def _digest(text: str) -> Any:
    try:
        data = binascii.a2b_base64(text.encode(), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return text
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
