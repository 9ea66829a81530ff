"""Every night a dataset is exported and checked; a good one is released, and of any other a person is asked.

Use it where trainers start by themselves: they wait for the asset `fastlabel_checked_dataset`, which only the last task
updates. The checks say what the dataset must be. What did not pass, with some examples, and the most suspicious labels
as a contact sheet are the body of the question under "Required Actions" of Airflow. "Reject" ends the run without a
release; the dataset stays for people to look at.
"""

from __future__ import annotations

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Asset, Param, task

from airflow_provider_fastlabel.operators import (
    FastLabelCheckDatasetOperator,
    FastLabelExportCocoOperator,
    FastLabelReportOperator,
)

DATASET = "{{ params.output }}"
CHECKED = Asset("fastlabel_checked_dataset")

with DAG(
    "fastlabel_checked_export",
    description="A dataset is checked, and released if it is good or a person says so",
    doc_md=__doc__,
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
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
            "datasets/photos",
            type="string",
            minLength=1,
            title="Dataset",
            description="Folder or URL where the dataset is published.",
        ),
    },
    tags=["fastlabel"],
    default_args={"retries": 2},
):
    export = FastLabelExportCocoOperator(task_id="export", project="{{ params.project }}", output=DATASET)
    check = FastLabelCheckDatasetOperator(
        task_id="check",
        dataset=DATASET,
        checks=[
            {"check": "approved", "at_least": 0.9},
            {"check": "open_comments"},
            {"check": "tiny_boxes", "at_most": 0.01},
            {"check": "overlapping_boxes", "at_most": 0.01},
            {"check": "unlabelled_pictures", "at_most": 0.2, "severity": "warn"},
        ],
        mode="branch",
        follow_task_ids_if_true="release",
        follow_task_ids_if_false="ask",
    )
    report = FastLabelReportOperator(
        task_id="report", project="{{ params.project }}", output=DATASET, dataset=DATASET, include_images=True
    )
    ask = ApprovalOperator(
        task_id="ask",
        subject="Release the dataset of project {{ params.project }} all the same?",
        body=("{{ ti.xcom_pull(task_ids='check')['markdown'] }}\n\n{{ ti.xcom_pull(task_ids='report')['markdown'] }}"),
    )

    @task(outlets=[CHECKED], trigger_rule="none_failed_min_one_success")
    def release(place: str) -> str:
        """Update the asset that trainers wait for."""
        return place

    released = release(DATASET)
    export >> [check, report]
    check >> [ask, released]
    report >> ask
    ask >> released
