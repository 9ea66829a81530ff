"""Boxes and outlines are paired as the rule says, whatever their number; pycocotools pairs alike."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from airflow_provider_fastlabel.formats.geometry import matching
from airflow_provider_fastlabel.formats.geometry.matching import Pairs, iou_of_shapes, match, match_shapes
from airflow_provider_fastlabel.formats.geometry.shapes import shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shape import Shape

    Boxes = NDArray[np.float64]


def boxes_of(seed: int, count: int, side: float = 100) -> Boxes:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, side, (count, 2)).round(1)
    return np.hstack([corners, corners + random.uniform(5, 40, (count, 2)).round(1)])


def shaken(boxes: Boxes, seed: int, by: float) -> Boxes:
    return np.asarray(boxes + np.random.default_rng(seed).normal(0, by, boxes.shape).round(1))


def coco_ious(first: Boxes, second: Boxes) -> Any:
    """Return the matrix of overlaps as pycocotools says."""
    wide = [np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]) for boxes in (first, second)]
    return np.asarray(coco_mask.iou(wide[0], wide[1], [0] * len(second))).reshape(len(first), len(second))


def by_the_rule(first: Boxes, second: Boxes, least: float) -> list[tuple[int, int]]:
    """Pair by the rule as it is written, with the overlaps of pycocotools."""
    ious = coco_ious(first, second)
    left = [(-ious[i, j], i, j) for i, j in product(range(len(first)), range(len(second))) if ious[i, j] >= least]
    found = []
    while left:
        _, i, j = min(left)
        found.append((i, j))
        left = [pair for pair in left if pair[1] != i and pair[2] != j]
    return sorted(found)


def listed(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("crowded", [False, True])
def test_pairs_are_those_of_the_rule(seed: int, crowded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if crowded:
        monkeypatch.setattr(matching, "_CROWD", 0)
        monkeypatch.setattr(matching, "_KNOWN", 3)
    first = boxes_of(seed, 40)
    second = np.vstack([shaken(first, seed, 3), first[:5], first[:5]])[np.random.default_rng(seed).permutation(50)]
    found = match(first, second, least_iou=0.3)
    assert listed(found) == by_the_rule(first, second, 0.3)
    ious = coco_ious(first, second)
    assert found.iou == pytest.approx([ious[pair] for pair in listed(found)])


def test_groups_are_matched_apart_and_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_AT_ONCE", 100)  # several blocks
    random = np.random.default_rng(5)
    first = boxes_of(1, 200, side=60)
    second = shaken(first, 2, 2)[random.permutation(200)][:150]
    ones, others = random.integers(-3, 9, 200), random.integers(-5, 8, 150)
    wanted: list[tuple[int, int]] = []
    for group in range(-5, 9):
        rows, columns = np.flatnonzero(ones == group), np.flatnonzero(others == group)
        wanted += [(int(rows[i]), int(columns[j])) for i, j in by_the_rule(first[rows], second[columns], 0.2)]
    found = match(first, second, least_iou=0.2, first_groups=ones, second_groups=others)
    assert listed(found) == sorted(wanted)
    assert len(wanted) > 20


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_cocos_own_evaluation(seed: int) -> None:
    """COCO lets the detections choose by their scores; ours choose by how well they overlap."""
    first = boxes_of(seed, 30, side=200)
    second = shaken(first, seed + 100, 2)[5:]
    found = match(first, second, least_iou=0.5)
    scores = dict(zip(found.second.tolist(), found.iou.tolist(), strict=True))
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1, "width": 300, "height": 300}],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [
            {"id": n + 1, "image_id": 1, "category_id": 1, "bbox": [x, y, r - x, b - y], "area": 900, "iscrowd": 0}
            for n, (x, y, r, b) in enumerate(first.tolist())
        ],
    }
    truth.createIndex()
    detected = truth.loadRes(
        [
            {"image_id": 1, "category_id": 1, "bbox": [x, y, r - x, b - y], "score": scores.get(n, 0)}
            for n, (x, y, r, b) in enumerate(second.tolist())
        ]
    )
    evaluation = COCOeval(truth, detected, "bbox")
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ["all"]
    evaluation.evaluate()
    (told,) = [each for each in evaluation.evalImgs if each]
    theirs = {
        (int(one) - 1, int(other) - 1) for one, other in zip(told["dtMatches"][0], told["dtIds"], strict=True) if one
    }
    assert theirs == set(listed(found))
    assert len(theirs) > 15


def test_a_thing_drawn_alike_is_its_own_partner_though_a_neighbour_would_gain() -> None:
    first = np.array([[0, 0, 10, 10], [3, 0, 13, 10]], np.float64)
    second = np.array([[3, 0, 13, 10], [6, 0, 16, 10]], np.float64)
    assert listed(match(first, second, least_iou=0.5)) == [(1, 0)]


def test_nothing_is_paired_with_nothing() -> None:
    none, line = np.zeros((0, 4)), np.array([[1, 1, 1, 9]], np.float64)
    for first, second in ((none, none), (none, line), (line, none), (line, line)):
        assert listed(match(first, second, least_iou=0.1)) == []
    assert listed(match_shapes([], [], least_iou=0.1)) == []


def drawn(kind: str, points: list[float]) -> Shape:
    shape = shape_of({"type": kind, "points": points})
    assert not isinstance(shape, str), shape
    return shape


def test_outlines_are_measured_as_they_are() -> None:
    """Two triangles that share a box, and touch along its diagonal only."""
    upper = drawn("polygon", [0, 0, 10, 0, 0, 10])
    lower = drawn("polygon", [10, 0, 10, 10, 0, 10])
    box = drawn("bbox", [0, 0, 10, 10])
    assert iou_of_shapes(upper, lower) == 0
    assert iou_of_shapes(upper, box) == pytest.approx(0.5)
    assert iou_of_shapes(box, box) == 1
    assert listed(match_shapes([upper, lower], [box, lower], least_iou=0.4)) == [(0, 0), (1, 1)]
