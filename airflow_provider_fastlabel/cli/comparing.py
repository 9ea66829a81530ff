"""``diff``: what has changed between two data sets, or two versions of one."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel.cli.options import AsJson
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.places import place

EXAMPLE = "fastlabel-pipelines diff ./monday/coco ./tuesday/coco --output ./changes"
KEPT = "Each file in the output is the old one or the new one, whole."


def run(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="Folder of the earlier version, or its URL.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Folder of the later version, or its URL.")],
    output: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Folder for comparison.json, comparison.md and changes.jsonl."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two data sets: pictures and objects that were added, removed, moved, resized, or got another class."""
    from airflow_provider_fastlabel.pipelines.comparisons.run import compare_datasets
    from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
    from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket

    with command("Comparing", as_json=as_json, kept=KEPT) as said:
        earlier, later = place("BEFORE", before), place("AFTER", after)
        target = real_place(place("--output", output)) if output else None
        if target is not None:
            refuse_missing_bucket(target, "output")
        found = compare_datasets(earlier, later, output=target)
        if found is None:
            raise FileNotFoundError(f"There is no data set at {before}. Nothing was compared or written.")
        said.tell(found.to_dict())
