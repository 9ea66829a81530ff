"""What the folder operator makes of annotations that do not fit their pictures, their project or their format."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator
from airflow_provider_fastlabel.pipelines.imports import ImportRefused
from tests.operators import matrix


def png(path, width: int = 40, height: int = 30) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())


@pytest.fixture
def folder(client, tmp_path):
    client.create_annotation("photos", "bbox", "cat", "Cat")
    folder = tmp_path / "photos"
    for name in ("a.png", "b.png", "day 1/c.png"):
        png(folder / name)
    return folder


@pytest.fixture
def run(airflow_run, folder, tmp_path):
    def go(**arguments):
        arguments = {"project": "photos", "folder": str(folder), "manifest": str(tmp_path / "m.jsonl"), **arguments}
        return airflow_run(lambda: FastLabelCreateTasksFromFolderOperator(task_id="create", **arguments)).attempt()

    return go


def write_coco(path, boxes, **more) -> None:
    """Write a COCO file with one box per name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(boxes)
    document = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 1, "bbox": boxes[name], **more}
            for number, name in enumerate(names)
        ],
    }
    path.write_text(json.dumps(document))


def boxes(client) -> dict[str, list]:
    return {task["name"]: [a["points"] for a in task["annotations"]] for task in client.iter_image_tasks("photos")}


BOX = [1, 2, 10, 20]
POINTS = [1, 2, 11, 22]


@pytest.mark.parametrize("stated", ["a.jpg", "a.PNG", "A.png"])
def test_another_ending_is_the_same_picture(client, run, folder, stated):
    write_coco(folder / "annotations.json", {stated: BOX, "b.png": BOX})
    outcome = run(annotations_format="coco")
    assert outcome.state == "success", outcome.error
    assert boxes(client)["a.png"] == [POINTS]
    assert outcome.result["annotations"] == {"read": 2, "sent": 2, "existing": 0, "lost": {}}


@pytest.mark.parametrize("stated", ["day 1/a.png", "c.png", "raccoon.png"])
def test_a_misspelt_name_with_a_good_neighbour_refuses(client, run, folder, stated):
    write_coco(folder / "annotations.json", {stated: BOX, "b.png": BOX})
    outcome = run(annotations_format="coco")
    assert isinstance(outcome.reason, ImportRefused)
    assert f"'{stated}': has 1 annotations in " in str(outcome.error)
    assert boxes(client) == {}
    allowed = run(annotations_format="coco", max_failures=1)
    assert allowed.state == "success", allowed.error
    assert (allowed.result["failed"], allowed.result["annotations"]["lost"]) == (1, {"no_picture": 1})


def test_names_relative_to_another_folder_are_found(client, run, folder):
    write_coco(folder / "annotations.json", {"train/a.png": BOX, "train/b.png": BOX})
    assert run(annotations_format="coco").state == "success"
    assert boxes(client) == {"a.png": [POINTS], "b.png": [POINTS], "day 1/c.png": []}


def test_roboflows_file_in_each_folder(client, run, folder):
    for name in ("train", "valid"):
        png(folder / name / "1.png")
        write_coco(folder / name / "_annotations.coco.json", {"1.png": BOX if name == "train" else [0, 0, 5, 5]})
    (folder / "README.dataset.txt").write_text("exported")
    outcome = run(annotations_format="coco")
    assert outcome.state == "success", outcome.error
    found = boxes(client)
    assert (found["train/1.png"], found["valid/1.png"]) == ([POINTS], [[0, 0, 5, 5]])


def test_cvats_folder_of_annotations(client, run, folder):
    write_coco(folder / "annotations" / "instances_default.json", {"a.png": BOX, "day 1/c.png": BOX})
    assert run(annotations_format="coco").state == "success"
    assert boxes(client)["day 1/c.png"] == [POINTS]


@pytest.mark.parametrize("form", ["coco", "yolo", "pascalvoc", "labelme"])
def test_nothing_to_read_refuses(client, run, folder, form):
    (folder / "classes.txt").write_text("cat\n")
    if form == "coco":
        write_coco(folder / "annotations.json", {})
    outcome = run(annotations_format=form)
    assert isinstance(outcome.reason, ImportRefused)
    assert f"There is no {form} annotation" in str(outcome.error)
    assert client.count_tasks("photos") == 0


@pytest.mark.parametrize("limit", [None, 1, 100])
def test_a_coco_file_that_is_cut_off_refuses(client, run, folder, limit):
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": BOX})
    text = (folder / "annotations.json").read_text()
    (folder / "annotations.json").write_text(text[:-40])
    outcome = run(annotations_format="coco", max_failures=limit)
    assert isinstance(outcome.reason, ImportRefused)
    assert "annotations.json" in str(outcome.error)
    assert client.count_tasks("photos") == 0


def test_the_pattern_restricts_the_annotations_too(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX, "day 1/c.png": BOX, "day 1/gone.png": BOX})
    outcome = run(annotations_format="coco", pattern="*.png")
    assert outcome.state == "success", outcome.error
    assert outcome.result["annotations"] == {"read": 1, "sent": 1, "existing": 0, "lost": {}}
    assert sorted(boxes(client)) == ["a.png", "b.png"]
    assert "pattern" in str(run(annotations_format="coco", pattern="b.png").error)


@pytest.mark.parametrize("inside", [True, False])
def test_links_are_followed_by_readers_and_listings_alike(client, run, folder, tmp_path, inside):
    elsewhere = (folder if inside else tmp_path) / ".elsewhere"
    png(elsewhere / "d.png")
    (elsewhere / "d.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "classes.txt").write_text("cat\n")
    (folder / "linked").symlink_to(elsewhere)
    assert run(annotations_format="yolo", follow_links=not inside).state == "success"
    assert boxes(client)["linked/d.png"] == [[10, 7.5, 30, 22.5]]


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "train.cache", "notes.json"])
def test_what_comes_with_a_data_set_is_no_picture(client, run, folder, name):
    write_coco(folder / "annotations.json", {"a.png": BOX})
    (folder / name).write_text("{}")
    place = str(folder / "annotations.json")
    assert run(annotations_format="coco", annotations_path=place).state == "success"
    assert sorted(boxes(client)) == ["a.png", "b.png", "day 1/c.png"]


def test_attributes_the_class_does_not_have_fail_unless_told_otherwise(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": BOX}, attributes={"brand": "acme", "small": True})
    outcome = run(annotations_format="coco")
    assert "class 'cat' has no attribute 'brand' in the project" in str(outcome.error)
    assert client.count_tasks("photos") == 0
    ignored = run(annotations_format="coco", attributes="ignore")
    assert ignored.state == "success", ignored.error
    assert ignored.result["attributes_left_out"] == {"brand": 2, "small": 2}
    assert boxes(client)["a.png"] == [POINTS]


def test_attributes_the_class_does_not_have_can_be_created(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX}, attributes={"brand": 7, "small": True}, iscrowd=1)
    outcome = run(annotations_format="coco", attributes="create")
    assert outcome.state == "success", outcome.error
    (item,) = client.get_annotations("photos")
    kinds = {attribute["key"]: attribute["type"] for attribute in item["attributes"]}
    assert kinds == {"brand": "text", "small": "switch", "iscrowd": "switch"}
    (annotation,) = client.find_image_task_by_name("photos", "a.png")["annotations"]
    values = {attribute["key"]: attribute["value"] for attribute in annotation["attributes"]}
    assert values == {"brand": "7", "small": True, "iscrowd": True}
    assert outcome.result["attributes_left_out"] == {}


def test_an_attribute_that_is_text_gets_text_whoever_made_it(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX}, attributes={"brand": 7})
    assert run(annotations_format="coco", attributes="create", pattern="a.png").state == "success"
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": BOX}, attributes={"brand": 8})
    outcome = run(annotations_format="coco")
    assert outcome.state == "success", outcome.error
    (annotation,) = client.find_image_task_by_name("photos", "b.png")["annotations"]
    assert [(attribute["key"], attribute["value"]) for attribute in annotation["attributes"]] == [("brand", "8")]


def test_an_attribute_that_is_null_says_nothing(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": BOX}, attributes={"brand": None, "small": None})
    document = json.loads((folder / "annotations.json").read_text())
    document["annotations"][0]["attributes"] = {"brand": "acme", "small": True}
    (folder / "annotations.json").write_text(json.dumps(document))
    outcome = run(annotations_format="coco", attributes="create")
    assert outcome.state == "success", outcome.error
    (item,) = client.get_annotations("photos")
    assert {a["key"]: a["type"] for a in item["attributes"]} == {"brand": "text", "small": "switch"}
    (annotation,) = client.find_image_task_by_name("photos", "b.png")["annotations"]
    assert annotation["attributes"] == []


def test_no_attribute_is_created_when_the_checks_fail(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": [30, 2, 300, 5]}, attributes={"brand": "acme"})
    assert "outside the image" in str(run(annotations_format="coco", attributes="create").error)
    assert client.get_annotations("photos")[0]["attributes"] == []


def test_what_a_tool_always_writes_is_left_out_and_counted(client, run, folder):
    write_coco(folder / "annotations.json", {"a.png": BOX}, iscrowd=1)
    outcome = run(annotations_format="coco")
    assert outcome.state == "success", outcome.error
    assert outcome.result["attributes_left_out"] == {"iscrowd": 1}


def test_a_value_that_the_attribute_does_not_take_is_refused_before_anything_is_sent(client, run, folder):
    (item,) = client.get_annotations("photos")
    client.update_annotation(item["id"], attributes=[{"type": "number", "name": "age", "key": "age"}])
    write_coco(folder / "annotations.json", {"a.png": BOX, "b.png": BOX}, attributes={"age": "old"})
    outcome = run(annotations_format="coco")
    assert "attribute 'age' of class 'cat' is of type number and takes a number, not 'old'" in str(outcome.error)
    assert client.count_tasks("photos") == 0
    ignored = run(annotations_format="coco", attributes="ignore")
    assert ignored.state == "success", ignored.error
    assert ignored.result["attributes_left_out"] == {"age": 2}
    assert boxes(client)["a.png"] == [POINTS]


def test_masks_of_a_voc_tree_are_no_pictures_to_import(client, run, folder):
    (folder / "Annotations").mkdir()
    box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    for picture in sorted(folder.rglob("*.png")):
        text = f"<annotation><filename>{picture.name}</filename><object><name>cat</name>{box}</object></annotation>"
        picture.with_suffix(".xml").write_text(text)
        for kind in ("Class", "Object"):
            mask = folder / f"Segmentation{kind}" / picture.name
            mask.parent.mkdir(exist_ok=True)
            mask.write_bytes(picture.read_bytes())
    outcome = run(annotations_format="pascalvoc")
    assert outcome.state == "success", outcome.error
    assert not [task for task in client.get_image_tasks("photos") if task["name"].startswith("Segmentation")]
    assert client.count_tasks("photos") == len(list(folder.rglob("*.xml")))


def test_masks_beside_the_pictures_are_no_pictures_to_import(client, airflow_run, tmp_path):
    client.create_project("image_segmentation", "M", "m")
    for value in ("cat", "dog"):
        client.create_annotation("m", "segmentation", value, value)
    matrix.build("masks", "sound", tmp_path / "set")
    arguments: dict[str, Any] = {"project": "m", "folder": str(tmp_path / "set"), "manifest": str(tmp_path / "m.jsonl")}
    outcome = airflow_run(
        lambda: FastLabelCreateTasksFromFolderOperator(task_id="create", annotations_format="masks", **arguments)
    ).attempt()
    assert outcome.state == "success", outcome.error
    assert {task["name"] for task in client.get_image_tasks("m")} == {f"images/{name}.png" for name in matrix.PICTURES}


def test_attributes_is_one_of_three(folder):
    with pytest.raises(ValueError, match="attributes must be"):
        FastLabelCreateTasksFromFolderOperator(
            task_id="t",
            project="p",
            folder="f",
            annotations_format="coco",
            attributes="drop",  # type: ignore[arg-type]
        )
