"""``export``: the labelled tasks of a project become a data set, whole or not at all."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel.cli import formats
from airflow_provider_fastlabel.cli.connection import connect
from airflow_provider_fastlabel.cli.ends import FAILED
from airflow_provider_fastlabel.cli.options import (
    AllowLost,
    AsJson,
    ConnId,
    External,
    KeepVersions,
    Project,
    Publish,
    Tags,
    Target,
    Workers,
)
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.places import place
from airflow_provider_fastlabel.client.statuses import TaskStatus
from airflow_provider_fastlabel.words import counted

EXAMPLE = "fastlabel-pipelines export photos ./coco --format coco --include-images"
KEPT = (
    "A folder holds the old data set or the new one, whole; an object store perhaps none. Run the same command again."
)
_LOST = "{} not in the data set, which was published without. --allow-lost says it is meant."


def run(
    project: Project,
    output: Target,
    format_: Annotated[formats.Written, typer.Option("--format", help="What to write.")] = "coco",
    status: Annotated[TaskStatus, typer.Option(metavar="STATUS", help="Only tasks of this status.")] = "approved",
    any_status: Annotated[bool, typer.Option("--any-status", help="Tasks of every status.")] = False,
    external_status: External = None,
    tag: Tags = None,
    include_images: formats.IncludeImages = None,
    skip_malformed: formats.SkipMalformed = False,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Publish an empty data set, too.")] = False,
    allow_lost: AllowLost = False,
    keep_renamed: Annotated[bool, typer.Option("--keep-renamed", help="A renamed class keeps its number.")] = False,
    publish: Publish = None,
    keep_versions: KeepVersions = 1,
    workers: Workers = 4,
    file_name: formats.FileName = None,
    clip: formats.Clip = None,
    box_margin: formats.BoxMargin = None,
    yolo_task: formats.YoloTask = None,
    layout: formats.Layout = None,
    split: formats.Splits = None,
    split_group: formats.SplitGroup = None,
    corners: formats.Corners = None,
    mask_kind: formats.MaskKind = None,
    start_index: formats.StartIndex = None,
    conn_id: ConnId = None,
    as_json: AsJson = False,
) -> None:
    """Export a project. The folder holds the old data set or the new one, never half of one."""
    from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
    from airflow_provider_fastlabel.pipelines.exports.publish import prepare
    from airflow_provider_fastlabel.pipelines.exports.result import result_of
    from airflow_provider_fastlabel.pipelines.exports.run import Export

    options = {
        "include_images": include_images, "file_name": file_name, "clip": clip, "box_margin": box_margin,
        "yolo_task": yolo_task, "layout": layout, "splits": split, "split_group": split_group, "corners": corners,
        "mask_kind": mask_kind, "start_index": start_index,
    }  # fmt: skip
    with command("Exporting", as_json=as_json, kept=KEPT) as said:
        form = formats.format_of(format_, options, skip_malformed=skip_malformed)
        target = real_place(place("OUTPUT", output))
        wanted = None if any_status else status
        filters = {"project": project, "status": wanted, "external_status": external_status, "tags": sorted(tag or ())}
        with connect(conn_id) as client:
            report, published = Export.in_format(
                form,
                client=client,
                destination=prepare(target, publish, keep_versions),
                filters=filters,
                allow_empty=allow_empty,
                workers=workers,
                keep_renamed=keep_renamed,
            ).run()
        result = result_of(str(target), form.name, report, published)
        said.tell(result)
        if (lost := sum(result["skipped"].values())) and not allow_lost:
            said.tell(result, FAILED)
            said.complain(_LOST.format(counted(lost, "annotation is", "annotations are")))
