"""A model learns from a dataset, then draws first boxes on new photographs, so that people correct instead of draw.

Use it to start a labelling round with a head start: the project and its classes come from a file kept in git (the form
is in ``airflow_provider_fastlabel.pipelines.projects.definition``), the photographs are imported while the model
trains, and the finished model annotates them. Retries attach to running jobs and never start one twice.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import (
    FastLabelApplyProjectOperator,
    FastLabelCreateTasksFromFolderOperator,
    FastLabelRunAutoAnnotationJobOperator,
    FastLabelRunTrainingJobOperator,
)

with DAG(
    "fastlabel_train_and_preannotate",
    schedule=None,
    params={"definition": "projects/cats.yaml", "photos": "s3://my-bucket/incoming", "dataset": "cats"},
    tags=["fastlabel"],
    default_args={"retries": 2},
):
    project = FastLabelApplyProjectOperator(task_id="apply_project", definition="{{ params.definition }}")
    slug = "{{ ti.xcom_pull(task_ids='apply_project')['project'] }}"
    create = FastLabelCreateTasksFromFolderOperator(
        task_id="create_tasks", project=slug, folder="{{ params.photos }}", source_conn_id="aws_default"
    )
    train = FastLabelRunTrainingJobOperator(
        task_id="train",
        dataset_name="{{ params.dataset }}",
        base_model_name="fastlabel_object_detection_light",
        epoch=100,
        deferrable=True,
    )
    annotate = FastLabelRunAutoAnnotationJobOperator(
        task_id="annotate",
        project=slug,
        model_name="{{ ti.xcom_pull(task_ids='train')['model_name'] }}",
        deferrable=True,
    )
    project >> create
    [create, train] >> annotate
