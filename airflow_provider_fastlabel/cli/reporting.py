"""``report``: one page that shows a project's labels, the most suspicious first."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel.cli.connection import connect
from airflow_provider_fastlabel.cli.options import AsJson, ConnId, External, Project, Status, Tags
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.places import place

EXAMPLE = "fastlabel-pipelines report photos ./coco --dataset ./coco"
KEPT = "The report is the old one or the new one, whole; run the same command again."


def run(
    project: Project,
    output: Annotated[
        str,
        typer.Argument(metavar="OUTPUT", help="Folder that report.html is written into, or URL of an object store."),
    ],
    dataset: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Output of an export, for its photographs and splits.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Earlier version of DATASET, to show what has changed since."),
    ] = None,
    status: Status = None,
    external_status: External = None,
    tag: Tags = None,
    include_images: Annotated[
        bool, typer.Option("--include-images", help="Download the photographs that the data set does not have.")
    ] = False,
    conn_id: ConnId = None,
    as_json: AsJson = False,
) -> None:
    """Make a page of a project. report.html loads nothing: figures, and the labels that look wrong."""
    from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
    from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
    from airflow_provider_fastlabel.pipelines.reports.project import ProjectReport

    with command("Reading", as_json=as_json, kept=KEPT) as said:
        target = real_place(place("OUTPUT", output))
        published = place("--dataset", dataset) if dataset else None
        earlier = place("--before", before) if before else None
        refuse_missing_bucket(target, "output")
        filters = {
            "project": project, "status": status, "external_status": external_status, "tags": sorted(tag or ()),
        }  # fmt: skip
        with connect(conn_id) as client:
            made, changed = ProjectReport(
                client=client, filters=filters, target=target, dataset=published, before=earlier, fetch=include_images
            ).run()
        said.tell(made.result(str(target), changed=changed))
