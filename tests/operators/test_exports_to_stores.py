"""Exports into object stores: a version beside the others; what has not changed is neither downloaded nor uploaded."""

from __future__ import annotations

import json

import pytest
from upath import UPath

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import png, tree
from tests.operators.stores import check, content, current, moved


def names(found, what="images"):
    return {path for path in found if path.startswith(what)}


FORMATS = [
    (FastLabelExportCocoOperator, {}, "images/"),
    (FastLabelExportLabelmeOperator, {}, ""),
    (FastLabelExportMasksOperator, {}, "images/"),
    (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 1.0, "val": 0.0}}, "images/train/"),
]


@pytest.fixture
def uploads(s3):
    """Say which files were uploaded since the last time, and which the store has copied itself, without the version."""
    sent: dict[str, set[str]] = {"uploaded": set(), "copied": set()}

    def note(request, **_):
        path = request.url.partition("/versions/")[2].partition("/")[2]
        if request.method == "PUT" and path:
            sent["copied" if "x-amz-copy-source" in request.headers else "uploaded"].add(path)

    s3.on_sending(note)

    def told():
        found = {what: set(paths) for what, paths in sent.items()}
        for paths in sent.values():
            paths.clear()
        return found

    return told


@pytest.mark.parametrize(("operator", "arguments", "folder"), FORMATS)
def test_only_what_changed_moves(run_with_pictures, client, label, s3, uploads, tmp_path, operator, arguments, folder):
    run = run_with_pictures
    label("a.png", "b.png", "c.png")
    first, answers = run(operator, **s3.at, **arguments)
    assert answers == [200, 200, 200]
    assert uploads()["copied"] == set()
    moved(s3)
    second, answers = run(operator, **s3.at, **arguments)
    assert answers == [304, 304, 304]
    assert second == {**first, "changed": False}
    assert {method for method, _ in s3.requests} == {"GET", "HEAD"}
    assert moved(s3) == []

    client.delete_task(client.find_image_task_by_name("photos", "a.png")["id"])
    label("a.png", colour=77)
    third, answers = run(operator, **s3.at, **arguments)
    assert answers == [200, 304, 304]
    went = uploads()
    assert f"{folder}a.png" in went["uploaded"]
    assert {f"{folder}b.png", f"{folder}c.png", "classes.lock.json"} <= went["copied"]
    full, answers = run(operator, output=str(tmp_path / "full"), **arguments)
    assert answers == [200, 200, 200]
    assert current(s3, "sets/x") == tree(tmp_path / "full")
    assert third == {**full, **s3.at, "path": third["path"]}
    assert content(s3, third["path"].removeprefix("s3://")) == current(s3, "sets/x")
    # who reads the version before still does
    assert json.loads(s3.cat_file("sets/x/current.json"))["earlier"][0]["path"] == first["path"].partition("x/")[2]
    check(content(s3, first["path"].removeprefix("s3://")))


@pytest.mark.parametrize("keep", [1, "{{ 1 + 1 }}"])
def test_so_many_earlier_versions_stay_as_were_asked_for(run_with_pictures, label, memory, keep):
    files, root = memory
    paths = []
    for number in range(5):
        label(f"{number}.png")
        place = {"output": f"memory://{root}/x", "keep_versions": keep}
        paths.append(run_with_pictures(FastLabelExportCocoOperator, **place)[0]["path"])
    kept = 2 if keep == 1 else 3
    pointer = json.loads(files.cat_file(f"{root}/x/current.json"))
    assert [f"memory://{root}/x/{row['path']}" for row in (pointer, *pointer["earlier"])] == paths[: -kept - 1 : -1]
    assert {f"memory://{path}" for path in files.ls(f"{root}/x/versions", detail=False)} == set(paths[-kept:])
    current(files, f"{root}/x")


def test_a_file_that_was_overwritten_or_removed_comes_again_in_a_new_version(run_with_pictures, label, memory):
    files, root = memory
    run = run_with_pictures
    label("a.png", "b.png", "c.png")
    first, _ = run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    whole = current(files, f"{root}/x")
    version = first["path"].removeprefix("memory://")
    for path in ("images/a.png", "annotations.json"):
        files.pipe_file(f"{version}/{path}", bytes(len(whole[path])))
    files.rm(f"{version}/images/b.png")
    result, answers = run(FastLabelExportCocoOperator, output=f"memory://{root}/x")
    assert answers == [200, 200, 304]
    assert (result["changed"], result["sha256"]) == (True, first["sha256"])
    assert result["path"] != first["path"]
    assert current(files, f"{root}/x") == whole
    assert run(FastLabelExportCocoOperator, output=f"memory://{root}/x")[1] == [304, 304, 304]


def test_a_picture_that_goes_while_the_export_runs_leaves_no_hole(run_with_pictures, label, memory):
    files, root = memory
    label("a.png", "b.png")
    first, _ = run_with_pictures(FastLabelExportCocoOperator, output=f"memory://{root}/x")

    class Meanwhile(FastLabelExportCocoOperator):
        def write(self, *given):
            report = super().write(*given)
            if files.exists(gone := f"{first['path'].removeprefix('memory://')}/images/a.png"):
                files.rm(gone)
            return report

    label("c.png")
    assert run_with_pictures(Meanwhile, output=f"memory://{root}/x")[1] == [200, 200, 200, 200, 304, 304]
    assert names(current(files, f"{root}/x")) == {"images/a.png", "images/b.png", "images/c.png"}


def test_pictures_that_change_their_split_are_copied_there(run_with_pictures, label, memory):
    files, root = memory
    names_ = [f"{number}.png" for number in range(6)]
    label(*names_)
    for number, splits in enumerate(({"train": 1.0, "val": 0.0}, {"train": 0.0, "val": 1.0})):
        arguments = {"layout": "ultralytics", "splits": splits}
        _, answers = run_with_pictures(FastLabelExportYoloOperator, output=f"memory://{root}/x", **arguments)
        assert answers == [304 if number else 200] * 6
        chosen = max(splits, key=lambda name: splits[name])
        found = current(files, f"{root}/x")
        assert {path: found[path] for path in names(found)} == {f"images/{chosen}/{name}": png() for name in names_}


def test_pictures_that_are_drawn_on_come_every_time(run_with_pictures, label, memory):
    _, root = memory
    label("a.png")
    for _ in range(2):
        assert run_with_pictures(FastLabelExportAnnotatedImagesOperator, output=f"memory://{root}/x")[1] == [200]


@pytest.mark.parametrize("output", ["memory://{root}/x", "{tmp}/out/x"])
def test_class_numbers_follow_from_version_to_version(export, client, label, memory, tmp_path, output):
    _, root = memory
    where = {"output": output.format(root=root, tmp=tmp_path), "publish": "versions"}
    label("a.png")
    first = export(FastLabelExportCocoOperator, **where).result
    client.create_annotation("photos", "bbox", "ant", "Ant")
    for annotation in list(client.iter_annotations("photos")):
        if annotation["value"] == "dog":
            client.delete_annotation(annotation["id"])
    second = export(FastLabelExportCocoOperator, **where).result
    assert second["class_changes"] == {"gone": ["dog"], "new": ["ant"]}
    assert second["path"] != first["path"]
    numbers = json.loads((UPath(second["path"]) / "manifest.json").read_bytes())["classes"]
    assert (numbers["dog"], numbers["cat"], numbers["ant"]) == (1, 2, 3)


def test_the_report_shows_the_current_version(run_with_pictures, airflow_run, label, memory):
    from airflow_provider_fastlabel.operators import FastLabelReportOperator

    _, root = memory
    place = f"memory://{root}/x"
    label("a.png")
    paths = [run_with_pictures(FastLabelExportCocoOperator, output=place)[0]["path"]]
    label("b.png")
    paths.append(run_with_pictures(FastLabelExportCocoOperator, output=place)[0]["path"])
    for dataset, missing in ((place, 0), (paths[1], 0), (paths[0], 1)):
        given = {"project": "photos", "output": place, "dataset": dataset}
        made = airflow_run(lambda given=given: FastLabelReportOperator(task_id="report", **given)).attempt()
        assert made.result["photographs_missing"] == missing
    assert run_with_pictures(FastLabelExportCocoOperator, output=place)[0]["changed"] is False


def test_what_was_published_in_the_other_way_is_refused_before_any_work(export, label, emulator, memory, tmp_path):
    files, root = memory
    label("a.png")
    for place in (f"memory://{root}/x", str(tmp_path / "local")):
        ways = ("versions", "in_place")
        for first, other in (ways, ways[::-1]):
            output = f"{place}-{first}"
            assert export(FastLabelExportCocoOperator, output=output, publish=first).state == "success"
            emulator.clear_requests()
            outcome = export(FastLabelExportCocoOperator, output=output, publish=other)
            assert f"publish='{first}'" in str(outcome.error)
            assert "Nothing was read or changed" in str(outcome.error)
            assert emulator.requests() == []
            assert export(FastLabelExportCocoOperator, output=output, publish=first).result["changed"] is False
    # and the way from one to the other that the error names
    files.rm(f"{root}/x-in_place/manifest.json")
    client_sees = export(FastLabelExportCocoOperator, output=f"memory://{root}/x-in_place").result
    assert client_sees["changed"]
    assert client_sees["class_changes"] == {}
    assert set(current(files, f"{root}/x-in_place")) == {"annotations.json", "classes.lock.json", "manifest.json"}


def test_a_clean_store_is_listed_and_asked_no_more_than_needed(run_with_pictures, label, s3):
    label("a.png")
    run_with_pictures(FastLabelExportCocoOperator, **s3.at)
    s3.requests.clear()
    run_with_pictures(FastLabelExportCocoOperator, **s3.at)
    assert len(s3.requests) <= 9, s3.requests


@pytest.mark.parametrize(
    ("way", "method", "ends", "words"),
    [
        ("versions", "HEAD", "/current.json", "cannot be looked at"),
        ("versions", "GET", "/classes.lock.json", "cannot be read"),
        ("versions", "PUT", "/annotations.json", "cannot be published to"),
        ("versions", "PUT", "/current.json", "cannot be published to"),
        ("in_place", "GET", "/manifest.json", "cannot be read"),
        ("in_place", "PUT", "/annotations.json", "cannot be published to"),
        ("in_place", "DELETE", "/manifest.json", "cannot be published to"),
    ],
)
def test_a_store_that_refuses_is_named_and_what_stands_there_is_said(export, label, s3, way, method, ends, words):
    arguments = {**s3.at, "publish": way}
    label("a.png")
    assert export(FastLabelExportCocoOperator, **arguments).state == "success"
    label("b.png")
    refusing = True

    def refuse(request, **_):
        if refusing and request.method == method and request.url.endswith(ends):
            raise PermissionError("Access Denied")

    s3.on_sending(refuse)
    outcome = export(FastLabelExportCocoOperator, **arguments)
    stays = "Nothing was published or changed"
    if words == "cannot be published to":
        stays = "Readers find what was there before" if way == "versions" else "Unless manifest.json lies there"
    for said in (words, f"s3://{s3.conn}@sets/x", "Access Denied", stays, "try again later"):
        assert said in str(outcome.error), outcome.error
    refusing = False
    assert export(FastLabelExportCocoOperator, **arguments).state == "success"
    found = current(s3, "sets/x") if way == "versions" else content(s3, "sets/x")
    check(found)
    assert len(json.loads(found["annotations.json"])["images"]) == 2
