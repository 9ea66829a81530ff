"""Asks a Python function about each of many tasks, and does what it decides."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 (arguments are checked by it)
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_fastlabel.operators.update import FastLabelBulkOperator
from airflow_provider_fastlabel.utils.arguments import refused, require_rendered
from airflow_provider_fastlabel.utils.functions import first_parameter, with_arguments
from airflow_provider_fastlabel.utils.run_files import run_file
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection


class FastLabelDecideTasksOperator(FastLabelBulkOperator):
    """Asks a function what is to become of each task, and does it: status, priority, tags, people, a comment.

    The function gets one task, a dictionary as FastLabel describes it, and returns

    - ``None``: the task stays as it is;
    - a status, such as ``"approved"``;
    - or a dictionary with any of ``status``, ``external_status``, ``priority``, ``tags`` (in place of the present
      ones), ``add_tags``, ``comment`` (a text, or a dictionary with ``text`` and a place: ``content_name``, ``points``,
      ``frame``), and the people: ``assignee``, ``reviewer``, ``approver``, ``external_assignee``,
      ``external_reviewer``, ``external_approver`` (slugs; ``None`` takes the task from them).

    Further arguments come from ``op_args`` and ``op_kwargs``; those named after keys of Airflow's context get these.
    With the decorator ``@task.fastlabel(project=..., filter_status=...)`` the function is written as the task.

    First the function is asked about all tasks, one at a time, and its answers are written to the record; then they are
    carried out, a few tasks at a time. An exception of the function is that task's failure; Airflow's own exceptions
    (``AirflowFailException``, ``AirflowSkipException``) end the task, and so do 20 failures in a row. After a kill a
    retry goes on with the answers of the record: no comment is made twice. Where the record of an earlier try is not at
    hand, because it lies on another worker, the function is asked again, and a comment of the same text that was made
    since the task began (before Airflow 3.3: the DAG run) is not repeated. Clearing the task goes on as well; to decide
    anew, start another DAG run.

    Returns ``{"looked_at", "changed", "left", "failed", "changed_before"}``; ``looked_at`` is the sum of the next
    three, ``changed_before`` counts what earlier tries did. See :class:`FastLabelBulkOperator` for choosing tasks and
    for failures.

    :param python_callable: the function.
    :param op_args: its positional arguments after the task. Templated.
    :param op_kwargs: its keyword arguments. Templated.
    :param dry_run: only ask, change nothing, and log the first 20 decisions; returns ``{"looked_at", "would_change",
        "left", "failed", "dry_run"}``. Templated.
    :param record: where the record goes: local path or URL. Default:
        ``$AIRFLOW_HOME/fastlabel/decisions/<dag_id>/<run_id>/<task_id>.<map_index>.jsonl`` (``.jsonl`` without the
        index for a task that is not mapped). Templated.
    :param record_conn_id: Airflow connection of the object store, if ``record`` is a URL. Templated.
    :raises ValueError: when the function takes no task.
    """

    template_fields: Sequence[str] = (
        *FastLabelBulkOperator.template_fields,
        "op_args",
        "op_kwargs",
        "dry_run",
        "record",
        "record_conn_id",
    )
    flags: ClassVar[Sequence[str]] = ("dry_run",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Sequence[str] = ("python_callable",)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        dry_run: bool | str = False,
        record: str | None = None,
        record_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if first_parameter(python_callable) is None:
            raise refused("python_callable must take the task as its first argument, and it takes none.")
        self.python_callable = python_callable
        self.op_args: Collection[Any] = op_args or []
        self.op_kwargs: Mapping[str, Any] = op_kwargs or {}
        self.dry_run: Any = dry_run
        self.record = record
        self.record_conn_id = record_conn_id

    def work_on(self, selection: TaskSelection, stop: threading.Event) -> dict[str, int]:
        """Ask about each task and do what is decided; see the base class.

        :raises RunIncomplete: some tasks failed, or the work was ended early; all others are done.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was changed.
        """
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.pipelines.updates.decide import TaskDecisions
        from airflow_provider_fastlabel.pipelines.updates.decision_record import DecisionRecord
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        decide = with_arguments(self.python_callable, self.op_args, self.op_kwargs, self._context)
        decisions = TaskDecisions(self.client, selection, decide, ending=(AirflowException,), stop=stop)
        if self.dry_run:
            return decisions.dry_run()
        place, conn_id = self.record, self.record_conn_id
        if place is None:
            place, conn_id = run_file(self._context, "decisions", "record", "Nothing was changed."), None
        require_rendered("record", place, "Nothing was changed.")
        path = storage_path("record", place, conn_id)
        refuse_missing_bucket(path, "record")
        decisions.record = DecisionRecord(path, project=self.project)
        decisions.since = self._began()
        self.log.info("The decisions are recorded in %s", place)
        return decisions.carry_out(max_workers=self.max_workers)

    def _began(self) -> datetime | None:
        """Return since when an earlier try may have commented; ``None`` if there was none."""
        memory = TaskMemory(self._context, "decisions", fingerprint(self.project))
        if (began := memory.read().get("began")) is not None:
            return datetime.fromisoformat(began)
        memory.write(began=datetime.now(UTC).isoformat())
        left_before = self._context.get("task_reschedule_count")  # this may be a later part of the first try
        if memory.available or (self._context["ti"].try_number == 1 and not left_before):
            return None
        began_of_run: datetime | None = self._context["dag_run"].start_date
        return began_of_run
