"""Takes files out of JSON bodies while they arrive, so that a 250 MB video never lies in memory."""

from __future__ import annotations

import re
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.world.files import MARKER, Base64Writer, Files

_ESCAPED_MARKER = MARKER.replace("\x00", "\\u0000").encode()
_FILE_KEY = re.compile(rb'"(?:file|configFile)"\s*:\s*"$')
_DATASET_KEY = re.compile(rb'"filePath"\s*:\s*"$')
_KEY_LENGTH = 64


class JsonSpooler:
    """Copies JSON text, storing the value of every file field as a file and leaving a marker in its place.

    :param files: where the bytes go.
    :param path: path of the call below ``/v1/``: ``filePath`` is a file for dataset objects and a path elsewhere.
    """

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._key = _DATASET_KEY if path.startswith("dataset-revision-objects") else _FILE_KEY
        self._out = bytearray()
        self._in_string = False
        self._spool: Base64Writer | None = None

    @property
    def size(self) -> int:
        """Characters kept in memory so far."""
        return len(self._out)

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body, cut anywhere."""
        position = 0
        while position < len(chunk):
            quote = chunk.find(b'"', position)
            end = len(chunk) if quote < 0 else quote
            piece = chunk[position:end]
            if self._spool is not None:
                self._spool.feed(piece)
            else:
                self._out += piece
            if quote >= 0:
                self._quote()
            position = end + 1

    def finish(self) -> bytes:
        """Return the JSON text without the files."""
        if self._spool is not None:
            self._spool.finish()
        return bytes(self._out)

    def _quote(self) -> None:
        """Open or close a string."""
        if self._spool is not None:
            blob = self._spool.finish()
            self._spool = None
            self._out += _ESCAPED_MARKER + (f"{blob.sha256}:{blob.size}".encode() if blob else b":0")
        elif self._in_string and self._escaped():
            self._out += b'"'
            return
        self._in_string = not self._in_string
        self._out += b'"'
        if self._in_string and self._key.search(self._out, max(0, len(self._out) - _KEY_LENGTH)):
            self._spool = Base64Writer(self._files.writer())

    def _escaped(self) -> bool:
        """Whether an odd number of backslashes precedes."""
        at = len(self._out)
        while self._out[at - 1 : at] == b"\\":
            at -= 1
        return bool((len(self._out) - at) % 2)


def readable(body: bytes) -> Any:
    """Return a request body for the request log: files as ``{"sha256", "size"}``.

    :param body: JSON text as the spooler left it.
    """
    if not body:
        return None
    try:
        return _without_markers(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _without_markers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_markers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_markers(item) for item in value]
    if not isinstance(value, str) or not value.startswith(MARKER):
        return value
    sha256, _, size = value[len(MARKER) :].partition(":")
    return {"sha256": sha256, "size": int(size)} if size.isdecimal() else value
