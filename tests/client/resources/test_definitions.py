"""The wire form of calls on classes, projects, tags, imports and monitoring (reference 2.7 to 2.10, 2.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelException, FastLabelInvalidException, NotFound

ATTRIBUTES = [{"type": "radio", "name": "N", "key": "k", "options": [{"title": "T", "value": "t"}]}]
RESULTS = [
    {
        "status": "success",
        "result": [{"value": "cat", "confidenceScore": 0.5}],
        "requestAt": "2024-01-01T00:00:00.000+09:00",
    }
]
LIST, MAP, ONE = [{"id": "1", "slug": "s", "value": "v"}], {"1": "s"}, {"id": "1"}

Call = tuple[Callable[[FastLabelClient], Any], Any, str, str, list[tuple[str, str]], Any]
CALLS: list[Call] = [  # call, answer, verb, path, query, body
    (lambda c: c.find_annotation("a"), ONE, "GET", "annotations/a", [], None),
    (lambda c: c.get_annotations("p"), LIST, "GET", "annotations", [("project", "p"), ("limit", "10")], None),
    (
        lambda c: c.get_annotations("p", "v", 1, 1000),
        LIST, "GET", "annotations", [("project", "p"), ("value", "v"), ("offset", "1"), ("limit", "1000")], None,
    ),
    (
        lambda c: c.create_annotation(project="p", type="bbox", value="v", title="T"),
        "a", "POST", "annotations", [], {"project": "p", "type": "bbox", "value": "v", "title": "T"},
    ),
    (
        lambda c: c.create_annotation("p", "bbox", "v", "T", "#ff0000", 0, ATTRIBUTES),
        "a", "POST", "annotations", [],
        {"project": "p", "type": "bbox", "value": "v", "title": "T", "color": "#ff0000", "attributes": ATTRIBUTES},
    ),
    (
        lambda c: c.create_annotation("p", "segmentation", "v", "T", order=2, max_area_count=None),
        "a", "POST", "annotations", [],
        {"project": "p", "type": "segmentation", "value": "v", "title": "T", "order": 2, "maxAreaCount": None},
    ),
    (
        lambda c: c.create_classification_annotation("p", ATTRIBUTES),
        "a", "POST", "annotations/classification", [], {"project": "p", "attributes": ATTRIBUTES},
    ),
    (lambda c: c.update_annotation("a"), "a", "PUT", "annotations/a", [], {}),
    (
        lambda c: c.update_annotation("a", "v", "T", "#fff", 3, ATTRIBUTES, max_area_count=5),
        "a", "PUT", "annotations/a", [],
        {"value": "v", "title": "T", "color": "#fff", "order": 3, "attributes": ATTRIBUTES, "maxAreaCount": 5},
    ),
    (
        lambda c: c.update_classification_annotation(annotation_id="a", attributes=ATTRIBUTES),
        "a", "PUT", "annotations/classification/a", [], {"attributes": ATTRIBUTES},
    ),
    (lambda c: c.delete_annotation("a"), None, "DELETE", "annotations/a", [], None),
    (lambda c: c.find_project("p"), ONE, "GET", "projects/p", [], None),
    (lambda c: c.get_projects(), LIST, "GET", "projects", [("limit", "100")], None),
    (
        lambda c: c.get_projects("s", 1, 2),
        LIST, "GET", "projects", [("slug", "s"), ("offset", "1"), ("limit", "2")], None,
    ),
    (lambda c: c.get_project_id_slug_map(), MAP, "GET", "projects/map/id-slug", [("limit", "1000")], None),
    (
        lambda c: c.get_project_id_slug_map(3, 4),
        MAP, "GET", "projects/map/id-slug", [("offset", "3"), ("limit", "4")], None,
    ),
    (
        lambda c: c.create_project(type="image_bbox", name="N", slug="s"),
        "p", "POST", "projects", [],
        {
            "type": "image_bbox", "name": "N", "slug": "s", "jobSize": 10,
            "workflow": "two_step", "externalWorkflow": "two_step",
        },
    ),
    (
        lambda c: c.create_project("image_bbox", "N", "s", True, 0, "three_step", "x"),
        "p", "POST", "projects", [],
        {
            "type": "image_bbox", "name": "N", "slug": "s", "isPixel": True,
            "workflow": "three_step", "externalWorkflow": "x",
        },
    ),
    (lambda c: c.update_project("p"), "p", "PUT", "projects/p", [], {}),
    (
        lambda c: c.update_project("p", "N", "s", 3, "w", "e"),
        "p", "PUT", "projects/p", [],
        {"name": "N", "slug": "s", "jobSize": 3, "workflow": "w", "externalWorkflow": "e"},
    ),
    (lambda c: c.delete_project("p"), None, "DELETE", "projects/p", [], None),
    (lambda c: c.copy_project("p"), "q", "POST", "projects/copy", [], {"id": "p"}),
    (
        lambda c: c.copy_project("p", "N", "s"),
        "q", "POST", "projects/copy", [], {"id": "p", "name": "N", "slug": "s"},
    ),
    (
        lambda c: c.update_project_metadata("p", "a", None, "c"),
        "m", "PUT", "projects/p/metadata", [], {"externalCode1": "a", "externalCode2": None, "externalCode3": "c"},
    ),
    (
        lambda c: c.update_project_user_permission("p", "e@x.jp", "owner"),
        True, "PUT", "projects-users", [], {"project": "p", "email": "e@x.jp", "role": "owner"},
    ),
    (lambda c: c.get_tags("p"), LIST, "GET", "tags", [("project", "p"), ("limit", "100")], None),
    (
        lambda c: c.get_tags("p", "k", 2000, 1000),
        LIST, "GET", "tags", [("project", "p"), ("keyword", "k"), ("offset", "2000"), ("limit", "1000")], None,
    ),
    (lambda c: c.delete_tags(("a", "b")), None, "POST", "tags/delete/multi", [], {"tagIds": ["a", "b"]}),
    (
        lambda c: c.update_aws_s3_storage("p", "b", "r"),
        "ok", "PUT", "storages/aws-s3/p", [], {"bucketName": "b", "bucketRegion": "r"},
    ),
    (
        lambda c: c.update_aws_s3_storage("p", "b", "r", "pre/"),
        "ok", "PUT", "storages/aws-s3/p", [], {"bucketName": "b", "bucketRegion": "r", "prefix": "pre/"},
    ),
    (
        lambda c: c.create_task_from_aws_s3("p"),
        ONE, "POST", "tasks/aws-s3", [], {"project": "p", "status": "registered", "tags": [], "priority": 0},
    ),
    (
        lambda c: c.create_task_from_aws_s3("p", "approved", ("t",), 10),
        ONE, "POST", "tasks/aws-s3", [], {"project": "p", "status": "approved", "tags": ["t"], "priority": 10},
    ),
    (lambda c: c.get_aws_s3_import_status_by_project("p"), ONE, "GET", "tasks/import/status/aws-s3/p", [], None),
    (lambda c: c.find_history("h"), ONE, "GET", "tasks/import/histories/h", [], None),
    (
        lambda c: c.get_histories("p"),
        LIST, "GET", "tasks/import/histories", [("project", "p"), ("limit", "100")], None,
    ),
    (
        lambda c: c.get_histories("p", 5, 6),
        LIST, "GET", "tasks/import/histories", [("project", "p"), ("offset", "5"), ("limit", "6")], None,
    ),
    (
        lambda c: c.create_model_monitoring_request_results(name="m", results=RESULTS),
        "m", "POST", "model-monitorings/create", [], {"name": "m", "results": RESULTS},
    ),
    (
        lambda c: c.create_model_monitoring_request_results("m"),
        "m", "POST", "model-monitorings/create", [], {"name": "m", "results": []},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "answer", "verb", "path", "query", "body"), CALLS)
def test_a_call_on_the_wire(client, wire, call, answer, verb, path, query, body):
    wire.answer(verb, path, answer)
    assert call(client) == answer
    assert wire.sent == [(verb, path, query, body)]


def test_a_class_by_its_value(client, wire):
    wire.answer("GET", "annotations", [{"id": "1", "value": "cat2"}, {"id": "2", "value": "cat"}])
    assert client.find_annotation_by_value("p", "cat")["id"] == "2"
    assert client.find_annotation_by_value(project="p", value="dog") is None
    assert wire.sent[0] == ("GET", "annotations", [("project", "p"), ("value", "cat"), ("limit", "10")], None)


def test_a_project_by_its_slug(client, wire):
    wire.answer("GET", "projects", [{"id": "1", "slug": "cats2"}, {"id": "2", "slug": "cats"}])
    assert client.find_project_by_slug("cats")["id"] == "2"
    assert client.find_project_by_slug(slug="dogs") is None
    assert wire.sent[0] == ("GET", "projects", [("slug", "cats"), ("limit", "100")], None)


def test_the_kind_of_a_project_is_that_of_its_type(client, wire):
    wire.answer("GET", "projects", [{"id": "2", "slug": "cats", "type": "video_single_classification"}])
    assert client.kind_of_project("cats").name == "video_classification"
    with pytest.raises(NotFound, match="dogs"):
        client.kind_of_project("dogs")


def test_a_classification_class_is_found_by_its_project(client, wire):
    """Seed, L1587: update_classification_annotation with a project."""
    wire.answer("GET", "annotations", [{"id": "a", "value": "classification"}])
    wire.answer("PUT", "annotations/classification/a", "a")
    assert client.update_classification_annotation(project="p", attributes=ATTRIBUTES) == "a"
    assert wire.sent[0][2] == [("project", "p"), ("value", "classification"), ("limit", "10")]
    assert wire.sent[1][3] == {"attributes": ATTRIBUTES}


def test_a_project_without_classification_class_is_named(client, wire):
    wire.answer("GET", "annotations", [])
    with pytest.raises(NotFound, match="'p' has no classification class"):
        client.update_classification_annotation(project="p", attributes=ATTRIBUTES)
    with pytest.raises(TypeError, match="annotation_id or project"):
        client.update_classification_annotation(attributes=ATTRIBUTES)


@pytest.mark.parametrize(
    "call",
    [
        lambda c, limit: c.get_annotations("p", limit=limit),
        lambda c, limit: c.get_projects(limit=limit),
        lambda c, limit: c.get_project_id_slug_map(limit=limit),
        lambda c, limit: c.get_tags("p", limit=limit),
        lambda c, limit: c.get_histories("p", limit=limit),
        lambda c, limit: c.get_task_id_name_map("p", limit=limit),
    ],
)
def test_a_limit_above_a_thousand_is_refused(client, wire, call):
    with pytest.raises(FastLabelInvalidException, match="1000 or less") as caught:
        call(client, 1001)
    assert caught.value.code == 422
    assert wire.sent == []


def test_tags_of_many_tasks_are_changed_in_batches(client, wire):
    wire.answer("POST", "tasks/tags/add", {"updatedTaskCount": 3})
    wire.answer("POST", "tasks/tags/remove", {"updatedTaskCount": 1})
    ids = [str(number) for number in range(5001)]
    assert client.add_task_tags("p", [*ids, "0"], ("t",)) == 6
    assert client.remove_task_tags("p", ["a"], ["t"]) == 1
    assert [line[3] for line in wire.sent] == [
        {"project": "p", "taskIds": ids[:5000], "tags": ["t"]},
        {"project": "p", "taskIds": ids[5000:], "tags": ["t"]},
        {"project": "p", "taskIds": ["a"], "tags": ["t"]},
    ]


@pytest.mark.parametrize("answer", [[], "ok", {}, {"updatedTaskCount": None}, 5])
def test_tags_changed_without_a_count(client, wire, answer):
    wire.answer("POST", "tasks/tags/add", answer)
    with pytest.raises(FastLabelException, match="POST tasks/tags/add: .*updatedTaskCount"):
        client.add_task_tags("p", ["a"], ["t"])


def test_a_failure_among_many_tasks_says_how_many_are_done(client, wire):
    wire.answer("POST", "tasks/tags/add", {"updatedTaskCount": 5000})
    wire.answer("POST", "tasks/tags/add", {"message": "no such task"}, status=404)
    with pytest.raises(NotFound) as caught:
        client.add_task_tags("p", map(str, range(9000)), ["t"])
    assert caught.value.__notes__ == ["The first 5000 of 9000 tasks are done; the same call again does no harm."]


@pytest.mark.parametrize(("ids", "tags", "empty"), [([], ["t"], "task_ids"), (["a"], [], "tags")])
def test_nothing_to_tag_is_refused(client, wire, ids, tags, empty):
    with pytest.raises(FastLabelInvalidException, match=f"{empty} must not be empty"):
        client.add_task_tags("p", ids, tags)
