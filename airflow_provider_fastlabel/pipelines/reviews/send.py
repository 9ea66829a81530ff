"""Sends suspicions to FastLabel as comments, each once: after a kill, on a retry, and night after night.

The comments themselves say what has been sent. Each ends in a mark: a digest of what is suspected in which task, and
the box. A suspicion is the one of an earlier comment if the digest is the same and the boxes overlap by half; so a
model that draws a little differently every night does not ask again. What a person has resolved is not sent again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.client.exceptions import OutcomeUnknown
from airflow_provider_fastlabel.formats.geometry.matching import match
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.reports.worst import MOST
from airflow_provider_fastlabel.pipelines.running.run import Run

if TYPE_CHECKING:
    import threading

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.reviews.suspicions import Found, Suspicion

log: logging.Logger = logging.getLogger(__name__)

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
    dry_run: bool = False,
    max_workers: int = 4,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Comment on what is suspicious and was not commented on before.

    :param client: the client.
    :param project: slug of the project.
    :param found: the suspicions, the most suspicious first.
    :param most: comments of this run at most.
    :param dry_run: change nothing, and log the first twenty comments.
    :param max_workers: calls at once.
    :param stop: set it to end the run early.
    :returns: ``new`` comments of this run; of earlier ones how many are ``open`` and still suspicious, or their task
        was not looked at, are ``resolved``, or ``gone``: open, and not suspicious any more; how many suspicions are
        ``left`` for another run; and ``suspicions``, by kind.
    :raises RunIncomplete: some comments could not be made, or the run was ended; all others are made.
    """
    earlier = sent_before(client, project)
    again = _same(found.suspicions, earlier)
    cut = any(count > MOST for count in found.counts.values())  # then nobody knows what is not suspicious any more
    gone = [
        number for number, one in enumerate(earlier)
        if not one.resolved and number not in again.values() and one.task_id in found.task_ids and not cut
    ]  # fmt: skip
    fresh = [each for at, each in enumerate(found.suspicions) if at not in again]
    chosen = fresh[:most]
    resolved = sum(one.resolved for one in earlier)

    def summary(new: int) -> dict[str, Any]:
        counts = {"new": new, "open": len(earlier) - resolved - len(gone), "resolved": resolved, "gone": len(gone)}
        return {**counts, "left": len(fresh) - new, "suspicions": found.counts, "dry_run": dry_run}

    if dry_run:
        for each in chosen[:20]:
            log.info("Would comment on %r: %s", each.task_name, text_of(each))
        return summary(0)
    run: Run[Suspicion] = Run(
        "review",
        "comments",
        len(chosen),
        name=lambda each: each.task_name,
        settle=lambda each: _comment(client, project, each),
        incomplete=lambda why: RunIncomplete(
            f"{why} ({summary(run.counts['sent'])} of project {project}). What was sent stays; a retry sends the rest.",
            summary(run.counts["sent"]),
            run.failures,
        ),
        calls_left=client.quota.remaining,
    )
    run.over(chosen, workers=max_workers, stop=stop)
    return summary(run.counts["sent"])


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
