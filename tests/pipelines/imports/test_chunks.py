"""An import in chunks does what an import in one task does: same tasks, same counts, same refusals, few more calls."""

from __future__ import annotations

import collections
import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused
from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport
from tests.pipelines.imports.chunked import PNG, REFUSED, Parts, coco, fates, png, tasks_of, told, whole


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.transport.sleep = lambda seconds: time.sleep(min(seconds, 0.001))
        for slug in ("whole", "parts"):
            client.create_project("image_bbox", slug, slug)
            client.create_annotation(slug, "bbox", "cat", "Cat")
            client.create_project("sequential_image_bbox", f"films-{slug}", f"films-{slug}")
        yield client


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number in range(23):
        path = folder / f"day {number % 3}" / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    return folder


def test_the_summary_tasks_and_manifest_are_those_of_one_task(client, photos, tmp_path):
    fields = {"tags": ["night"], "priority": 20}
    parts = Parts(client, photos, tmp_path, fields=fields)
    assert told(parts.all()) == told(whole(client, photos, tmp_path, fields=fields))
    assert [chunk["items"] for chunk in parts.chunks] == [4, 5, 4, 5, 5]
    assert tasks_of(client, "parts") == tasks_of(client, "whole")
    assert fates(parts.manifest) == fates(tmp_path / "whole.jsonl")
    again = Parts(client, photos, tmp_path, fields=fields)
    assert told(again.all()) == told(whole(client, photos, tmp_path, fields=fields))


def test_annotations_losses_and_failures_are_counted_as_in_one_task(client, photos, tmp_path):
    boxes = {f"day {n % 3}/{n:02d}.png": n % 4 for n in range(23)}
    boxes |= {"-day 0/03.png": 3, "day 1/gone.png": 2, "day 2/05.png": 4}
    del boxes["day 0/03.png"]
    coco(photos, boxes)
    (photos / "day 1" / "07.png").write_bytes(REFUSED)
    (photos / "day 2" / "bad.png").write_bytes(b"no picture")
    arguments = {"annotations_format": "coco", "max_failures": 9}
    parts = Parts(client, photos, tmp_path, **arguments)
    summary = parts.all()
    assert told(summary) == told(whole(client, photos, tmp_path, **arguments))
    assert summary["failed"] == 4
    assert summary["annotations"]["lost"]
    assert tasks_of(client, "parts") == tasks_of(client, "whole")
    assert fates(parts.manifest) == fates(tmp_path / "whole.jsonl")


def test_tasks_that_exist_and_pictures_that_left_are_counted_as_in_one_task(client, photos, tmp_path):
    coco(photos, {"day 0/00.png": 2, "day 1/01.png": 1, "day 2/05.png": 3})
    for project, base in (("whole", "whole.jsonl"), ("parts", "parts.jsonl")):
        FolderImport(
            client=client, project=project, folder=photos, manifest=tmp_path / base, pattern="day [01]/*"
        ).run()
    (photos / "day 1" / "01.png").unlink()
    os.utime(photos / "day 0" / "03.png", ns=(1, 1))
    (photos / "day 0" / "06.png").write_bytes(png(99, 41))
    for on_exists in ("skip", "update"):
        arguments = {"annotations_format": "coco", "on_exists": on_exists, "max_failures": 3}
        parts = Parts(client, photos, tmp_path, **arguments)
        summary = parts.all()
        assert told(summary) == told(whole(client, photos, tmp_path, **arguments))
        assert summary["differs"] == 1
        assert tasks_of(client, "parts") == tasks_of(client, "whole")
        assert fates(parts.manifest) == fates(tmp_path / "whole.jsonl")


def test_files_of_one_task_stay_together(client, tmp_path):
    folder = tmp_path / "films"
    for film in range(7):
        for frame in range(4):
            (folder / f"film {film}").mkdir(parents=True, exist_ok=True)
            (folder / f"film {film}" / f"{frame}.png").write_bytes(png(film * 4 + frame))
    parts = Parts(client, folder, tmp_path, "films-parts", size=2)
    assert told(parts.all()) == told(whole(client, folder, tmp_path, "films-whole"))
    assert len(parts.chunks) == 4
    assert fates(parts.manifest) == fates(tmp_path / "whole.jsonl")
    tasks = list(client.iter_tasks("films-parts", "sequential_image"))
    assert {len(task["contents"]) for task in tasks} == {4}


@pytest.mark.parametrize("spoil", ["bad file", "no folder", "empty", "differs", "exists"])
def test_what_one_task_refuses_the_planner_refuses_before_any_create(client, photos, tmp_path, spoil):
    arguments = {}
    if spoil == "bad file":
        (photos / "day 1" / "bad.png").write_bytes(b"no picture")
    elif spoil == "no folder":
        photos = photos / "nothing"
    elif spoil == "empty":
        arguments["pattern"] = "*.jpg"
    else:
        for project in ("whole", "parts"):
            client.create_image_task(project, "day 1/04.png", str(photos / "day 1" / "01.png"))
        (photos / "day 1" / "04.png").write_bytes(png(1, 9, 9))
        arguments["on_difference" if spoil == "differs" else "on_exists"] = "fail"
    before = client.count_tasks("parts")
    with pytest.raises(ImportRefused) as one:
        whole(client, photos, tmp_path, **arguments)
    with pytest.raises(ImportRefused) as other:
        Parts(client, photos, tmp_path, **arguments).plan()
    assert str(other.value).replace("parts", "whole") == str(one.value)
    assert client.count_tasks("parts") == before


def test_failures_of_all_chunks_are_counted_together(client, photos, tmp_path):
    for number in (0, 5, 10, 15):
        (photos / f"day {number % 3}" / f"{number:02d}.png").write_bytes(REFUSED)
    parts = Parts(client, photos, tmp_path, max_failures=3)
    parts.plan()
    for chunk in parts.chunks:
        parts.chunk(chunk["number"])
    with pytest.raises(ImportIncomplete, match="More items failed than max_failures tolerates: 19 of 23") as error:
        parts.summary()
    assert error.value.summary["failed"] == 4


def test_a_chunk_of_failures_only_is_no_failure_of_the_whole(client, photos, tmp_path):
    for path in sorted(photos.rglob("*.png"))[:4]:
        path.write_bytes(REFUSED)
    parts = Parts(client, photos, tmp_path, max_failures=4)
    assert told(parts.all()) == told(whole(client, photos, tmp_path, max_failures=4))


def test_an_import_that_brings_nothing_of_what_was_asked_fails_at_the_end(client, photos, tmp_path):
    for path in photos.rglob("*.png"):
        path.write_bytes(REFUSED)
    parts = Parts(client, photos, tmp_path, max_failures=50)
    with pytest.raises(ImportIncomplete, match="brought nothing of what was asked"):
        parts.all()


def test_the_end_tells_which_chunks_are_missing_and_keeps_the_account(client, photos, tmp_path):
    parts = Parts(client, photos, tmp_path)
    parts.plan()
    for number in (0, 2, 3):
        parts.chunk(number)
    with pytest.raises(ImportIncomplete) as error:
        parts.summary()
    assert "2 of 5 chunks have not come to a good end (map index 1, 4). 13 of 23 items" in str(error.value)
    assert len(fates(parts.manifest)) == 13
    parts.chunk(1)
    parts.chunk(4)
    assert parts.summary()["created"] == 23
    assert len(fates(parts.manifest)) == 23
    lines = [line for line in parts.manifest.read_text().splitlines() if '"name"' in line]
    assert len(lines) == 23, "no line is taken over twice"
    assert [path.name for path in (tmp_path / ".plan").iterdir()] == ["plan.json"]
    assert parts.summary()["created"] == 23, "a retry of the summary says the same"


def test_files_that_come_and_go_after_the_plan_change_no_chunk(client, photos, tmp_path):
    parts = Parts(client, photos, tmp_path, max_failures=1)
    parts.plan()
    (photos / "day 0" / "00a.png").write_bytes(PNG)
    (photos / "day 2" / "20.png").unlink()
    for chunk in parts.chunks:
        parts.chunk(chunk["number"])
    summary = parts.summary()
    assert (summary["total"], summary["created"], summary["failed"]) == (23, 22, 1)
    assert fates(parts.manifest)["day 2/20.png"][0] == "failed"


def test_a_chunk_that_is_gone_or_another_is_refused(client, photos, tmp_path):
    parts = Parts(client, photos, tmp_path)
    parts.plan()
    path = tmp_path / ".plan" / "00001.jsonl"
    path.write_text(path.read_text().replace("day", "dai"))
    with pytest.raises(ImportRefused, match="not the one that was planned"):
        parts.chunk(1)
    path.unlink()
    with pytest.raises(ImportRefused, match="is not there"):
        parts.chunk(1)
    with pytest.raises(ImportRefused, match="does not exist on this one"):
        parts.chunk(0, opened=lambda *_: tmp_path / "elsewhere")
    assert client.count_tasks("parts") == 0


def test_a_new_plan_keeps_the_account_of_the_old_one(client, photos, tmp_path):
    parts = Parts(client, photos, tmp_path, on_exists="fail")
    parts.plan()
    parts.chunk(0)
    (photos / "day 0" / "00a.png").write_bytes(PNG)
    again = Parts(client, photos, tmp_path, on_exists="fail", size=3)
    summary = again.all()  # on_exists="fail": only tasks of its own account may be there
    assert (summary["total"], summary["created"], summary["exists"]) == (24, 20, 4)
    assert len(fates(again.manifest)) == 24


@pytest.mark.parametrize("spoil", ["half", "gone"])
def test_a_plan_of_which_a_part_is_there_is_made_anew_and_keeps_the_account(client, photos, tmp_path, spoil):
    """As a planner leaves it that was killed at a store which shows files before they are whole."""
    parts = Parts(client, photos, tmp_path, on_exists="fail")
    parts.plan()
    parts.chunk(0)
    index = tmp_path / ".plan" / "plan.json"
    if spoil == "half":
        index.write_bytes(index.read_bytes()[:100])
        with pytest.raises(ImportRefused, match="cannot be read"):
            parts.summary()
    else:
        index.unlink()
        with pytest.raises(LookupError, match="There is no plan"):
            parts.summary()
    summary = Parts(client, photos, tmp_path, on_exists="fail").all()
    assert (summary["created"], summary["exists"]) == (19, 4)
    assert len(fates(parts.manifest)) == 23


def test_there_are_no_more_chunks_than_may_be(client, photos, tmp_path):
    parts = Parts(client, photos, tmp_path, size=1)
    assert [chunk["items"] for chunk in parts.plan(most=4)] == [5, 6, 6, 6]
    assert json.dumps(parts.chunks).count("day") == 0


def test_chunks_make_few_calls_more_than_one_task(client, tmp_path, fastlabel_emulator):
    """Names are read by the planner only: a chunk asks for its project."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03d}.png").write_bytes(PNG)
    counts = []
    for go in (lambda: whole(client, folder, tmp_path), lambda: Parts(client, folder, tmp_path, size=20).all()):
        fastlabel_emulator.clear_requests()
        go()
        counts.append(collections.Counter(request["path"].split("?")[0] for request in fastlabel_emulator.requests()))
    one, many = counts
    assert sum(many.values()) - sum(one.values()) == 20  # the project, by each chunk
    assert many["tasks/image"] == one["tasks/image"] == 400


# Killed anywhere.

CHILD = """
import sys
from pathlib import Path
from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
from airflow_provider_fastlabel.pipelines.imports.chunks.work import import_chunk
url, token, plan, number, sha256 = sys.argv[1:]
client = FastLabelClient(token, api_url=url)
import_chunk(client, PlanFolder(Path(plan)), int(number), sha256, opened=lambda path, _: Path(path))
"""


@pytest.mark.slow
@pytest.mark.parametrize("on_exists", ["skip", "fail"])
def test_a_killed_chunk_goes_on_and_every_file_is_one_task(client, fastlabel_emulator, tmp_path, on_exists):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number:03d}.png").write_bytes(PNG)
    parts = Parts(client, folder, tmp_path, size=100, on_exists=on_exists)
    parts.plan()
    account = tmp_path / ".plan" / "00000.account.jsonl"
    command = [sys.executable, "-c", CHILD, fastlabel_emulator.url, fastlabel_emulator.token, str(tmp_path / ".plan")]
    for lines in (2, 40, 80):
        process = subprocess.Popen([*command, "0", parts.chunks[0]["sha256"]])
        while process.poll() is None and not (account.exists() and account.read_bytes().count(b"\n") > lines):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < client.count_tasks("parts") < 200
    with pytest.raises(ImportIncomplete, match="2 of 2 chunks"):
        parts.summary()
    for number in (0, 1):
        subprocess.run([*command, str(number), parts.chunks[number]["sha256"]], check=True, timeout=60)
    summary = parts.summary()
    assert (summary["total"], summary["failed"], summary["created"] + summary["exists"]) == (200, 0, 200)
    names = collections.Counter(task["name"] for task in client.iter_image_tasks("parts"))
    assert names == {f"{number:03d}.png": 1 for number in range(200)}
    assert len(fates(parts.manifest)) == 200


@pytest.mark.parametrize("method", ["find", "open", "rm"])
def test_a_store_that_fails_over_a_plan_is_named(tmp_path, monkeypatch, method):
    plan = PlanFolder(UPath(f"memory:///{tmp_path.name}"))
    plan.write_index({"items": 1})

    def fail(*_, **__):
        raise OSError(errno.EBUSY, "Please reduce your request rate.")

    monkeypatch.setattr(MemoryFileSystem, method, fail)
    works = {"find": plan.accounts, "open": plan.read_index, "rm": plan.empty}
    with pytest.raises(
        StoreFailedError, match=r"as the plan of an import \(OSError.*reduce your.*already stay; run again"
    ):
        works[method]()
