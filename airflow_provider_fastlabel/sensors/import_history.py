"""Waits until an import has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.sensors.base import FastLabelSensor
from airflow_provider_fastlabel.triggers.conditions import ImportHistoryWait

if TYPE_CHECKING:
    from collections.abc import Sequence


class FastLabelImportHistorySensor(FastLabelSensor):
    """Waits for one import, such as the one ``FastLabelCreateTasksFromS3Operator(wait_for_completion=False)`` started.

    However many sensors defer on imports of one project, each interval costs one call. A failed import fails the sensor
    at once. Returns ``{"project", "history_id", "status"}``.

    For ``deferrable``, ``poll_interval`` and ``timeout`` see :class:`FastLabelSensor`.

    :param project: project slug. Templated.
    :param history_id: id of the import history. Templated.
    """

    template_fields: Sequence[str] = (*FastLabelSensor.template_fields, "history_id")

    def __init__(self, *, history_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.history_id = history_id

    def build_wait(self) -> ImportHistoryWait:
        """Return the wait on the history.

        :raises ValueError: when the id has rendered to nothing.
        """
        if not self.history_id or self.history_id == "None":
            raise ValueError("history_id is empty; did the task that starts the import push it?")
        return ImportHistoryWait(self.project, self.history_id)
