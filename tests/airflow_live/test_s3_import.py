"""Imports from S3 under a real scheduler: killed workers, several folders at once, marks of a person."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.airflow_run import HAS_STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.airflow_live.conftest import Live

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000"
    "000049454e44ae426082"
)
HISTORY = "tasks/import/histories/[^/]+"
FOLDERS = ("a/", "b/", "c/", "d/")


@pytest.fixture(scope="module", autouse=True)
def buckets(live: Live) -> None:
    """The bucket ``live`` with three pictures, and ``folders`` with four folders of three."""
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=live.s3, **keys)
    for bucket, folders in {"live": ("",), "folders": FOLDERS}.items():
        s3.create_bucket(Bucket=bucket)
        for folder in folders:
            for number in range(3):
                s3.put_object(Bucket=bucket, Key=f"{folder}{number}.png", Body=PIXEL)
    s3.close()


@pytest.fixture(autouse=True)
def quick_again(live: Live) -> Iterator[None]:
    yield
    settings = {"history_seconds": 0, "history_manual": False, "job_seconds": 0, "job_manual": False}
    live.emulator.control("PUT", "config", settings)
    live.emulator.control("DELETE", "faults")


def wait_until(what: str, holds: Callable[[], Any], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def names(live: Live, project: str) -> set[str]:
    return {task["name"] for task in live.client.iter_image_tasks(project)}


def test_a_killed_worker_s_retry_attaches_and_there_is_one_import(live: Live) -> None:
    live.client.create_project(type="image_bbox", name="From S3", slug="from-s3")
    live.emulator.control("PUT", "config", {"history_manual": True})
    live.emulator.control(
        "POST", "faults", {"method": "GET", "path": HISTORY, "times": 1, "kind": "slow", "seconds": 20}
    )
    run_id = live.airflow.trigger("s3_import", {"project": "from-s3"})
    wait_until("the import was never submitted", lambda: live.client.get_histories("from-s3"))
    time.sleep(1)
    (instance,) = live.airflow.task_instances("s3_import", run_id)
    os.kill(instance["pid"], signal.SIGKILL)
    seen = []
    for change in live.airflow.watch("s3_import", run_id):
        seen.append(change)
        if change == ("import", "deferred") and seen.count(change) == 1:
            live.emulator.control("PUT", "config", {"history_manual": False, "history_seconds": 0})
            live.emulator.control("POST", "histories", {})
    assert seen[-1] == ("import", "success")
    assert ("import", "deferred") in seen
    (instance,) = live.airflow.task_instances("s3_import", run_id)
    assert instance["try_number"] == 2
    # Before Airflow 3.3 nothing is remembered: the retry waits for what runs, and imports what is missing.
    assert len(live.client.get_histories("from-s3")) == (1 if HAS_STORE else 2)
    assert live.client.count_tasks("from-s3") == 3


def test_four_folders_at_once_are_read_or_refused_and_in_turn_they_are_read(live: Live) -> None:
    for slug in ("at-once", "in-turn"):
        live.client.create_project(type="image_bbox", name=slug, slug=slug)
    # Airflow itself fails some tasks whose deferral takes only about five seconds (apache/airflow#67287).
    live.emulator.control("PUT", "config", {"history_seconds": 8})
    run_id = live.airflow.trigger("s3_folders")
    list(live.airflow.watch("s3_folders", run_id))
    ends: dict[str, dict[str, str]] = {"at_once": {}, "in_turn": {}}
    for task in live.airflow.task_instances("s3_folders", run_id):
        ends[task["task_id"]][FOLDERS[task["map_index"]]] = task["state"]
    files = {f"{folder}{number}.png" for folder in FOLDERS for number in range(3)}
    assert ends["in_turn"] == dict.fromkeys(FOLDERS, "success")
    assert names(live, "in-turn") == files
    green = tuple(folder for folder, state in ends["at_once"].items() if state == "success")
    assert {name for name in files if name.startswith(green)} <= names(live, "at-once")
    for number, folder in enumerate(FOLDERS):
        if folder not in green:
            assert "nobody can tell which of them read folders/" in log_of(live, run_id, number)


def log_of(live: Live, run_id: str, number: int) -> str:
    folder = live.airflow.home / "logs" / "dag_id=s3_folders" / f"run_id={run_id}" / "task_id=at_once"
    return "".join(path.read_text(encoding="utf-8") for path in folder.glob(f"map_index={number}/attempt=*.log"))


def test_cleared_after_a_person_s_mark_the_work_is_done_anew(live: Live) -> None:
    """Both marks in one test: Airflow takes its time, and they do not know of each other."""
    live.emulator.control("PUT", "config", {"history_manual": True, "job_manual": True})
    runs = {}
    for mark in ("failed", "success"):
        live.client.create_project(type="image_bbox", name=f"Marked {mark}", slug=f"marked-{mark}")
        live.client.create_dataset(f"marked-{mark}")
        runs[mark] = live.airflow.trigger("marked", {"name": f"marked-{mark}"})
    waiting = ["deferred"] * 2
    wait_until("not all were deferred", lambda: all(states(live, run_id) == waiting for run_id in runs.values()))
    for mark, run_id in runs.items():
        for task in ("import", "train"):
            marked = {"new_state": mark}
            live.airflow.call("PATCH", f"dags/marked/dagRuns/{run_id}/taskInstances/{task}", marked)
    wait_until("not all ended", lambda: all(ended(live, run_id) == mark for mark, run_id in runs.items()))
    # Meanwhile FastLabel ends what was begun, and the person removes what it has brought.
    live.emulator.control("POST", "histories", {})
    live.emulator.control("POST", "jobs", {})
    for mark in runs:
        for made in live.client.get_image_tasks(f"marked-{mark}"):
            live.client.delete_task(made["id"])
    settings = {"history_manual": False, "history_seconds": 0, "job_manual": False, "job_seconds": 0}
    live.emulator.control("PUT", "config", settings)
    jobs_before = len(live.client.get_training_jobs())
    for run_id in runs.values():
        cleared = {"dry_run": False, "dag_run_id": run_id, "only_failed": False, "reset_dag_runs": True}
        live.airflow.call("POST", "dags/marked/clearTaskInstances", cleared)
    for mark, run_id in runs.items():
        assert dict(live.airflow.watch("marked", run_id)) == {"import": "success", "train": "success"}
        assert len(live.client.get_histories(f"marked-{mark}")) == 2
        assert names(live, f"marked-{mark}") == {"0.png", "1.png", "2.png"}
    assert len(live.client.get_training_jobs()) == jobs_before + 2


def states(live: Live, run_id: str) -> list[str]:
    return [task["state"] for task in live.airflow.task_instances("marked", run_id)]


def ended(live: Live, run_id: str) -> str:
    return live.airflow.run_state("marked", run_id)
