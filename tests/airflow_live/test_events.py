"""Watchers and asset events under a real scheduler and triggerer, across a kill of the triggerer."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from PIL import Image

from tests.watcher_run import needs_asset_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.airflow_live.conftest import Live

WATCHED = ("each", "tens", "all")
TASKS = 50


def until(done: Callable[[], Any], what: str, seconds: float = 240) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.5)


def events(live: Live, name: str) -> list[dict[str, Any]]:
    """Return what the events of an asset say, the oldest first.

    From the database: on Airflow 3.3.2 the REST API answers 500 while a run that an event has started is queued.
    """
    with closing(sqlite3.connect(live.airflow.home / "airflow.db")) as database:
        rows = database.execute(
            "SELECT asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_event.asset_id "
            "WHERE asset.name = ? ORDER BY asset_event.id",
            (name,),
        ).fetchall()
    return [json.loads(extra) for (extra,) in rows]


def keys(live: Live, name: str) -> Counter[str]:
    """Return how often each key was told for an asset."""
    return Counter(event["payload"]["key"] for event in events(live, f"watched_{name}"))


def results(live: Live, dag_id: str, task_id: str) -> list[Any]:
    """Return what the task of each run returned, once all runs have succeeded."""
    runs = live.airflow.call("GET", f"dags/{dag_id}/dagRuns?limit=100")["dag_runs"]
    if {run["state"] for run in runs} - {"success"}:
        return []
    found = []
    for run in runs:
        place = f"dagRuns/{quote(run['dag_run_id'])}/taskInstances/{task_id}/xcomEntries/return_value"
        found += live.airflow.call("GET", f"dags/{dag_id}/{place}?deserialize=true")["value"]
    return found


def approve(live: Live, ids: Sequence[str]) -> None:
    """Approve tasks in a burst."""
    for task_id in ids:
        live.client.update_task(task_id, status="approved")


@pytest.fixture(scope="module")
def tasks(live: Live) -> list[str]:
    """The ids of the tasks of a project that three watchers look at, from now on."""
    live.client.create_project(type="image_bbox", name="Watched", slug="watched")
    picture = live.state / "watched.png"
    Image.new("RGB", (32, 24)).save(picture)
    ids = [live.client.create_image_task("watched", f"{number:02}.png", picture) for number in range(TASKS)]
    for name in WATCHED:
        live.airflow.wait_for_dag(f"watched_{name}")
        live.airflow.call("PATCH", f"dags/watched_{name}", {"is_paused": False})
    until(lambda: triggerer_log(live).count("from now on") >= len(WATCHED), "the watchers look")
    time.sleep(6)  # two more looks: what they know is stored
    return ids


def triggerer_log(live: Live) -> str:
    """Return what the triggerer has logged."""
    return (live.airflow.home / "components" / "triggerer.log").read_text(encoding="utf-8")


@needs_asset_store
def test_approvals_start_the_right_runs_across_a_kill_of_the_triggerer(live: Live, tasks: list[str]) -> None:
    approve(live, tasks[:12])
    until(lambda: keys(live, "each"), "the first event")
    approve(live, tasks[12:25])
    live.airflow.kill("triggerer")
    approve(live, tasks[25:40])
    live.airflow.launch("triggerer")
    until(lambda: len(keys(live, "each")) >= 40, "the events of the tasks approved while no triggerer ran")
    approve(live, tasks[40:])
    until(lambda: len(keys(live, "each")) >= TASKS and keys(live, "all"), "all events")
    time.sleep(5)

    told = keys(live, "each")
    assert {key.split("/")[2] for key in told} == set(tasks)
    assert len(told) == TASKS
    # Only what was being stored when the triggerer was killed can have come twice, by the same key.
    assert all(task_id in tasks[:25] for task_id in (key.split("/")[2] for key, times in told.items() if times > 1))
    assert {key.rsplit("/", 1)[1] for key in keys(live, "tens")} == {"1", "2", "3", "4", "5"}
    assert len(keys(live, "all")) == 1
    for name in WATCHED:
        until(lambda name=name: set(results(live, f"watched_{name}", "keys")) == set(keys(live, name)), "the runs")  # type: ignore[misc]


def test_an_export_that_changed_nothing_wakes_nobody(live: Live, tasks: list[str]) -> None:
    approve(live, tasks)
    consumer = "watched_export_consumer"
    live.airflow.wait_for_dag(consumer)
    live.airflow.call("PATCH", f"dags/{consumer}", {"is_paused": False})
    for _ in range(2):
        run = live.airflow.trigger("watched_export", {"output": str(live.state / "exported")})
        assert set(dict(live.airflow.watch("watched_export", run)).values()) == {"success"}
    # On a machine under load Airflow may have tried again, and a later try makes an event in any case.
    tries = {one["task_id"]: one["try_number"] for one in live.airflow.task_instances("watched_export", run)}
    expected = 1 if tries["changed"] == 1 else 2
    assert len(events(live, "exported_changed")) == expected
    assert [event["changed"] for event in events(live, "exported_always")] == [True, False]
    place = f"file://{live.state}/exported"
    assert len(events(live, f"{place}/changed")) == expected
    assert len(events(live, f"{place}/always")) == 2
    until(lambda: len(results(live, consumer, "seen")) == expected, "the consumer's run")
    extra = results(live, consumer, "seen")[0]
    assert (extra["place"], extra["images"]) == (f"{place}/changed", TASKS)
