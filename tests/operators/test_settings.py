"""What operators and sensors take from [fastlabel] in Airflow's configuration, and what goes before it."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelCreateTasksFromS3Operator,
)
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor
from airflow_provider_fastlabel.triggers import shared_polls
from tests.airflow_fixtures import PNG


def wait(**arguments):
    defaults = {"task_id": "wait", "project": "photos", "status": "approved", "timeout": 20, "deferrable": True}
    return lambda: FastLabelTaskStatusSensor(**{**defaults, **arguments})


def submit(**arguments):
    defaults = {"task_id": "import", "project": "photos", "timeout": 20, "deferrable": True}
    return lambda: FastLabelCreateTasksFromS3Operator(**{**defaults, **arguments})


def interval(airflow_run, make):
    """Return the interval with which a task defers."""
    (deferral,) = airflow_run(make).attempt(triggerer=False).deferrals
    return deferral["kwargs"]["poll_interval"]


@pytest.mark.parametrize(("make", "own"), [(wait, 60), (submit, 30)], ids=["sensor", "operator"])
def test_an_interval_is_that_of_the_argument_then_of_the_configuration_then_ours(
    airflow_run, client, bucket, fill, monkeypatch, make, own
):
    fill("a.png")
    assert interval(airflow_run, make()) == own
    monkeypatch.setenv("AIRFLOW__FASTLABEL__POLL_INTERVAL", "95")
    assert interval(airflow_run, make()) == 95
    assert interval(airflow_run, make(poll_interval=7)) == 7


def test_airflows_own_names_go_before_the_configuration(airflow_run, fill, monkeypatch):
    fill("a.png")
    monkeypatch.setenv("AIRFLOW__FASTLABEL__POLL_INTERVAL", "95")
    assert interval(airflow_run, wait(poke_interval=8)) == 8
    assert interval(airflow_run, wait(default_args={"poke_interval": 9})) == 9
    assert interval(airflow_run, wait(default_args={"poll_interval": 10})) == 10


@pytest.mark.parametrize("make", [wait, submit], ids=["sensor", "operator"])
@pytest.mark.parametrize("deferrable", [True, False])
def test_a_wrong_interval_fails_the_task_by_name_and_no_dag(
    airflow_run, client, bucket, fill, monkeypatch, make, deferrable
):
    fill("a.png")
    monkeypatch.setenv("AIRFLOW__FASTLABEL__POLL_INTERVAL", "often")
    make(deferrable=deferrable)()
    done = airflow_run(make(deferrable=deferrable)).attempt(retries_left=True)
    assert done.state == "failed"
    assert "[fastlabel] poll_interval: must be a positive number of seconds" in str(done.error)


def folder_import(tmp_path, **arguments):
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(PNG)
    defaults = {"task_id": "import", "project": "photos", "folder": str(folder)}
    return lambda: FastLabelCreateTasksFromFolderOperator(**{**defaults, **arguments})


def test_manifests_lie_below_the_configured_folder(airflow_run, client, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__FASTLABEL__MANIFESTS_PATH", str(tmp_path / "shared"))
    done = airflow_run(folder_import(tmp_path)).attempt()
    assert done.result["manifest"] == str(tmp_path / "shared" / "imports" / "dag" / "run" / "import.jsonl")
    assert json.loads((tmp_path / "shared/imports/dag/run/import.jsonl").read_text().splitlines()[-1])
    own = str(tmp_path / "own.jsonl")
    assert airflow_run(folder_import(tmp_path, manifest=own)).attempt().result["manifest"] == own


def test_manifests_lie_below_the_configured_url(airflow_run, client, monkeypatch, tmp_path):
    url = (tmp_path / "store").as_uri()
    monkeypatch.setenv("AIRFLOW__FASTLABEL__MANIFESTS_PATH", f"{url}/")
    run = airflow_run(folder_import(tmp_path, source_conn_id="not_for_the_manifest"))
    run.run_id = "manual__2026-11-28T00:00:00+00:00 #?%"
    done = run.attempt()
    assert done.state == "success", done.error
    assert done.result["manifest"] == f"{url}/imports/dag/manual__2026-11-28T00:00:00+00:00 %23%3F%25/import.jsonl"
    (manifest,) = (tmp_path / "store").rglob("*.jsonl")
    assert manifest.name == "import.jsonl"


@pytest.mark.parametrize("base", ["/tmp/x", "s3://bucket/x"])
def test_a_run_called_as_the_folder_above_gets_no_manifest(airflow_run, client, monkeypatch, tmp_path, base):
    monkeypatch.setenv("AIRFLOW__FASTLABEL__MANIFESTS_PATH", base)
    run = airflow_run(folder_import(tmp_path))
    run.run_id = ".."
    done = run.attempt()
    assert done.state == "failed"
    assert "Give `manifest`" in str(done.error)


def test_the_share_of_the_waits_is_read_with_each_look(airflow_run, connect, emulator, fill, monkeypatch):
    fill("a.png")
    emulator.set_status("photos", "approved")
    monkeypatch.setenv("AIRFLOW__FASTLABEL__WAIT_QUOTA_SHARE", "0.5")
    paces = []

    class Seen(shared_polls.Pace):
        def __init__(self):
            super().__init__()
            paces.append(self)

    monkeypatch.setattr(shared_polls, "Pace", Seen)
    airflow_run(wait(poll_interval=0.05, min_count=2, timeout=0.3)).attempt()
    assert {pace.allowed for pace in paces} == {0.5 * 10_000_000 / 600}


def test_a_wrong_share_ends_a_deferred_wait_by_name(airflow_run, fill, monkeypatch):
    fill("a.png")
    monkeypatch.setenv("AIRFLOW__FASTLABEL__WAIT_QUOTA_SHARE", "2")
    done = airflow_run(wait(poll_interval=0.05)).attempt(retries_left=True)
    assert done.state == "failed"
    assert "[fastlabel] wait_quota_share: must be a number above 0 up to 1" in str(done.error)
