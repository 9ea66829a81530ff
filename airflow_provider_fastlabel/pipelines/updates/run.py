"""Changes or deletes many tasks at once; run again, it does only what is left."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.running.people import People
from airflow_provider_fastlabel.pipelines.running.run import Run
from airflow_provider_fastlabel.pipelines.updates.parts import Parts
from airflow_provider_fastlabel.pipelines.updates.selection import ChosenTask, known_fields

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What tasks are to be like; ``None`` leaves a field as it is.

    :param status: new status.
    :param external_status: new external status.
    :param priority: 0 none, 10 low, 20 medium, 30 high.
    :param tags: tags in place of the present ones.
    :param add_tags: tags besides the present ones.
    :param people: who works on which task.
    """

    status: str | None = None
    external_status: str | None = None
    priority: int | None = None
    tags: Sequence[str] | None = None
    add_tags: Sequence[str] | None = None
    people: People = field(default_factory=People)

    def for_task(self, known: dict[str, Any] | None, name: str = "") -> dict[str, Any]:
        """Return the fields to send, by our names.

        :param known: the task's fields, as far as they are known; needed for ``add_tags``.
        :param name: the task's name, where people depend on it.
        """
        changes = {item.name: getattr(self, item.name) for item in fields(self)}
        del changes["add_tags"], changes["people"]
        if self.tags is not None:
            changes["tags"] = list(self.tags)
        if self.add_tags is not None:
            changes["tags"] = list(dict.fromkeys([*((known or {}).get("tags") or []), *self.add_tags]))
        return {key: value for key, value in changes.items() if value is not None} | self.people.of(name)


def update_tasks(
    client: FastLabelClient,
    selection: TaskSelection,
    changes: Changes,
    *,
    max_workers: int = 4,
    stop: threading.Event | None = None,
    parts: Parts | None = None,
) -> dict[str, int]:
    """Give the chosen tasks what they lack; those known to be as asked are not touched.

    :param client: the client.
    :param selection: the tasks.
    :param changes: what they are to be like.
    :param max_workers: calls at once.
    :param stop: set it to end the run early.
    :param parts: what earlier parts of this work did, if it has such; this one adds to it.
    :returns: ``{"chosen", "updated", "unchanged", "failed"}``.
    :raises RunIncomplete: tasks could not be updated, or the run was ended; all others are done.
    """
    # By id alone nobody knows whose share a task is.
    names: dict[str, str] | None = None
    if changes.people.by_name and selection.task_ids is not None:
        names = {task_id: name for name, task_id in client.task_ids_by_name(selection.project).items()}

    def update(task: ChosenTask) -> str:
        if task.task_id is None:
            raise NotFound(f"project {selection.project} has no task of this name")
        name = task.label if names is None else names.get(task.task_id)
        if name is None:
            raise NotFound(f"project {selection.project} has no task of this id")
        known = task.known
        if changes.add_tags is not None and known is None:
            known = known_fields(client.find_task(selection.kind(client), task.task_id))
        wanted = changes.for_task(known, name)
        if known is not None and all(key in known and known[key] == value for key, value in wanted.items()):
            return "unchanged"
        client.update_task(task.task_id, **wanted)
        return "updated"

    return _run(client, selection, update, ("updated", "unchanged"), "update", max_workers, stop, parts)


def delete_tasks(
    client: FastLabelClient,
    selection: TaskSelection,
    *,
    max_workers: int = 4,
    stop: threading.Event | None = None,
    parts: Parts | None = None,
) -> dict[str, int]:
    """Delete the chosen tasks with their annotations, for good; one that is gone already counts as ``missing``.

    :param client: the client.
    :param selection: the tasks.
    :param max_workers: calls at once.
    :param stop: set it to end the run early.
    :param parts: what earlier parts of this work did, if it has such; this one adds to it.
    :returns: ``{"chosen", "deleted", "missing", "failed"}``.
    :raises RunIncomplete: tasks could not be deleted, or the run was ended; all others are done.
    """

    def delete(task: ChosenTask) -> str:
        if task.task_id is None:
            return "missing"
        try:
            client.delete_task(task.task_id)
        except NotFound:
            return "missing"
        return "deleted"

    return _run(client, selection, delete, ("deleted", "missing"), "deletion", max_workers, stop, parts)


def _run(
    client: FastLabelClient,
    selection: TaskSelection,
    settle: Callable[[ChosenTask], str],
    fates: tuple[str, str],
    what: str,
    max_workers: int,
    stop: threading.Event | None,
    parts: Parts | None,
) -> dict[str, int]:
    """Find the tasks, settle each, and return how many met which fate."""
    tasks = selection.resolve(client)
    account = parts or Parts()
    earlier = account.no_longer_chosen(tasks)
    log.info("%s tasks of project %s are chosen", len(tasks), selection.project)

    def summary() -> dict[str, int]:
        counts = earlier + run.counts
        return {"chosen": len(tasks) + earlier.total(), **{fate: counts[fate] for fate in (*fates, "failed")}}

    def incomplete(why: str) -> RunIncomplete:
        failed, left = run.counts["failed"], len(tasks) - run.counts.total()
        text = f"{why}: {failed} of {len(tasks)} tasks of project {selection.project} could not be {fates[0]}"
        if run.failures:
            text += f"; the first: {run.failures[0].name}: {run.failures[0].message.rstrip('.')}"
        rest = f"{left} were not tried, the others are done" if left else "All others are done"
        return RunIncomplete(
            f"{text}. {rest} ({summary()}). A retry repeats only what is left.", summary(), run.failures
        )

    run: Run[ChosenTask] = Run(
        what,
        "tasks",
        len(tasks),
        name=lambda task: task.label,
        settle=lambda task: account.settle(task, settle),
        incomplete=incomplete,
        calls_left=client.quota.remaining,
    )
    run.over(tasks, workers=max_workers, stop=stop)
    return summary()
