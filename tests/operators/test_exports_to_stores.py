"""Exports into object stores: pictures that are there and still the same are neither downloaded nor uploaded."""

from __future__ import annotations

import hashlib
import json

import boto3
import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import png, tree
from tests.operators.s3_files import S3Files


@pytest.fixture
def s3(s3_address, tmp_path):
    """The file system of a moto bucket ``sets``; ``at`` says an operator where."""
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3_address, **keys)
    client.create_bucket(Bucket="sets")
    files = S3Files(client)
    attach("s3", conn_id=tmp_path.name, fs=files)
    files.at = {"output": "s3://sets/x", "output_conn_id": tmp_path.name}
    yield files
    client.close()


@pytest.fixture
def run(export, emulator):
    """Export with pictures; return the outcome's result and the sorted answers of the store the pictures come from."""

    def go(operator, **arguments):
        emulator.clear_requests()
        outcome = export(operator, **{"include_images": True, **arguments})
        assert outcome.state == "success", outcome.error
        return outcome.result, pictures(emulator)

    return go


def pictures(emulator):
    return sorted(request["status"] for request in emulator.requests() if "storage/files" in request["path"])


def moved(s3):
    """Return what was read of and written to a bucket since the last time, without manifests, locks and listings."""
    done = [f"{method} {path}" for method, path in s3.requests if not path.endswith((".json", "/sets"))]
    s3.requests.clear()
    return sorted(done)


def content(files, root):
    files.invalidate_cache()
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def check(found):
    """Compare a data set with its manifest."""
    rows = json.loads(found[MANIFEST])["files"]
    assert {row["path"] for row in rows} == set(found) - {MANIFEST}
    for row in rows:
        body = found[row["path"]]
        assert row["size"] == len(body)
        assert row["sha256"] == hashlib.sha256(body).hexdigest()
        assert row["md5"] == hashlib.md5(body, usedforsecurity=False).hexdigest()


FORMATS = [
    (FastLabelExportCocoOperator, {}, "images/"),
    (FastLabelExportLabelmeOperator, {}, ""),
    (FastLabelExportMasksOperator, {}, "images/"),
    (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 1.0, "val": 0.0}}, "images/train/"),
]


@pytest.mark.parametrize(("operator", "arguments", "folder"), FORMATS)
def test_only_what_changed_moves(run, client, label, s3, tmp_path, operator, arguments, folder):
    label("a.png", "b/写真 1.png", "../c.png")
    first, answers = run(operator, **s3.at, **arguments)
    assert answers == [200, 200, 200]
    moved(s3)
    second, answers = run(operator, **s3.at, **arguments)
    assert answers == [304, 304, 304]
    assert (second["changed"], second["sha256"]) == (False, first["sha256"])
    assert [request for request in s3.requests if request[0] != "GET"] == []
    assert moved(s3) == []

    client.delete_task(client.find_image_task_by_name("photos", "a.png")["id"])
    label("a.png", colour=77)
    third, answers = run(operator, **s3.at, **arguments)
    assert answers == [200, 304, 304]
    assert third["changed"] is True
    assert [request for request in moved(s3) if ".png" in request and "annotations" not in request] == [
        f"PUT /sets/x/{folder}a.png"
    ]
    full, answers = run(operator, output=str(tmp_path / "full"), **arguments)
    assert answers == [200, 200, 200]
    found = content(s3, "sets/x")
    check(found)
    assert found == tree(tmp_path / "full")
    assert third == {**full, "output": "s3://sets/x"}


def test_a_picture_that_is_gone_or_cut_comes_again(run, label, s3):
    label("a.png", "b.png", "c.png")
    run(FastLabelExportCocoOperator, **s3.at)
    whole = content(s3, "sets/x")
    s3.s3.delete_object(Bucket="sets", Key="x/images/a.png")
    s3.s3.put_object(Bucket="sets", Key="x/images/b.png", Body=png()[:-1])
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [200, 200, 304]
    assert content(s3, "sets/x") == whole


def test_a_picture_leaves_with_its_task_and_the_others_stay(run, client, label, s3):
    label("a.png", "b.png", "c.png")
    run(FastLabelExportCocoOperator, **s3.at)
    client.delete_task(client.find_image_task_by_name("photos", "b.png")["id"])
    moved(s3)
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [304, 304]
    assert moved(s3) == ["DELETE /sets/x/images/b.png"]
    check(content(s3, "sets/x"))


def test_pictures_stay_through_an_export_that_died_while_it_was_published(run, export, client, label, emulator, s3):
    label("a.png", "b.png", "old.png")
    run(FastLabelExportCocoOperator, **s3.at)
    client.delete_task(client.find_image_task_by_name("photos", "old.png")["id"])
    label("new.png", "newer.png", colour=5)
    for fails in ("annotations.json", "newer.png"):
        s3.fails = fails
        outcome = export(FastLabelExportCocoOperator, **s3.at, include_images=True)
        assert outcome.state != "success"
        assert MANIFEST not in content(s3, "sets/x")
    s3.fails = ""
    moved(s3)
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [200, 200, 304, 304]
    assert "PUT /sets/x/images/a.png" not in moved(s3)
    found = content(s3, "sets/x")
    check(found)
    assert PREVIOUS not in found


@pytest.fixture
def memory(tmp_path):
    """An object store whose clock is finer than a second, and a folder in it."""
    files = fsspec.filesystem("memory")
    attach("memory", fs=files)
    yield files, f"/{tmp_path.name}"
    files.rm(f"/{tmp_path.name}", recursive=True)


def test_a_file_that_was_overwritten_with_as_many_bytes_comes_again(run, label, memory):
    files, root = memory
    label("a.png", "b.png")
    run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    whole = content(files, f"{root}/x")
    for path in ("images/a.png", "annotations.json"):
        files.pipe_file(f"{root}/x/{path}", bytes(len(whole[path])))
    result, answers = run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    assert answers == [200, 304]
    assert result["changed"] is True
    assert content(files, f"{root}/x") == whole
    assert run(FastLabelExportCocoOperator, output=f"memory://{root}/x")[1] == [304, 304]


@pytest.mark.parametrize("pictures", [True, False])
def test_a_manifest_is_read_once_at_the_start_and_once_when_it_is_published(run, label, s3, pictures):
    label("a.png", "b.png")
    for number in range(3):
        if number == 2:
            label("c.png")
        s3.requests.clear()
        result, _ = run(FastLabelExportCocoOperator, **s3.at, include_images=pictures)
        assert result["changed"] is (number != 1)
        assert s3.requests.count(("GET", f"/sets/x/{MANIFEST}")) == 2


def test_a_manifest_of_an_older_version_costs_one_download(run, label, memory):
    files, root = memory
    label("a.png", "b.png")
    run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    manifest = json.loads(files.cat_file(f"{root}/x/{MANIFEST}"))
    for row in manifest["files"]:
        del row["md5"]
    files.pipe_file(f"{root}/x/{MANIFEST}", json.dumps(manifest).encode())
    before = files.created(f"{root}/x/images/a.png")
    assert run(FastLabelExportCocoOperator, output=f"memory://{root}/x")[1] == [200, 200]
    assert files.created(f"{root}/x/images/a.png") == before
    assert run(FastLabelExportCocoOperator, output=f"memory://{root}/x")[1] == [304, 304]
    check(content(files, f"{root}/x"))


def test_a_picture_that_goes_while_the_export_runs_leaves_no_hole(run, label, memory):
    files, root = memory
    label("a.png", "b.png")
    run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    whole = content(files, f"{root}/x")

    class Meanwhile(FastLabelExportCocoOperator):
        def write(self, *given):
            report = super().write(*given)
            if files.exists(f"{root}/x/images/a.png"):
                files.rm(f"{root}/x/images/a.png")
            return report

    label("c.png")
    assert run(Meanwhile, output=f"memory://{root}/x")[1] == [200, 200, 200, 200, 304, 304]
    found = content(files, f"{root}/x")
    check(found)
    assert {path: found[path] for path in whole if path.startswith("images")} == {
        path: body for path, body in whole.items() if path.startswith("images")
    }


def test_pictures_that_change_their_split_arrive_there(run, label, memory):
    files, root = memory
    names = [f"{number}.png" for number in range(6)]
    label(*names)
    for splits in ({"train": 1.0, "val": 0.0}, {"train": 0.0, "val": 1.0}):
        arguments = {"layout": "ultralytics", "splits": splits}
        run(FastLabelExportYoloOperator, output=f"memory://{root}/x", **arguments)
        chosen = max(splits, key=lambda name: splits[name])
        found = content(files, f"{root}/x")
        check(found)
        assert {path: body for path, body in found.items() if path.startswith("images")} == {
            f"images/{chosen}/{name}": png() for name in names
        }
        assert run(FastLabelExportYoloOperator, output=f"memory://{root}/x", **arguments)[1] == [304] * 6


def test_pictures_that_are_drawn_on_come_every_time(run, label, memory):
    _, root = memory
    label("a.png")
    for _ in range(2):
        assert run(FastLabelExportAnnotatedImagesOperator, output=f"memory://{root}/x")[1] == [200]
