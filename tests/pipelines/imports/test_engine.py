from __future__ import annotations

import collections
import gc
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fsspec
import pytest
from PIL import Image

from airflow_provider_fastlabel.client import AuthError, FastLabelClient, RateLimited
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused, find_sources, import_files
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest


def png(width: int = 8, height: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()
REFUSED = PNG[:24] + PNG[-12:]
"""A picture that the checks of an import find no fault with, and FastLabel does."""


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.transport.sleep = lambda seconds: time.sleep(min(seconds, 0.001))
        yield client


@pytest.fixture
def project(client):
    client.create_project("image_bbox", "Cats", "cats")
    client.create_annotation("cats", "bbox", "cat", "Cat")
    return "cats"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number in range(20):
        (folder / "sub" / f"{number:02d}.png").write_bytes(PNG)
    return folder


def run(client, folder, manifest, project="cats", **arguments):
    found = find_sources(folder, extensions=("png", "jpg", "jpeg"))
    return import_files(client, project, found.sources, manifest=manifest, problems=found.problems, **arguments)


def names_in(client, project="cats") -> list[str]:
    return sorted(task["name"] for task in client.iter_image_tasks(project))


def names_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def records(manifest: Path) -> list[dict]:
    return [json.loads(line) for line in manifest.read_text().splitlines() if '"name"' in line]


def creates(emulator) -> int:
    return sum(request["method"] == "POST" and request["path"] == "tasks/image" for request in emulator.requests())


def test_every_file_becomes_one_task_and_the_second_run_creates_none(
    client, project, photos, tmp_path, fastlabel_emulator
):
    manifest = tmp_path / "manifest.jsonl"
    first = run(client, photos, manifest)
    assert first == {
        "total": 20,
        "created": 20,
        "exists": 0,
        "updated": 0,
        "failed": 0,
        "with_annotations": 0,
        "without_annotations": 20,
        "annotations": {"read": 0, "sent": 0, "existing": 0, "lost": {}},
        "links_left_out": 0,
        "differs": 0,
        "not_compared": 0,
        "manifest": str(manifest),
    }
    assert names_in(client) == names_of(photos)
    fastlabel_emulator.clear_requests()
    second = run(client, photos, manifest)
    assert (second["created"], second["exists"]) == (0, 20)
    assert {request["method"] for request in fastlabel_emulator.requests()} == {"GET"}
    assert [record["fate"] for record in records(manifest)] == ["created"] * 20
    ids = client.task_ids_by_name(project)
    assert {record["name"]: record["task_id"] for record in records(manifest)} == ids


def test_the_content_of_the_file_arrives(client, project, photos, tmp_path):
    run(client, photos, tmp_path / "manifest.jsonl", fields={"tags": ["night"], "status": "completed", "priority": 30})
    task = client.find_image_task_by_name(project, "sub/00.png")
    assert (task["width"], task["height"], task["tags"], task["status"], task["priority"]) == (
        8,
        6,
        ["night"],
        "completed",
        30,
    )


def test_only_what_is_new_is_created(client, project, photos, tmp_path, fastlabel_emulator):
    run(client, photos, tmp_path / "manifest.jsonl")
    (photos / "late.png").write_bytes(PNG)
    fastlabel_emulator.clear_requests()
    summary = run(client, photos, tmp_path / "other.jsonl")
    assert (summary["created"], summary["exists"], creates(fastlabel_emulator)) == (1, 20, 1)


@pytest.mark.parametrize("kind", ["lost_answer", "reset", "status-429", "status-500", "truncate"])
def test_whatever_happens_to_the_answers_every_file_is_one_task(
    client, project, photos, tmp_path, fastlabel_emulator, kind
):
    name, _, status = kind.partition("-")
    # No more than one call repeats: on a busy machine they may all meet the same file.
    fault = {"method": "POST", "path": "tasks/image", "times": 5, "kind": name}
    if status:
        fault |= {"status": int(status), "retry_after": 0}
    fastlabel_emulator.faults(fault)
    summary = run(client, photos, tmp_path / "manifest.jsonl")
    assert summary["created"] + summary["exists"] == 20
    assert names_in(client) == names_of(photos)


def test_all_local_problems_come_in_one_error_before_anything_is_created(
    client, project, photos, tmp_path, fastlabel_emulator
):
    client.limits.image = 1000
    (photos / "big.png").write_bytes(PNG + b"\0" * 1000)
    (photos / "notes.docx").write_bytes(b"x")
    (photos / "odd\x07.png").write_bytes(PNG)
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    annotations = {
        "sub/00.png": [{"type": "bbox", "value": "dog", "points": [1, 1, 3, 3]}],
        "sub/01.png": [{"type": "bbox", "value": "cat", "points": [1, 1, 300, 3]}],
    }
    manifest = tmp_path / "manifest.jsonl"
    with pytest.raises(ImportRefused) as caught:
        run(client, photos, manifest, annotations=annotations)
    text = str(caught.value)
    assert "6 of 24 items" in text
    assert "Nothing was created" in text
    for word in ("big.png", "notes.docx", "control character", "gone.png", "'dog' does not exist", "outside the image"):
        assert word in text
    assert str(manifest) in text
    assert creates(fastlabel_emulator) == 0
    assert {record["name"] for record in records(manifest)} == {problem.name for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("value", "words"),
    [("half \ud800", "annotation 1: it holds half of a surrogate pair"), (float("nan"), "annotation 1: it holds NaN")],
)
def test_what_cannot_be_sent_is_reported_before_anything_is_created(
    client, project, photos, tmp_path, fastlabel_emulator, value, words
):
    good = {"type": "bbox", "value": "cat", "points": [1, 1, 3, 3]}
    bad = {**good, "attributes": [{"key": "remark", "value": value}]}
    (item,) = client.get_annotations(project="cats")
    client.update_annotation(item["id"], attributes=[{"type": "text", "name": "Remark", "key": "remark"}])
    with pytest.raises(ImportRefused, match=words):
        run(client, photos, tmp_path / "manifest.jsonl", annotations={"sub/00.png": [good, bad]})
    assert creates(fastlabel_emulator) == 0


def test_tolerated_problems_do_not_stop_the_others(client, project, photos, tmp_path):
    (photos / "notes.docx").write_bytes(b"x")
    (photos / "empty.png").write_bytes(b"")
    summary = run(client, photos, tmp_path / "manifest.jsonl", max_failures=2)
    assert (summary["total"], summary["created"], summary["failed"]) == (22, 20, 2)
    failed = {
        record["name"]: record["why"] for record in records(tmp_path / "manifest.jsonl") if record["fate"] == "failed"
    }
    assert sorted(failed) == ["empty.png", "notes.docx"]
    assert all(failed.values())


def test_an_empty_picture_is_found_before_the_first_create(client, project, photos, tmp_path, fastlabel_emulator):
    (photos / "empty.png").write_bytes(b"")
    with pytest.raises(ImportRefused, match=r"'empty\.png': .*has 0 bytes.*"):
        run(client, photos, tmp_path / "manifest.jsonl")
    assert creates(fastlabel_emulator) == 0


def test_more_local_problems_than_tolerated_create_nothing(client, project, photos, tmp_path, fastlabel_emulator):
    for number in range(3):
        (photos / f"{number}.docx").write_bytes(b"x")
    with pytest.raises(ImportRefused, match="2 are tolerated"):
        run(client, photos, tmp_path / "manifest.jsonl", max_failures=2)
    assert creates(fastlabel_emulator) == 0


def test_files_fastlabel_refuses_fail_the_run_after_all_others_were_tried(client, project, photos, tmp_path):
    for number in range(3):
        (photos / f"broken{number}.png").write_bytes(REFUSED)
    with pytest.raises(ImportIncomplete) as caught:
        run(client, photos, tmp_path / "manifest.jsonl")
    assert caught.value.summary["created"] == 20
    assert caught.value.summary["failed"] == 3
    text = str(caught.value)
    assert "broken0.png" in text
    assert "20 of 23 items" in text
    assert "Run again" in text
    assert str(tmp_path / "manifest.jsonl") in text
    assert names_in(client) == [name for name in names_of(photos) if not name.startswith("broken")]


def test_a_repaired_file_is_created_by_the_next_run(client, project, photos, tmp_path):
    (photos / "broken.png").write_bytes(REFUSED)
    with pytest.raises(ImportIncomplete):
        run(client, photos, tmp_path / "manifest.jsonl")
    (photos / "broken.png").write_bytes(PNG)
    summary = run(client, photos, tmp_path / "manifest.jsonl")
    assert (summary["created"], summary["exists"], summary["failed"]) == (1, 20, 0)


def test_too_many_refused_files_stop_the_run(client, project, photos, tmp_path, fastlabel_emulator):
    for path in (photos / "sub").iterdir():
        path.write_bytes(REFUSED)
    with pytest.raises(ImportIncomplete, match="max_failures"):
        run(client, photos, tmp_path / "manifest.jsonl", max_failures=2, max_workers=1)
    assert creates(fastlabel_emulator) == 3


def test_an_unknown_project_is_named(client, photos, tmp_path):
    with pytest.raises(ImportRefused, match=r"'nowhere' does not exist.*Nothing was created"):
        run(client, photos, tmp_path / "manifest.jsonl", project="nowhere")


def test_another_kind_than_the_projects_is_refused(client, project, photos, tmp_path):
    with pytest.raises(ImportRefused, match="takes image tasks, not video tasks"):
        run(client, photos, tmp_path / "manifest.jsonl", kind="video")


def test_kinds_without_named_files_are_refused(client, photos, tmp_path):
    client.create_project("dicom_bbox", "Scans", "scans")
    with pytest.raises(ImportRefused, match="dicom"):
        run(client, photos, tmp_path / "manifest.jsonl", project="scans")


def test_a_wrong_token_stops_at_once(fastlabel_emulator, photos, tmp_path):
    with FastLabelClient("wrong-token", api_url=fastlabel_emulator.url) as client, pytest.raises(AuthError):
        run(client, photos, tmp_path / "manifest.jsonl")


def test_a_token_that_stops_working_in_mid_run_stops_the_run(client, project, photos, tmp_path, fastlabel_emulator):
    fastlabel_emulator.faults({"kind": "status", "status": 401, "method": "POST", "path": "tasks/image", "times": 1000})
    with pytest.raises(AuthError):
        run(client, photos, tmp_path / "manifest.jsonl", max_workers=2)
    assert creates(fastlabel_emulator) <= 2


def test_an_exceeded_quota_is_left_to_the_scheduler(client, project, photos, tmp_path, fastlabel_emulator):
    fastlabel_emulator.faults(
        {"kind": "status", "status": 429, "retry_after": 500, "method": "POST", "path": "tasks/image", "times": 1000}
    )
    with pytest.raises(RateLimited) as caught:
        run(client, photos, tmp_path / "manifest.jsonl")
    assert caught.value.retry_after == 500


def test_an_outage_stops_the_run_instead_of_failing_every_item(client, project, tmp_path, fastlabel_emulator):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.png").write_bytes(PNG)
    fastlabel_emulator.faults(
        {"kind": "status", "status": 503, "method": "POST", "path": "tasks/image", "times": 10**6}
    )
    with pytest.raises(ImportIncomplete, match="no usable answer") as caught:
        run(client, folder, tmp_path / "manifest.jsonl")
    assert caught.value.summary["failed"] < 60
    fastlabel_emulator.faults()
    assert run(client, folder, tmp_path / "manifest.jsonl")["created"] == 60


def test_pre_annotations_arrive(client, project, photos, tmp_path):
    box = {"type": "bbox", "value": "cat", "points": [1, 1, 5, 4]}
    run(client, photos, tmp_path / "manifest.jsonl", annotations={"sub/03.png": [box]})
    (annotation,) = client.find_image_task_by_name(project, "sub/03.png")["annotations"]
    assert (annotation["value"], annotation["points"]) == ("cat", [1, 1, 5, 4])
    assert box == {"type": "bbox", "value": "cat", "points": [1, 1, 5, 4]}


def test_what_comes_from_iterators_reaches_every_task(client, project, photos, tmp_path):
    """The checks read it before, and the first task must not keep it from the others."""
    cat = {"type": "bbox", "value": "cat", "points": [1, 1, 4, 4]}
    own = {name: iter([cat]) for name in names_of(photos)}
    run(client, photos, tmp_path / "m.jsonl", annotations=own, fields={"tags": iter(["night"])})
    tasks = list(client.iter_image_tasks("cats"))
    assert len(tasks) == 20
    assert all(task["tags"] == ["night"] and len(task["annotations"]) == 1 for task in tasks)


def test_classes_beyond_the_first_page_are_known(client, project, photos, tmp_path):
    for number in range(15):
        client.create_annotation(project, "bbox", f"class{number:02d}", "C")
    box = {"type": "bbox", "value": "class14", "points": [1, 1, 5, 4]}
    assert run(client, photos, tmp_path / "m.jsonl", annotations={"sub/03.png": [box]})["created"] == 20


def test_existing_tasks_are_updated_once_per_manifest(client, project, photos, tmp_path, fastlabel_emulator):
    run(client, photos, tmp_path / "first.jsonl")
    boxes = {"sub/03.png": [{"type": "bbox", "value": "cat", "points": [1, 1, 5, 4]}]}
    manifest = tmp_path / "second.jsonl"
    arguments = {"annotations": boxes, "fields": {"tags": ["again"]}, "on_exists": "update"}
    summary = run(client, photos, manifest, **arguments)
    assert (summary["updated"], summary["exists"], summary["created"]) == (20, 0, 0)
    task = client.find_image_task_by_name(project, "sub/03.png")
    assert (task["tags"], len(task["annotations"])) == (["again"], 1)
    fastlabel_emulator.clear_requests()
    again = run(client, photos, manifest, **arguments)
    assert (again["updated"], again["exists"]) == (0, 20)
    assert all(request["method"] == "GET" for request in fastlabel_emulator.requests())
    changed = run(client, photos, manifest, **{**arguments, "fields": {"tags": ["third"]}})
    assert changed["updated"] == 20


def test_an_update_with_nothing_to_send_makes_no_call(client, project, photos, tmp_path, fastlabel_emulator):
    run(client, photos, tmp_path / "first.jsonl")
    fastlabel_emulator.clear_requests()
    assert run(client, photos, tmp_path / "second.jsonl", on_exists="update")["exists"] == 20
    assert all(request["method"] == "GET" for request in fastlabel_emulator.requests())


def test_existing_tasks_can_be_failures(client, project, photos, tmp_path, fastlabel_emulator):
    client.create_image_task(project, "sub/05.png", photos / "sub" / "05.png")
    fastlabel_emulator.clear_requests()
    for _ in range(2):
        with pytest.raises(ImportRefused, match="exists in the project already"):
            run(client, photos, tmp_path / "manifest.jsonl", on_exists="fail")
    assert creates(fastlabel_emulator) == 0


def test_what_an_earlier_try_created_is_no_failure(client, project, photos, tmp_path):
    (photos / "broken.png").write_bytes(REFUSED)
    with pytest.raises(ImportIncomplete):
        run(client, photos, tmp_path / "manifest.jsonl", on_exists="fail")
    (photos / "broken.png").write_bytes(PNG)
    summary = run(client, photos, tmp_path / "manifest.jsonl", on_exists="fail")
    assert (summary["created"], summary["exists"]) == (1, 20)


def test_a_name_somebody_else_creates_meanwhile_counts_as_existing(client, project, photos, tmp_path, monkeypatch):
    seen = client.task_ids_by_name(project)
    client.create_image_task(project, "sub/05.png", photos / "sub" / "05.png")
    monkeypatch.setattr(client, "task_ids_by_name", lambda _: seen)
    summary = run(client, photos, tmp_path / "manifest.jsonl")
    assert (summary["created"], summary["exists"]) == (19, 1)


def test_a_set_stop_event_ends_the_run_and_the_next_goes_on(client, project, photos, tmp_path, fastlabel_emulator):
    stop = threading.Event()
    stop.set()
    with pytest.raises(ImportIncomplete, match="stopped on request"):
        run(client, photos, tmp_path / "manifest.jsonl", stop=stop)
    assert creates(fastlabel_emulator) == 0
    assert run(client, photos, tmp_path / "manifest.jsonl")["created"] == 20


HOSTILE = [
    "with space.png",
    "写真/日本語.png",
    "a+b&c=d?e#f.png",
    "per%20cent.png",
    "quote'\".png",
    "back\\slash.png",
    "UPPER.PNG",
    "two..dots.png",
    "～/tilde.png",
    "emoji😀.png",
    "e\u0301.png",
    "\u00e9.png",
]


def test_hostile_names_arrive_as_they_are(client, project, tmp_path):
    folder = tmp_path / "hostile"
    for name in HOSTILE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    summary = run(client, folder, tmp_path / "manifest.jsonl")
    assert (summary["created"], names_in(client)) == (len(HOSTILE), sorted(HOSTILE))
    assert run(client, folder, tmp_path / "manifest.jsonl")["exists"] == len(HOSTILE)


def test_names_that_are_not_text_are_reported(client, project, photos, tmp_path):
    Path(os.fsdecode(os.fsencode(photos) + b"/bad\xff.png")).write_bytes(PNG)
    with pytest.raises(ImportRefused, match="not UTF-8"):
        run(client, photos, tmp_path / "manifest.jsonl")


def test_a_name_given_twice_is_reported(client, project, photos, tmp_path):
    sources = list(find_sources(photos, extensions=("png",)).sources)
    with pytest.raises(ImportRefused, match="several items"):
        import_files(client, project, [*sources, sources[0]], manifest=tmp_path / "m.jsonl")


def test_folders_become_sequential_image_tasks(client, tmp_path):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.create_annotation("clips", "bbox", "cat", "Cat")
    for name in ("clip1/02.png", "clip1/01.png", "clip2/01.png"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    found = find_sources(tmp_path / "clips", extensions=("png",), by_folder=True)
    boxes = {"clip1": [{"type": "bbox", "value": "cat", "points": [1, 1, 4, 4], "content": "02.png"}]}
    import_files(client, "clips", found.sources, manifest=tmp_path / "m.jsonl", annotations=boxes)
    task = client.find_sequential_image_task_by_name("clips", "clip1")
    assert [content["name"] for content in task["contents"]] == ["01.png", "02.png"]
    assert [annotation["content"] for annotation in task["annotations"]] == ["02.png"]


def test_annotations_of_a_frame_that_is_not_there_are_reported(client, tmp_path):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.create_annotation("clips", "bbox", "cat", "Cat")
    (tmp_path / "clips" / "clip1").mkdir(parents=True)
    (tmp_path / "clips" / "clip1" / "01.png").write_bytes(PNG)
    found = find_sources(tmp_path / "clips", extensions=("png",), by_folder=True)
    boxes = {"clip1": [{"type": "bbox", "value": "cat", "points": [1, 1, 4, 4], "content": "09.png"}]}
    with pytest.raises(ImportRefused, match=r"content '09\.png'"):
        import_files(client, "clips", found.sources, manifest=tmp_path / "m.jsonl", annotations=boxes)


def test_a_folder_with_too_many_files_is_reported(client, tmp_path):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.limits.sequential_files = 2
    (tmp_path / "clips" / "clip1").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "clips" / "clip1" / f"{number}.png").write_bytes(PNG)
    found = find_sources(tmp_path / "clips", extensions=("png",), by_folder=True)
    with pytest.raises(ImportRefused, match=r"3 files; at most 2 .*Split the folder") as caught:
        import_files(client, "clips", found.sources, manifest=tmp_path / "m.jsonl")
    assert "fastlabel-import-" not in str(caught.value)


# Object stores.


class Remote:
    """The part of the pathlib interface that is used, over fsspec's memory file system."""

    protocol = "memory"

    def __init__(self, path: str) -> None:
        self.path = path
        self.fs = fsspec.filesystem("memory")

    def __str__(self) -> str:
        return f"memory:/{self.path}"

    @property
    def parent(self):
        return Remote(self.path.rpartition("/")[0])

    def mkdir(self, parents=False, exist_ok=False):
        self.fs.makedirs(self.path, exist_ok=exist_ok)

    def open(self, mode):
        return self.fs.open(self.path, mode)


@pytest.fixture
def bucket(tmp_path):
    bucket = Remote(f"/bucket-{tmp_path.name}")
    yield bucket
    bucket.fs.rm(bucket.path, recursive=True)


def test_sources_and_manifest_in_an_object_store(client, project, bucket, fastlabel_emulator):
    for number in range(5):
        bucket.fs.pipe_file(f"{bucket.path}/photos/day 1/{number}.png", PNG)
    folder, manifest = Remote(f"{bucket.path}/photos"), Remote(f"{bucket.path}/state/manifest.jsonl")
    boxes = {"day 1/0.png": [{"type": "bbox", "value": "cat", "points": [1, 1, 8, 6]}]}
    assert run(client, folder, manifest, annotations=boxes)["created"] == 5
    lines = bucket.fs.cat_file(manifest.path).decode().splitlines()
    assert [json.loads(line).get("fate") for line in lines] == [None, *["created"] * 5]
    assert run(client, folder, manifest)["exists"] == 5
    assert creates(fastlabel_emulator) == 5
    assert len(bucket.fs.cat_file(manifest.path).decode().splitlines()) == 7


def test_remote_problems_are_found_without_downloading(client, project, bucket, fastlabel_emulator):
    client.limits.image = 100
    bucket.fs.pipe_file(f"{bucket.path}/photos/big.png", b"x" * 101)
    bucket.fs.pipe_file(f"{bucket.path}/photos/small.png", PNG)
    boxes = {"small.png": [{"type": "bbox", "value": "cat", "points": [1, 1, 80, 6]}]}
    with pytest.raises(
        ImportRefused, match=r"(?s)101 bytes; for image at most 100 .*smaller.*outside the image of 8 x 6"
    ):
        run(client, Remote(f"{bucket.path}/photos"), Remote(f"{bucket.path}/m.jsonl"), annotations=boxes)
    assert creates(fastlabel_emulator) == 0


def test_the_remote_manifest_survives_a_failing_run(client, project, bucket):
    bucket.fs.pipe_file(f"{bucket.path}/photos/a.png", PNG)
    bucket.fs.pipe_file(f"{bucket.path}/photos/b.png", b"no picture at all")
    manifest = Remote(f"{bucket.path}/m.jsonl")
    with pytest.raises(ImportIncomplete):
        run(client, Remote(f"{bucket.path}/photos"), manifest)
    fates = [json.loads(line).get("fate") for line in bucket.fs.cat_file(manifest.path).decode().splitlines()]
    assert sorted(fate for fate in fates if fate) == ["created", "failed"]


def test_a_killed_run_with_its_manifest_in_a_store_knows_its_own_tasks(client, project, bucket, photos, monkeypatch):
    """The manifest is uploaded every minute; what was created since the last time is ours all the same."""

    class Killed(BaseException):
        pass

    manifest = Remote(f"{bucket.path}/m.jsonl")
    found = find_sources(photos, extensions=("png",))
    real, created = client.create_task, list[str]()

    def create(project, kind, name, path, **fields):
        if len(created) == 7:
            raise Killed
        created.append(real(project, kind, name, path, **fields))
        return created[-1]

    upload = Manifest._upload
    with monkeypatch.context() as patch:
        patch.setattr(client, "create_task", create)
        patch.setattr(Manifest, "_upload", lambda self: None if created else upload(self))
        with pytest.raises(Killed):
            import_files(client, project, found.sources, manifest=manifest, on_exists="fail", max_workers=1)
    result = import_files(client, project, found.sources, manifest=manifest, on_exists="fail")
    assert (result["created"], result["exists"], result["failed"]) == (13, 7, 0)
    client.create_image_task(project, "new.png", str(photos / "sub" / "00.png"))
    (photos / "new.png").write_bytes(PNG)
    with pytest.raises(ImportRefused, match=r"new\.png.*exists in the project already"):
        run(client, photos, manifest, on_exists="fail")


# The manifest.


def test_a_manifest_of_another_project_is_refused(client, project, photos, tmp_path):
    client.create_project("image_bbox", "Dogs", "dogs")
    run(client, photos, tmp_path / "manifest.jsonl")
    with pytest.raises(ImportRefused, match="belongs to an import of 'image' tasks into project 'cats'"):
        run(client, photos, tmp_path / "manifest.jsonl", project="dogs")


@pytest.mark.parametrize("content", [b"{}\n", b"precious notes", b'{"images": []}', b"\xff\xfe\n"])
def test_a_file_that_is_no_manifest_is_left_alone(client, project, photos, tmp_path, content):
    (tmp_path / "manifest.jsonl").write_bytes(content)
    with pytest.raises(ImportRefused, match="not an import manifest"):
        run(client, photos, tmp_path / "manifest.jsonl")
    assert (tmp_path / "manifest.jsonl").read_bytes() == content


@pytest.mark.parametrize("cut", [1, 20, 100, 200, 330, 400])
def test_a_manifest_cut_off_anywhere_is_continued(tmp_path, cut):
    path = tmp_path / "manifest.jsonl"
    with Manifest(path, project="p", kind="image") as manifest:
        manifest.write("a", "created", task_id="1")
        manifest.write("b", "failed", why="no")
    path.write_bytes(path.read_bytes()[:cut])
    for _ in range(2):
        with Manifest(path, project="p", kind="image") as manifest:
            manifest.write("c", "created", task_id="3")
    with Manifest(path, project="p", kind="image") as manifest:
        assert manifest.earlier["c"].fate == "created"


def test_a_full_disk_under_the_manifest_stops_the_run(fastlabel_emulator, project, photos, tmp_path):
    script = f"""
import resource, signal
from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports import find_sources, import_files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
found = find_sources({str(photos)!r}, extensions=("png",))
client = FastLabelClient({fastlabel_emulator.token!r}, api_url={fastlabel_emulator.url!r})
try:
    import_files(client, "cats", found.sources, manifest={str(tmp_path / "m.jsonl")!r}, max_workers=1)
except OSError as error:
    print("refused:", error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("refused: [Errno 27]")
    for words in (
        f"while the import manifest {tmp_path / 'm.jsonl'} was written",
        "What was created stays",
        "Make room",
    ):
        assert words in done.stdout
    assert creates(fastlabel_emulator) < 20


# Killed anywhere.

CHILD = """
import sys
from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports import find_sources, import_files
url, token, folder, manifest, mode = sys.argv[1:]
found = find_sources(folder, extensions=("png",))
client = FastLabelClient(token, api_url=url)
print("ready", flush=True)
print(import_files(client, "cats", found.sources, manifest=manifest, on_exists=mode), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["skip", "fail"])
def test_killed_at_random_moments_every_file_is_exactly_one_task(fastlabel_emulator, client, project, tmp_path, mode):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03d}.png").write_bytes(PNG)
    arguments = [fastlabel_emulator.url, fastlabel_emulator.token, str(folder), str(tmp_path / "m.jsonl"), mode]
    manifest, chance = tmp_path / "m.jsonl", random.Random(7)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True)
        until = (manifest.stat().st_size if manifest.exists() else 0) + chance.randrange(20_000)
        while process.poll() is None and not (manifest.exists() and manifest.stat().st_size > until):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    killed_with = len(names_in(client))
    subprocess.run([sys.executable, "-c", CHILD, *arguments], check=True, capture_output=True, timeout=60)
    assert killed_with > 0
    assert collections.Counter(names_in(client)) == collections.Counter(names_of(folder))


@pytest.mark.slow
def test_a_thousand_files_keep_memory_and_handles_flat(client, project, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number:04d}.png").write_bytes(PNG)
    handles = sum(1 for _ in Path("/proc/self/fd").iterdir())
    threads = threading.active_count()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(client, folder, tmp_path / "manifest.jsonl", max_workers=4)["created"] == 1000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40 * 1024
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) <= handles + 12
    assert threading.active_count() <= threads + 12


@pytest.mark.parametrize("content", [b"hello, this is a text\n" * 9, b"%PDF-1.7 ...", b"\x89PNG", b""])
def test_a_file_that_only_has_the_name_of_a_picture_is_caught_before_the_first_create(
    client, project, photos, tmp_path, content
):
    (photos / "zz.jpg").write_bytes(content)
    with pytest.raises(ImportRefused, match=r"zz\.jpg.*(is no picture|0 bytes)"):
        run(client, photos, tmp_path / "m.jsonl")
    assert names_in(client) == []


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((80, 60), 50).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize("content", [jpeg()[:-200], PNG[:-30]])
def test_a_picture_that_is_cut_off_is_caught_before_the_first_create(client, project, photos, tmp_path, content):
    (photos / "zz.jpg").write_bytes(content)
    with pytest.raises(ImportRefused, match=r"zz\.jpg.*is cut off or damaged .*Replace it, or leave it out"):
        run(client, photos, tmp_path / "m.jsonl")
    assert names_in(client) == []


def test_a_picture_in_a_store_that_is_cut_off_is_not_created(client, project, bucket, tmp_path):
    bucket.fs.pipe_file(f"{bucket.path}/photos/a.png", PNG)
    bucket.fs.pipe_file(f"{bucket.path}/photos/b.jpg", jpeg()[:-200])
    done = run(client, Remote(f"{bucket.path}/photos"), tmp_path / "m.jsonl", max_failures=1)
    assert (done["created"], done["failed"], names_in(client)) == (1, 1, ["a.png"])
    assert "is cut off" in (tmp_path / "m.jsonl").read_text()


def test_a_picture_of_another_format_than_its_name_says_is_one(client, project, photos, tmp_path):
    (photos / "zz.jpg").write_bytes(PNG)
    assert run(client, photos, tmp_path / "m.jsonl")["created"] == 21


def test_a_text_in_a_store_that_is_called_a_picture_fails_and_is_not_created(client, project, tmp_path):
    store = fsspec.filesystem("memory")
    store.pipe("/texts/a.png", PNG)
    store.pipe("/texts/b.png", b"hello, this is a text")

    class Place:
        protocol, path, fs = "memory", "/texts", store

    done = run(client, Place(), tmp_path / "m.jsonl", max_failures=1)
    assert (done["created"], done["failed"], names_in(client)) == (1, 1, ["a.png"])
    assert "is no picture" in (tmp_path / "m.jsonl").read_text()
    store.rm("/texts", recursive=True)
