"""What people have approved so far becomes a dataset a trainer can load, every night.

Use it to keep a dataset fresh: images and labels in Ultralytics' layout, in one place that always holds a whole
dataset. Class ids never move and a picture never changes its split. If nothing was approved since yesterday, nothing is
published, and the asset makes no event, so nobody is woken. Images that are in the published dataset already and are
unchanged at FastLabel are neither downloaded nor uploaded again, in a folder or an object store.
"""

from __future__ import annotations

from airflow.sdk import DAG, Asset, Param

from airflow_provider_fastlabel.operators import FastLabelExportYoloOperator

DATASET = Asset(name="photos_yolo", uri="s3://my-bucket/datasets/photos-yolo")

with DAG(
    "fastlabel_nightly_export",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    description="What people have approved so far becomes a YOLO dataset, every night",
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
        "output": Param(
            DATASET.uri,
            type="string",
            minLength=1,
            title="Dataset",
            description="Folder or URL where the dataset is published, whole or not at all.",
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
    FastLabelExportYoloOperator(
        task_id="export_yolo",
        project="{{ params.project }}",
        output="{{ params.output }}",
        output_conn_id="{{ params.conn_id }}",
        layout="ultralytics",
        splits={"train": 0.8, "val": 0.1, "test": 0.1},
        outlets=[DATASET],
        retries=3,
    )
