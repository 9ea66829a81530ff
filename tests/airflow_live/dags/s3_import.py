"""An S3 import whose worker the test kills after the submit; Airflow starts it again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator

with DAG("s3_import", schedule=None, params={"project": ""}):
    FastLabelCreateTasksFromS3Operator(
        task_id="import",
        project="{{ params.project }}",
        bucket_name="live",
        bucket_region="us-east-1",
        deferrable=True,
        poll_interval=3,
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
