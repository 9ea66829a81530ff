"""A person looks at what has been labelled and decides; the decision is written back to FastLabel, with a comment.

Use it where somebody has to answer for a dataset. The run waits until everything is labelled, then a question appears
under "Required Actions" of Airflow. "Approve" approves the tasks and publishes the dataset; "Send back" sends all of
them back to the annotators with the reviewer's remark as a comment on each, once, whatever dies half-way. If the whole
takes longer than a week, people are told how many tasks are left and when they will be done at this pace.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param, task
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]

from airflow_provider_fastlabel.notifications import FastLabelProgressNotifier
from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

PROJECT = "{{ params.project }}"
LABELLED = ["completed", "reviewed", "approved"]

with DAG(
    "fastlabel_review_gate",
    description="A person approves what was labelled, or sends it back with a comment",
    doc_md=__doc__,
    schedule=None,
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
            description="Folder or URL where the dataset is published once it is approved.",
        ),
    },
    tags=["fastlabel"],
    default_args={"retries": 2},
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(days=7),
        # A deadline knows no params; those of a started run are in its configuration.
        callback=AsyncCallback(
            FastLabelProgressNotifier,
            kwargs={"project": "{{ dag_run.conf.get('project', 'photos') }}", "status": LABELLED},
        ),
    ),
):
    labelled = FastLabelTaskStatusSensor(
        task_id="wait_for_labels", project=PROJECT, status=LABELLED, deferrable=True, poll_interval=60
    )
    # Not a HITLBranchOperator: what that one returns does not hold what the reviewer wrote.
    gate = HITLOperator(
        task_id="review",
        subject="Is the dataset of project {{ params.project }} good enough?",
        body="{{ ti.xcom_pull(task_ids='wait_for_labels')['done'] }} tasks are labelled. Look at them in FastLabel.",
        options=["Approve", "Send back"],
        params={
            "remark": Param(
                "",
                type="string",
                title="Remark",
                description="What is wrong. The annotators find it as a comment on each task that is sent back.",
            )
        },
    )

    @task.fastlabel(project=PROJECT, filter_status=["completed", "reviewed"])
    def write_back(labelled: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Approve each task, or send it back with the reviewer's remark; what it holds does not matter here."""
        del labelled
        if answer["chosen_options"] == ["Approve"]:
            return {"status": "approved"}
        return {"status": "sent_back", "comment": answer["params_input"].get("remark") or "Sent back in review."}

    @task.short_circuit
    def is_approved(answer: dict[str, Any]) -> bool:
        """Go on to the dataset only if the reviewer approved."""
        return bool(answer["chosen_options"] == ["Approve"])

    export = FastLabelExportCocoOperator(task_id="export", project=PROJECT, output="{{ params.output }}")
    labelled >> gate >> write_back(gate.output) >> is_approved(gate.output) >> export
