"""What a function can decide on a task, in the form in which it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.tasks.fields import Users
from airflow_provider_fastlabel.client.statuses import EXTERNAL_STATUSES, PRIORITIES, TASK_STATUSES
from airflow_provider_fastlabel.json_text import unsendable
from airflow_provider_fastlabel.words import shortened

Decision = dict[str, Any]
"""A decision as JSON values: the arguments of :class:`~airflow_provider_fastlabel.pipelines.updates.run.Changes`, the
people of :class:`~airflow_provider_fastlabel.client.resources.tasks.fields.Users`, and ``comment``."""

PEOPLE: tuple[str, ...] = tuple(Users.__annotations__)
"""Fields that hold the slug of a person, or ``None`` to take the task from them."""

COMMENT = ("text", "content_name", "content_id", "points", "frame", "task_annotation_id", "color", "is_resolved")
"""What a comment can say of itself, as the client's ``create_task_comment`` takes it."""

_CHOICES: dict[str, Sequence[object]] = {
    "status": TASK_STATUSES,
    "external_status": EXTERNAL_STATUSES,
    "priority": PRIORITIES,
}


def read_decision(value: Any) -> Decision | None:
    """Return a decision, ``None`` if it is to leave the task as it is.

    :param value: what the function returned: ``None`` or an empty dictionary; a status; or a dictionary with any of
        ``status``, ``external_status``, ``priority``, ``tags``, ``add_tags``, ``comment``, and the fields of people.
    :raises FastLabelInvalidException: it is none of these, or holds what FastLabel does not have; says which.
    """
    if isinstance(value, str):
        value = {"status": value}
    if value is None or value == {}:
        return None
    if not isinstance(value, Mapping):
        raise _refused(f"returned {shortened(value)}; return None, a status or a dictionary")
    for name in value:
        if name not in (*_CHOICES, "tags", "add_tags", "comment", *PEOPLE):
            known = ", ".join((*_CHOICES, "tags", "add_tags", "comment", *PEOPLE))
            raise _refused(f"decided {shortened(name)}, which is none of {known}")
    if value.get("tags") is not None and value.get("add_tags") is not None:
        raise _refused("decided tags and add_tags; tags replaces and add_tags extends: decide one of them")
    decision = {name: _read(name, field) for name, field in value.items() if field is not None or name in PEOPLE}
    return decision or None


def _read(name: str, value: Any) -> Any:
    """Return one field as a JSON value."""
    if name in _CHOICES:
        known = [choice for choice in _CHOICES[name] if not isinstance(value, bool) and choice == value]
        if not known:
            raise _refused(f"decided {name} {shortened(value)}, which is none of {', '.join(map(str, _CHOICES[name]))}")
        return known[0]  # what equals it may be no JSON, such as a number of numpy
    if name in PEOPLE:
        if value is not None and not _is_text(value):
            raise _refused(f"decided {name} {shortened(value)}; it must be the slug of a person, or None for nobody")
        return value
    if name == "comment":
        return _read_comment(value)
    if not isinstance(value, list | tuple | set | frozenset) or not all(map(_is_text, value)):
        raise _refused(f"decided {name} {shortened(value)}; it must be a list of texts")
    return sorted(value) if isinstance(value, set | frozenset) else list(value)


def _read_comment(value: Any) -> dict[str, Any]:
    comment = {"text": value} if isinstance(value, str) else value
    if not isinstance(comment, Mapping) or not _is_text(comment.get("text")) or not comment.keys() <= set(COMMENT):
        raise _refused(
            f"decided the comment {shortened(value)}; it must be a text, or a dictionary with text and, if it is about "
            f"a place, any of {', '.join(COMMENT[1:])}"
        )
    if (why := unsendable(dict(comment))) is not None:
        raise _refused(f"decided the comment {shortened(value)}, which holds {why}")
    return dict(comment)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _refused(what: str) -> FastLabelInvalidException:
    return FastLabelInvalidException(f"The function {what}. This task was left as it is.", 422)
