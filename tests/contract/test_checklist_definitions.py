"""Checklist of the seed: S3 import, histories, annotation classes, projects, tags (L1391-L1657)."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound

from . import samples
from .checklist import covers
from .world import SELECT, SLUG, TEXT

STAMPS = {"createdAt", "updatedAt"}
TEXT2 = TEXT | {"name": "Kind2", "key": "kind2"}
SELECT2 = SELECT | {
    "name": "Size2",
    "key": "size2",
    "options": [{"title": "Large2", "value": "large2"}, {"title": "Small2", "value": "small2"}],
}


# S3 import and histories


@covers("L1391-1402", "L1403-1407", "L1409-1411", "L1413-1415")
@pytest.mark.parametrize(
    ("kind", "key"), [("image", "a.jpg"), ("text", "a.txt"), ("audio", "a.wav"), ("video", "a.mp4")]
)
def test_import_from_a_bucket(world, s3_address, kind, key):
    world.project(kind)
    with pytest.raises(FastLabelInvalidException):
        world.client.create_task_from_aws_s3(project=SLUG)
    world.bucket(s3_address, "photos", "us-east-1", {f"in/{key}": samples.MAKERS[key[1:]](world.folder / key)})
    status = world.client.update_aws_s3_storage(project=SLUG, bucket_name="photos", bucket_region="us-east-1")
    assert isinstance(status, str)
    with pytest.raises(NotFound):
        world.client.get_aws_s3_import_status_by_project(project=SLUG)
    history = world.client.create_task_from_aws_s3(project=SLUG)
    world.completed(history["id"])
    shown = world.client.get_aws_s3_import_status_by_project(project=SLUG)
    assert (shown["id"], shown["status"]) == (history["id"], "completed")
    assert [task["name"] for task in world.client.iter_tasks(SLUG, kind)] == [f"in/{key}"]


@covers("L1418", "L1420", "L1421-1429")
def test_histories(world):
    world.project("dicom")
    world.emulator.configure(history_manual=True)
    idents = [world.client.create_dicom_task(SLUG, world.sample("dicom", stem))["id"] for stem in ("a", "b")]
    found = world.client.find_history(history_id=idents[0])
    assert {"id", "storageType", "status"} | STAMPS <= found.keys()
    assert (found["id"], found["storageType"], found["status"]) == (idents[0], "zip", "running")
    assert [history["id"] for history in world.client.get_histories(project=SLUG)] == idents


# Annotation classes


@pytest.fixture
def project(world):
    world.client.create_project("image_bbox", SLUG, SLUG)
    return world


@covers("L1433-1434", "L1435-1459", "L1474-1507")
def test_create_annotation_classes(project):
    ident = project.client.create_annotation(project=SLUG, type="bbox", value="dog", title="Dog")
    assert project.client.find_annotation(ident)["attributes"] == []
    fields = {"type": "bbox", "value": "cat", "title": "Cat", "color": "#FF0000"}
    ident = project.client.create_annotation(project=SLUG, **fields, attributes=[TEXT, SELECT])
    found = project.client.find_annotation(ident)
    assert {"id", "type", "value", "title", "color", "order", "vertex", "attributes"} | STAMPS <= found.keys()
    assert {key: found[key] for key in (*fields, "order", "vertex")} == fields | {"order": 2, "vertex": 0}
    kind, size = found["attributes"]
    assert kind == TEXT | {"id": kind["id"], "options": [], "order": 1, "value": ""}
    assert size == SELECT | {"id": size["id"], "order": 2, "value": ""}
    for type_ in ("select", "radio", "checkbox"):
        without = {"type": type_, "name": "n", "key": "k"}
        with pytest.raises(FastLabelInvalidException, match="options"):
            project.client.create_annotation(SLUG, "bbox", type_, "T", attributes=[without])


@covers("L1461-1462", "L1469-1470", "L1587-1588")
def test_the_class_of_a_classification_project(world):
    world.client.create_project("image_classification", SLUG, SLUG)
    ident = world.client.create_classification_annotation(project=SLUG, attributes=[TEXT, SELECT])
    found = world.client.find_annotation_by_value(project=SLUG, value="classification")
    assert (found["id"], found["type"]) == (ident, "classification")
    changed = [TEXT2 | {"id": found["attributes"][0]["id"]}]
    assert world.client.update_classification_annotation(project=SLUG, attributes=changed) == ident
    assert [item["key"] for item in world.client.find_annotation(ident)["attributes"]] == ["kind2"]
    assert world.client.update_classification_annotation(ident, [SELECT]) == ident  # as the SDK has it
    assert [item["key"] for item in world.client.find_annotation(ident)["attributes"]] == ["size"]


@covers("L1465", "L1467", "L1472-1473")
def test_find_and_list_annotation_classes(project):
    ident = project.client.create_annotation(SLUG, "bbox", "cat", "Cat")
    assert project.client.find_annotation(annotation_id=ident)["value"] == "cat"
    assert project.client.find_annotation_by_value(project=SLUG, value="cat")["id"] == ident
    assert project.client.find_annotation_by_value(project=SLUG, value="dog") is None
    for number in range(10):
        project.client.create_annotation(SLUG, "bbox", f"v{number}", "V")
    assert len(project.client.get_annotations(project=SLUG)) == 10
    assert len(project.client.get_annotations(project=SLUG, limit=1000)) == 11
    with pytest.raises(FastLabelInvalidException):
        project.client.get_annotations(project=SLUG, limit=1001)


@covers("L1510-1554")
def test_response_of_a_pose_class(world):
    world.client.create_project("image_pose_estimation", SLUG, SLUG)
    ident = world.client.create_annotation(SLUG, "pose_estimation", "jesture", "jesture", color="#10c414")
    points = [{"key": "head", "name": "頭"}, {"key": "right_shoulder", "name": "右肩", "edges": ["head"]}]
    world.emulator.control("PUT", "keypoints", {"annotation_id": ident, "keypoints": points})
    head, shoulder = world.client.find_annotation(ident)["keypoints"]
    assert head == {
        "id": head["id"], "name": "頭", "key": "head", "color": "#0033CC", "edges": [shoulder["id"]], "value": [],
    }  # fmt: skip
    assert shoulder["edges"] == [head["id"]]


@covers("L1557-1558", "L1559-1585", "L1591")
def test_update_and_delete_annotation_classes(project):
    ident = project.client.create_annotation(SLUG, "bbox", "cat", "Cat", attributes=[TEXT, SELECT])
    fields = {"value": "cat2", "title": "Cat2", "color": "#FF0000"}
    assert project.client.update_annotation(annotation_id=ident, **fields) == ident
    found = project.client.find_annotation(ident)
    assert {key: found[key] for key in fields} == fields
    ids = [item["id"] for item in found["attributes"]]
    attributes = [item | {"id": id_} for item, id_ in zip((TEXT2, SELECT2), ids, strict=True)]
    assert project.client.update_annotation(annotation_id=ident, **fields, attributes=attributes) == ident
    shown = project.client.find_annotation(ident)["attributes"]
    assert [(item["id"], item["key"], item["name"]) for item in shown] == [
        (ids[0], "kind2", "Kind2"), (ids[1], "size2", "Size2"),
    ]  # fmt: skip
    assert project.client.delete_annotation(annotation_id=ident) is None
    assert project.client.get_annotations(SLUG) == []


# Projects


@covers("L1595-1596", "L1599", "L1601", "L1603-1604", "L1605-1617")
def test_create_find_and_list_projects(world):
    ident = world.client.create_project(type="image_bbox", name="ImageNet", slug="image-net")
    found = world.client.find_project(project_id=ident)
    fields = {"id": ident, "type": "image_bbox", "slug": "image-net", "name": "ImageNet", "isPixel": False}
    assert fields | {"jobSize": 10, "status": "active"} == {key: found[key] for key in found if key not in STAMPS}
    assert found.keys() >= STAMPS
    assert world.client.find_project_by_slug(slug="image-net") == found
    assert world.client.find_project_by_slug(slug="nobody") is None
    assert world.client.get_projects() == world.client.get_projects(limit=1000) == [found]
    with pytest.raises(FastLabelInvalidException):
        world.client.get_projects(limit=1001)


@covers("L1620-1621", "L1624", "L1627")
def test_update_copy_and_delete_projects(world):
    ident = world.project("image")
    fields = {"name": "NewImageNet", "slug": "new-image-net", "job_size": 20}
    assert world.client.update_project(project_id=ident, **fields) == ident
    found = world.client.find_project(ident)
    assert (found["name"], found["slug"], found["jobSize"]) == tuple(fields.values())
    copy = world.client.copy_project(project_id=ident)
    assert copy != ident
    slug = world.client.find_project(copy)["slug"]
    assert [item["value"] for item in world.client.get_annotations(slug)] == ["annotation-value", "cat"]
    assert world.client.delete_project(project_id=ident) is None
    assert [project["id"] for project in world.client.get_projects()] == [copy]


# Tags


@covers("L1630-1638", "L1639-1649", "L1652-1657")
def test_tags(world):
    world.project("image")
    world.task("image", tags=["dog", "hotdog", "cat"])
    dog, hotdog = world.client.get_tags(project=SLUG, keyword="dog")
    assert {"id", "name", "order"} | STAMPS == dog.keys()
    assert (dog["name"], dog["order"], hotdog["name"]) == ("dog", 1, "hotdog")
    assert [tag["name"] for tag in world.client.get_tags(project=SLUG, offset=1, limit=1)] == ["hotdog"]
    assert world.client.get_tags(project=SLUG, keyword="dog", offset=2000, limit=1000) == []
    with pytest.raises(FastLabelInvalidException):
        world.client.get_tags(project=SLUG, limit=1001)
    assert world.client.delete_tags(tag_ids=[dog["id"], hotdog["id"]]) is None
    assert [tag["name"] for tag in world.client.get_tags(SLUG)] == ["cat"]
    assert world.client.find_image_task_by_name(SLUG, "YOUR_TASK_NAME")["tags"] == ["cat"]
