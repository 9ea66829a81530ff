"""The whole loop: photographs become tasks, people label them, three datasets come out, model results go back.

Use it as the skeleton of a labelling pipeline; ``make demo`` runs this very file. Start it with the configuration
``{"project": ..., "photos": ..., "output": ..., "results": ...}``; folders may be local or any URL Airflow can open.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExportCocoOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
    FastLabelPushMonitoringResultsOperator,
)
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

PROJECT = "{{ params.project }}"
OUTPUT = "{{ params.output }}"

with DAG(
    "fastlabel_labeling_loop",
    schedule=None,
    params={"project": "photos", "photos": "photos", "output": "datasets", "results": "results.jsonl"},
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
    create >> labelled >> exports >> push
