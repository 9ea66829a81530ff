"""Sends suspicions to FastLabel as comments, or a status, each once: after a kill, on a retry, and night after night.

The comments themselves say what has been sent. Each ends in a mark: a digest of what is suspected in which task, and
the box. A suspicion is the one of an earlier comment if the digest is the same and the boxes overlap by half; so a
model that draws a little differently every night does not ask again. What a person has resolved is not sent again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.client.exceptions import OutcomeUnknown
from airflow_provider_fastlabel.formats.geometry.matching import match
from airflow_provider_fastlabel.pipelines.files.problems import Problem, RunIncomplete
from airflow_provider_fastlabel.pipelines.reports.worst import MOST
from airflow_provider_fastlabel.pipelines.reviews.statuses import BEFORE, MOVED_ON, SET
from airflow_provider_fastlabel.pipelines.running.run import Run

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.reviews.statuses import Mover
    from airflow_provider_fastlabel.pipelines.reviews.suspicions import Found, Suspicion

log: logging.Logger = logging.getLogger(__name__)

_SAID = 20
SAME = 0.5
"""Overlap from which on two suspicions of one kind, class and task are one."""
_MARK = re.compile(r"\[review ([0-9a-f]{16}) (-?\d{1,9}) (-?\d{1,9}) (-?\d{1,9}) (-?\d{1,9})\]\Z")


@dataclass(frozen=True)
class Sent:
    """A comment of an earlier run.

    :param task_id: of its task.
    :param digest: says what was suspected.
    :param box: where.
    :param resolved: whether a person has settled it.
    """

    task_id: str
    digest: str
    box: tuple[float, ...]
    resolved: bool


def text_of(suspicion: Suspicion) -> str:
    """Return the text of the comment.

    :param suspicion: the suspicion.
    """
    return f"{suspicion.words}. Is that right? [review {digest_of(suspicion)} {' '.join(map(str, _whole(suspicion)))}]"


def digest_of(suspicion: Suspicion) -> str:
    """Return what is the same for a suspicion of every run.

    :param suspicion: the suspicion.
    """
    told = "\0".join((suspicion.task_id, suspicion.content_name or "", suspicion.kind, suspicion.value))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def sent_before(client: FastLabelClient, project: str) -> list[Sent]:
    """Return the comments that earlier runs have made, by one call for a thousand messages.

    :param client: the client.
    :param project: slug of the project.
    """
    found = []
    for thread in client.iter_project_comments(project):
        mark = _MARK.search(thread["text"] or "")
        if mark is not None:
            comment = thread["comment"]
            box = tuple(map(float, mark.groups()[1:]))
            found.append(Sent(comment["taskId"], mark[1], box, comment["isResolved"]))
    return found


def send_back(
    client: FastLabelClient,
    project: str,
    found: Found,
    *,
    most: int,
    comment: bool = True,
    mover: Mover | None = None,
    dry_run: bool = False,
    max_workers: int = 4,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Comment on what is suspicious and was not commented on before, and give its tasks another status.

    First all comments are made, then the statuses are set; a task one of whose comments has failed keeps its own, so
    that none goes back without a word.

    :param client: the client.
    :param project: slug of the project.
    :param found: the suspicions, the most suspicious first.
    :param most: comments of this run at most; without comments, tasks.
    :param comment: whether to comment; otherwise only the status is set.
    :param mover: sets the status; it must have seen the tasks pass. ``None`` leaves it as it is.
    :param dry_run: change nothing, and log the first twenty comments and tasks.
    :param max_workers: calls at once.
    :param stop: set it to end the run early.
    :returns: ``new`` comments of this run; of earlier ones how many are ``open`` and still suspicious, or their task
        was not looked at, are ``resolved``, or ``gone``: open, and not suspicious any more; how many suspicions (tasks,
        without comments) are ``left`` for another run; ``suspicions``, by kind; and how many tasks met which fate, see
        :mod:`.statuses`.
    :raises RunIncomplete: some comments or statuses could not be sent, or the run was ended; all others are.
    """
    plan = _plan(found, sent_before(client, project), most, comment=comment, mover=mover)
    sending = _Sending(client, project, plan, mover, dry_run)
    if dry_run:
        _say(plan, mover)
        return sending.summary()
    how: Any = {"workers": max_workers, "stop": stop}
    try:
        sending.over(
            plan.chosen, "comments", sending.new, lambda each: each.task_name,
            lambda each: _comment(client, project, each), **how,
        )  # fmt: skip
    except RunIncomplete:
        if mover is None or sending.new.total() < len(plan.chosen):  # it was ended, and nothing is to go on
            raise
    if mover is not None:
        wordless = {failure.name for failure in sending.failures}
        moved = [task_id for task_id, name in plan.tasks.items() if name not in wordless]
        sending.over(moved, "tasks", mover.counts, plan.tasks.__getitem__, mover.move, **how)
    if sending.failures:
        raise sending.incomplete("The review is not complete")
    return sending.summary()


@dataclass(frozen=True)
class _Plan:
    """What is to be sent.

    :param chosen: the suspicions to comment on.
    :param tasks: the tasks to move, with their names.
    :param earlier: what became of the comments of earlier runs.
    :param left: suspicions, or tasks without comments, that are not for this run.
    :param comment: whether it is comments or tasks that are left.
    :param settled: how many tasks were found to be moved before any was.
    :param suspicions: how many there are, by kind.
    """

    chosen: list[Suspicion]
    tasks: dict[str, str]
    earlier: dict[str, int]
    left: int
    comment: bool
    settled: int
    suspicions: dict[str, int]

    def summary(self, new: int, mover: Mover | None) -> dict[str, Any]:
        """Return the counts.

        :param new: comments that were made.
        :param mover: what has set the statuses.
        """
        moved = {fate: mover.counts[fate] if mover else 0 for fate in (SET, BEFORE, MOVED_ON)}
        left = self.left + len(self.chosen) - new
        if not self.comment:
            left += len(self.tasks) - (sum(moved.values()) - self.settled)
        return {"new": new, **self.earlier, "left": left, "suspicions": self.suspicions, **moved}


@dataclass
class _Sending:
    """What a run has sent, and what it could not.

    :param new: how many comments met which fate.
    :param failures: comments that could not be made, and tasks that could not be moved.
    """

    client: FastLabelClient
    project: str
    plan: _Plan
    mover: Mover | None
    dry_run: bool
    new: Counter[str] = field(default_factory=Counter)
    failures: list[Problem] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the counts."""
        return {**self.plan.summary(self.new["sent"], self.mover), "dry_run": self.dry_run}

    def incomplete(self, why: str) -> RunIncomplete:
        """Return the error of a run that has missed its end.

        :param why: a first clause.
        """
        first = f"; {len(self.failures)} failed, the first: {self.failures[0]}" if self.failures else ""
        return RunIncomplete(
            f"{why}{first.rstrip('.')} ({self.summary()} of project {self.project}). What was sent stays; a retry "
            "sends the rest.",
            self.summary(),
            self.failures,
        )

    def over(
        self, items: list[Any], things: str, counts: Counter[str], name: Callable[[Any], str],
        settle: Callable[[Any], str], *, workers: int, stop: threading.Event | None,
    ) -> None:  # fmt: skip
        """Settle each comment or task, and count its fate.

        :raises RunIncomplete: some have failed, or the run was ended.
        """

        def incomplete(why: str) -> RunIncomplete:
            counts.update(run.counts)
            self.failures += run.failures
            return self.incomplete(why)

        run: Run[Any] = Run(
            "review", things, len(items), name=name, settle=settle, incomplete=incomplete,
            calls_left=self.client.quota.remaining,
        )  # fmt: skip
        run.over(items, workers=workers, stop=stop)
        counts.update(run.counts)


def _plan(found: Found, earlier: list[Sent], most: int, *, comment: bool, mover: Mover | None) -> _Plan:
    """Choose what is to be sent."""
    again = _same(found.suspicions, earlier)
    cut = any(count > MOST for count in found.counts.values())  # then nobody knows what is not suspicious any more
    known = set(again.values())
    gone = sum(
        not one.resolved and number not in known and one.task_id in found.task_ids and not cut
        for number, one in enumerate(earlier)
    )
    resolved = sum(one.resolved for one in earlier)
    counts = {"open": len(earlier) - resolved - gone, "resolved": resolved, "gone": gone}
    fresh = [each for at, each in enumerate(found.suspicions) if at not in again]
    chosen = fresh[:most] if comment else []
    later: set[str] = set()
    if mover is not None and comment:
        chosen, later = _whole_tasks(fresh, most)
    asked = [each for at, each in enumerate(found.suspicions) if at in again and not earlier[again[at]].resolved]
    meant = [*asked, *(chosen if comment else fresh)]
    tasks = {each.task_id: each.task_name for each in meant if each.task_id not in later}
    pending = [] if mover is None else mover.pending(tasks)
    now = pending if comment else pending[:most]
    left = len(fresh) - len(chosen) if comment else len(pending) - len(now)
    settled = 0 if mover is None else mover.counts[BEFORE]
    now_named = {task_id: tasks[task_id] for task_id in now}
    return _Plan(chosen, now_named, counts, left, comment, settled, found.counts)


def _whole_tasks(fresh: list[Suspicion], most: int) -> tuple[list[Suspicion], set[str]]:
    """Choose comments so that tasks get all of theirs: one that is moved is not looked at again.

    :returns: the comments, those of one task where none fits whole; and the tasks that must not be moved yet.
    """
    counts = Counter(each.task_id for each in fresh)
    whole, room = set[str](), most
    for task_id, count in counts.items():  # the most suspicious first
        if count <= room:
            whole.add(task_id)
            room -= count
    chosen = [each for each in fresh if each.task_id in (whole or (fresh[0].task_id,))]
    return chosen[:most], counts.keys() - whole


def _say(plan: _Plan, mover: Mover | None) -> None:
    """Say in the log what a run would do that is no dry one."""
    for each in plan.chosen[:_SAID]:
        log.info("Would comment on %r: %s", each.task_name, text_of(each))
    if mover is not None:
        for name in list(plan.tasks.values())[:_SAID]:
            log.info("Would set %s of %r", mover.words(), name)


def _comment(client: FastLabelClient, project: str, suspicion: Suspicion) -> str:
    """Comment on a task; a comment whose answer was lost is looked for."""
    x1, y1, x2, y2 = suspicion.box
    text = text_of(suspicion)
    try:
        client.create_task_comment(
            suspicion.task_id, [round((x1 + x2) / 2, 1), round((y1 + y2) / 2, 1)], text,
            content_name=suspicion.content_name,
        )  # fmt: skip
    except OutcomeUnknown:
        comments = client.iter_task_comments(project, suspicion.task_id)
        if not any(thread["text"] == text for comment in comments for thread in comment["threads"]):
            raise
    return "sent"


def _same(suspicions: list[Suspicion], earlier: list[Sent]) -> dict[int, int]:
    """Return which suspicions were sent before: their places, and those of the comments."""
    numbers: dict[tuple[str, str], int] = {}
    ones = [numbers.setdefault((each.task_id, digest_of(each)), len(numbers)) for each in suspicions]
    others = [numbers.setdefault((each.task_id, each.digest), len(numbers)) for each in earlier]
    boxes = [np.array(rows, np.float64).reshape(-1, 4)
             for rows in ([_whole(each) for each in suspicions], [each.box for each in earlier])]  # fmt: skip
    pairs = match(
        boxes[0], boxes[1], least_iou=SAME,
        first_groups=np.array(ones, np.int64), second_groups=np.array(others, np.int64),
    )  # fmt: skip
    return dict(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def _whole(suspicion: Suspicion) -> tuple[int, int, int, int]:
    """Return the box in whole pixels, at least one wide and high, so that it overlaps itself."""
    x1, y1, x2, y2 = (round(min(max(number, -9e6), 9e6)) for number in suspicion.box)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
