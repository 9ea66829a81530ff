"""Approved tasks become a dataset as they come, and a new dataset trains a model: no run waits for anything.

Use it where people label all day. A watcher in the triggerer looks at the project once a minute and makes an asset
event of every 50 tasks that were approved; the event starts the export. Events that come while an export runs start one
more run together. The export makes an event of its own dataset only if that has changed, and this one starts the
training. Watchers take no templates: write the project in both places.
"""

from __future__ import annotations

from airflow.sdk import DAG, Asset, AssetWatcher, Param

from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator, FastLabelRunTrainingJobOperator
from airflow_provider_fastlabel.triggers.watchers import FastLabelTaskStatusEventTrigger

APPROVED = Asset(
    name="photos_approved",
    watchers=[
        AssetWatcher(
            name="every_50_approvals",
            trigger=FastLabelTaskStatusEventTrigger(project="photos", statuses="approved", every=50, poll_interval=60),
        )
    ],
)
DATASET = Asset(name="photos_coco", uri="s3://my-bucket/datasets/photos-coco")

with DAG(
    "fastlabel_event_driven_export",
    schedule=[APPROVED],
    catchup=False,
    max_active_runs=1,
    description="Every 50 approvals become a COCO dataset, with no run waiting for them",
    doc_md=__doc__,
    params={
        "project": Param(
            "photos",
            type="string",
            minLength=1,
            pattern=r"^\S+$",
            title="Project",
            description="Slug of the FastLabel project, the one that the watcher looks at.",
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
    FastLabelExportCocoOperator(
        task_id="export_coco",
        project="{{ params.project }}",
        output="{{ params.output }}",
        output_conn_id="{{ params.conn_id }}",
        outlets=[DATASET],
        retries=3,
    )

with DAG(
    "fastlabel_train_on_new_dataset",
    schedule=[DATASET],
    catchup=False,
    max_active_runs=1,
    description="A dataset that has changed trains a model",
    doc_md=__doc__,
    params={
        "dataset": Param(
            "photos",
            type="string",
            minLength=1,
            title="Training dataset",
            description="Name of the dataset at FastLabel that the model learns from.",
        ),
        "model": Param(
            "fastlabel_object_detection_light",
            type="string",
            minLength=1,
            title="Base model",
            description="Name of the model at FastLabel that the training begins with.",
        ),
    },
    tags=["fastlabel"],
):
    FastLabelRunTrainingJobOperator(
        task_id="train",
        dataset_name="{{ params.dataset }}",
        base_model_name="{{ params.model }}",
        epoch=10,
        deferrable=True,
        retries=3,
    )
