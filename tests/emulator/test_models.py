"""Jobs of models and endpoints."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from .conftest import dataset, encoded, picture, picture_bytes

if TYPE_CHECKING:
    from .conftest import Api


def test_jobs_run_and_complete(api: Api):
    dataset(api)
    api.emulator.configure(job_seconds=100)
    training = api("POST", "trainings", {"datasetName": "my-data", "baseModelName": "base", "epoch": 3})
    assert (training["status"], training["completedAt"], training["contentCount"]) == ("in_progress", None, 1)
    assert training["customModel"]["modelName"] == ""
    api("POST", "evaluations", {"datasetName": "my-data", "modelName": "m"})
    api.project()
    auto = api("POST", "auto-annotations", {"project": "cats", "modelName": "m", "useTTA": True})
    api.emulator.advance(101)
    done = api("GET", f"trainings/{training['trainingJobId']}")
    assert done["status"] == "completed"
    assert done["customModel"]["classes"] == ["cat"]
    assert api("GET", "trainings", limit=10) == [done]
    assert [job["status"] for job in api("GET", "evaluations")] == ["completed"]
    assert [(job["id"], job["status"]) for job in api("GET", "auto-annotations", project="cats")] == [
        (auto, "completed")
    ]
    assert "other" in api.refused(404, "POST", "trainings", {"datasetName": "other", "baseModelName": "b", "epoch": 1})


def test_jobs_can_be_failed_by_hand(api: Api):
    dataset(api)
    api.emulator.configure(job_manual=True)
    job = api("POST", "evaluations", {"datasetName": "my-data", "modelName": "m"})
    api.emulator.advance(10_000)
    assert api("GET", f"evaluations/{job['id']}")["status"] == "in_progress"
    api.emulator.control("POST", "jobs", {"id": job["id"], "status": "failed"})
    assert api("GET", f"evaluations/{job['id']}")["status"] == "failed"


def test_an_endpoint_returns_what_was_set_and_the_picture(api: Api):
    detections = [{"value": "cat", "confidenceScore": 0.9, "points": [1, 2, 3, 4]}]
    api.emulator.control("PUT", "endpoints", {"name": "e", "detections": detections})
    body = {"modelEndpointName": "e", "file": picture()}
    answer = api("POST", "model-endpoints/execute", body)
    assert answer["json"] == detections
    assert base64.b64decode(answer["file"]) == picture_bytes()
    big = encoded(picture_bytes() + bytes(6 * 1024 * 1024))
    assert "6 MB" in api.refused(422, "POST", "model-endpoints/execute", body | {"file": big})
    api.emulator.configure(endpoint_names=[])
    assert "e" in api.refused(404, "POST", "model-endpoints/execute", body)


def test_an_endpoint_that_nobody_has_made_is_not_found(api: Api):
    body = {"modelEndpointName": "misspelt", "file": picture()}
    assert "misspelt" in api.refused(404, "POST", "model-endpoints/execute", body)
    api.emulator.configure(endpoint_names=["misspelt"])
    assert api("POST", "model-endpoints/execute", body)["json"] == []
    api.emulator.configure(endpoint_names=None, strict=False)
    assert api("POST", "model-endpoints/execute", body)["json"] == []
