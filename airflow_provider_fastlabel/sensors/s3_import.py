"""Waits until the S3 import of a project has ended."""

from __future__ import annotations

from airflow_provider_fastlabel.pipelines.waits.conditions import S3ImportWait
from airflow_provider_fastlabel.sensors.base import FastLabelSensor


class FastLabelS3ImportSensor(FastLabelSensor):
    """Waits for the latest S3 import of a project, whoever started it; use it after an import started outside Airflow.

    It knows no id: an import that ended before the sensor started satisfies it. As long as the project has had no
    import the sensor waits. A failed import fails it at once. Returns ``{"project", "history_id", "status"}``.

    For ``deferrable``, ``poll_interval`` and ``timeout`` see :class:`FastLabelSensor`.

    :param project: project slug. Templated.
    """

    def build_wait(self) -> S3ImportWait:
        """Return the wait on the project's S3 import."""
        return S3ImportWait(self.project)
