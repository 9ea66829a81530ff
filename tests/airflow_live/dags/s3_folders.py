"""Imports from four folders of a bucket: into one project in turn, and into another all at once."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator

FOLDERS = ["a/", "b/", "c/", "d/"]
PLACE = {"bucket_name": "folders", "bucket_region": "us-east-1", "deferrable": True, "poll_interval": 1}

with DAG("s3_folders", schedule=None):
    mapped = FastLabelCreateTasksFromS3Operator.partial
    mapped(task_id="at_once", project="at-once", max_active_tis_per_dagrun=4, **PLACE).expand(prefix=FOLDERS)
    mapped(task_id="in_turn", project="in-turn", **PLACE).expand(prefix=FOLDERS)
