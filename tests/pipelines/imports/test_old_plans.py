"""A planner removes the plans that earlier runs of its task have left, once nobody needs them any more."""

from __future__ import annotations

import logging
import os
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.files.written import written_at
from tests.pipelines.imports.chunked import PNG, Parts

DAY = 86_400
TASK = "0123456789ab"


class OddFileSystem(MemoryFileSystem):
    """A store that removes nothing (``silent``), says that all is gone (``gone``) or lists nothing (``hidden``)."""

    protocol = "oddmemory"
    mood = ""

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).removeprefix("oddmemory://"))

    def rm(self, path, recursive=False, maxdepth=None):
        if self.mood == "gone":
            raise FileNotFoundError(path)
        if self.mood != "silent":
            super().rm(path, recursive, maxdepth)

    def find(self, path, **more):
        if self.mood == "hidden" and more.get("detail"):
            raise PermissionError("not for you")
        return super().find(path, **more)


fsspec.register_implementation("oddmemory", OddFileSystem, clobber=True)


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.create_project("image_bbox", "parts", "parts")
        yield client


class Place:
    """Where the plans of a task lie, on a disk or in a store."""

    def __init__(self, client, base, folder):
        self.client, self.base, self.folder = client, base, folder
        self.stored = not isinstance(base, Path) or hasattr(base, "fs")

    def run(self, name, task=TASK):
        """Return the import of one run."""
        return Parts(self.client, self.folder, self.base, size=2, plan=f".plans/{task}/{name * 12}")

    def put(self, path, content=b"x"):
        """Write a file that is no plan's."""
        place = self.base / ".plans" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def files(self):
        place = self.base / ".plans"
        if self.stored:
            return {path: path.partition("/.plans/")[2] for path in place.fs.find(place.path)}
        return {path: str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}

    def age(self, days, *beginnings):
        """Make files older whose paths begin so."""
        written = time.time() - days * DAY
        for path, name in self.files().items():
            if name.startswith(beginnings):
                if self.stored:
                    self.base.fs.store[path].created = datetime.fromtimestamp(written, UTC)
                else:
                    os.utime(path, (written, written))

    def plans(self):
        return sorted({name.rpartition("/")[0] for name in self.files().values()})


@pytest.fixture(params=["local", "memory"])
def place(request, client, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.png").write_bytes(PNG)
    base = tmp_path / "accounts" if request.param == "local" else UPath(f"memory://{tmp_path.name}-{time.time_ns()}")
    yield Place(client, base, folder)
    if request.param != "local":
        base.fs.rm(base.path, recursive=True)


def test_the_plans_of_earlier_runs_go_a_month_after_the_last_write(place, caplog):
    never_ended, ended, killed, young, taken_up, now = map(place.run, "123456")
    for run in (never_ended, young, taken_up):
        run.plan()
        run.chunk(0)
    ended.all()
    place.put(f"{TASK}/{'3' * 12}/.00000.jsonl.a_b1")  # the planner was killed while it wrote its first chunk
    place.age(31, "")
    place.age(29, f"{TASK}/{'4' * 12}")
    taken_up.chunk(1)
    assert killed.plan_folder.read_index() is None
    with caplog.at_level(logging.INFO):
        now.plan()
    assert place.plans() == [f"{TASK}/{number * 12}" for number in "456"]
    (told,) = [record.message for record in caplog.records if "plans of earlier runs" in record.message]
    assert told.startswith("Removed 3 plans of earlier runs, untouched for 30 days, in ")
    assert not (place.base / ".plans" / TASK / ("1" * 12)).exists()
    for run in (young, taken_up, now):
        for chunk in run.chunks:
            run.chunk(chunk["number"])
        assert run.summary()["total"] == 5


def test_what_is_no_plan_of_the_task_stays(place, caplog):
    place.run("1", task="b" * 12).plan()
    place.run("1").plan()
    place.put(f"{TASK}/{'1' * 12}/notes.txt")
    for path in (f"{TASK}/holiday/plan.json", f"{TASK}/plan.json", f"{TASK}/{'2' * 12}/deep/plan.json"):
        place.put(path)
    place.age(400, "")
    before = set(place.files().values())
    with caplog.at_level(logging.INFO):
        place.run("9").plan()
    assert before < set(place.files().values())
    assert "plans of earlier runs" not in caplog.text


def test_links_are_not_followed_and_empty_folders_go(client, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "0.png").write_bytes(PNG)
    place = Place(client, tmp_path / "accounts", photos)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plan.json").write_bytes(b"x")
    plans = place.base / ".plans" / TASK
    for name in "123":
        (plans / (name * 12)).mkdir(parents=True)
    (plans / ("4" * 12)).symlink_to(elsewhere)
    (plans / ("2" * 12) / "plan.json").symlink_to(elsewhere / "plan.json")
    for path in (elsewhere, elsewhere / "plan.json", *(plans / (name * 12) for name in "12")):
        os.utime(path, (1, 1))
    place.run("9").plan()
    assert sorted(path.name[0] for path in plans.iterdir()) == ["2", "3", "4", "9"]
    assert (elsewhere / "plan.json").exists()


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("silent", "is the plan of an earlier run that nobody needs any more, and cannot be removed (2 files of "),
        ("hidden", "cannot be listed (not for you). The next planner tries again."),
        ("gone", ""),
    ],
)
def test_a_plan_that_cannot_be_removed_fails_no_planner(client, tmp_path, caplog, monkeypatch, mood, said):
    (tmp_path / "0.png").write_bytes(PNG)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that universal_pathlib has no class of its own for the scheme
        place = Place(client, UPath(f"oddmemory:///{tmp_path.name}"), tmp_path)
    place.run("1").plan()
    place.age(31, "")
    monkeypatch.setattr(OddFileSystem, "mood", mood)
    now = place.run("9")
    with caplog.at_level(logging.INFO):
        assert len(now.plan()) == 1
    warned = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert [said in message for message in warned] == ([True] if said else [])
    assert now.plan_folder.read_index()
    assert "Removed" not in caplog.text
    monkeypatch.setattr(OddFileSystem, "mood", "")
    place.base.fs.rm(place.base.path, recursive=True)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"LastModified": datetime(2026, 1, 2, tzinfo=UTC)}, 1767312000.0),
        ({"last_modified": datetime(2026, 1, 2)}, 1767312000.0),
        ({"updated": "2026-01-02T00:00:00Z", "created": 5}, 1767312000.0),
        ({"mtime": 7, "created": 5}, 7.0),
        ({"mtime": "yesterday"}, None),
        ({"mtime": [1]}, None),
        ({"size": 3}, None),
    ],
)
def test_the_time_of_a_file_is_read_in_the_words_of_any_store(told, wanted):
    assert written_at(told) == wanted
