"""An import that the test kills in mid-run; Airflow starts it again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator

with DAG("slow_import", schedule=None, params={"project": "", "folder": ""}):
    FastLabelCreateTasksFromFolderOperator(
        task_id="create_tasks",
        project="{{ params.project }}",
        folder="{{ params.folder }}",
        max_workers=2,
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
