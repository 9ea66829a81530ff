"""Another file under the name of a task is noticed, and so is a root that has moved."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil

import fsspec
import pytest
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports import ImportRefused, find_sources, import_files


def png(colour: int, width: int = 8, height: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_project("sequential_image_bbox", "Films", "films")
        yield client


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "data" / "photos"
    (folder / "sub").mkdir(parents=True)
    for number in range(4):
        (folder / "sub" / f"{number}.png").write_bytes(png(number))
    return folder


def run(client, folder, manifest, project="cats", *, by_folder=False, **arguments):
    found = find_sources(folder, extensions=("png",), by_folder=by_folder)
    return import_files(client, project, found.sources, manifest=manifest, problems=found.problems, **arguments)


def records(manifest):
    return [json.loads(line) for line in manifest.read_text().splitlines() if '"name"' in line]


def change(path, content):
    """Write other bytes of the same length, at another time."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def test_the_manifest_keeps_size_and_digest_of_what_was_sent(client, photos, tmp_path):
    run(client, photos, tmp_path / "m.jsonl")
    for record in records(tmp_path / "m.jsonl"):
        content = (photos / record["name"]).read_bytes()
        assert record["file"]["size"] == len(content)
        assert record["file"]["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("on_exists", ["skip", "update"])
def test_another_picture_of_the_same_name_is_counted_listed_and_warned_of(client, photos, tmp_path, caplog, on_exists):
    manifest = tmp_path / "m.jsonl"
    run(client, photos, manifest)
    (photos / "sub" / "0.png").write_bytes(png(9, 80, 60))
    change(photos / "sub" / "1.png", png(77))
    with caplog.at_level(logging.WARNING):
        again = run(client, photos, manifest, on_exists=on_exists, fields={"tags": ["b"]})
    assert (again["exists"] + again["updated"], again["differs"], again["not_compared"]) == (4, 2, 0)
    assert "'sub/0.png'" in caplog.text
    assert "FastLabel cannot replace the file of a task" in caplog.text
    told = {record["name"] for record in records(manifest) if record.get("differs")}
    assert told == {"sub/0.png", "sub/1.png"}
    # It stays different until it is the file again that was sent.
    assert run(client, photos, manifest)["differs"] == 2
    (photos / "sub" / "0.png").write_bytes(png(0))
    assert run(client, photos, manifest)["differs"] == 1


def test_a_file_that_was_only_touched_is_read_once_and_never_again(client, photos, tmp_path):
    manifest = tmp_path / "m.jsonl"
    run(client, photos, manifest)
    for path in (photos / "sub").iterdir():
        os.utime(path, (1, 1))
    assert run(client, photos, manifest)["differs"] == 0
    for path in (photos / "sub").iterdir():
        path.write_bytes(b"x" * path.stat().st_size)  # which only who reads it would see
        os.utime(path, (1, 1))
    third = run(client, photos, manifest)
    assert (third["exists"], third["differs"], third["not_compared"]) == (4, 0, 0)


def test_on_difference_fail_creates_nothing(client, photos, tmp_path):
    manifest = tmp_path / "m.jsonl"
    run(client, photos, manifest)
    change(photos / "sub" / "1.png", png(77))
    (photos / "new.png").write_bytes(png(5))
    with pytest.raises(ImportRefused, match=r"sub/1\.png.*differs from its task.*another name, or delete the task"):
        run(client, photos, manifest, on_difference="fail")
    assert client.count_tasks("cats") == 4
    done = run(client, photos, manifest, on_difference="fail", max_failures=1)
    assert (done["created"], done["exists"], done["failed"], done["differs"]) == (1, 3, 1, 1)


def test_without_a_manifest_that_knows_them_tasks_are_said_not_to_be_compared(client, photos, tmp_path):
    run(client, photos, tmp_path / "first.jsonl")
    (photos / "sub" / "0.png").write_bytes(png(9, 80, 60))
    again = run(client, photos, tmp_path / "second.jsonl")
    assert (again["differs"], again["not_compared"]) == (0, 4)


def test_on_difference_fail_compares_the_sizes_that_fastlabel_tells(client, photos, tmp_path):
    run(client, photos, tmp_path / "first.jsonl")
    (photos / "sub" / "0.png").write_bytes(png(9, 80, 60))
    with pytest.raises(ImportRefused, match=r"sub/0\.png.*80 x 60 pixels.*8 x 6"):
        run(client, photos, tmp_path / "second.jsonl", on_difference="fail")
    (photos / "sub" / "0.png").write_bytes(png(9))
    same = run(client, photos, tmp_path / "second.jsonl", on_difference="fail")
    assert (same["exists"], same["differs"], same["not_compared"]) == (4, 0, 4)


@pytest.mark.parametrize("on_exists", ["skip", "update"])
def test_a_file_that_an_import_met_is_known_from_then_on(client, photos, tmp_path, caplog, on_exists):
    run(client, photos, tmp_path / "first.jsonl")
    later, arguments = tmp_path / "later.jsonl", {"on_exists": on_exists, "fields": {"tags": ["b"]}}
    with caplog.at_level(logging.INFO):
        assert run(client, photos, later, **arguments)["not_compared"] == 4
    assert "the manifest does not know them: 4. It keeps what these files are like now" in caplog.text
    same = run(client, photos, later, on_difference="fail", **arguments)
    assert (same["differs"], same["not_compared"]) == (0, 0)
    change(photos / "sub" / "0.png", png(77))
    (photos / "sub" / "1.png").write_bytes(png(9) + b"more")
    third = run(client, photos, later, **arguments)
    assert (third["differs"], third["not_compared"]) == (2, 0)
    with pytest.raises(ImportRefused, match=r"(?s)0\.png.*written anew.*1\.png.*bytes, .*when an import first met"):
        run(client, photos, later, on_difference="fail", **arguments)


def test_a_file_that_was_another_when_an_import_met_it_is_compared_with_what_fastlabel_tells(client, photos, tmp_path):
    run(client, photos, tmp_path / "first.jsonl")
    (photos / "sub" / "0.png").write_bytes(png(9, 80, 60))
    assert run(client, photos, tmp_path / "later.jsonl")["not_compared"] == 4
    with pytest.raises(ImportRefused, match=r"sub/0\.png.*80 x 60 pixels.*8 x 6"):
        run(client, photos, tmp_path / "later.jsonl", on_difference="fail")


def test_a_task_that_somebody_made_anew_is_not_compared(client, photos, tmp_path):
    manifest = tmp_path / "m.jsonl"
    run(client, photos, manifest)
    client.delete_task(client.task_ids_by_name("cats")["sub/0.png"])
    client.create_image_task("cats", "sub/0.png", str(photos / "sub" / "1.png"))
    change(photos / "sub" / "0.png", png(77))
    again = run(client, photos, manifest)
    assert (again["differs"], again["not_compared"]) == (0, 1)
    (photos / "sub" / "0.png").write_bytes(png(77, 80, 60))
    with pytest.raises(ImportRefused, match="pixels, the task's picture"):
        run(client, photos, tmp_path / "m.jsonl", on_difference="fail")


def test_a_task_of_many_files_differs_when_one_of_them_does(client, tmp_path):
    folder, manifest = tmp_path / "films", tmp_path / "m.jsonl"
    for film in "ab":
        (folder / film).mkdir(parents=True)
        for number in range(3):
            (folder / film / f"{number}.png").write_bytes(png(number))
    run(client, folder, manifest, "films", by_folder=True)
    assert run(client, folder, manifest, "films", by_folder=True)["differs"] == 0
    change(folder / "a" / "1.png", png(77))
    os.utime(folder / "b" / "1.png", (1, 1))
    again = run(client, folder, manifest, "films", by_folder=True)
    assert (again["exists"], again["differs"], again["not_compared"]) == (2, 1, 0)
    assert [record["name"] for record in records(manifest) if record.get("differs")] == ["a"]


def test_a_store_says_itself_when_an_object_has_changed(client, tmp_path):
    store = fsspec.filesystem("memory")
    for number in range(3):
        store.pipe(f"/differences/{number}.png", png(number))

    class Place:
        protocol, path, fs = "memory", "/differences", store

    manifest = tmp_path / "m.jsonl"
    run(client, Place(), manifest)
    store.pipe("/differences/1.png", png(77))
    store.pipe("/differences/2.png", png(2))
    again = run(client, Place(), manifest)
    assert (again["exists"], again["differs"], again["not_compared"]) == (3, 1, 0)
    store.rm("/differences", recursive=True)


@pytest.mark.parametrize("known", [True, False])
def test_a_root_that_has_moved_is_warned_of(client, photos, tmp_path, caplog, known):
    first = run(client, photos, tmp_path / "m.jsonl")
    assert "same_elsewhere" not in first
    with caplog.at_level(logging.WARNING):
        moved = run(client, photos.parent, tmp_path / ("m.jsonl" if known else "other.jsonl"))
    assert (moved["created"], moved["same_elsewhere"]) == (4, 4)
    assert "'photos/sub/0.png'" in caplog.text
    assert "relative to `folder`" in caplog.text


def test_pictures_of_another_day_are_no_moved_root(client, photos, tmp_path, caplog):
    run(client, photos, tmp_path / "m.jsonl")
    (photos / "sub").rename(photos / "later")
    for number in range(4):
        (photos / "later" / f"{number}.png").write_bytes(png(number + 100))
    with caplog.at_level(logging.WARNING):
        second = run(client, photos, tmp_path / "m.jsonl")
    assert "same_elsewhere" not in second
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    (photos / "later").rename(photos / "again")
    assert run(client, photos, tmp_path / "m.jsonl")["same_elsewhere"] == 4


@pytest.mark.parametrize("known", [True, False])
def test_a_root_that_has_moved_is_refused_where_differences_are_failures(client, photos, tmp_path, known):
    run(client, photos, tmp_path / "m.jsonl")
    manifest = tmp_path / ("m.jsonl" if known else "other.jsonl")
    with pytest.raises(ImportRefused, match=r"(?s)4 of 4 items .*Nothing was created.*'sub/0.png'.*fits"):
        run(client, photos.parent, manifest, on_difference="fail")
    assert client.count_tasks("cats") == 4


@pytest.mark.parametrize("on_difference", ["warn", "fail"])
def test_copies_among_files_that_are_known_are_noticed(client, photos, tmp_path, caplog, on_difference):
    run(client, photos, tmp_path / "m.jsonl")
    shutil.copytree(photos / "sub", photos / "copies")
    (photos / "copies" / "3.png").write_bytes(png(50))
    (photos / "copies" / "new.png").write_bytes(png(51))
    (photos / "copies" / "new.png").rename(photos / "new.png")
    (photos / "copies" / "3.png").unlink()
    if on_difference == "fail":
        with pytest.raises(ImportRefused, match=r"(?s)3 of 8 items.*Nothing was created.*'copies/0.png'.*'sub/0.png'"):
            run(client, photos, tmp_path / "m.jsonl", on_difference="fail")
        assert client.count_tasks("cats") == 4
        return
    with caplog.at_level(logging.WARNING):
        again = run(client, photos, tmp_path / "m.jsonl")
    assert (again["created"], again["exists"], again["same_elsewhere"]) == (4, 4, 3)
    assert "3 of the 4 new items seem to be the files of tasks that exist under another path" in caplog.text


def test_another_day_with_pictures_of_the_same_names_is_no_copy(client, photos, tmp_path):
    run(client, photos, tmp_path / "m.jsonl")
    (photos / "more" / "sub").mkdir(parents=True)
    for number in range(4):
        (photos / "more" / "sub" / f"{number}.png").write_bytes(png(number + 100))
    again = run(client, photos, tmp_path / "m.jsonl", on_difference="fail")
    assert (again["created"], again["exists"]) == (4, 4)


def test_what_manifests_of_strangers_say_of_files_is_not_believed(client, photos, tmp_path):
    manifest = tmp_path / "m.jsonl"
    run(client, photos, manifest)
    for file in ("7", "[]", '{"size": "a"}', '{"size": 1, "sha256": 5, "stamp": ""}', '{"size": true}'):
        line = f'{{"name": "sub/0.png", "fate": "created", "task_id": "x", "file": {file}}}\n'
        with manifest.open("a") as sink:
            sink.write(line)
    again = run(client, photos, manifest)
    assert (again["differs"], again["not_compared"]) == (0, 0)
