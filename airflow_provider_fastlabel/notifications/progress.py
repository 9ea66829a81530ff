"""Tells people how far a project is and when it will be done at this pace."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseNotifier

from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook, build_client
from airflow_provider_fastlabel.utils.arguments import refused, rendered_texts, require_rendered, task_status
from airflow_provider_fastlabel.utils.numbers import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from airflow_provider_fastlabel.hooks.connection import ConnectionSettings

KEY = "fastlabel_progress"
"""What the message is called in the context of the notifier that carries it."""


class FastLabelProgressNotifier(BaseNotifier):
    """Says how many tasks are left and when they are done at this pace, by another notifier or in the log.

    For callbacks of tasks and DAGs (``on_execute_callback``, ``on_failure_callback``, ``on_skipped_callback`` ...) and,
    by its path, for the callback of a ``DeadlineAlert``, there in the triggerer or in a worker. "Project photos: still
    120 of 400 tasks are not approved. 35 of those that are approved changed in the last 24.0 h; at this pace the rest
    is done on Friday, 4 December 2026, 10:00 UTC (in 3.4 days)." Where nothing was done lately it says that, and no
    date.

    The other notifier finds the text as ``{{ fastlabel_progress.text }}``, and beside it ``reached``, ``left``,
    ``total``, ``recent`` and ``done_at``, which are ``None`` where they are not known. If FastLabel cannot be asked,
    the text says so and the message is sent all the same, because it is sent when something is wrong.

    It costs a few calls, see :func:`~airflow_provider_fastlabel.pipelines.projects.pace.project_pace`.

    :param project: project slug. Templated.
    :param status: the status, or several, that count as done. Templated.
    :param tags: only tasks that carry these tags. Templated.
    :param window: how far back the pace is measured, in seconds or as a ``timedelta``.
    :param through: another notifier, or, in a deadline, the path of its class, such as
        ``"airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier"``. ``None``: a warning in the log.
    :param through_arguments: what the class is made with, where ``through`` is a path.
    :param fastlabel_conn_id: id of the Airflow connection. Templated.
    :param context: Airflow's context; given by a deadline.
    :raises ValueError: an argument cannot be meant.
    """

    template_fields: Sequence[str] = ("project", "status", "tags", "fastlabel_conn_id")

    def __init__(
        self,
        *,
        project: str,
        status: str | Sequence[str] = "approved",
        tags: Sequence[str] | None = None,
        window: float | timedelta = 24 * 3600,
        through: BaseNotifier | str | None = None,
        through_arguments: Mapping[str, Any] | None = None,
        fastlabel_conn_id: str = FastLabelHook.default_conn_name,
        context: Context | None = None,
    ) -> None:
        super().__init__()
        self.context: Any = context if context is not None else {}
        if not isinstance(through, BaseNotifier | None) and not _is_path(through):
            raise refused(f"through must be a notifier or the path of one, not {through!r}.")
        if through_arguments and not isinstance(through, str):
            raise refused("through_arguments are for a notifier named by its path; give a made one its own.")
        self.project = project
        self.status = status
        self.tags = tags
        self.window: float = seconds("window", window)
        self.through = through
        self.through_arguments: dict[str, Any] = dict(through_arguments or {})
        self.fastlabel_conn_id = fastlabel_conn_id

    def notify(self, context: Context) -> None:
        """Look and send the message, from a worker or the DAG processor.

        :param context: Airflow's context.
        """
        message = self._message(FastLabelHook(fastlabel_conn_id=self.fastlabel_conn_id).settings)
        notifier, given = self._prepare(context, message)
        if notifier is not None:
            notifier(given)

    async def async_notify(self, context: Context) -> None:
        """Look and send the message, from the triggerer, without holding up its event loop.

        :param context: Airflow's context.
        """
        from airflow_provider_fastlabel.triggers.connections import read_settings

        try:
            settings = await read_settings(self.fastlabel_conn_id)
        except (AirflowNotFoundException, InvalidConnectionError) as error:
            message = self._unknown(error)
        else:
            message = await asyncio.to_thread(self._message, lambda: settings)
        notifier, given = self._prepare(context, message)
        if notifier is None:
            return
        if type(notifier).async_notify is BaseNotifier.async_notify:
            await asyncio.to_thread(notifier, given)
        else:
            notifier.context = given
            await notifier

    def _message(self, settings: Any) -> dict[str, Any]:
        """Return what is to be said."""
        from airflow_provider_fastlabel.client.exceptions import FastLabelException

        try:
            return self._look(settings())
        except (FastLabelException, AirflowNotFoundException, InvalidConnectionError) as error:
            return self._unknown(error)

    def _unknown(self, error: Exception) -> dict[str, Any]:
        self.log.warning("The progress of project %s is not known: %s", self.project, error)
        nothing = dict.fromkeys(("reached", "left", "total", "recent", "done_at"))
        return {"text": f"Project {self.project}: its progress is not known: {error}", **nothing}

    def _look(self, settings: ConnectionSettings) -> dict[str, Any]:
        """Ask FastLabel."""
        from datetime import timedelta

        from airflow_provider_fastlabel.pipelines.projects.pace import project_pace

        require_rendered("project", self.project)
        statuses = [str(task_status("status", status)) for status in rendered_texts("status", self.status)]
        require_rendered("status", statuses)
        tags = rendered_texts("tags", self.tags)
        with build_client(settings) as client:
            pace = project_pace(client, self.project, statuses, tags=tags, window=timedelta(seconds=self.window))
        done_at = pace.done_at.isoformat() if pace.done_at else None
        known = {"reached": pace.reached, "left": pace.left, "total": pace.total, "recent": pace.recent}
        return {"text": pace.text(), **known, "done_at": done_at}

    def _prepare(self, context: Any, message: dict[str, Any]) -> tuple[BaseNotifier | None, Any]:
        """Return the notifier that carries the message, ``None`` for the log, and its context."""
        if self.through is None:
            self.log.warning("%s", message["text"])
            return None, context
        context[KEY] = message
        if isinstance(self.through, BaseNotifier):
            return self.through, context
        module, _, name = self.through.rpartition(".")
        made: BaseNotifier = getattr(import_module(module), name)(**self.through_arguments)
        return made, context


def _is_path(value: object) -> bool:
    """Tell whether a value names something in a module."""
    return isinstance(value, str) and "." in value and all(part.isidentifier() for part in value.split("."))
