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


def run(
    project: Project,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder, or URL of an object store: s3://bucket/prefix.")
    ],
    pattern: Pattern = "**/*",
    annotations_format: Annotated[
        Form | None, typer.Option(help="Import pre-annotations of this format with the pictures.")
    ] = None,
    annotations: AnnotationsIn = None,
    reader: ReaderArguments = None,
    attributes: Annotated[UnknownAttributes, typer.Option(help="Attributes that a class does not have.")] = "fail",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Tag of every task. Repeatable.")
    ] = None,
    status: Annotated[TaskStatus | None, typer.Option(metavar="STATUS", help="Status of every task.")] = None,
    priority: Annotated[
        Literal["0", "10", "20", "30"] | None, typer.Option(help="0 none, 10 low, 20 medium, 30 high.")
    ] = None,
    assignee: Annotated[list[str] | None, typer.Option(metavar="SLUG", help=f"Who labels. {_PEOPLE}")] = None,
    reviewer: Annotated[list[str] | None, typer.Option(metavar="SLUG", help=f"Who reviews. {_PEOPLE}")] = None,
    approver: Annotated[list[str] | None, typer.Option(metavar="SLUG", help=f"Who approves. {_PEOPLE}")] = None,
    on_exists: Annotated[OnExists, typer.Option(help="What to do with a file whose task exists.")] = "skip",
    on_difference: Annotated[
        OnDifference, typer.Option(help="What to do with a file that is another one than its task was made of.")
    ] = "warn",
    max_failures: Annotated[
        int | None, typer.Option(min=0, help="How many files may fail with the import succeeding. Default: none.")
    ] = None,
    workers: Workers = 4,
    follow_links: FollowLinks = False,
    manifest: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where the fate of each file is written. Default: see the docs.")
    ] = None,
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
