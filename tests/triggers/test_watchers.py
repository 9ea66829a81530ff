"""The watchers on a real event loop against the emulator, as a triggerer of each Airflow runs them."""

from __future__ import annotations

import asyncio
import json

import pytest
from airflow.sdk import Asset, AssetWatcher

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.triggers import watchers
from airflow_provider_fastlabel.triggers.watchers import (
    FastLabelImportEventTrigger,
    FastLabelModelJobEventTrigger,
    FastLabelTaskStatusEventTrigger,
)
from tests.airflow_fixtures import calls, settle
from tests.watcher_run import HAS_ASSET_STORE, Triggerer, assets, needs_asset_store

__all__ = ["assets"]

CONFIRMING = [
    pytest.param(True, marks=needs_asset_store, id="confirmed"),
    pytest.param(False, id="unconfirmed"),
]


def approvals(every=1, poll_interval=0.05, **more):
    """Make a watcher of the project photos."""
    return FastLabelTaskStatusEventTrigger(project="photos", every=every, poll_interval=poll_interval, **more)


def kept(assets):
    """Return the store for a triggerer; Airflow before 3.3 has none."""
    return assets if HAS_ASSET_STORE else None


async def stored(assets):
    """Wait until something is written, and then nothing more."""
    before: dict = {}
    while not before or before != assets.kept:
        before = dict(assets.kept)
        await asyncio.sleep(0.3)


async def looked(triggerer, emulator, path="tasks/count"):
    """Wait until a watcher has looked, and judged what it saw, at least once more."""
    emulator.clear_requests()
    await triggerer.until(lambda: calls(emulator, path) >= 3)


@pytest.fixture
def said(monkeypatch):
    """What the watchers logged, as (level, text)."""
    lines = []

    class Recorder:
        def __getattr__(self, level):
            return lambda text, *values, **_: lines.append((level, text % values))

    for kind in (FastLabelTaskStatusEventTrigger, FastLabelImportEventTrigger, FastLabelModelJobEventTrigger):
        monkeypatch.setattr(kind, "log", Recorder())
    return lines


def names(events):
    """Return the names of the tasks that were told, in any order."""
    return sorted(event["name"] for event in events)


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_each_task_is_told_once(client, fill, assets, confirming):
    ids = fill("a.png", "b.png", "c.png")
    client.update_task(ids["a.png"], status="approved")

    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(approvals())
            await triggerer.begun()
            client.update_task(ids["b.png"], status="approved")
            await triggerer.count(1)
            client.update_task(ids["c.png"], status="approved")
            client.update_task(ids["b.png"], priority=10)
            return await triggerer.count(2)

    events = asyncio.run(go())
    assert names(events) == ["b.png", "c.png"]
    (told,) = [event for event in events if event["name"] == "b.png"]
    changed = told["updated_at"]
    assert told == {
        "key": f"photos/task/{ids['b.png']}/approved/{changed}", "project": "photos", "task_id": ids["b.png"],
        "name": "b.png", "status": "approved", "updated_at": changed,
    }  # fmt: skip


@needs_asset_store
@pytest.mark.parametrize("confirming", CONFIRMING)
def test_a_restart_repeats_nothing_and_loses_nothing(client, emulator, fill, assets, confirming):
    ids = fill("a.png", "b.png", "c.png")

    async def life(*expected):
        async with Triggerer(assets, confirming=confirming) as triggerer:
            triggerer.watch(approvals())
            await triggerer.count(len(expected))
            await looked(triggerer, emulator)
            await stored(assets)
            return names(triggerer.events)

    assert asyncio.run(life()) == []
    client.update_task(ids["a.png"], status="approved")
    client.update_task(ids["b.png"], status="approved")
    assert asyncio.run(life("a.png", "b.png")) == ["a.png", "b.png"]
    client.update_task(ids["a.png"], priority=10)
    client.update_task(ids["c.png"], status="approved")
    assert asyncio.run(life("c.png")) == ["c.png"]


@needs_asset_store
def test_what_was_not_stored_when_the_triggerer_died_comes_again_with_its_key(client, emulator, fill, assets):
    ids = fill("a.png", "b.png")

    async def life(number, *, persisting):
        async with Triggerer(assets, confirming=True, persisting=persisting) as triggerer:
            triggerer.watch(approvals())
            if not number:
                await triggerer.until(lambda: bool(assets.kept))
                await looked(triggerer, emulator)
            return list(await triggerer.count(number))

    asyncio.run(life(0, persisting=True))
    for task_id in ids.values():
        client.update_task(task_id, status="approved")
    lost = asyncio.run(life(2, persisting=False))
    again = asyncio.run(life(2, persisting=True))
    assert len(lost) == len(again) == 2
    assert {event["key"] for event in lost} == {event["key"] for event in again}
    assert asyncio.run(life(0, persisting=True)) == []


def test_without_a_store_a_restart_begins_anew_and_says_so(client, fill, assets, said):
    ids = fill("a.png")

    async def life(number):
        async with Triggerer(None, confirming=False) as triggerer:
            triggerer.watch(approvals())
            await triggerer.begun()
            return list(await triggerer.count(number))

    asyncio.run(life(0))
    assert "stored nowhere" in str(said)
    client.update_task(ids["a.png"], status="approved")
    assert asyncio.run(life(0)) == []


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_groups_and_all(client, fill, assets, confirming):
    ids = fill(*(f"{number}.png" for number in range(5)))

    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(approvals(2))
            triggerer.watch(approvals("all"))
            await triggerer.begun(2)
            for task_id in ids.values():
                client.update_task(task_id, status="approved")
            await triggerer.count(3)
            return sorted(triggerer.events, key=lambda event: (event["count"], event["number"]))

    first, second, everything = asyncio.run(go())
    assert (first["number"], second["number"], everything["number"]) == (1, 2, 1)
    assert len({*first["task_ids"], *second["task_ids"]}) == 4
    assert everything["count"] == 5
    assert "task_ids" not in everything
    assert len({event["key"] for event in (first, second, everything)}) == 3


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_watchers_of_a_project_are_one_poll(client, emulator, fill, assets, confirming):
    fill("a.png")

    async def go(number):
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            for each in range(number):
                triggerer.watch(approvals(each + 1, poll_interval=0.1))
            emulator.clear_requests()
            await triggerer.until(lambda: calls(emulator, "tasks/count") >= 5)
            return calls(emulator, "tasks/image"), calls(emulator, "projects")

    assert asyncio.run(go(1)) == (1, 1)
    lists, projects = asyncio.run(go(10))
    # Each watcher learns the project's kind when it is its turn to look.
    assert lists == 1
    assert projects <= 5


@pytest.mark.parametrize("confirming", CONFIRMING)
@pytest.mark.parametrize(
    ("wrong", "right"),
    [({"password": "wrong"}, {}), ({}, {"project": "later"})],
    ids=["token", "project"],
)
def test_what_is_wrong_is_said_once_and_waited_out(
    client, emulator, connect, fill, assets, said, monkeypatch, confirming, wrong, right
):
    monkeypatch.setattr(watchers, "TROUBLE_INTERVAL", 0.05)
    connect(host=emulator.url, max_retries=0, calls_per_10_minutes=10_000_000, **{"password": emulator.token, **wrong})
    project = right.get("project", "photos")

    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(FastLabelTaskStatusEventTrigger(project=project, poll_interval=0.05, include_existing=True))
            emulator.clear_requests()
            await triggerer.until(lambda: calls(emulator, "") >= 4)
            if right:
                client.create_project("image_bbox", "Later", "later")
            else:
                connect(host=emulator.url, password=emulator.token, max_retries=0, calls_per_10_minutes=10_000_001)
                client.update_task(fill("a.png")["a.png"], status="approved")
                await triggerer.count(1)
            await triggerer.until(lambda: "works again" in str(said))

    asyncio.run(go())
    (error,) = [text for level, text in said if level == "error"]
    assert "until this is put right" in error
    assert emulator.token not in str(said)


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_the_last_event_of_a_burst_comes_when_the_scheduler_is_done_with_the_others(
    client, emulator, fill, assets, monkeypatch, confirming
):
    monkeypatch.setattr(watchers, "SETTLE", 2.0)
    fill("a.png", "b.png", "c.png", status="approved")

    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(approvals(include_existing=True))
            await triggerer.until(lambda: len(triggerer.events) >= 2)
            first = len(triggerer.events)
            return first, len(await triggerer.count(3))

    assert asyncio.run(go()) == (2, 3)


@needs_asset_store
def test_a_store_that_does_not_answer_is_waited_out(client, emulator, fill, assets, said):
    ids = fill("a.png", "b.png")

    async def go():
        async with Triggerer(assets, confirming=True) as triggerer:
            triggerer.watch(approvals())
            await triggerer.until(lambda: bool(assets.kept))
            assets.broken = True
            client.update_task(ids["a.png"], status="approved")
            await triggerer.count(1)
            await triggerer.until(lambda: "API server is away" in str(said))
            assets.broken = False
            client.update_task(ids["b.png"], status="approved")
            await triggerer.count(2)
            await stored(assets)
        async with Triggerer(assets, confirming=True) as triggerer:
            triggerer.watch(approvals())
            await looked(triggerer, emulator)
            return await triggerer.count(0)

    assert asyncio.run(go()) == []


@needs_asset_store
def test_a_watcher_that_two_assets_share_remembers_in_both(client, emulator, fill, assets):
    ids = fill("a.png")

    async def life(number, *of):
        async with Triggerer(assets, confirming=True) as triggerer:
            triggerer.watch(approvals(), *of)
            if number == 0:
                await looked(triggerer, emulator)
                await stored(assets)
            events = list(await triggerer.count(number))
            await stored(assets)
            return events

    asyncio.run(life(0, "one", "two"))
    client.update_task(ids["a.png"], status="approved")
    assert len(asyncio.run(life(1, "one", "two"))) == 1
    assert asyncio.run(life(0, "two")) == []


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_imports_that_end_are_told(client, emulator, bucket, assets, confirming):
    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(
                FastLabelImportEventTrigger(project="photos", outcomes=["success", "failed"], poll_interval=0.05)
            )
            await triggerer.begun()
            history = await asyncio.to_thread(client.create_task_from_aws_s3, "photos")
            await looked(triggerer, emulator, "tasks/import/histories")
            assert triggerer.events == []
            await asyncio.to_thread(settle, emulator)
            return history, await triggerer.count(1)

    history, (event,) = asyncio.run(go())
    assert (event["history_id"], event["outcome"], event["status"]) == (history["id"], "success", "completed")
    assert event["key"] == f"photos/import/{history['id']}/success"


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_jobs_that_end_are_told(client, emulator, assets, confirming):
    client.create_dataset("cats")
    emulator.configure(job_seconds=0)

    async def go():
        async with Triggerer(kept(assets), confirming=confirming) as triggerer:
            triggerer.watch(FastLabelModelJobEventTrigger(kind="training", poll_interval=0.05))
            await triggerer.begun()
            await asyncio.to_thread(client.execute_training_job, "cats", "fastlabel_object_detection_light", 1)
            return await triggerer.count(1)

    (event,) = asyncio.run(go())
    assert (event["kind"], event["outcome"]) == ("training", "success")
    assert event["key"] == f"training/job/{event['job_id']}/success"
    assert "?" not in str(event["model_url"])


MADE = [
    approvals(),
    approvals("all", tags=["night"]),
    FastLabelImportEventTrigger(project="photos"),
    FastLabelModelJobEventTrigger(kind="auto_annotation", project="photos"),
]


@pytest.mark.parametrize("made", MADE, ids=lambda made: type(made).__name__)
def test_airflow_stores_it_and_finds_it_again(made):
    """What a DAG file gives and what the database gave back are one trigger to Airflow: its hash tells."""
    from airflow.triggers.base import BaseEventTrigger

    classpath, kwargs = made.serialize()
    assert json.loads(json.dumps(kwargs)) == kwargs
    again = type(made)(**kwargs)
    assert again.serialize() == (classpath, kwargs)
    assert BaseEventTrigger.hash(classpath, kwargs) == BaseEventTrigger.hash(*again.serialize())
    assert Asset("photos", watchers=[AssetWatcher(name="w", trigger=made)]).watchers[0].trigger is made


@pytest.mark.parametrize(
    ("make", "arguments", "name"),
    [
        (FastLabelTaskStatusEventTrigger, {"project": ""}, "project"),
        (FastLabelTaskStatusEventTrigger, {"project": "{{ params.project }}"}, "project"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "statuses": "done"}, "statuses"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "statuses": []}, "statuses"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "every": 0}, "every"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "every": 5001}, "every"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "every": "each"}, "every"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "tags": [""]}, "tags"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "poll_interval": 0}, "poll_interval"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "include_existing": "no"}, "include_existing"),
        (FastLabelTaskStatusEventTrigger, {"project": "p", "fastlabel_conn_id": ""}, "fastlabel_conn_id"),
        (FastLabelImportEventTrigger, {"project": "p", "outcomes": "completed"}, "outcomes"),
        (FastLabelImportEventTrigger, {"project": "p", "outcomes": []}, "outcomes"),
        (FastLabelModelJobEventTrigger, {"kind": "auto_annotation"}, "project"),
        (FastLabelModelJobEventTrigger, {"kind": "training", "project": "p"}, "project"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_parse(make, arguments, name):
    with pytest.raises(FastLabelInvalidException, match=name):
        make(**arguments)
