"""Files go through an endpoint without Airflow; the operator's tests cover the rest."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.endpoints.run import execute_files
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from tests.airflow_fixtures import PNG


@pytest.fixture
def client(fastlabel_emulator):
    fastlabel_emulator.control("PUT", "endpoints", {"name": "cats", "detections": []})
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        yield client


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(PNG + bytes([number]))
    return folder


def test_every_file_is_executed_once(client, photos, tmp_path):
    out = tmp_path / "out"
    first = execute_files(client, "cats", photos, out)
    counts = {"total": 3, "executed": 3, "kept": 0, "failed": 0, "links_left_out": 0}
    assert first == {"results": str(out / "results.jsonl"), **counts}
    assert execute_files(client, "cats", photos, out) == {**first, "executed": 0, "kept": 3}


def test_a_file_left_out_by_the_checks_counts_among_all_files(client, photos, tmp_path, fastlabel_emulator):
    (photos / "notes.txt").write_text("x")
    fastlabel_emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    with pytest.raises(RunIncomplete, match="more files failed than max_failures tolerates: of 4 files") as caught:
        execute_files(client, "cats", photos, tmp_path / "out", max_failures=1, max_workers=1)
    assert caught.value.summary == {"total": 4, "executed": 0, "kept": 0, "failed": 2}
    assert [failure.name for failure in caught.value.failures] == ["notes.txt", "0.png"]
