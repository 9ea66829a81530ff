"""New objects in a bucket become labelling tasks, every night.

Use it when the raw data already lies in S3 and FastLabel may read it there (an IAM role that the workspace owner sets
up once). Objects that are tasks already stay as they are. The import runs at FastLabel; the task waits for it in the
triggerer, without a worker slot, and returns how many tasks it has created.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator

with DAG(
    "fastlabel_import_s3",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    params={"project": "photos", "bucket": "my-bucket", "region": "ap-northeast-1", "prefix": "incoming/"},
    tags=["fastlabel"],
):
    FastLabelCreateTasksFromS3Operator(
        task_id="import_bucket",
        project="{{ params.project }}",
        bucket_name="{{ params.bucket }}",
        bucket_region="{{ params.region }}",
        prefix="{{ params.prefix }}",
        tags=["from-s3"],
        deferrable=True,
        poll_interval=60,
        timeout=6 * 3600,
        retries=2,
    )
