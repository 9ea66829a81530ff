"""``convert``: a data set of one format becomes one of another, without FastLabel."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel.cli import formats
from airflow_provider_fastlabel.cli.exporting import KEPT
from airflow_provider_fastlabel.cli.options import (
    AllowLost,
    AnnotationsIn,
    AsJson,
    FollowLinks,
    Form,
    Pattern,
    ReaderArguments,
    Target,
    pairs,
    plain_or_json,
)
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.places import place

EXAMPLE = "fastlabel-pipelines convert ./voc ./yolo --from pascalvoc --to yolo --layout ultralytics"


def run(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder of the pictures, or URL of an object store.")],
    output: Target,
    read: Annotated[Form, typer.Option("--from", help="What to read.")],
    write: Annotated[formats.Written, typer.Option("--to", help="What to write.")],
    annotations: AnnotationsIn = None,
    reader: ReaderArguments = None,
    pattern: Pattern = "**/*",
    follow_links: FollowLinks = False,
    include_images: formats.IncludeImages = None,
    skip_malformed: formats.SkipMalformed = False,
    allow_lost: AllowLost = False,
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
    as_json: AsJson = False,
) -> None:
    """Convert a data set. Nothing is published if annotations would be lost, unless that is allowed."""
    from airflow_provider_fastlabel.pipelines.conversions.run import Conversion
    from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place

    options = {
        "include_images": include_images, "file_name": file_name, "clip": clip, "box_margin": box_margin,
        "yolo_task": yolo_task, "layout": layout, "splits": split, "split_group": split_group, "corners": corners,
        "mask_kind": mask_kind, "start_index": start_index,
    }  # fmt: skip
    with command("Converting", as_json=as_json, kept=KEPT) as said:
        result = Conversion(
            folder=place("FOLDER", folder),
            annotations_format=read,
            target=real_place(place("OUTPUT", output)),
            form=formats.format_of(write, options, skip_malformed=skip_malformed),
            annotations=place("--annotations", annotations) if annotations else None,
            annotations_arguments=pairs("--reader", reader, plain_or_json),
            pattern=pattern,
            follow_links=follow_links,
            allow_lost=allow_lost,
        ).run()
        said.tell(result)
