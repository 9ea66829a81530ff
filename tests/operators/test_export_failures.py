"""Exports that cannot be: what is refused, what is counted, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import BOX, png, tree
from tests.strange_files import STRANGE, make_strange


def test_unsupported_annotations_are_counted(export, client, tmp_path, project):
    client.create_project("image_all", "All", "all")
    client.create_annotation("all", "keypoint", "eye", "Eye")
    client.create_annotation("all", "bbox", "cat", "Cat")
    (tmp_path / "p.png").write_bytes(png())
    eye = {"type": "keypoint", "value": "eye", "points": [3, 4]}
    client.create_image_task("all", "a.png", tmp_path / "p.png", status="approved", annotations=[BOX, eye])
    result = export(FastLabelExportCocoOperator, project="all").result
    assert (result["annotations_in"], result["annotations"]) == (2, 1)
    assert sum(result["skipped"].values()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"project": "nowhere"}, ["'nowhere'", "does not exist", "Nothing was published"]),
        ({"status": "declined"}, ["No task", "status='declined'", "1 tasks", "allow_empty"]),
        ({"output": "{{ '' }}"}, ["output is empty"]),
        ({"output": "{{ none }}"}, ["output is empty"]),
        ({"output": "s3:/bucket/photos"}, ["'s3:/bucket/photos'", "s3://"]),
        ({"status": ["approved", "completed"]}, ["status", "one text"]),
        ({"external_status": ["approved"]}, ["external_status"]),
        ({"status": "aproved"}, ["status must be one of", "'aproved'"]),  # codespell:ignore aproved
        ({"external_status": "{{ none }}"}, ["external_status must be one of", "'None'"]),
        ({"tags": "['a', 'b']"}, ["tags", "natively"]),
        ({"tags": [None]}, ["tags", "None"]),
        ({"tags": 5}, ["tags", "5"]),
        ({"project": "texts"}, ["text_ner", "Nothing was published"]),
    ],
)
def test_wrong_arguments_are_named(export, client, label, tmp_path, arguments, words):
    client.create_project("text_ner", "Texts", "texts")
    label("a.png")
    outcome = export(FastLabelExportCocoOperator, **arguments)
    assert outcome.state == "failed"
    assert all(word in str(outcome.error) for word in words), outcome.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (FastLabelExportCocoOperator, {"file_name": "manifest.json"}),
        (FastLabelExportCocoOperator, {"file_name": "classes.lock.json"}),
        (FastLabelExportCocoOperator, {"file_name": "labels/a.json"}),
        (FastLabelExportCocoOperator, {"file_name": "a.txt"}),
        (FastLabelExportYoloOperator, {"yolo_task": "classify"}),
        (FastLabelExportYoloOperator, {"layout": "darknet"}),
        (FastLabelExportYoloOperator, {"splits": {"train": 1.0}}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "split_group": "("}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 0.8, "val": 0.3}}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": "0.8", "val": "0.2"}}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": float("nan"), "val": 0.2}}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 0.8, "test": 0.2}}),
        (FastLabelExportPascalVocOperator, {"corners": "two_based"}),
        (FastLabelExportMasksOperator, {"mask_kind": "panoptic"}),
        (FastLabelExportCocoOperator, {"on_error": "ignore"}),
        (FastLabelExportCocoOperator, {"box_margin": -0.1}),
        (FastLabelExportYoloOperator, {"box_margin": "wide"}),
        (FastLabelExportCocoOperator, {"max_workers": 0}),
    ],
)
def test_impossible_arguments_fail_when_the_dag_is_parsed(operator, arguments):
    with pytest.raises((ValueError, re.error)):
        operator(task_id="export", project="p", output="o", **arguments)


def test_foreign_files_are_refused_before_any_work(export, label, emulator, tmp_path):
    label("a.png")
    (tmp_path / "out/coco").mkdir(parents=True)
    (tmp_path / "out/coco/thesis.txt").write_text("precious")
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator)
    assert isinstance(outcome.error, FileExistsError)
    assert emulator.requests() == []
    assert tree(tmp_path / "out") == {"coco/thesis.txt": b"precious"}


@pytest.mark.parametrize("name", ["manifest.json", "classes.lock.json"])
@pytest.mark.parametrize("damage", ["[]", "null", "{", '{"version": 1, "files": [{"path": "../x"}], "classes": [5]}'])
def test_a_damaged_file_of_the_data_set_is_named_before_the_tasks_are_read(
    export, label, emulator, tmp_path, name, damage
):
    label("a.png")
    export(FastLabelExportCocoOperator)
    (tmp_path / "out/coco" / name).write_text(damage)
    before = tree(tmp_path / "out")
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator)
    assert outcome.state == "failed"
    assert all(words in str(outcome.error) for words in (f"out/coco/{name}", "Nothing was published", "`output`"))
    assert not [request for request in emulator.requests() if request["path"].endswith("tasks/image")]
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("kind", STRANGE)
def test_a_lock_that_is_no_file_is_not_waited_for(export, label, tmp_path, kind):
    label("a.png")
    export(FastLabelExportCocoOperator)
    (tmp_path / "out/coco/classes.lock.json").unlink()
    make_strange(kind, tmp_path / "out/coco/classes.lock.json")
    outcome = export(FastLabelExportCocoOperator)
    assert "classes.lock.json is not as an export writes it" in str(outcome.error)


def test_an_output_that_is_a_link_is_resolved_once(export, label, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    for name in ("a.png", "b.png"):
        label(name)
        outcome = export(FastLabelExportCocoOperator, output=str(tmp_path / "link"))
        assert outcome.state == "success", outcome.error
        assert (tmp_path / "link").is_symlink()
        assert outcome.result["output"] == str(tmp_path / "link")
    assert len(json.loads((tmp_path / "disk/annotations.json").read_bytes())["images"]) == 2


@pytest.mark.parametrize("output", ["link", "link/deep"])
def test_an_output_that_leads_nowhere_is_refused_before_any_work(export, label, emulator, tmp_path, output):
    label("a.png")
    (tmp_path / "link").symlink_to("nowhere")
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator, output=str(tmp_path / output))
    assert "leads to no folder" in str(outcome.error)
    assert emulator.requests() == []
    assert not (tmp_path / "nowhere").exists()


def test_half_a_character_in_a_class_is_refused_at_the_start(export, client, label, emulator, tmp_path, monkeypatch):
    label("a.png")
    rows = [{"type": "bbox", "value": "c\ud83dt", "title": "Cat"}]
    monkeypatch.setattr(type(client), "iter_annotations", lambda *_, **__: iter(rows))
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator)
    assert "half of a surrogate pair" in str(outcome.error)
    assert not [request for request in emulator.requests() if request["path"].endswith("tasks/image")]
    assert not (tmp_path / "out" / "coco").exists()


def test_a_failing_export_leaves_the_old_dataset_and_no_rubbish(export, label, emulator, tmp_path):
    label("a.png")
    export(FastLabelExportCocoOperator)
    before = tree(tmp_path / "out")
    label("b.png")
    emulator.faults({"kind": "status", "status": 500, "method": "GET", "path": "tasks/image", "times": 99})
    outcome = export(FastLabelExportCocoOperator)
    assert outcome.state == "failed"
    assert tree(tmp_path / "out") == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coco"]


@pytest.mark.slow
def test_a_full_disk_is_named_and_publishes_nothing(label, emulator, tmp_path):
    label(*(f"{number:03d}.png" for number in range(40)))
    script = f"""
import resource, signal
from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
operator = FastLabelExportCocoOperator(task_id="e", project="photos", output={str(tmp_path / "out" / "coco")!r})
client = operator.client
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    operator.execute({{}})
except OSError as error:
    print("refused:", error)
"""
    # Python 3.11 would keep bytecode that the limit has cut off.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env)
    assert "refused:" in done.stdout, done.stdout + done.stderr
    assert "Nothing was published" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []


def test_malformed_annotations_stop_the_export_or_are_counted(client, project, export, tmp_path, monkeypatch):
    broken = {**BOX, "points": [1, 2, float("nan"), 4]}
    task = {"id": "1", "name": "a.png", "width": 40, "height": 30, "annotations": [BOX, broken]}
    monkeypatch.setattr(type(client), "iter_tasks", lambda *_, **__: iter([task]))
    monkeypatch.setattr(type(client), "count_tasks", lambda *_, **__: 1)
    outcome = export(FastLabelExportCocoOperator)
    assert outcome.state == "failed"
    assert "a.png" in str(outcome.error)
    assert list((tmp_path / "out").iterdir()) == []
    result = export(FastLabelExportCocoOperator, on_error="skip").result
    assert (result["annotations_in"], result["annotations"], result["skipped"]) == (2, 1, {"malformed": 1})


def test_a_picture_that_cannot_be_drawn_on_says_what_was_published_and_how_to_replace_it(
    export, client, project, tmp_path
):
    (tmp_path / "half.png").write_bytes(png(400, 300)[:-60])
    client.create_image_task(project, "half.png", tmp_path / "half.png", status="approved", annotations=[BOX])
    outcome = export(FastLabelExportAnnotatedImagesOperator)
    assert outcome.state == "failed"
    words = ("'half.png' cannot be drawn on", "truncated", 'on_error="skip"', "Nothing was published", "another name")
    assert all(word in str(outcome.error) for word in words), outcome.error
    assert not (tmp_path / "out" / "annotated_images").exists()
