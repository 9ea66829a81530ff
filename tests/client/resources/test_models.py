from __future__ import annotations

import base64
import tracemalloc

import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException, OutcomeUnknown, RateLimited
from airflow_provider_fastlabel.client.resources.models import ENDPOINT_IMAGE

TRAINING = {
    "datasetName": "d", "baseModelName": "b", "epoch": 3, "useDatasetTrainVal": False, "instanceType": "ml.p3.2xlarge",
}  # fmt: skip
EVALUATION = {
    "modelName": "m", "datasetName": "d", "iouThreshold": 0.5, "confidenceThreshold": 0.4, "useDatasetTest": False,
}  # fmt: skip
ANNOTATING = {
    "project": "p", "modelName": "m", "updateExisting": False, "confidenceThreshold": 0.4, "useTTA": False,
    "useFlip": False, "processingSpeed": "low", "autoCreation": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("get_training_jobs", (), ("trainings", [("limit", "100")])),
        ("get_training_jobs", (0, 7), ("trainings", [("limit", "7")])),
        ("get_training_jobs", (5,), ("trainings", [("offset", "5"), ("limit", "100")])),
        ("find_training_job", ("a/b",), ("trainings/a%2Fb", [])),
        ("get_evaluation_jobs", (), ("evaluations", [("limit", "1000")])),
        ("find_evaluation_job", ("e",), ("evaluations/e", [])),
        ("get_auto_annotation_jobs", ("p",), ("auto-annotations", [("project", "p"), ("limit", "1000")])),
    ],
)
def test_reading_wire(client, wire, call, arguments, expected):
    answer = [{"answer": call}] if call.startswith("get_") else {"answer": call}
    wire.answer("GET", expected[0], answer)
    assert getattr(client, call)(*arguments) == answer
    assert wire.sent == [("GET", *expected, None)]


@pytest.mark.parametrize(
    ("call", "arguments", "path", "body"),
    [
        ("execute_training_job", ("d", "b", 3), "trainings", TRAINING),
        (
            "execute_training_job",
            ("d", "b", 3, "rev", True, "ml.g5", 8, 0.01, "fixed", 512, "cat"),
            "trainings",
            {
                **TRAINING,
                "datasetRevisionId": "rev",
                "useDatasetTrainVal": True,
                "instanceType": "ml.g5",
                "batchSize": 8,
                "learningRate": 0.01,
                "resizeOption": "fixed",
                "resizeDimension": 512,
                "annotationValue": "cat",
            },
        ),
        ("execute_evaluation_job", ("d", "m"), "evaluations", EVALUATION),
        (
            "execute_evaluation_job",
            ("d", "m", 0.7, 0, "rev", True, "ml.g5", 8, 0.01),
            "evaluations",
            {
                **EVALUATION,
                "iouThreshold": 0.7,
                "confidenceThreshold": 0,
                "datasetRevisionId": "rev",
                "useDatasetTest": True,
                "instanceType": "ml.g5",
                "batchSize": 8,
                "learningRate": 0.01,
            },
        ),
        ("execute_auto_annotation_job", ("p", "m"), "auto-annotations", ANNOTATING),
        (
            "execute_auto_annotation_job",
            ("p", "m", "ocr", True, 0.9, True, True, "high", False),
            "auto-annotations",
            {
                **ANNOTATING,
                "algorithmType": "ocr",
                "updateExisting": True,
                "confidenceThreshold": 0.9,
                "useTTA": True,
                "useFlip": True,
                "processingSpeed": "high",
                "autoCreation": False,
            },
        ),
    ],
)
def test_starting_wire(client, wire, call, arguments, path, body):
    wire.answer("POST", path, "job")
    assert getattr(client, call)(*arguments) == "job"
    assert wire.sent == [("POST", path, [], body)]


STARTS = [
    ("execute_training_job", ("d", "b", 3), "trainings"),
    ("execute_evaluation_job", ("d", "m"), "evaluations"),
    ("execute_auto_annotation_job", ("p", "m"), "auto-annotations"),
]


@pytest.mark.parametrize(("call", "arguments", "path"), STARTS)
def test_a_job_whose_answer_is_lost_is_not_started_twice(client, wire, call, arguments, path):
    wire.lose("POST", path)
    with pytest.raises(OutcomeUnknown):
        getattr(client, call)(*arguments)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(("call", "arguments", "path"), STARTS)
def test_a_job_refused_for_too_many_calls_is_started_later(client, wire, call, arguments, path):
    wire.answer("POST", path, {"message": "slow down"}, status=429, headers={"Retry-After": "1"})
    wire.answer("POST", path, "job")
    assert getattr(client, call)(*arguments) == "job"
    assert len(wire.sent) == 2


def test_a_long_retry_after_is_handed_to_the_caller(client, wire):
    wire.answer("POST", "evaluations", {"message": "slow down"}, status=429, headers={"Retry-After": "600"})
    with pytest.raises(RateLimited) as caught:
        client.execute_evaluation_job("d", "m")
    assert caught.value.retry_after == 600


def test_training_sends_its_config_file(client, wire, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_bytes(b"lr: 0.1\n")
    wire.answer("POST", "trainings", "job")
    client.execute_training_job("d", "b", 3, config_file_path=config)
    assert wire.sent[0][3] == {**TRAINING, "configFile": base64.b64encode(b"lr: 0.1\n").decode()}


def test_auto_annotation_jobs_need_a_project(client, wire):
    with pytest.raises(FastLabelInvalidException) as caught:
        client.get_auto_annotation_jobs(None)
    assert caught.value.code == 422
    assert wire.sent == []


@pytest.mark.parametrize(
    ("call", "arguments"),
    [("get_training_jobs", ()), ("get_evaluation_jobs", ()), ("get_auto_annotation_jobs", ("p",))],
)
def test_too_large_a_page_is_refused_before_sending(client, wire, call, arguments):
    with pytest.raises(FastLabelInvalidException, match="1000"):
        getattr(client, call)(*arguments, limit=1001)
    assert wire.sent == []


def test_pagers(client, wire):
    wire.answer("GET", "trainings", [{"trainingJobId": "t"}])
    wire.answer("GET", "evaluations", [{"id": "e"}])
    wire.answer("GET", "auto-annotations", [{"id": "a"}])
    assert [job["trainingJobId"] for job in client.iter_training_jobs()] == ["t"]
    assert [job["id"] for job in client.iter_evaluation_jobs()] == ["e"]
    assert [job["id"] for job in client.iter_auto_annotation_jobs("p")] == ["a"]


def test_execute_endpoint(client, wire, tmp_path):
    image = tmp_path / "a.JPG"
    image.write_bytes(b"jpeg")
    answer = {"json": [{"value": "cat"}], "file": "data:image/png;base64,AAAA"}
    wire.answer("POST", "model-endpoints/execute", answer)
    assert client.execute_endpoint("e", str(image)) == answer
    assert wire.sent == [
        ("POST", "model-endpoints/execute", [], {"modelEndpointName": "e", "file": base64.b64encode(b"jpeg").decode()})
    ]


def test_an_inference_may_be_repeated(client, wire, tmp_path):
    image = tmp_path / "a.png"
    image.write_bytes(b"png")
    wire.lose("POST", "model-endpoints/execute")
    wire.answer("POST", "model-endpoints/execute", {"json": [], "file": ""})
    assert client.execute_endpoint("e", image) == {"json": [], "file": ""}
    assert wire.sent[0] == wire.sent[1]


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("a.gif", 1, "jpeg"), ("a.png", ENDPOINT_IMAGE + 1, "6 MB"), ("missing.png", None, "missing")],
)
def test_endpoint_images_are_checked_before_sending(client, wire, tmp_path, name, size, said):
    if size is not None:
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    with pytest.raises(FastLabelInvalidException, match=said) as caught:
        client.execute_endpoint("e", tmp_path / name)
    assert caught.value.code == 422
    assert wire.sent == []


def test_the_largest_endpoint_image_is_accepted(client, wire, tmp_path):
    image = tmp_path / "a.png"
    with image.open("wb") as file:
        file.truncate(ENDPOINT_IMAGE)
    sent = []

    def receive(request):
        sent.append(sum(len(piece) for piece in request.body))
        return 200, {}, '{"json": [], "file": ""}'

    wire.mock.add_callback("POST", "http://fastlabel.test/v1/model-endpoints/execute", receive)
    tracemalloc.start()
    try:
        client.execute_endpoint("e", image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent[0] > ENDPOINT_IMAGE * 4 / 3
    assert peak < ENDPOINT_IMAGE / 2  # never held as a whole
