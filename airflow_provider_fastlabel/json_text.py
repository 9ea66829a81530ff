"""JSON of strangers is read here, and what is to be sent as JSON is looked at before any of it is.

Python's reader raises what nobody expects of a text: a ``RecursionError`` for one that is nested without end, a
``ValueError`` without a place for a number of 5,000 digits. And it takes what cannot be sent on: NaN, and halves of
surrogate pairs, which no file in UTF-8 can hold.
"""

from __future__ import annotations

import json
import math
from typing import Any


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
    try:
        return json.loads(data.decode("utf-8-sig") if isinstance(data, bytes) else data)
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
