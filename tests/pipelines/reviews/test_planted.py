"""Forty planted label errors in 500 scenes: how many are shown, and sent to people as comments, each once.

The figures are those that docs/how-to/send-back.md tells.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.reviews.send import sent_before, text_of
from airflow_provider_fastlabel.pipelines.reviews.suspicions import by_model, by_rules, read_predictions
from tests.pipelines.reports.labelled import LOOKS, box, plant, streets
from tests.pipelines.reports.test_report import data_of, made

ROOT = Path(__file__).resolve().parents[3]
FIRST = 100
BY_RULES = {"swapped class": 10, "shifted box": 1, "missing object": 0, "duplicate": 10}
BY_MODEL = {"swapped class": 10, "shifted box": 10, "missing object": 10, "duplicate": 9}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], dict[str, set[str]], Path]:
    """Scenes with planted errors, the names of these, and what a model predicts, as a COCO file."""
    tasks = streets(500)
    truth = copy.deepcopy(tasks)
    planted = plant(tasks)
    place = tmp_path_factory.mktemp("planted") / "predictions.json"
    place.write_text(json.dumps(predicted(truth)))
    return tasks, planted, place


def predicted(truth: list[Any]) -> dict[str, Any]:
    """A model that misses one object in fifty, jitters the others by 4 %, and now and then sees what is not there."""
    dice = random.Random(3)
    values = list(LOOKS)
    found: list[Any] = []
    for number, one in enumerate(truth):
        for each in noisy(one["annotations"], dice):
            x1, y1, x2, y2 = each["points"]
            of = {"id": len(found), "image_id": number, "category_id": values.index(each["value"])}
            found.append({**of, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": each["score"]})
    images = [{"id": number, "file_name": one["name"], "width": 640, "height": 480} for number, one in enumerate(truth)]
    categories = [{"id": number, "name": value} for number, value in enumerate(values)]
    return {"images": images, "categories": categories, "annotations": found}


def noisy(annotations: list[Any], dice: random.Random) -> Any:
    for one in annotations:
        x1, y1, x2, y2 = one["points"]
        by = [dice.gauss(0, 0.04) for _ in range(4)]
        points = [x1 + by[0] * (x2 - x1), y1 + by[1] * (y2 - y1), x2 + by[2] * (x2 - x1), y2 + by[3] * (y2 - y1)]
        if dice.random() > 0.02:
            yield {**one, "points": points, "score": dice.uniform(0.6, 0.99)}
    if dice.random() < 0.2:
        x, y = dice.uniform(0, 500), dice.uniform(0, 400)
        yield box("car", x, y, x + 60, y + 40, score=dice.uniform(0.1, 0.6))


def shown_by(names: Any, planted: dict[str, set[str]]) -> dict[str, int]:
    """Count, by kind, the planted errors whose pictures are among the first so many."""
    first = set(list(dict.fromkeys(names))[:FIRST])
    return {kind: len(own & first) for kind, own in planted.items()}


def test_the_contact_sheet_of_the_page_shows_what_rules_can_see(scenes):
    tasks, planted, _ = scenes
    data = data_of(made(tasks).page)
    sheet = [picture["n"] for picture in data["pictures"][: data["sheet"]]]
    assert shown_by(sheet, planted) == BY_RULES
    # All that is on the sheet is suspected of something, and of 22 pictures only one is as it should be.
    assert all(picture["f"] for picture in data["pictures"][: data["sheet"]])
    assert (len(sheet), sum(BY_RULES.values())) == (22, 21)


def test_suspicions_lead_to_what_the_sheet_shows_and_a_model_to_nearly_all(scenes):
    tasks, planted, place = scenes
    assert shown_by([each.task_name for each in by_rules(tasks).suspicions], planted) == BY_RULES
    found = by_model(tasks, read_predictions(place))
    assert shown_by([each.task_name for each in found.suspicions], planted) == BY_MODEL


@pytest.fixture
def sent_scenes(scenes, fastlabel_emulator, tmp_path):
    """The scenes as tasks of the project ``streets`` of the emulator, with its client."""
    tasks, _, _ = scenes
    picture = tmp_path / "picture.png"
    Image.new("L", (640, 480), 90).save(picture)
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Streets", "streets")
        for value in LOOKS:
            client.create_annotation("streets", "bbox", value.replace(" ", "_"), value)

        def create(one: Any) -> None:
            drawn = [{**each, "value": each["value"].replace(" ", "_")} for each in one["annotations"]]
            client.create_image_task("streets", one["name"], picture, status="approved", annotations=drawn)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(create, tasks))
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("who", "call", "total"), [("rules", 17, 30), ("model", 70, 122)])
def test_each_error_is_commented_on_once_though_the_sender_is_killed(
    scenes, sent_scenes, fastlabel_emulator, tmp_path, when, who, call, total
):
    """The sender dies in the middle of its comments; the second run sends the rest, and no comment is there twice."""
    _, planted, place = scenes
    client = sent_scenes
    predictions = tmp_path / "predictions.json"
    predictions.write_text(place.read_text().replace("traffic light", "traffic_light"))
    command = [sys.executable, "-m", "tests.pipelines.reviews.dying", fastlabel_emulator.url, fastlabel_emulator.token]
    given = ["streets", when, str(call), *([str(predictions)] if who == "model" else [])]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] == 1
    assert 0 < told["open"] < total  # what the first run had sent when it was killed
    assert told["open"] + told["new"] == total

    tasks = client.iter_tasks("streets", "image")
    found = by_model(tasks, read_predictions(predictions)) if who == "model" else by_rules(tasks)
    texts = Counter(thread["text"] for thread in client.iter_project_comments("streets"))
    assert texts == Counter(map(text_of, found.suspicions))
    assert set(texts.values()) == {1}
    names = dict.fromkeys(each.task_id for each in sent_before(client, "streets"))
    commented = {task["name"] for task in client.iter_tasks("streets", "image") if task["id"] in names}
    reached = {kind: len(own & commented) for kind, own in planted.items()}
    assert reached == (dict.fromkeys(planted, 10) if who == "model" else BY_RULES)
