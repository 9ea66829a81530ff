"""A function decides on each of many tasks; what it decides is done, each thing once, whatever dies half-way."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import OutcomeUnknown
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.files.problems import Problem, RunIncomplete
from airflow_provider_fastlabel.pipelines.running.newcomers import moment
from airflow_provider_fastlabel.pipelines.running.progress import Progress
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, OUTAGE, Run
from airflow_provider_fastlabel.pipelines.updates.decision_record import Entry
from airflow_provider_fastlabel.pipelines.updates.decisions import PEOPLE, read_decision
from airflow_provider_fastlabel.pipelines.updates.run import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.updates.decision_record import DecisionRecord
    from airflow_provider_fastlabel.pipelines.updates.selection import ChosenTask, TaskSelection

log: logging.Logger = logging.getLogger(__name__)

CLOCKS = timedelta(seconds=60)
"""By how much FastLabel's clock may differ from ours."""

SHOWN = 20
"""Decisions of a dry run that the log spells out."""


@dataclass
class Decided:
    """A task and what is to be done to it.

    :param task: the task.
    :param entry: the decision and how far it has come.
    :param again: whether an earlier run decided it.
    """

    task: ChosenTask
    entry: Entry
    again: bool


@dataclass
class TaskDecisions:
    """Asks a function about each task of a selection, then does what it decided.

    First all tasks are looked at and nothing is changed, so a filter does not lose its place and a dry run is the same
    work without its end. The function is called in one thread, one task at a time.

    :param client: the client.
    :param selection: the tasks.
    :param decide: the function; gets a task as FastLabel describes it. What it may return, see
        :func:`~airflow_provider_fastlabel.pipelines.updates.decisions.read_decision`. An exception is that task's
        failure.
    :param record: where decisions are written down before they are carried out; ``None`` for nowhere, then a repeated
        run asks anew.
    :param since: when the work began, if an earlier try of it may have been made whose record is not at hand: a comment
        of the same text that was made after it is not made again.
    :param ending: exceptions of the function that end the run instead of counting as a failure.
    :param stop: set it to end the run early.
    """

    client: FastLabelClient
    selection: TaskSelection
    decide: Callable[[Any], Any]
    record: DecisionRecord | None = None
    since: datetime | None = None
    ending: tuple[type[Exception], ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._failures: list[Problem] = []
        self._wrong_in_a_row = 0

    def dry_run(self) -> dict[str, Any]:
        """Ask about every task and change nothing; the log spells out the first decisions.

        :returns: ``{"looked_at", "would_change", "left", "failed", "dry_run": True}``.
        :raises RunIncomplete: the function failed on some tasks, or the run was ended.
        """
        decided = self._look(self._dry)
        for item in decided[:SHOWN]:
            log.info("Would decide on %s: %s", foreign_text(repr(item.task.label), 300), item.entry.decision)
        if len(decided) > SHOWN:
            log.info("and on %d more", len(decided) - SHOWN)
        if self._failures:
            why = f"The function failed on {len(self._failures)} tasks"
            raise self._incomplete(why, self._dry(decided), self._failures, untouched=True)
        return self._dry(decided)

    def carry_out(self, *, max_workers: int = 4) -> dict[str, Any]:
        """Ask about every task, then do what was decided, a few tasks at a time.

        :param max_workers: calls at once.
        :returns: ``{"looked_at", "changed", "left", "failed", "changed_before"}``: what this run did, and how many
            tasks earlier runs with the same record have changed.
        :raises RunIncomplete: some tasks failed, or the run was ended; all others are done.
        """
        with self.record if self.record is not None else nullcontext():
            before = sum(entry.done for entry in self.record.entries.values()) if self.record is not None else 0
            decided = self._look(lambda so_far: self._done(so_far, Counter(failed=len(self._failures)), before))

            run: Run[Decided] = Run(
                "deciding",
                "tasks",
                len(decided) + len(self._failures),
                name=lambda item: item.task.label,
                settle=self._settle,
                incomplete=lambda why: self._incomplete(why, self._done(decided, run.counts, before), run.failures),
                calls_left=self.client.quota.remaining,
            )
            for problem in self._failures:
                run.fail(problem)
            run.over(decided, workers=max_workers, stop=self.stop, tick=self._checkpoint)
            return self._done(decided, run.counts, before)

    def _look(self, summary: Callable[[list[Decided]], dict[str, Any]]) -> list[Decided]:
        """Ask about every task that no earlier run has decided on, and leave out those that are done.

        :param summary: makes the result of a run that ends here, of what is decided so far.
        """
        decided: list[Decided] = []
        progress = Progress(self.selection.count(self.client), calls_left=self.client.quota.remaining)
        log.info("%s tasks of project %s are to be looked at", progress.total, self.selection.project)
        for task, known in self.selection.whole(self.client, without=self._is_done):
            if self.stop.is_set():
                raise self._incomplete(
                    "The deciding was stopped on request", summary(decided), self._failures, untouched=True
                )
            progress.beat()
            entry = self.record.entries.get(task.task_id or "") if self.record is not None else None
            if entry is not None:
                if not entry.done:
                    decided.append(Decided(task, entry, again=True))
                progress.count("decided before")
                continue
            fate = self._ask(task, known, decided)
            self._counts[fate] += 1
            progress.count(fate)
            if self._wrong_in_a_row >= OUTAGE:
                why = f"The deciding was stopped: the function failed on {OUTAGE} tasks in a row"
                raise self._incomplete(why, summary(decided), self._failures, untouched=True)
            self._checkpoint()
        return decided

    def _is_done(self, task_id: str) -> bool:
        """Tell whether an earlier run has carried out what it decided on a task."""
        entry = self.record.entries.get(task_id) if self.record is not None else None
        return entry is not None and entry.done

    def _ask(self, task: ChosenTask, known: Any, decided: list[Decided]) -> str:
        """Ask about one task, and return what becomes of it."""
        if known is None or task.task_id is None:
            self._fail(task, f"project {self.selection.project} has no such task")
            return "failed"
        try:
            decision = read_decision(self.decide(known))
        except (*HOPELESS, *self.ending):
            raise
        except Exception as error:
            self._wrong_in_a_row += 1
            self._fail(task, f"{type(error).__name__}: {error}")
            return "failed"
        self._wrong_in_a_row = 0
        if decision is None:
            return "left"
        if self.record is not None:
            self.record.write(task.task_id, "decided", decision=decision)
            decided.append(Decided(task, self.record.entries[task.task_id], again=False))
        else:
            decided.append(Decided(task, Entry(decision), again=False))
        return "decided"

    def _fail(self, task: ChosenTask, message: str) -> None:
        problem = Problem(task.label, message)
        log.warning("Failed: %s", problem)
        self._failures.append(problem)

    def _settle(self, item: Decided) -> str:
        """Do what was decided on one task: first the comment, then, in one call, all else."""
        task_id = str(item.task.task_id)
        decision = item.entry.decision
        changed = item.again
        if (comment := decision.get("comment")) is not None:
            self._comment(task_id, item.entry, comment)
            changed = True
        people = {name: decision[name] for name in PEOPLE if name in decision}
        fields = {name: value for name, value in decision.items() if name != "comment" and name not in people}
        wanted = Changes(**fields).for_task(item.task.known)
        known = item.task.known or {}
        # Tasks name people, decisions their slugs: whether these are the same cannot be told.
        if people or any(known.get(name) != value for name, value in wanted.items()):
            self.client.update_task(task_id, **wanted, **people)
            changed = True
        if self.record is not None:
            self.record.write(task_id, "done")
        return "changed" if changed else "left"

    def _comment(self, task_id: str, entry: Entry, comment: dict[str, Any]) -> None:
        """Comment on a task, unless this comment has arrived already."""
        text = comment["text"]
        present = self._messages(task_id, text)
        if entry.comments is None:
            if self.since is not None and any(self._may_be_of_this_run(at) for at in present):
                log.info("Task %s has this comment since this run began; it is not made again", task_id)
                return
            entry.comments = len(present)
            if self.record is not None:
                self.record.write(task_id, "commenting", comments=len(present))
        elif len(present) > entry.comments:
            return
        try:
            self.client.create_task_comment(task_id, **{"points": [0, 0], **comment})
        except OutcomeUnknown:
            if len(self._messages(task_id, text)) <= entry.comments:
                raise

    def _may_be_of_this_run(self, written: str) -> bool:
        """Tell whether a comment may have been made since this run began; one without a readable time may."""
        at = moment(written)
        return at is None or self.since is None or at >= (self.since - CLOCKS).timestamp()

    def _messages(self, task_id: str, text: str) -> list[str]:
        """Return when each message of this text was written on the task."""
        comments = self.client.iter_task_comments(self.selection.project, task_id)
        threads = (thread for comment in comments for thread in comment.get("threads") or [])
        return [str(thread.get("createdAt")) for thread in threads if thread.get("text") == text]

    def _checkpoint(self) -> None:
        if self.record is not None:
            self.record.checkpoint()

    def _dry(self, decided: list[Decided]) -> dict[str, Any]:
        left, failed = self._counts["left"], len(self._failures)
        looked = len(decided) + left + failed
        return {"looked_at": looked, "would_change": len(decided), "left": left, "failed": failed, "dry_run": True}

    def _done(self, decided: list[Decided], counts: Mapping[str, int], before: int) -> dict[str, Any]:
        """Return the result of a run that carries out, of the counts so far."""
        return {
            "looked_at": len(decided) + len(self._failures) + self._counts["left"],
            "changed": counts.get("changed", 0),
            "left": self._counts["left"] + counts.get("left", 0),
            "failed": counts.get("failed", 0),
            "changed_before": before,
        }

    def _incomplete(
        self, why: str, summary: dict[str, Any], failures: list[Problem], *, untouched: bool = False
    ) -> RunIncomplete:
        """Return the error of a run that missed its end."""
        text = f"{why} ({summary} of project {self.selection.project})"
        if failures:
            text += f"; the first failure: {failures[0].name}: {failures[0].message.rstrip('.')}"
        kept = "Nothing was changed by this run" if untouched else "What was done stays"
        return RunIncomplete(f"{text}. {kept}; a retry does what is left.", summary, failures)
