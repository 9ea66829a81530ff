"""What an export leaves out is listed beside its manifest."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import BOX, png
from tests.operators.stores import current
from tests.operators.test_export_frames import clip  # noqa: F401

OPERATORS = [
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
]
OUTSIDE = {"type": "bbox", "value": "cat", "points": [500, 500, 600, 600]}  # nothing of it is in the image


def rows_of(result):
    return [json.loads(line) for line in Path(result["left_out"]).read_bytes().splitlines()]


def counts(rows, what="annotation"):
    return Counter(row["reason"] for row in rows if row["what"] == what)


@pytest.fixture
def tasks(client, monkeypatch):
    """Have FastLabel return these tasks."""

    def give(*tasks):
        monkeypatch.setattr(type(client), "iter_tasks", lambda *_, **__: iter(tasks))

    return give


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_format_lists_what_it_left_out(export, label, client, tmp_path, operator):
    label("a.png", "b.png", annotations=[BOX, {**BOX, "points": [500, 500, 600, 600]}])
    result = export(operator).result
    folder = tmp_path / "out" / operator.format
    assert result["left_out"] == str(folder / "left_out.jsonl")
    rows = rows_of(result)
    assert counts(rows) == result["skipped"] == {"outside_image": 2}
    ids = {one["name"]: (one["id"], one["annotations"][1]["id"]) for one in client.iter_image_tasks("photos")}
    assert [(row["task"], row["task_id"], row["annotation_id"]) for row in rows] == [
        (name, *ids[name]) for name in ("a.png", "b.png")
    ]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert "left_out.jsonl" in {row["path"] for row in manifest["files"]}
    again = export(operator).result
    assert (again["changed"], again["sha256"], again["left_out"]) == (False, result["sha256"], result["left_out"])


@pytest.mark.parametrize("operator", OPERATORS)
def test_nothing_left_out_is_no_list_and_an_old_one_goes(export, label, client, tmp_path, operator):
    label("a.png", annotations=[BOX, OUTSIDE])
    old = Path(export(operator).result["left_out"])
    assert old.exists()
    client.update_image_task(next(client.iter_image_tasks("photos"))["id"], annotations=[BOX])
    result = export(operator).result
    assert (result["left_out"], result["skipped"], result["annotations"]) == (None, {}, 1)
    assert not old.exists()


def test_a_store_has_the_list_too(export, label, client, s3):
    label("a.png", annotations=[BOX, OUTSIDE])
    result = export(FastLabelExportCocoOperator, **s3.at).result
    assert result["left_out"] == f"{result['path']}/left_out.jsonl"
    row = json.loads(s3.cat_file(result["left_out"]))
    assert (row["task"], row["reason"]) == ("a.png", "outside_image")
    client.update_image_task(row["task_id"], annotations=[BOX])
    assert export(FastLabelExportCocoOperator, **s3.at).result["left_out"] is None
    assert "left_out.jsonl" not in current(s3, "sets/x")


def test_a_store_in_place_has_the_list_too(export, label, client, s3):
    label("a.png", annotations=[BOX, OUTSIDE])
    result = export(FastLabelExportCocoOperator, **s3.at, publish="in_place").result
    assert result["left_out"] == "s3://sets/x/left_out.jsonl"
    row = json.loads(s3.cat_file("sets/x/left_out.jsonl"))
    client.update_image_task(row["task_id"], annotations=[BOX])
    assert export(FastLabelExportCocoOperator, **s3.at, publish="in_place").result["left_out"] is None
    s3.invalidate_cache()
    assert "sets/x/left_out.jsonl" not in s3.find("sets/x")


@pytest.mark.parametrize("workers", [1, 3])
def test_sequences_list_what_is_on_none_of_their_images(export, client, project, tmp_path, tasks, workers):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.create_annotation("clips", "bbox", "cat", "Cat")
    url = client_url(client, tmp_path)
    images = [{"name": f"{n}.png", "url": url, "width": 40, "height": 30} for n in (1, 2)]
    images[1].pop("url")
    annotations = [{**BOX, "content": "1.png"}, {**BOX, "id": "h", "content": "gone"}, {**OUTSIDE, "content": "2.png"}]
    walk = {"id": "1", "name": "walk", "contents": images, "annotations": annotations}
    tasks(walk, {"id": "2", "name": "bare", "contents": [], "annotations": [BOX, "x"]}, {**walk, "name": "run"})
    arguments = {"project": "clips", "include_images": True, "max_workers": workers, "allow_empty": True}
    result = export(FastLabelExportCocoOperator, **arguments).result
    rows = rows_of(result)
    assert counts(rows) == result["skipped"] == {"no_such_image": 4, "outside_image": 2}
    assert counts(rows, "picture") == {"images_missing": 2} == {"images_missing": result["adjusted"]["images_missing"]}
    assert counts(rows, "task") == {"tasks_without_images": 1}
    assert [(row["what"], row["task"], row.get("image")) for row in rows] == [
        ("annotation", "walk", None),
        ("annotation", "bare", None),
        ("annotation", "bare", None),
        ("task", "bare", None),
        ("annotation", "run", None),
        ("picture", "walk", "walk/2.png"),
        ("picture", "run", "run/2.png"),
        ("annotation", "walk", "walk/2.png"),
        ("annotation", "run", "run/2.png"),
    ]


def client_url(client, tmp_path):
    """Return the address of a picture that can be fetched."""
    (tmp_path / "one.png").write_bytes(png())
    client.create_image_task("photos", "one.png", tmp_path / "one.png")
    return client.find_image_task_by_name("photos", "one.png")["url"]


def test_videos_list_frame_by_frame(export, client, clip, tasks):  # noqa: F811
    end = clip["frameCount"]
    shown = {
        "1": {"value": [1, 2, 9, 10]},
        "2": {"value": []},
        "x": {"value": [1]},
        str(end + 1): {"value": [1, 2, 3, 4]},
    }
    odd = {"id": "odd", "type": "bbox", "value": "cat", "points": shown}
    outside = {"id": "out", "type": "bbox", "value": "cat", "points": {"3": {"value": [5000, 5000, 6000, 6000]}}}
    tasks({**clip, "annotations": [odd, outside, "nothing"]})
    result = export(FastLabelExportCocoOperator, project="drives", on_error="skip").result
    rows = rows_of(result)
    assert counts(rows) == result["skipped"] == {"malformed": 2, "no_points": 1, "beyond_clip": 1, "outside_image": 1}
    assert {row["task"] for row in rows} == {"night/clip.mp4"}
    assert [(row["reason"], row["annotation_id"], row.get("frame"), row.get("image")) for row in rows] == [
        ("no_points", "odd", 2, None),
        ("malformed", "odd", None, None),
        ("beyond_clip", "odd", end + 1, None),
        ("malformed", None, None, None),
        ("outside_image", "out", None, "night/clip_02.jpg"),
    ]


@pytest.mark.parametrize("arguments", [{"layout": "ultralytics"}, {"include_images": True}])
def test_a_picture_without_address_is_one_picture_that_is_missing(export, client, label, tasks, arguments):
    label("a.png", "b.png")
    first, second = client.iter_image_tasks("photos")
    tasks({**first, "url": ""}, second)
    result = export(FastLabelExportYoloOperator, **arguments).result
    assert result["adjusted"]["images_missing"] == 1
    assert [(row["what"], row["task"]) for row in rows_of(result)] == [("picture", "a.png")]


def test_pictures_of_that_name_lie_elsewhere(export, label, tmp_path):
    label("left_out.jsonl", "x.png", annotations=[BOX, OUTSIDE])
    for operator in (FastLabelExportLabelmeOperator, FastLabelExportAnnotatedImagesOperator):
        result = export(operator, include_images=True).result
        assert {row["task"] for row in rows_of(result)} == {"left_out.jsonl", "x.png"}
        assert result["left_out"] == str(tmp_path / "out" / operator.format / "left_out.jsonl")
