"""What values an attribute takes, by its type: a value of another is refused, or fitted where nothing is lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.json_text import is_number
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXTS = ("text", "textarea")
"""Types of attributes whose value is any text."""

_ONE_OF = ("select", "radio")
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def says_nothing(definition: Mapping[str, Any] | None, value: Any) -> bool:
    """Tell whether a value stands for none: null, and an empty text where no text is asked for.

    :param definition: the attribute as its class has it, ``None`` if it has not.
    :param value: the value.
    """
    return value is None or (value == "" and definition is not None and definition.get("type") not in TEXTS)


def fitted(definition: Mapping[str, Any], value: Any) -> Any:
    """Return a value as an attribute takes it, where the same can be said so: ``"3"`` for a number is 3.

    Formats differ in what they can write: Pascal VOC has text only, COCO numbers for true and false.

    :param definition: the attribute as its class has it.
    :param value: what a file says.
    :returns: the value as it is, if it fits or cannot be made to.
    """
    kind = definition.get("type")
    if kind in TEXTS or kind in _ONE_OF:
        plain = isinstance(value, int | float) and (kind in TEXTS or not isinstance(value, bool))
        return str(value) if plain else value
    if kind == "number" and isinstance(value, str):
        return _number(value)
    if kind == "switch" and isinstance(value, str | int):
        return _WORDS.get(str(value).strip().lower(), value)
    if kind == "checkbox":
        return [fitted({"type": "select"}, one) for one in (value if isinstance(value, list) else [value])]
    return value


def _number(text: str) -> Any:
    """Return the number that a text says, the text if it says none."""
    for read in (int, float) if "_" not in text else ():  # Python reads 1_000 as a number
        try:
            return read(text)
        except ValueError:
            continue
    return text


def value_complaint(definition: Mapping[str, Any], value: Any) -> str | None:
    """Say what an attribute does not take about a value.

    :param definition: the attribute as its class has it.
    :param value: the value; one that says nothing is taken by every type.
    :returns: the end of a sentence that begins with the attribute.
    """
    kind = definition.get("type")
    if value is None or value == "":
        return None
    if kind in TEXTS:
        return None if isinstance(value, str) else _takes(kind, "text", value)
    if kind == "number":
        return None if is_number(value) else _takes(kind, "a number", value)
    if kind == "switch":
        return None if isinstance(value, int) and value in (0, 1) else _takes(kind, "true or false", value)
    if kind == "frameSelect":
        return None if _are_ranges(value) else _takes(kind, "a list of first and last frames", value)
    if kind in _ONE_OF:
        return _option_complaint(definition, [value]) if isinstance(value, str) else _takes(kind, "one option", value)
    if kind == "checkbox":
        choices = value if isinstance(value, list) else [value]
        sound = all(isinstance(choice, str) for choice in choices)
        return _option_complaint(definition, choices) if sound else _takes(kind, "a list of options", value)
    return None


def _takes(kind: Any, wanted: str, value: Any) -> str:
    return f"is of type {kind} and takes {wanted}, not {shortened(value)}"


def _option_complaint(definition: Mapping[str, Any], choices: Iterable[str]) -> str | None:
    options = {option.get("value") for option in definition.get("options") or ()}
    unknown = next((choice for choice in choices if choice and choice not in options), None)
    return None if unknown is None else f"has no option {unknown!r}; it has {listed(options)}"


def _are_ranges(value: Any) -> bool:
    """Tell whether a value is a list of pairs of frames."""
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(frame, int) and not isinstance(frame, bool) for frame in pair)
        for pair in value
    )


def listed(names: Iterable[Any]) -> str:
    """Name the first twenty of some names.

    :param names: the names, in any order.
    """
    known = sorted(map(str, names))
    if not known:
        return "none"
    return ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
