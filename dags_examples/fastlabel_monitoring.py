"""What a model answered in production goes to FastLabel's model monitoring, every hour.

Use it when the serving side writes one JSON line per request, ``{"status": "success", "result": [{"value": "cat",
"confidenceScore": 0.98}], "requestAt": "2026-11-22T09:00:00+00:00"}``, into one file per hour, named after
the hour in UTC. The run at 10:00 sends the hour that ended then, ``2026-11-22T09.jsonl``, not the one that has just
begun. Every line is checked before the first is sent; a retry goes on behind what has been sent.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import FastLabelPushMonitoringResultsOperator

with DAG(
    "fastlabel_monitoring",
    schedule="@hourly",
    catchup=False,
    description="What a model answered in production goes to FastLabel's monitoring",
    doc_md=__doc__,
    params={
        "monitoring": Param(
            "face-detector",
            type="string",
            minLength=1,
            title="Monitoring",
            description="Name of the model monitoring at FastLabel.",
        ),
        "folder": Param(
            "s3://my-bucket/model-results",
            type="string",
            minLength=1,
            title="Folder of results",
            description="Folder or URL with one file an hour, named like 2026-11-22T09.jsonl.",
        ),
    },
    tags=["fastlabel"],
):
    FastLabelPushMonitoringResultsOperator(
        task_id="push_results",
        name="{{ params.monitoring }}",
        results_path="{{ params.folder }}/"
        "{{ (dag_run.run_after - macros.timedelta(hours=1)).strftime('%Y-%m-%dT%H') }}.jsonl",
        source_conn_id="aws_default",
        retries=3,
    )
