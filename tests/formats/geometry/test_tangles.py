"""Outlines of many crossings, regions and holes: what they cost, and that real ones stay exact."""

from __future__ import annotations

import random

import numpy as np
import pytest

from airflow_provider_fastlabel.formats.geometry import reasons
from airflow_provider_fastlabel.formats.geometry.regions import area_of
from airflow_provider_fastlabel.formats.geometry.shape import Box, overlapping
from airflow_provider_fastlabel.formats.geometry.shapes import Shape, shape_of
from airflow_provider_fastlabel.formats.geometry.tangles import sampled_area, tangled
from tests.limits import run_limited


def scribble(corners, seed=1):
    """Return an outline of random corners: it crosses itself about a third as often as it has pairs of edges."""
    numbers = random.Random(seed)
    return [numbers.uniform(0, 1000) for _ in range(2 * corners)]


def hatch(corners):
    """Return an outline that goes to and fro side by side and crosses itself nowhere."""
    lines = [
        [0.01 * line, 0, 1000 + 0.01 * line, 1000] if line % 2 == 0 else [1000 + 0.01 * line, 1000, 0.01 * line, 0]
        for line in range(corners // 2)
    ]
    return [number for line in lines for number in line] + [2000, -5, 0, -6]


@pytest.mark.parametrize("corners", [100, 180])
def test_some_thousand_crossings_are_measured_exactly_and_what_is_sampled_is_near(corners):
    ring = scribble(corners)
    area, exact = area_of([[ring]])
    assert exact
    assert sampled_area([[ring]]) == pytest.approx(area, rel=0.01)
    with_hole = [[ring, [300, 300, 300, 600, 600, 600, 600, 300]], [[10, 10, 10, 400, 400, 400, 400, 10]]]
    assert sampled_area(with_hole) == pytest.approx(area_of(with_hole)[0], rel=0.01)


def test_what_is_simple_is_no_tangle_however_long():
    around = np.linspace(0, 2 * np.pi, 20_000)
    assert not tangled([np.stack([np.cos(around), np.sin(around)], axis=1)])


def test_an_outline_of_too_many_crossings_has_a_rough_area_and_is_not_cut():
    annotation = {"type": "polygon", "value": "x", "points": scribble(600)}
    whole = shape_of(annotation)
    assert isinstance(whole, Shape)
    assert not whole.exact
    assert 400_000 < whole.area < 520_000
    assert shape_of(annotation, 900, 900) == reasons.TOO_TANGLED
    cut = shape_of({**annotation, "points": scribble(90)}, 900, 900)
    assert isinstance(cut, Shape)
    assert cut.exact


def test_many_boxes_overlap_or_not():
    apart: list[Box] = [(x, y, x + 1, y + 1) for x in range(60) for y in range(60)]
    assert not overlapping(apart)
    assert overlapping([*apart, (5.5, 5.5, 5.6, 5.6)])


HOSTILE = {
    "scribble of 2,000": "[('polygon', scribble(2000))]",
    "scribble of 1,200, cut": "[('polygon', scribble(1200)), ('segmentation', [[scribble(1200)]])]",
    "scribble of 100,000": "[('polygon', scribble(100_000))]",
    "scribble with holes": "[('segmentation', [[scribble(800), scribble(800, 2), scribble(800, 3)]])]",
    "hatch of 16,000": "[('polygon', hatch(16_000))]",
    "20,000 regions": "[('segmentation', [[[x, y, x + .5, y, x, y + .5]] for x in range(200) for y in range(100)])]",
    "2,000 regions, all overlapping": "[('segmentation', [[[x / 99, 0, 900, x, 5, 900]] for x in range(2_000)])]",
    "5,000 holes": "[('segmentation', [[[0, 0, 0, 999, 999, 999, 999, 0],"
    " *([x, y, x + .5, y, x, y + .5] for x in range(1, 101) for y in range(1, 51))]])]",
    "30 scribbles": "[('polygon', scribble(300, seed)) for seed in range(30)]",
}


@pytest.mark.parametrize("annotations", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("side", [1000, 900])
def test_a_hostile_outline_costs_little_in_a_coco_export(tmp_path, annotations, side):
    printed = run_limited(
        f"""
        from pathlib import Path
        from airflow_provider_fastlabel.formats.coco import export_coco
        from tests.formats.geometry.test_tangles import hatch, scribble
        annotations = [{{"type": kind, "value": "x", "points": points}} for kind, points in {annotations}]
        task = {{"id": "1", "name": "a.jpg", "width": {side}, "height": {side}, "annotations": annotations}}
        report = export_coco([task], Path({str(tmp_path)!r}), on_error="skip").to_dict()
        assert report["annotations_in"] == len(annotations) == report["annotations"] + sum(report["skipped"].values())
        print(report["skipped"], report["adjusted"])
        """,
        megabytes=700,
    )
    if "scribble(2000)" in annotations:
        assert printed == ("{} {'area_approximated': 1}" if side == 1000 else "{'too_tangled': 1} {}")
