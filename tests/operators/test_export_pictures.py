"""The pictures of exports: which are downloaded, and by what names they lie there."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import png, tree


@pytest.mark.parametrize("operator", [FastLabelExportCocoOperator, FastLabelExportPascalVocOperator])
def test_images_can_be_included(export, label, tmp_path, operator):
    label("a.png", "b/c.png")
    result = export(operator, include_images=True).result
    files = tree(tmp_path / "out" / operator.format)
    assert files["images/a.png"] == files["images/b/c.png"] == png()
    assert result["changed"] is True
    assert {"images/a.png", "images/b/c.png"} <= {row["path"] for row in json.loads(files["manifest.json"])["files"]}


def test_labels_alone_need_no_download(export, label, emulator):
    label("a.png")
    emulator.clear_requests()
    export(FastLabelExportYoloOperator, layout="ultralytics", include_images=False)
    assert not [request for request in emulator.requests() if "file" in request["path"]]


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (FastLabelExportCocoOperator, {}),
        (FastLabelExportLabelmeOperator, {}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics"}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 0.1, "val": 0.2, "test": 0.7}}),
    ],
)
def test_pictures_of_the_published_dataset_are_not_fetched_again(
    export, label, emulator, tmp_path, operator, arguments
):
    def run():
        emulator.clear_requests()
        assert export(operator, include_images=True, **arguments).state == "success"
        return sorted(request["status"] for request in emulator.requests() if "storage/files" in request["path"])

    folder = tmp_path / "out" / operator.format
    label("a.png", "b/c.png")
    assert run() == [200, 200]
    label("d.png", colour=77)
    assert run() == [200, 304, 304]
    assert run() == [304, 304, 304]
    pictures = {path.name: path for path in folder.rglob("*.png")}
    assert pictures["c.png"].read_bytes() == png()
    pictures["c.png"].write_bytes(b"spoiled")
    pictures["a.png"].unlink()
    pictures["a.png"].symlink_to(pictures["d.png"])
    label("e.png")
    assert run() == [200, 200, 200, 304]
    pictures = {path.name: path for path in folder.rglob("*.png")}
    assert not pictures["a.png"].is_symlink()
    colours = {"a.png": 9, "c.png": 9, "d.png": 77, "e.png": 9}
    assert {name: path.read_bytes() for name, path in pictures.items()} == {
        name: png(colour=colour) for name, colour in colours.items()
    }


def test_pictures_that_have_another_name_in_the_dataset_are_not_fetched_again_either(export, label, emulator, tmp_path):
    """A folder ``images``, a hidden file, no extension, names that differ in the extension or in its case only."""
    names = ["set/images/a.png", ".hidden.png", "plain", "b.png", "b.jpg", "c\\d.png"]
    names += ["b.PNG", "b.PnG", "B.pnG", "b", "B"]
    label(*names)

    def run():
        emulator.clear_requests()
        assert export(FastLabelExportYoloOperator, layout="ultralytics").state == "success"
        return sorted(request["status"] for request in emulator.requests() if "storage/files" in request["path"])

    assert run() == [200] * len(names)
    assert run() == [304] * len(names)
    label("e.png")
    assert run() == [200] + [304] * len(names)
    pictures = [path for path in (tmp_path / "out" / "yolo" / "images").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in pictures] == [png()] * (len(names) + 1)


def test_an_expired_address_is_asked_for_anew(export, label, emulator, tmp_path, monkeypatch):
    from airflow_provider_fastlabel.client.http.transport import Transport

    label("a.png")
    download = Transport.download
    tries = []

    def late(self, url, target, **more):
        tries.append(url)
        if len(tries) == 1:
            emulator.advance(7200)
        return download(self, url, target, **more)

    monkeypatch.setattr(Transport, "download", late)
    outcome = export(FastLabelExportCocoOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    assert len(tries) == 2
    assert (tmp_path / "out/coco/images/a.png").read_bytes() == png()


def test_hostile_names_stay_inside(export, label, tmp_path):
    label("../../evil.png", "/abs.png", "ok.png", "a/../b.png")
    outcome = export(FastLabelExportLabelmeOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    assert outcome.result["images"] == 4
    assert not (tmp_path / "evil.png").exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labelme"]


def test_pictures_of_hostile_names_have_the_names_their_labels_say(export, label, tmp_path):
    label("../a.png", "__/a.png", "/b.png", "b.png")
    outcome = export(FastLabelExportCocoOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    folder = tmp_path / "out/coco"
    said = {image["file_name"] for image in json.loads((folder / "annotations.json").read_bytes())["images"]}
    pictures = {str(path.relative_to(folder / "images")) for path in (folder / "images").rglob("*.png")}
    assert len(said) == 4
    assert said == pictures


def test_a_name_below_another_name_costs_only_its_picture(export, label):
    label("a.png", "a.png/b.png")
    outcome = export(FastLabelExportCocoOperator, include_images=True, max_workers=1)
    assert outcome.state == "success", outcome.error
    assert outcome.result["adjusted"]["images_missing"] == 1


def test_a_task_named_like_a_file_of_the_dataset_itself_has_another_name(export, label, tmp_path):
    label("manifest.png", "Classes.lock.png", "a.png")
    outcome = export(FastLabelExportLabelmeOperator, include_images=False)
    assert outcome.state == "success"
    files = {row["path"] for row in json.loads((tmp_path / "out" / "labelme" / "manifest.json").read_text())["files"]}
    assert {"manifest.png.json", "Classes.lock.png.json", "a.json"} <= files
    shapes = json.loads((tmp_path / "out" / "labelme" / "manifest.png.json").read_text())
    assert shapes["imagePath"] == "manifest.png"
