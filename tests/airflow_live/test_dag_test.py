"""``dag.test()`` in a fresh Airflow whose database alone holds the connection, as a first day begins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client import FastLabelClient
from demo.local_airflow import LocalAirflow
from demo.local_emulator import LocalEmulator
from tests.airflow_fixtures import PNG

if TYPE_CHECKING:
    from pathlib import Path

DAG = """
from datetime import datetime

from airflow.sdk import DAG

from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

with DAG("first_day", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
    for conn_id in ("fastlabel_default", "forgotten"):
        FastLabelTaskStatusSensor(
            task_id=conn_id, fastlabel_conn_id=conn_id, project="first", status="registered", deferrable=True,
            poll_interval=1, timeout=120,
        )

if __name__ == "__main__":
    run = dag.test()
    print("ENDED", {ti.task_id: str(ti.state) for ti in run.get_task_instances()})
"""


def test_deferral_finds_a_connection_of_the_database(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "first_day.py").write_text(DAG)
    (tmp_path / "a.png").write_bytes(PNG)
    env = {**LocalAirflow(tmp_path / "airflow", dags).env, "COLUMNS": "400"}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        )
        return done.stdout

    with LocalEmulator(tmp_path, "a-secret-token") as emulator:
        with FastLabelClient("a-secret-token", api_url=emulator.url) as client:
            client.create_project("image_bbox", "First", "first")
            client.create_image_task("first", "a.png", str(tmp_path / "a.png"))
        run("-m", "airflow", "db", "migrate")
        fields = ("--conn-type", "fastlabel", "--conn-host", emulator.url, "--conn-password", "a-secret-token")
        run("-m", "airflow", "connections", "add", "fastlabel_default", *fields)
        told = run(str(dags / "first_day.py"))
    assert "ENDED {'fastlabel_default': 'success', 'forgotten': 'failed'}" in told, told[-6000:]
    assert "The conn_id 'forgotten' isn't defined" in told
    assert "environment variables reach only their own process" not in told
