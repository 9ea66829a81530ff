"""Many tasks are changed or deleted without Airflow; the operators' tests cover the rest."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from functools import partial

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.updates.run import Changes, delete_tasks, update_tasks
from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection
from tests.operators.exporting import png


@pytest.mark.parametrize(
    ("changes", "known", "sent"),
    [
        (Changes(status="approved"), None, {"status": "approved"}),
        (Changes(priority=0), None, {"priority": 0}),
        (Changes(tags=("b", "a")), {"tags": ["c"]}, {"tags": ["b", "a"]}),
        (Changes(add_tags=["b", "a"]), {"tags": ["a"]}, {"tags": ["a", "b"]}),
        (Changes(add_tags=["a"]), {"tags": None}, {"tags": ["a"]}),
        (Changes(external_status="completed", add_tags=["a"]), None, {"external_status": "completed", "tags": ["a"]}),
    ],
)
def test_only_what_is_asked_is_sent(changes, known, sent):
    assert changes.for_task(known) == sent


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        yield client


def test_an_incomplete_run_says_what_is_done_and_what_is_not(client):
    selection = TaskSelection("cats", task_ids=["nobody", "nothing"])
    with pytest.raises(RunIncomplete, match="The update is not complete: 2 of 2 tasks of project cats") as caught:
        update_tasks(client, selection, Changes(status="approved"), max_workers=1)
    assert caught.value.summary == {"chosen": 2, "updated": 0, "unchanged": 0, "failed": 2}
    assert [failure.name for failure in caught.value.failures] == ["nobody", "nothing"]
    again = pickle.loads(pickle.dumps(caught.value))  # as between Airflow's processes
    assert (str(again), again.summary, again.failures) == (
        str(caught.value), caught.value.summary, caught.value.failures,
    )  # fmt: skip


def test_what_is_gone_already_is_missing_not_failed(client):
    assert delete_tasks(client, TaskSelection("cats", task_ids=["nobody"])) == {
        "chosen": 1, "deleted": 0, "missing": 1, "failed": 0,
    }  # fmt: skip


def test_tasks_that_match_a_filter_are_listed_several_pages_at_a_time(client, fastlabel_emulator, tmp_path):
    client.create_project("sequential_image_bbox", "Rides", "rides")
    picture = tmp_path / "ride" / "a.png"
    picture.parent.mkdir()
    picture.write_bytes(png())
    create = partial(client.create_sequential_image_task, "rides", folder_path=picture.parent, status="approved")
    ids = [create(f"{number:02}") for number in range(46)]
    fastlabel_emulator.fault("slow", path="tasks/sequential-image", seconds=0.5, times=9)
    chosen = TaskSelection("rides", filter_status="approved").resolve(client)
    assert [task.task_id for task in chosen] == ids
    calls = fastlabel_emulator.requests(method="GET", path="tasks/sequential-image")
    answered = [call for call in calls if call["ms"] is not None]  # the others were asked for in vain
    begun = [datetime.fromisoformat(call["at"]) for call in answered]
    ended = [at + timedelta(milliseconds=call["ms"]) for at, call in zip(begun, answered, strict=True)]
    assert any(following < end for following, end in zip(begun[1:], ended[:-1], strict=True))
    assert len(calls) <= 6 + 4
