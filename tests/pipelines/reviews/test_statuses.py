"""Suspicious tasks get another status: each once, whatever dies, and none that somebody has moved meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import AuthError
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.reviews.send import send_back, text_of
from airflow_provider_fastlabel.pipelines.reviews.statuses import Mover
from airflow_provider_fastlabel.pipelines.reviews.suspicions import Found, Suspicion, by_rules
from tests.airflow_fixtures import PNG

ROOT = Path(__file__).resolve().parents[3]
TAG = "second_look"


@pytest.fixture
def client(fastlabel_emulator, tmp_path):
    """Four approved tasks with a cat drawn twice each, and one with a single cat that is as it should be."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        twice = [{"type": "bbox", "value": "cat", "points": [0, 0, 1, high]} for high in (1, 0.96)]
        for number in range(4):
            client.create_image_task("cats", f"{number}.png", picture, annotations=twice, status="approved", tags=["t"])
        client.create_image_task("cats", "good.png", picture, annotations=twice[:1], status="approved")
        yield client


def send(client, *, before=lambda: None, status="sent_back", listed="approved", **arguments):
    """Look and send; ``before`` is what people do between the two."""
    mover = Mover(client, "image", TAG, status)
    found = by_rules(mover.watch(client.iter_tasks("cats", "image", status=listed)))
    before()
    return send_back(client, "cats", found, **{"most": 100, "mover": mover, **arguments})


def tasks(client):
    return {task["name"]: task for task in client.get_image_tasks("cats")}


def statuses(client):
    return Counter(task["status"] for task in tasks(client).values())


def puts(emulator):
    return Counter(request["path"] for request in emulator.requests() if request["method"] == "PUT")


def test_each_task_is_moved_once_with_a_tag_beside_its_others(client, fastlabel_emulator):
    done = send(client)
    assert (done["new"], done["status_set"], done["status_set_before"], done["moved_on"]) == (4, 4, 0, 0)
    assert statuses(client) == {"sent_back": 4, "approved": 1}
    assert {tuple(task["tags"]) for task in tasks(client).values()} == {("t", TAG), ()}
    assert set(puts(fastlabel_emulator).values()) == {1}
    again = send(client, listed=None)
    assert (again["new"], again["status_set"], again["status_set_before"]) == (0, 0, 4)
    assert len(puts(fastlabel_emulator)) == 4


def test_who_approves_it_again_is_not_asked_again(client, fastlabel_emulator):
    send(client)
    moved = tasks(client)["0.png"]
    client.update_task(moved["id"], status="approved")
    done = send(client)
    assert (done["status_set"], done["status_set_before"]) == (0, 1)
    assert tasks(client)["0.png"]["status"] == "approved"
    client.update_image_task(moved["id"], tags=["t"])  # the tag is taken off: it may go back again
    assert send(client)["status_set"] == 1


def test_a_task_that_somebody_has_moved_or_deleted_meanwhile_is_left_alone(client):
    known = tasks(client)

    def people():
        client.update_task(known["0.png"]["id"], status="declined")
        client.update_task(known["1.png"]["id"], external_status="completed")
        client.update_task(known["2.png"]["id"], tags=[TAG])

    done = send(client, before=people)
    assert (done["status_set"], done["status_set_before"], done["moved_on"]) == (1, 1, 2)
    assert {name: task["status"] for name, task in tasks(client).items()} == {
        "0.png": "declined", "1.png": "approved", "2.png": "approved", "3.png": "sent_back", "good.png": "approved",
    }  # fmt: skip


def test_a_task_that_is_gone_is_no_failure_without_comments(client):
    gone = tasks(client)["0.png"]["id"]
    done = send(client, before=lambda: client.delete_task(gone), comment=False)
    assert (done["status_set"], done["moved_on"], done["new"]) == (3, 1, 0)


def test_without_comments_so_many_tasks_at_most_are_moved(client):
    done = send(client, comment=False, most=3)
    assert (done["new"], done["status_set"], done["left"]) == (0, 3, 1)
    done = send(client, comment=False, most=3)
    assert (done["status_set"], done["left"]) == (1, 0)
    assert not list(client.iter_project_comments("cats"))


def test_tasks_that_a_run_has_not_moved_are_left_for_another(client, fastlabel_emulator):
    assert send(client, comment=False, most=3, dry_run=True)["left"] == 4
    fastlabel_emulator.faults({"method": "PUT", "path": "tasks", "times": 1, "kind": "status", "status": 400})
    gone = next(task["id"] for name, task in tasks(client).items() if name == "0.png")
    with pytest.raises(RunIncomplete) as raised:
        send(client, before=lambda: client.delete_task(gone), comment=False, most=4)
    told = raised.value.summary
    assert (told["status_set"], told["moved_on"], told["left"]) == (2, 1, 1)


def test_what_was_resolved_moves_no_task(client):
    first = by_rules(client.iter_tasks("cats", "image")).suspicions[0]
    client.create_task_comment(first.task_id, [0, 0], text_of(first), is_resolved=True)
    assert send(client)["status_set"] == 3
    assert tasks(client)[first.task_name]["status"] == "approved"


def test_a_dry_run_changes_nothing_and_says_what_it_would(client, fastlabel_emulator, caplog):
    done = send(client, dry_run=True)
    assert (done["status_set"], done["left"]) == (0, 4)
    assert not puts(fastlabel_emulator)
    assert "Would set status sent_back, tag second_look of '0.png'" in caplog.text


def test_a_task_that_is_moved_gets_all_its_comments_before(client):
    """Of one task not all comments would fit, so it waits: nobody looks at it again once it is moved."""
    three = [{"type": "bbox", "value": "cat", "points": [0, 0, 1, high]} for high in (1, 0.96, 0.92)]
    client.update_image_task(tasks(client)["3.png"]["id"], annotations=three)
    total = len(by_rules(client.iter_tasks("cats", "image")).suspicions)
    done = send(client, most=total - 1)
    assert done["left"] == total - done["new"] > 0
    assert statuses(client) == {"sent_back": 3, "approved": 2}
    assert send(client)["left"] == 0
    assert statuses(client) == {"sent_back": 4, "approved": 1}


def suspected(*tasks):
    """What is suspected of which task, one after the other, each at a place of its own."""
    places = [(10.0 * at, 0.0, 10.0 * at + 9, 9.0) for at in range(len(tasks))]
    each = [
        Suspicion(one["id"], one["name"], "odd", "cat", where, "Odd") for one, where in zip(tasks, places, strict=True)
    ]
    return Found(each, {"odd": len(each)}, {one["id"] for one in tasks})


def commented(client):
    """How many comments each task has, and which were moved."""
    comments = Counter(thread["comment"]["taskId"] for thread in client.iter_project_comments("cats"))
    return {name: (comments[task["id"]], task["status"]) for name, task in tasks(client).items()}


def test_a_task_of_more_comments_than_one_run_makes_is_moved_after_the_last(client):
    known = tasks(client)
    found = suspected(*[known["0.png"]] * 5)
    for told in [(2, "approved"), (4, "approved"), (5, "sent_back")]:
        mover = Mover(client, "image", TAG, "sent_back")
        list(mover.watch(client.iter_tasks("cats", "image", status="approved")))
        send_back(client, "cats", found, most=2, mover=mover)
        assert commented(client)["0.png"] == told


def test_tasks_are_taken_whole_as_many_as_fit(client):
    """Each has a suspicion of the first kind and one of the second, so the first four comments belong to four tasks."""
    known = tasks(client)
    four = [known[f"{number}.png"] for number in range(4)]
    mover = Mover(client, "image", TAG, "sent_back")
    list(mover.watch(client.iter_tasks("cats", "image", status="approved")))
    done = send_back(client, "cats", suspected(*four, *four), most=5, mover=mover)
    assert (done["new"], done["left"], done["status_set"]) == (4, 4, 2)
    told = commented(client)
    assert [told[f"{number}.png"] for number in range(4)] == [(2, "sent_back")] * 2 + [(0, "approved")] * 2


def test_a_failure_is_said_and_a_retry_sends_the_rest(client, fastlabel_emulator):
    fastlabel_emulator.faults({"method": "PUT", "path": "tasks", "times": 1, "kind": "status", "status": 500})
    with pytest.raises(RunIncomplete, match="a retry sends the rest") as raised:
        send(client)
    assert (raised.value.summary["new"], raised.value.summary["status_set"]) == (4, 3)
    assert send(client)["status_set"] == 1
    assert statuses(client) == {"sent_back": 4, "approved": 1}


def test_a_comment_that_is_refused_holds_up_its_own_task_only(client, fastlabel_emulator):
    fastlabel_emulator.faults({"method": "POST", "path": "comments", "times": 1, "kind": "status", "status": 400})
    with pytest.raises(
        RunIncomplete, match=r"1 failed, the first: '\d.png': .*'status_set': 3.*a retry sends the rest"
    ) as raised:
        send(client)
    (failure,) = raised.value.failures
    assert (raised.value.summary["new"], raised.value.summary["status_set"], raised.value.summary["left"]) == (3, 3, 1)
    assert commented(client)[failure.name] == (0, "approved")
    assert send(client)["status_set"] == 1
    assert statuses(client) == {"sent_back": 4, "approved": 1}


def test_nothing_is_moved_where_fastlabel_refuses_all(client, fastlabel_emulator):
    fastlabel_emulator.faults({"method": "POST", "path": "comments", "times": 9, "kind": "status", "status": 401})
    with pytest.raises(AuthError):
        send(client)
    assert not puts(fastlabel_emulator)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_each_is_moved_once(client, fastlabel_emulator, when):
    command = [sys.executable, "-m", "tests.pipelines.reviews.dying", fastlabel_emulator.url, fastlabel_emulator.token]
    given = ["cats", when, "3,4,5,6,7,8,9,10", "", "sent_back"]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] >= 4
    assert statuses(client) == {"sent_back": 4, "approved": 1}
    assert puts(fastlabel_emulator).total() == 4
    texts = Counter(thread["text"] for thread in client.iter_project_comments("cats"))
    assert (len(texts), set(texts.values())) == (4, {1})
