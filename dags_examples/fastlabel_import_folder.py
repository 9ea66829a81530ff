"""New files of a folder or bucket become labelling tasks every night, with the boxes a model has already drawn.

Use it when the raw data arrives where Airflow can read it. Running it again, or retrying it after a kill, creates only
what is missing; the manifest tells the fate of every file. Up to ten bad files are reported without failing the night.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator

with DAG(
    "fastlabel_import_folder",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    params={"project": "photos", "folder": "s3://my-bucket/incoming", "conn_id": "aws_default"},
    tags=["fastlabel"],
):
    FastLabelCreateTasksFromFolderOperator(
        task_id="create_tasks",
        project="{{ params.project }}",
        folder="{{ params.folder }}",
        source_conn_id="{{ params.conn_id }}",
        annotations_format="coco",  # annotations.json beside the images
        tags=["night-{{ dag_run.run_after.strftime('%Y-%m-%d') }}"],
        max_failures=10,
        retries=3,
    )
