"""Durations, sizes and foreign values are put into words, for logs and errors."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


def counted(count: int, one: str, more: str = "") -> str:
    """Write a number and what it counts: ``1 object``, ``2,000 objects``.

    :param count: the number.
    :param one: what is counted, if it is one.
    :param more: if it is not one; with an ``s`` by default.
    """
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def percent(share: float) -> str:
    """Write a share for people: ``12.5 %``. Only all is 100 %, and only nothing 0 %.

    :param share: from 0 on; 1 is all.
    """
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if share >= 10:
        return f"{100 * share:,.0f} %"
    return f"{99.9 if 0.9995 <= share < 1 else 100 * share:.3g} %"


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


def firsts_and_counts(lists: Mapping[str, Sequence[str]], most: int = 100) -> dict[str, Any]:
    """Return the beginnings of lists for a result, because XComs are for small things, and how long they are.

    :param lists: name -> list.
    :param most: entries of each at most.
    :returns: name -> beginning; and under ``counts`` name -> length.
    """
    return {name: list(values[:most]) for name, values in lists.items()} | {
        "counts": {name: len(values) for name, values in lists.items()}
    }


def top_counts(counts: Mapping[str, int], most: int = 10, *, rest: str = "and {} more") -> dict[str, int]:
    """Return the largest of counts whose names come from data, for a result or a line of the log.

    :param counts: name -> count.
    :param most: how many names at most.
    :param rest: what the others are called; ``{}`` stands for how many they are.
    :returns: by name, of at most 80 characters each; the others together, last. The sum stays what it was.
    """
    short: Counter[str] = Counter()
    for name, count in counts.items():
        short[name if len(name) <= 80 else f"{name[:77]}..."] += count
    kept = sorted(short, key=lambda name: (-short[name], name))[:most]
    top = {name: short[name] for name in sorted(kept)}
    left = short.total() - sum(top.values())
    return top | ({rest.format(len(short) - len(top)): left} if len(short) > len(top) else {})
