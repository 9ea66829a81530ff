"""The decision record: what was decided on each task and how far it came, so that a retry goes on and repeats nothing.

A header line, ``{"manifest": "fastlabel-decisions", "version": 1, "project": "cats", ...}``, then lines per task::

    {"task": "<id>", "fate": "decided", "decision": {"status": "sent_back", "comment": {"text": "..."}}, "at": "..."}
    {"task": "<id>", "fate": "commenting", "comments": 0, "at": "..."}
    {"task": "<id>", "fate": "done", "at": "..."}

``comments`` is how many messages of the same text the task had before ours was sent: more of them later mean that ours
has arrived. What was decided to leave alone is not recorded, and asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.files.journal import Journal, now_text
from airflow_provider_fastlabel.pipelines.updates.decisions import read_decision
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.updates.decisions import Decision


@dataclass
class Entry:
    """What is known of one task.

    :param decision: what was decided.
    :param comments: messages of the comment's text before ours was sent; ``None`` if it was not yet sent.
    :param done: whether all of the decision has happened.
    """

    decision: Decision
    comments: int | None = None
    done: bool = False


class DecisionRecord(Journal):
    """The account of one run of decisions. See :class:`~airflow_provider_fastlabel.pipelines.files.journal.Journal`.

    :param target: a local path, or an object with the ``pathlib`` interface that lives elsewhere.
    :param project: the project's slug.
    :raises FastLabelInvalidException: on entering, when the file exists and is none of this project.
    """

    journal: ClassVar[str] = "fastlabel-decisions"
    called: ClassVar[str] = "decision record"
    foreign: ClassVar[str] = "exists and is not a decision record"

    def __init__(self, target: Any, *, project: str) -> None:
        super().__init__(target)
        self.entries: dict[str, Entry] = {}
        self._project = project

    def write(self, task_id: str, fate: str, **facts: Any) -> None:
        """Record what has become, or is about to become, of a task.

        :param task_id: the task's id.
        :param fate: ``decided``, ``commenting`` or ``done``.
        :param facts: what goes with it.
        """
        record = {"task": task_id, "fate": fate, **facts}
        self.remember(record)
        self.append({**record, "at": now_text()})

    def header(self) -> dict[str, Any]:
        """Return whose record it is."""
        return {"project": self._project}

    def check_header(self, header: dict[str, Any]) -> None:
        """Refuse the record of another project; see the base class."""
        if header.get("project") != self._project:
            raise self.refused(
                f"The record {self.target} is about project {shortened(header.get('project'))}, not {self._project!r}"
            )

    def refused(self, why: str) -> FastLabelInvalidException:
        """Return the error of a file that cannot be the record; see the base class."""
        return FastLabelInvalidException(f"{why}. Nothing was changed. Give `record` another path.", 422)

    def kept(self) -> str:
        """Say what is kept; see the base class."""
        return "What was changed stays. Make room there and run the task again: it does what is left"

    def damage(self) -> str:
        """Say what damaged lines mean; see the base class."""
        return "What they said is asked anew; comments of the same text made since this run began are not repeated"

    def remember(self, record: dict[str, Any]) -> bool:
        """Take in a line; see the base class."""
        task_id, fate = record.get("task"), record.get("fate")
        if not isinstance(task_id, str):
            return False
        if fate == "decided":
            return self._decided(task_id, record.get("decision"))
        entry = self.entries.get(task_id)
        if entry is None:
            return False
        if fate == "commenting" and type(record.get("comments")) is int:
            entry.comments = record["comments"]
            return True
        entry.done = entry.done or fate == "done"
        return fate == "done"

    def _decided(self, task_id: str, value: Any) -> bool:
        try:
            decision = read_decision(value)
        except FastLabelInvalidException:
            return False
        if decision is None:
            return False
        self.entries[task_id] = Entry(decision)
        return True
