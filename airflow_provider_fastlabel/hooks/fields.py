"""Numbers in a connection's extra or in Airflow's configuration: read from what people write there, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import LONGEST_DURATION
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_NUMBER = 1_000_000_000


def positive_seconds(raw: Any) -> float:
    """Read a positive, finite number of seconds.

    :param raw: a number, or its text.
    :raises ValueError: it is none; the message says what it must be.
    """
    seconds = _number(raw)
    if not 0 < seconds <= LONGEST_DURATION:
        raise ValueError(f"must be a positive number of seconds up to {LONGEST_DURATION:,}, not {shortened(raw)}")
    return seconds


def share(raw: Any) -> float:
    """Read a share: a number above 0 up to 1.

    :param raw: a number, or its text.
    :raises ValueError: it is none; the message says what it must be.
    """
    number = _number(raw)
    if not 0 < number <= 1:
        raise ValueError(f"must be a number above 0 up to 1, not {shortened(raw)}")
    return number


def whole_number(minimum: int) -> Callable[[Any], int]:
    """Return a parser of whole numbers.

    :param minimum: the least that it takes.
    """

    def parse(raw: Any) -> int:
        try:
            number = int(str(raw)) if isinstance(raw, str | int) and not isinstance(raw, bool) else minimum - 1
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= LARGEST_NUMBER:
            raise ValueError(f"must be a whole number from {minimum} to {LARGEST_NUMBER:,}, not {shortened(raw)}")
        return number

    return parse


def _number(raw: Any) -> float:
    """Read a number, -1 for what is none."""
    try:
        return float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else -1.0
    except (OverflowError, ValueError):
        return -1.0
