"""How fast each annotator is, and how much of the work comes back."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.json_text import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

BACK = frozenset({"declined", "sent_back", "customer_declined"})
"""Statuses of work that somebody has given back."""
MOST = 300
"""People that are told apart; the others are counted together."""
OTHERS = "(others)"
_DIGITS = ".3g"
"""Of durations: so many differ in them that the counts of a person stay small, however many tasks there are."""


@dataclass(slots=True)
class Pace:
    """Counts of one annotator.

    :param tasks: tasks that are theirs.
    :param objects: objects in them.
    :param back: tasks that were declined or sent back.
    :param timed: tasks that say how long they took.
    :param seconds: how often which duration was met, to three digits.
    """

    tasks: int = 0
    objects: int = 0
    back: int = 0
    timed: int = 0
    seconds: Counter[float] = field(default_factory=Counter)

    def median(self) -> float | None:
        """Return the median duration of a task in seconds, to three digits; ``None`` if no task says one."""
        if not self.timed:
            return None
        durations = sorted(self.seconds)
        ends = list(accumulate(self.seconds[each] for each in durations))
        # Of an even number of tasks the median lies between the two in the middle.
        low, high = (durations[bisect(ends, at)] for at in ((self.timed - 1) // 2, self.timed // 2))
        return _shown(low + (high - low) / 2)


class People:
    """The counts of all annotators."""

    def __init__(self) -> None:
        self.paces: dict[str, Pace] = {}

    def add(self, person: str, task: Mapping[str, Any], objects: int) -> str:
        """Count a task.

        :param person: who labels it, not empty.
        :param task: the task object.
        :param objects: how many it has.
        :returns: under which name it was counted.
        """
        if person not in self.paces and len(self.paces) >= MOST:
            person = OTHERS
        pace = self.paces.setdefault(person, Pace())
        pace.tasks += 1
        pace.objects += objects
        pace.back += is_back(task)
        seconds: Any = task.get("secondsToAnnotate")
        if is_number(seconds) and seconds > 0:
            pace.timed += 1
            pace.seconds[_shown(seconds)] += 1
        return person


def _shown(seconds: float) -> float:
    return float(f"{seconds:{_DIGITS}}")


def is_back(task: Mapping[str, Any]) -> bool:
    """Tell whether a task was declined or sent back.

    :param task: task object.
    """
    return any(task.get(key) in BACK for key in ("status", "externalStatus") if isinstance(task.get(key), str))
