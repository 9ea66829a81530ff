"""A JSON object whose lists are long is read list by list, in batches: never more of it is in memory than one batch.

What is taken and what is refused, the values and the words are those of :func:`.read_json`, which reads a text whole:
its two parsers read the batches. Where one ends is found like this: if ``[``, the text up to an end of an object, and
``]`` are valid JSON together, then that text is whole entries of the list. So it is with the files that tools write,
and it is as fast as reading the text whole. Where it is not so (entries that are no objects, a number that is none),
Python's parser takes entry by entry.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json, unusable

WINDOW_BYTES = 4 << 20
"""About so much of a text becomes one batch; one that is not longer than twice as much is read whole."""
MOST_BYTES = 1 << 30
"""One entry of a list, or a value that is no list, may have so many."""

_PIECE_BYTES = 1 << 12
_ENTRIES_BYTES = 1 << 16
_TRIES = 4
_LOOKS = 100
_SPACE = re.compile(rb"[ \t\n\r]*")
_TEXT_SPACE = re.compile(r"[ \t\n\r]*")
_NEXT_OBJECT = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*\{")
_MARK = codecs.BOM_UTF8
# So many characters before its end an error may be one of a text that was cut off there: "-Infinit", "\\ud83d\\ude0".
_CUT = 16
# Behind a number there may be so much of what makes it another one: "2" + "e-".
_OPEN = 3
_decode_one = json.JSONDecoder().raw_decode


class FileChangedError(ValueError):
    """A file is not what it was when its reading began."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entries of a list that follow each other.

    :param entries: the entries.
    :param start: where their text lies in the file; -1 where the file is kept as it was read.
    :param stop: where it ends.
    """

    entries: list[Any]
    start: int = -1
    stop: int = -1

    def put_aside(self) -> Batch:
        """Return the batch without the entries if they can be read again."""
        return self if self.start < 0 else Batch([], self.start, self.stop)

    def read(self, file: BinaryIO) -> list[Any]:
        """Return the entries, from the file if they were put aside.

        :param file: the same file, still open.
        :raises FileChangedError: it holds something else there.
        """
        if self.start < 0 or self.entries:
            return self.entries
        content = os.pread(file.fileno(), self.stop - self.start, self.start)
        try:
            entries = _parsed(b"[%b]" % content)
        except UnusableJsonError:
            entries = None
        if not isinstance(entries, list):
            raise FileChangedError("it was changed while it was read; write it again and run again")
        return entries


def _parsed(content: bytes) -> Any:
    """Parse a text as :func:`.read_json` does."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return parse_json(content)


class JsonObject:
    """A JSON object in a file.

    :param file: the file, open for reading bytes.
    :param window: bytes of a batch, about.
    """

    def __init__(self, file: BinaryIO, *, window: int | None = None) -> None:
        self._file = file
        self._window = WINDOW_BYTES if window is None else window
        self._buffer = b""
        self._at = 0  # the first byte of the buffer that was not used
        self._before = 0  # bytes of the file before the buffer
        self._mark = 0
        self._slow_until = 0
        self._line = 1
        self._ended = False

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each member, in the order of the file; of a name that is given twice, both.

        The value of a list is an iterator of :class:`Batch`; what the caller leaves of it is read and thrown away. A
        text that is no object has no members.

        :raises UnusableJsonError: it is no JSON that this package takes; a member before the place may have been
            yielded.
        """
        self._fill(max(2 * self._window, len(_MARK)))
        if self._ended:
            document = _parsed(self._buffer)
            self._buffer = b""
            for name, value in document.items() if isinstance(document, dict) else ():
                yield name, (iter([Batch(value)]) if isinstance(value, list) else value)
            return
        if self._buffer.startswith(_MARK):
            self._at = self._mark = len(_MARK)
        yield from self._all_members()
        if self._char():
            raise self._error("0 ")

    def _all_members(self) -> Iterator[tuple[str, Any]]:
        first = self._char()
        if first != b"{":
            _exhaust(self._member())
            return
        comma = self._line
        self._use(1)
        if self._char() == b"}":
            self._use(1)
            return
        while True:
            if self._char() != b'"':
                raise self._error("{" if first == b"{" else '{"":0,', comma)
            name = self._value()
            if self._char() != b":":
                raise self._error('{""')
            self._use(1)
            value = self._member()
            yield name, value
            _exhaust(value)
            first = self._char()
            if first == b"}":
                self._use(1)
                return
            if first != b",":
                raise self._error('{"":0')
            comma = self._line
            self._use(1)

    def _member(self) -> Any:
        """Return a value, or the batches of a list."""
        if self._char() != b"[":
            return self._value()
        self._use(1)
        return self._batches()

    def _batches(self) -> Iterator[Batch]:
        """Yield the entries of a list whose bracket has been used."""
        if self._char() == b"]":
            self._use(1)
            return
        while True:
            yield self._fast_batch() or self._slow_batch()
            following = self._char()
            if following == b"]":
                self._use(1)
                return
            if following != b",":
                raise self._error("[0")
            comma = self._line
            self._use(1)
            if self._char() in (b"]", b""):
                raise self._error("[0,", comma)

    def _fast_batch(self) -> Batch | None:
        """Return whole objects, about as many as the window holds; None where their end cannot be told."""
        self._fill(self._window)
        at, end, wasted = self._at, min(len(self._buffer), self._at + self._window), 0
        if self._before + at < self._slow_until:
            return None
        for _ in range(_TRIES):
            end = self._end_of_object(at, end)
            if end < 0:
                break
            try:
                entries = orjson.loads(b"[%b]" % self._buffer[at : end + 1])
            except orjson.JSONDecodeError as error:
                # The list, or what can be read, ends there.
                wasted += error.pos
                end = min(end, at + max(error.pos - 1, 0))
                continue
            start = self._before + at
            self._use(end + 1 - at)
            self._slow_until = start + wasted
            return Batch(entries, start, self._before + end + 1)
        # What was tried in vain is made up for before the next try, or some texts would cost hundreds of tries.
        self._slow_until = self._before + at + wasted
        return None

    def _end_of_object(self, at: int, end: int) -> int:
        """Return where the last object between two places ends that another one follows; -1 if there is none."""
        for _ in range(_LOOKS):
            end = self._buffer.rfind(b"}", at, end)
            if end < 0 or _NEXT_OBJECT.match(self._buffer, end):
                return end
        return -1

    def _slow_batch(self) -> Batch:
        """Return some entries, at least one, whatever they are."""
        size = min(_ENTRIES_BYTES, self._window)
        while True:
            text, final = self._text(size)
            stop = self._end_of_entries(text, final=final)
            if stop:
                at, start = self._at, self._before + self._at
                self._use(_width(text, stop))
                return Batch(_parsed(b"[%b]" % self._buffer[at : self._at]), start, self._before + self._at)
            size = self._longer(size)

    def _end_of_entries(self, text: str, *, final: bool) -> int:
        """Return where the whole entries end that a text begins with; 0 if it is shorter than one."""
        at = stop = 0
        while True:
            try:
                end = _decode_one(text, at)[1]
            except (ValueError, RecursionError) as error:
                if not stop and (final or not _is_cut_off(error, text)):
                    raise self._unusable(error) from None
                return stop
            if end > len(text) - _OPEN and not final:
                return stop
            stop = end
            at = _space(text, end)
            if text[at : at + 1] != ",":
                return stop
            at = _space(text, at + 1)

    def _value(self) -> Any:
        """Return the value that begins here."""
        size = _PIECE_BYTES
        while True:
            text, final = self._text(size)
            try:
                value, stop = _decode_one(text)
            except (ValueError, RecursionError) as error:
                if final or not _is_cut_off(error, text):
                    raise self._unusable(error) from None
            else:
                if stop <= len(text) - _OPEN or final:
                    self._use(_width(text, stop))
                    return value
            size = self._longer(size)

    @staticmethod
    def _longer(size: int) -> int:
        if size >= MOST_BYTES:
            raise UnusableJsonError(f"not usable JSON: one entry has more than {MOST_BYTES:,} bytes")
        return 2 * size

    def _text(self, size: int) -> tuple[str, bool]:
        """Return the text that follows, of so many bytes at most, and whether it is all of it."""
        self._fill(size)
        content = self._buffer[self._at : self._at + size]
        final = self._ended and self._at + size >= len(self._buffer)
        try:
            return codecs.utf_8_decode(content, "strict", final)[0], final
        except UnicodeDecodeError as error:
            place = self._before + self._at - self._mark + error.start
            raise UnusableJsonError(f"not UTF-8 text: byte {place} is {error.reason}") from None

    def _char(self) -> bytes:
        """Return the first byte that is no space, and use those before it; nothing at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            assert match is not None
            self._use(match.end() - self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if self._ended:
                return b""
            self._fill(self._window)

    def _fill(self, size: int) -> None:
        """Read on until so many bytes are there that were not used, or the file has ended."""
        missing = size - (len(self._buffer) - self._at)
        if missing <= 0 or self._ended:
            return
        # More than is missing, or a buffer would be copied for every few bytes.
        wanted = max(missing, self._window)
        more = self._file.read(wanted)
        self._ended = len(more) < wanted
        self._buffer = self._buffer[self._at :] + more
        self._before += self._at
        self._at = 0

    def _use(self, count: int) -> None:
        self._line += self._buffer.count(b"\n", self._at, self._at + count)
        self._at += count

    def _unusable(self, error: Exception) -> UnusableJsonError:
        """Return the error of a value that begins here."""
        found = unusable(error)
        line = None if found.line is None else found.line + self._line - 1
        return UnusableJsonError(found.problem, line)

    def _error(self, before: str, line: int | None = None) -> UnusableJsonError:
        """Return the error of what stands here behind a text of the same state.

        :param line: of that text's end, if it was not here: from Python 3.13 on a comma too much is said to be wrong
            itself, and not what stands behind it.
        """
        began = self._line if line is None else line
        rest = self._buffer[self._at : self._at + _PIECE_BYTES].decode("utf-8", "replace")
        try:
            parse_json(before + "\n" * (began != self._line) + rest)
        except UnusableJsonError as error:
            return UnusableJsonError(error.problem, began if error.line == 1 else self._line)
        return UnusableJsonError("not valid JSON: Expecting value", self._line)


def _exhaust(value: Any) -> None:
    """Read what is left of a list."""
    if isinstance(value, Iterator):
        for _ in value:
            pass


def _is_cut_off(error: Exception, text: str) -> bool:
    """Tell whether an error may be gone when more of the text is there."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - _CUT


def _space(text: str, at: int) -> int:
    match = _TEXT_SPACE.match(text, at)
    assert match is not None
    return match.end()


def _width(text: str, stop: int) -> int:
    """Return the bytes of the first characters of a text."""
    return stop if text.isascii() else len(text[:stop].encode())
