"""An import in chunks under a real Airflow, which maps its tasks; one of them is killed in mid-run."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from tests.airflow_live.conftest import Live

FILES, SIZE = 60, 10
GROUP = "import_in_chunks"


def test_a_killed_chunk_is_retried_and_the_summary_is_that_of_all_files(live: Live) -> None:
    folder = live.state / "chunked"
    folder.mkdir()
    for number in range(FILES):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(folder / f"{number:03}.png")
    live.client.create_project(type="image_bbox", name="Chunked", slug="chunked")
    slow = {"method": "POST", "path": "tasks/image", "times": FILES, "kind": "slow", "seconds": 0.5}
    live.emulator.control("POST", "faults", slow)
    run_id = live.airflow.trigger("chunked_import", {"project": "chunked", "folder": str(folder), "chunk_size": SIZE})
    killed = kill_a_chunk(live, run_id)
    for _ in live.airflow.watch("chunked_import", run_id):
        pass
    instances = live.airflow.task_instances("chunked_import", run_id)
    assert {each["state"] for each in instances} == {"success"}, live.airflow.newest_log(
        "chunked_import", run_id, f"{GROUP}.summary"
    )
    tries = {each["map_index"]: each["try_number"] for each in instances if each["task_id"] == f"{GROUP}.create"}
    assert sorted(tries) == list(range(FILES // SIZE))
    assert tries[killed] == 2
    place = f"dags/chunked_import/dagRuns/{run_id}/taskInstances/{GROUP}.summary/xcomEntries/return_value"
    summary = live.airflow.call("GET", f"{place}?deserialize=true")["value"]
    assert (summary["total"], summary["created"] + summary["exists"], summary["failed"]) == (FILES, FILES, 0)
    names = Counter(task["name"] for task in live.client.iter_image_tasks("chunked"))
    assert names == {f"{number:03}.png": 1 for number in range(FILES)}


def kill_a_chunk(live: Live, run_id: str) -> int:
    """Kill the process of a chunk that is at work, once the project has some tasks; return its index."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if live.client.count_tasks("chunked") >= 3:
            for each in live.airflow.task_instances("chunked_import", run_id):
                if each["task_id"] == f"{GROUP}.create" and each["state"] == "running" and kills(each):
                    return int(each["map_index"])
        time.sleep(0.1)
    raise AssertionError("no chunk was at work")


def kills(instance: dict[str, Any]) -> bool:
    """Kill the process of a task instance, and tell whether it was there."""
    try:
        os.kill(instance["pid"], signal.SIGKILL)
    except (ProcessLookupError, TypeError):  # it has just ended, or has not begun
        return False
    return True
