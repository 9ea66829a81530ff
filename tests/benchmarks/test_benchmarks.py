"""The benchmarks run: every job of ours and of the floor on a small set, and the tables say what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import floors, generate, ours, sdk, sets, table
from benchmarks.bench import ROOT, Figures, busy
from benchmarks.given import Given
from benchmarks.plan import ROWS

SIZE = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    for part in ("mixed", "bbox", "imports", "images"):
        sets.make(folder, SIZE, part)
    return folder


def given(data, out, side, row, **more):
    return Given(side, row.job, SIZE, str(data), str(out), row.kind, **more)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
@pytest.mark.parametrize("side", ["ours", "floor"])
def test_every_job_does_its_work(data, tmp_path, side, row):
    jobs = ours.JOBS if side == "ours" else floors.JOBS
    found = jobs[row.job](given(data, tmp_path, side, row))()
    if not row.job.startswith("read_"):
        assert any(tmp_path.rglob("*.*"))
        return
    annotations: Any = getattr(found, "by_image", found)
    assert sum(len(each) for each in annotations.values()) > 20
    assert getattr(found, "problems", []) == []


def test_all_sides_know_the_same_jobs():
    assert set(ours.JOBS) == set(floors.JOBS) == set(sdk.JOBS) == {row.job for row in ROWS} | {"upload"}


def test_a_measurement_has_a_process_of_its_own(data, tmp_path):
    one = given(data, tmp_path, "ours", ROWS[0], stream=True)
    command = [sys.executable, "-m", "benchmarks.worker", one.to_json()]
    figures = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    assert figures["wall"] > 0
    assert figures["peak"] > figures["extra"] >= 0
    assert len(json.loads((tmp_path / "annotations.json").read_bytes())["images"]) == SIZE


def test_a_large_set_repeats_the_pattern_under_new_names(tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "_PATTERN", 5)
    sets.make(tmp_path, 12, "mixed")
    tasks = [json.loads(line) for line in (tmp_path / "mixed.jsonl").read_text().splitlines()]
    assert len({task["name"] for task in tasks}) == 12
    assert tasks[7]["annotations"] == list(generate.tasks(5))[2]["annotations"]


def test_the_table_says_ratios_of_cpu_and_who_was_measured_with_less():
    floor, mine = Figures(1, 1, 10, 1, 5000), Figures(2, 4, 30, 1, 5000)
    small, sdk_small = Figures(0.5, 1, 20, 1, 500), Figures(10, 5, 90, 1, 500)
    found = {"floor": floor, "ours": mine}
    text = table.jobs([(ROWS[0], found, {"ours": small, "sdk": sdk_small})], 5000)
    assert text.splitlines()[2] == (
        "| COCO | 1.00 (1.00) | 2.00 (4.00) | 2.00 | 10.0 (5.00) (500) | **20** (5.0) | 30 |  |"
    )


def test_the_table_of_the_busy_machine_says_ratios_of_wall_clock():
    found = {"ours": Figures(1, 2, 10, 1, 5000), "sdk": Figures(10, 50, 20, 1, 5000)}
    text = table.busy([(ROWS[2], found), (ROWS[3], {"ours": found["ours"]})])
    assert text.splitlines()[2:] == ["| Pascal VOC | 1.00 (2.00) | 10.0 (50.0) | **25** |"]


def test_the_table_of_files_says_why_another_wins():
    sides = {"floor": 1, "ours": 3, "tasks": 1, "shapes": 2}
    found = {side: Figures(cpu, cpu, 10, 1, 5000) for side, cpu in sides.items()}
    slower, faster = (found | {"hotcoco": Figures(cpu, cpu, 10, 1, 5000)} for cpu in (4, 2))
    assert "¹" not in table.file_to_file([(ROWS[0], slower)])
    text = table.file_to_file([(ROWS[0], slower), (ROWS[2], faster)])
    assert [line.rpartition("| ")[2] for line in text.splitlines()[2:4]] == ["0.75 |", "1.50¹ |"]
    assert text.splitlines()[5].startswith("¹ Another wins")


def test_busy_processes_end_with_the_measurement(monkeypatch):
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*given):
        started.append(real(*given))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with busy():
        assert started
        assert all(process.poll() is None for process in started)
    assert all(process.poll() is not None for process in started)


def test_the_page_is_changed_between_its_marks_only(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"a\n{table.START}\nold\n{table.END}\nb\n")
    assert table.write_docs("new", page)
    assert page.read_text() == f"a\n{table.START}\nnew\n{table.END}\nb\n"
    page.write_text("no marks")
    assert not table.write_docs("new", page)
    assert page.read_text() == "no marks"


def test_the_page_of_benchmarks_has_its_marks():
    text = table.PAGE.read_text()
    assert 0 <= text.find(table.START) < text.find(table.END)


def test_the_readme_quotes_the_page():
    def rows(text):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
        return {title: cells for title, *cells in lines if title in {row.title for row in ROWS}}

    page = rows(table.PAGE.read_text().partition("| 5,000 tasks |")[2].partition("\n\n")[0])
    quoted = rows((ROOT / "README.md").read_text())
    assert quoted
    for title, cells in quoted.items():
        floor, mine, _, official, ratio = (cell.split(" ")[0] for cell in page[title][:5])
        assert cells == [floor, mine, official, ratio]
    gains = {title: float(cells[4].split(" ")[0].strip("*")) for title, cells in page.items()}
    assert {min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)} <= quoted.keys()
