"""Projects, annotation classes and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Api

BOX = {"type": "bbox", "value": "cat", "points": [1, 2, 5, 4]}


def test_a_project_is_created_found_changed_and_deleted(api: Api):
    ident = api.project(jobSize=20)
    project = api("GET", f"projects/{ident}")
    stamps = {"createdAt": project["createdAt"], "updatedAt": project["updatedAt"]}
    assert project == stamps | {
        "id": ident,
        "type": "image_bbox",
        "slug": "cats",
        "name": "cats",
        "isPixel": False,
        "jobSize": 20,
        "status": "active",
    }
    assert api("GET", "projects", slug="cats", limit=100) == [project]
    assert api("GET", "projects", slug="dogs") == []
    assert api("PUT", f"projects/{ident}", {"slug": "dogs"}) == ident
    assert [item["slug"] for item in api("GET", "projects")] == ["dogs"]
    assert api("GET", "projects/map/id-slug") == {ident: "dogs"}
    api.image("a.png", project="dogs", tags=["x"])
    assert api.send("DELETE", f"projects/{ident}").status_code == 204
    api.refused(404, "GET", f"projects/{ident}")
    assert api.emulator.state()["tasks"]["image"] == 0


def test_faulty_projects_are_refused(api: Api):
    api.project()
    assert "cats" in api.refused(409, "POST", "projects", {"type": "image_bbox", "name": "x", "slug": "cats"})
    assert "type" in api.refused(422, "POST", "projects", {"type": "image_box", "name": "x", "slug": "x"})
    assert "slug" in api.refused(422, "POST", "projects", {"type": "image_bbox", "name": "x", "slug": "No Slug"})
    other = api.project(slug="dogs")
    api.refused(409, "PUT", f"projects/{other}", {"slug": "cats"})


def test_a_copied_project_has_the_classes_and_no_tasks(cats):
    (source,) = cats("GET", "projects")
    cats.image("a.png")
    copy = cats("POST", "projects/copy", {"id": source["id"]})
    again = cats("POST", "projects/copy", {"id": source["id"], "name": "N", "slug": "named"})
    assert cats("GET", f"projects/{copy}")["slug"] == "cats-copy"
    assert cats("GET", f"projects/{again}")["name"] == "N"
    assert [item["value"] for item in cats("GET", "annotations", project="cats-copy")] == ["cat"]
    assert cats("GET", "tasks/count", project="cats-copy") == 0


@pytest.mark.parametrize("value", ["traffic light", "猫", "a.b", "a/b", "é"])
def test_class_values_are_what_the_help_pages_let_them_be(cats, value):
    body = {"project": "cats", "type": "bbox", "value": value, "title": "Any text, 何でも"}
    assert value in cats.refused(422, "POST", "annotations", body)
    ident = cats("POST", "annotations", body | {"value": "Aa_0-9"})
    assert value in cats.refused(422, "PUT", f"annotations/{ident}", {"value": value})
    cats.emulator.configure(strict=False)
    cats("POST", "annotations", body)


def test_classes_are_listed_by_ten_and_found_by_value(cats):
    for number in range(12):
        body = {"project": "cats", "type": "bbox", "value": f"c{number}", "title": "C"}
        cats("POST", "annotations", body)
    assert len(cats("GET", "annotations", project="cats")) == 10
    assert [item["order"] for item in cats("GET", "annotations", project="cats", limit=1000)] == list(range(1, 14))
    assert [item["value"] for item in cats("GET", "annotations", project="cats", value="c3", limit=10)] == ["c3"]
    assert cats("GET", "annotations", project="cats", value="c99") == []


def test_attribute_ids_survive_an_update(cats):
    (before,) = cats("GET", "annotations", project="cats")
    sent = [item | {"name": item["name"] + "2"} for item in before["attributes"]]
    body = {"title": "Kitten", "color": "#00ff00", "attributes": sent}
    assert cats("PUT", f"annotations/{before['id']}", body) == before["id"]
    after = cats("GET", f"annotations/{before['id']}")
    assert [item["id"] for item in after["attributes"]] == [item["id"] for item in before["attributes"]]
    assert [item["name"] for item in after["attributes"]] == ["Kind2", "Size2"]
    sent[0]["id"] = "unknown"
    assert "unknown" in cats.refused(422, "PUT", f"annotations/{before['id']}", {"attributes": sent})


def test_a_changed_or_deleted_class_shows_on_the_tasks(cats):
    ident = cats.image("a.png", annotations=[BOX])
    (kind,) = cats("GET", "annotations", project="cats")
    cats("PUT", f"annotations/{kind['id']}", {"value": "kitten", "title": "Kitten", "color": "#00ff00"})
    (shown,) = cats("GET", f"tasks/image/{ident}")["annotations"]
    assert (shown["value"], shown["title"], shown["color"]) == ("kitten", "Kitten", "#00ff00")
    assert cats.send("DELETE", f"annotations/{kind['id']}").status_code == 204
    assert cats("GET", f"tasks/image/{ident}")["annotations"] == []


def test_faulty_classes_are_refused(cats):
    body = {"project": "cats", "type": "bbox", "value": "cat", "title": "Cat"}
    cats.refused(409, "POST", "annotations", body)
    select = {"type": "select", "name": "S", "key": "s"}
    assert "options" in cats.refused(422, "POST", "annotations", body | {"value": "x", "attributes": [select]})
    assert "cuboid" in cats.refused(422, "POST", "annotations", body | {"value": "x", "type": "cuboid"})
    cats.refused(422, "POST", "annotations/classification", {"project": "cats", "attributes": []})


def test_pose_keypoints_are_named_by_key_on_tasks_and_by_id_on_classes(api: Api):
    api.project("image_pose_estimation", "poses")
    body = {"project": "poses", "type": "pose_estimation", "value": "person", "title": "Person"}
    ident = api("POST", "annotations", body)
    points = [{"key": "head", "name": "Head", "edges": ["hand"]}, {"key": "hand", "name": "Hand"}]
    api.emulator.control("PUT", "keypoints", {"annotation_id": ident, "keypoints": points})
    head, hand = api("GET", f"annotations/{ident}")["keypoints"]
    assert (head["edges"], hand["edges"], head["value"]) == ([hand["id"]], [head["id"]], [])
    pose = {"type": "pose_estimation", "value": "person", "keypoints": [{"key": "hand", "value": [1, 2, 1]}]}
    task = api("GET", f"tasks/image/{api.image('a.png', project='poses', annotations=[pose])}")
    (shown,) = task["annotations"]
    assert shown["keypoints"] == [
        {"key": "head", "name": "Head", "value": [], "edges": ["hand"]},
        {"key": "hand", "name": "Hand", "value": [1, 2, 1], "edges": ["head"]},
    ]
    assert "points" not in shown


def test_tags_come_from_tasks_and_go_from_them(cats):
    ident = cats.image("a.png", tags=["big dog", "cat"])
    tags = cats("GET", "tags", project="cats")
    assert [(tag["name"], tag["order"]) for tag in tags] == [("big dog", 1), ("cat", 2)]
    assert [tag["name"] for tag in cats("GET", "tags", project="cats", keyword="DOG")] == ["big dog"]
    cats("POST", "tags/delete/multi", {"tagIds": [tags[0]["id"]]})
    assert cats("GET", f"tasks/image/{ident}")["tags"] == ["cat"]
    cats.refused(404, "POST", "tags/delete/multi", {"tagIds": [tags[0]["id"], tags[1]["id"]]})
    assert [tag["name"] for tag in cats("GET", "tags", project="cats")] == ["cat"]
