"""JSON of wrong types at every route of the emulator: whatever comes, it answers, and never with a server error.

``FUZZ_EXAMPLES`` says how many calls are made up.
"""

from __future__ import annotations

import base64
import io
import json
import os
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.emulator import Emulator
from tests.fuzz.mutation import WRONG

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
NO_BUCKET = "http://127.0.0.1:9"
KINDS = ("image_all", "image_classification", "video_bbox", "text_ner", "audio_segmentation", "pcd_cuboid",
         "sequential_image_bbox", "dicom_bbox", "robotics_task_classification")  # fmt: skip
CHANGES_THE_RULES = ("/_emulator/faults", "/_emulator/config", "/_emulator/reset")
"""Orders to fail, to be slow or to forget: tried on their own."""


def picture() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


PICTURE = picture()
HOSTILE: st.SearchStrategy[Any] = st.sampled_from(
    [
        *WRONG, 2**63 - 1, -(2**63) - 1, "/etc/passwd", "\x00blob:" + "0" * 64 + ":1", "9" * 5000,
        {"1": {"value": [1, 2, 3, 4]}}, {"9" * 5000: {"value": [1, 2]}}, {"\u0661": {"value": [1, 2]}},
    ]
)  # fmt: skip
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    HOSTILE | st.text(max_size=5) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)

PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=9), "integer": st.integers(0, 20), "number": st.floats(0, 9), "boolean": st.booleans(),
}  # fmt: skip


class World:
    """The emulator, what exists in it, and its routes as its own page describes them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {emulator.token}", "Content-Type": "application/json"})
        self.document = requests.get(f"{emulator.base_url}/openapi.json", timeout=30).json()
        self.routes = [
            (method.upper(), path, call)
            for path, calls in self.document["paths"].items()
            for method, call in calls.items()
            if not path.startswith(CHANGES_THE_RULES)
        ]
        self.ids = self._made()

    def _made(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for kind in KINDS:
            slug = kind.replace("_", "-")
            self._note(found, "id project_id", self.ok("POST", "projects", {"type": kind, "name": kind, "slug": slug}))
            self._note(found, "project", slug)
        for kind, shape in (
            ("image-all", "bbox"),
            ("video-bbox", "bbox"),
            ("text-ner", "ner"),
            ("pcd-cuboid", "cuboid"),
        ):
            options = [{"title": "Large", "value": "large"}]
            attributes: list[dict[str, Any]] = [
                {"type": "select", "name": "Size", "key": "size", "options": options},
                {"type": "text", "name": "Kind", "key": "kind"},
            ]
            body: dict[str, Any] = {
                "project": kind,
                "type": shape,
                "value": "cat",
                "title": "Cat",
                "attributes": attributes,
            }
            self._note(found, "annotation_id annotationId", self.ok("POST", "annotations", body))
        body = {"project": "image-classification", "attributes": attributes}
        self._note(found, "annotation_id annotationId", self.ok("POST", "annotations/classification", body))
        body = {"project": "image-all", "name": "a.png", "file": PICTURE, "tags": ["t"]}
        task = self.ok("POST", "tasks/image", body)
        self._note(found, "task_id taskId", task)
        self._note(found, "taskIds", [task])
        dataset = self.ok("POST", "datasets-v2", {"name": "d"})
        self._note(found, "dataset_id datasetId", dataset["id"])
        self._note(found, "dataset_name datasetName", "d")
        comment = self.ok("POST", "comments", {"taskId": task, "points": [1, 2], "text": "x"})
        self._note(found, "comment_id", comment["id"])
        self._note(found, "thread_id", comment["threads"][0]["id"])
        self._note(found, "file filePath", PICTURE)
        self._note(found, "value", "cat")
        self._note(found, "email", "admin@example.com")
        self._note(found, "name", "a.png")
        return found

    @staticmethod
    def _note(found: dict[str, list[Any]], names: str, value: Any) -> None:
        for name in names.split():
            found.setdefault(name, []).append(value)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, self.emulator.url + path, json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow references of the page."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def value(self, data: st.DataObject, name: str, schema: dict[str, Any], depth: int = 0) -> Any:
        """Make up a value of a field: one that exists, one of the right shape, or anything."""
        choice = data.draw(st.integers(0, 5))
        if name in self.ids and choice:
            return data.draw(st.sampled_from(self.ids[name]))
        if choice < 2 or depth > 5:
            return data.draw(ANYTHING)
        schema = self.resolved(schema)
        kinds = schema.get("anyOf")
        if kinds:
            return self.value(data, "", data.draw(st.sampled_from(kinds)), depth + 1)
        if "enum" in schema:
            return data.draw(st.sampled_from(schema["enum"]))
        if "const" in schema:
            return schema["const"]
        if schema.get("type") == "array" and "items" in schema:
            return [self.value(data, "", schema["items"], depth + 1) for _ in range(data.draw(st.integers(0, 3)))]
        if "properties" in schema:
            return self.object(data, schema, depth + 1)
        return data.draw(PLAIN.get(schema.get("type", ""), ANYTHING))

    def object(self, data: st.DataObject, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Make up an object: mostly with all fields that are needed."""
        needed = schema.get("required", [])
        return {
            name: self.value(data, name, field, depth)
            for name, field in schema["properties"].items()
            if data.draw(st.integers(0, 9)) < (9 if name in needed else 4)
        }


@pytest.fixture(scope="module")
def world():
    with Emulator(s3_endpoint=NO_BUCKET, quota=None, history_seconds=0, job_seconds=0) as emulator:
        world = World(emulator)
        yield world
        world.session.close()


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def call(world: World, data: st.DataObject) -> requests.Response:
    """Make up a call of any route and return its answer."""
    method, path, call = data.draw(st.sampled_from(world.routes))
    query = {}
    for parameter in call.get("parameters", []):
        value = world.value(data, parameter["name"], parameter.get("schema", {}))
        if parameter["in"] == "path":
            part = quote(plain(value).encode("utf-8", "replace"), safe="")
            path = path.replace(f"{{{parameter['name']}}}", part or "x")
        elif parameter["in"] == "query" and data.draw(st.booleans()):
            query[parameter["name"]] = plain(value).encode("utf-8", "replace")
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = world.resolved(content.get("schema", {}))
    if "properties" in schema and data.draw(st.integers(0, 9)):
        body = world.object(data, schema)
    else:
        body = data.draw(ANYTHING)
    text = json.dumps(body) if schema else None
    return world.session.request(method, world.emulator.base_url + path, params=query, data=text, timeout=60)


COMMON = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def test_no_json_makes_it_fail(world):
    answers: Counter[int] = Counter()

    @settings(COMMON, max_examples=EXAMPLES, derandomize=EXAMPLES <= 300)
    @given(st.data())
    def try_out(data):
        answer = call(world, data)
        answers[answer.status_code] += 1
        assert answer.status_code < 500, f"{answer.request.method} {answer.url} {answer.request.body!r}: {answer.text}"
        if answer.status_code >= 400:
            assert answer.json()["statusCode"] == answer.status_code

    try_out()
    assert answers[422] + answers[404] > EXAMPLES // 10
    assert answers[200] > EXAMPLES // 20
    for path in ("requests", "state"):
        assert world.emulator.control("GET", path)


@settings(COMMON, max_examples=max(EXAMPLES // 5, 20), derandomize=EXAMPLES <= 300)
@given(st.data())
def test_no_order_makes_it_fail(world, data):
    """Faults and settings of any type are taken or refused; it can always be put right again."""
    path = data.draw(st.sampled_from(["faults", "config", "clock"]))
    method = "PUT" if path == "config" else "POST"
    names = ("kind", "times", "status", "path", "seconds", "retry_after", "quota", "history_seconds", "page_maxima",
             "monitoring_names", "advance", "strict", "signed_url_seconds")  # fmt: skip
    body = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=4) | ANYTHING)
    if path == "faults" and isinstance(body, dict):
        body["kind"] = data.draw(st.sampled_from(["status", "slow", "reset"]))
    text = json.dumps(body)
    answer = world.session.request(method, world.emulator.control_url + path, data=text, timeout=60)
    assert answer.status_code in (200, 422), f"{path} {text}: {answer.text}"
    world.emulator.faults()
    world.emulator.configure(quota=None, strict=True, page_maxima={}, signed_url_seconds=3600, history_seconds=0)
    assert world.session.get(world.emulator.url + "projects", timeout=60).status_code == 200
