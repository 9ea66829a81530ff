"""Two published versions of a data set are compared: what was planted is found, and nothing else."""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from upath import UPath

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.coco.columns import read_columns
from airflow_provider_fastlabel.formats.coco.read import read_coco
from airflow_provider_fastlabel.pipelines.comparisons.run import compare_datasets
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError
from benchmarks import generate
from tests.pipelines.reports.labelled import HOSTILE, box, streets, task
from tests.pipelines.versions import WRITERS, publish_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Task = dict[str, Any]


@pytest.fixture
def version(tmp_path: Path) -> Callable[..., Any]:
    """Publish tasks as a version of a data set."""
    return partial(publish_version, tmp_path)


def found(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "changes.jsonl").read_text("utf-8").splitlines()]


def test_planted_changes_are_found_and_nothing_else(version, tmp_path):
    tasks = streets(400)
    changed = copy.deepcopy(tasks)
    dice = random.Random(1)
    planted: Counter[tuple[str, str]] = Counter()
    for one in dice.sample(changed[:380], 120):
        kind = dice.choice(["moved", "resized", "reclassed", "attributes", "added", "removed"])
        planted[one["name"], kind] += 1
        _change(one["annotations"], kind, dice)
    del changed[399]
    changed.append(task("new.jpg", box("car", 1, 1, 50, 50), box("sign", 90, 90, 120, 120)))
    dice.shuffle(changed)

    told = compare_datasets(version("one", tasks), version("two", changed), output=tmp_path / "out")

    planted["new.jpg", "picture added"] += 1
    planted["new.jpg", "added"] += 2
    planted["street/00399.jpg", "picture removed"] += 1
    planted["street/00399.jpg", "removed"] += len(tasks[399]["annotations"])
    assert Counter((line["picture"], what) for line in found(tmp_path / "out") for what in line["what"]) == planted
    counts = Counter(kind for _, kind in planted.elements())
    assert told is not None
    assert {name: told.objects[name] for name in counts if "picture" not in name} == {
        name: count for name, count in counts.items() if "picture" not in name
    }
    assert told.pictures == {"added": 1, "removed": 1, "changed": 0, "relabelled": 120, "compared": 0}
    assert told.before.objects - told.objects["removed"] + told.objects["added"] == told.after.objects
    assert told.objects["changed"] + told.objects["unchanged"] == told.after.objects - told.objects["added"]
    by_class = {each.value: each for each in told.classes}
    assert sum(each.counts["moved"] for each in by_class.values()) == counts["moved"]
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == json.loads(json.dumps(told.to_dict()))
    assert (tmp_path / "out" / "comparison.md").read_text("utf-8") == told.markdown() + "\n"


def _change(annotations: list[Any], kind: str, dice: random.Random) -> None:
    at = dice.randrange(len(annotations))
    x1, y1, x2, y2 = annotations[at]["points"]
    dx = round((x2 - x1) * 0.1, 1) * (1 if x1 < 300 else -1)
    if kind == "moved":
        annotations[at]["points"] = [round(x1 + dx, 1), y1, round(x2 + dx, 1), y2]
    elif kind == "resized":
        annotations[at]["points"] = [round(x1 + abs(dx), 1), y1, x2, y2]
    elif kind == "reclassed":
        annotations[at]["value"] = "bus"
    elif kind == "attributes":
        annotations[at]["attributes"] = [{"key": "wet", "value": True}]
    elif kind == "added":
        annotations.insert(at, box("kiosk", 5.5, 5.5, 12, 12))
    else:
        del annotations[at]


def test_nothing_has_changed_between_the_same(version, tmp_path):
    tasks = list(generate.tasks(60))
    told = compare_datasets(version("one", tasks), version("two", tasks), output=tmp_path / "out")
    assert told is not None
    assert not told.changed
    assert "nothing has changed" in told.markdown()
    assert told.classes == []
    assert (tmp_path / "out" / "changes.jsonl").read_bytes() == b""
    assert told.objects["unchanged"] == told.before.objects == sum(len(one["annotations"]) for one in tasks)


def test_doubles_are_told_apart_by_their_number(version):
    one = [task("a.jpg", *[box("car", 10, 10, 50, 50)] * 3, box("car", 11, 10, 51, 50))]
    other = [task("a.jpg", *[box("car", 10, 10, 50, 50)] * 2, box("truck", 10, 10, 50, 50))]
    told = compare_datasets(version("one", one), version("two", other))
    assert told is not None
    assert told.objects == {
        "added": 0, "removed": 1, "moved": 0, "resized": 0, "reshaped": 0, "reclassed": 1, "attributes": 0,
        "changed": 1, "unchanged": 2,
    }  # fmt: skip
    assert told.reclassed == [("car", "truck", 1)]


def test_an_object_of_its_class_comes_before_one_that_overlaps_more(version):
    """A model draws everything anew; person and bicycle overlap."""
    one = [task("a.jpg", box("person", 100, 100, 200, 300), box("bicycle", 110, 110, 210, 310))]
    other = [task("a.jpg", box("bicycle", 104, 103, 204, 303), box("person", 106, 107, 206, 307))]
    told = compare_datasets(version("one", one), version("two", other))
    assert told is not None
    assert told.objects["moved"] == 2
    assert told.objects["reclassed"] == told.objects["added"] == told.objects["removed"] == 0


def test_an_outline_that_was_drawn_anew_within_its_box_is_reshaped(version, tmp_path):
    square, diamond = [0, 0, 40, 0, 40, 40, 0, 40, 20, 30], [20, 0, 40, 20, 20, 40, 0, 20]
    tasks = [[task("a.jpg", {"type": "polygon", "value": "lake", "points": ring})] for ring in (square, diamond)]
    told = compare_datasets(version("one", tasks[0]), version("two", tasks[1]), output=tmp_path / "out")
    assert told is not None
    assert told.objects["reshaped"] == told.objects["changed"] == 1
    assert found(tmp_path / "out")[0]["what"] == ["reshaped"]


def test_a_point_may_move_a_little(version):
    tasks = [[task("a.jpg", {"type": "keypoint", "value": "nose", "points": [x, 50]})] for x in (50, 53, 90)]
    versions = [version(str(at), each, form="labelme") for at, each in enumerate(tasks)]
    told, far = (compare_datasets(versions[0], versions[at]) for at in (1, 2))
    assert told is not None
    assert far is not None
    assert told.objects["moved"] == 1
    assert (far.objects["added"], far.objects["removed"]) == (1, 1)


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_is_read(version, form):
    one = [
        task("a.png", box("car", 10, 10, 60, 50), box("car", 100, 100, 150, 150)),
        task("sub/b.png", box("sign", 10, 10, 60, 50)),
    ]
    other = copy.deepcopy(one)
    other[0]["annotations"][1]["points"] = [104, 100, 154, 150]
    other[1]["annotations"][0]["value"] = "car"
    pictures = {"a.png": 1, "sub/b.png": 2}
    told = compare_datasets(
        version("one", one, form=form, pictures=pictures),
        version("two", other, form=form, pictures={**pictures, "a.png": 3}),
    )
    assert told is not None
    assert told.before.unread == told.after.unread == 0
    assert told.pictures == {"added": 0, "removed": 0, "changed": 1, "relabelled": 2, "compared": 2}
    assert told.objects["reclassed"] == 1
    assert told.objects["changed"] == 2
    if form != "masks":  # of which all cars of a picture are one object
        assert told.objects["moved"] == 1
        assert told.objects["unchanged"] == 1


@pytest.mark.parametrize("form", ["yolo", "pascalvoc", "labelme"])
def test_formats_are_compared_by_boxes_and_classes(version, form):
    tasks = [task("a.png", box("car", 10, 10, 60, 50, attributes=[{"key": "wet", "value": True}]))]
    changed = [task("a.png", box("car", 20, 10, 70, 50))]
    coco = version("one", tasks, pictures={"a.png": 1})
    same = compare_datasets(coco, version("two", tasks, form=form, pictures={"a.png": 1}))
    told = compare_datasets(coco, version("three", changed, form=form, pictures={"a.png": 1}))
    assert same is not None
    assert told is not None
    assert not same.changed
    assert "formats differ" in same.markdown()
    assert told.objects["moved"] == told.objects["changed"] == 1


def test_a_missing_version_is_said_and_a_damaged_one_refused(version, tmp_path, caplog):
    caplog.set_level("INFO")
    there = version("one", streets(3))
    assert compare_datasets(tmp_path / "nowhere", there, output=tmp_path / "out") is None
    assert "no earlier version" in caplog.text
    assert compare_datasets(None, there) is None
    assert not (tmp_path / "out").exists()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        compare_datasets(there, tmp_path / "nowhere")
    (there / "manifest.json").write_text("[]")
    with pytest.raises(DamagedFileError):
        compare_datasets(there, version("two", streets(3)))


def test_what_cannot_be_read_is_said(version):
    one, other = version("one", streets(3)), version("two", streets(2))
    path = other / "annotations.json"
    document = json.loads(path.read_text())
    document["annotations"][0]["category_id"] = 99
    document["annotations"][1] = {**document["annotations"][1], "bbox": [1, 2, -3, 4], "segmentation": []}
    document["annotations"][2] = 5
    path.write_text(json.dumps(document))
    told = compare_datasets(one, other)
    assert told is not None
    assert told.after.unread == 3
    assert "3 objects or files cannot be read" in told.markdown()


def test_object_stores_are_read_and_written(version, tmp_path):
    place = UPath(f"memory://bucket-{tmp_path.name}")
    try:
        one = version("one", streets(5), place=place / "one")
        other = version("two", streets(6), place=place / "two")
        told = compare_datasets(one, other, output=place / "out")
        assert told is not None
        assert told.pictures["added"] == 1
        assert json.loads((place / "out" / "comparison.json").read_bytes())["changed"] is True
        # A version that its place names and that is gone is no "there is no earlier version".
        place.fs.rm((place / "one" / "versions").path, recursive=True)
        with pytest.raises(DamagedFileError, match="the version that it names, .*, is not there"):
            compare_datasets(one, other)
    finally:
        place.fs.rm(f"/bucket-{tmp_path.name}", recursive=True)


def test_hostile_names_are_text_in_markdown_and_json(version, tmp_path):
    names = [f"{HOSTILE}.jpg", "[x](http://evil.example).jpg", "a\u001b[2Jb|c.jpg"]
    one = [task(name, box("car", 10, 10, 60, 50)) for name in names]
    other = [task(name, box(HOSTILE, 10, 10, 60, 50)) for name in names]
    told = compare_datasets(version("one", one), version("two", other), output=tmp_path / "out")
    assert told is not None
    text = told.markdown()
    assert told.objects["reclassed"] == 3
    assert not re.search(r"(?<!\\)[<>\[\]()&`*_]", text.replace("**", ""))
    assert "\x1b" not in text + (tmp_path / "out" / "comparison.json").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


def test_columns_are_what_the_reader_of_annotations_reads(tmp_path):
    """Of the same file, the reader that imports use says the same boxes and classes."""
    export_coco(generate.tasks(80), tmp_path)
    columns = read_columns(tmp_path / "annotations.json")
    imported = read_coco(tmp_path / "annotations.json", "bbox")
    assert columns.lost == []
    assert columns.pictures == list(imported.by_image)
    wanted = [
        (picture, annotation["value"])
        for picture, annotations in imported.by_image.items()
        for annotation in annotations
    ]
    got = [(columns.pictures[p], columns.classes[k]) for p, k in zip(columns.picture, columns.kind, strict=True)]
    assert got == wanted
    upright = [
        (at, annotation["points"])
        for at, annotation in enumerate(one for many in imported.by_image.values() for one in many)
        if not annotation.get("rotation")
    ]
    wanted_boxes = np.array([points for _, points in upright], np.float64)
    assert np.abs(columns.boxes[[at for at, _ in upright]] - wanted_boxes).max() < 1e-5


def test_lists_of_a_file_may_come_in_any_order_and_twice(tmp_path):
    export_coco(streets(3), tmp_path)
    document = json.loads((tmp_path / "annotations.json").read_text())
    text = ",".join(f'"{name}":{json.dumps(document[name])}' for name in ("annotations", "categories", "images"))
    (tmp_path / "turned.json").write_text('{"annotations":[{}],' + text + "}")
    one, other = (read_columns(tmp_path / name) for name in ("annotations.json", "turned.json"))
    assert other.lost == []
    assert (one.boxes == other.boxes).all()
    assert (one.kind == other.kind).all()
    (tmp_path / "none.json").write_text("{}")
    with pytest.raises(ValueError, match="no list of images"):
        read_columns(tmp_path / "none.json")


def test_of_one_picture_it_is_said_that_it_is_one(version):
    tasks = list(generate.tasks(1))
    tasks[0]["annotations"] = tasks[0]["annotations"][:1]
    told = compare_datasets(version("one", tasks), version("two", tasks))
    assert told is not None
    assert told.markdown().startswith("**1 → 1 picture, 1 → 1 object**")
