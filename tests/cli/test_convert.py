"""Data sets from any format to any, and what is lost on the way."""

from __future__ import annotations

import json
from itertools import product

import pytest

from tests.cli.terminal import png

READ = ("coco", "yolo", "pascalvoc", "labelme", "masks")
WRITTEN = (*READ, "drawings")
NEEDS = {"yolo": ["--layout", "ultralytics"], "labelme": ["--include-images"], "pascalvoc": ["--include-images"]}


@pytest.fixture
def data_set(tmp_path):
    """A COCO data set of two pictures with a box each, one without, and a third class."""
    folder = tmp_path / "source"
    images = []
    for number, name in enumerate(("a.png", "b.png", "c.png"), 1):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(png(colour=number))
        images.append({"id": number, "file_name": name, "width": 40, "height": 30})
    boxes = [
        {"id": number, "image_id": number, "category_id": number, "bbox": [4, 5, 16, 20], "iscrowd": 0, "area": 320}
        for number in (1, 2)
    ]
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    text = json.dumps({"images": images, "annotations": boxes, "categories": categories})
    (folder / "annotations.json").write_text(text)
    return folder


def boxes_of(folder):
    """Return the boxes of a COCO data set: picture -> class and box."""
    found = json.loads((folder / "annotations.json").read_bytes())
    names = {image["id"]: image["file_name"].rpartition("/")[2] for image in found["images"]}
    classes = {one["id"]: one["name"] for one in found["categories"]}
    return {
        names[one["image_id"]]: (classes[one["category_id"]], [round(number) for number in one["bbox"]])
        for one in found["annotations"]
    }


@pytest.mark.parametrize(("first", "second"), [*product(READ, WRITTEN)])
def test_any_format_becomes_any(run, data_set, tmp_path, first, second):
    ended = run("convert", data_set, "one", "--from", "coco", "--to", first, *_with_images(first), "--json")
    assert (ended.code, ended.result["annotations"]) == (0, 2), ended.stderr
    place = _pictures(first, tmp_path)
    ended = run("convert", *place, "two", "--from", first, "--to", second, *_with_images(second), "--json")
    assert (ended.code, ended.result["read"], ended.result["lost"]) == (0, 2, {}), ended.stderr
    assert run("verify", "two").code == 0
    back = run("convert", *place, "coco", "--from", first, "--to", "coco", "--json")
    assert back.code == 0, back.stderr
    assert boxes_of(tmp_path / "coco") == {"a.png": ("dog", [4, 5, 16, 20]), "b.png": ("cat", [4, 5, 16, 20])}


def _with_images(form):
    return {"yolo": ["--layout", "ultralytics"], "drawings": []}.get(form, ["--include-images"])


def _pictures(form, tmp_path):
    """Say where the pictures and annotations of a data set are that we wrote."""
    folder = tmp_path / "one"
    if form == "masks":
        return [str(folder / "images"), "--annotations", str(folder)]
    return [str(folder)]


def test_what_would_be_lost_is_counted_and_nothing_is_published(run, data_set, tmp_path):
    (data_set / "b.png").unlink()
    words = ["convert", data_set, "out", "--from", "coco", "--to", "yolo", "--layout", "ultralytics", "--json"]
    ended = run(*words)
    assert (ended.code, ended.result["lost"]) == (1, {"no_picture": 1})
    assert "Nothing was published" in ended.result["error"]
    assert not (tmp_path / "out").exists()
    allowed = run(*words, "--allow-lost")
    assert (allowed.code, allowed.result["lost"], allowed.result["annotations"]) == (0, {"no_picture": 1}, 1)


def test_what_the_other_format_cannot_hold_is_lost(run, data_set, tmp_path):
    found = json.loads((data_set / "annotations.json").read_bytes())
    found["annotations"][0]["bbox"] = [50, 50, 4, 4]
    (data_set / "annotations.json").write_text(json.dumps(found))
    ended = run("convert", data_set, "out", "--from", "coco", "--to", "pascalvoc", "--json")
    assert (ended.code, list(ended.result["lost"].values())) == (1, [1])
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_ids_of_classes_stay_and_the_same_input_changes_nothing(run, data_set):
    words = ["convert", data_set, "out", "--from", "coco", "--to", "yolo", "--json"]
    assert run(*words).result["classes"] == ["cat", "dog"]
    assert run(*words).result["changed"] is False
    found = json.loads((data_set / "annotations.json").read_bytes())
    found["categories"][0]["name"] = "ant"
    (data_set / "annotations.json").write_text(json.dumps(found))
    assert run(*words).result["classes"] == ["cat", "dog", "ant"]


def test_the_folder_of_the_pictures_is_no_part_of_their_names(run, data_set, tmp_path):
    assert run("convert", data_set, "one", "--from", "coco", "--to", "coco", "--include-images").code == 0
    words = ["convert", "one", "two", "--from", "coco", "--to", "yolo", "--layout", "ultralytics", "--json"]
    assert "names_changed" not in run(*words, "--split", "train=1", "--split", "val=0").result["adjusted"]
    assert (tmp_path / "two/images/train/a.png").read_bytes() == (data_set / "a.png").read_bytes()
    assert (tmp_path / "two/labels/train/a.txt").read_text() == "1 0.300000 0.500000 0.400000 0.666667\n"


def test_arguments_of_the_reader_are_given_by_name(run, data_set, tmp_path):
    words = ["--to", "pascalvoc", "--include-images", "--corners", "zero_based"]
    assert run("convert", data_set, "voc", "--from", "coco", *words).code == 0
    back = ["convert", "voc", "back", "--from", "pascalvoc", "--to", "coco"]
    assert run(*back, "--reader", "corners=zero_based").code == 0
    assert boxes_of(tmp_path / "back")["a.png"] == ("dog", [4, 5, 16, 20])
    assert run(*back, "--reader", "corners=7").code == 2
    assert run(*back, "--reader", "corners").code == 2
