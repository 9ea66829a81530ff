"""Tasks whose links are looked at: waits that stay deferred, one for each of two tags, and an import that fails."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

WAIT: dict[str, Any] = {
    "fastlabel_conn_id": "linked",
    "project": "linked",
    "status": "approved",
    "deferrable": True,
    "timeout": 600,
}

with DAG("linked", schedule=None):
    FastLabelTaskStatusSensor(task_id="wait", tags=["night 1"], poll_interval=10, **WAIT)
    FastLabelTaskStatusSensor.partial(task_id="each", poll_interval=10, **WAIT).expand(tags=[["day"], ["night"]])
    FastLabelCreateTasksFromFolderOperator(
        task_id="fails", fastlabel_conn_id="linked", project="linked", folder="/nowhere", tags=["day"], retries=0
    )
