"""Waits until an import has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.pipelines.waits.conditions import ImportHistoryWait
from airflow_provider_fastlabel.sensors.base import FastLabelSensor
from airflow_provider_fastlabel.utils.arguments import require_rendered
from airflow_provider_fastlabel.utils.links import IMPORT, PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.utils.links import Links


class FastLabelImportHistorySensor(FastLabelSensor):
    """Waits for one import, such as the one ``FastLabelCreateTasksFromS3Operator(wait_for_completion=False)`` started.

    However many sensors defer on imports of one project, each interval costs one call. A failed import fails the sensor
    at once. Returns ``{"project", "history_id", "status"}``.

    For ``deferrable``, ``poll_interval`` and ``timeout`` see :class:`FastLabelSensor`.

    :param project: project slug. Templated.
    :param history_id: id of the import history. Templated.
    """

    template_fields: Sequence[str] = (*FastLabelSensor.template_fields, "history_id")

    operator_extra_links: Links = (PROJECT, IMPORT)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "history_id": "history_id"}

    def __init__(self, *, history_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.history_id = history_id

    def build_wait(self) -> ImportHistoryWait:
        """Return the wait on the history.

        :raises FastLabelInvalidException: when the id has rendered to nothing.
        """
        require_rendered("history_id", self.history_id, "Did the task that starts the import push it?")
        return ImportHistoryWait(self.project, self.history_id)
