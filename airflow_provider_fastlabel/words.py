"""Durations, sizes and foreign values are put into words, for logs and errors."""

from __future__ import annotations

from typing import Any


def duration(seconds: float) -> str:
    """Write a duration for people: ``40 s``, ``12 min``, ``5.2 h``, ``3.1 days``.

    :param seconds: the duration.
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def megabytes(size: int) -> str:
    """Write a number of bytes for people: ``298 kB``, ``16.8 MB``, ``2.1 GB``.

    :param size: the bytes.
    """
    for unit, least in (("GB", 10**9), ("MB", 10**6)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size / 1000:.0f} kB"


def shortened(value: Any, most: int = 80) -> str:
    """Return the beginning of a value as Python writes it.

    :param value: anything.
    :param most: characters at most.
    """
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested without end; a whole number of thousands of digits
        return f"<{type(value).__name__} that cannot be written out>"
    return text if len(text) <= most else text[: most - 3] + "..."
