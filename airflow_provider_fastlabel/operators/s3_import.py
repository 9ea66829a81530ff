"""Creates tasks from objects that lie in an S3 bucket, by FastLabel's own import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.waiting import Deadlines, FastLabelWaitingOperator
from airflow_provider_fastlabel.triggers.conditions import ImportHistoryWait
from airflow_provider_fastlabel.triggers.decisions import decide_import
from airflow_provider_fastlabel.triggers.events import FAILED, SUCCESS, WaitEvent, raise_unless_success, read_event
from airflow_provider_fastlabel.utils.arguments import rendered_texts, require_rendered, task_status
from airflow_provider_fastlabel.utils.numbers import PRIORITY
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.numbers import Number

HISTORY_XCOM = "history_id"
"""XCom key under which the id of the import history is pushed before the waiting starts."""


class FastLabelCreateTasksFromS3Operator(FastLabelWaitingOperator):
    """Makes FastLabel create a task for each object of the project's S3 bucket, and waits until it has.

    For image, video, audio and text projects; FastLabel reads the bucket itself, with a role that the workspace owner
    has set up. With ``bucket_name`` the project's storage setting is written first, otherwise the present one is
    used.

    A retry attaches to the import of the try before instead of starting another: on Airflow 3.3 and later by the
    remembered id (or, had the worker died between submitting and remembering, by the first import newer than those
    before it); on earlier releases by the project's newest running import (``tasks_before`` is then the count at the
    retry). Clearing a finished task imports again, which creates only what is missing, because names are unique in a
    project. FastLabel has no call to cancel an import: killing the task ends the waiting only.

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
    :param poll_interval: seconds between looks.
    :param timeout: seconds the waiting may take; a retry attaches again and has as much time anew.
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
    numbers: ClassVar[Mapping[str, Number]] = {"priority": PRIORITY}

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
        self._history_id: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Submit, or attach to what an earlier try submitted; then wait.

        :raises FastLabelInvalidException: an argument rendered to what cannot be meant, or FastLabel refuses the
            request.
        """
        with self.working():
            if self.prefix is not None:
                advice = "Nothing was sent. Leave `prefix` out to link the whole bucket."
                require_rendered("prefix", self.prefix, advice)
            task_status("status", self.status)
            deadlines = Deadlines.starting_now(self, self.timeout)
            memory = self._memory(context)
            history_id, before = self._attach(context, memory) or self._submit(memory)
            self._history_id = history_id
            context["ti"].xcom_push(key=HISTORY_XCOM, value=history_id)
            if not self.wait_for_completion:
                memory.forget()
                return self._result(history_id, "running", before, None)
            return self._wait(context, history_id, before, deadlines)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Take up the end of the wait from the trigger.

        :param event: payload of the trigger's event.
        """
        with self.working():
            end = read_event(event)
            return self._finish(context, end, str(end.carry.get("history_id")), int(end.carry.get("tasks_before", 0)))

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

    def _attach(self, context: Context, memory: TaskMemory) -> tuple[str, int] | None:
        """Return history id and tasks before of an import that an earlier try submitted and that has not failed."""
        kept = memory.read()
        if kept.get("history_id"):
            history: Mapping[str, Any] | None = self._find(kept["history_id"])
        elif kept:
            history = self._newer_than(kept["newest_before"])
        elif not memory.available and context["ti"].try_number > 1:
            history = self._newest_running()
        else:
            return None
        if history is None:
            return None
        if not self.may_attach(decide_import(history, project=self.project), cleared=memory.cleared):
            return None
        history_id, before = str(history["id"]), kept.get("tasks_before")
        before = self.client.count_tasks(self.project) if before is None else int(before)
        memory.write(history_id=history_id, tasks_before=before)
        self.log.info("Attaching to import %s that an earlier try started", history_id)
        return history_id, before

    def _submit(self, memory: TaskMemory) -> tuple[str, int]:
        """Start an import; return its history id and the number of tasks before."""
        if self.bucket_name is not None and self.bucket_region is not None:
            self.client.update_aws_s3_storage(self.project, self.bucket_name, self.bucket_region, prefix=self.prefix)
        before = self.client.count_tasks(self.project)
        newest = max((str(h.get("createdAt") or "") for h in self._histories()), default="")
        memory.write(newest_before=newest, tasks_before=before)
        history = self.client.create_task_from_aws_s3(
            self.project, status=self.status, tags=rendered_texts("tags", self.tags), priority=self.priority or 0
        )
        history_id = str(history["id"])
        memory.write(history_id=history_id, tasks_before=before)
        self.log.info("FastLabel has started import %s into project %s (%s tasks)", history_id, self.project, before)
        return history_id, before

    def _histories(self) -> Sequence[Mapping[str, Any]]:
        """Return all of the project's import histories."""
        return list(self.client.iter_histories(self.project))

    def _find(self, history_id: str) -> Mapping[str, Any] | None:
        """Return an import history, ``None`` when FastLabel does not know it any more."""
        from airflow_provider_fastlabel.client.exceptions import NotFound

        try:
            return self.client.find_history(history_id)
        except NotFound:
            return None

    def _newer_than(self, created_at: str) -> Mapping[str, Any] | None:
        """Return the first import created after a time, which FastLabel writes so that texts compare like times."""
        newer = [h for h in self._histories() if str(h.get("createdAt") or "") > created_at]
        return min(newer, key=lambda h: str(h["createdAt"]), default=None)

    def _newest_running(self) -> Mapping[str, Any] | None:
        """Return the project's newest import that has not ended."""
        running = [
            h for h in self._histories() if decide_import(h, project=self.project).status not in (SUCCESS, FAILED)
        ]
        return max(running, key=lambda h: str(h.get("createdAt") or ""), default=None)

    def _wait(self, context: Context, history_id: str, before: int, deadlines: Deadlines) -> dict[str, Any]:
        """Wait for the end, after one look in any case."""
        carry = {"history_id": history_id, "tasks_before": before}
        event = self.wait_for(ImportHistoryWait(self.project, history_id), deadlines, carry)
        return self._finish(context, event, history_id, before)

    def _finish(self, context: Context, event: WaitEvent, history_id: str, before: int) -> dict[str, Any]:
        """Read the final state, count, forget the import and return the result; raise on every end but success."""
        raise_unless_success(event, sensor=False)
        status = str(self.client.find_history(history_id).get("status"))
        result = self._result(history_id, status, before, self.client.count_tasks(self.project))
        self._memory(context).forget()
        self.log.info("Import %s: %s", history_id, result)
        return result

    @staticmethod
    def _result(history_id: str, status: str, before: int, after: int | None) -> dict[str, Any]:
        """Return the result object."""
        created = None if after is None else after - before
        return {
            "history_id": history_id,
            "status": status,
            "tasks_before": before,
            "tasks_after": after,
            "created": created,
        }
