"""Gives tasks whose labels are suspicious another status, each task once, and none that somebody has moved meanwhile.

A tag on the task says that it was done; both are set by one call. So nothing else needs to be remembered: not after a
kill, not the next night. Whoever takes the tag off lets the task be moved again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.pipelines.updates.run import Changes
from airflow_provider_fastlabel.pipelines.updates.selection import known_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient

    Task = Mapping[str, Any]
    State = tuple[Any, Any]

SET, BEFORE, MOVED_ON = "status_set", "status_set_before", "moved_on"
"""What becomes of a task: it got the status now; it has it, or had it; somebody has moved or deleted it meanwhile."""


@dataclass
class Mover:
    """Gives tasks a status and a tag.

    :param client: the client.
    :param kind: the kind of the tasks.
    :param tag: says that a task was moved.
    :param status: the new status; ``None`` leaves it as it is.
    :param external_status: the same for the external status.
    :param counts: how many tasks met which fate, by :data:`SET`, :data:`BEFORE` and :data:`MOVED_ON`.
    """

    client: FastLabelClient
    kind: str
    tag: str
    status: str | None = None
    external_status: str | None = None
    counts: Counter[str] = field(default_factory=Counter, init=False)
    _states: dict[str, State] = field(default_factory=dict, init=False, repr=False)

    def words(self) -> str:
        """Say what is set, for messages."""
        values = {"status": self.status, "external status": self.external_status, "tag": self.tag}
        return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)

    def watch(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Note as what tasks were listed, while they pass.

        :param tasks: task objects as the API returns them.
        """
        states: dict[State, State] = {}  # a few, each kept once
        for task in tasks:
            known = known_fields(task)
            if not self._is_done(known):
                state = _state(known)
                self._states[str(task["id"])] = states.setdefault(state, state)
            yield task

    def pending(self, task_ids: Iterable[str]) -> list[str]:
        """Return the tasks that were not moved before, and count the others.

        :param task_ids: tasks that were listed, each once.
        """
        listed = list(task_ids)
        left = [task_id for task_id in listed if task_id in self._states]
        self.counts[BEFORE] += len(listed) - len(left)
        return left

    def move(self, task_id: str) -> str:
        """Give a task the status and the tag, unless it is no longer as it was listed.

        :param task_id: a task that was listed.
        :returns: its fate.
        """
        try:
            known = known_fields(self.client.find_task(self.kind, task_id))
        except NotFound:
            return MOVED_ON
        if self._is_done(known):
            return BEFORE
        if _state(known) != self._states[task_id]:
            return MOVED_ON
        changes = Changes(status=self.status, external_status=self.external_status, add_tags=[self.tag])
        self.client.update_task(task_id, **changes.for_task(known))
        return SET

    def _is_done(self, known: Mapping[str, Any]) -> bool:
        """Tell whether a task carries the tag, or has the status by itself."""
        wanted = {"status": self.status, "external_status": self.external_status}
        return self.tag in (known["tags"] or ()) or all(
            value is None or known[name] == value for name, value in wanted.items()
        )


def _state(known: Mapping[str, Any]) -> State:
    return known["status"], known["external_status"]
