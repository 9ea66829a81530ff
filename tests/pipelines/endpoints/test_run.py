"""Files go through an endpoint without Airflow; the operator's tests cover the rest."""

from __future__ import annotations

import fsspec
import pytest

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.endpoints.run import execute_files
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, RunIncomplete
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


class Remote:
    """The part of an object store's path that a run reads its files by."""

    protocol = "memory"

    def __init__(self, path):
        self.path = path
        self.fs = fsspec.filesystem("memory")


@pytest.fixture
def bucket(tmp_path):
    folder = Remote(f"/{tmp_path.name}/in")
    folder.fs.pipe_file(f"{folder.path}/a.png", PNG)
    yield folder
    folder.fs.rm(f"/{tmp_path.name}", recursive=True)


def sent(emulator):
    return sum(request["path"] == "model-endpoints/execute" for request in emulator.requests())


@pytest.mark.parametrize("name", ["../../../precious.png", "sub//odd.png", "x" * 252 + ".png", "C:x.png"])
def test_a_key_of_a_store_cannot_place_an_answer_outside_of_the_output(
    client, bucket, tmp_path, fastlabel_emulator, name
):
    key = f"{bucket.path}/{name}"
    bucket.fs.store[key] = bucket.fs.store[f"{bucket.path}/a.png"]
    out = tmp_path / "deep" / "er" / "out"
    with pytest.raises(ImportRefused, match=r"1 file\(s\).*Nothing was sent") as caught:
        execute_files(client, "cats", bucket, out)
    assert "names no folder" in str(caught.value) or "below the output under its own name" in str(caught.value)
    assert sent(fastlabel_emulator) == 0
    done = execute_files(client, "cats", bucket, out, max_failures=1)
    assert (done["executed"], done["failed"]) == (1, 1)
    del bucket.fs.store[key]
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png")] == ["deep/er/out/images/a.png"]


def test_a_name_that_leaves_no_room_for_its_answer_is_told_before_anything_is_sent(
    client, photos, tmp_path, fastlabel_emulator
):
    (photos / ("x" * 248 + ".png")).write_bytes(PNG)
    with pytest.raises(ImportRefused, match="is too long"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert sent(fastlabel_emulator) == 0


@pytest.mark.parametrize("link", ["images", ".parts/deep"])
def test_a_link_in_the_output_does_not_lead_answers_out(client, photos, tmp_path, fastlabel_emulator, link):
    (photos / "deep").mkdir()
    (photos / "0.png").rename(photos / "deep/0.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ImportRefused, match="leads out of the folder by a symbolic link"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert sent(fastlabel_emulator) == 0


@pytest.mark.parametrize("text", ["", "[]", "null", '{"name": 5}', "[" * 50_000, "\x00"])
def test_a_damaged_answer_of_an_earlier_run_is_named(client, photos, tmp_path, fastlabel_emulator, text):
    (tmp_path / "out/.parts").mkdir(parents=True)
    (tmp_path / "out/.parts/0.png.json").write_text(text)
    with pytest.raises(FastLabelInvalidException, match=r"0\.png\.json is no answer of an endpoint, or is damaged"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert sent(fastlabel_emulator) == 0
