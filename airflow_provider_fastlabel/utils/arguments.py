"""Arguments as their templates rendered: what cannot be meant is refused before the work, and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_fastlabel.client.statuses import EXTERNAL_STATUSES, TASK_STATUSES

TO_NOTHING = "its template may have been rendered to nothing"
"""How an error says that an argument, or a part of it, is empty or ``None``."""

_NATIVELY = "; a template must render natively (render_template_as_native_obj), or take the task's `.output`"


def refused(message: str) -> ValueError:
    """Return the error of an argument that no retry can cure.

    :param message: what is wrong with it.
    """
    from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException

    return FastLabelInvalidException(message)


def is_nothing(value: Any) -> bool:
    """Tell whether a value is what a template makes of nothing: ``None``, a blank text, or the text ``None``.

    :param value: as it was given or rendered; a number is something.
    """
    return value is None or (not isinstance(value, int | float) and str(value).strip() in ("", "None"))


def require_rendered(name: str, value: Any, advice: str = "") -> None:
    """Refuse a value that is nothing: absent, blank, an empty list, or the text that a template makes of ``None``.

    :param name: of the argument.
    :param value: as its template rendered.
    :param advice: whole sentences: what was not done, what to do.
    :raises FastLabelInvalidException: when it is nothing.
    """
    if not value or is_nothing(value):
        raise refused(f"{name} is empty; {TO_NOTHING}. {advice}".rstrip())


def one_text(name: str, value: Any) -> str | None:
    """Return a text, ``None`` when it is not given or empty.

    :param name: of the argument.
    :raises FastLabelInvalidException: for anything else, such as a list.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise refused(f"{name} must be one text, not {value!r}")
    return value


def one_flag(name: str, value: Any) -> bool:
    """Return a truth value, given as such or as what a template made of one.

    :param name: of the argument.
    :raises FastLabelInvalidException: for anything else.
    """
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise refused(f"{name} must be True or False, not {value!r}")
    return value


def task_status(name: str, value: Any) -> str | None:
    """Return a task status, ``None`` when it is not given or empty.

    :param name: of the argument.
    :raises FastLabelInvalidException: when FastLabel has no such status.
    """
    return _one_of(name, value, TASK_STATUSES)


def external_status(name: str, value: Any) -> str | None:
    """Return an external task status, ``None`` when it is not given or empty.

    :param name: of the argument.
    :raises FastLabelInvalidException: when FastLabel has no such status.
    """
    return _one_of(name, value, EXTERNAL_STATUSES)


def _one_of(name: str, value: Any, known: Sequence[str]) -> str | None:
    """Return one of the texts that are known, ``None`` when it is not given or empty."""
    text = one_text(name, value)
    if text is not None and text not in known:
        raise refused(f"{name} must be one of {', '.join(sorted(known))}, not {text!r}")
    return text


def rendered_texts(name: str, value: Any) -> list[str]:
    """Return a list of texts, such as tags; a single text is a list of one, not its letters.

    :param name: of the argument.
    :raises FastLabelInvalidException: for anything else, an empty text in the list, a list that was rendered to text.
    """
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            raise refused(f"{name} is the text {value!r}, not a list{_NATIVELY}")
        return [value] if value else []
    return rendered_list(name, value)


def rendered_list(name: str, value: Any) -> list[str]:
    """Return a list of texts, empty when it is not given.

    :param name: of the argument.
    :raises FastLabelInvalidException: for anything else, also for a single text, and for an empty text in the list or
        one that a template made of ``None``.
    """
    if value is None:
        return []
    if isinstance(value, str):
        raise refused(f"{name} must be a list, not the text {value!r}{_NATIVELY}")
    # What `.output` of a mapped task renders to is a sequence that is no list.
    if not isinstance(value, Sequence | set | frozenset) or isinstance(value, bytes):
        raise refused(f"{name} must be a list, not {value!r}")
    for item in value:
        if not isinstance(item, str) or not item:
            raise refused(f"{name} must hold texts that are not empty, not {item!r}")
        if item == "None":
            raise refused(f"{name} holds the text 'None'; {TO_NOTHING}.")
    return list(value)
