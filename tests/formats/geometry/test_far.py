"""Coordinates that no image has: malformed, never an error of arithmetic nor a number no reader takes."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.yolo import export_yolo

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_fastlabel.formats.writing.report import ExportReport

EXPORTS: dict[str, tuple[Callable[..., ExportReport], dict[str, Any]]] = {
    "coco": (export_coco, {}),
    "coco uncut": (export_coco, {"clip": False}),
    "boxes": (export_yolo, {"task": "detect"}),
    "outlines": (export_yolo, {"task": "segment"}),
    "turned boxes": (export_yolo, {"task": "obb"}),
    "poses": (export_yolo, {"task": "pose"}),
    "voc": (export_pascalvoc, {}),
    "voc uncut": (export_pascalvoc, {"clip": False}),
    "labelme": (export_labelme, {}),
    "labelme uncut": (export_labelme, {"clip": False}),
    "masks": (export_masks, {"kind": "semantic"}),
}


def shapes(far):
    square = [-far, -far, far, -far, far, far, -far, far]
    hole = [10, 10, 10, 20, 20, 20, 20, 10]
    near = [0, 0, 40, 0, 40, 30, 0, 30]
    pose = [{"key": "a", "value": [far, -far, 1]}, {"key": "b", "value": [1, 1, 1]}]
    return [
        {"type": "bbox", "points": [0, 0, far, far]},
        {"type": "bbox", "points": [-far, -far, far, far]},
        {"type": "bbox", "points": [1, 1, far, 5], "rotation": 30},
        {"type": "polygon", "points": [0, 0, far, 0, far, far]},
        {"type": "polygon", "points": square},
        {"type": "polygon", "points": [5, 5, far, 9, 3, 40]},
        {"type": "polygon", "points": [5, 5, far, 9, -far, 40]},
        {"type": "segmentation", "points": [[square, hole]]},
        {"type": "segmentation", "points": [[near, [10, 10, 10, far, far, far]]]},
        {"type": "segmentation", "points": [[near], [square]]},
        {"type": "pose_estimation", "keypoints": pose},
        {"type": "keypoint", "points": [far, -far]},
        {"type": "line", "points": [-far, -far, far, far]},
        {"type": "circle", "points": [5, 5, far]},
        {"type": "circle", "points": [far, -far, 5]},
    ]


@pytest.mark.parametrize("size", [(40, 30), (None, None)])
@pytest.mark.parametrize("far", [1.1e9, 1e30, 1e160, 1e300, 1.7e308, math.inf, math.nan, 10**400], ids=str)
@pytest.mark.parametrize("name", EXPORTS)
def test_what_lies_too_far_away_is_malformed(tmp_path, name, far, size):
    export, options = EXPORTS[name]
    annotations = [{"value": "cat", **one} for one in shapes(far)]
    good = {"type": "bbox", "value": "cat", "points": [1, 2, 3, 4]}
    task = {"name": "a.jpg", "width": size[0], "height": size[1], "annotations": [*annotations, good]}
    report = export([task], tmp_path, **options, on_error="skip")
    assert report.annotations + sum(report.skipped.values()) == len(annotations) + 1
    others = {reason for reason in report.skipped if not reason.startswith("unsupported_type")}
    assert report.annotations <= 1
    assert others <= {"malformed", "no_image_size"}
    for path in tmp_path.rglob("*.*"):
        if path.suffix != ".png":
            assert not re.search(r"inf(inity)?\b|\bnan\b|e\+?\d\d", path.read_text(), re.IGNORECASE)
    if report.skipped.get("malformed"):
        with pytest.raises(GeometryError, match=r"'a\.jpg', annotation"):
            export([task], tmp_path, **options)


@pytest.mark.parametrize("far", [1e9, 10**9])
@pytest.mark.parametrize("name", EXPORTS)
def test_what_lies_just_near_enough_is_written_in_finite_numbers(tmp_path, name, far):
    export, options = EXPORTS[name]
    annotations = [{"value": "cat", **one} for one in shapes(far)]
    task = {"name": "a.jpg", "width": 40, "height": 30, "annotations": annotations}
    report = export([task], tmp_path, **options)
    assert report.annotations + sum(report.skipped.values()) == len(annotations)
    assert "malformed" not in report.skipped
    for path in tmp_path.rglob("*.json"):
        assert "Infinity" not in path.read_text()
        assert "NaN" not in path.read_text()
    if name.startswith("coco"):
        found = json.loads((tmp_path / "annotations.json").read_bytes())
        assert all(0 < one["area"] <= 4e18 for one in found["annotations"])


@pytest.mark.parametrize("size", [(1e300, 1e300), (10**400, 5), (math.inf, 5), (5, math.nan)])
@pytest.mark.parametrize("name", EXPORTS)
def test_an_image_of_that_size_has_none(tmp_path, name, size):
    export, options = EXPORTS[name]
    box = {"type": "bbox", "value": "cat", "points": [1, 2, 3, 4]}
    report = export([{"name": "a.jpg", "width": size[0], "height": size[1], "annotations": [box]}], tmp_path, **options)
    assert report.adjusted.get("tasks_without_size") == 1
