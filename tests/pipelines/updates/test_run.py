"""Many tasks are changed or deleted without Airflow; the operators' tests cover the rest."""

from __future__ import annotations

import pickle

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.updates.run import Changes, delete_tasks, update_tasks
from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection


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
