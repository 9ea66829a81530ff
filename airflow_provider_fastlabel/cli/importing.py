"""``import``: the files of a folder or bucket become tasks, each exactly one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from airflow_provider_fastlabel.cli.connection import connect
from airflow_provider_fastlabel.cli.options import (
    AnnotationsIn,
    AsJson,
    ConnId,
    FollowLinks,
    Form,
    Pattern,
    Project,
    ReaderArguments,
    Workers,
    pairs,
    plain_or_json,
)
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.places import manifest_place, place
from airflow_provider_fastlabel.client.statuses import TaskStatus
from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists, UnknownAttributes

EXAMPLE = "fastlabel-pipelines import photos ./raw --annotations-format yolo --tag night-1"
KEPT = "What was created stays; the same command creates the rest, and nothing twice."

_PEOPLE = "Slug of a person; several share the tasks. Repeatable."

Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="Folder, or URL of an object store: s3://bucket/prefix.")]
PreAnnotated = Annotated[Form | None, typer.Option(help="Import pre-annotations of this format with the pictures.")]
Attributes = Annotated[UnknownAttributes, typer.Option(help="Attributes that a class does not have.")]
TaskTags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Tag of every task. Repeatable.")]
NewStatus = Annotated[TaskStatus | None, typer.Option(metavar="STATUS", help="Status of every task.")]
Priority = Annotated[
    Literal["0", "10", "20", "30"] | None, typer.Option(help="Of every task: 0 none, 10 low, 20 medium, 30 high.")
]
Assignees = Annotated[list[str] | None, typer.Option("--assignee", metavar="SLUG", help=f"Who labels. {_PEOPLE}")]
Reviewers = Annotated[list[str] | None, typer.Option("--reviewer", metavar="SLUG", help=f"Who reviews. {_PEOPLE}")]
Approvers = Annotated[list[str] | None, typer.Option("--approver", metavar="SLUG", help=f"Who approves. {_PEOPLE}")]
Existing = Annotated[OnExists, typer.Option(help="What to do with a file whose task exists.")]
Different = Annotated[
    OnDifference, typer.Option(help="What to do with a file that is another one than its task was made of.")
]
MaxFailures = Annotated[
    int | None, typer.Option(min=0, help="How many files may fail with the import succeeding. Default: none.")
]
Record = Annotated[
    str | None,
    typer.Option("--manifest", metavar="PLACE", help="Where the fate of each file is written. Default: a file of the "
    "user's, the same for the same folder and project."),
]  # fmt: skip


def run(
    project: Project,
    folder: Folder,
    pattern: Pattern = "**/*",
    annotations_format: PreAnnotated = None,
    annotations: AnnotationsIn = None,
    reader: ReaderArguments = None,
    attributes: Attributes = "fail",
    tag: TaskTags = None,
    status: NewStatus = None,
    priority: Priority = None,
    assignee: Assignees = None,
    reviewer: Reviewers = None,
    approver: Approvers = None,
    on_exists: Existing = "skip",
    on_difference: Different = "warn",
    max_failures: MaxFailures = None,
    workers: Workers = 4,
    follow_links: FollowLinks = False,
    manifest: Record = None,
    conn_id: ConnId = None,
    as_json: AsJson = False,
) -> None:
    """Create one task per file of a folder. Run again, or after a kill, it creates only what is missing."""
    from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport
    from airflow_provider_fastlabel.pipelines.running.people import People

    with command("Importing", as_json=as_json, kept=KEPT) as output:
        if annotations_format is None and (annotations or reader):
            raise ValueError("--annotations and --reader need --annotations-format.")
        people = {"assignee": assignee, "reviewer": reviewer, "approver": approver}
        source = place("FOLDER", folder)
        with connect(conn_id) as client:
            record = manifest or manifest_place(client.transport.api_url, project, folder)
            summary = FolderImport(
                client=client,
                project=project,
                folder=source,
                manifest=place("--manifest", record),
                pattern=pattern,
                annotations_format=annotations_format,
                annotations=place("--annotations", annotations) if annotations else None,
                annotations_arguments=pairs("--reader", reader, plain_or_json),
                attributes=attributes,
                fields={"tags": tag, "status": status, "priority": int(priority) if priority else None},
                people=People({role: slugs for role, slugs in people.items() if slugs}),
                on_exists=on_exists,
                on_difference=on_difference,
                max_failures=max_failures,
                max_workers=workers,
                follow_links=follow_links,
            ).run()
        output.tell({**summary, "manifest": record})
