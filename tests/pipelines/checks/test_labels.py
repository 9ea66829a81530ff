"""The objects of a data set are the same columns of numbers whatever its format, and nothing is missed in silence."""

from __future__ import annotations

import json
from typing import Any

import fsspec
import numpy as np
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach

from airflow_provider_fastlabel.client.exceptions import cannot_pass
from airflow_provider_fastlabel.formats.writing.class_changes import brought_up_to_date
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.pipelines.checks.labels import DamagedDatasetError, read_labels
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from tests.operators.s3_files import S3Files
from tests.pipelines.checks.published import WRITERS, publish_tasks
from tests.pipelines.exports.places.spots import store_at
from tests.pipelines.reports.labelled import box, task

CAT, DOG = box("cat", 10, 20, 110, 220), box("dog", 300, 20, 340, 90)
TASKS = [task("a.png", CAT, DOG), task("sub/b.png", DOG), task("empty.png")]
PICTURES = {each["name"]: number for number, each in enumerate(TASKS)}


def read(place):
    return read_labels(PublishedDataset(place))


def listed(labels):
    return sorted(
        (labels.pictures[p], labels.classes[k], *b)
        for p, k, b in zip(labels.picture, labels.kind, labels.boxes.tolist(), strict=True)
    )


@pytest.fixture
def bucket(tmp_path):
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="checks", fs=filesystem)
    filesystem.makedirs(f"/{tmp_path.name}")
    yield ObjectStoragePath(f"memory:///{tmp_path.name}", conn_id="checks")
    filesystem.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def s3(s3_address):
    files = S3Files(s3_address)
    files.boto.create_bucket(Bucket="sets")
    attach("s3", conn_id="labels", fs=files)
    yield ObjectStoragePath("s3://sets/x", conn_id="labels")
    files.close()


@pytest.mark.parametrize("place", ["folder", "store"])
@pytest.mark.parametrize("form", WRITERS)
def test_every_format_says_the_same(form, place, tmp_path, bucket):
    target = tmp_path / "set" if place == "folder" else bucket / "set"
    more: dict[str, Any] = {"kind": "instance"} if form == "masks" else {}
    found = read(publish_tasks(target, tmp_path / "work", TASKS, form, pictures=PICTURES, **more))

    names = {each.rpartition(".")[0] for each in found.pictures}
    assert names == {"a", "sub/b", "empty"}
    assert sorted(found.classes) == ["cat", "dog"]
    assert [row[1] for row in listed(found)] == ["cat", "dog", "dog"]
    for row, points in zip(listed(found), (CAT["points"], DOG["points"], DOG["points"]), strict=True):
        assert row[2:] == pytest.approx(points, abs=0.001)
    assert (np.diff(found.picture) >= 0).all()
    assert found.solid.all()
    assert (found.unread.count, found.unread.examples) == (0, [])
    assert set(found.splits) <= ({"train", "val"} if form == "yolo" else {""})


def test_what_is_drawn_otherwise_counts_by_its_box(tmp_path):
    turned = {**box("cat", 100, 100, 140, 120), "rotation": 90}
    outline = {"type": "polygon", "value": "cat", "points": [0, 0, 50, 0, 50, 40]}
    point = {"type": "keypoint", "value": "dog", "points": [5, 6]}
    tasks = [task("a.png", turned, outline, point)]
    found = read(publish_tasks(tmp_path / "set", tmp_path / "work", tasks, "labelme"))
    assert listed(found) == [
        ("a.png", "cat", 0, 0, 50, 40),
        ("a.png", "cat", 110, 90, 130, 130),
        ("a.png", "dog", 5, 6, 5, 6),
    ]
    assert found.solid.tolist() == [True, True, False]


def test_an_empty_data_set_has_no_objects(tmp_path):
    for form in WRITERS:
        more: dict[str, Any] = {"kind": "semantic"} if form == "masks" else {}
        place = publish_tasks(tmp_path / form, tmp_path / f"{form}-work", [], form, classes=["cat"], **more)
        found = read(place)
        assert (found.pictures, found.boxes.shape, found.unread.count) == ([], (0, 4), 0)
        assert found.per_class() == {"cat": 0}


def test_a_class_without_objects_counts_and_one_that_is_gone_does_not(tmp_path):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS, classes=["bird", "cat", "dog", "gone"])
    assert read(place).per_class() == {"bird": 0, "cat": 1, "dog": 2, "gone": 0}
    lock = place / "classes.lock.json"
    was, now = (ClassMap.of([{"type": "bbox", "value": value, "title": value} for value in values]) for values in (
        ("bird", "cat", "dog", "gone"), ("bird", "cat", "dog"))
    )  # fmt: skip
    lock.write_bytes(brought_up_to_date(was, now, keep_renamed=False).to_lock({}))
    assert read(place).per_class() == {"bird": 0, "cat": 1, "dog": 2}
    lock.write_text("{")
    with pytest.raises(DamagedFileError):
        read(place)


def test_only_what_the_export_published_is_read(tmp_path):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS, "labelme")
    (place / "report.json").write_text("{}")
    (place / "mine.json").write_text((place / "a.json").read_text())
    assert len(listed(read(place))) == 3


def test_what_is_missing_or_damaged_is_counted_and_named(tmp_path):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS, "labelme")
    (place / "a.json").unlink()
    (place / "sub" / "b.json").write_text("{")
    found = read(place)
    assert found.unread.count == 2
    assert found.unread.examples[0] == "a.json: the manifest lists it, and it is not there or hidden"
    assert found.unread.examples[1].startswith("sub/b.json")
    assert listed(found) == []


def test_what_a_store_has_lost_is_counted_and_named(tmp_path, bucket):
    place = PublishedDataset(publish_tasks(bucket / "set", tmp_path / "work", TASKS, "labelme")).place
    place.fs.rm_file((place / "a.json").path)
    found = read(place)
    assert found.unread.examples == ["a.json: the manifest lists it, and it is not there or hidden"]
    assert [row[1] for row in listed(found)] == ["dog"]


def test_empty_files_are_read_from_a_bucket_that_has_no_first_byte_of_them(tmp_path, s3):
    place = publish_tasks(s3 / "set", tmp_path / "work", TASKS, "yolo", pictures=PICTURES)
    found = read(place)
    assert sorted(found.pictures) == ["a.png", "empty.png", "sub/b.png"]
    assert [row[1] for row in listed(found)] == ["cat", "dog", "dog"]
    assert found.unread.count == 0

    (PublishedDataset(place).place / "images" / "train" / "a.png").write_bytes(b"")
    found = read(place)
    assert [row[1] for row in listed(found)] == ["dog"]
    assert [text.partition(":")[0] for text in found.unread.examples] == ["labels/train/a.txt"]


def test_a_folder_in_the_place_of_a_listed_file_is_counted_and_named(tmp_path):
    place = PublishedDataset(publish_tasks(store_at(tmp_path / "set"), tmp_path / "work", TASKS, "labelme")).place
    place.fs.rm_file((place / "a.json").path)
    place.fs.mkdir((place / "a.json").path)
    found = read(place)
    assert found.unread.examples == ["a.json: the manifest lists it, and it is not there or hidden"]
    assert [row[1] for row in listed(found)] == ["dog"]


def test_a_store_that_does_not_answer_is_the_error_that_is_told(tmp_path, bucket, monkeypatch):
    place = publish_tasks(bucket / "set", tmp_path / "work", TASKS, "labelme")
    published = PublishedDataset(place)

    def refuse(*_args, **_more):
        raise PermissionError("no right to read")

    monkeypatch.setattr(place.fs, "cat_file", refuse)
    with pytest.raises(StoreFailedError, match=r"a\.json cannot be read.*PermissionError: no right to read"):
        read_labels(published)


@pytest.mark.parametrize(("form", "text"), [("labelme", "[]"), ("labelme", "{}"), ("pascalvoc", "<html></html>")])
def test_a_listed_file_with_something_else_in_it_is_counted_and_named(tmp_path, form, text):
    """Among anybody's files it would be no label file; an export lists none but label files."""
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS, form)
    (spoilt,) = (path for path in PublishedDataset(place).files if path.rpartition("/")[2] in ("a.json", "a.xml"))
    (place / spoilt).write_text(text)
    found = read(place)
    assert (found.unread.count, found.unread.examples[0].partition(":")[0]) == (1, spoilt)


@pytest.mark.parametrize("entry", [None, {}, {"id": 9, "file_name": None}, {"id": 9, "file_name": 5}])
def test_a_listed_picture_without_a_name_is_counted_though_it_has_no_object(tmp_path, entry):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS)
    document = json.loads((place / "annotations.json").read_text())
    document["images"].append(entry)
    (place / "annotations.json").write_text(json.dumps(document))
    found = read(place)
    assert found.unread.examples == ["annotations.json: images[3]: no usable file_name; it was left out"]


def test_a_coco_file_that_is_gone_is_an_error(tmp_path):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS)
    (place / "annotations.json").unlink()
    with pytest.raises(FileNotFoundError, match="should hold one COCO file, and holds 0"):
        read(place)


@pytest.mark.parametrize("form", WRITERS)
def test_a_data_set_without_any_picture_has_no_labels(form, tmp_path):
    more: dict[str, Any] = {"kind": "instance"} if form == "masks" else {}
    found = read(publish_tasks(tmp_path / "set", tmp_path / "work", [], form, **more))
    assert (found.pictures, found.classes, listed(found), found.unread.count) == ([], [], [], 0)


def test_a_damaged_file_is_told_with_its_data_set_and_needs_no_retry(tmp_path, bucket):
    """Of several data sets that one task reads, nobody knows which one is meant by the name of a file."""
    place = PublishedDataset(publish_tasks(bucket / "set", tmp_path / "work", TASKS)).place
    (place / "annotations.json").write_text("{")
    with pytest.raises(DamagedDatasetError) as told:
        read(place)
    assert f"{place} is not as an export writes it: annotations.json:1: not valid JSON" in str(told.value)
    assert cannot_pass(told.value)
    (place / "annotations.json").unlink()
    with pytest.raises(FileNotFoundError) as gone:
        read(place)
    assert str(gone.value).startswith(f"{place} should hold one COCO file, and holds 0")


def test_labels_that_cannot_be_read_back_are_refused(tmp_path):
    place = publish_tasks(tmp_path / "set", tmp_path / "work", TASKS, "yolo")
    with pytest.raises(ValueError, match="YOLO labels without pictures"):
        read(place)
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps({**manifest, "format": "annotated_images\x1b"}))
    with pytest.raises(ValueError, match=r"the format annotated_images\\x1b, from which no labels can be read back"):
        read(place)


def test_corners_that_count_from_zero_are_read_too(tmp_path):
    tasks = [task("a.png", box("cat", 0, 0, 100, 50))]
    place = publish_tasks(tmp_path / "set", tmp_path / "work", tasks, "pascalvoc", corners="zero_based")
    assert listed(read(place)) == [("a.png", "cat", 0, 0, 100, 50)]
