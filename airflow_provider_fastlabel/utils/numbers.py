"""Numbers as arguments: given as such, as what a template rendered to, or as a span of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.statuses import PRIORITIES
from airflow_provider_fastlabel.utils.arguments import TO_NOTHING, is_nothing, refused
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence


LONGEST_WAIT = 1_000_000_000
"""Seconds, 31 years: the longest span of time. Of much longer ones no date can be made."""


@dataclass(frozen=True)
class Number:
    """What a number must be.

    :param whole: whether it must be a whole number.
    :param least: the least that is allowed; ``None`` for no such limit.
    :param most: the most that is allowed; ``None`` for no such limit.
    :param above: what it must be more than; ``None`` for no such limit.
    :param choices: the numbers that are allowed; all if empty.
    :param optional: whether it may be ``None``, not given. An empty text may not: it is a template gone wrong.
    """

    whole: bool = True
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: Sequence[int] = ()
    optional: bool = False

    def read(self, name: str, value: Any) -> Any:
        """Return the number, ``None`` when it is not given.

        :param name: of the argument.
        :param value: a number, or the text that a template rendered to.
        :raises FastLabelInvalidException: it is no number, or not one that is allowed.
        """
        if self.optional and value is None:
            return None
        number = _number(value, whole=self.whole)
        if number is None or not self._allows(number):
            hint = f"; {TO_NOTHING}" if is_nothing(value) else ""
            raise refused(f"{name} must be {self}, not {shortened(value)}{hint}.")
        return number

    def _allows(self, number: float) -> bool:
        return (
            (not self.choices or number in self.choices)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )

    def __str__(self) -> str:
        if self.choices:
            return f"one of {', '.join(map(str, self.choices))}"
        limits = (("of at least", self.least), ("above", self.above), ("of at most", self.most))
        said = " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
        return f"a {'whole ' if self.whole else ''}number {said}".rstrip()


PRIORITY = Number(choices=PRIORITIES, optional=True)
FAILURES = Number(least=0, optional=True)
WORKERS = Number(least=1)
VERSIONS = Number(least=1)
SHARE = Number(whole=False, least=0, most=1)
MARGIN = Number(whole=False, least=0)


def _number(value: Any, *, whole: bool) -> float | None:
    """Return a value as a finite number, ``None`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, Real | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if not whole:
        return number
    return int(number) if number == int(number) else None


def seconds(name: str, value: Any) -> float:
    """Return a span of time in seconds.

    :param name: of the argument.
    :param value: a number of seconds, or a ``timedelta``.
    :raises FastLabelInvalidException: it is neither, not above 0, or more than :data:`LONGEST_WAIT`.
    """
    given = value.total_seconds() if isinstance(value, timedelta) else value
    number = None if isinstance(given, str) else _number(given, whole=False)
    if number is None or not 0 < number <= LONGEST_WAIT:
        raise refused(
            f"{name} must be a positive number of seconds or a positive timedelta, at most {LONGEST_WAIT:,} s, "
            f"not {shortened(value)}."
        )
    return number
