"""An import and a model job that a person marks while they wait, and clears later."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator, FastLabelRunTrainingJobOperator

with DAG("marked", schedule=None, params={"name": ""}):
    FastLabelCreateTasksFromS3Operator(
        task_id="import",
        project="{{ params.name }}",
        bucket_name="live",
        bucket_region="us-east-1",
        deferrable=True,
        poll_interval=2,
    )
    FastLabelRunTrainingJobOperator(
        task_id="train",
        dataset_name="{{ params.name }}",
        base_model_name="fastlabel_object_detection_light",
        epoch=1,
        deferrable=True,
        poll_interval=2,
    )
