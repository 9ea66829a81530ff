"""What the parts of one piece of work have done to which task, so that all of them count as one and none repeats it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.marks import mark_of, split_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_fastlabel.pipelines.updates.selection import ChosenTask

NOTHING_NEW = ("unchanged", "missing")
"""Fates of a task that was found as it should be: if an earlier part made it so, its fate is what that part did."""


class Parts:
    """The fates of tasks, of earlier parts and of this one; tasks that failed have none, and are tried again.

    :param remembered: what :meth:`remembered` gave when the part before ended; empty for the first.
    """

    def __init__(self, remembered: Mapping[str, str] | None = None) -> None:
        self._earlier = {mark: fate for fate, marks in (remembered or {}).items() for mark in split_marks(marks)}
        self._fates = dict(self._earlier)

    def settle(self, task: ChosenTask, settle: Callable[[ChosenTask], str]) -> str:
        """Bring a task to its fate, without a call where an earlier part has and nothing newer is known of it.

        :param task: the task.
        :param settle: does it, and returns the fate.
        """
        mark = mark_of(task.label)
        before = self._earlier.get(mark)
        if before is not None and task.known is None:
            return before
        fate = settle(task)
        if before is not None and fate in NOTHING_NEW:
            fate = before
        self._fates[mark] = fate
        return fate

    def no_longer_chosen(self, tasks: Iterable[ChosenTask]) -> Counter[str]:
        """Count the fates of tasks of earlier parts that are not chosen any more, because they are as asked.

        :param tasks: those that are.
        """
        chosen = {mark_of(task.label) for task in tasks}
        return Counter(fate for mark, fate in self._earlier.items() if mark not in chosen)

    def remembered(self) -> dict[str, str]:
        """Return the marks of all settled tasks by fate, as one text each."""
        marks: dict[str, list[str]] = {}
        for mark, fate in self._fates.copy().items():
            marks.setdefault(fate, []).append(mark)
        return {fate: "".join(found) for fate, found in marks.items()}
