"""A list of checks as a file or a DAG states it: read, checked entry by entry, and put into one form. Pure, no calls.

.. code-block:: yaml

    - {check: objects_per_class, at_least: 50}
    - {check: tiny_boxes, pixels: 6, at_most: 0.01, severity: warn}
    - {check: split_leak}

Each entry names its check, may give it arguments of :data:`CHECKS`, and says by ``severity`` whether it fails the data
set (``fail``, the default) or only warns (``warn``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.json_text import is_number
from airflow_provider_fastlabel.pipelines.files.problems import SHOWN_OF_ONE, enumerate_problems
from airflow_provider_fastlabel.words import shortened

Severity = Literal["fail", "warn"]

MOST_BYTES = 1_000_000
"""Largest file of checks that is read."""
MOST_CHECKS = 200
"""Checks of a list."""
_LONGEST_NAME = 1000


class InvalidChecksError(FastLabelInvalidException):
    """The list of checks is not right; nothing was read. The message lists every problem with its entry."""


@dataclass(frozen=True)
class Check:
    """One check of a list.

    :param name: one of :data:`CHECKS`.
    :param severity: ``fail`` or ``warn``.
    :param arguments: each argument of the check by its name, with its default where the list gives none.
    """

    name: str
    severity: Severity
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class _Argument:
    """What an argument of a check may be."""

    default: Any
    words: str
    fits: Callable[[Any], bool]
    required: bool = False


def _share(default: float) -> _Argument:
    return _Argument(default, "a share from 0 to 1", lambda value: is_number(value) and 0 <= value <= 1)


def _inner_share(default: float | None) -> _Argument:
    return _Argument(
        default,
        "a share between 0 and 1",
        lambda value: is_number(value) and 0 < value < 1,
        required=default is None,
    )


def _least(default: int | None) -> _Argument:
    return _Argument(default, "a whole number of 1 or more", _is_count, required=default is None)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _are_names(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        return False
    return all(isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME for name in value)


_CLASSES = _Argument(None, "a list of class values", _are_names)
_FLAG = _Argument(False, "true or false", lambda value: isinstance(value, bool))
_PIXELS = _Argument(4, "a number above 0", lambda value: is_number(value) and value > 0)
_RATIO = _Argument(None, "a number of 1 or more", lambda value: is_number(value) and value >= 1, required=True)
_TEXT = _Argument(None, "a text", lambda value: isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME)

CHECKS: Mapping[str, Mapping[str, _Argument]] = {
    "approved": {"at_least": _share(1)},
    "open_comments": {"at_most": _Argument(0, "a whole number of 0 or more", lambda v: type(v) is int and v >= 0)},
    "unlabelled_pictures": {"at_most": _share(0)},
    "objects_per_class": {"at_least": _least(None), "classes": _CLASSES},
    "class_balance": {"at_most": _RATIO, "classes": _CLASSES},
    "class_drift": {"at_most": _share(0.1), "required": _FLAG},
    "tiny_boxes": {"pixels": _PIXELS, "at_most": _share(0)},
    "overlapping_boxes": {"iou": _inner_share(0.7), "at_most": _share(0)},
    "split_leak": {"at_most": _Argument(0, "a whole number of 0 or more", lambda v: type(v) is int and v >= 0)},
    "agreement": {"at_least": _share(0.8), "iou": _inner_share(0.5), "measure": _Argument(
        "alpha", "alpha or kappa", lambda value: value in ("alpha", "kappa"))},
    "sample_size": {
        "margin": _inner_share(None), "confidence": _inner_share(0.95), "rate": _inner_share(0.5),
        "population": _Argument(None, "a whole number of 1 or more", _is_count), "split": _TEXT,
    },
}  # fmt: skip
"""The checks that there are, and their arguments."""


def read_checks(raw: Any) -> tuple[Check, ...]:
    """Check a list of checks and put it into one form.

    :param raw: a list of dictionaries, see the module.
    :returns: the checks, in their order.
    :raises InvalidChecksError: listing every problem with the entry it is in.
    """
    if isinstance(raw, str | bytes) or not isinstance(raw, Sequence) or not raw:
        raise InvalidChecksError(
            f"The checks must be a list of one check or more, not {shortened(raw)}. Nothing was read. Write for "
            "instance: [{'check': 'unlabelled_pictures'}]."
        )
    if len(raw) > MOST_CHECKS:
        raise InvalidChecksError(f"These are {len(raw):,} checks, and {MOST_CHECKS} are the most. Nothing was read.")
    problems: list[str] = []
    checks = [_check(entry, f"checks[{number}]", problems) for number, entry in enumerate(raw)]
    if problems:
        raise InvalidChecksError(
            "The checks are not right. Nothing was read.\n" + enumerate_problems(problems, SHOWN_OF_ONE)
        )
    return tuple(check for check in checks if check is not None)


def parse_checks(data: bytes, name: str) -> tuple[Check, ...]:
    """Read a file of checks, YAML or JSON.

    :param data: the content, UTF-8 with or without a byte order mark; of a file that is larger than :data:`MOST_BYTES`
        one byte more is enough.
    :param name: what messages call the file.
    :returns: the checks, in their order.
    :raises InvalidChecksError: it is too large, no such file, or its list is not right.
    """
    from airflow_provider_fastlabel.yaml_text import UnusableYamlError, read_yaml

    if len(data) > MOST_BYTES:
        raise InvalidChecksError(f"{name} has more than {MOST_BYTES:,} bytes: no list of checks. Nothing was read.")
    try:
        return read_checks(read_yaml(data.decode("utf-8-sig"), name))
    except UnicodeDecodeError as error:
        raise InvalidChecksError(
            f"{name} is not UTF-8 text: byte {error.start} is {error.reason}. Save it as UTF-8. Nothing was read."
        ) from None
    except UnusableYamlError as error:
        raise InvalidChecksError(f"{error}. Nothing was read.") from None


def _check(entry: Any, place: str, problems: list[str]) -> Check | None:
    """Read one entry, and note what is wrong with it."""
    if not isinstance(entry, Mapping):
        problems.append(f"{place} must be a dictionary such as {{check: split_leak}}, not {_shown(entry)}")
        return None
    name = entry.get("check")
    known = CHECKS.get(name) if isinstance(name, str) else None
    if known is None or not isinstance(name, str):
        problems.append(f"{place}.check must be one of {', '.join(CHECKS)}, not {_shown(name)}")
        return None
    before, place = len(problems), f"{place} ({name})"
    severity = entry.get("severity", "fail")
    if severity not in ("fail", "warn"):
        problems.append(f"{place}: severity must be fail or warn, not {_shown(severity)}")
    for key in entry:
        if key not in ("check", "severity", *known):
            takes = ", ".join(known) or "no argument"
            problems.append(f"{place}: {_shown(key)} is no argument of this check, which takes {takes}")
    arguments = {key: _argument(entry, key, argument, place, problems) for key, argument in known.items()}
    return Check(name, severity, arguments) if len(problems) == before else None


def _argument(entry: Mapping[Any, Any], key: str, argument: _Argument, place: str, problems: list[str]) -> Any:
    """Return an argument of an entry, and note what is wrong with it."""
    if key not in entry:
        if argument.required:
            problems.append(f"{place}: {key} is missing; it is {argument.words}")
        return argument.default
    value = entry[key]
    if not argument.fits(value):
        problems.append(f"{place}: {key} must be {argument.words}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return foreign_text(shortened(value))
