"""New files of a folder or bucket become labelling tasks every night, with the boxes a model has already drawn.

Use it when the raw data arrives where Airflow can read it. Running it again, or retrying it after a kill, creates only
what is missing; the manifest tells the fate of every file. Up to ten bad files are reported without failing the night.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator

with DAG(
    "fastlabel_import_folder",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    description="New files of a folder or bucket become labelling tasks",
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
        "folder": Param(
            "s3://my-bucket/incoming",
            type="string",
            minLength=1,
            title="Folder",
            description="Folder on the workers, or URL of one in an object store, with its annotations.json.",
        ),
        "conn_id": Param(
            "aws_default",
            type=["null", "string"],
            title="Connection of the object store",
            description="Airflow connection that opens it. Empty for a local folder, or if the workers may anyway.",
        ),
    },
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
