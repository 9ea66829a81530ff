"""The list of what is left out: a row for each thing that is counted, in the order of the tasks."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.drawings import export_drawings
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.writing.left_out import WRITTEN, LeftOut
from airflow_provider_fastlabel.formats.yolo import export_yolo
from tests.formats.writing.test_stage import WRITERS, annotation, task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

BOX = {"id": "b1", "type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}
HOLE = {"type": "segmentation", "value": "dog", "points": [[[1, 1, 9, 1, 9, 9, 1, 9], [3, 3, 3, 6, 6, 6, 6, 3]]]}
SLIVER = {**HOLE, "id": "s1", "points": [[[1, 1, 1.2, 1, 1.2, 9, 1, 9], [1.05, 3, 1.05, 6, 1.1, 6, 1.1, 3]]]}


def drawn(tasks: Any, folder: Path, **more: Any) -> Any:
    """Draw on pictures that lie beside: every second one is there, every fourth is damaged."""
    images = folder / "images"
    images.mkdir(exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    for number, one in enumerate(tasks):
        if number % 4 == 0:
            (images / one["name"]).write_bytes(b"no picture")
        elif number % 2 == 0:
            Image.new("RGB", (20, 20)).save(images / one["name"])
    return export_drawings(tasks, images, folder / "out", **more)


EVERY: dict[str, Callable[..., Any]] = {
    **WRITERS,
    "labelme": export_labelme,
    "semantic": lambda tasks, folder, **more: export_masks(tasks, folder, kind="semantic", **more),
    "instance": lambda tasks, folder, **more: export_masks(tasks, folder, kind="instance", **more),
    "drawings": drawn,
}
every = pytest.mark.parametrize("export", EVERY.values(), ids=EVERY)


def listed(
    export: Callable[..., Any], tasks: Any, folder: Path, **more: Any
) -> tuple[Any, list[dict[str, Any]], bytes]:
    """Export, and return the report, the rows and the list's bytes."""
    with closing(LeftOut(folder)) as left_out:
        report = export(tasks, folder, on_error="skip", left_out=left_out, **more)
        path = folder / "left_out.jsonl"
        assert left_out.write(path) == path.exists() == bool(left_out.rows)
    raw = path.read_bytes() if path.exists() else b""
    rows = [json.loads(line) for line in raw.splitlines()]
    assert len(rows) == left_out.rows
    return report, rows, raw


def reasons(rows: list[dict[str, Any]], what: str) -> dict[str, int]:
    return dict(Counter(row["reason"] for row in rows if row["what"] == what))


@every
@settings(deadline=None, max_examples=40)
@given(tasks=st.lists(task, max_size=6))
def test_there_is_a_row_for_each_annotation_that_is_counted(export, tasks, tmp_path_factory):
    named = [{**one, "name": f"{number}.png"} for number, one in enumerate(tasks)]
    report, rows, _ = listed(export, named, tmp_path_factory.mktemp("out"))
    assert reasons(rows, "annotation") == report.skipped
    others = Counter(row["reason"] for row in rows if row["what"] != "annotation")
    assert others == {reason: report.adjusted[reason] for reason in others}
    known = ("tasks_without_file", "images_missing", "images_unreadable")
    assert sum(others.values()) == sum(report.adjusted.get(reason, 0) for reason in known)


@every
@settings(deadline=None, max_examples=20)
@given(tasks=st.lists(st.fixed_dictionaries({"annotations": st.lists(annotation, max_size=4)}), max_size=6))
def test_the_same_tasks_give_the_same_list_in_their_order(export, tasks, tmp_path_factory):
    named = [{**one, "name": f"{number}.png", "width": 20, "height": 20} for number, one in enumerate(tasks)]
    _, rows, raw = listed(export, named, tmp_path_factory.mktemp("out"))
    _, _, again = listed(export, iter(named) if export is not drawn else named, tmp_path_factory.mktemp("out"))
    assert raw == again
    numbers = [int(row["task"].split(".")[0]) for row in rows]
    assert numbers == sorted(numbers)


def test_a_row_names_task_annotation_and_what_is_wrong(tmp_path):
    broken = {**BOX, "id": "b2", "points": [1, 2, float("nan"), 4]}
    frame = {"id": "t1", "name": "clip_0.jpg", "source_name": "clip.mp4", "width": 20, "height": 20}
    tasks = [{**frame, "annotations": [BOX, broken, 5]}, {"name": "bare.jpg", "annotations": [{**BOX, "type": "ner"}]}]
    _, rows, _ = listed(export_coco, tasks, tmp_path)
    place = {"task": "clip.mp4", "task_id": "t1", "image": "clip_0.jpg"}
    malformed = {"what": "annotation", "reason": "malformed", **place}
    why = rows[0].pop("why")
    assert "nan" in why
    assert rows[0] == {**malformed, "annotation_id": "b2", "type": "bbox", "value": "dog"}
    nothing = {"annotation_id": None, "type": None, "value": None}
    assert rows[1] == {**malformed, **nothing, "why": "it is not an annotation object"}
    assert rows[2] == {
        "what": "annotation",
        "reason": "unsupported_type:ner",
        "task": "bare.jpg",
        "task_id": None,
        "annotation_id": "b1",
        "type": "ner",
        "value": "dog",
    }


def test_what_a_writer_finds_late_stands_in_its_place(tmp_path):
    """Run lengths are made for many annotations at once, after later tasks have been read."""
    line = {"id": "l", "type": "line", "value": "dog", "points": [1, 1, 5, 5]}
    tasks = [
        {"name": "a.png", "width": 20, "height": 20, "annotations": [SLIVER]},
        {"name": "b.png", "width": 20, "height": 20, "annotations": [line, SLIVER]},
        {"name": "c.png", "width": 1 << 20, "height": 1 << 20, "annotations": [HOLE]},
    ]
    report, rows, _ = listed(export_coco, tasks, tmp_path)
    assert [(row["task"], row["reason"]) for row in rows] == [
        ("a.png", "no_pixels"),
        ("b.png", "unsupported_type:line"),
        ("b.png", "no_pixels"),
        ("c.png", "image_too_large"),
    ]
    assert reasons(rows, "annotation") == report.skipped


@pytest.mark.parametrize("kind", ["semantic", "yolo-detect"])
def test_a_task_that_gets_no_file_is_listed_too(kind, tmp_path):
    tasks = [{"name": "a.png", "annotations": [BOX]}, {"name": "b.png", "width": 20, "height": 20, "annotations": []}]
    report, rows, _ = listed(EVERY[kind], tasks, tmp_path)
    assert (reasons(rows, "task"), reasons(rows, "annotation")) == ({"tasks_without_file": 1}, {"no_image_size": 1})
    assert report.adjusted["tasks_without_file"] == 1


def test_pictures_that_are_missing_or_damaged_are_listed(tmp_path):
    tasks = [{"name": f"{n}.png", "width": 20, "height": 20, "annotations": [BOX]} for n in range(4)]
    report, rows, _ = listed(drawn, tasks, tmp_path)
    assert reasons(rows, "picture") == {"images_unreadable": 1, "images_missing": 2}
    assert reasons(rows, "annotation") == report.skipped == {"image_unreadable": 1, "no_image": 2}
    assert [row["task"] for row in rows] == ["0.png", "0.png", "1.png", "1.png", "3.png", "3.png"]
    assert report.images == 1


def test_a_picture_that_no_trainer_would_find_is_listed(tmp_path):
    tasks = [{"name": "a.png", "width": 20, "height": 20, "annotations": [BOX]}]
    (tmp_path / "pictures").mkdir()
    report, rows, _ = listed(export_yolo, tasks, tmp_path, layout="ultralytics", image_dir=tmp_path / "pictures")
    assert reasons(rows, "picture") == {"images_missing": 1} == {"images_missing": report.adjusted["images_missing"]}


def test_rows_wait_in_few_files_and_come_out_in_order(tmp_path):
    with closing(LeftOut(tmp_path)) as left_out:
        for number in range(0, 3000, 3):
            for behind in (0, 40, 90):
                left_out.add((WRITTEN, max(0, number - behind)), {"task": max(0, number - behind)})
        assert len(left_out._files) == 3
        left_out.write(tmp_path / "list")
    numbers = [json.loads(line)["task"] for line in (tmp_path / "list").read_bytes().splitlines()]
    assert numbers == sorted(numbers)
    assert len(numbers) == 3000


@pytest.mark.parametrize("value", [[[[]]] * 3, "x" * 5000, 10**30, {"a": 1}, "\ud800", float("inf"), True])
def test_values_of_any_kind_make_short_rows(tmp_path, value):
    tasks = [{"id": value, "name": "a.png", "width": 9, "height": 9, "annotations": [{"type": "ner", "value": value}]}]
    _, rows, raw = listed(export_coco, tasks, tmp_path)
    assert len(rows) == 1
    assert len(raw) < 3000
