"""The matrix of imports: every format in every situation, by every way. Its outcomes stand in docs/import-matrix.md.

``WRITE_DOCS=1 pytest tests/operators/test_import_matrix.py`` renews the page.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_fastlabel.client import FastLabelException
from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator
from tests.operators import matrix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "import-matrix.md"
WAYS: dict[str, dict[str, Any]] = {
    "by default": {},
    "`max_failures=1`": {"max_failures": 1},
    '`attributes="ignore"`': {"attributes": "ignore"},
}
CONVERT = "`convert_*`"
PLAIN = ("sound", "linked folder", "encodings", "another ending", "flags")
"""Situations in which nothing may be lost."""


@pytest.fixture
def outcome(airflow_run, client, tmp_path):
    """Import one data set by the operator, hold the result against the emulator, and put it into words."""
    count = 0

    def go(form: Any, situation: str, arguments: dict[str, Any]) -> str:
        nonlocal count
        count += 1
        project, folder = f"p{count}", tmp_path / f"data {count}"
        kind = "segmentation" if form == "masks" else "bbox"
        client.create_project(f"image_{kind}", project, project)
        for value in ("cat", "dog"):
            client.create_annotation(project, kind, value, value)
        matrix.build(form, situation, folder)
        run = airflow_run(
            lambda: FastLabelCreateTasksFromFolderOperator(
                task_id="create",
                project=project,
                folder=str(folder),
                pattern="images/**",
                annotations_format=form,
                annotations_path=str(folder / "annotations.json") if form == "coco" else None,
                manifest=str(tmp_path / f"{count}.jsonl"),
                **arguments,
            )
        ).attempt()
        tasks = {task["name"]: len(task["annotations"]) for task in client.iter_image_tasks(project)}
        if run.state != "success":
            assert tasks == {}, f"{form}, {situation}: refused, but tasks were created"
            return "refused"
        _check(run.result, tasks, strict="max_failures" not in arguments)
        return _in_words(run.result)

    return go


def _check(result: dict[str, Any], tasks: dict[str, int], *, strict: bool) -> None:
    """Hold a green result against what arrived."""
    counts = result["annotations"]
    assert counts["read"] == counts["sent"] + sum(counts["lost"].values())
    assert counts["sent"] == sum(tasks.values()) > 0
    assert result["total"] == result["with_annotations"] + result["without_annotations"] + result["failed"]
    for name, number in tasks.items():
        # Whole or not at all: no picture is half labelled, none that should have labels is bare.
        assert number == matrix.PICTURES[Path(name).stem]
    if strict:
        assert (counts["read"], counts["lost"], result["failed"]) == (matrix.OBJECTS, {}, 0)


def _in_words(result: dict[str, Any]) -> str:
    counts = result["annotations"]
    words = [f"{counts['sent']} of {counts['read']} objects"]
    if result["failed"]:
        lost = ", ".join(f"{reason} {number}" for reason, number in counts["lost"].items())
        words.append(f"{result['failed']} picture failed, lost: {lost}")
    if result["attributes_left_out"]:
        words.append("left out: " + ", ".join(sorted(result["attributes_left_out"])))
    if result["notes"]:
        words.append("notes in the log")
    return "; ".join(words)


@pytest.fixture
def converted(client, tmp_path, caplog):
    """Convert one data set by the client, as the seed's own loop does, and put the result into words."""

    def go(form: str, situation: str) -> str:
        if form == "masks":
            return "–"
        folder = tmp_path / f"converted {situation}"
        matrix.build(form, situation, folder)
        caplog.clear()
        caplog.set_level(logging.INFO)
        try:
            if form == "coco":
                found = client.convert_coco_to_fastlabel(folder / "annotations.json")
            elif form == "yolo":
                found = client.convert_yolo_to_fastlabel(folder / "classes.txt", folder)
            else:
                found = getattr(client, f"convert_{form}_to_fastlabel")(folder)
        except (FastLabelException, OSError):
            return "raises"
        number = sum(map(len, found.values()))
        warned = any(record.levelno >= logging.WARNING for record in caplog.records)
        assert warned or number == matrix.OBJECTS, f"{form}, {situation}: lost without a word"
        return f"{number} of {matrix.OBJECTS} objects" + ("; warning in the log" if warned else "")

    return go


@pytest.mark.slow
@pytest.mark.parametrize("form", matrix.FORMATS)
def test_the_outcome_of_every_situation_stands_in_the_docs(outcome, converted, form):
    ways = [*WAYS, CONVERT]
    lines = [f"## {form}", "", f"| Situation | {' | '.join(ways)} |", f"| --- |{' --- |' * len(ways)}"]
    for situation in matrix.SITUATIONS:
        cells = [outcome(form, situation, arguments) for arguments in WAYS.values()]
        if situation in PLAIN:
            assert "refused" not in cells, (form, situation)
        lines.append(f"| {situation} | {' | '.join([*cells, converted(form, situation)])} |")
    table = "\n".join(lines) + "\n"
    if os.environ.get("WRITE_DOCS"):
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(f"## {form}\n")
        _, _, after = rest.partition("\n\n<!-- end -->")
        PAGE.write_text(f"{before}{table}\n<!-- end -->{after}", encoding="utf-8")
    assert table in PAGE.read_text(encoding="utf-8")
