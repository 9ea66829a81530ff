"""``verify``: a published data set is compared with its manifest, file by file."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel.cli.ends import DONE, FAILED
from airflow_provider_fastlabel.cli.options import AsJson, Workers
from airflow_provider_fastlabel.cli.output import command, in_words
from airflow_provider_fastlabel.cli.places import place
from airflow_provider_fastlabel.foreign_text import foreign_text

EXAMPLE = "fastlabel-pipelines verify ./coco"
KEPT = "Nothing was changed."
_DAMAGED = (
    "{} is not what was published: files {}. Nothing was changed. Export it again, and take away what is additional."
)


def run(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Folder of an export, or URL of an object store.")],
    workers: Workers = 4,
    as_json: AsJson = False,
) -> None:
    """Compare a data set with its manifest. Finds files that are missing, changed by a byte, or never part of it."""
    from airflow_provider_fastlabel.pipelines.exports.verify import verify_dataset

    with command("Verifying", as_json=as_json, kept=KEPT) as said:
        found = verify_dataset(place("DATASET", dataset), workers=workers)
        told = found.to_dict()
        said.tell(told, DONE if found.whole else FAILED)
        if not found.whole:
            said.complain(_DAMAGED.format(foreign_text(dataset), in_words(told["counts"])))
