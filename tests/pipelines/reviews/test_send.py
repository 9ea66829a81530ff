"""Suspicious labels go back to people as comments: each once, whatever dies, and not again when resolved."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
from airflow_provider_fastlabel.pipelines.reviews.send import send_back, sent_before, text_of
from airflow_provider_fastlabel.pipelines.reviews.suspicions import by_model, by_rules
from tests.airflow_fixtures import PNG
from tests.pipelines.reports.labelled import box, task

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def client(fastlabel_emulator, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        twice = [{"type": "bbox", "value": "cat", "points": [4, 4, 40 + by, 40]} for by in (0, 1)]
        for number in range(4):
            client.create_image_task("cats", f"{number}.png", picture, annotations=twice)
        yield client


def texts(client):
    return Counter(thread["text"] for thread in client.iter_project_comments("cats"))


def look(client):
    return by_rules(client.iter_tasks("cats", "image"))


def test_each_is_sent_once_and_at_most_so_many_at_a_time(client):
    assert send_back(client, "cats", look(client), most=9, dry_run=True)["left"] == len(look(client).suspicions)
    assert not texts(client)
    total = len(look(client).suspicions)
    assert send_back(client, "cats", look(client), most=3)["new"] == 3
    done = send_back(client, "cats", look(client), most=100)
    assert (done["new"], done["open"], done["left"]) == (total - 3, 3, 0)
    assert send_back(client, "cats", look(client), most=100)["new"] == 0
    assert len(texts(client)) == total
    assert set(texts(client).values()) == {1}


def test_what_is_resolved_or_mended_is_counted_and_not_sent_again(client):
    found = look(client)
    first = found.suspicions[0]
    client.create_task_comment(first.task_id, [0, 0], text_of(first), is_resolved=True)
    done = send_back(client, "cats", found, most=100)
    assert (done["resolved"], done["new"]) == (1, len(found.suspicions) - 1)
    mended = found.suspicions[1].task_id
    client.update_image_task(mended, annotations=[{"type": "bbox", "value": "cat", "points": [4, 4, 40, 40]}])
    after = send_back(client, "cats", look(client), most=100)
    assert (after["new"], after["resolved"]) == (0, 1)
    assert after["gone"] >= 1
    assert set(texts(client).values()) == {1}


def test_a_comment_whose_answer_was_lost_is_looked_for(client, fastlabel_emulator):
    fastlabel_emulator.faults({"method": "POST", "path": "comments", "times": 1, "kind": "lost_answer"})
    send_back(client, "cats", look(client), most=100)
    assert set(texts(client).values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_sends_each_arrives_once(client, fastlabel_emulator, when):
    command = [sys.executable, "-m", "tests.pipelines.reviews.dying"]
    arguments = [fastlabel_emulator.url, fastlabel_emulator.token, "cats", when, "3,4,5,7,9,12"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] >= 3
    assert len(texts(client)) == len(look(client).suspicions)
    assert set(texts(client).values()) == {1}
    assert len(sent_before(client, "cats")) == len(texts(client))


def predictions(by_image: dict[str, Any]) -> ImportedAnnotations:
    return ImportedAnnotations(by_image=by_image)


def test_a_suspicion_is_the_same_when_the_model_draws_a_little_differently():
    labels = [task("a.jpg", box("car", 10, 10, 60, 60))]
    other = {"a.jpg": [box("truck", 11, 10, 61, 60, confidenceScore=0.9), box("car", 200, 200, 260, 260)]}
    found = by_model(labels, predictions(other))
    assert [(each.kind, each.value) for each in found.suspicions] == [("other_class", "car"), ("missing", "car")]
    assert "A model sees truck here (90%), and the label says car" in text_of(found.suspicions[0])


@pytest.mark.parametrize("broken", ["label", "prediction", "problem"])
def test_a_picture_that_was_not_read_whole_is_left_out_and_told(broken, caplog):
    car, odd = box("car", 10, 10, 60, 60), {**box("car", 10, 10, 60, 60), "points": [1, "x", 3, 4]}
    labels = [task("a.jpg", odd if broken == "label" else car), task("b.jpg", car)]
    model = predictions({"a.jpg": [odd if broken == "prediction" else car], "b.jpg": [box("bus", 10, 10, 60, 60)]})
    if broken == "problem":
        model.by_image["a.jpg"] = []
        model.add_problem("predictions.json", "annotations[0]: bbox is no list of four numbers", image="a.jpg")
    found = by_model(labels, model)
    assert [(each.kind, each.task_name) for each in found.suspicions] == [("other_class", "b.jpg")]
    assert (found.counts["missing"], found.counts["unseen"]) == (0, 0)
    (told,) = (one.message for one in caplog.records if one.levelname == "WARNING")
    assert told.startswith("1 picture is left out, because a label or a prediction cannot be read")
    assert "a.jpg" in told


@pytest.mark.parametrize("length", [10, 1000])
def test_a_suspicion_in_a_sequence_names_its_picture_however_long_the_names(length):
    twice = [box("car", 10, 10, 60 + by, 60, content="1.jpg") for by in (0, 1)]
    sequence = task("w" * length, *twice, contents=[{"name": "1.jpg", "width": 640, "height": 480}])
    first = by_rules([sequence]).suspicions[0]
    assert (first.task_name, first.content_name) == ("w" * length, "1.jpg")
