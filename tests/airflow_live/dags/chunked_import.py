"""An import in chunks, of which the tests kill one; Airflow starts it again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_fastlabel.task_groups import import_in_chunks

with DAG("chunked_import", schedule=None, params={"project": "", "folder": "", "chunk_size": 10}):
    import_in_chunks(
        project="{{ params.project }}",
        folder="{{ params.folder }}",
        chunk_size="{{ params.chunk_size }}",
        max_workers=1,
        default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
    )
