"""FastLabelSendBackOperator, as a worker runs it against the emulator."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.operators import FastLabelSendBackOperator
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from tests.airflow_fixtures import PNG, later


@pytest.fixture
def client(emulator, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    with FastLabelClient(emulator.token, api_url=emulator.url) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        cat = [{"type": "bbox", "value": "cat", "points": [4, 4, 40, 40]}]
        client.create_image_task("cats", "a.png", picture, annotations=cat, status="approved")
        yield client


@pytest.fixture
def send(airflow_run, emulator):
    def go(**arguments):
        given = {"project": "cats", **arguments}
        return airflow_run(lambda: FastLabelSendBackOperator(task_id="send", **given)).attempt()

    return go


def coco(path, value, *box):
    images = [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}]
    found = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": list(box), "score": 0.9}]
    path.write_text(json.dumps({"images": images, "categories": [{"id": 1, "name": value}], "annotations": found}))
    return str(path)


def test_predictions_are_held_against_labels_and_sent_once(client, send, tmp_path):
    place = coco(tmp_path / "predicted.json", "dog", 4, 4, 36, 36)
    tried = send(predictions=place, dry_run=True)
    assert tried.error is None, repr(tried.error)
    assert tried.result["left"] == 1
    assert send(predictions=place).result["new"] == 1
    again = send(predictions=place).result
    assert (again["new"], again["open"], again["suspicions"]["other_class"]) == (0, 1, 1)
    (thread,) = client.iter_project_comments("cats")
    assert thread["text"].startswith("A model sees dog here (90%), and the label says cat. Is that right? [review ")
    assert send(predictions=coco(tmp_path / "predicted.json", "cat", 4, 4, 36, 36)).result["gone"] == 1


def test_a_file_that_is_no_predictions_is_refused_before_anything_is_sent(client, send, tmp_path):
    place = tmp_path / "predicted.json"
    place.write_text('{"images": [], "categories": [], "annotations": []}')
    with pytest.raises(ValueError, match="holds no prediction that can be read. Nothing was sent"):
        raise send(predictions=str(place)).reason
    assert not list(client.iter_project_comments("cats"))


def test_tasks_get_a_status_once(client, send, tmp_path):
    place = coco(tmp_path / "predicted.json", "dog", 4, 4, 36, 36)
    tried = send(predictions=place, status="{{ 'sent_back' }}", tag="looked at", dry_run=True)
    assert tried.error is None, repr(tried.error)
    assert tried.result["status_set"] == 0
    told = send(predictions=place, status="sent_back", external_status="declined", tag="looked at").result
    assert (told["new"], told["status_set"]) == (1, 1)
    (task,) = client.get_image_tasks("cats")
    assert (task["status"], task["externalStatus"], task["tags"]) == ("sent_back", "declined", ["looked at"])
    again = send(predictions=place, filter_status=None, comment=False, status="sent_back", tag="looked at").result
    assert (again["status_set"], again["status_set_before"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"comment": False}, "comment is False, so give status or external_status"),
        ({"status": "sent_back", "tag": "t", "filter_tags": ["s", "t"]}, "tag 't' is one of filter_tags"),
        ({"comment": "{{ false }}", "status": ""}, "comment is False, so give status or external_status"),
        ({"status": "send_back"}, "status must be one of"),
        ({"external_status": "gone"}, "external_status must be one of"),
        ({"status": "approved"}, "status and filter_status are both 'approved'"),
        ({"status": "sent_back", "tag": "{{ none }}"}, "tag is empty"),
    ],
)
def test_a_status_that_cannot_be_meant_is_refused_before_anything_is_sent(client, send, emulator, arguments, words):
    before = len(emulator.requests())
    with pytest.raises(ValueError, match=words):
        raise send(**arguments).reason
    assert len(emulator.requests()) == before


def test_killing_the_task_sends_no_more_and_a_retry_sends_the_rest(client, send, emulator, tmp_path):
    twice = [{"type": "bbox", "value": "cat", "points": [0, 0, 1, high]} for high in (1, 0.96)]
    picture = tmp_path / "picture.png"
    for number in range(12):
        client.create_image_task("cats", f"{number}.png", picture, annotations=twice, status="approved")
    emulator.clear_requests()
    emulator.fault("slow", method="POST", times=12, seconds=0.3)
    task = FastLabelSendBackOperator(task_id="send", project="cats", status="sent_back")
    task.on_kill()  # before anything runs: nothing to stop
    thread = later(emulator, "comments", 3, task.on_kill)
    with pytest.raises(RunIncomplete, match="stopped on request"):
        task.execute({})
    thread.join()
    assert "PUT" not in {
        request["method"] for request in emulator.requests()
    }  # no task is moved before all comments are made
    emulator.faults()
    sent = len(list(client.iter_project_comments("cats")))
    told = send(status="sent_back").result
    assert 0 < told["open"] == sent
    assert len(list(client.iter_project_comments("cats"))) == sent + told["new"]
    assert told["status_set"] >= 12
