"""The example DAG fastlabel_labeling_loop under a real scheduler, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from PIL import Image

from demo.__main__ import DAG_ID, PROJECT, run_loop
from demo.photos import load_ground_truth
from demo.report import check_against_ground_truth
from tests.airflow_live.conftest import LINEAGE, TOKEN, Live

if TYPE_CHECKING:
    from pathlib import Path


class Loop(NamedTuple):
    """A run of the loop: the folder of its datasets, and each change of a task's state."""

    output: Path
    seen: list[tuple[str, str]]


@pytest.fixture(scope="module")
def loop(live: Live) -> Loop:
    output = live.state / "datasets"
    return Loop(output, run_loop(live.airflow, live.emulator, live.state, output))


def test_datasets_equal_the_ground_truth(loop: Loop) -> None:
    check_against_ground_truth(loop.output, load_ground_truth())
    labels = {
        path.relative_to(loop.output / "yolo" / "annotations").with_suffix("")
        for path in loop.output.rglob("*.txt")
        if "annotations" in path.parts
    }
    assert len(labels) == len(load_ground_truth())
    assert len(list((loop.output / "pascalvoc").rglob("*.xml"))) == len(load_ground_truth())


def test_scheduler_workers_ran_every_task_and_the_wait_was_deferred(live: Live, loop: Loop) -> None:
    (run,) = live.airflow.call("GET", f"dags/{DAG_ID}/dagRuns")["dag_runs"]
    instances = live.airflow.task_instances(DAG_ID, run["dag_run_id"])
    assert {one["state"] for one in instances} == {"success"}
    # dag.test() has neither an executor's queue nor a process of its own for each task
    assert all(one["queued_when"] and one["pid"] and one["try_number"] == 1 for one in instances)
    assert len({one["pid"] for one in instances}) == len(instances)
    assert ("wait_for_labels", "deferred") in loop.seen


def test_the_lineage_is_folder_project_datasets_and_nothing_else(live: Live, loop: Loop) -> None:
    text = (live.state / LINEAGE).read_text(encoding="utf-8")
    assert TOKEN not in text
    events = [event for event in map(json.loads, text.splitlines()) if event["job"]["name"].startswith(DAG_ID)]
    assert f"{DAG_ID}.push_results" in {event["job"]["name"] for event in events}  # all tasks have reported
    project = (f"fastlabel://{urlsplit(live.emulator.url).netloc}", PROJECT)
    photos = ("file", str(live.state / "photos"))
    datasets = {("file", str(loop.output / name)) for name in ("coco", "yolo", "pascalvoc", "report")}
    assert edges_of(events) == {(photos, project)} | {(project, dataset) for dataset in datasets}
    nodes = {node for event in events for node in (*nodes_of(event, "inputs"), *nodes_of(event, "outputs"))}
    assert nodes == {photos, project, *datasets}


def nodes_of(event: dict[str, Any], side: str) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in event.get(side, ())]


def edges_of(events: list[dict[str, Any]]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return {
        (source, target)
        for event in events
        for source in nodes_of(event, "inputs")
        for target in nodes_of(event, "outputs")
    }


def test_second_run_creates_no_task(live: Live, loop: Loop) -> None:
    before = live.client.task_ids_by_name(PROJECT)
    live.emulator.control("DELETE", "requests")
    run_id = live.airflow.trigger("slow_import", {"project": PROJECT, "folder": str(live.state / "photos")})
    states = dict(live.airflow.watch("slow_import", run_id))
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


def test_token_is_nowhere(live: Live, loop: Loop) -> None:
    leaks = [path for path in live.airflow.home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert leaks == []
    with sqlite3.connect(live.airflow.home / "airflow.db") as database:
        dump = "\n".join(database.iterdump())
    assert TOKEN not in dump
    assert "wait_for_labels" in dump
