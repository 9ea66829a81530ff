"""The shapes of answers: each is looked at where it is unfolded, so that nobody behind meets something else.

A shape is a function that returns in words what an answer is instead, ``None`` if it is as it should be. What FastLabel
does not document is not looked at. An absent or empty field is none of another type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import UnexpectedAnswer
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Shape = Callable[[Any], str | None]

LARGEST_NUMBER = 2**53
"""Whole numbers beyond it are not exact in JSON, and some not even numbers of a machine."""
_QUOTED = 40
"""Characters of a text that is quoted."""
_TEXTS = ("name", "slug", "status", "externalStatus", "type", "url", "signedUrl")
_NUMBERS = ("width", "height", "fps", "frameCount", "duration", "size")
_LISTS = ("annotations", "attributes", "keypoints")  # what is in them is judged, and counted, one by one
_LISTS_OF_OBJECTS = ("contents", "metadatas", "relations", "options", "threads")
_OBJECTS = ("comment", "customModel")


def an_object(answer: Any) -> str | None:
    """Tell what is no object of the API: a task, a class, a project, a history, a job."""
    if not isinstance(answer, dict):
        return f"{_named(answer)}, not an object"
    for key, value in answer.items():
        problem = _FIELDS[key](value) if key in _FIELDS and value is not None else None
        if problem is not None:
            return f"an object whose {key} is {problem}"
    return None


def a_list(answer: Any) -> str | None:
    """Tell what is no list of objects of the API."""
    if not isinstance(answer, list):
        return f"{_named(answer)}, not a list of objects"
    for number, item in enumerate(answer):
        if (problem := an_object(item)) is not None:
            return f"something else than a list of objects: number {number + 1} is {problem}"
    return None


def an_id(answer: Any) -> str | None:
    """Tell what is no id, the answer to most creations."""
    return "an empty text, not an id" if answer == "" else _ident(answer)


def a_thing(answer: Any) -> str | None:
    """Tell what is no object of the API with an id of its own."""
    problem = an_object(answer)
    return problem if problem is not None else _ident(answer.get("id"))


def a_map(answer: Any) -> str | None:
    """Tell what is no object of texts, as of ids to names."""
    if not isinstance(answer, dict):
        return f"{_named(answer)}, not an object of texts"
    wrong = next((value for value in answer.values() if not isinstance(value, str)), "")
    return f"an object with {_named(wrong)} in it, not an object of texts" if not isinstance(wrong, str) else None


def a_count(answer: Any) -> str | None:
    """Tell what is no whole number from 0."""
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer <= LARGEST_NUMBER:
        return None
    return f"{_named(answer)}, not a number of things"


def needed(thing: Any, key: str, what: str) -> Any:
    """Return a field of something that FastLabel has answered with.

    :param thing: an object, of the shape that it should have.
    :param key: name of the field.
    :param what: a noun phrase for the message, such as ``project cats``.
    :raises UnexpectedAnswer: if it is not there, or empty.
    """
    value = thing.get(key)
    if value is None or value == "":
        named = foreign_text(what, 200)
        raise UnexpectedAnswer(f"FastLabel told no {key} of {named}. Check the API URL, and any proxy.")
    return value


def perhaps(shape: Shape) -> Shape:
    """Return the shape of an answer that may also be ``null``."""
    return lambda answer: None if answer is None else shape(answer)


def unexpected(call: str, what: str) -> UnexpectedAnswer:
    """Return the error for an answer of another shape.

    :param call: verb and path.
    :param what: in words, what FastLabel answered with.
    """
    return UnexpectedAnswer(f"{call}: FastLabel answered with {what}. Check the API URL, and any proxy.")


def _named(value: Any) -> str:
    """Return what a JSON value is, in words."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        # Whole or not at all: the token is taken out of what is quoted, which cannot be done to half of it.
        return f"a text ('{foreign_text(value)}')" if len(value) <= _QUOTED else f"a text of {len(value):,} characters"
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else "a number"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else f"{_named(value)}, not a text"


def _ident(value: Any) -> str | None:
    fits = isinstance(value, str | int) and not isinstance(value, bool)
    return None if fits else f"{_named(value)}, not a text"


def _number(value: Any) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"{_named(value)}, not a number"
    return "too large a number" if isinstance(value, int) and abs(value) > LARGEST_NUMBER else None


def _list(value: Any) -> str | None:
    return None if isinstance(value, list) else f"{_named(value)}, not a list of objects"


def _list_of_objects(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"{_named(value)}, not a list of objects"
    wrong = next((item for item in value if not isinstance(item, dict)), None)
    if wrong is not None or None in value:
        return f"a list with {_named(wrong)} in it, not a list of objects"
    return None


def _list_of_texts(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"{_named(value)}, not a list of texts"
    return None if all(isinstance(item, str) for item in value) else "a list of something else than texts"


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else f"{_named(value)}, not an object"


_FIELDS: dict[str, Shape] = {
    "id": _ident,
    "trainingJobId": _ident,
    "tags": _list_of_texts,
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_LISTS, _list),
    **dict.fromkeys(_LISTS_OF_OBJECTS, _list_of_objects),
    **dict.fromkeys(_OBJECTS, _object),
}
