"""Requests made up from the emulator's own OpenAPI page: whatever comes, it never answers with a server error."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.emulator import Emulator

from .world import SLUG, World

ON_PURPOSE = "^/_emulator/(faults|config|reset)"
"""Left out: they exist to make the emulator fail, or would take its data away."""
EXAMPLES = 6
NO_BUCKET = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def emulator():
    """An emulator of its own: what is made up here must not trouble other tests."""
    with Emulator(s3_endpoint=NO_BUCKET, quota=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def known(emulator, tmp_path_factory):
    """Ids and names that exist, by the name of the parameter or field."""
    with FastLabelClient(emulator.token, api_url=emulator.url) as client:
        world = World(client, emulator, tmp_path_factory.mktemp("openapi"))
        project = world.project("image")
        task = world.task("image", tags=["tag"])
        dicom = world.project("dicom", "dicom")
        history = client.create_dicom_task("dicom", world.sample("dicom"))
        dataset = client.create_dataset("photos")
        client.create_dataset_object("photos", "a.jpg", world.sample("image"))
        comment = client.create_task_comment(task, [1, 2], "text")
        cat = client.find_annotation_by_value(SLUG, "cat")
        assert cat is not None
        return {
            "project": SLUG,
            "project_id": dicom,
            "id": project,
            "task_id": task,
            "taskId": task,
            "annotation_id": cat["id"],
            "history_id": history["id"],
            "dataset_id": dataset["id"],
            "datasetId": dataset["id"],
            "dataset_name": "photos",
            "datasetName": "photos",
            "object_name": "a.jpg",
            "objectName": "a.jpg",
            "comment_id": comment["id"],
            "thread_id": comment["threads"][0]["id"],
            "tagIds": [client.get_tags(SLUG)[0]["id"]],
            "email": "admin@example.com",
        }


def pointed(values, known):
    """Let most of the made-up values point at things that exist, or nothing but 404 would be tried."""
    if not isinstance(values, dict):
        return values
    return {
        key: known[key] if key in known and zlib.crc32(repr(value).encode()) % 4 else value
        for key, value in values.items()
    }


def send(case, emulator, known):
    case.path_parameters = pointed(case.path_parameters, known)
    case.query = pointed(case.query, known)
    case.body = pointed(case.body, known)
    return case.call(base_url=emulator.base_url, headers={"Authorization": f"Bearer {emulator.token}"}, timeout=30)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_no_request_makes_the_emulator_fail(emulator, known):
    page = requests.get(f"{emulator.base_url}/openapi.json", timeout=60).json()
    schema = schemathesis.openapi.from_dict(page).exclude(path_regex=ON_PURPOSE)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    answers: Counter[Any] = Counter()
    failures = {}
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def try_out(case):
            answer = send(case, emulator, known)
            answers[answer.status_code] += 1
            if answer.status_code >= 500:
                failures[case.operation.label] = f"{case.as_curl_command()}: {answer.text}"

        try_out()
    assert failures == {}
    assert len(operations) > 100
    assert answers[200] > len(operations)
