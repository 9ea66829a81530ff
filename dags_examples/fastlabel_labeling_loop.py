"""The whole loop: photographs become tasks, people label them, datasets and a report come out, model results go back.

Use it as the skeleton of a labelling pipeline; ``make demo`` runs this very file. Start it with the configuration
``{"project": ..., "photos": ..., "output": ..., "results": ...}``; folders may be local or any URL Airflow can open.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExportCocoOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
    FastLabelPushMonitoringResultsOperator,
    FastLabelReportOperator,
)
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

PROJECT = "{{ params.project }}"
OUTPUT = "{{ params.output }}"

with DAG(
    "fastlabel_labeling_loop",
    schedule=None,
    description="Photographs become tasks, people label them, datasets and a report come out, model results go back",
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
        "photos": Param(
            "photos",
            type="string",
            minLength=1,
            title="Photographs",
            description="Folder on the workers, or URL of one in an object store, whose images are to be labelled.",
        ),
        "output": Param(
            "datasets",
            type="string",
            minLength=1,
            title="Datasets",
            description="Folder or URL below which coco/, yolo/, pascalvoc/ and report/ are published.",
        ),
        "results": Param(
            "results.jsonl",
            type="string",
            pattern=r"\.(json|jsonl)$",
            title="Model results",
            description="File of the model's answers that go to FastLabel's monitoring, one JSON line each.",
        ),
    },
    tags=["fastlabel"],
):
    create = FastLabelCreateTasksFromFolderOperator(
        task_id="create_tasks", project=PROJECT, folder="{{ params.photos }}", retries=2
    )
    labelled = FastLabelTaskStatusSensor(
        task_id="wait_for_labels",
        project=PROJECT,
        status="approved",
        deferrable=True,
        poll_interval=10,  # the demo's pace; 300 is plenty when people label for days
        timeout=14 * 24 * 3600,
    )
    exports = [
        FastLabelExportCocoOperator(task_id="export_coco", project=PROJECT, output=OUTPUT + "/coco"),
        FastLabelExportYoloOperator(task_id="export_yolo", project=PROJECT, output=OUTPUT + "/yolo"),
        FastLabelExportPascalVocOperator(task_id="export_pascalvoc", project=PROJECT, output=OUTPUT + "/pascalvoc"),
    ]
    push = FastLabelPushMonitoringResultsOperator(
        task_id="push_results", name="face-detector", results_path="{{ params.results }}"
    )
    # Its page in Airflow has a tab "Dataset", which shows it.
    report = FastLabelReportOperator(
        task_id="report", project=PROJECT, output=OUTPUT + "/report", dataset=OUTPUT + "/coco", include_images=True
    )
    create >> labelled >> exports >> push
    exports[0] >> report
