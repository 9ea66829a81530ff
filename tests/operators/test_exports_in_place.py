"""Exports into object stores, in place: pictures that are there and still the same stay where they are."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.operators import (
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import png, tree
from tests.operators.stores import check, content, moved


@pytest.fixture
def run(run_with_pictures):
    """Export in place."""

    def go(operator, **arguments):
        return run_with_pictures(operator, **{"publish": "in_place", **arguments})

    return go


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
    assert [request for request in s3.requests if request[0] not in ("GET", "HEAD")] == []
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
    assert third == {**full, "path": "s3://sets/x", **s3.at}


def test_a_picture_that_is_gone_or_cut_comes_again(run, label, s3):
    label("a.png", "b.png", "c.png")
    run(FastLabelExportCocoOperator, **s3.at)
    whole = content(s3, "sets/x")
    s3.boto.delete_object(Bucket="sets", Key="x/images/a.png")
    s3.boto.put_object(Bucket="sets", Key="x/images/b.png", Body=png()[:-1])
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [200, 200, 304]
    assert content(s3, "sets/x") == whole


def test_a_picture_leaves_with_its_task_and_the_others_stay(run, client, label, s3):
    label("a.png", "b.png", "c.png")
    run(FastLabelExportCocoOperator, **s3.at)
    client.delete_task(client.find_image_task_by_name("photos", "b.png")["id"])
    moved(s3)
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [304, 304]
    assert [request for request in moved(s3) if request.startswith("PUT")] == []
    found = content(s3, "sets/x")
    check(found)
    assert "images/b.png" not in found


def test_pictures_stay_through_an_export_that_died_while_it_was_published(run, export, client, label, emulator, s3):
    label("a.png", "b.png", "old.png")
    run(FastLabelExportCocoOperator, **s3.at)
    client.delete_task(client.find_image_task_by_name("photos", "old.png")["id"])
    label("new.png", "newer.png", colour=5)
    for fails in ("annotations.json", "newer.png"):
        s3.fails = fails
        outcome = export(FastLabelExportCocoOperator, **s3.at, include_images=True, publish="in_place")
        assert outcome.state != "success"
        assert MANIFEST not in content(s3, "sets/x")
    s3.fails = ""
    moved(s3)
    assert run(FastLabelExportCocoOperator, **s3.at)[1] == [200, 200, 304, 304]
    assert "PUT /sets/x/images/a.png" not in moved(s3)
    found = content(s3, "sets/x")
    check(found)
    assert PREVIOUS not in found


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
    label("a.png", "b.png")
    for splits in ({"train": 1.0, "val": 0.0}, {"train": 0.0, "val": 1.0}):
        arguments = {"layout": "ultralytics", "splits": splits}
        run(FastLabelExportYoloOperator, output=f"memory://{root}/x", **arguments)
        chosen = max(splits, key=lambda name: splits[name])
        found = content(files, f"{root}/x")
        check(found)
        assert {path for path in found if path.startswith("images")} == {f"images/{chosen}/{name}.png" for name in "ab"}
