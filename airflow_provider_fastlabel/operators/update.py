"""Changes or deletes many tasks at once."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator, permanent_errors_fail
from airflow_provider_fastlabel.utils.arguments import external_status, listed, require_rendered, task_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.updates.selection import ChosenTask, TaskSelection

MAX_FAILURES_KEPT = 100
"""Failures that go to the ``failures`` XCom; all of them are counted and logged."""

MAX_WORKERS = 16


class FastLabelBulkOperator(FastLabelBaseOperator):
    """Base of the operators that do one thing to many tasks.

    Nothing stops at the first failure: every task gets its turn, failures are logged one by one, pushed to the XCom
    ``failures`` (the first 100, each ``{"task", "error"}``), and fail the Airflow task at the end. A retry repeats only
    what is still to do. Only a refused token and an exceeded quota stop at once, because they concern every task.

    :param project: project slug. Templated.
    :param task_ids: tasks by id. Templated. Choose the tasks by this, by ``task_names`` or by a filter.
    :param task_names: tasks by name. Templated.
    :param filter_status: tasks in this status, or in one of several. Templated.
    :param filter_tags: tasks that carry these tags; together with ``filter_status`` both must hold. Templated.
    :param max_workers: calls at once, 1 to 16.
    :raises ValueError: when the tasks are chosen in no way or in several.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "task_ids",
        "task_names",
        "filter_status",
        "filter_tags",
    )
    verb = ""

    def __init__(
        self,
        *,
        project: str,
        task_ids: Sequence[str] | None = None,
        task_names: Sequence[str] | None = None,
        filter_status: str | Sequence[str] | None = None,
        filter_tags: Sequence[str] | None = None,
        max_workers: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 1 <= max_workers <= MAX_WORKERS:
            raise ValueError(f"max_workers must be 1 to {MAX_WORKERS}, not {max_workers}")
        self.project = project
        self.task_ids = task_ids
        self.task_names = task_names
        self.filter_status = filter_status
        self.filter_tags = filter_tags
        self.max_workers = max_workers

    @abstractmethod
    def work_on(self, task: ChosenTask, selection: TaskSelection) -> str:
        """Do the work on one task and return its fate, a word to count.

        :param task: the task.
        :param selection: the choice it comes from.
        """

    def execute(self, context: Context) -> dict[str, int]:
        """Find the tasks, work on each, and return how many met which fate; fails when some could not be worked on."""
        from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection

        with permanent_errors_fail():
            for name in ("task_ids", "task_names", "filter_tags"):
                listed(name, getattr(self, name))
            selection = TaskSelection(
                self.project, self.task_ids, self.task_names, self.filter_status, self.filter_tags
            )
            tasks = selection.resolve(self.client)
            self.log.info("%s tasks of project %s are chosen", len(tasks), self.project)
            fates, failures = self._work_on_all(tasks, selection)
            summary = {"chosen": len(tasks), **fates, "failed": len(failures)}
            if failures:
                context["ti"].xcom_push(key="failures", value=failures[:MAX_FAILURES_KEPT])
                first = f"{failures[0]['task']}: {failures[0]['error'].rstrip('.')}"
                raise AirflowException(
                    f"{len(failures)} of {len(tasks)} tasks of project {self.project} could not be {self.verb}; the "
                    f"first: {first}. All others are done ({summary}). A retry repeats only what is left."
                )
            self.log.info("Done: %s", summary)
            return summary

    def _work_on_all(
        self, tasks: list[ChosenTask], selection: TaskSelection
    ) -> tuple[Counter[str], list[dict[str, str]]]:
        """Work on the tasks with bounded concurrency; return the fates and the failures."""
        from airflow_provider_fastlabel.client.exceptions import AuthError, FastLabelException, RateLimited
        from airflow_provider_fastlabel.pipelines.running.pool import run_bounded
        from airflow_provider_fastlabel.pipelines.running.progress import Progress

        progress = Progress(len(tasks), calls_left=self.client.quota.remaining)
        failures: list[dict[str, str]] = []

        def work(task: ChosenTask) -> None:
            try:
                fate = self.work_on(task, selection)
            except (AuthError, RateLimited):
                raise
            except FastLabelException as error:
                self.log.error("Task %s was not %s: %s", task.label, self.verb, error)
                failures.append({"task": task.label, "error": str(error)})
                fate = "failed"
            progress.count(fate)

        run_bounded(work, tasks, workers=self.max_workers, stop=threading.Event())
        fates = Counter({fate: count for fate, count in progress.counts.items() if fate != "failed"})
        return fates, failures


class FastLabelUpdateTasksOperator(FastLabelBulkOperator):
    """Gives many tasks a status, a priority or tags. Running it again changes nothing.

    Tasks that already are as asked are not touched, where their state is known without a call (chosen by filter) or
    had to be read anyway (``add_tags``). See :class:`FastLabelBulkOperator` for failures.

    Returns ``{"chosen", "updated", "unchanged", "failed"}``.

    :param status: new status. Templated.
    :param external_status: new external status. Templated.
    :param priority: 0 none, 10 low, 20 medium, 30 high.
    :param tags: tags in place of the present ones; FastLabel cannot take all tags away. Templated.
    :param add_tags: tags besides the present ones. Templated.
    :raises ValueError: when there is nothing to change, or both ``tags`` and ``add_tags`` are given.
    """

    template_fields: Sequence[str] = (
        *FastLabelBulkOperator.template_fields,
        "status",
        "external_status",
        "tags",
        "add_tags",
    )
    verb = "updated"

    def __init__(
        self,
        *,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] | None = None,
        add_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if all(value is None for value in (status, external_status, priority, tags, add_tags)):
            raise ValueError("Nothing to change: give status, external_status, priority, tags or add_tags")
        if tags is not None and add_tags is not None:
            raise ValueError("tags replaces and add_tags extends; give one of them")
        self.status = status
        self.external_status = external_status
        self.priority = priority
        self.tags = tags
        self.add_tags = add_tags

    def execute(self, context: Context) -> dict[str, int]:
        """Update the chosen tasks.

        :raises FastLabelInvalidException: what is to be changed rendered to nothing, or to what cannot be meant.
        """
        with permanent_errors_fail():
            self._check_changes()
        summary = super().execute(context)
        return {**dict.fromkeys(("chosen", "updated", "unchanged", "failed"), 0), **summary}

    def _check_changes(self) -> None:
        for name, read in (
            ("status", task_status),
            ("external_status", external_status),
            ("tags", listed),
            ("add_tags", listed),
        ):
            value = getattr(self, name)
            if value is not None:
                require_rendered(name, read(name, value), "Nothing was changed.")

    def work_on(self, task: ChosenTask, selection: TaskSelection) -> str:
        """Update one task if it is not as asked."""
        from airflow_provider_fastlabel.client.exceptions import NotFound
        from airflow_provider_fastlabel.pipelines.updates.selection import known_fields

        if task.task_id is None:
            raise NotFound(f"project {self.project} has no task of this name")
        known = task.known
        if self.add_tags is not None and known is None:
            known = known_fields(self.client.find_task(selection.kind(self.client), task.task_id))
        changes = self._changes(known)
        if known is not None and all(known[name] == value for name, value in changes.items()):
            return "unchanged"
        self.client.update_task(task.task_id, **changes)
        return "updated"

    def _changes(self, known: dict[str, Any] | None) -> dict[str, Any]:
        """Return the fields to send, by our names."""
        tags = list(self.tags) if self.tags is not None else None
        if self.add_tags is not None:
            tags = list(dict.fromkeys([*((known or {}).get("tags") or []), *self.add_tags]))
        changes = {
            "status": self.status,
            "external_status": self.external_status,
            "priority": self.priority,
            "tags": tags,
        }
        return {name: value for name, value in changes.items() if value is not None}


class FastLabelDeleteTasksOperator(FastLabelBulkOperator):
    """Deletes many tasks with their annotations, for good. One that is gone already counts as ``missing``, not failed.

    See :class:`FastLabelBulkOperator` for choosing tasks and for failures. Returns ``{"chosen", "deleted", "missing",
    "failed"}``.
    """

    verb = "deleted"

    def execute(self, context: Context) -> dict[str, int]:
        """Delete the chosen tasks."""
        summary = super().execute(context)
        return {**dict.fromkeys(("chosen", "deleted", "missing", "failed"), 0), **summary}

    def work_on(self, task: ChosenTask, selection: TaskSelection) -> str:  # noqa: ARG002
        """Delete one task."""
        from airflow_provider_fastlabel.client.exceptions import NotFound

        if task.task_id is None:
            return "missing"
        try:
            self.client.delete_task(task.task_id)
        except NotFound:
            return "missing"
        return "deleted"
