"""What every FastLabel operator shares: the connection, the hook and the judgement of errors."""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.pipelines.running.progress import told_to
from airflow_provider_fastlabel.utils.checked_arguments import CheckedArguments
from airflow_provider_fastlabel.utils.errors import tell_what_stays
from airflow_provider_fastlabel.utils.links import LinkedTask
from airflow_provider_fastlabel.utils.progress_store import ProgressStore
from airflow_provider_fastlabel.utils.retry import default_retry_policy, permanent_errors_fail
from airflow_provider_fastlabel.utils.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelBaseOperator"]


class FastLabelBaseOperator(CheckedArguments, LinkedTask, BaseOperator):
    """Base of the FastLabel operators.

    Subclasses extend ``template_fields``, use :attr:`client` inside ``execute`` only (never in ``__init__``, which runs
    whenever the DAG file is parsed) and do their work within :meth:`working`.

    On Airflow 3.3 and later the default ``retry_policy`` fails at once on errors no retry can cure (wrong token,
    unknown project, invalid request) and waits as long as FastLabel asks after an exceeded quota. Where
    :attr:`after_leaving` allows it, a wait of more than 20 s is no failure: the task leaves its slot and is started
    again then, without using up a retry.

    :param fastlabel_conn_id: id of the Airflow connection. Templated.
    """

    template_fields: Sequence[str] = ("fastlabel_conn_id",)
    ui_color = "#dbe9f6"
    after_leaving: ClassVar[AfterLeaving] = "stays"
    """What becomes of the work so far when the task leaves its slot to wait for FastLabel."""

    # Of the class as long as nothing runs: what is set at parsing costs each task of each DAG.
    _slot: Slot | None = None
    _progress: ProgressStore | None = None
    _summary: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, *, fastlabel_conn_id: str = FastLabelHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fastlabel_conn_id = fastlabel_conn_id
        if getattr(self, "retry_policy", None) is None and (policy := default_retry_policy()) is not None:
            self.retry_policy = policy

    @contextmanager
    def working(self, context: Context | None = None) -> Iterator[None]:
        """Check the arguments that are numbers as they rendered, and keep Airflow from retrying what cannot succeed.

        What is counted on the way is shown in Airflow's task state store; and a long wait leaves the worker slot.

        :param context: Airflow's task context, where the work begins: the task's links are shown before it does.
        :raises FastLabelInvalidException: an argument rendered to what is not the number it must be.
        :raises AirflowRescheduleException: FastLabel, or its quota, wants a wait that is worth leaving the slot for.
        """
        self._progress = store = ProgressStore(self.log)
        self._slot = slot = Slot(self.after_leaving, store.anything_done)
        with permanent_errors_fail(), store, told_to(store.tell):
            try:
                if context is not None:
                    self.show_links(context)
                self.check_rendered()
                yield
            except Exception as error:
                if (leaving := slot.leave_for(error, self.log)) is None:
                    tell_what_stays(error, self.fastlabel_conn_id, self.what_stays)
                    raise
                raise leaving from error

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind, for its message."""
        if self.hook.get_conn().transport.may_have_changed:
            return "What was created or changed before stays."
        return "Nothing was created or changed now; what was there before stays."

    def lineage(self, *, complete: bool) -> Edge | None:
        """Return what this task read and wrote, ``None`` if it is no step between folder, project and data set.

        :param complete: whether the task succeeded; otherwise it tells what it may have written in part.
        """
        del complete
        return None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the lineage of a task that succeeded; Airflow's OpenLineage provider calls this.

        :param task_instance: Airflow's task instance.
        """
        return self._openlineage(task_instance, complete=True)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Return the lineage of a task that failed; Airflow's OpenLineage provider calls this.

        :param task_instance: Airflow's task instance.
        """
        return self._openlineage(task_instance, complete=False)

    def _openlineage(self, task_instance: Any, *, complete: bool) -> Any:
        from airflow_provider_fastlabel.utils.lineage import Edge, openlineage_of

        # Never None: older OpenLineage providers then forget what the DAG declares, if any file was read
        return openlineage_of(self.lineage(complete=complete) or Edge(), self, task_instance)

    @property
    def client(self) -> FastLabelClient:
        """The client of this operator's connection; one per task process."""
        client = self.hook.get_conn()
        if self._slot is not None and self._slot.may_be_left:
            client.patience = self._slot.patience
        return client
