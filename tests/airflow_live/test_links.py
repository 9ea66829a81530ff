"""Links of tasks as Airflow's API serves them to its screens: deferred, for each mapped index, after a failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.airflow_live.conftest import Live

APP = "https://label.example.com/projects/{project_id}?status={status}&tags={tags}"


def linked_run(live: Live) -> str:
    """Start the DAG with a connection that has an application, and wait until each task has come to its place."""
    live.client.create_project("image_bbox", "Linked", "linked")
    live.airflow.add_connection(
        "linked",
        conn_type="fastlabel",
        host=live.emulator.url,
        password=live.emulator.token,
        extra={"app_url": APP},
    )
    run = live.airflow.trigger("linked")
    deadline = time.monotonic() + 180
    wanted = {"wait": ["deferred"], "each": ["deferred", "deferred"], "fails": ["failed"]}
    states: dict[str, list[str]] = {}
    while states != wanted:
        assert time.monotonic() < deadline, states
        time.sleep(1)
        states = {}
        for task in live.airflow.task_instances("linked", run):
            states.setdefault(str(task["task_id"]), []).append(str(task["state"]))
    return run


def links_of(live: Live, run: str, task: str, index: int = -1) -> Mapping[str, Any]:
    answer = live.airflow.call("GET", f"dags/linked/dagRuns/{run}/taskInstances/{task}/links?map_index={index}")
    found: Mapping[str, Any] = answer["extra_links"]
    return found


def test_links_are_there_while_deferred_for_each_index_and_after_a_failure(live: Live) -> None:
    run = linked_run(live)
    ident = next(p["id"] for p in live.client.get_projects("linked"))
    page = f"https://label.example.com/projects/{ident}"
    assert links_of(live, run, "wait") == {
        "FastLabel project": page,
        "FastLabel tasks": f"{page}?status=approved&tags=night%201",
    }
    for index, tag in enumerate(("day", "night")):
        assert links_of(live, run, "each", index)["FastLabel tasks"] == f"{page}?status=approved&tags={tag}"
    assert links_of(live, run, "fails") == {"FastLabel project": page, "FastLabel tasks": f"{page}?tags=day"}


def test_every_link_is_known_to_airflow_s_command_line(live: Live) -> None:
    from tests.airflow_live.test_connection import airflow

    assert "FastLabelProjectLink" in airflow(live, "providers", "links", "--output", "json")
    assert airflow(live, "config", "get-value", "fastlabel", "poll_interval").strip() == ""
    assert "wait_quota_share" in airflow(live, "config", "list", "--section", "fastlabel")
