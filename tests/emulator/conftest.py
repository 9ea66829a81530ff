"""The emulator and a bare HTTP session for it: these tests are the API's third reader and use no client of ours."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from airflow_provider_fastlabel.emulator.pytest_plugin import fastlabel_emulator, fastlabel_emulator_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_fastlabel.emulator import Emulator

__all__ = ["fastlabel_emulator", "fastlabel_emulator_server"]

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


class Api:
    """Calls the emulator as a program that knows only the reference would."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {emulator.token}", "Content-Type": "application/json"})

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.session.request(method, self.emulator.url + path, json=body, params=query, timeout=30)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.send(method, path, body, **query)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    def refused(self, status: int, method: str, path: str, body: Any = None, **query: Any) -> str:
        answer = self.send(method, path, body, **query)
        error = answer.json()
        assert answer.status_code == error["statusCode"] == status, answer.text
        assert error["error"]
        return error["message"]

    def project(self, type: str = "image_bbox", slug: str = "cats", **fields: Any) -> str:
        body = {"type": type, "name": slug, "slug": slug, "workflow": "two_step", "externalWorkflow": "two_step"}
        return self("POST", "projects", body | fields)

    def image(self, name: str, project: str = "cats", **fields: Any) -> str:
        return self("POST", "tasks/image", {"project": project, "name": name, "file": picture()} | fields)


def unsigned(answer: Any) -> Any:
    """Leave out what signs an address: it is another every second."""
    return json.loads(re.sub(r"\?expires=[^\"]*", "", json.dumps(answer)))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture_bytes(width: int = 8, height: int = 6, format: str = "PNG", color: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (color, 20, 60)).save(buffer, format)
    return buffer.getvalue()


def picture(width: int = 8, height: int = 6, format: str = "PNG", color: int = 90) -> str:
    return encoded(picture_bytes(width, height, format, color))


@pytest.fixture
def api(fastlabel_emulator: Emulator) -> Iterator[Api]:
    api = Api(fastlabel_emulator)
    yield api
    api.session.close()


@pytest.fixture
def cats(api: Api) -> Api:
    """A project 'cats' with the class 'cat'."""
    api.project()
    attributes = [
        {"type": "text", "name": "Kind", "key": "kind"},
        {"type": "select", "name": "Size", "key": "size", "options": [{"title": "Large", "value": "large"}]},
    ]
    body = {"project": "cats", "type": "bbox", "value": "cat", "title": "Cat", "color": "#FF0000"}
    api("POST", "annotations", body | {"attributes": attributes})
    return api


def dataset(api: Api) -> str:
    ident = api("POST", "datasets-v2", {"name": "my-data", "tags": ["x"]})["id"]
    drawn = [{"type": "bbox", "value": "cat", "points": [1, 2, 3, 4]}]
    body = {"datasetName": "my-data", "objectName": "in/a.png", "filePath": picture(), "tags": ["t"]}
    api("POST", "dataset-revision-objects", body | {"annotations": drawn, "customMetadata": {"k": "v"}})
    return ident
