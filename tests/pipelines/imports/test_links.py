"""Imports of folders with links out of them, or with what is no regular file: nothing is sent of it, all is told."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.endpoints.run import execute_files
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.imports import (
    ImportRefused,
    find_items,
    find_sources,
    import_files,
    resolve_destination,
)
from airflow_provider_fastlabel.pipelines.imports.dicom import find_zips
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from tests.limits import run_limited
from tests.strange_files import STRANGE, make_strange

LEAVES = "link that leaves the folder"


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        yield client


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        png(folder / f"{name}.png")
    return folder


def png(path):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


@pytest.fixture
def run(client, folder, tmp_path):
    def go(form=None, path=None, *, follow_links=False, **more):
        into = resolve_destination(client, "cats")
        found = find_items(folder, into, pattern="**/*", annotated=form, follow_links=follow_links)
        read = None
        if form is not None:
            classes = list(client.iter_annotations("cats"))
            read = Reader(form, folder, path, into.type, classes, {}, follow_links=follow_links).read(found)
        more = {"manifest": tmp_path / "m.jsonl", "annotations": read, "links": found.links, **more}
        return import_files(client, into, found.sources, problems=found.problems, **more)

    return go


def out(folder, name, content=None):
    """Move a file out of the folder, or write it there, and link it."""
    target = folder.parent / f"out {name.replace('/', ' ')}"
    if content is not None:
        target.write_bytes(content)
    else:
        (folder / name).rename(target)
    (folder / name).symlink_to(target)


def names(client):
    return sorted(task["name"] for task in client.iter_image_tasks("cats"))


def records(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["name"]: line for line in lines if "name" in line}


def test_links_out_are_left_out_counted_and_written_down(client, run, folder, tmp_path, caplog):
    (folder / "environ.png").symlink_to("/proc/self/environ")
    out(folder, "c.png")
    result = run()
    assert (result["created"], result["total"], result["links_left_out"]) == (2, 2, 2)
    assert names(client) == ["a.png", "b.png"]
    assert "2 links lead out of the folder and were left out" in caplog.text
    record = records(tmp_path / "m.jsonl")["c.png"]
    assert record["fate"] == "left_out"
    assert LEAVES in record["why"]
    followed = run(follow_links=True, max_failures=1)  # what is not even a picture fails
    assert (followed["created"], followed["exists"], followed["failed"], followed["links_left_out"]) == (1, 2, 1, 0)
    assert names(client) == ["a.png", "b.png", "c.png"]
    again = run()
    assert (again["exists"], again["links_left_out"]) == (2, 2)
    with Manifest(tmp_path / "m.jsonl", project="cats", kind="image") as manifest:
        assert manifest.earlier["c.png"].fate == "created"  # which being left out later does not undo


def test_a_folder_of_nothing_but_links_out_says_how_they_are_followed(client, folder, tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "data").symlink_to(folder)
    into = resolve_destination(client, "cats")
    with pytest.raises(ImportRefused, match=r"1 link leads out of the folder .*'data/'.*follow_links=True"):
        find_items(tmp_path / "archive", into, pattern="**/*")
    assert len(find_items(tmp_path / "archive", into, pattern="**/*", follow_links=True).sources) == 3


YOLO = b"0 0.5 0.5 0.5 0.5\n"


@pytest.mark.parametrize("apart", [True, False])
def test_annotations_in_a_link_out_are_lost_and_their_picture_is_not_created_bare(client, run, folder, apart):
    labels = folder.parent / "labels" if apart else folder
    labels.mkdir(exist_ok=True)
    (labels / "classes.txt").write_text("cat\n")
    (labels / "a.txt").write_bytes(YOLO)
    out(labels, "b.txt", YOLO)
    path = labels if apart else None
    with pytest.raises(ImportRefused, match=rf"'b\.png'.*{LEAVES}"):
        run("yolo", path)
    result = run("yolo", path, max_failures=1)
    assert (result["created"], result["failed"], result["annotations"]["sent"]) == (2, 1, 1)
    assert names(client) == ["a.png", "c.png"]
    assert run("yolo", path, follow_links=True)["annotations"]["sent"] == 1


@pytest.mark.parametrize("apart", [True, False])
def test_annotations_of_a_picture_that_is_a_link_out_are_lost_and_go_to_no_other(client, run, folder, apart):
    labels = folder.parent / "labels" if apart else folder
    labels.mkdir(exist_ok=True)
    (labels / "classes.txt").write_text("cat\n")
    for name in "ab":
        (labels / f"{name}.txt").write_bytes(YOLO)
    out(folder, "b.png")
    png(folder / "other" / "b.png")
    with pytest.raises(ImportRefused, match=rf"'b\.png'.*{LEAVES}"):
        run("yolo", labels if apart else None)
    result = run("yolo", labels if apart else None, max_failures=1)
    assert result["annotations"] == {"read": 2, "sent": 1, "existing": 0, "lost": {"unreadable_file": 1}}
    tasks = {task["name"]: len(task["annotations"]) for task in client.iter_image_tasks("cats")}
    assert tasks == {"a.png": 1, "c.png": 0, "other/b.png": 0}
    assert result["links_left_out"] == 1


def coco(path, *pictures):
    path.write_text(
        json.dumps(
            {
                "images": [{"id": number, "file_name": name} for number, name in enumerate(pictures)],
                "categories": [{"id": 1, "name": "cat"}],
                "annotations": [
                    {"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 4, 4]}
                    for number, _ in enumerate(pictures)
                ],
            }
        )
    )


def test_coco_annotations_of_a_picture_that_is_a_link_out_are_lost(run, folder):
    coco(folder / "annotations.json", "a.png", "b.png")
    out(folder, "b.png")
    with pytest.raises(ImportRefused, match=rf"'b\.png'.*{LEAVES}"):
        run("coco")
    lost = run("coco", max_failures=1)["annotations"]
    assert lost == {"read": 2, "sent": 1, "existing": 0, "lost": {"no_picture": 1}}


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_another_coco_file_is_not_read_because_the_named_one_cannot_be_opened(run, folder, kind):
    coco(folder / "other.json", "a.png")
    if kind == "link":
        out(folder, "annotations.json", b"{}")
    else:
        make_strange(kind, folder / "annotations.json")
    with pytest.raises(ImportRefused, match=r"annotations\.json cannot be read: it is a"):
        run("coco")


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("form", ["yolo", "pascalvoc", "labelme"])
def test_an_annotation_file_that_is_a_pipe_fails_its_picture(client, run, folder, form, apart):
    labels = folder.parent / "labels" if apart else folder
    labels.mkdir(exist_ok=True)
    (labels / "classes.txt").write_text("cat\n")
    ending = {"yolo": "txt", "pascalvoc": "xml", "labelme": "json"}[form]
    make_strange("fifo", labels / f"b.{ending}")
    with pytest.raises(ImportRefused, match=r"'b\.png': .*it is a named pipe \(FIFO\)"):
        run(form, labels if apart else None)
    assert names(client) == []


MANIFEST = """
import sys
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
try:
    Manifest(sys.argv[1], project="p", kind="image").__enter__()
except ImportRefused as error:
    print(error)
"""


@pytest.mark.parametrize(("kind", "word"), STRANGE.items())
def test_a_manifest_is_a_regular_file(tmp_path, kind, word):
    said = run_limited(MANIFEST, make_strange(kind, tmp_path / "m.jsonl"))
    assert word in said
    assert "m.jsonl" in said


def test_dicom_links_out_are_left_out_and_pipes_refused(client, folder, tmp_path):
    client.create_project("dicom_bbox", "Scans", "scans")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("1.dcm", "x")
    (folder / "a.zip").symlink_to(tmp_path / "out.zip")
    with pytest.raises(ImportRefused, match=r"1 link leads out of the folder.*follow_links=True"):
        find_zips(client, "scans", folder, "**/*.zip")
    (source,) = find_zips(client, "scans", folder, "**/*.zip", follow_links=True).sources
    assert source.name == "a.zip"
    make_strange("fifo", folder / "b.zip")
    with pytest.raises(ImportRefused, match=r"'b\.zip': .*named pipe"):
        find_zips(client, "scans", folder, "**/*.zip")


def test_an_endpoint_gets_no_link_out_no_pipe_and_no_empty_file(client, folder, tmp_path, fastlabel_emulator):
    fastlabel_emulator.control("PUT", "endpoints", {"name": "cats", "detections": []})
    (folder / "environ.png").symlink_to("/proc/self/environ")
    done = execute_files(client, "cats", folder, tmp_path / "out")
    assert (done["executed"], done["links_left_out"]) == (3, 1)
    make_strange("fifo", folder / "pipe.png")
    (folder / "empty.png").touch()
    (folder / "round.png").symlink_to("round.png")
    with pytest.raises(ImportRefused) as caught:
        execute_files(client, "cats", folder, tmp_path / "out")
    text = str(caught.value)
    assert "'pipe.png': cannot be sent: it is a named pipe (FIFO)" in text
    assert "'empty.png': has 0 bytes" in text
    assert "'round.png': cannot be read" in text
    with pytest.raises(ImportRefused):
        execute_files(client, "cats", folder, tmp_path / "out", follow_links=True)


def test_an_answer_to_a_file_that_changed_meanwhile_is_not_kept(client, folder, tmp_path, fastlabel_emulator):
    fastlabel_emulator.control("PUT", "endpoints", {"name": "cats", "detections": []})
    execute = client.execute_endpoint

    def changing(name, path):
        answer = execute(name, path)
        if path.name == "b.png":
            path.write_bytes(path.read_bytes() + b"more")
        return answer

    client.execute_endpoint = changing
    with pytest.raises(RunIncomplete, match=r"b\.png.* changed while it was uploaded"):
        execute_files(client, "cats", folder, tmp_path / "out")
    del client.execute_endpoint
    assert execute_files(client, "cats", folder, tmp_path / "out")["executed"] == 1


def test_a_listing_without_links_says_nothing_of_them(folder):
    assert find_sources(folder, extensions=("png",)).links_in_words() == ""
