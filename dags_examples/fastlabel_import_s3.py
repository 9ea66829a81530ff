"""New objects in a bucket become labelling tasks, every night.

Use it when the raw data already lies in S3 and FastLabel may read it there (an IAM role that the workspace owner sets
up once). Objects that are tasks already stay as they are. The import runs at FastLabel; the task waits for it in the
triggerer, without a worker slot, and returns how many tasks it has created.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator

with DAG(
    "fastlabel_import_s3",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    description="New objects in a bucket become labelling tasks, imported by FastLabel itself",
    doc_md=__doc__,
    params={
        "project": Param(
            "photos",
            type="string",
            minLength=1,
            pattern=r"^\S+$",
            title="Project",
            description="Slug of the FastLabel project, as in the address of its page.",
        ),
        "bucket": Param(
            "my-bucket",
            type="string",
            pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            title="Bucket",
            description="Name of the S3 bucket that FastLabel may read, without s3://.",
        ),
        "region": Param(
            "ap-northeast-1",
            type="string",
            pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
            examples=["ap-northeast-1", "ap-northeast-3", "us-east-1", "eu-central-1"],
            title="Region",
            description="AWS region of the bucket.",
        ),
        "prefix": Param(
            "incoming/",
            type="string",
            title="Prefix",
            description="Only objects whose key begins so. Empty: the whole bucket.",
        ),
    },
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
