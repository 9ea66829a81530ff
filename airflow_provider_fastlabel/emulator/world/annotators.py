"""Simulated people: they label registered tasks from a ground truth and approve them a while later.

Their work is computed whenever a call comes in, from the time that has passed, so that nothing runs in between.
"""

from __future__ import annotations

import logging
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from airflow_provider_fastlabel.emulator.world import instances, task_table
from airflow_provider_fastlabel.emulator.world.errors import ApiError
from airflow_provider_fastlabel.emulator.world.kinds import KINDS
from airflow_provider_fastlabel.emulator.world.schemas import AnnotationIn, AttributeIn
from airflow_provider_fastlabel.emulator.world.state import Annotator, Emulation

log: logging.Logger = logging.getLogger(__name__)

_OPEN = ("registered", "sent_back", "declined")
_ANNOTATIONS = TypeAdapter(list[AnnotationIn])
_ATTRIBUTES = TypeAdapter(list[AttributeIn])


def advance(emu: Emulation) -> None:
    """Do the work that the time passed since the last call allowed."""
    now = emu.clock.now()
    for project_id, annotator in emu.annotators.items():
        annotator.credit += (now - annotator.last) * annotator.tasks_per_second
        annotator.last = now
        done = _label(emu, project_id, annotator, int(annotator.credit), now)
        whole = int(annotator.credit)
        annotator.credit = annotator.credit - done if done == whole else 0.0
        _approve(emu, project_id, annotator, now)


def run(emu: Emulation, project_id: str, tasks: int | None, *, approve: bool) -> int:
    """Label tasks at once.

    :param emu: the emulator.
    :param project_id: project.
    :param tasks: how many at most; ``None`` for all.
    :param approve: also approve everything that is labelled.
    :returns: how many were labelled.
    """
    annotator = emu.annotators[project_id]
    labelled = _label(emu, project_id, annotator, -1 if tasks is None else tasks, emu.clock.now())
    if approve:
        _approve(emu, project_id, annotator, float("inf"))
    return labelled


def _label(emu: Emulation, project_id: str, annotator: Annotator, count: int, now: float) -> int:
    """Label up to ``count`` open tasks in the order they were created; -1 for all."""
    if not count:
        return 0
    marks = ",".join("?" * len(_OPEN))
    sql = f"SELECT * FROM tasks WHERE project_id=? AND status IN ({marks}) ORDER BY seq LIMIT ?"
    rows = emu.store.rows(sql, project_id, *_OPEN, count)
    with emu.store.transaction():
        for row in rows:
            try:
                changes = {"status": "completed", "labelled_at": now, **_drawn(emu, row, annotator)}
            except ApiError as error:
                log.warning("Task %s is skipped: its ground truth no longer fits: %s", row["name"], error)
                changes = {"status": "skipped"}
            task_table.update_row(emu, row, changes)
    return len(rows)


def _drawn(emu: Emulation, row: sqlite3.Row, annotator: Annotator) -> dict[str, Any]:
    truth = annotator.ground_truth.get(row["name"])
    if truth is None:
        return {}
    if KINDS[row["kind"]].classified:
        sent = _ATTRIBUTES.validate_python(truth)
        return {"attributes": orjson.dumps(task_table.rendered_attributes(emu, row["project_id"], sent))}
    drawn = _ANNOTATIONS.validate_python(truth)
    contents = orjson.loads(row["contents"])
    shown = task_table.rendered(emu, KINDS[row["kind"]], row["project_id"], drawn, contents)
    return {"annotations": orjson.dumps(shown)}


def _approve(emu: Emulation, project_id: str, annotator: Annotator, now: float) -> None:
    """Pass on what was labelled long enough ago."""
    updated = emu.clock.iso()
    sql = (
        "UPDATE tasks SET status=?, updated_at=?, revision=revision+1 "
        "WHERE project_id=? AND status=? AND labelled_at IS NOT NULL AND labelled_at<=?"
    )
    wait = annotator.approve_after
    if annotator.review:
        emu.store.run(sql, "reviewed", updated, project_id, "completed", now - wait / 2)
        emu.store.run(sql, "approved", updated, project_id, "reviewed", now - wait)
    else:
        emu.store.run(sql, "approved", updated, project_id, "completed", now - wait)


def read_truth(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Read a file of ground truth: an object, task name to list of annotations or attributes.

    :param file: JSON file.
    :raises ValueError: when it cannot be read or holds something else.
    """
    try:
        truth = orjson.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"the ground truth {file} cannot be read: {error}") from error
    if not isinstance(truth, dict) or not all(isinstance(items, list) for items in truth.values()):
        raise ValueError(f"the ground truth {file} must hold an object: task name to list of annotations")
    return truth


def check(emu: Emulation, project_id: str, kind_name: str, truth: dict[str, list[dict[str, Any]]]) -> None:
    """Check a ground truth before anybody works from it.

    :param emu: the emulator.
    :param project_id: project.
    :param kind_name: kind of its tasks.
    :param truth: annotations or attributes by task name.
    :raises ApiError: 422 naming the task and the fault.
    """
    kind = KINDS[kind_name]
    classes = instances.classes_of(emu, project_id)
    for name, items in truth.items():
        try:
            if kind.classified:
                task_table.rendered_attributes(emu, project_id, _ATTRIBUTES.validate_python(items))
                continue
            drawn = _ANNOTATIONS.validate_python(items)
            contents = [{"name": item.content} for item in drawn]
            instances.render(kind, classes, drawn, uuid.NAMESPACE_OID, contents)
        except (ApiError, ValueError) as error:
            raise ApiError(422, f"ground truth of {name}: {error}") from error
