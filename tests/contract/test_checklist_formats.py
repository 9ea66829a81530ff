"""Checklist of the seed: pictures, converters, models (L242-L253, L1658-L1983)."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.client import const

from . import samples
from .checklist import covers
from .world import SLUG

SQUARE = [100, 100, 200, 100, 200, 200, 100, 200]
SHAPES: dict[str, dict[str, Any]] = {
    "bbox": {"points": [10, 20, 60, 80]},
    "polygon": {"points": SQUARE},
    "keypoint": {"points": [5, 6]},
    "line": {"points": [1, 2, 30, 40]},
    "segmentation": {"points": [[[220, 220, 260, 220, 260, 260, 220, 260, 220, 220]]]},
}


@pytest.fixture
def tasks(world):
    """One task of 320 x 340 with an annotation of every shape; a class for each, named after it."""
    world.client.create_project("image_all", SLUG, SLUG)
    for shape in reversed(SHAPES):
        world.client.create_annotation(SLUG, shape, f"a-{shape}", shape.title())
    annotations = [{"type": shape, "value": f"a-{shape}"} | geometry for shape, geometry in SHAPES.items()]
    world.task("image", "photos/a.jpg", annotations=annotations)
    return world.client.get_image_tasks(SLUG)


@covers("L242-253")
def test_export_image_with_annotations(world, tasks):
    extensions = ("jpeg", "jpg", "png", "tif", "tiff", "bmp")
    many = [tasks[0] | {"name": f"sub/a.{extension}"} for extension in extensions]
    for task in many:
        samples.picture(Path("images") / task["name"])
    world.client.export_image_with_annotations(tasks=many, image_dir="images", output_dir="drawn")
    for task in many:
        drawn = Image.open(Path("drawn") / task["name"]).convert("RGB")
        assert drawn.size == (320, 340)
        assert drawn.getpixel((10, 50)) != Image.open(Path("images") / task["name"]).getpixel((10, 50))


@covers("L1659-1674")
def test_export_coco(world, tasks):
    world.client.export_coco(project=SLUG, tasks=tasks)
    found = json.loads(Path("output/coco/annotations.json").read_text())
    assert [(image["file_name"], image["width"], image["height"]) for image in found["images"]] == [
        ("photos/a.jpg", 320, 340)
    ]
    names = {category["id"]: category["name"] for category in found["categories"]}
    boxes = {names[item["category_id"]]: item["bbox"] for item in found["annotations"]}
    assert boxes["a-bbox"] == [10, 20, 50, 60]
    assert boxes["a-polygon"] == [100, 100, 100, 100]


def test_export_coco_of_poses_with_classes(world):
    world.client.create_project("image_pose_estimation", SLUG, SLUG)
    ident = world.client.create_annotation(SLUG, "pose_estimation", "person", "Person")
    points = [{"key": "head", "name": "Head"}, {"key": "hand", "name": "Hand", "edges": ["head"]}]
    world.emulator.control("PUT", "keypoints", {"annotation_id": ident, "keypoints": points})
    values = [{"key": "hand", "value": [30, 40, 0]}, {"key": "head", "value": [10, 20, 1]}]
    world.task("image", annotations=[{"type": "pose_estimation", "value": "person", "keypoints": values}])
    tasks, classes = world.client.get_image_tasks(SLUG), world.client.get_annotations(project=SLUG)
    world.client.export_coco(
        project=SLUG, tasks=tasks, annotations=classes, output_dir="exported", output_file_name="poses.json"
    )
    found = json.loads(Path("exported/poses.json").read_text())
    (category,), (pose,) = found["categories"], found["annotations"]
    assert (category["keypoints"], category["skeleton"]) == (["head", "hand"], [[1, 2]])
    assert (pose["num_keypoints"], pose["keypoints"]) == (2, [10, 20, 2, 30, 40, 1])


@covers("L1675-1688")
def test_export_yolo(world, tasks):
    classes = [item["value"] for item in world.client.get_annotations(SLUG)]
    assert classes.index("a-polygon") < classes.index("a-bbox")
    world.client.export_yolo(project=SLUG, tasks=tasks, classes=classes, output_dir="yolo")
    assert Path("yolo/classes.txt").read_text().split() == classes
    lines = [line.split() for line in Path("yolo/annotations/photos/a.txt").read_text().splitlines()]
    box = next(line for line in lines if line[0] == str(classes.index("a-bbox")))
    assert [float(number) for number in box[1:]] == pytest.approx([35 / 320, 50 / 340, 50 / 320, 60 / 340], abs=1e-6)
    assert str(classes.index("a-polygon")) in {line[0] for line in lines}
    world.client.export_yolo(project=SLUG, tasks=tasks, output_dir="without")
    assert "a-bbox" in Path("without/classes.txt").read_text().split()


@covers("L1689-1696")
def test_export_pascalvoc(world, tasks):
    world.client.export_pascalvoc(project=SLUG, tasks=tasks)
    root = ET.parse("output/pascalvoc/annotations/photos/a.xml").getroot()
    assert root.findtext("filename") == "photos/a.jpg"
    assert {"a-bbox", "a-polygon"} <= {item.findtext("name") for item in root.iter("object")}
    assert root.findtext("size/width") == "320"


@covers("L1697-1705")
def test_export_labelme(world, tasks):
    world.client.export_labelme(tasks)
    found = json.loads(Path("output/labelme/photos/a.json").read_text())
    shapes = {shape["label"]: (shape["shape_type"], shape["points"]) for shape in found["shapes"]}
    assert shapes["a-bbox"] == ("rectangle", [[10, 20], [60, 80]])
    assert shapes["a-keypoint"] == ("point", [[5, 6]])
    assert shapes["a-line"][1] == [[1, 2], [30, 40]]
    assert shapes["a-polygon"] == ("polygon", [[100, 100], [200, 100], [200, 200], [100, 200]])


@covers("L1706-1714", "L1865")
def test_export_index_colour_masks(world, tasks):
    world.client.export_instance_segmentation(tasks)
    world.client.export_semantic_segmentation(tasks)
    for folder in ("instance_segmentation", "semantic_segmentation"):
        mask = Image.open(Path("output") / folder / "photos" / "a.png")
        assert (mask.mode, mask.size) == ("P", (320, 340))
        assert (mask.getpalette() or [])[:6] == list(const.COLOR_PALLETE[:6])
        pixels = np.asarray(mask)
        inside = [pixels[50, 30], pixels[150, 150], pixels[240, 240]]
        assert len(set(inside)) == 3
        assert 0 not in inside
        assert pixels[0, 0] == 0
    assert const.COLOR_PALLETE == const.COLOR_PALETTE
    assert len(const.COLOR_PALLETE) == 174


CONVERTED = [{"type": "bbox", "value": "cat", "points": [2, 3, 12, 11]}]


def plain(annotations):
    return [{key: annotation[key] for key in ("type", "value", "points")} for annotation in annotations]


@covers("L1715-1749")
def test_convert_coco(world):
    samples.coco_file(Path("sample.json"), "sample.jpg", "sub/b.jpg")
    found = world.client.convert_coco_to_fastlabel(file_path="./sample.json", annotation_type="bbox")
    assert {name: plain(items) for name, items in found.items()} == {"sample.jpg": CONVERTED, "sub/b.jpg": CONVERTED}
    outlines = world.client.convert_coco_to_fastlabel(file_path="./sample.json", annotation_type="polygon")
    assert [item["type"] for item in outlines["sample.jpg"]] == ["polygon"]
    assert world.client.convert_coco_to_fastlabel(file_path="./sample.json").keys() == found.keys()


@covers("L1750-1792")
def test_convert_yolo(world):
    samples.text(Path("classes.txt"), "cat\n")
    samples.picture(Path("dataset/sub/a.jpg"), 64, 48)
    samples.yolo_file(Path("dataset/sub/a.txt"))
    found = world.client.convert_yolo_to_fastlabel(classes_file_path="./classes.txt", dataset_folder_path="./dataset/")
    (box,) = found["sub/a.jpg"]
    assert (box["type"], box["value"]) == ("bbox", "cat")
    assert box["points"] == pytest.approx([2, 3, 12, 11])


@covers("L1793-1826")
def test_convert_pascalvoc(world):
    samples.voc_file(Path("dataset/sub/a.xml"), "a.jpg")
    found = world.client.convert_pascalvoc_to_fastlabel(folder_path="./dataset/")
    inclusive_from_one = [CONVERTED[0] | {"points": [1, 2, 12, 11]}]
    assert {name: plain(items) for name, items in found.items()} == {"sub/a.jpg": inclusive_from_one}


@covers("L1827-1864")
def test_convert_labelme(world):
    samples.labelme_file(Path("dataset/sub/a.json"), "a.jpg")
    found = world.client.convert_labelme_to_fastlabel(folder_path="./dataset/")
    assert {name: plain(items) for name, items in found.items()} == {"sub/a.jpg": CONVERTED}


def test_what_was_exported_converts_back_and_creates_the_same_task(world, tasks):
    box = [task | {"annotations": task["annotations"][:1]} for task in tasks]
    world.client.export_coco(project=SLUG, tasks=box)
    found = world.client.convert_coco_to_fastlabel("output/coco/annotations.json", "bbox")
    ident = world.task("image", "again.jpg", annotations=found["photos/a.jpg"])
    assert plain(world.client.find_image_task(ident)["annotations"]) == plain(box[0]["annotations"])


@covers("L1868-1880", "L1881-1934")
def test_training_jobs(world):
    dataset = world.client.create_dataset("photos")
    for number in range(3):
        world.client.execute_training_job(dataset["name"], "fastlabel_object_detection_light", epoch=number + 1)
    found, offset = [], None
    while page := world.client.get_training_jobs(offset=offset):
        found += page
        offset = len(found)
    assert [job["epoch"] for job in found] == [3, 2, 1]  # the document shows the latest first
    assert {
        "trainingJobId", "status", "baseModelName", "instanceType", "epoch", "projects", "statuses", "tags",
        "contentCount", "userName", "createdAt", "completedAt", "customModel",
    } <= found[0].keys()  # fmt: skip
    assert {"modelId", "modelName", "modelURL", "classes"} == found[0]["customModel"].keys()


@covers("L1935-1960")
def test_execute_endpoint(world):
    world.emulator.configure(endpoint_names=["detector"])
    answer = world.client.execute_endpoint(endpoint_name="detector", file_path=samples.picture(Path("a.png"), 8, 6))
    assert answer.keys() >= {"json", "file"}
    raw = np.frombuffer(base64.b64decode(answer["file"].split("base64,")[-1]), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.shape[:2] == (6, 8)


@covers("L1961-1983")
def test_monitoring_results(world):
    moment = datetime(2023, 5, 8, 12, 10, 53, tzinfo=timezone(timedelta(hours=9)))
    results = [
        {
            "status": "success",
            "result": [{"value": "person", "confidenceScore": 0.92}],
            "requestAt": moment.isoformat(),
        }
    ]
    world.client.create_model_monitoring_request_results(name="model-monitoring-name", results=results)
    (kept,) = world.emulator.monitoring("model-monitoring-name")
    assert {key: kept[key] for key in results[0]} == results[0]
