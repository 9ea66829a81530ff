"""Image and image classification tasks, and what all kinds share."""

from __future__ import annotations

import hashlib

import pytest
import requests

from .conftest import Api, encoded, picture, picture_bytes, unsigned

BOX = {"type": "bbox", "value": "cat", "points": [1, 2, 5, 4.5]}


def test_a_created_task_is_shown_as_documented(cats):
    annotation = BOX | {"attributes": [{"key": "size", "value": "large"}], "content": "a/b.png"}
    ident = cats.image("a/b.png", priority=10, tags=["t1", "t2"], assignee="admin", annotations=[annotation])
    task = cats("GET", f"tasks/image/{ident}")
    assert {key: task[key] for key in ("id", "name", "width", "height", "status", "externalStatus", "priority")} == {
        "id": ident,
        "name": "a/b.png",
        "width": 8,
        "height": 6,
        "status": "registered",
        "externalStatus": "registered",
        "priority": 10,
    }
    assert task["tags"] == ["t1", "t2"]
    assert task["assignee"] == "Admin"
    assert task["reviewer"] is task["externalAssignee"] is None
    (shown,) = task["annotations"]
    assert shown.pop("id")
    assert shown == {
        "type": "bbox",
        "value": "cat",
        "title": "Cat",
        "color": "#FF0000",
        "points": [1, 2, 5, 4.5],
        "rotation": 0,
        "keypoints": [],
        "confidenceScore": -1,
        "attributes": [{"key": "size", "name": "Size", "type": "select", "value": "large", "title": "Large"}],
    }
    assert task["createdAt"] == task["updatedAt"]
    assert task["createdAt"].endswith("Z")


@pytest.mark.parametrize("name", ["a.png", "写真 1+2.png", "a#1.png", "a?b=1&c%20.png"])
def test_the_file_comes_back_from_the_signed_address(cats, name):
    data = picture_bytes(40, 30)
    ident = cats.image(name, file=encoded(data))
    assert requests.get(cats("GET", f"tasks/image/{ident}")["url"], timeout=60).content == data


def test_lists_filter_and_page_in_creation_order(cats):
    for number in range(5):
        cats.image(f"{number}.png", tags=["all", f"t{number}"], status="approved" if number % 2 else "registered")

    def names(**query):
        return [task["name"] for task in cats("GET", "tasks/image", project="cats", **query)]

    assert names() == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert names(offset=3, limit=1) == ["3.png"]
    assert names(offset=5) == []
    assert names(status="approved") == ["1.png", "3.png"]
    assert names(externalStatus="approved") == []
    assert names(tags=["all", "t2"]) == ["2.png"]
    assert names(tags="nowhere") == []
    assert names(taskName="4.png") == ["4.png"]
    assert cats("GET", "tasks/count", project="cats", status="registered", tags=["all"]) == 3
    assert sorted(cats("GET", "tasks/map/id-name", project="cats").values()) == names()


def test_update_replaces_what_is_named_and_keeps_the_rest(cats):
    ident = cats.image("a.png", tags=["old"], assignee="admin", annotations=[BOX, BOX])
    body = {
        "status": "approved",
        "tags": ["new"],
        "annotations": [BOX],
        "relations": [{"startIndex": 0, "endIndex": 0}],
    }
    assert cats("PUT", f"tasks/image/{ident}", body) == ident
    task = cats("GET", f"tasks/image/{ident}")
    mark = task["annotations"][0]["id"]
    assert (task["status"], task["tags"], task["assignee"]) == ("approved", ["new"], "Admin")
    assert len(task["annotations"]) == 1
    assert task["relations"] == [{"start": mark, "end": mark}]

    cats("PUT", f"tasks/{ident}", {"assignee": None, "priority": 0})
    later = cats("GET", f"tasks/image/{ident}")
    assert later["assignee"] is None
    assert later["annotations"] == task["annotations"]
    assert cats("PUT", f"tasks/{ident}", {}) == ident


def test_a_fetched_annotation_can_be_sent_back(cats):
    ident = cats.image("a.png", annotations=[BOX | {"attributes": [{"key": "kind", "value": "x"}]}])
    before = cats("GET", f"tasks/image/{ident}")["annotations"]
    cats("PUT", f"tasks/image/{ident}", {"annotations": before})
    after = cats("GET", f"tasks/image/{ident}")["annotations"]
    assert [item | {"id": ""} for item in after] == [item | {"id": ""} for item in before]


def test_delete_annotations_keeps_the_task_and_delete_removes_it(cats):
    ident = cats.image("a.png", annotations=[BOX])
    cats("DELETE", f"tasks/{ident}/task-annotations")
    assert cats("GET", f"tasks/image/{ident}")["annotations"] == []
    assert cats.send("DELETE", f"tasks/{ident}").status_code == 204
    cats.refused(404, "GET", f"tasks/image/{ident}")
    cats.refused(404, "DELETE", f"tasks/{ident}")
    assert cats("GET", "tasks/count", project="cats") == 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"fil": 1}, "fil"),
        ({"priority": 5}, "priority"),
        ({"status": "done"}, "status"),
        ({"file": "%%%"}, "file"),
        ({"file": encoded(b"no picture")}, "image"),
        ({"annotations": [BOX | {"value": "dog"}]}, "dog"),
        ({"annotations": [BOX | {"type": "polygon", "points": [1, 1, 2, 2, 3, 1]}]}, "polygon"),
        ({"annotations": [BOX | {"points": [1, 2, 3]}]}, "annotations.0"),
        ({"annotations": [BOX | {"pionts": []}]}, "pionts"),  # codespell:ignore pionts
        ({"annotations": [BOX | {"attributes": [{"key": "age", "value": 3}]}]}, "age"),
        ({"annotations": [BOX | {"attributes": [{"key": "size", "value": "tiny"}]}]}, "tiny"),
        ({"assignee": "nobody"}, "nobody"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_a_faulty_create_is_refused_by_name_and_leaves_nothing(cats, fields, named):
    body = {"project": "cats", "name": "a.png", "file": picture()} | fields
    assert named in cats.refused(422, "POST", "tasks/image", body)
    assert cats("GET", "tasks/count", project="cats") == 0
    assert cats("GET", "tags", project="cats") == []


def test_names_are_unique_in_a_project(cats):
    cats.image("a.png")
    body = {"project": "cats", "name": "a.png", "file": picture()}
    assert "a.png" in cats.refused(409, "POST", "tasks/image", body)


def test_files_over_the_limit_are_refused(cats):
    big = encoded(picture_bytes() + bytes(20 * 1024 * 1024))
    message = cats.refused(422, "POST", "tasks/image", {"project": "cats", "name": "a.png", "file": big})
    assert "20 MB" in message


def test_unknown_things_and_routes(cats):
    assert "dogs" in cats.refused(404, "GET", "tasks/image", project="dogs")
    assert "limit" in cats.refused(422, "GET", "tasks/image", project="cats", limit=1001)
    assert "kindd" in cats.refused(422, "GET", "tasks/image", project="cats", kindd=1)
    assert "project" in cats.refused(422, "GET", "tasks/image")
    assert "tags" in cats.refused(422, "GET", "tasks/count", project="cats", tags=[str(n) for n in range(11)])
    cats.refused(404, "GET", "taskz")
    cats.refused(405, "POST", "tasks/count")
    ident = cats.image("a.png")
    cats.refused(404, "GET", f"tasks/video/{ident}")
    cats.refused(422, "POST", "tasks/video", {"project": "cats", "name": "v", "file": picture()})


def test_not_json_is_refused(cats):
    for text in (b"{", b'{"project": NaN}', b'{"project": "\\ud800"}'):
        answer = cats.session.post(cats.emulator.url + "tasks/image", data=text)
        assert answer.status_code == 422, text
        assert answer.json()["message"]


def test_integrated_images_have_a_name_and_no_file(cats):
    body = {"project": "cats", "filePath": "in/a.jpg", "storageType": "gcp", "annotations": [BOX]}
    ident = cats("POST", "tasks/integrated-image", body)
    task = cats("GET", f"tasks/image/{ident}")
    assert task["name"] == "in/a.jpg"
    assert "url" not in task
    assert "pdf" in cats.refused(422, "POST", "tasks/integrated-image", body | {"filePath": "a.pdf"})


def test_classification_tasks_carry_attributes(api: Api):
    api.project("image_classification", "kinds")
    body = {"project": "kinds", "name": "a.jpg", "file": picture(format="JPEG")}
    values = [{"key": "scene", "value": "indoor"}]
    path = "tasks/image/classification"
    assert "classification" in api.refused(422, "POST", path, body | {"attributes": values})
    options = [{"title": "Indoor", "value": "indoor"}]
    scene = {"type": "radio", "name": "Scene", "key": "scene", "options": options}
    api("POST", "annotations/classification", {"project": "kinds", "attributes": [scene]})
    ident = api("POST", path, body | {"attributes": values})
    task = api("GET", f"{path}/{ident}")
    shown = {"key": "scene", "name": "Scene", "type": "radio", "value": "indoor", "title": "Indoor"}
    assert task["attributes"] == [shown]
    assert "annotations" not in task
    assert unsigned(api("GET", path, project="kinds", taskName="a.jpg")) == unsigned([task])
    integrated = {"project": "kinds", "filePath": "b.jpg", "storageType": "gcp", "priority": 20}
    other = api("POST", "tasks/integrated-image/classification", integrated)
    assert api("PUT", f"{path}/{other}", {"attributes": values}) == other
    assert api("GET", f"{path}/{other}")["attributes"] == [shown]


def test_long_files_leave_the_body_while_it_arrives(cats):
    data = picture_bytes(300, 200, "JPEG") + bytes(range(256)) * 8000
    ident = cats.image("big.jpg", file=encoded(data))
    (call,) = cats.emulator.requests(method="POST", path="tasks/image")
    digest = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    assert call["body"] == {"project": "cats", "name": "big.jpg", "file": digest}
    assert requests.get(cats("GET", f"tasks/image/{ident}")["url"], timeout=60).content == data
