"""What every FastLabel operator shares: the connection, the hook and the judgement of errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.utils.checked_arguments import CheckedArguments
from airflow_provider_fastlabel.utils.links import LinkedTask
from airflow_provider_fastlabel.utils.retry import default_retry_policy, permanent_errors_fail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.client import FastLabelClient

__all__ = ["FastLabelBaseOperator"]


class FastLabelBaseOperator(CheckedArguments, LinkedTask, BaseOperator):
    """Base of the FastLabel operators.

    Subclasses extend ``template_fields``, use :attr:`client` inside ``execute`` only (never in ``__init__``, which runs
    whenever the DAG file is parsed) and do their work within :meth:`working`.

    On Airflow 3.3 and later the default ``retry_policy`` fails at once on errors no retry can cure (wrong token,
    unknown project, invalid request) and waits as long as FastLabel asks after an exceeded quota.

    :param fastlabel_conn_id: id of the Airflow connection. Templated.
    """

    template_fields: Sequence[str] = ("fastlabel_conn_id",)
    ui_color = "#dbe9f6"

    def __init__(self, *, fastlabel_conn_id: str = FastLabelHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fastlabel_conn_id = fastlabel_conn_id
        if getattr(self, "retry_policy", None) is None and (policy := default_retry_policy()) is not None:
            self.retry_policy = policy

    @contextmanager
    def working(self, context: Context | None = None) -> Iterator[None]:
        """Check the arguments that are numbers as they rendered, and keep Airflow from retrying what cannot succeed.

        :param context: Airflow's task context, where the work begins: the task's links are shown before it does.
        :raises FastLabelInvalidException: an argument rendered to what is not the number it must be.
        """
        with permanent_errors_fail():
            if context is not None:
                self.show_links(context)
            self.check_rendered()
            yield

    @property
    def client(self) -> FastLabelClient:
        """The client of this operator's connection; one per task process."""
        return self.hook.get_conn()
