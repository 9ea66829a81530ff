"""Every Python block of the seed document that calls the client, run as written with our client as ``fastlabel``.

``data/seed_blocks.txt`` holds the blocks, each named by its lines in the document. A block is a longest run of lines of
code without prose between them; 126 of them call the client, with 145 calls of methods and three of ``Client()``.
Indentation is restored, comments are left out. Three slips of the document are not blamed on anyone: see ``SLIPS``.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import time
import types
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_fastlabel.client import FastLabelClient

from . import samples
from .routes import ROUTES, route_of
from .world import SELECT, SETUPS, SLUG, TEXT

BLOCKS = dict(
    part.split("\n", 1)
    for part in (Path(__file__).parent / "data" / "seed_blocks.txt").read_text(encoding="utf-8").split("### ")[1:]
)
SLIPS = {
    "L117-138": "a comma is missing after the annotation's value; restored in the data",
    "L753-766": "the annotation of a text task is called a bbox; the emulator is lenient for it",
    "L1938-1960": "IMAGE_PATH is used where IMAGE_FILE_PATH was defined; defined by the test",
}

SECTIONS = (
    (294, "image"),
    (370, "image_classification"),
    (486, "sequential_image"),
    (674, "video"),
    (716, "video_classification"),
    (795, "text"),
    (837, "text_classification"),
    (950, "audio"),
    (992, "audio_classification"),
    (1029, "pcd"),
    (1042, "pcd_segmentation"),
    (1107, "pcd"),
    (1309, "sequential_pcd"),
    (1365, "dicom"),
    (1429, "image"),
)
"""Kind of task by the last line of its section."""

OTHER_ROUTES = {
    "L64-84": ["POST tasks/integrated-image"],  # create_image_task with storage_type: the older name of the call
    "L1189": ["GET tasks/sequential-pcd"],  # find_sequential_pcd_task by name
    "L1587-1588": ["GET annotations", "PUT annotations/classification/{id}"],  # by project instead of by id
}
"""Calls of the blocks that use a method in a way only the document knows."""


def first_line(block):
    found = re.match(r"L(\d+)", block)
    assert found
    return int(found[1])


def written_calls(code):
    """Names of the client's methods in a block, in order."""
    return re.findall(r"client\.(\w+)\(", code)


def expected_routes(block):
    """What must go over the wire for a block; a loop may repeat a call."""
    if block in OTHER_ROUTES:
        return OTHER_ROUTES[block]
    return without_repeats(route for name in written_calls(BLOCKS[block]) for route in ROUTES[name])


def without_repeats(routes):
    return [route for route, _ in groupby(routes)]


def placeholders(world, line):
    """What the document leaves to the reader, made to exist, and what it is called here."""
    if line < 1430:
        kind = next(kind for last, kind in SECTIONS if line <= last)
        return prepare_task(world, kind, line)
    if line < 1592:
        return prepare_classes(world, line)
    if line < 1658:
        return prepare_project(world)
    return prepare_converter(world, line)


def prepare_task(world, kind, line):
    world.project(kind)
    world.sample(kind, "drive_record" if kind == "sequential_pcd" else "sample")
    found = {"YOUR_TASK_ID": world.task(kind, annotations=[box()]) if kind == "image" else world.task(kind)}
    if line == 250:
        world.task(kind, "photo.jpg", annotations=[box()])
        samples.picture(Path("IMAGE_DIR") / "photo.jpg")
    if line in (273, 611, 931):
        found |= split_tasks(world, kind)
    if line > 1390:
        world.bucket(world.s3, "s3-bucket-name", "us-east-1", {"new.jpg": Path("sample.jpg")})
        found |= {"S3_BUCKET_NAME": "s3-bucket-name", "S3_REGIONS": "us-east-1"}
    if line > 1407:
        world.client.update_aws_s3_storage(SLUG, "s3-bucket-name", "us-east-1")
    if line > 1411:
        found["YOUR_HISTORY_ID"] = world.client.create_task_from_aws_s3(SLUG)["id"]
    return found


def box():
    return {"type": "bbox", "value": "cat", "points": [2, 3, 12, 11]}


def split_tasks(world, kind):
    """Tasks that a dataset has split: nine tiles of a picture, three parts of a clip or sound."""
    media, stem, count = {"image": ("image", "cat", 9), "video": ("video", "cat", 3), "audio": ("audio", "voice", 3)}[
        kind
    ]
    for number in range(1, count + 1):
        world.task(kind, f"{media}/{stem}/{number}{SETUPS[kind].suffix}")
    return {f"SPLIT_{media.upper()}_TASK_NAME_PREFIX": f"{media}/{stem}"}


def prepare_classes(world, line):
    if line in (1461, 1469, 1587):
        world.project("image_classification", classes=line != 1461)
        return {}
    world.client.create_project("image_bbox", SLUG, SLUG)
    if line < 1465:
        return {}
    ident = world.client.create_annotation(SLUG, "bbox", "cat", "Cat", attributes=[TEXT, SELECT])
    found = world.client.find_annotation(ident)
    return {"YOUR_ANNOTATION_ID": ident, "YOUR_ATTRIBUTE_ID": [item["id"] for item in found["attributes"]]}


def prepare_project(world):
    ident = world.project("image")
    world.task("image", tags=["dog", "cat"])
    tags = {f"YOUR_TAG_ID_{n}": tag["id"] for n, tag in enumerate(world.client.get_tags(SLUG), 1)}
    return {"YOUR_PROJECT_ID": ident, **tags}


def prepare_converter(world, line):
    world.project("image")
    world.task("image", "photo.jpg", annotations=[box()])
    samples.picture(Path("sample.jpg"), 64, 48)
    for name in ("sample", "sample1", "sample2"):
        samples.picture(Path("dataset") / f"{name}.jpg", 64, 48)
        if line < 1750:
            samples.coco_file(Path("sample.json"), "sample.jpg")
            samples.coco_file(Path("dataset/annotation.json"), "sample.jpg", "sample1.jpg", "sample2.jpg")
        elif line < 1793:
            samples.yolo_file(Path("dataset") / f"{name}.txt")
            samples.text(Path("classes.txt"), "cat\n")
        elif line < 1827:
            samples.voc_file(Path("dataset") / f"{name}.xml", f"{name}.jpg")
        elif line < 1865:
            samples.labelme_file(Path("dataset") / f"{name}.json", f"{name}.jpg")
    return {
        "YOUR_DIRECTROY": "exported",
        "YOUR_FILE_NAME": "coco.json",
        "YOUR RESULT IMAGE FILE PATH": "result.jpg",
        "YOUR IMAGE FILE PATH": "sample.jpg",
    }


def surroundings(world, line):
    """Names a block uses that the document defined in an earlier block, or never."""
    names = {"client": world.client, "time": time, "glob": glob, "os": os, "__name__": "__main__"}
    if line == 1461:
        names["attributes"] = [TEXT, SELECT]
    if line == 1587:
        (known,) = world.client.get_annotations(SLUG)
        names["attributes"] = [TEXT | {"id": known["attributes"][0]["id"]}, SELECT]
    if line == 1669:
        names["tasks"] = world.client.get_image_tasks(SLUG)
    if line == 1938:
        names["IMAGE_PATH"] = "sample.jpg"
    return names


def filled_in(code, found):
    for placeholder, value in (found | {"YOUR_PROJECT_SLUG": SLUG}).items():
        for item in value if isinstance(value, list) else [value]:
            count = 1 if isinstance(value, list) else -1
            code = code.replace(f'"{placeholder}"', repr(item), count)
    return code


@pytest.fixture
def fastlabel(monkeypatch, fastlabel_emulator):
    """``import fastlabel`` finds our client; the environment names the emulator."""
    module = types.ModuleType("fastlabel")
    vars(module)["Client"] = FastLabelClient
    monkeypatch.setitem(sys.modules, "fastlabel", module)
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", fastlabel_emulator.token)
    monkeypatch.setenv("FASTLABEL_API_URL", fastlabel_emulator.url)


def run(code, names, monkeypatch):
    pause = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: pause(min(seconds, 0.001)))
    exec(compile(code, "seed", "exec"), names)
    if "get_training_jobs" in names:  # the one block that is a function
        assert names["get_training_jobs"]() == []
    monkeypatch.setattr(time, "sleep", pause)


@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs_as_written(block, world, fastlabel, s3_address, monkeypatch):
    world.s3 = s3_address
    line = first_line(block)
    if line == 10:
        names: dict[str, Any] = {}
        run(BLOCKS[block], names, monkeypatch)
        assert names["client"].get_projects() == []
        names["client"].close()
        return
    found = placeholders(world, line)
    names = surroundings(world, line)
    world.emulator.configure(strict=block != "L753-766", endpoint_names=["YOUR ENDPOINT NAME"])
    world.emulator.clear_requests()
    code = filled_in(BLOCKS[block], found)
    run(code, names, monkeypatch)
    calls = world.calls()
    assert [call for call in calls if not 200 <= call["status"] < 300] == []
    assert without_repeats(route_of(call) for call in calls) == expected_routes(block)
    if names["client"] is not world.client:
        names["client"].close()


def test_the_data_holds_every_block_of_the_document():
    calls = [name for code in BLOCKS.values() for name in written_calls(code)]
    assert len(BLOCKS) == 126
    assert len(calls) == 145
    assert sum(code.count("fastlabel.Client()") for code in BLOCKS.values()) == 3
    lines = [first_line(block) for block in BLOCKS]
    assert lines == sorted(set(lines))
