"""The pictures of exports: which are downloaded, and by what names they lie there."""

from __future__ import annotations

import hashlib
import json
import time
import unicodedata
from pathlib import Path, PurePosixPath

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import BOX, png, tree


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


EXPORTS = [
    (FastLabelExportCocoOperator, {}),
    (FastLabelExportPascalVocOperator, {}),
    (FastLabelExportYoloOperator, {}),
    (FastLabelExportYoloOperator, {"layout": "ultralytics"}),
    (FastLabelExportLabelmeOperator, {}),
    (FastLabelExportMasksOperator, {}),
    (FastLabelExportMasksOperator, {"mask_kind": "instance"}),
]

NAMES = {
    "own": [
        "manifest.json",
        "MANIFEST.JSON",
        "classes.lock.json",
        "manifest.previous.json",
        "classes.txt",
        "data.yaml",
    ],
    "tables": ["annotations.json", "classes.json", "instances.jsonl", "images", "annotations", "labels"],
    "labels": ["a.jpg", "a.json", "A.json", "a.txt", "a.xml", "a.png", "a"],
    "below": ["scan", "scan/1.jpg", "SCAN/2.jpg", "x.png/y.png", "x.png", "b.png", "b.json/1.png", "b.txt/1.png"],
    "folders": ["manifest.json/1.jpg", "classes.lock.json/1.png", "classes.json/1.png", "data.yaml/1.png"],
    "images": [
        "images/1.jpg",
        "1.png",
        "Images/scan/1.jpg",
        "scan",
        "images/images/1.png",
        "annotations/1.png",
        "1.jpg",
    ],
    "changed": ["../a.jpg", "__/a.jpg", "/a.jpg", "a.jpg", "a\\b.jpg", "a_b.jpg", "é.png", "e\u0301.png", "É.png"],
    "long": ["x" * 250 + ".jpg", "X" * 250 + ".jpg", "y" * 200, "y" * 200 + "/1.jpg", "y" * 197 + ".jpg/1.jpg"],
}


def keys(files):
    """Return what is the same for paths that are one file on some machines."""
    return [unicodedata.normalize("NFC", path.casefold()) for path in files]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize(("operator", "arguments"), EXPORTS)
def test_no_picture_lies_where_another_file_lies(export, label, tmp_path, operator, arguments, names):
    wanted = []
    for number, name in enumerate(NAMES[names]):
        label(name, colour=number)
        wanted.append(png(colour=number))
    outcome = export(operator, include_images=True, max_workers=8, **arguments)
    assert outcome.state == "success", outcome.error
    assert outcome.result["images"] == len(wanted)
    assert "images_missing" not in outcome.result["adjusted"]
    files = tree(tmp_path / "out" / operator.format)
    found = list(files.values())
    assert all(found.count(picture) == 1 for picture in wanted)
    manifest = json.loads(files["manifest.json"])
    assert {row["path"] for row in manifest["files"]} == set(files) - {"manifest.json"}
    assert {row["path"]: row["sha256"] for row in manifest["files"]} == {
        path: hashlib.sha256(raw).hexdigest() for path, raw in files.items() if path != "manifest.json"
    }
    assert json.loads(files["classes.lock.json"])["version"] == 1
    folders = {str(parent) for path in keys(files) for parent in PurePosixPath(path).parents}
    assert len(set(keys(files))) == len(files)
    assert folders.isdisjoint(keys(files))
    again = export(operator, include_images=True, **arguments)
    assert again.result["changed"] is False


@pytest.mark.parametrize("names", NAMES)
def test_no_drawn_picture_lies_where_another_file_lies(export, label, tmp_path, names):
    drawn = [name for name in NAMES[names] if name.lower().endswith((".png", ".jpg"))]
    label(*NAMES[names])
    outcome = export(FastLabelExportAnnotatedImagesOperator)
    assert outcome.state == "success", outcome.error
    files = tree(tmp_path / "out" / "annotated_images")
    pictures = [path for path in files if path.lower().endswith((".png", ".jpg"))]
    assert len(pictures) >= len(drawn)
    assert json.loads(files["manifest.json"])["version"] == 1
    assert json.loads(files["classes.lock.json"])["version"] == 1


def test_labelme_finds_every_picture_beside_its_file(export, label, tmp_path):
    names = NAMES["own"] + NAMES["labels"] + NAMES["below"]
    pictures = {}
    for number, name in enumerate(names):
        label(name, colour=number, annotations=[{**BOX, "points": [1, 2, 10 + number, 20]}])
        pictures[10 + number] = png(colour=number)
    assert export(FastLabelExportLabelmeOperator, include_images=True).state == "success"
    folder = tmp_path / "out" / "labelme"
    for path in folder.rglob("*.json"):
        said = json.loads(path.read_bytes())
        if "shapes" in said:
            right = said["shapes"][0]["points"][1][0]
            assert (path.parent / said["imagePath"]).read_bytes() == pictures.pop(right)
    assert pictures == {}


@pytest.mark.parametrize("operator", [FastLabelExportCocoOperator, FastLabelExportLabelmeOperator])
def test_names_are_decided_before_the_pictures_come(export, label, tmp_path, monkeypatch, operator):
    """However long each download takes, the same tasks give the same bytes."""
    from airflow_provider_fastlabel.client.http.transport import Transport

    download = Transport.download
    label("scan", "scan/1.jpg", "a.JPG", "a.jpg", "scan/2.jpg/3.jpg", "scan/2.jpg")
    digests = set()
    for order in (1, -1):

        def slow(self, url, target, order=order, **more):
            place = Path(target)
            time.sleep(0.1 * (len(place.parts) if order > 0 else 9 - min(8, len(place.name))))
            return download(self, url, target, **more)

        monkeypatch.setattr(Transport, "download", slow)
        outcome = export(operator, include_images=True, max_workers=8, output=str(tmp_path / f"out{order}"))
        assert outcome.state == "success", outcome.error
        digests.add(outcome.result["sha256"])
    assert len(digests) == 1


def test_a_picture_behind_a_link_that_leads_out_is_not_taken_from_there(export, label, emulator, tmp_path):
    label("a.png")
    export(FastLabelExportCocoOperator, include_images=True)
    folder = tmp_path / "out" / "coco"
    (folder / "images").rename(tmp_path / "theirs")
    (folder / "images").symlink_to(tmp_path / "theirs")
    emulator.clear_requests()
    assert export(FastLabelExportCocoOperator, include_images=True).state == "success"
    assert [request["status"] for request in emulator.requests() if "storage/files" in request["path"]] == [200]


def test_a_task_named_like_a_file_of_the_dataset_itself_has_another_name(export, label, tmp_path):
    label("manifest.png", "Classes.lock.png", "a.png")
    outcome = export(FastLabelExportLabelmeOperator, include_images=False)
    assert outcome.state == "success"
    files = {row["path"] for row in json.loads((tmp_path / "out" / "labelme" / "manifest.json").read_text())["files"]}
    assert {"manifest.png.json", "Classes.lock.png.json", "a.json"} <= files
    shapes = json.loads((tmp_path / "out" / "labelme" / "manifest.png.json").read_text())
    assert shapes["imagePath"] == "manifest.png"
