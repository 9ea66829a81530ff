"""The triggers on a real event loop: what they store, how they share polls, and that they never stop the loop."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest

from airflow_provider_fastlabel.pipelines.waits import conditions
from airflow_provider_fastlabel.triggers import fastlabel as triggers
from airflow_provider_fastlabel.triggers import shared_polls as polls
from airflow_provider_fastlabel.triggers.fastlabel import (
    TRIGGERS,
    FastLabelImportHistoriesTrigger,
    FastLabelImportHistoryTrigger,
    FastLabelModelJobTrigger,
    FastLabelS3ImportTrigger,
    FastLabelTaskCountTrigger,
    FastLabelTaskListTrigger,
    FastLabelTrigger,
)
from tests import virtual_time
from tests.airflow_fixtures import calls, later, settle
from tests.airflow_run import first_event, make_trigger

WAITS: dict[type[FastLabelTrigger], dict[str, Any]] = {
    FastLabelImportHistoryTrigger: {"project": "photos", "history_id": "h"},
    FastLabelImportHistoriesTrigger: {"project": "photos", "histories": {"a.zip": "h"}},
    FastLabelModelJobTrigger: {"kind": "auto_annotation", "job_id": "j", "project": "photos"},
    FastLabelS3ImportTrigger: {"project": "photos"},
    FastLabelTaskCountTrigger: {
        "project": "photos", "statuses": ["approved"], "tags": ["a"], "min_count": None, "min_share": 1.0,
    },
    FastLabelTaskListTrigger: {
        "project": "photos", "statuses": ["approved"], "task_ids": [], "task_names": ["a.png"],
        "min_count": 1, "min_share": None,
    },
}  # fmt: skip


FIRST_SLEEP = triggers.FIRST_SLEEP


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Take the first look almost at once."""
    monkeypatch.setattr(triggers, "FIRST_SLEEP", 0.02)


def trigger(kind, /, poll_interval=0.1, seconds=20.0, **wait):
    """Make a trigger with quick polls."""
    arguments = {"fastlabel_conn_id": "fastlabel_default", "poll_interval": poll_interval}
    return kind(**arguments, end_time=time.time() + seconds, **{**WAITS[kind], **wait})


def store(made):
    """Return what the database keeps of a trigger."""
    classpath, kwargs = made.serialize()
    return {"classpath": classpath, "kwargs": json.loads(json.dumps(kwargs))}


async def event_of(made):
    """Run a trigger to its event."""
    async for event in made.run():
        return event.payload
    raise AssertionError("no event")


def a_call_is_under_way():
    """Tell whether a poll of the running loop is asking FastLabel."""
    return any(poll.lock.locked() for poll in polls._boards.get(asyncio.get_running_loop(), {}).values())


async def all_events(*made):
    """Run triggers side by side on one loop."""
    return await asyncio.gather(*map(event_of, made))


def test_the_first_look_leaves_airflow_time_to_put_the_task_aside():
    # Airflow fails some tasks whose trigger fires sooner (airflow#67287 and others).
    assert FIRST_SLEEP >= 5


def test_every_wait_has_its_trigger_and_is_tested_here():
    assert set(TRIGGERS.values()) == set(WAITS)


@pytest.mark.parametrize("kind", WAITS)
def test_stored_as_json_and_made_again_the_same(kind):
    stored = store(trigger(kind, execution_deadline=123.5, carry={"tasks_before": 3}))
    again = make_trigger(stored)
    assert type(again) is kind
    assert store(again) == stored
    assert stored["kwargs"]["execution_deadline"] == 123.5
    assert {name: stored["kwargs"][name] for name in WAITS[kind]} == WAITS[kind]


@pytest.mark.parametrize("kind", WAITS)
def test_a_deadline_in_the_past_still_looks_once(client, kind):
    payload = asyncio.run(first_event(store(trigger(kind, seconds=-3600))))
    one_thing = (FastLabelImportHistoryTrigger, FastLabelImportHistoriesTrigger, FastLabelModelJobTrigger)
    expected = "error" if kind in one_thing else "timeout"
    assert payload["status"] == expected
    assert "photos" in payload["message"] or "not found" in payload["message"].lower()


def test_what_the_task_hands_over_comes_back(client, fill):
    fill("a.png", status="approved")
    made = trigger(FastLabelTaskCountTrigger, tags=[], carry={"tasks_before": 3})
    assert asyncio.run(first_event(store(made)))["carry"] == {"tasks_before": 3}


def test_many_waits_on_jobs_cost_one_call_per_interval(client, emulator):
    emulator.configure(job_manual=True)
    client.create_dataset("cats")
    ids = [client.execute_training_job("cats", "light", 3)["trainingJobId"] for _ in range(20)]
    emulator.clear_requests()
    thread = later(emulator, "trainings", 3, lambda: emulator.control("POST", "jobs", {}))
    made = [trigger(FastLabelModelJobTrigger, kind="training", job_id=i, project="", poll_interval=0.3) for i in ids]
    events = asyncio.run(all_events(*made))
    thread.join()
    assert {event["facts"]["job_id"] for event in events} == set(ids)
    assert {event["status"] for event in events} == {"success"}
    # The fourth look sees the end, or the fifth when the settling came in between.
    assert calls(emulator, "trainings") <= 5


def test_many_waits_on_the_imports_of_a_project_cost_one_call_per_interval(client, emulator, bucket):
    ids = [client.create_task_from_aws_s3("photos")["id"] for _ in range(30)]
    emulator.clear_requests()

    def end_all():
        for ident in ids:
            settle(emulator, ident)

    thread = later(emulator, "tasks/import/histories", 3, end_all)
    made = [trigger(FastLabelImportHistoryTrigger, history_id=ident, poll_interval=0.3) for ident in ids]
    began = time.monotonic()
    events = asyncio.run(all_events(*made))
    intervals = (time.monotonic() - began) / 0.3
    thread.join()
    assert [event["facts"]["history_id"] for event in events] == ids
    assert {event["status"] for event in events} == {"success"}
    assert 4 <= calls(emulator, "tasks/import/histories") <= intervals + 1
    assert {request["path"] for request in emulator.requests()} == {"tasks/import/histories"}


def test_waits_with_other_demands_on_the_same_tasks_share_their_counts(client, emulator, fill):
    fill("a.png", "b.png", "c.png")
    emulator.set_status("photos", "approved", ["a.png"])
    emulator.clear_requests()
    thread = later(emulator, "tasks/count", 4, lambda: emulator.set_status("photos", "approved"))
    made = [
        trigger(FastLabelTaskCountTrigger, tags=[], poll_interval=0.2, min_count=number, min_share=None)
        for number in (1, 2, 3)
    ]
    began = time.monotonic()
    events = asyncio.run(all_events(*made))
    intervals = (time.monotonic() - began) / 0.2
    thread.join()
    assert [event["facts"]["done"] for event in events] == [1, 3, 3]
    # One reading takes one call: nobody has asked for a share, so nobody needs the total.
    assert calls(emulator, "tasks/count") <= intervals + 1


def test_the_total_is_counted_when_something_has_moved_and_when_a_wait_would_end(client, emulator, fill, monkeypatch):
    monkeypatch.setattr(conditions, "OLDEST_TOTAL", 1000)
    fill("a.png", "b.png", "c.png")
    emulator.set_status("photos", "approved", ["a.png"])
    emulator.clear_requests()
    thread = later(emulator, "tasks/count", 12, lambda: emulator.set_status("photos", "approved"))
    made = trigger(FastLabelTaskCountTrigger, tags=[], poll_interval=0.02)
    assert asyncio.run(event_of(made))["facts"] == {"done": 3, "total": 3, "needed": 3, "statuses": ["approved"]}
    thread.join()
    asked = [request["query"].get("status") for request in emulator.requests()]
    assert asked[:2] == asked[-2:] == ["approved", None]
    assert asked.count(None) == 2


def test_a_share_is_never_reached_by_an_old_total(client, emulator, fill):
    """Tasks that came in between count, although the wait that ends joined a poll of others."""
    wait = conditions.TaskCountWait("photos", ["approved"], min_share=0.5)
    fill("a.png", "b.png", "c.png", "d.png")
    emulator.set_status("photos", "approved", ["a.png"])
    first = conditions.TaskCountWait("photos", ["approved"], min_share=1.0).read(client)
    fill("e.png")
    again = wait.read_for([wait], first, client)
    assert (again.by_status, again.total, again.looks_old) == ({"approved": 1}, 4, 1)
    decision = wait.decide(again)
    assert decision is not None
    assert decision.status == "waiting"
    assert conditions.TaskCountWait("photos", ["approved"], min_share=0.25).decide(again) is None
    for _ in range(conditions.OLDEST_TOTAL):
        again = wait.read_for([wait], again, client)
    assert (again.total, again.looks_old) == (5, 0)


def test_a_look_at_which_nothing_has_moved_costs_one_call_also_when_the_total_is_looked_at_again(
    client, emulator, fill
):
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png"])
    wait = conditions.TaskCountWait("photos", ["approved"], min_share=1.0)
    reading, costs, totals = wait.read(client), [], 0
    for _ in range(2 * (conditions.OLDEST_TOTAL + 1)):
        emulator.clear_requests()
        reading = wait.read_for([wait], reading, client)
        costs.append(calls(emulator, "tasks/count"))
        totals += sum("status" not in request["query"] for request in emulator.requests())
        assert (reading.by_status, reading.total) == ({"approved": 1}, 2)
    assert costs == [1] * len(costs)
    assert totals == 2


def test_no_wait_ends_by_statuses_of_the_look_before(client, emulator, fill):
    """Tasks that were sent back since count, although the wait joined a poll of others that has now counted all."""
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved")
    others = conditions.TaskCountWait("photos", ["approved"], min_count=3, min_share=1.0)
    reading = others.read(client)
    for _ in range(conditions.OLDEST_TOTAL):
        reading = others.read_for([others], reading, client)
    emulator.set_status("photos", "sent_back")
    reading = others.read_for([others], reading, client)
    assert (reading.by_status, reading.statuses_old) == ({"approved": 2}, True)
    for demand in ({"min_count": 2}, {"min_share": 1.0}):
        joined = conditions.TaskCountWait("photos", ["approved"], **demand)
        assert joined.decide(reading) is None
        assert joined.look(client).status == "waiting"


def test_tasks_that_have_gone_meet_a_share_although_no_status_has_moved(client, emulator, fill):
    ids = fill("a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png"])
    wait = conditions.TaskCountWait("photos", ["approved"], min_share=1.0)
    reading = wait.read(client)
    client.delete_task(ids["b.png"])
    for _ in range(conditions.OLDEST_TOTAL + 1):
        reading = wait.read_for([wait], reading, client)
    assert (reading.by_status, reading.total, reading.looks_old) == ({"approved": 1}, 1, 0)
    decision = wait.decide(reading)
    assert decision is not None
    assert decision.status == "success"


def test_all_waits_together_keep_to_a_fifth_of_the_quota_and_say_so(client, emulator, connect, fill, capsys):
    fill("a.png", tags=[f"t{number}" for number in range(10)])
    connect(password=emulator.token, host=emulator.url, calls_per_10_minutes=60_000)  # a fifth is 20 a second
    emulator.clear_requests()
    made = [
        trigger(
            FastLabelTaskCountTrigger, tags=[f"t{n % 10}"], statuses=[status], min_count=1, min_share=None,
            poll_interval=0.05, seconds=3600,
        )
        for n, status in enumerate(10 * ["approved", "declined"] + 10 * ["completed"])
    ]  # fmt: skip

    async def scenario():
        began = polls.now()
        waits = [asyncio.create_task(event_of(one)) for one in made]
        await asyncio.sleep(4)
        while calls(emulator, "tasks/count") < 60:
            await asyncio.sleep(0.1)
        seconds, asked = polls.now() - began, calls(emulator, "tasks/count")
        for status in ("approved", "declined", "completed"):
            emulator.set_status("photos", status)
            await asyncio.sleep(3)
        events = await asyncio.gather(*waits)
        return seconds, asked, {event["status"] for event in events}

    seconds, asked, ends = virtual_time.run(scenario())
    assert ends == {"success"}
    # 20 polls look once before anybody knows the quota; asked 20 times a second each, it would be 400 a second.
    assert asked <= 20 * seconds + 20 + 8
    assert "more than their share of the quota" in capsys.readouterr().out


def test_waits_on_other_projects_do_not_share(client, emulator, fill):
    client.create_project("image_bbox", "Other", "other")
    fill("a.png", status="approved")
    emulator.clear_requests()
    made = [trigger(FastLabelTaskCountTrigger, project=name, tags=[], seconds=0.3) for name in ("photos", "other")]
    assert [event["status"] for event in asyncio.run(all_events(*made))] == ["success", "timeout"]


def test_an_import_beyond_the_first_page_is_asked_for_by_its_id(client, emulator, bucket, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.pipelines.waits.conditions.HISTORY_PAGE", 1)
    first, second = (client.create_task_from_aws_s3("photos")["id"] for _ in range(2))
    for ident in (first, second):
        settle(emulator, ident)
    made = [trigger(FastLabelImportHistoryTrigger, history_id=ident) for ident in (first, second)]
    assert [e["facts"]["history_id"] for e in asyncio.run(all_events(*made))] == [first, second]


def test_the_event_loop_goes_on_while_fastlabel_answers_slowly(client, emulator, fill):
    fill("a.png", status="approved")
    emulator.faults({"path": "tasks/count", "times": 1, "kind": "slow", "seconds": 1.0})
    ticks = []

    async def heartbeat():
        while True:
            await asyncio.sleep(0.01)
            ticks.append(a_call_is_under_way())

    async def both():
        beat = asyncio.create_task(heartbeat())
        event = await event_of(trigger(FastLabelTaskCountTrigger, tags=[]))
        beat.cancel()
        return event

    assert asyncio.run(both())["status"] == "success"
    # A loop that waited for the call would not have ticked once before it was over.
    assert sum(ticks) > 3


def test_a_server_that_holds_its_calls_holds_up_only_who_waits_for_it(client, emulator, connect, fill):
    """More waits than a pool has threads, each with a call that hangs until its timeout."""
    fill("a.png", status="approved")

    def held(number):
        wait = {**WAITS[FastLabelTaskCountTrigger], "tags": [], "project": f"p{number}"}
        ends = time.time() + 0.1
        return FastLabelTaskCountTrigger(fastlabel_conn_id="held", poll_interval=0.1, end_time=ends, **wait)

    async def scenario():
        waits = [asyncio.create_task(event_of(held(number))) for number in range(polls.POLL_THREADS + 4)]
        while not a_call_is_under_way():
            await asyncio.sleep(0.01)
        other = asyncio.create_task(event_of(trigger(FastLabelTaskCountTrigger, tags=[])))
        done, _ = await asyncio.wait([other, *waits], return_when=asyncio.FIRST_COMPLETED)
        events = await asyncio.gather(*waits)
        return done == {other}, (await other)["status"], {event["status"] for event in events}

    with socket.create_server(("127.0.0.1", 0)) as silent:
        connect("held", host=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/", timeout=3, max_retries=0)
        assert asyncio.run(scenario()) == (True, "success", {"timeout"})


def test_one_wait_cancelled_in_mid_call_does_not_hurt_the_others(client, emulator, fill):
    fill("a.png", status="approved")
    emulator.faults({"path": "tasks/count", "times": 1, "kind": "slow", "seconds": 0.5})

    async def scenario():
        first = asyncio.create_task(event_of(trigger(FastLabelTaskCountTrigger, tags=[])))
        while not a_call_is_under_way():
            await asyncio.sleep(0.01)
        second = asyncio.create_task(event_of(trigger(FastLabelTaskCountTrigger, tags=[])))
        first.cancel()
        return await second

    assert asyncio.run(scenario())["status"] == "success"


def test_polls_are_forgotten_with_their_last_reader(client, fill):
    fill("a.png", status="approved")

    async def scenario():
        await event_of(trigger(FastLabelTaskCountTrigger, tags=[]))
        return dict(polls._boards[asyncio.get_running_loop()])

    assert asyncio.run(scenario()) == {}


def test_remarks_on_the_connection_are_logged_once_not_at_every_look(client, emulator, connect, fill, caplog):
    fill("a.png")
    connect(password=emulator.token, host=emulator.url, max_retries=1, max_retires=3, calls_per_10_minutes=10_000_000)
    thread = later(emulator, "tasks/count", 6, lambda: emulator.set_status("photos", "approved"))
    event = asyncio.run(event_of(trigger(FastLabelTaskCountTrigger, tags=[], poll_interval=0.05)))
    thread.join()
    assert event["status"] == "success", event
    assert caplog.text.count("max_retires") == 1


def test_a_rotated_token_is_taken_up(client, emulator, connect, fill):
    fill("a.png")
    connect(password="expired-token", host=emulator.url)
    assert asyncio.run(event_of(trigger(FastLabelTaskCountTrigger, tags=[])))["status"] == "error"
    connect(password=emulator.token, host=emulator.url)
    emulator.set_status("photos", "approved")
    assert asyncio.run(event_of(trigger(FastLabelTaskCountTrigger, tags=[])))["status"] == "success"


def test_a_connection_the_triggerer_does_not_have_ends_with_a_hint(client, fill):
    made = FastLabelTaskCountTrigger(
        fastlabel_conn_id="only_on_the_worker", poll_interval=0.02, end_time=time.time() + 20,
        **{**WAITS[FastLabelTaskCountTrigger], "tags": []},
    )  # fmt: skip
    event = asyncio.run(event_of(made))
    assert event["status"] == "error"
    assert "only_on_the_worker" in event["message"]
    assert "triggerers alike" in event["message"]


@pytest.mark.parametrize("retry_after", [30, 3600])
def test_a_quota_that_asks_for_patience_is_given_it_and_the_log_says_so(client, emulator, fill, capsys, retry_after):
    fill("a.png", status="approved")
    emulator.faults({"path": "tasks/count", "times": 2, "kind": "status", "status": 429, "retry_after": retry_after})
    event = asyncio.run(event_of(trigger(FastLabelTaskCountTrigger, tags=[], poll_interval=0.05, seconds=0.5)))
    assert event["status"] == "timeout"
    # The first look and the one at the deadline; none in between, whatever the interval says.
    assert calls(emulator, "tasks/count") == 2
    said = capsys.readouterr().out
    assert "Look 1 in a row failed, the wait goes on" in said
    assert f"Too many calls; try again after {retry_after} s" in said


def test_a_mistake_in_the_program_is_not_waited_out(client, emulator, fill):
    fill("a.png")
    made = trigger(FastLabelTaskCountTrigger, tags=[])
    made.wait.min_share = "half"
    with pytest.raises(TypeError):
        asyncio.run(event_of(made))


def test_no_token_in_what_is_stored_sent_or_logged(client, emulator, fill, caplog):
    caplog.set_level("DEBUG")
    fill("a.png", status="approved")
    made = trigger(FastLabelTaskCountTrigger, tags=[])
    event = asyncio.run(event_of(made))
    asyncio.run(made.on_kill())
    assert emulator.token not in json.dumps([store(made), event]) + repr(made) + caplog.text
