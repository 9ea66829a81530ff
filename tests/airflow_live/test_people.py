"""People and rounds under a real scheduler: a review gate that is answered, a missed deadline, mapped rounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airflow_live.conftest import Live

GATE, ROUNDS = "fastlabel_review_gate", "fastlabel_rounds"


def fill(live: Live, project: str, *statuses: str) -> list[str]:
    """Make a project with a class and tasks, each with a box."""
    live.client.create_project(type="image_bbox", name=project, slug=project)
    live.client.create_annotation(project, "bbox", "cat", "Cat")
    picture = live.state / "one.png"
    Image.new("RGB", (32, 24)).save(picture)
    box = {"type": "bbox", "value": "cat", "points": [1, 2, 20, 20]}
    return [
        live.client.create_image_task(project, f"{number}.png", str(picture), status=status, annotations=[box])
        for number, status in enumerate(statuses)
    ]


def comments(live: Live, project: str) -> list[str]:
    return [thread["text"] for thread in live.client.iter_project_comments(project)]


def statuses(live: Live, project: str) -> list[str]:
    return sorted(task["status"] for task in live.client.iter_image_tasks(project))


def answer(live: Live, run_id: str, chosen: str, remark: str) -> None:
    """Wait for the question and answer it, as a person does under "Required Actions"."""
    path = f"dags/{GATE}/dagRuns/{run_id}/taskInstances/review/-1/hitlDetails"
    deadline = time.monotonic() + 400
    while True:
        instances = {one["task_id"]: one["state"] for one in live.airflow.task_instances(GATE, run_id)}
        if instances.get("review") in ("awaiting_input", "deferred"):
            break
        assert time.monotonic() < deadline, instances
        time.sleep(0.5)
    # Airflow 3.3.2 fails a task that is answered before its executor has said that it was put aside.
    time.sleep(15)
    question = live.airflow.call("GET", path)
    assert question["body"].startswith("2 tasks are labelled.")
    # The form sends every field it shows; before Airflow 3.2 those of the DAG are among them.
    fields = {name: param["value"] for name, param in question["params"].items()}
    live.airflow.call("PATCH", path, {"chosen_options": [chosen], "params_input": {**fields, "remark": remark}})


@pytest.mark.parametrize(
    ("project", "chosen", "status", "said", "exported"),
    [
        ("gate-back", "Send back", "sent_back", ["boxes too large"] * 2, "skipped"),
        ("gate-good", "Approve", "approved", [], "success"),
    ],
)
def test_a_reviewers_decision_is_written_back(
    live: Live, project: str, chosen: str, status: str, said: list[str], exported: str
) -> None:
    fill(live, project, "completed", "reviewed")
    output = live.state / project
    run_id = live.airflow.trigger(GATE, {"project": project, "output": str(output)})
    answer(live, run_id, chosen, "boxes too large")
    states = dict(live.airflow.watch(GATE, run_id))
    assert states["export"] == exported, states
    assert statuses(live, project) == [status, status]
    assert comments(live, project) == said
    assert output.exists() == (exported == "success")


def test_a_missed_deadline_tells_the_pace(live: Live) -> None:
    fill(live, "behind", "approved", "registered")
    run_id = live.airflow.trigger("late", {"project": "behind"})
    words = (
        "Project behind: still 1 of 2 tasks are not approved. 1 of those that are approved changed in the last 24.0 h"
    )
    deadline = time.monotonic() + 120
    while words.encode() not in b"".join(logs(live)):
        assert time.monotonic() < deadline, "nobody was told"
        time.sleep(1)
    for task in live.client.iter_image_tasks("behind"):
        live.client.update_task(task["id"], status="approved")
    assert dict(live.airflow.watch("late", run_id)) == {"wait": "success"}


def logs(live: Live) -> Iterator[bytes]:
    for path in live.airflow.home.rglob("*.log*"):
        if path.is_file():
            yield path.read_bytes()


def test_each_entry_of_a_list_is_a_round_of_its_own(live: Live) -> None:
    rounds: list[dict[str, Any]] = []
    for project in ("round-cats", "round-dogs"):
        fill(live, project)
        folder = live.state / f"new-{project}"
        folder.mkdir()
        for number in range(2):
            Image.new("RGB", (32, 24), (number, 0, 0)).save(folder / f"{number}.png")
        rounds.append({"project": project, "folder": str(folder), "output": str(live.state / f"set-{project}")})
    run_id = live.airflow.trigger(ROUNDS, {"rounds": rounds})
    labelled: set[str] = set()
    box = {"type": "bbox", "value": "cat", "points": [1, 2, 20, 20]}
    for _ in live.airflow.watch(ROUNDS, run_id):
        for each in rounds:
            tasks = list(live.client.iter_image_tasks(each["project"]))
            if len(tasks) == 2 and each["project"] not in labelled:
                labelled.add(each["project"])
                live.client.update_image_task(tasks[0]["id"], status="completed", annotations=[box])
                live.client.update_image_task(tasks[1]["id"], status="completed")
    assert live.airflow.run_state(ROUNDS, run_id) == "success"
    instances = [one for one in live.airflow.task_instances(ROUNDS, run_id) if one["task_id"].endswith(".export")]
    assert sorted(one["map_index"] for one in instances) == [0, 1]
    for each in rounds:
        assert statuses(live, each["project"]) == ["approved", "sent_back"]
        assert comments(live, each["project"]) == ["Nothing is drawn here. Is there really no object?"]
        assert list((live.state / f"set-{each['project']}").rglob("*.txt"))
