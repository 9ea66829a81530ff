"""What the operators share that start a job of a model: never two jobs by accident, and the wait for its end."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_fastlabel.operators.waiting import Deadlines, FastLabelWaitingOperator
from airflow_provider_fastlabel.pipelines.running.newcomers import Before, newest
from airflow_provider_fastlabel.pipelines.waits.conditions import ModelJobWait
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING, decide_job
from airflow_provider_fastlabel.pipelines.waits.model_jobs import all_jobs, find_job, id_in, job_kind, summary_of
from airflow_provider_fastlabel.triggers.events import raise_unless_success
from airflow_provider_fastlabel.utils.asset_events import project_uri, tell_outlets
from airflow_provider_fastlabel.utils.asset_uris import MODELS
from airflow_provider_fastlabel.utils.links import MODEL_JOB
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow.providers.common.compat.sdk import BaseOperatorLink
    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.waits.events import WaitEvent

JOB_XCOM = "job_id"
"""XCom key under which the id of the job is pushed before the waiting starts."""


class FastLabelModelJobOperator(FastLabelWaitingOperator):
    """Base of the operators that start a job of a model; use one of its subclasses.

    A job costs money, so it is never started twice by accident. A retry attaches to the job of the try before: on
    Airflow 3.3 and later by the remembered id, or, when the worker died or the answer was lost while the job was being
    started, by the one job that has appeared since and looks like it. When several look like it nobody can tell, and
    the task fails for a person to decide. On earlier releases a retry attaches to the newest running job that looks
    like the one asked for. After a failed job a retry starts another. Whoever clears the task, finished or marked, gets
    a new job unless the one before still runs. FastLabel has no call to cancel a job: killing the task ends the waiting
    only.

    Job lists do not show every argument of a job. So when tasks start jobs that differ only in, say, the learning rate,
    do not let them start in the same second.

    For ``wait_for_completion``, ``deferrable`` and the rest see :class:`FastLabelWaitingOperator`.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (MODEL_JOB,)
    kind: ClassVar[str]
    _job_id: str | None = None

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the client's ``execute_..._job``."""

    @abstractmethod
    def looks_like_ours(self, job: Mapping[str, Any]) -> bool:
        """Tell whether a job is, as far as its list shows, one that this task would start."""

    def project_slug(self) -> str:
        """Return the project whose list shows the job, empty for the workspace's lists."""
        return ""

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the job, or attach to what an earlier try started; then wait."""
        with self.working(context):
            deadlines = Deadlines.starting_now(self, self.timeout)
            memory = self._memory(context)
            job_id = self._attach(context, memory) or self._submit(memory)
            self._job_id = job_id
            context["ti"].xcom_push(key=JOB_XCOM, value=job_id)
            self.show_links(context, job_id=job_id)
            if not self.wait_for_completion:
                memory.forget()
                return summary_of(job_kind(self.kind), {job_kind(self.kind).identity: job_id, "status": "in_progress"})
            wait = ModelJobWait(self.kind, job_id, self.project_slug())
            return self._finish(context, self.wait_for(wait, deadlines, {}))

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Take up the end of the wait from the trigger.

        :param event: payload of the trigger's event.
        """
        with self.working():
            return self._finish(context, self.taken_up(event))

    def on_kill(self) -> None:
        """Say that the job goes on; FastLabel knows no cancel."""
        if self._job_id:
            self.log.info("The %s %s goes on at FastLabel", job_kind(self.kind).title, self._job_id)

    def _memory(self, context: Context) -> TaskMemory:
        """Return the memory of this job; other arguments make it another job."""
        return TaskMemory(context, f"fastlabel_{self.kind}_job", fingerprint(self.fastlabel_conn_id, self.arguments()))

    def _attach(self, context: Context, memory: TaskMemory) -> str | None:
        """Return the id of a job that an earlier try started, if this one may take it up."""
        kept = memory.read()
        if kept.get("job_id"):
            job = self._find(kept["job_id"])
        elif kept:
            job = self._one_since(Before.kept(kept), memory)
        elif not memory.available and context["ti"].try_number > 1:
            job = self._newest_running()
        else:
            return None
        kind = job_kind(self.kind)
        if job is None or not self.may_attach(decide_job(job, kind=kind), cleared=memory.cleared):
            return None
        job_id = str(job[kind.identity])
        memory.write(job_id=job_id)
        self.log.info("Attaching to %s %s that an earlier try started", kind.title, job_id)
        return job_id

    def _submit(self, memory: TaskMemory) -> str:
        """Start a job and return its id; a lost answer is settled by the list."""
        from airflow_provider_fastlabel.client.exceptions import OutcomeUnknown, RateLimited

        kind = job_kind(self.kind)
        before = Before.of(self._jobs(), kind.identity)
        memory.write(**before.values())
        try:
            answer = kind.start(self.client, self.arguments())
            job_id = id_in(answer, kind.identity)
            lost = None
        except RateLimited:
            memory.forget()  # nothing was started: what begins until this task comes back is another's
            raise
        except OutcomeUnknown as error:
            job_id, lost = None, error
        if job_id is None:
            job = self._one_since(before, memory)
            if job is None:
                raise lost or OutcomeUnknown(f"FastLabel took the {kind.title}, but neither named it nor lists it yet.")
            job_id = str(job[kind.identity])
        memory.write(job_id=job_id)
        self.log.info("FastLabel has started %s %s", kind.title, job_id)
        return job_id

    def _jobs(self) -> list[Mapping[str, Any]]:
        """Return all jobs of the kind."""
        return list(all_jobs(self.client, job_kind(self.kind), self.project_slug()))

    def _find(self, job_id: str) -> Mapping[str, Any] | None:
        """Return a job, ``None`` when FastLabel does not know it any more."""
        from airflow_provider_fastlabel.client.exceptions import NotFound

        try:
            return find_job(self.client, job_kind(self.kind), job_id, self.project_slug())
        except NotFound:
            return None

    def _one_since(self, before: Before, memory: TaskMemory) -> Mapping[str, Any] | None:
        """Return the job like ours that has appeared since.

        :raises AirflowFailException: when there are several; the memory is then empty, so that clearing starts anew.
        """
        kind = job_kind(self.kind)
        newer = [job for job in before.newcomers(self._jobs(), kind.identity) if self.looks_like_ours(job)]
        if len(newer) <= 1:
            return newer[0] if newer else None
        memory.forget()
        ids = ", ".join(str(job[kind.identity]) for job in newer[:10])
        raise AirflowFailException(
            f"The answer to the start of the {kind.title} was lost, and {len(newer)} such jobs began since: {ids}. "
            "Nobody can tell which is this task's, so none was started again. Look at them in FastLabel; then clear "
            "the task to start a new job, or mark it as succeeded."
        )

    def _newest_running(self) -> Mapping[str, Any] | None:
        """Return the newest job like ours that has not ended."""
        kind = job_kind(self.kind)
        return newest(j for j in self._jobs() if self.looks_like_ours(j) and decide_job(j, kind=kind).status == WAITING)

    def _finish(self, context: Context, event: WaitEvent) -> dict[str, Any]:
        """Forget the job and return its summary; raise on every end but success."""
        raise_unless_success(event, sensor=False)
        self._memory(context).forget()
        self.log.info("Finished: %s", event.facts)
        if self.outlets:
            tell_outlets(self, context, event.facts, self.written(event.facts))
        return event.facts

    def written(self, facts: Mapping[str, Any]) -> str | None:
        """Return the URI of what the job has written: the model, the project; ``None`` when it has no address.

        :param facts: the job's summary.
        """
        if self.project_slug():
            return project_uri(self.hook, self.project_slug())
        model_id = facts.get("model_id")
        return facts.get("model_url") or (project_uri(self.hook, MODELS, str(model_id)) if model_id else None)
