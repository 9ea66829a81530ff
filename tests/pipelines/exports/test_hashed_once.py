"""Files are hashed while they are written: publishing reads none again, and believes no size that it does not see."""

from __future__ import annotations

import hashlib
import json
import sys

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.drawings import export_drawings
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.writing.noted import NotedFolder
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.exports.run import Export
from tests.operators.exporting import BOX, png
from tests.pipelines.exports.places.spots import staged

WRITERS = {
    "coco": lambda tasks, folder, classes, _, left_out: export_coco(tasks, folder, classes=classes, left_out=left_out),
    "yolo": lambda tasks, folder, classes, images, left_out: export_yolo(
        tasks, folder, classes=classes, layout="ultralytics", image_dir=images, left_out=left_out
    ),
    "voc": lambda tasks, folder, classes, _, left_out: export_pascalvoc(
        tasks, folder, classes=classes, left_out=left_out
    ),
    "labelme": lambda tasks, folder, classes, _, left_out: export_labelme(
        tasks, folder, classes=classes, left_out=left_out
    ),
    "semantic": lambda tasks, folder, classes, _, left_out: export_masks(
        tasks, folder, kind="semantic", classes=classes, left_out=left_out
    ),
    "instance": lambda tasks, folder, classes, _, left_out: export_masks(
        tasks, folder, kind="instance", classes=classes, left_out=left_out
    ),
    "drawn": lambda tasks, folder, classes, images, left_out: export_drawings(
        list(tasks), images, folder, classes=classes, left_out=left_out
    ),
}
_opened: list[str] | None = None


def _hear(event, arguments):
    if event == "open" and _opened is not None and isinstance(arguments[0], str) and "r" in str(arguments[1]):
        _opened.append(arguments[0])


sys.addaudithook(_hear)


@pytest.fixture
def read():
    """Paths that are opened for reading."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


@pytest.fixture
def export(fastlabel_emulator, tmp_path):
    def make(form):
        aside = form in ("yolo", "drawn")
        return Export(
            client=client,
            destination=destination(tmp_path / "out"),
            filters={"project": "cats", "status": "approved", "external_status": None, "tags": []},
            kinds=("image",),
            format=form,
            write=WRITERS[form],
            images_folder=lambda work, folder: work / "images" if aside else folder / "images",
            earlier_places=lambda name: (f"images/{name}",),
        )

    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        for number in range(3):
            picture = tmp_path / "a.png"
            picture.write_bytes(png(colour=number))
            client.create_image_task("cats", f"in/{number}.png", picture, status="approved", annotations=[BOX])
        yield make


@pytest.mark.parametrize("form", WRITERS)
def test_no_file_of_an_export_is_read_again_and_every_digest_is_right(export, tmp_path, read, form):
    report, published = export(form).run()
    assert [path for path in read if "/dataset/" in path] == []
    raw = (tmp_path / "out" / "manifest.json").read_bytes()
    assert published.digest == hashlib.sha256(raw).hexdigest()
    rows = json.loads(raw)["files"]
    found = {path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "manifest.json"}
    assert {tmp_path / "out" / row["path"] for row in rows} == found
    for row in rows:
        data = (tmp_path / "out" / row["path"]).read_bytes()
        assert (row["size"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert row["md5"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert report.to_dict()["files"] == report.file_count > 0
    assert not export(form).run()[1].changed


def account(folder, files):
    """Stage files, with an account of them."""
    noted = NotedFolder(staged(folder, files), Rows())
    for path, text in files.items():
        noted.account.note(path, facts_of_text(text))
    return noted


def facts_of_text(text):
    from airflow_provider_fastlabel.digests import facts_of

    return facts_of((text.encode(),))


def published_files(target):
    return {row["path"]: row["sha256"] for row in json.loads((target / "manifest.json").read_bytes())["files"]}


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_file_of_another_size_than_was_told_is_read(tmp_path):
    noted = account(tmp_path / "s", {"a.txt": "1", "b.txt": "2"})
    (noted.path / "a.txt").write_text("changed")
    publish(noted, tmp_path / "t", {})
    assert published_files(tmp_path / "t") == {"a.txt": sha("changed"), "b.txt": sha("2")}


def test_a_file_that_nobody_told_of_is_read_and_one_that_is_gone_is_not_in_the_manifest(tmp_path):
    noted = account(tmp_path / "s", {"a.txt": "1", "sub/b.txt": "2", "sub/c.txt": "3"})
    (noted.path / "sub" / "b.txt").unlink()
    (noted.path / "new.txt").write_text("4")
    publish(noted, tmp_path / "t", {})
    assert published_files(tmp_path / "t") == {"a.txt": sha("1"), "new.txt": sha("4"), "sub/c.txt": sha("3")}
