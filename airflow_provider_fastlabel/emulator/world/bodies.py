"""Takes files out of JSON bodies while they arrive, so that a 250 MB video never lies in memory."""

from __future__ import annotations

import re
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.world.files import Base64Writer, Files
from airflow_provider_fastlabel.emulator.world.kinds import LARGEST_FILE

DEEPEST = 64
"""Levels of lists and objects that a body may have; the deepest that FastLabel documents has nine."""

_FILE_KEY = re.compile(rb'(?<!\\)"(?:file|configFile)"\s*:\s*"$')
_DATASET_KEY = re.compile(rb'(?<!\\)"filePath"\s*:\s*"$')
_KEY_LENGTH = 64
_FILE_DEPTHS = (1, 3)
"""A file is a field of the body itself, or of one of its contents."""

_OPENING = frozenset(b"[{")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


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
        self._depth = 0
        self.deepest: int = 0

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
                if not self._in_string:
                    self._count(piece)
            if quote >= 0:
                self._quote()
            position = end + 1

    def finish(self) -> bytes:
        """Return the JSON text without the files."""
        if self._spool is not None:
            self._spool.finish()
        return bytes(self._out)

    def _count(self, piece: bytes) -> None:
        """Note how deep the lists and objects of a piece without strings go."""
        for bracket in piece.translate(None, _NOT_BRACKETS):
            self._depth += 1 if bracket in _OPENING else -1
            self.deepest = max(self.deepest, self._depth)

    def _quote(self) -> None:
        """Open or close a string."""
        if self._spool is not None:
            marker = self._files.mark(self._spool.finish())
            self._spool = None
            self._out += orjson.dumps(marker)[1:-1]
        elif self._in_string and self._escaped():
            self._out += b'"'
            return
        self._in_string = not self._in_string
        self._out += b'"'
        if not self._in_string or self._depth not in _FILE_DEPTHS:
            return
        if self._key.search(self._out, max(0, len(self._out) - _KEY_LENGTH)):
            self._spool = Base64Writer(self._files.writer(LARGEST_FILE))

    def _escaped(self) -> bool:
        """Whether an odd number of backslashes precedes."""
        at = len(self._out)
        while self._out[at - 1 : at] == b"\\":
            at -= 1
        return bool((len(self._out) - at) % 2)


def readable(files: Files, body: bytes) -> Any:
    """Return a request body for the request log: files as ``{"sha256", "size"}``.

    :param files: whose markers stand in it.
    :param body: JSON text as the spooler left it.
    """
    if not body:
        return None
    try:
        return _without_markers(files, orjson.loads(body), DEEPEST)
    except (orjson.JSONDecodeError, RecursionError):
        return body.decode("utf-8", "replace")


def _without_markers(files: Files, value: Any, levels: int) -> Any:
    if not levels:
        raise RecursionError
    if isinstance(value, dict):
        return {name: _without_markers(files, item, levels - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_markers(files, item, levels - 1) for item in value]
    blob = files.marked(value) if isinstance(value, str) else None
    return value if blob is None else {"sha256": blob.sha256, "size": blob.size}
