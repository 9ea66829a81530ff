"""Holes joined with their outline by bridges, and found again."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.geometry import holes as module
from airflow_provider_fastlabel.formats.geometry.holes import bridged, unbridged
from airflow_provider_fastlabel.formats.labelme import export_labelme, read_labelme
from airflow_provider_fastlabel.formats.yolo import export_yolo
from tests.formats.evenodd import inside
from tests.limits import run_limited


def area(ring):
    xs, ys = ring[::2], ring[1::2]
    return sum(xs[n - 1] * ys[n] - xs[n] * ys[n - 1] for n in range(len(xs))) / 2


def square(x, y, size, *, hole=False):
    ring = [x, y, x + size, y, x + size, y + size, x, y + size]
    return [x, y, x, y + size, x + size, y + size, x + size, y] if hole else ring


def same_ring(one, other):
    corners = list(zip(one[::2], one[1::2], strict=True))
    others = list(zip(other[::2], other[1::2], strict=True))
    return any(corners == others[n:] + others[:n] for n in range(len(others)))


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6))
def test_holes_are_found_again(places):
    holes = [square(10 + 20 * x, 10 + 20 * y, 10, hole=True) for x, y in sorted(places)]
    region = [square(0, 0, 110), *holes]
    ring = bridged(region)
    assert area(ring) == 110 * 110 - 100 * len(holes)
    found = unbridged(ring)
    assert len(found) == len(region)
    for one in region:
        assert any(same_ring(one, other) for other in found)


def test_a_region_without_holes_stays_as_it_is():
    assert bridged([square(0, 0, 5)]) == square(0, 0, 5)
    assert unbridged(square(0, 0, 5)) == [square(0, 0, 5)]


def test_an_outline_that_touches_itself_has_no_hole():
    touching = [0, 0, 5, 5, 10, 0, 10, 10, 5, 5, 0, 10]
    assert unbridged(touching) == [touching]


def test_two_loops_that_touch_in_a_corner_are_no_hole():
    ring = [10, 10, 0, 10, 0, 0, 10, 0, 10, 10, 10, 20, 20, 20, 20, 10]
    assert unbridged(ring) == [ring]


def drawn(ring):
    """Points of a grid inside a ring."""
    return inside(ring, 64, 64, 2)


OUTER = [10, 10, 50, 10, 50, 50, 10, 50]
ASTRAY = [[20, 20, 20, 30, 60, 30, 60, 20], [15, 35, 15, 70, 25, 70, 25, 35], [22, 40, 22, 45, 40, 45, 40, 40]]


def exported(folder, export, points, **options):
    annotation = {"type": "segmentation", "value": "cat", "points": points}
    task = {"name": "a.jpg", "width": 64, "height": 64, "annotations": [annotation]}
    report = export([task], folder, **options)
    assert report.annotations == 1
    expected = drawn(OUTER)
    for hole in points[0][1:]:
        expected &= ~drawn(hole)
    return expected


def test_yolo_rows_leave_out_a_hole_that_reaches_out_of_its_outline(tmp_path):
    expected = exported(tmp_path, export_yolo, [[OUTER, *ASTRAY]], task="segment")
    found = np.zeros_like(expected)
    for row in (tmp_path / "annotations/a.txt").read_text().splitlines():
        found |= drawn([64 * float(share) for share in row.split()[1:]])
    assert (found ^ expected).sum() <= 4


def test_labelme_outlines_leave_out_a_hole_that_reaches_out_of_its_outline(tmp_path):
    expected = exported(tmp_path, export_labelme, [[OUTER, *ASTRAY]])
    found = np.zeros_like(expected)
    for shape in json.loads((tmp_path / "a.json").read_text())["shapes"]:
        found |= drawn([number for point in shape["points"] for number in point])
    assert (found == expected).all()
    assert read_labelme(tmp_path).problems == []


def test_a_region_that_its_holes_take_away_covers_nothing(tmp_path):
    swallowed = [square(5, 5, 10), square(0, 0, 20, hole=True)]
    report = export_yolo(
        [
            {
                "name": "a.jpg",
                "width": 64,
                "height": 64,
                "annotations": [
                    {"type": "segmentation", "value": "cat", "points": [swallowed, [square(30, 30, 8)]]},
                    {"type": "segmentation", "value": "cat", "points": [swallowed]},
                ],
            }
        ],
        tmp_path,
        task="segment",
    )
    assert (report.annotations, report.skipped) == (1, {"degenerate": 1})
    rows = (tmp_path / "annotations/a.txt").read_text().splitlines()
    found = [drawn([64 * float(share) for share in row.split()[1:]]) for row in rows]
    assert (sum(found) == drawn(square(30, 30, 8))).all()


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 1.5, 2, 7])] * 3), max_size=8))
def test_many_holes_are_bridged_as_few_are(places):
    region = [square(0, 0, 110), *(square(x, y, size, hole=True) for x, y, size in places)]
    assert json.dumps(module._many_bridged(region)) == json.dumps(bridged(region))


def test_thousands_of_holes_are_joined_in_seconds():
    printed = run_limited(
        """
        import tempfile
        from pathlib import Path
        from airflow_provider_fastlabel.formats.yolo import export_yolo
        holes = [[x + 2, y + 2, x + 2, y + 5, x + 5, y + 5, x + 5, y + 2]
                 for x in range(0, 1_000, 10) for y in range(0, 1_000, 10)]
        points = [[[0, 0, 1_000, 0, 1_000, 1_000, 0, 1_000], *holes]]
        annotation = {"id": "a", "type": "segmentation", "value": "c", "points": points}
        task = {"id": "1", "name": "a.jpg", "width": 1_000, "height": 1_000, "annotations": [annotation]}
        with tempfile.TemporaryDirectory() as folder:
            print(export_yolo([task], Path(folder), task="segment").adjusted)
        """,
        megabytes=300,
    )
    assert printed == "{'holes_bridged': 10000}"
