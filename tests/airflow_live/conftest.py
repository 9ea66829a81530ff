"""One real Airflow and one emulator process for all live tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from demo.local_airflow import LocalAirflow
from demo.local_emulator import LocalEmulator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "live-test-token-3f9c1d7a"
LINEAGE = "lineage.jsonl"
"""Name of the file that Airflow's OpenLineage provider writes its events to."""


class Live(NamedTuple):
    """What a live test works with."""

    airflow: LocalAirflow
    emulator: LocalEmulator
    client: FastLabelClient
    state: Path
    s3: str


def reporting_to(path: Path) -> dict[str, str]:
    """Return the setting that makes the OpenLineage provider append its events to a file."""
    transport = {"type": "file", "log_file_path": str(path), "append": True}
    return {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport)}


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, s3_server: str) -> Iterator[Live]:
    """Airflow with the example DAGs and those beside this file, its connection pointing at the emulator."""
    state = tmp_path_factory.mktemp("live")
    dags = state / "dags"
    shutil.copytree(ROOT / "dags_examples", dags)
    shutil.copytree(Path(__file__).with_name("dags"), dags, dirs_exist_ok=True)
    with (
        LocalEmulator(state, TOKEN, "--s3-endpoint", s3_server) as emulator,
        LocalAirflow(state / "airflow", dags, reporting_to(state / LINEAGE)) as airflow,
        FastLabelClient(TOKEN, api_url=emulator.url) as client,
    ):
        airflow.add_connection("fastlabel_default", conn_type="fastlabel", host=emulator.url, password=TOKEN)
        yield Live(airflow, emulator, client, state, s3_server)
