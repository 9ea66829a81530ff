"""The example DAG fastlabel_labeling_loop under a real scheduler, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from demo.__main__ import DAG_ID, PROJECT, run_loop
from demo.photos import load_ground_truth
from demo.report import check_against_ground_truth
from tests.airflow_live.conftest import TOKEN, Live

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def loop(live: Live) -> Path:
    """Run the loop once; return the folder of its datasets."""
    output = live.state / "datasets"
    failed = run_loop(live.airflow, live.emulator, live.state, output)
    assert not failed
    return output


def newest_run(live: Live, dag_id: str) -> str:
    runs = live.airflow.call("GET", f"dags/{dag_id}/dagRuns?order_by=-start_date")["dag_runs"]
    return str(runs[0]["dag_run_id"])


def test_datasets_equal_the_ground_truth(loop: Path) -> None:
    check_against_ground_truth(loop, load_ground_truth())
    labels = {path.relative_to(loop / "yolo" / "annotations").with_suffix("") for path in loop.rglob("*.txt")
              if "annotations" in path.parts}
    assert len(labels) == len(load_ground_truth())
    assert len(list((loop / "pascalvoc").rglob("*.xml"))) == len(load_ground_truth())


def test_scheduler_workers_ran_every_task_and_the_wait_was_deferred(live: Live, loop: Path) -> None:
    run_id = newest_run(live, DAG_ID)
    instances = live.airflow.task_instances(DAG_ID, run_id)
    assert {one["state"] for one in instances} == {"success"}
    assert all(one["executor"] in (None, "LocalExecutor") and one["pid"] for one in instances)
    with sqlite3.connect(live.airflow.home / "airflow.db") as database:
        deferred = database.execute(
            "select count(*) from log where event = 'deferred' and task_id = 'wait_for_labels'"
        ).fetchone()
    history = live.airflow.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/wait_for_labels")
    assert deferred[0] or history["next_method"] or history["trigger"] is None


def test_second_run_creates_no_task(live: Live, loop: Path) -> None:
    before = live.client.task_ids_by_name(PROJECT)
    live.emulator.control("DELETE", "requests")
    run_id = live.airflow.trigger(
        "fastlabel_import_folder", {"project": PROJECT, "folder": str(live.state / "photos")}
    )
    states = dict(live.airflow.watch("fastlabel_import_folder", run_id))
    assert set(states.values()) == {"success"}
    assert live.client.task_ids_by_name(PROJECT) == before
    posts = [call for call in live.emulator.control("GET", "requests") if call["method"] == "POST"]
    assert posts == []


def test_killed_import_is_retried_and_every_file_is_one_task(live: Live) -> None:
    folder = live.state / "many"
    folder.mkdir()
    for number in range(60):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(folder / f"{number:03}.png")
    live.client.create_project(type="image_bbox", name="Killed", slug="killed")
    live.emulator.control(
        "POST", "faults", {"method": "POST", "path": "tasks/image", "times": 60, "kind": "slow", "seconds": 0.3}
    )
    run_id = live.airflow.trigger("slow_import", {"project": "killed", "folder": str(folder)})
    killed = kill_when(live, run_id, created=15)
    states = dict(live.airflow.watch("slow_import", run_id))
    assert states == {"create_tasks": "success"}
    assert 15 <= killed < 60
    (instance,) = live.airflow.task_instances("slow_import", run_id)
    assert instance["try_number"] == 2
    names = Counter(task["name"] for task in live.client.iter_image_tasks("killed"))
    assert names == {f"{number:03}.png": 1 for number in range(60)}


def kill_when(live: Live, run_id: str, created: int) -> int:
    """Kill the task's process once the project has ``created`` tasks; return how many it had."""
    deadline = time.monotonic() + 120
    while (count := live.client.count_tasks("killed")) < created:
        assert time.monotonic() < deadline, "the import never got so far"
        time.sleep(0.1)
    (instance,) = live.airflow.task_instances("slow_import", run_id)
    os.kill(instance["pid"], signal.SIGKILL)
    return count


def test_token_is_nowhere(live: Live, loop: Path) -> None:
    leaks = [
        path
        for path in live.airflow.home.rglob("*")
        if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert leaks == []
    with sqlite3.connect(live.airflow.home / "airflow.db") as database:
        dump = "\n".join(database.iterdump())
    assert TOKEN not in dump
    assert "wait_for_labels" in dump
