"""A function decides on tasks, without Airflow: each thing once, whatever dies; bad answers; the record."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import AuthError, FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.updates.decide import TaskDecisions
from airflow_provider_fastlabel.pipelines.updates.decision_record import DecisionRecord
from airflow_provider_fastlabel.pipelines.updates.decisions import read_decision
from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection
from tests.airflow_fixtures import PNG

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        yield client


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def fill(client, picture):
    return lambda *names, **fields: {n: client.create_image_task("cats", n, picture, **fields) for n in names}


@pytest.fixture
def decide(client, tmp_path):
    """Let a function decide on the registered tasks, with the record of this test."""

    def run(function, **more):
        record = DecisionRecord(tmp_path / "record.jsonl", project="cats")
        selection = more.pop("selection", TaskSelection("cats", filter_status="registered"))
        return TaskDecisions(client, selection, function, **{"record": record, **more})

    return run


def test_a_retry_asks_nothing_about_tasks_that_are_done(client, fastlabel_emulator, fill, decide):
    ids = list(fill(*[f"{number}.png" for number in range(4)]).values())
    fastlabel_emulator.fault("status", method="PUT", times=1, status=422)
    chosen = {"selection": TaskSelection("cats", task_ids=ids)}
    with pytest.raises(RunIncomplete):
        decide(lambda task: "approved", **chosen).carry_out(max_workers=1)
    fastlabel_emulator.clear_requests()
    done = decide(lambda task: "approved", **chosen).carry_out(max_workers=1)
    assert (done["changed"], done["changed_before"]) == (1, 3)
    asked = [request["path"] for request in fastlabel_emulator.requests() if request["method"] == "GET"]
    assert sum(any(task_id in path for task_id in ids) for path in asked) == 1


def comments(client, task_id):
    return [each["text"] for made in client.iter_task_comments("cats", task_id) for each in made["threads"]]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_call_each_thing_happens_once(fastlabel_emulator, picture, tmp_path, when):
    command = [sys.executable, "-m", "tests.pipelines.updates.dying"]
    arguments = [fastlabel_emulator.url, fastlabel_emulator.token, str(tmp_path), str(picture), when]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 9  # three tasks: a look at the comments, a comment and an update each
    right = {f"{name}.png": ["sent_back", ["old", "seen"], 1] for name in range(3)}
    assert {row["call"]: row["tasks"] for row in rows} == {row["call"]: right for row in rows}


def test_everything_that_can_be_decided_is_done(client, decide, fill):
    ids = fill(*"abcde", tags=["old"])
    client.update_task(ids["e"], assignee=None)
    answers = {
        "a": None,
        "b": "approved",
        "c": {"external_status": "declined", "priority": 30, "tags": {"new"}, "reviewer": None},
        "d": {"status": "sent_back", "comment": {"text": "no cat", "points": [3, 4]}, "add_tags": ["seen"]},
        "e": {"status": "registered"},  # which it is
    }
    done = decide(lambda task: answers[task["name"]]).carry_out()
    assert done == {"looked_at": 5, "changed": 3, "left": 2, "failed": 0, "changed_before": 0}
    found = {task["name"]: task for task in client.iter_tasks("cats", "image")}
    assert [found[name]["status"] for name in "abcde"] == [
        "registered", "approved", "registered", "sent_back", "registered",
    ]  # fmt: skip
    assert (found["c"]["externalStatus"], found["c"]["priority"], found["c"]["tags"]) == ("declined", 30, ["new"])
    assert sorted(found["d"]["tags"]) == ["old", "seen"]
    (comment,) = client.get_task_comments("cats", ids["d"])
    assert (comment["threads"][0]["text"], comment["points"]) == ("no cat", [3, 4])


def test_people_are_named_by_their_slugs_the_external_ones_too(client, decide, fill, fastlabel_emulator):
    for slug in ("maria", "ken", "aki"):
        fastlabel_emulator.add_user(slug, slug)
    (task_id,) = fill("a").values()
    decide(lambda task: {"assignee": "maria", "external_assignee": "ken", "external_reviewer": "aki"}).carry_out()
    found = client.find_image_task(task_id)
    assert [found[name] for name in ("assignee", "externalAssignee", "externalReviewer")] == ["maria", "ken", "aki"]
    again = TaskSelection("cats", task_ids=[task_id])
    decide(lambda task: {"assignee": None}, selection=again, record=None).carry_out()
    found = client.find_image_task(task_id)
    assert (found["assignee"], found["externalAssignee"]) == (None, "ken")


def test_what_is_wrong_with_one_task_is_that_tasks_failure(client, decide, fill):
    ids = fill(*"abc")

    def function(task):
        return {"a": 1 / 0 if task["name"] == "a" else 0, "b": {"status": "fine"}, "c": "approved"}[task["name"]]

    with pytest.raises(RunIncomplete) as caught:
        decide(function).carry_out()
    assert caught.value.summary == {"looked_at": 3, "changed": 1, "left": 0, "failed": 2, "changed_before": 0}
    assert {failure.name for failure in caught.value.failures} == {"a", "b"}
    assert "What was done stays" in str(caught.value)
    assert client.find_image_task(ids["c"])["status"] == "approved"


def test_a_function_that_always_fails_ends_the_run_before_anything_is_changed(decide, fill, fastlabel_emulator):
    fill(*map(str, range(25)))
    asked = []

    def function(task):
        asked.append(task)
        return task["nothing"]

    with pytest.raises(RunIncomplete, match="the function failed on 20 tasks in a row"):
        decide(function).carry_out()
    assert len(asked) == 20
    assert not any(request["method"] == "PUT" for request in fastlabel_emulator.requests())


@pytest.mark.parametrize("error", [AuthError("no", 401), KeyboardInterrupt(), InterruptedError])
def test_what_concerns_all_tasks_ends_the_run(decide, fill, error):
    fill("a", "b")
    asked = []

    def function(task):
        asked.append(task)
        raise error

    with pytest.raises(BaseException) as caught:
        decide(function, ending=(InterruptedError,)).carry_out()
    assert not isinstance(caught.value, RunIncomplete)
    assert len(asked) == 1


def test_tasks_that_are_not_there_fail_by_name(client, decide, fill):
    fill("a")
    with pytest.raises(RunIncomplete, match="project cats has no such task") as caught:
        decide(lambda task: "approved", selection=TaskSelection("cats", task_names=["a", "z"])).carry_out()
    assert caught.value.summary["changed"] == 1
    assert [failure.name for failure in caught.value.failures] == ["z"]
    with pytest.raises(RunIncomplete, match="no such task"):
        decide(lambda task: "approved", selection=TaskSelection("cats", task_ids=["z"])).carry_out()


def test_a_dry_run_asks_and_changes_nothing(client, decide, fill, tmp_path, fastlabel_emulator, caplog):
    fill(*map(str, range(25)))
    fastlabel_emulator.clear_requests()
    caplog.set_level("INFO")
    done = decide(lambda task: None if task["name"] == "1" else "approved", record=None).dry_run()
    assert done == {"looked_at": 25, "would_change": 24, "left": 1, "failed": 0, "dry_run": True}
    assert {request["method"] for request in fastlabel_emulator.requests()} == {"GET"}
    assert sum("Would decide on" in line for line in caplog.messages) == 20
    assert any("and on 4 more" in line for line in caplog.messages)
    with pytest.raises(RunIncomplete, match="Nothing was changed"):
        decide(lambda task: task["nothing"], record=None).dry_run()


def test_a_run_that_ends_while_it_asks_tells_its_own_counts(client, decide, fill):
    fill(*(str(number) for number in range(25)))
    with pytest.raises(RunIncomplete, match="changed by this run") as caught:
        decide(lambda task: task["nothing"]).carry_out()
    assert caught.value.summary == {"looked_at": 20, "changed": 0, "left": 0, "failed": 20, "changed_before": 0}


def test_what_is_no_json_is_the_failure_of_its_task_alone(client, decide, fill):
    ids = fill("a", "b", "c")
    answers = {
        "a": {"priority": np.int64(10)},
        "b": {"comment": {"text": "here", "points": {1, 2}}},
        "c": {"comment": {"text": "there", "frame": np.int64(3)}},
    }
    with pytest.raises(RunIncomplete, match="which holds something that is no JSON") as caught:
        decide(lambda task: answers[task["name"]]).carry_out()
    assert (caught.value.summary["changed"], caught.value.summary["failed"]) == (1, 2)
    assert client.find_task("image", ids["a"])["priority"] == 10


def test_a_retry_keeps_the_answers_and_counts_what_was_done(client, decide, fill, fastlabel_emulator):
    ids = fill(*"abcd")
    fastlabel_emulator.faults({"method": "PUT", "times": 2, "kind": "status", "status": 500})
    with pytest.raises(RunIncomplete):
        decide(lambda task: {"status": "approved", "comment": "first"}).carry_out(max_workers=1)
    done = decide(lambda task: {"status": "declined", "comment": "second"}).carry_out()
    assert done == {"looked_at": 2, "changed": 2, "left": 0, "failed": 0, "changed_before": 2}
    assert {task["status"] for task in client.iter_tasks("cats", "image")} == {"approved"}
    assert [comments(client, task_id) for task_id in ids.values()] == [["first"]] * 4


def test_a_comment_whose_answer_was_lost_is_looked_for(client, decide, fill, fastlabel_emulator):
    (task_id,) = fill("a").values()
    fastlabel_emulator.faults({"method": "POST", "path": "comments", "times": 1, "kind": "lost_answer"})
    done = decide(lambda task: {"comment": "look"}).carry_out()
    assert done["changed"] == 1
    assert comments(client, task_id) == ["look"]


def test_without_the_record_a_comment_of_this_run_is_not_repeated(client, decide, fill):
    (task_id,) = fill("a").values()
    client.create_task_comment(task_id, [0, 0], "look")
    now = datetime.now(UTC)
    decide(lambda task: {"comment": "look"}, since=now, record=None).carry_out()
    assert comments(client, task_id) == ["look"]
    decide(lambda task: {"comment": "look"}, since=now + timedelta(hours=1), record=None).carry_out()
    assert comments(client, task_id) == ["look", "look"]  # that of an earlier run does not count
    decide(lambda task: {"comment": "look"}, record=None).carry_out()
    assert len(comments(client, task_id)) == 3


def test_stopping_takes_up_no_more_tasks(client, decide, fill):
    fill(*"abc")
    stop = threading.Event()

    def function(task):
        stop.set()
        return "approved"

    with pytest.raises(RunIncomplete, match="stopped on request"):
        decide(function, stop=stop).carry_out()
    assert {task["status"] for task in client.iter_tasks("cats", "image")} == {"registered"}
    assert decide(lambda task: "declined").carry_out()["changed"] == 3
    assert sorted(task["status"] for task in client.iter_tasks("cats", "image")) == ["approved", "declined", "declined"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("my notes\n", "is not a decision record"),
        ('{"manifest": "fastlabel-import", "version": 1}\n', "is not a decision record"),
        (
            '{"manifest": "fastlabel-decisions", "version": 1, "project": "dogs"}\n',
            "is about project 'dogs', not 'cats'",
        ),
    ],
)
def test_another_file_in_the_records_place_is_refused(decide, tmp_path, content, words):
    (tmp_path / "record.jsonl").write_text(content)
    with pytest.raises(FastLabelInvalidException, match=words) as caught:
        decide(lambda task: "approved").carry_out()
    assert "Nothing was changed. Give `record` another path." in str(caught.value)


def test_damaged_lines_of_a_record_are_ignored_and_said(client, decide, fill, tmp_path, caplog):
    ids = fill("a")
    lines = [
        '{"manifest": "fastlabel-decisions", "version": 1, "project": "cats"}',
        '{"task": 5}',
        '{"task": "x", "fate": "done"}',
        f'{{"task": "{ids["a"]}", "fate": "decided", "decision": {{"status": "fine"}}}}',
        f'{{"task": "{ids["a"]}", "fate": "decided", "decision": null}}',
        f'{{"task": "{ids["a"]}", "fate": "decided", "decision": {{"status": "declined"}}}}',
        f'{{"task": "{ids["a"]}", "fate": "commenting", "comments": "many"}}',
        '{"task": "cut o',
    ]
    (tmp_path / "record.jsonl").write_text("\n".join(lines))
    assert decide(lambda task: "approved").carry_out()["changed"] == 1
    assert client.find_image_task(ids["a"])["status"] == "declined"
    assert "6 lines of the record" in caplog.text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "returned 5"),
        (True, "returned True"),
        ("fine", "decided status 'fine', which is none of approved"),
        ({"status": True}, "decided status True"),
        ({"external_status": "fine"}, "decided external_status"),
        ({"priority": 5}, "decided priority 5, which is none of 0, 10, 20, 30"),
        ({"priority": False}, "decided priority False"),
        ({"priority": [10]}, "decided priority"),
        ({"state": "approved"}, "decided 'state', which is none of status"),
        ({"tags": "a"}, "it must be a list of texts"),
        ({"add_tags": [""]}, "it must be a list of texts"),
        ({"tags": [], "add_tags": []}, "decide one of them"),
        ({"assignee": ""}, "slug of a person"),
        ({"external_reviewer": 5}, "slug of a person"),
        ({"comment": ""}, "decided the comment"),
        ({"comment": {"points": [1, 2]}}, "decided the comment"),
        ({"comment": {"text": "a", "colour": "red"}}, "decided the comment"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(value, words):
    with pytest.raises(FastLabelInvalidException, match=words) as caught:
        read_decision(value)
    assert "This task was left as it is." in str(caught.value)


@pytest.mark.parametrize("value", [None, {}, {"status": None, "comment": None, "tags": None}])
def test_an_answer_that_says_nothing_leaves_the_task(value):
    assert read_decision(value) is None
