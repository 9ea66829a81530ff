"""Arguments that cannot be meant, refused before a request by a message that names them.

A text is a sequence of letters and a dictionary one of keys, so that Python lets both pass for a list; ``None`` goes
out as ``null``. FastLabel would do something with each of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from reprlib import repr as short
from typing import Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException

LONGEST_DURATION = 1_000_000
"""Seconds, eleven days. A socket takes not much more."""


def required(**given: str) -> dict[str, Any]:
    """Return arguments that must be given, by their names.

    :raises FastLabelInvalidException: (422) if one is not a text, an empty one, or no valid Unicode.
    """
    for name, text in given.items():
        if not isinstance(text, str) or not text.strip():
            raise _refused(name, "a text that is not empty", text)
        check_unicode(text)
    return given


def optional(**given: str | None) -> dict[str, Any]:
    """Return arguments that may be left out, by their names.

    :raises FastLabelInvalidException: (422) if one is something else than a text and ``None``, or no valid Unicode.
    """
    for name, text in given.items():
        if text is not None:
            if not isinstance(text, str):
                raise _refused(name, "a text", text)
            check_unicode(text)
    return given


def paging(offset: int | None, limit: int | None, maximum: int | None = None) -> dict[str, int | None]:
    """Return the query keys of a page.

    :param offset: position of the first item, from 0.
    :param limit: items per page; ``None`` leaves it to FastLabel.
    :param maximum: the largest page of this list; ``None`` if FastLabel's SDK does not check it.
    :raises FastLabelInvalidException: (422) if one is not a whole number from 0, or ``limit`` is larger.
    """
    for name, number in (("offset", offset), ("limit", limit)):
        if number is not None:
            whole_number(name, number)
    if limit is not None and maximum is not None and limit > maximum:
        raise FastLabelInvalidException(
            f"limit must be {maximum} or less for this list, not {limit}. Nothing was sent.", 422
        )
    return {"offset": offset, "limit": limit}


def whole_number(name: str, number: int, most: int | None = None) -> None:
    """Check a number that counts something.

    :param name: of the argument.
    :param most: the largest it may be; ``None`` for any.
    :raises FastLabelInvalidException: (422) if it is not a whole number from 0, or larger.
    """
    if not is_whole(number, 0) or (most is not None and number > most):
        raise _refused(name, "a whole number from 0" + (f" to {most}" if most is not None else ""), number)


def path_text(path: object) -> str:
    """Return a path as text.

    :raises FastLabelInvalidException: (422) if it is something else.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise _refused("the path of a file or folder", "a text or a path", path)
    return text


def listed(name: str, values: Iterable[Any] | None) -> list[Any] | None:
    """Return the items of a list, ``None`` if it is not given.

    :param name: of the argument.
    :raises FastLabelInvalidException: (422) if it is a text, a dictionary or a single thing.
    """
    if values is None or (isinstance(values, str) and not values):
        return None
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _refused(name, "a list", values)
    return list(values)


def texts(name: str, values: Iterable[str] | None) -> list[str] | None:
    """Return a list of texts, such as tags, ``None`` if it is not given.

    :param name: of the argument.
    :raises FastLabelInvalidException: (422) if it is no list, or an item is no text or empty.
    """
    found = listed(name, values)
    for index, text in enumerate(found or ()):
        if not isinstance(text, str) or not text:
            raise _refused(f"{name}[{index}]", "a text", text)
        check_unicode(text)
    return found


def items(name: str, values: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]] | None:
    """Return a list of dictionaries, such as annotations, ``None`` if it is not given.

    :param name: of the argument.
    :raises FastLabelInvalidException: (422) if it is no list, or an item is no dictionary.
    """
    found = listed(name, values)
    for index, item in enumerate(found or ()):
        if not isinstance(item, Mapping):
            raise _refused(f"{name}[{index}]", "a dictionary", item)
    return found


def keyed(name: str, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a dictionary, ``None`` if it is not given.

    :param name: of the argument.
    :raises FastLabelInvalidException: (422) if it is something else.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _refused(name, "a dictionary", value)
    return dict(value)


def check_unicode(text: str) -> None:
    """Refuse a text with lone surrogates: the name of a file whose bytes are no UTF-8, as Python reads it.

    :raises FastLabelInvalidException: (422) if it has some.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise not_unicode(error) from None


def not_unicode(error: UnicodeEncodeError) -> FastLabelInvalidException:
    """Return the error that a text which cannot be sent stands for."""
    return FastLabelInvalidException(f"{short(error.object)} is no valid Unicode; rename it. Nothing was sent.", 422)


def is_whole(value: object, least: int) -> bool:
    """Return whether a value is a whole number, not below ``least``."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_duration(value: object) -> bool:
    """Return whether a value is a number of seconds above zero that a socket can wait for."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_DURATION


def _refused(name: str, meant: str, value: object) -> FastLabelInvalidException:
    return FastLabelInvalidException(f"{name} must be {meant}, not {short(value)}. Nothing was sent.", 422)
