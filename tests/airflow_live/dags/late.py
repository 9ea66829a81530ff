"""A DAG that is late from its beginning: what is told when a deadline is missed."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]

from airflow_provider_fastlabel.notifications import FastLabelProgressNotifier
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

with DAG(
    "late",
    schedule=None,
    params={"project": "photos"},
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=1),
        callback=AsyncCallback(FastLabelProgressNotifier, kwargs={"project": "{{ dag_run.conf['project'] }}"}),
    ),
):
    FastLabelTaskStatusSensor(
        task_id="wait", project="{{ params.project }}", status="approved", deferrable=True, poll_interval=5, timeout=600
    )
