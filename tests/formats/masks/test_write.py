"""Index masks: the numbered defects of the official SDK, tables, names, extremes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.masks import export_masks, read_mask


def annotation(kind, points, value="dog", **more):
    return {"type": kind, "value": value, "points": points, **more}


def task(*annotations, name="a.jpg", width=100, height=80):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


def box(n, value="dog"):
    return annotation("bbox", [n % 25 * 4, n // 25 * 4, n % 25 * 4 + 3, n // 25 * 4 + 3], value)


SQUARE = [[[10, 10, 40, 10, 40, 40, 10, 40, 10, 10]]]
OVERLAPPING = [[[30, 30, 60, 30, 60, 60, 30, 60, 30, 30]]]


@pytest.fixture
def export(tmp_path):
    def export(*tasks, kind="semantic", **options):
        return export_masks(tasks, tmp_path, kind=kind, **options)

    return export


@pytest.fixture
def pixels(tmp_path):
    def pixels(name="a.png"):
        with Image.open(tmp_path / name) as image:
            return np.asarray(image)

    return pixels


def counts(array):
    return {int(value): int((array == value).sum()) for value in np.unique(array)}


@pytest.mark.parametrize("kind", ["semantic", "instance"])
def test_m1_where_two_overlap_the_later_one_wins(export, pixels, kind):
    export(task(annotation("segmentation", SQUARE, "a"), annotation("segmentation", OVERLAPPING, "b")), kind=kind)
    assert counts(pixels()) == {0: 8000 - 1700, 1: 800, 2: 900}


def test_m1_a_box_over_a_segmentation(export, pixels):
    export(task(annotation("segmentation", SQUARE, "a"), annotation("bbox", [30, 30, 60, 60], "b")))
    assert counts(pixels()) == {0: 8000 - 1700, 1: 800, 2: 900}


def test_m2_a_hole_stays_background(export, pixels):
    hole = [20, 20, 30, 20, 30, 30, 20, 30, 20, 20]
    export(task(annotation("segmentation", [[SQUARE[0][0], hole]])))
    assert counts(pixels()) == {0: 8000 - 800, 1: 800}


@pytest.mark.parametrize(
    "ring",
    [
        [10, 10, 20, 10, 20, 20, 10, 20],
        [10, 10, 10, 20, 20, 20, 20, 10],
        [20, 20, 20, 10, 10, 10, 10, 20],
        [10, 20, 20, 20, 20, 10, 10, 10],
    ],
)
def test_m2_ten_by_ten_is_a_hundred_pixels(export, pixels, ring):
    export(task(annotation("polygon", ring)))
    assert counts(pixels()) == {0: 8000 - 100, 1: 100}


def test_m2_a_clockwise_hole_has_its_size(export, pixels):
    hole = [20, 20, 30, 20, 30, 30, 20, 30, 20, 20]
    export(task(annotation("segmentation", [[[10, 10, 30, 10, 30, 30, 10, 30, 10, 10], hole]])))
    assert counts(pixels()) == {0: 8000 - 300, 1: 300}


def test_a_hole_shows_what_lies_below(export, pixels):
    hole = [20, 20, 30, 20, 30, 30, 20, 30, 20, 20]
    export(task(annotation("bbox", [0, 0, 50, 50], "a"), annotation("segmentation", [[SQUARE[0][0], hole]], "b")))
    assert counts(pixels()) == {0: 5500, 1: 1700, 2: 800}


def test_m3_more_than_255_instances_take_sixteen_bits(export, pixels):
    report = export(task(*(box(n) for n in range(300))), kind="instance")
    found = pixels()
    assert found.dtype == np.uint16
    assert set(np.unique(found)) == set(range(301))
    assert report.annotations == 300


def test_m3_255_instances_fit_a_palette(export, pixels, tmp_path):
    export(task(*(box(n) for n in range(255))), kind="instance")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
    assert set(np.unique(pixels())) == set(range(256))


@pytest.mark.parametrize("palette", [None, [0, 0, 0, 255, 0, 0], list(range(12))])
def test_m4_the_palette_is_always_whole(export, pixels, tmp_path, palette):
    values = [f"class_{n}" for n in range(6)]
    export(task(*(box(n, value) for n, value in enumerate(values))), classes=values, palette=palette)
    assert set(np.unique(pixels())) == set(range(7))
    with Image.open(tmp_path / "a.png") as image:
        colours = image.getpalette() or []
    assert len(colours) == 768
    assert palette is None or colours[: len(palette)] == palette


def test_m5_all_256_colours_differ(export, tmp_path):
    export(task(box(0)))
    with Image.open(tmp_path / "a.png") as image:
        colours = image.getpalette() or []
    assert colours[:3] == [0, 0, 0]
    assert len({tuple(colours[n : n + 3]) for n in range(0, 768, 3)}) == 256


def test_m6_what_cannot_be_drawn_is_counted(export, pixels):
    report = export(
        task(
            box(0),
            box(1, "unknown"),
            annotation("segmentation", []),
            annotation("keypoint", [5, 5]),
            annotation("bbox", [50.6, 50.6, 51.4, 51.4]),
            annotation("bbox", [500, 500, 510, 510]),
        ),
        classes=["dog"],
    )
    assert report.annotations == 1
    assert report.skipped == {
        "unknown_class": 1,
        "no_points": 1,
        "unsupported_type:keypoint": 1,
        "no_pixels": 1,
        "outside_image": 1,
    }
    assert report.annotations_in == report.annotations + sum(report.skipped.values())
    assert counts(pixels()) == {0: 8000 - 9, 1: 9}


def test_m6_malformed_points_name_the_task_or_are_counted(export):
    bad = task(annotation("polygon", [1, 2, 3]), box(0), name="sub/bad.jpg")
    with pytest.raises(GeometryError, match=r"sub/bad\.jpg"):
        export(bad)
    assert export(bad, on_error="skip").skipped == {"malformed": 1}


def test_m7_classes_count_only_if_they_are_drawn_and_are_listed(export, tmp_path):
    report = export(task(annotation("line", [0, 0, 9, 9], "aaa"), box(0, "dog"), box(1, "犬")))
    rows = json.loads((tmp_path / "classes.json").read_text(encoding="utf-8"))
    assert [(row["id"], row["value"]) for row in rows] == [(1, "dog"), (2, "犬")]
    assert rows[0]["color"] == "#800000"
    assert report.classes == ["dog", "犬"]
    assert report.files == ["a.png", "classes.json"]


def test_given_classes_keep_their_order(export, pixels):
    export(task(box(0, "b"), box(1, "a")), classes=["c", "b", "a"], start_index=0)
    assert set(np.unique(pixels())) == {0, 1, 2}
    assert pixels()[0, 0] == 1


def test_m8_a_rotated_box(export, pixels):
    export(task(annotation("bbox", [40, 38, 60, 42], rotation=90)))
    assert pixels()[30:50, 48:52].all()
    assert counts(pixels())[1] == 80


def test_m9_names_stay_apart_and_inside(export, tmp_path):
    outer = [
        task(box(0), name=name) for name in ("a.jpg", "a.png", "../../evil.jpg", "/abs.jpg", "s/a.jpg", "犬 1.jpg")
    ]
    report = export(*outer, kind="instance")
    written = [re.sub("~[0-9a-f]{16}", "~*", name) for name in report.files[1:]]
    assert written == ["a.png", "a.png.png", "__/__/evil~*.png", "abs~*.png", "s/a.png", "犬 1.png"]
    assert all((tmp_path / name).is_file() for name in report.files)
    rows = [json.loads(line) for line in (tmp_path / "instances.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[1] == {"mask": "a.png.png", "image": "a.png", "instances": [{"id": 1, "value": "dog"}]}


def test_an_instance_that_is_not_drawn_takes_no_index(export, pixels, tmp_path):
    export(
        task(annotation("line", [0, 0, 9, 9]), annotation("bbox", [50.6, 50.6, 51.4, 51.4]), box(0)), kind="instance"
    )
    assert set(np.unique(pixels())) == {0, 1}


def test_tasks_of_other_sizes_do_not_disturb_one_another(export, pixels):
    small = {"width": 10, "height": 10}
    export(
        task(box(0), name="a.jpg"), task(name="b.jpg"), task(box(0), name="c.jpg", **small), task(name="d.jpg", **small)
    )
    assert counts(pixels("a.png")) == {0: 7991, 1: 9}
    assert counts(pixels("b.png")) == {0: 8000}
    assert counts(pixels("c.png")) == {0: 91, 1: 9}
    assert counts(pixels("d.png")) == {0: 100}


@pytest.mark.parametrize("size", [(0, 0), (None, 5), (10**6, 10**6), (1, 1 << 28)])
def test_tasks_without_a_usable_size_make_no_mask(export, size, tmp_path):
    report = export(task(box(0), width=size[0], height=size[1]))
    assert report.annotations == 0
    assert sum(report.skipped.values()) == 1
    assert report.files == ["classes.json"]


def test_same_tasks_same_bytes_and_untouched(export, tmp_path):
    tasks = [task(annotation("segmentation", SQUARE), box(3, "cat"))]
    before = json.dumps(tasks)
    export(*tasks)
    first = (tmp_path / "a.png").read_bytes()
    export(*tasks)
    assert (tmp_path / "a.png").read_bytes() == first
    assert json.dumps(tasks) == before


def test_tasks_may_come_one_by_one(tmp_path):
    report = export_masks(iter([task(box(0, "b")), task(box(0, "a"), name="b.jpg")]), tmp_path, kind="semantic")
    assert report.classes == ["a", "b"]


@pytest.mark.parametrize(
    "options", [{"kind": "panoptic"}, {"start_index": -1}, {"palette": [1, 2]}, {"palette": [0, 0, 256]}]
)
def test_wrong_arguments(export, options):
    with pytest.raises(ValueError, match="kind|start_index|palette"):
        export(task(), **options)


def test_masks_read_back(export, tmp_path):
    export(task(annotation("segmentation", SQUARE, "b"), annotation("bbox", [50, 50, 60, 60], "a")))
    rows = json.loads((tmp_path / "classes.json").read_text())
    result = read_mask(tmp_path / "a.png", {row["id"]: row["value"] for row in rows}, image="a.jpg")
    assert {found["value"]: found["points"] for found in result.by_image["a.jpg"]} == {
        "b": SQUARE,
        "a": [[[50, 50, 60, 50, 60, 60, 50, 60, 50, 50]]],
    }


@pytest.mark.parametrize("kind", ["semantic", "instance"])
@pytest.mark.parametrize("name", ["classes.json", "instances.jsonl", "manifest.json", "classes.lock.json"])
def test_a_folder_named_like_a_table_is_another_one(export, tmp_path, kind, name):
    report = export(task(annotation("segmentation", SQUARE), name=f"{name}/a.jpg"), kind=kind)
    assert f"{name}~2/a.jpg.png" in report.files
    assert all((tmp_path / path).is_file() for path in report.files)
    assert report.adjusted["names_changed"] == 1
