"""A model learns from a dataset, then draws first boxes on new photographs, so that people correct instead of draw.

Use it to start a labelling round with a head start: the project and its classes come from a file kept in git (the form
is in ``airflow_provider_fastlabel.pipelines.projects.definition``), the photographs are imported while the model
trains, and the finished model annotates them. Retries attach to running jobs and never start one twice.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import (
    FastLabelApplyProjectOperator,
    FastLabelCreateTasksFromFolderOperator,
    FastLabelRunAutoAnnotationJobOperator,
    FastLabelRunTrainingJobOperator,
)

with DAG(
    "fastlabel_train_and_preannotate",
    schedule=None,
    description="A model learns from a dataset, then draws first boxes on new photographs",
    doc_md=__doc__,
    params={
        "definition": Param(
            "projects/cats.yaml",
            type="string",
            pattern=r"\.(ya?ml|json)$",
            title="Project definition",
            description="YAML or JSON file, on the workers, that says what the project and its classes are to be.",
        ),
        "photos": Param(
            "s3://my-bucket/incoming",
            type="string",
            minLength=1,
            title="Photographs",
            description="Folder on the workers, or URL of one in an object store, whose images are to be labelled.",
        ),
        "dataset": Param(
            "cats",
            type="string",
            minLength=1,
            title="Training dataset",
            description="Name of the dataset at FastLabel that the model learns from.",
        ),
        "epochs": Param(
            100,
            type="integer",
            minimum=1,
            maximum=1000,
            title="Epochs",
            description="How often training goes through the dataset.",
        ),
    },
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
        epoch="{{ params.epochs }}",
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
