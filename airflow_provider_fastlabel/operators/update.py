"""Changes or deletes many tasks at once."""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.operators.people import PEOPLE, PeopleArguments
from airflow_provider_fastlabel.utils.arguments import external_status, rendered_list, require_rendered, task_status
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import PRIORITY, Number
from airflow_provider_fastlabel.utils.task_memory import STORE, LongMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.updates.parts import Parts
    from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

MAX_FAILURES_KEPT = 100
"""Failures that go to the ``failures`` XCom; all of them are counted and logged."""


class FastLabelBulkOperator(FastLabelBaseOperator):
    """Base of the operators that do one thing to many tasks.

    Nothing stops at the first failure: every task gets its turn, failures are logged one by one, pushed to the XCom
    ``failures`` (the first 100, each ``{"task", "error"}``), and fail the Airflow task at the end. A retry repeats only
    what is still to do. Only what concerns every task ends the work early: a refused token, an exceeded quota, and an
    outage, that is, 20 tasks in a row without a usable answer from FastLabel.

    :param project: project slug. Templated.
    :param task_ids: tasks by id. Templated. Choose the tasks by this, by ``task_names`` or by a filter.
    :param task_names: tasks by name. Templated.
    :param filter_status: tasks in this status, or in one of several. Templated.
    :param filter_tags: tasks that carry these tags; together with ``filter_status`` both must hold. Templated.
    :param max_workers: calls at once, 1 to 16. Templated.
    :raises ValueError: when the tasks are chosen in no way or in several.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "task_ids",
        "task_names",
        "filter_status",
        "filter_tags",
        "max_workers",
    )
    operator_extra_links: Links = (PROJECT, TASKS)
    link_arguments: ClassVar[Mapping[str, str]] = {
        "project": "project", "status": "filter_status", "tags": "filter_tags", "task_id": "task_ids",
    }  # fmt: skip
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    numbers: ClassVar[Mapping[str, Number]] = {"max_workers": Number(least=1, most=16)}
    _context: Any = None
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        project: str,
        task_ids: Sequence[str] | None = None,
        task_names: Sequence[str] | None = None,
        filter_status: str | Sequence[str] | None = None,
        filter_tags: Sequence[str] | None = None,
        max_workers: int | str = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.task_ids = task_ids
        self.task_names = task_names
        self.filter_status = filter_status
        self.filter_tags = filter_tags
        self.max_workers: Any = max_workers

    @abstractmethod
    def work_on(self, selection: TaskSelection, stop: threading.Event) -> dict[str, int]:
        """Do the work on the chosen tasks and return how many met which fate.

        :param selection: the tasks.
        :param stop: ends the work early when it is set.
        """

    @contextmanager
    def counted_as_one(self, asked: Any) -> Iterator[Parts]:
        """Give what earlier parts of this try did, before they left the slot, and remember what this one does (3.3).

        :param asked: JSON values: what is to be done to the tasks.
        """
        from airflow_provider_fastlabel.client.exceptions import RateLimited, Unavailable
        from airflow_provider_fastlabel.pipelines.updates.parts import Parts

        context = self._context
        if context.get(STORE) is None:
            yield Parts()
            return
        chosen = (self.task_ids, self.task_names, self.filter_status, self.filter_tags)
        mark = fingerprint(self.fastlabel_conn_id, self.project, chosen, asked, context["ti"].try_number)
        memory = LongMemory(context, "fastlabel_parts", mark)
        came_back = bool(context.get("task_reschedule_count"))
        parts = Parts(memory.read() if came_back else None)
        try:
            yield parts
        except (RateLimited, Unavailable):
            memory.write(parts.remembered())
            raise
        if came_back:
            memory.forget()

    def execute(self, context: Context) -> dict[str, int]:
        """Find the tasks, work on each, and return how many met which fate.

        :param context: Airflow's task context.
        :raises RunIncomplete: some tasks could not be worked on, or the work was ended early; all others are done.
        """
        from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
        from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection

        self._context, self._stop = context, threading.Event()
        with self.working(context):
            for name in ("task_ids", "task_names", "filter_tags"):
                rendered_list(name, getattr(self, name))
            selection = TaskSelection(
                self.project, self.task_ids, self.task_names, self.filter_status, self.filter_tags
            )
            try:
                summary = self.work_on(selection, self._stop)
            except RunIncomplete as error:
                failures = [{"task": failure.name, "error": failure.message} for failure in error.failures]
                if failures:
                    context["ti"].xcom_push(key="failures", value=failures[:MAX_FAILURES_KEPT])
                raise
        self.log.info("Done: %s", summary)
        self._summary = summary
        tell_of_project(self, context, summary)
        return summary

    def lineage(self, *, complete: bool) -> Edge:
        """Return the project, which was changed in its place."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place

        counted = (self._summary.get(key) for key in ("updated", "changed", "deleted"))
        rows = next((count for count in counted if count is not None), None) if complete else None
        return Edge([], [project_place(self.client, self.project, rows)])

    def on_kill(self) -> None:
        """Take up no more tasks; a retry does the rest."""
        if self._stop is not None:
            self._stop.set()
            self.log.info("Stopping; what is done stays, a retry does the rest")


class FastLabelUpdateTasksOperator(PeopleArguments, FastLabelBulkOperator):
    """Gives many tasks a status, a priority, tags or people. Running it again changes nothing.

    Tasks that already are as asked are not touched, where their state is known without a call (chosen by filter) or
    had to be read anyway (``add_tags``). Whom a task is given to is sent every time, because FastLabel shows people by
    name and takes them by slug; a repetition gives it to the same person. See :class:`FastLabelBulkOperator` for
    failures, and :class:`~airflow_provider_fastlabel.operators.people.PeopleArguments` for ``assignee``, ``reviewer``
    and their like.

    Returns ``{"chosen", "updated", "unchanged", "failed"}``.

    :param status: new status. Templated.
    :param external_status: new external status. Templated.
    :param priority: 0 none, 10 low, 20 medium, 30 high. Templated.
    :param tags: tags in place of the present ones; FastLabel cannot take all tags away. Templated.
    :param add_tags: tags besides the present ones. Templated.
    :raises ValueError: when there is nothing to change, or both ``tags`` and ``add_tags`` are given.
    """

    template_fields: Sequence[str] = (
        *FastLabelBulkOperator.template_fields,
        *PEOPLE,
        "status",
        "external_status",
        "tags",
        "add_tags",
        "priority",
    )
    numbers: ClassVar[Mapping[str, Number]] = {**FastLabelBulkOperator.numbers, "priority": PRIORITY}

    def __init__(
        self,
        *,
        status: str | None = None,
        external_status: str | None = None,
        priority: int | str | None = None,
        tags: Sequence[str] | None = None,
        add_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        changes = (status, external_status, priority, tags, add_tags, *self.given_people().values())
        if all(value is None for value in changes):
            raise ValueError(
                "Nothing to change: give status, external_status, priority, tags, add_tags, or people such as assignee"
            )
        if tags is not None and add_tags is not None:
            raise ValueError("tags replaces and add_tags extends; give one of them")
        self.status = status
        self.external_status = external_status
        self.priority: Any = priority
        self.tags = tags
        self.add_tags = add_tags

    def _check_changes(self) -> None:
        """Refuse what rendered to nothing, or to what cannot be meant, before the first call."""
        for name, read in (
            ("status", task_status),
            ("external_status", external_status),
            ("tags", rendered_list),
            ("add_tags", rendered_list),
        ):
            value = getattr(self, name)
            if value is not None:
                require_rendered(name, read(name, value), "Nothing was changed.")

    def work_on(self, selection: TaskSelection, stop: threading.Event) -> dict[str, int]:
        """Update the tasks that are not as asked; see the base class.

        :raises FastLabelInvalidException: what is to be changed rendered to nothing, or to what cannot be meant.
        """
        from airflow_provider_fastlabel.pipelines.updates.run import Changes, update_tasks

        self._check_changes()
        changes = Changes(
            status=self.status,
            external_status=self.external_status,
            priority=self.priority,
            tags=self.tags,
            add_tags=self.add_tags,
            people=self.people(),
        )
        asked = (self.status, self.external_status, self.priority, self.tags, self.add_tags, self.given_people())
        with self.counted_as_one(asked) as parts:
            return update_tasks(self.client, selection, changes, max_workers=self.max_workers, stop=stop, parts=parts)


class FastLabelDeleteTasksOperator(FastLabelBulkOperator):
    """Deletes many tasks with their annotations, for good. One that is gone already counts as ``missing``, not failed.

    See :class:`FastLabelBulkOperator` for choosing tasks and for failures. Returns ``{"chosen", "deleted", "missing",
    "failed"}``.
    """

    def work_on(self, selection: TaskSelection, stop: threading.Event) -> dict[str, int]:
        """Delete the tasks; see the base class."""
        from airflow_provider_fastlabel.pipelines.updates.run import delete_tasks

        with self.counted_as_one(()) as parts:
            return delete_tasks(self.client, selection, max_workers=self.max_workers, stop=stop, parts=parts)
