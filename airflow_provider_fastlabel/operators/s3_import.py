"""Creates tasks from objects that lie in an S3 bucket, by FastLabel's own import."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_fastlabel.operators.waiting import Deadlines, FastLabelWaitingOperator
from airflow_provider_fastlabel.pipelines.imports.turns import Begun, last_overlap, unquiet_seconds
from airflow_provider_fastlabel.pipelines.running.newcomers import Before, created, newest
from airflow_provider_fastlabel.pipelines.waits.conditions import ImportHistoryWait
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING, decide_import
from airflow_provider_fastlabel.pipelines.waits.events import FAILED, SUCCESS, WaitEvent
from airflow_provider_fastlabel.triggers.events import raise_unless_success
from airflow_provider_fastlabel.utils.arguments import rendered_texts, require_rendered, task_status
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import IMPORT, PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import PRIORITY
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.numbers import Number

HISTORY_XCOM = "history_id"
"""XCom key under which the id of the import history is pushed before the waiting starts."""


NOT_FROM_S3 = "zip"
"""The storage type of the only other imports that FastLabel documents, those of uploaded files."""


class FastLabelCreateTasksFromS3Operator(FastLabelWaitingOperator):
    """Makes FastLabel create a task for each object of the project's S3 bucket, and waits until it has.

    For image, video, audio and text projects; FastLabel reads the bucket itself, with a role that the workspace owner
    has set up. With ``bucket_name`` the project's storage setting is written first, otherwise the present one is
    used.

    The setting belongs to the project, and an import reads it when it starts; so of two that start together one would
    read the other's folder. A task therefore waits for its turn, until no other S3 import of the project runs, and
    fails if another has begun all the same before its own had ended, or within 5 seconds of its start, because nobody
    can tell then which folder was read. A retry imports again. Mapped over prefixes (``partial`` with ``project``), the
    tasks of a DAG run follow one another, as if ``max_active_tis_per_dagrun`` were 1, unless it is given.

    A retry attaches to the import of the try before instead of starting another, on Airflow 3.3 and later, by the
    remembered id. On earlier releases, or had the worker died between submitting and remembering, it waits for the end
    of what runs and imports again, which creates only what is missing, because names are unique in a project. So does
    clearing the task, finished or marked, unless its import still runs. FastLabel has no call to cancel an import:
    killing the task ends the waiting only.

    Returns ``{"history_id", "status", "tasks_before", "tasks_after", "created"}``; ``created`` is the difference of the
    counts, so it includes what others have created or deleted meanwhile. The history id is also pushed to XCom as
    ``history_id`` before the waiting starts.

    :param project: project slug. Templated.
    :param bucket_name: bucket to link to the project; ``None`` keeps the present setting. Templated.
    :param bucket_region: its region, such as ``ap-northeast-1``; together with ``bucket_name``. Templated.
    :param prefix: folder of the bucket to link; ``None`` for all of it. Templated.
    :param status: status of the new tasks. Templated.
    :param tags: tags of the new tasks. Templated.
    :param priority: 0 none, 10 low, 20 medium, 30 high. Templated.
    :param wait_for_completion: when false, return right after submitting, with ``tasks_after`` and ``created``
        ``None``.
    :param deferrable: wait in the triggerer, without a worker slot; default as configured for Airflow's operators.
    :param poll_interval: seconds between looks, or a ``timedelta``.
    :param timeout: seconds, or a ``timedelta``, the waiting may take, for its turn too; a retry has as much time anew.
    :raises ValueError: when the bucket is half given.
    """

    template_fields: Sequence[str] = (
        *FastLabelWaitingOperator.template_fields,
        "project",
        "bucket_name",
        "bucket_region",
        "prefix",
        "status",
        "tags",
        "priority",
    )
    operator_extra_links: Links = (PROJECT, TASKS, IMPORT)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}
    numbers: ClassVar[Mapping[str, Number]] = {"priority": PRIORITY}
    _history_id: str | None = None

    def __init__(
        self,
        *,
        project: str,
        bucket_name: str | None = None,
        bucket_region: str | None = None,
        prefix: str | None = None,
        status: str = "registered",
        tags: Sequence[str] | None = None,
        priority: int | str | None = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (bucket_name is None) != (bucket_region is None):
            raise ValueError("bucket_name and bucket_region must be given together")
        if prefix is not None and bucket_name is None:
            raise ValueError("prefix needs bucket_name and bucket_region: it is part of the same storage setting")
        self.project = project
        self.bucket_name = bucket_name
        self.bucket_region = bucket_region
        self.prefix = prefix
        self.status = status
        self.tags = tags
        self.priority: Any = priority

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Return what ``expand`` makes mapped tasks of; those that import into one project follow one another.

        :param kwargs: arguments that all have in common.
        """
        if "project" in kwargs:
            kwargs.setdefault("max_active_tis_per_dagrun", 1)
        made: OperatorPartial = super().partial(**kwargs)
        return made

    def execute(self, context: Context) -> dict[str, Any]:
        """Submit when it is this task's turn, or attach to what an earlier try submitted; then wait.

        :raises FastLabelInvalidException: an argument rendered to what cannot be meant, or FastLabel refuses the
            request.
        :raises AirflowException: another import began before this one's end, or the import failed.
        """
        with self.working(context):
            if self.prefix is not None:
                advice = "Nothing was sent. Leave `prefix` out to link the whole bucket."
                require_rendered("prefix", self.prefix, advice)
            task_status("status", self.status)
            return self._import(context, Deadlines.starting_now(self, self.timeout))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Take up the end of the wait from the trigger: that of the import, or of another that had to end first.

        :param event: payload of the trigger's event.
        """
        with self.working():
            end = self.taken_up(event)
            if "turn" in end.carry:
                self._end_of_another(end)
                return self._import(context, Deadlines(**end.carry["turn"]))
            return self._finish(context, end, Begun.kept(end.carry))

    def _import(self, context: Context, deadlines: Deadlines) -> dict[str, Any]:
        """Submit or attach, then wait."""
        memory = self._memory(context)
        begun = self._attach(memory) or self._submit(memory, deadlines)
        self._history_id = begun.history_id
        context["ti"].xcom_push(key=HISTORY_XCOM, value=begun.history_id)
        self.show_links(context, history_id=begun.history_id)
        if not self.wait_for_completion:
            self._refuse_late_overlap(memory, begun)
            memory.forget()
            result = self._result(begun, "running", None)
            tell_of_project(self, context, result)
            return result
        event = self.wait_for(ImportHistoryWait(self.project, begun.history_id), deadlines, begun.values())
        return self._finish(context, event, begun)

    def on_kill(self) -> None:
        """Say that the import goes on; FastLabel knows no cancel."""
        if self._history_id:
            self.log.info("Import %s of project %s goes on at FastLabel", self._history_id, self.project)

    def _memory(self, context: Context) -> TaskMemory:
        """Return the memory of this import; other arguments make it another import."""
        mark = fingerprint(
            self.fastlabel_conn_id,
            self.project,
            self.bucket_name,
            self.bucket_region,
            self.prefix,
            self.status,
            rendered_texts("tags", self.tags),
            self.priority,
        )
        return TaskMemory(context, "fastlabel_s3_import", mark)

    def _attach(self, memory: TaskMemory) -> Begun | None:
        """Return the import that an earlier try submitted, if this one may take it up."""
        kept = memory.read()
        history = self._find(kept["history_id"]) if kept.get("history_id") else None
        if history is None:
            return None
        if not self.may_attach(decide_import(history, project=self.project), cleared=memory.cleared):
            return None
        begun = Begun.kept(kept)
        memory.write(**begun.values())
        self.log.info("Attaching to import %s that an earlier try started", begun.history_id)
        return begun

    def _submit(self, memory: TaskMemory, deadlines: Deadlines) -> Begun:
        """Start an import when no other runs."""
        kept = {} if memory.cleared else memory.read()
        earlier = self._take_turn(deadlines)
        before = int(kept["tasks_before"] if "tasks_before" in kept else self.client.count_tasks(self.project))
        memory.write(tasks_before=before)
        # Whoever has written the setting starts in any case, and at once: by that another task sees that its own may
        # have been overwritten.
        if self.bucket_name is not None and self.bucket_region is not None:
            self.client.update_aws_s3_storage(self.project, self.bucket_name, self.bucket_region, prefix=self.prefix)
        history = self.client.create_task_from_aws_s3(
            self.project, status=self.status, tags=rendered_texts("tags", self.tags), priority=self.priority or 0
        )
        begun = Begun(str(history["id"]), before, earlier)
        self._refuse_overlap(memory, begun, history)
        memory.write(**begun.values())
        self.log.info(
            "FastLabel has started import %s into project %s (%s tasks)", begun.history_id, self.project, before
        )
        return begun

    def _take_turn(self, deadlines: Deadlines) -> Before:
        """Wait until no other import of the project runs or has just begun; return what there was before this one.

        :raises TaskDeferred: when another runs, and the task is to wait deferred.
        """
        rested: set[str] = set()
        while True:
            histories = self._histories()
            if (other := self._newest_running(histories)) is not None:
                self.log.info("Import %s of project %s runs; this task's turn is after it", other["id"], self.project)
                wait = ImportHistoryWait(self.project, str(other["id"]))
                self._end_of_another(self.wait_for(wait, deadlines, {"turn": asdict(deadlines)}))
                continue
            # Each is given time once only, whatever the clocks say and whether its time can be read.
            pauses = {str(h["id"]): unquiet_seconds(h) for h in histories if str(h["id"]) not in rested}
            if not any(pauses.values()):
                return Before.of(histories)
            rested |= pauses.keys()
            time.sleep(max(pauses.values()))

    def _end_of_another(self, event: WaitEvent) -> None:
        """Go on when the other import has ended in whatever way; raise when the wait for it has."""
        if event.status not in (SUCCESS, FAILED):
            message = f"Nothing was submitted, because another S3 import of the project runs. {event.message}"
            raise_unless_success(replace(event, message=message), sensor=False)

    def _refuse_overlap(self, memory: TaskMemory, begun: Begun, history: Mapping[str, Any]) -> None:
        """Fail if another import began while this one was being started, or ran.

        Who has written the storage setting before this import began, starts within ``QUIET_SECONDS``, even if this one
        has ended by then; who begins later has waited for its turn.

        :raises AirflowException: naming it; forgets the import, so that a retry starts another.
        """
        if self.bucket_name is None or begun.before is None:
            return
        later = begun.before.newcomers(self._histories())
        if decide_import(history, project=self.project).status != WAITING:
            until = last_overlap(history)
            later = [other for other in later if (at := created(other)) is None or at <= until]
        others = [str(other["id"]) for other in later if str(other["id"]) != begun.history_id]
        if not others:
            return
        memory.forget()
        raise AirflowException(
            f"While import {begun.history_id} of project {self.project} was started or ran, another began: "
            f"{', '.join(others[:10])}. The storage setting belongs to the project, so nobody can tell which of them "
            f"read {self.bucket_name}/{self.prefix or ''}. What was created stays; a retry imports again, which "
            "creates only what is missing. Let one task at a time import into a project, by a pool with one slot."
        )

    def _refuse_late_overlap(self, memory: TaskMemory, begun: Begun) -> Mapping[str, Any]:
        """Do the same when nobody can begin any more that began before; return the history as it is then."""
        history = self.client.find_history(begun.history_id)
        if self.bucket_name is not None:
            time.sleep(unquiet_seconds(history))
        self._refuse_overlap(memory, begun, history)
        return history

    def _histories(self) -> Sequence[Mapping[str, Any]]:
        """Return all of the project's imports from S3."""
        return [h for h in self.client.iter_histories(self.project) if h.get("storageType") != NOT_FROM_S3]

    def _find(self, history_id: str) -> Mapping[str, Any] | None:
        """Return an import history, ``None`` when FastLabel does not know it any more."""
        from airflow_provider_fastlabel.client.exceptions import NotFound

        try:
            return self.client.find_history(history_id)
        except NotFound:
            return None

    def _newest_running(self, histories: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """Return the newest import that has not ended."""
        return newest(h for h in histories if decide_import(h, project=self.project).status == WAITING)

    def _finish(self, context: Context, event: WaitEvent, begun: Begun) -> dict[str, Any]:
        """Read the final state, count, forget the import and return the result; raise on every end but success."""
        raise_unless_success(event, sensor=False)
        memory = self._memory(context)
        history = self._refuse_late_overlap(memory, begun)
        result = self._result(begun, str(history.get("status")), self.client.count_tasks(self.project))
        memory.forget()
        self.log.info("Import %s: %s", begun.history_id, result)
        self._summary = result
        tell_of_project(self, context, result)
        return result

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the bucket, where it is given here, to the project."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        rows = self._summary.get("created") if complete else None
        source = [] if self.bucket_name is None else [storage_place(f"s3://{self.bucket_name}/{self.prefix or ''}")]
        return Edge(source, [project_place(self.client, self.project, rows)])

    @staticmethod
    def _result(begun: Begun, status: str, after: int | None) -> dict[str, Any]:
        """Return the result object."""
        return {
            "history_id": begun.history_id,
            "status": status,
            "tasks_before": begun.tasks_before,
            "tasks_after": after,
            "created": None if after is None else after - begun.tasks_before,
        }
