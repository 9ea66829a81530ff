"""A wait of more than 20 s leaves the worker slot; nothing is lost, doubled or counted wrong by it."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client.http import quota
from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExportCocoOperator,
    FastLabelPushMonitoringResultsOperator,
)
from tests.airflow_fixtures import PNG
from tests.airflow_run import needs_state_store

FILES = 12


@pytest.fixture
def run_import(airflow_run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.png").write_bytes(PNG)

    def make():
        return FastLabelCreateTasksFromFolderOperator(
            task_id="create", project="photos", folder=str(folder), manifest=str(tmp_path / "m.jsonl"), max_workers=2
        )

    return airflow_run(make)


def sent(emulator, path):
    return sum((r["method"], r["path"]) == ("POST", path) for r in emulator.requests())


def pause_after(emulator, calls, path, **answer):
    """Let FastLabel want a pause after so many more calls on a path."""
    emulator.fault("slow", times=calls, method="POST", path=path, seconds=0)
    emulator.fault("status", times=1, method="POST", path=path, **answer)


@pytest.mark.parametrize("status", [429, 503])
def test_an_import_goes_on_where_it_left_and_counts_its_parts_as_one(run_import, emulator, client, status):
    pause_after(emulator, 4, "tasks/image", status=status, retry_after=45)
    run_import.between_parts = lambda: pause_after(emulator, 3, "tasks/image", status=status, retry_after=45)
    done = run_import.attempt()
    assert done.state == "success", done.error
    assert done.reschedules >= 2
    assert all(pause.is_of(45) for pause in done.pauses)
    assert (done.result["created"], done.result["exists"], done.result["total"]) == (FILES, 0, FILES)
    assert len(client.task_ids_by_name("photos")) == FILES
    again = run_import.attempt()
    assert (again.result["created"], again.result["exists"]) == (0, FILES)


def test_a_quota_that_is_used_up_leaves_the_slot_until_it_is_whole_again(
    run_import, emulator, client, connect, monkeypatch, tmp_path_factory
):
    connect(password=emulator.token, host=emulator.url, calls_per_10_minutes=9)

    def ten_minutes_later():
        monkeypatch.setenv("FASTLABEL_QUOTA_FOLDER", str(tmp_path_factory.mktemp("quota")))
        quota._shared.clear()  # as in the next process

    run_import.between_parts = ten_minutes_later
    done = run_import.attempt()
    assert done.state == "success", done.error
    assert done.reschedules >= 1
    assert all(pause.is_of(600) for pause in done.pauses)
    client.quota.limit = 10_000_000  # this one is of the first process, and counts the calls of all tests before
    assert (done.result["created"], len(client.task_ids_by_name("photos"))) == (FILES, FILES)


def test_a_short_pause_is_waited_for_in_the_slot(run_import, emulator, client, connect):
    connect(password=emulator.token, host=emulator.url, max_retries=1)
    pause_after(emulator, 1, "tasks/image", status=429, retry_after=1)
    done = run_import.attempt()
    assert (done.state, done.reschedules) == ("success", 0)


def test_an_export_leaves_before_it_has_done_much_and_starts_again(airflow_run, emulator, label, tmp_path):
    label("a.png")
    emulator.fault("status", times=1, path="tasks/image", status=503, retry_after=60)
    run = airflow_run(
        lambda: FastLabelExportCocoOperator(task_id="export", project="photos", output=str(tmp_path / "out"))
    )
    done = run.attempt()
    assert (done.state, done.reschedules, done.result["images"]) == ("success", 1, 1)


@needs_state_store
def test_a_push_goes_on_behind_what_it_has_sent(airflow_run, emulator, client, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.operators.monitoring.CHUNK", 2)
    results = [
        {"status": "success", "result": [{"value": "cat", "confidenceScore": 0.5}], "requestAt": "2026-01-01T00:00:00Z"}
    ] * 6
    pause_after(emulator, 2, "model-monitorings", status=429, retry_after=45)
    run = airflow_run(lambda: FastLabelPushMonitoringResultsOperator(task_id="push", name="m", results=results))
    done = run.attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert sum(r["status"] == 200 and "monitoring" in r["path"] for r in emulator.requests()) == 3


@needs_state_store
def test_progress_is_in_the_store_and_calm(run_import, emulator, client):
    done = run_import.attempt()
    first, last = run_import.supervisor.progress
    assert (first["done"], first["total"]) == (0, FILES)
    assert (last["done"], last["total"], last["fates"]) == (FILES, FILES, {"created": FILES})
    assert last["per_second"] > 0
    assert last["calls_left"] > 0
    assert last["summary"].startswith(f"{FILES} of {FILES} items")
    assert done.result["created"] == FILES


@needs_state_store
def test_a_store_that_fails_is_no_error_of_the_task(run_import, emulator, client, capsys):
    run_import.supervisor.store_fails = True
    assert run_import.attempt().state == "success"
    assert capsys.readouterr().out.count("The progress cannot be shown") == 1
