"""The FastLabel sensors, one module per thing waited for; all can be imported from here."""

from __future__ import annotations

from airflow_provider_fastlabel.sensors.import_history import FastLabelImportHistorySensor
from airflow_provider_fastlabel.sensors.model_job import FastLabelModelJobSensor
from airflow_provider_fastlabel.sensors.s3_import import FastLabelS3ImportSensor
from airflow_provider_fastlabel.sensors.task_status import FastLabelTaskStatusSensor

__all__ = [
    "FastLabelImportHistorySensor",
    "FastLabelModelJobSensor",
    "FastLabelS3ImportSensor",
    "FastLabelTaskStatusSensor",
]
