"""A folder of hundreds of thousands of files becomes labelling tasks, on all workers at once.

Use it when one task would take hours. A planner checks the folder as a whole and cuts it into chunks, any worker
imports them, and the summary is green once every file has its fate. The folder, and `[fastlabel] manifests_path`, must
be places that all workers reach. A chunk whose worker dies goes on elsewhere and doubles nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.task_groups import import_in_chunks

with DAG(
    "fastlabel_import_chunks",
    schedule=None,
    max_active_runs=1,
    description="A large folder or bucket becomes labelling tasks, on many workers",
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
        "folder": Param(
            "s3://my-bucket/incoming",
            type="string",
            minLength=1,
            title="Folder",
            description="URL of a folder in an object store, or a path that is the same on all workers.",
        ),
        "conn_id": Param(
            "aws_default",
            type=["null", "string"],
            title="Connection of the object store",
            description="Airflow connection that opens it. Empty for a shared folder, or if the workers may anyway.",
        ),
        "chunk_size": Param(
            5000,
            type="integer",
            minimum=1,
            title="Chunk size",
            description="How many tasks one chunk creates at most.",
        ),
    },
    tags=["fastlabel"],
):
    import_in_chunks(
        project="{{ params.project }}",
        folder="{{ params.folder }}",
        source_conn_id="{{ params.conn_id }}",
        chunk_size="{{ params.chunk_size }}",
        tags=["{{ run_id }}"],
        max_failures=10,
        default_args={"retries": 3},
    )
