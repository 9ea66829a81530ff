"""Two reports, mapped; somebody is asked about them; and a task that publishes nothing."""

from __future__ import annotations

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, task

from airflow_provider_fastlabel.operators import FastLabelReportOperator

with DAG("reported", schedule=None, params={"folder": ""}):

    @task
    def other() -> int:
        """Publish nothing."""
        return 7

    report = FastLabelReportOperator.partial(task_id="report", project="reported", include_images=True).expand(
        output=["{{ params.folder }}/a", "{{ params.folder }}/b"]
    )
    ask = ApprovalOperator(
        task_id="ask",
        subject="Release the dataset?",
        body="{{ ti.xcom_pull(task_ids='report', map_indexes=[0])[0]['markdown'] }}",
    )
    other() >> report >> ask
