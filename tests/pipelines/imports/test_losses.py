"""What an import counts as lost, what that does to the run, and how labels that were owed arrive later."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, UNUSABLE
from airflow_provider_fastlabel.pipelines.files.problems import Problem
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused, find_sources, import_files
from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations

BOX = {"type": "bbox", "value": "cat", "points": [1, 1, 7, 5]}


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        yield client


def cut_off(path):
    """Leave of a picture what the checks of an import find no fault with, and FastLabel does."""
    content = path.read_bytes()
    path.write_bytes(content[:24] + content[-12:])


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "PNG")
    for name in "abc":
        (folder / f"{name}.png").write_bytes(buffer.getvalue())
    return folder


@pytest.fixture
def run(client, folder, tmp_path):
    def go(annotations, **arguments):
        found = find_sources(folder, extensions=("png",))
        arguments = {"manifest": tmp_path / "m.jsonl", "problems": found.problems, **arguments}
        return import_files(client, "cats", found.sources, annotations=annotations, **arguments)

    return go


def boxes(client) -> dict[str, int]:
    return {task["name"]: len(task["annotations"]) for task in client.iter_image_tasks("cats")}


def fates(manifest) -> dict[str, dict]:
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    return {line["name"]: line for line in lines if "name" in line}


def test_annotations_and_pictures_are_counted(client, run):
    read = PreAnnotations({"a.png": [BOX, BOX], "b.png": [BOX]}, Counter({"a.png": 1, "b.png": 1}))
    result = run(read)
    assert result["annotations"] == {"read": 2, "sent": 2, "existing": 0, "lost": {}}
    assert (result["with_annotations"], result["without_annotations"], result["failed"]) == (2, 1, 0)
    assert boxes(client) == {"a.png": 2, "b.png": 1, "c.png": 0}
    again = run(read)
    assert again["annotations"] == {"read": 2, "sent": 0, "existing": 2, "lost": {}}


def test_annotations_without_picture_are_lost_and_refuse_the_run(client, run, tmp_path):
    with pytest.raises(ImportRefused, match=r"'z\.png': has annotations, and there is no such picture"):
        run({"a.png": [BOX], "z.png": [BOX, BOX]})
    assert boxes(client) == {}
    result = run({"a.png": [BOX], "z.png": [BOX, BOX]}, max_failures=1)
    assert result["annotations"] == {"read": 3, "sent": 1, "existing": 0, "lost": {"no_picture": 2}}
    assert (result["total"], result["created"], result["failed"]) == (4, 3, 1)
    assert fates(tmp_path / "m.jsonl")["z.png"]["lost"] == {"no_picture": 2}


def test_a_picture_with_one_lost_object_is_not_created(client, run, tmp_path):
    lost = [Problem("a.png", "a.txt:2: a field is not a number", UNUSABLE, 1)] * 2
    read = PreAnnotations(
        {"a.png": [BOX], "b.png": [BOX]},
        Counter({"a.png": 1, "b.png": 1}),
        [*lost, Problem("a.png", "no", UNUSABLE, 1)],
    )
    result = run(read, max_failures=1)
    assert boxes(client) == {"b.png": 1, "c.png": 0}
    assert result["annotations"]["lost"] == {"picture_failed": 1, UNUSABLE: 3}
    assert result["annotations"]["read"] == 5
    assert fates(tmp_path / "m.jsonl")["a.png"]["lost"] == {"picture_failed": 1, UNUSABLE: 3}


def test_failures_are_counted_by_picture(client, run):
    read = PreAnnotations(
        {"b.png": [BOX]},
        Counter({"b.png": 1}),
        [Problem("a.png", f"line {number}", UNUSABLE, 1) for number in range(50)],
    )
    assert run(read, max_failures=1)["failed"] == 1


def test_no_allowance_makes_a_run_green_that_brings_no_annotation(client, run, folder):
    with pytest.raises(ImportRefused, match=r"None of the annotations would arrive"):
        run({"y.png": [BOX], "z.png": [BOX]}, max_failures=100)
    assert boxes(client) == {}
    cut_off(folder / "a.png")
    with pytest.raises(ImportIncomplete, match="brought nothing of what was asked") as caught:
        run({"a.png": [BOX]}, max_failures=100)
    assert caught.value.summary["annotations"]["lost"] == {"picture_failed": 1}
    assert boxes(client) == {"b.png": 0, "c.png": 0}


def test_no_allowance_makes_a_run_green_that_brings_nothing(client, run, folder):
    for path in folder.iterdir():
        cut_off(path)
    with pytest.raises(ImportIncomplete, match="brought nothing of what was asked"):
        run(None, max_failures=100)


def test_a_task_created_bare_gets_its_labels_from_the_next_run(client, run):
    run({"b.png": [BOX]})
    result = run({"a.png": [BOX], "b.png": [BOX]})
    assert boxes(client) == {"a.png": 1, "b.png": 1, "c.png": 0}
    assert (result["updated"], result["exists"]) == (1, 2)
    assert result["annotations"] == {"read": 2, "sent": 1, "existing": 1, "lost": {}}
    assert run({"a.png": [BOX], "b.png": [BOX]})["updated"] == 0


def test_labels_of_people_are_never_replaced(client, run):
    run({"b.png": [BOX]})
    ident = client.task_ids_by_name("cats")["a.png"]
    client.update_image_task(ident, annotations=[BOX, BOX])
    assert run({"a.png": [BOX], "b.png": [BOX]})["exists"] == 3
    assert boxes(client)["a.png"] == 2


def test_a_bare_task_of_somebody_else_stays_as_it_is(client, run, folder):
    client.create_image_task("cats", "a.png", str(folder / "a.png"))
    run({"a.png": [BOX], "b.png": [BOX]})
    assert run({"a.png": [BOX], "b.png": [BOX]})["exists"] == 3
    assert boxes(client)["a.png"] == 0


def test_unusable_annotations_of_a_task_that_stays_do_not_fail_the_run(client, run):
    run({"a.png": [BOX]})
    read = PreAnnotations({}, Counter(), [Problem("a.png", "not valid JSON", UNUSABLE, 2)])
    result = run(read)
    assert result["annotations"] == {"read": 2, "sent": 0, "existing": 2, "lost": {}}
    assert (result["exists"], result["failed"]) == (3, 0)


def test_what_was_not_tried_is_lost(client, run, fastlabel_emulator):
    read = {f"{name}.png": [BOX] for name in "abc"}
    fastlabel_emulator.faults({"kind": "status", "status": 400, "method": "POST", "path": "tasks/image", "times": 1})
    with pytest.raises(ImportIncomplete) as caught:
        run(read, max_failures=0, max_workers=1)
    counts = caught.value.summary["annotations"]
    assert counts == {"read": 3, "sent": 0, "existing": 0, "lost": {"not_tried": 2, "picture_failed": 1}}


def test_a_missing_picture_is_the_failure_of_its_name(client, run):
    with pytest.raises(ImportRefused) as caught:
        run({"a.png": [BOX], "z.png": [BOX]})
    assert [(p.name, p.reason, p.lost) for p in caught.value.problems] == [("z.png", NO_PICTURE, 1)]
