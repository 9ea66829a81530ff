"""JSON of strangers is read here, and what is to be sent as JSON is looked at before any of it is.

Python's reader raises what nobody expects of a text: a ``RecursionError`` for one that is nested without end, a
``ValueError`` without a place for a number of 5,000 digits. And it takes what cannot be sent on: NaN, and halves of
surrogate pairs, which no file in UTF-8 can hold.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE_BYTES = 1 << 18
_INK = re.compile(r"[^ \t\n\r]").search


class UnusableJsonError(ValueError):
    """A text is no JSON that this package takes.

    :param problem: what is wrong, to stand behind the name of the file.
    :param line: where, from 1; None where no line is known.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        self.problem = problem
        self.line = line
        super().__init__(problem, line)

    def __str__(self) -> str:
        return self.problem if self.line is None else f"{self.problem} (line {self.line})"


def parse_json(data: bytes | str) -> Any:
    """Parse a JSON text; ``NaN`` and a byte order mark are let through, as many writers produce them.

    :param data: the whole text; bytes are UTF-8.
    :returns: the value.
    :raises UnusableJsonError: it is no JSON, not UTF-8, nested too deeply, or holds a number that is too long.
    """
    with _problems_named():
        return json.loads(data.decode("utf-8-sig") if isinstance(data, bytes) else data)


@contextmanager
def _problems_named() -> Iterator[None]:
    """Say of a text that cannot be read why not.

    :raises UnusableJsonError: it cannot be read.
    """
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise unusable(error) from None


def unusable(error: Exception) -> UnusableJsonError:
    """Say what Python's reader has met.

    :param error: what it raised.
    :returns: the same in words of ours.
    """
    if isinstance(error, json.JSONDecodeError):
        return UnusableJsonError(f"not valid JSON: {error.msg}", error.lineno)
    if isinstance(error, UnicodeDecodeError):
        return UnusableJsonError(f"not UTF-8 text: byte {error.start} is {error.reason}")
    if isinstance(error, RecursionError):
        return UnusableJsonError("not usable JSON: nested too deeply")
    return UnusableJsonError("not usable JSON: a number has thousands of digits")


def entries_of(file: BinaryIO, name: str) -> Iterator[tuple[str, int | None, Any]]:
    """Read a large object one entry after another: one list in it is not held as a whole.

    :param file: the whole text in UTF-8, opened for reading bytes.
    :param name: key of the list.
    :returns: the object's entries in order, as key, None and value; of the list its beginning, as key, 0 and None, and
        then each of its values, counted from 1. Nothing at all for what is no object.
    :raises UnusableJsonError: it is none, as for :func:`parse_json`; told when it is met.
    """
    text = _Text(file)
    with _problems_named():
        if text.next() != "{":
            return
        text.skip()
        more = text.next() != "}"
        while more:
            key = text.value()
            if not isinstance(key, str):
                text.refuse("Expecting property name enclosed in double quotes")
            text.expect(":")
            if key == name and text.next() == "[":
                yield key, 0, None
                for number, value in enumerate(_values(text), 1):
                    yield key, number, value
            else:
                yield key, None, text.value()
            more = text.more("}")
        text.expect("}")
        if text.next():
            text.refuse("Extra data")


def _values(text: _Text) -> Iterator[Any]:
    """Yield the values of a list, and go behind it."""
    text.skip()
    more = text.next() != "]"
    while more:
        yield text.value()
        more = text.more("]")
    text.expect("]")


class _Text:
    """As much of a text as its next value takes.

    :param file: the text.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._lines = 0
        self._ended = False

    def next(self) -> str:
        """Return the next character that is no white space, and stay before it; empty at the end."""
        while not (found := _INK(self._text, self._at)):
            self._at = len(self._text)
            if not self._read():
                return ""
        self._at = found.start()
        return found[0]

    def skip(self) -> None:
        """Go behind that character."""
        self._at += 1

    def expect(self, character: str) -> None:
        """Go behind a character that must come now."""
        if self.next() != character:
            self.refuse(f"Expecting {character!r} delimiter")
        self.skip()

    def more(self, end: str) -> bool:
        """Tell whether another value follows, and go behind the comma."""
        if self.next() == end:
            return False
        self.expect(",")
        return True

    def value(self) -> Any:
        """Read the next value."""
        self.next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._read():
                    error.lineno += self._lines
                    raise
                continue
            # A number that ends where the piece does may go on in the next.
            if end < len(self._text) or not self._read():
                self._at = end
                return value

    def refuse(self, why: str) -> NoReturn:
        """Raise, for what stands here."""
        error = json.JSONDecodeError(why, self._text, self._at)
        error.lineno += self._lines
        raise error

    def _read(self) -> bool:
        """Read on, and forget what is done with; each time as much as is kept, so that no text is read twice over."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        raw = self._file.read(max(_PIECE_BYTES, len(kept)))
        self._ended = not raw
        self._lines += self._text.count("\n", 0, self._at)
        self._text = kept + self._decoder.decode(raw, final=self._ended)
        self._at = 0
        return True


def unsendable(value: Any) -> str | None:
    """Say what keeps a value from being sent as JSON.

    :param value: the value.
    :returns: what it holds, to stand behind "it holds"; None where nothing does.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        return f"half of a surrogate pair ({error.object[max(error.start - 10, 0) : error.end]!a}), which is no text"
    except RecursionError:
        return "lists or objects that are nested too deeply"
    except ValueError:
        return "NaN or an infinite number, which JSON does not have"
    except TypeError as error:
        return f"something that is no JSON ({error})"
    return None


def is_text(text: str) -> bool:
    """Tell whether a text can be written in UTF-8: it holds no half of a surrogate pair.

    :param text: the text.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: Any) -> bool:
    """Tell whether a value is an ordinary number.

    :param value: anything.
    :returns: false for true and false, NaN, the infinite ones, and whole numbers beyond any float.
    """
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False
