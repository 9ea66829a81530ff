from __future__ import annotations

import base64
import json

import pytest

from airflow_provider_fastlabel.client import Conflict, FastLabelInvalidException, OutcomeUnknown
from airflow_provider_fastlabel.client.resources.datasets import OBJECT_BYTES

DATE = {"Date": "Wed, 01 Jul 2026 00:00:00 GMT"}
OLD, NEW = "2025-01-01T00:00:00.000Z", "2026-07-01T00:00:05.000Z"
OBJECTS = "dataset-revision-objects"


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("find_dataset", ("D",), ("GET", "datasets-v2/D", [], None)),
        ("get_datasets", (), ("GET", "datasets-v2", [], None)),
        (
            "get_datasets",
            ("k", ["a", "b"], "MIT", "public"),
            (
                "GET",
                "datasets-v2",
                [("keyword", "k"), ("tags", "a"), ("tags", "b"), ("license", "MIT"), ("visibility", "public")],
                None,
            ),
        ),
        ("create_dataset", ("d",), ("POST", "datasets-v2", [], {"name": "d"})),
        (
            "create_dataset",
            ("d", ("a",), "workspace"),
            ("POST", "datasets-v2", [], {"name": "d", "tags": ["a"], "visibility": "workspace"}),
        ),
        ("update_dataset", ("D",), ("PUT", "datasets-v2/D", [], {})),
        ("update_dataset", ("D", "e", []), ("PUT", "datasets-v2/D", [], {"name": "e", "tags": []})),
        (
            "find_dataset_object",
            ("D", "a/é b.jpg"),
            ("GET", f"{OBJECTS}/datasets/D/objects/a%2F%C3%A9%20b.jpg", [], None),
        ),
        (
            "find_dataset_object",
            ("D", "a", "v1"),
            ("GET", f"{OBJECTS}/datasets/D/objects/a", [("version", "v1")], None),
        ),
        (
            "find_dataset_object",
            ("D", "a", None, "12345678"),
            ("GET", f"{OBJECTS}/datasets/D/objects/a", [("revisionId", "12345678")], None),
        ),
        (
            "get_dataset_objects",
            ("d",),
            ("GET", OBJECTS, [("datasetName", "d"), ("offset", "0"), ("limit", "1000")], None),
        ),
        (
            "get_dataset_objects",
            ("d", "v1", ["t"], ["MIT"], None, ["train", "none"], 3, 4),
            (
                "GET",
                OBJECTS,
                [
                    ("datasetName", "d"),
                    ("offset", "3"),
                    ("limit", "4"),
                    ("version", "v1"),
                    ("tags", "t"),
                    ("licenses", "MIT"),
                    ("types", "train"),
                    ("types", "none"),
                ],
                None,
            ),
        ),
        ("update_dataset_object", ("D", "o"), ("PUT", OBJECTS, [], {"datasetId": "D", "objectName": "o"})),
        (
            "update_dataset_object",
            ("D", "o", [], ["MIT"], [{"type": "bbox"}], {"k": "v"}),
            (
                "PUT",
                OBJECTS,
                [],
                {
                    "datasetId": "D",
                    "objectName": "o",
                    "tags": [],
                    "licenses": ["MIT"],
                    "annotations": [{"type": "bbox"}],
                    "customMetadata": {"k": "v"},
                },
            ),
        ),
    ],
)
def test_wire(client, wire, call, arguments, expected):
    answer = [{"answer": call}] if call.startswith("get_") else {"answer": call}
    wire.answer(expected[0], expected[1], answer)
    assert getattr(client, call)(*arguments) == answer
    assert wire.sent == [expected]


def test_deletions(client, wire):
    wire.answer("DELETE", "datasets-v2/D", status=204)
    wire.answer("DELETE", f"{OBJECTS}/datasets/D/objects/a%2Fb.jpg", status=200)
    assert client.delete_dataset("D") is None
    assert client.delete_dataset_object("D", "a/b.jpg") is None
    assert [line[:2] for line in wire.sent] == [
        ("DELETE", "datasets-v2/D"),
        ("DELETE", f"{OBJECTS}/datasets/D/objects/a%2Fb.jpg"),
    ]


@pytest.mark.parametrize("name", ["..", ".", ""])
@pytest.mark.parametrize("call", ["find_dataset_object", "delete_dataset_object"])
def test_an_object_name_cannot_address_another_route(client, wire, call, name):
    with pytest.raises(FastLabelInvalidException):
        getattr(client, call)("D", name)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("find_dataset_object", {"dataset_id": "D", "object_name": "o", "version": "1", "revision_id": "r"}, 400),
        ("get_dataset_objects", {"dataset": "d", "version": "1", "revision_id": "r"}, 400),
        ("download_dataset_objects", {"dataset": "d", "path": "x", "version": "1", "revision_id": "r"}, 400),
        ("get_dataset_objects", {"dataset": "d", "types": ["train", "test2"]}, 422),
        ("download_dataset_objects", {"dataset": "d", "path": "x", "types": ["test2"]}, 422),
        ("get_dataset_objects", {"dataset": "d", "limit": 1001}, 422),
        ("download_dataset_objects", {"dataset": "d", "path": "x", "limit": 1001}, 422),
    ],
)
def test_refused_before_sending(client, wire, tmp_path, monkeypatch, call, arguments, code):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FastLabelInvalidException) as caught:
        getattr(client, call)(**arguments)
    assert caught.value.code == code
    assert isinstance(caught.value, ValueError)
    assert wire.sent == []
    assert list(tmp_path.iterdir()) == []


def test_the_pager_knows_objects_by_name(client, wire):
    wire.answer("GET", OBJECTS, [{"name": "a"}, {"name": "b"}])
    wire.answer("GET", OBJECTS, [{"name": "b"}])
    assert [each["name"] for each in client.iter_dataset_objects("d", types=["train"])] == ["a", "b"]


def test_create_dataset_object_sends_the_file_as_base64(client, wire, tmp_path):
    image = tmp_path / "a.jpg"
    image.write_bytes(bytes(range(256)) * 3)
    wire.answer("POST", OBJECTS, {"name": "n"})
    annotations = [{"id": "i", "type": "bbox", "title": "T"}]
    assert client.create_dataset_object("d", "n", image, ["t"], ["MIT"], annotations, {"k": "v"}) == {"name": "n"}
    assert wire.sent[0][3] == {
        "datasetName": "d",
        "objectName": "n",
        "filePath": base64.b64encode(image.read_bytes()).decode(),
        "tags": ["t"],
        "licenses": ["MIT"],
        "annotations": [{"id": "i", "type": "bbox", "title": "T"}],
        "customMetadata": {"k": "v"},
    }


def test_create_dataset_object_leaves_out_what_is_empty(client, wire, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"")
    wire.answer("POST", OBJECTS, {"name": "n"})
    client.create_dataset_object("d", "n", str(tmp_path / "a.bin"), [], None, [], {})
    assert wire.sent[0][3] == {"datasetName": "d", "objectName": "n", "filePath": ""}


@pytest.mark.parametrize(("size", "said"), [(OBJECT_BYTES + 1, "250 MB"), (None, "Cannot read")])
def test_dataset_files_are_checked_before_sending(client, wire, tmp_path, size, said):
    path = tmp_path / "a.mp4"
    if size is not None:
        with path.open("wb") as file:
            file.truncate(size)
    with pytest.raises(FastLabelInvalidException, match=said):
        client.create_dataset_object("d", "n", path)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ({"id": "D", "name": "d", "createdAt": NEW}, None),
        ({"id": "D", "name": "d", "createdAt": OLD}, Conflict),
        ({"id": "D", "name": "d"}, OutcomeUnknown),
    ],
)
def test_lost_answer_to_create_dataset(client, wire, found, outcome):
    wire.answer("POST", "datasets-v2", {"message": "gone"}, status=504, headers=DATE)
    wire.answer("GET", "datasets-v2", [{"id": "X", "name": "d-2", "createdAt": NEW}, found])
    if outcome is None:
        assert client.create_dataset("d") == found
    else:
        with pytest.raises(outcome):
            client.create_dataset("d")
    assert [line[0] for line in wire.sent] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("status", "found", "requests"),
    [
        (200, {"name": "n", "createdAt": NEW}, ["POST", "GET", "GET"]),
        (404, {"message": "no object"}, ["POST", "GET", "GET", "POST"]),
    ],
)
def test_lost_answer_to_create_dataset_object(client, wire, tmp_path, status, found, requests):
    (tmp_path / "a.jpg").write_bytes(b"x")
    wire.answer("POST", OBJECTS, {"message": "gone"}, status=504, headers=DATE)
    wire.answer("POST", OBJECTS, {"name": "n", "createdAt": NEW})
    wire.answer("GET", "datasets-v2", [{"id": "D", "name": "d"}])
    wire.answer("GET", f"{OBJECTS}/datasets/D/objects/n", found, status=status)
    assert client.create_dataset_object("d", "n", tmp_path / "a.jpg") == {"name": "n", "createdAt": NEW}
    assert [line[0] for line in wire.sent] == requests


def test_an_older_object_of_that_name_is_a_conflict(client, wire, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    wire.answer("POST", OBJECTS, {"message": "gone"}, status=504, headers=DATE)
    wire.answer("GET", "datasets-v2", [{"id": "D", "name": "d"}])
    wire.answer("GET", f"{OBJECTS}/datasets/D/objects/n", {"name": "n", "createdAt": OLD})
    with pytest.raises(Conflict, match="'n'"):
        client.create_dataset_object("d", "n", tmp_path / "a.jpg")


def test_arguments_stay_as_they_were(client, wire, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    wire.answer("POST", OBJECTS, {"name": "n"})
    arguments = {"tags": ["t"], "annotations": [{"type": "bbox", "attributes": [{"key": "k"}]}]}
    before = json.dumps(arguments)
    client.create_dataset_object("d", "n", tmp_path / "a.jpg", **arguments)
    assert json.dumps(arguments) == before
