"""``check``: a published data set is checked by a list of checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from airflow_provider_fastlabel.cli.connection import connect
from airflow_provider_fastlabel.cli.ends import DONE, FAILED
from airflow_provider_fastlabel.cli.options import AsJson, ConnId
from airflow_provider_fastlabel.cli.output import command, in_words
from airflow_provider_fastlabel.cli.places import place
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.words import counted

EXAMPLE = "fastlabel-pipelines check ./coco --checks checks.yaml"
KEPT = "Nothing was changed."
_FAILED = "{} failed {}, of {}. It stays as it is. Mend the labels and export it again, or change the checks."


def run(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Folder of an export, or URL of an object store.")],
    checks: Annotated[Path, typer.Option("--checks", metavar="FILE", help="List of checks, YAML or JSON.")],
    earlier: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Output of an earlier export, for `class_drift`.")
    ] = None,
    second: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Output of a second annotator's export, for `agreement`.")
    ] = None,
    conn_id: ConnId = None,
    as_json: AsJson = False,
) -> None:
    """Check a data set. A check that fails with severity `fail` ends the command with 1; `warn` is only said."""
    from airflow_provider_fastlabel.pipelines.checks.definition import MOST_BYTES, parse_checks
    from airflow_provider_fastlabel.pipelines.checks.run import CLIENT_CHECKS, check_dataset
    from airflow_provider_fastlabel.regular_files import open_regular

    with command("Checking", as_json=as_json, kept=KEPT) as said:
        if not checks.exists() or checks.is_dir():
            raise FileNotFoundError(
                f"There is no list of checks at {foreign_text(checks)}. Nothing was read. Correct --checks."
            )
        with open_regular(checks) as file:
            wanted = parse_checks(file.read(MOST_BYTES + 1), str(checks))
        places = {
            "earlier_dataset": place("--earlier", earlier) if earlier else None,
            "second_dataset": place("--second", second) if second else None,
        }
        published = place("DATASET", dataset)
        if any(check.name in CLIENT_CHECKS for check in wanted):
            with connect(conn_id) as client:
                found = check_dataset(published, wanted, client=client, **places)
        else:
            found = check_dataset(published, wanted, **places)
        said.tell(found.to_dict(), DONE if found.passed else FAILED)
        if not found.passed:
            names = [each.assertion for each in found.results if each.state == "failed"]
            said.complain(_FAILED.format(foreign_text(dataset), in_words(names), counted(len(found.results), "check")))
