from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.coco.rle import run_lengths
from airflow_provider_fastlabel.formats.geometry.regions import area_of, resolved
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError, Shape, shape_of


def exact_area(regions):
    area, exact = area_of(regions)
    assert exact
    return area


def made(width=0, height=0, **annotation):
    shape = shape_of(annotation, width, height)
    assert isinstance(shape, Shape), shape
    return shape


def box(shape):
    return [shape.x1, shape.y1, shape.x2, shape.y2]


def pixels(regions, height, width):
    """Number of pixel centres inside."""
    lengths, _ = run_lengths([(regions, height, width)])
    return int(lengths[1::2].sum())


def star(draw_radii, cx, cy):
    """A simple ring around a centre: one corner per radius."""
    ring = []
    for n, radius in enumerate(draw_radii):
        angle = 2 * math.pi * n / len(draw_radii)
        ring += [cx + radius * math.cos(angle), cy + radius * math.sin(angle)]
    return ring


stars = st.builds(
    star,
    st.lists(st.floats(5, 60), min_size=3, max_size=24),
    st.floats(-20, 120),
    st.floats(-20, 120),
)
corner = st.floats(-1000, 1000).map(lambda x: round(x, 2))


def test_box_corners_are_put_in_order():
    shape = made(type="bbox", points=[20, 10, 10, 30])
    assert box(shape) == [10, 10, 20, 30]
    assert shape.area == 200


def test_box_is_clipped_only_when_the_size_is_given():
    points = [-20, 90, 30, 130]
    assert box(made(100, 100, type="bbox", points=points)) == [0, 90, 30, 100]
    assert made(100, 100, type="bbox", points=points).clipped
    assert box(made(type="bbox", points=points)) == points


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ({"type": "bbox", "points": [5, 5, 5, 9]}, "degenerate"),
        ({"type": "bbox", "points": [200, 5, 300, 9]}, "outside_image"),
        ({"type": "bbox", "points": None}, "no_points"),
        ({"type": "polygon", "points": [1, 1, 9, 9]}, "degenerate"),
        ({"type": "polygon", "points": [1, 1, 5, 5, 9, 9]}, "degenerate"),
        ({"type": "polygon", "points": [1, 1, 5, 5, 9, 9, 1, 1]}, "degenerate"),
        ({"type": "polygon", "points": [101, 1, 150, 5, 190, 90]}, "outside_image"),
        ({"type": "polygon", "points": []}, "no_points"),
        ({"type": "segmentation", "points": [[[]]]}, "degenerate"),
        ({"type": "segmentation", "points": [[]]}, "degenerate"),
        (
            {"type": "segmentation", "points": [[[0, 0, 9, 0, 9, 9, 0, 9], [-1, -1, -1, 10, 10, 10, 10, -1]]]},
            "degenerate",
        ),
        ({"type": "pose_estimation", "keypoints": [{"key": "a", "value": []}]}, "no_points"),
        ({"type": "pose_estimation", "keypoints": [{"key": "a", "value": [500, 5, 1]}]}, "outside_image"),
        ({"type": "circle", "points": [5, 5, 0]}, "degenerate"),
        ({"type": "keypoint", "points": [500, 5]}, "outside_image"),
        ({"type": "line", "points": [5, 5, 5, 5]}, "degenerate"),
        ({"type": "cuboid", "points": [1] * 9}, "unsupported_type:cuboid"),
    ],
)
def test_what_is_no_shape_says_why(annotation, reason):
    assert shape_of(annotation, 100, 100) == reason


@pytest.mark.parametrize(
    "annotation",
    [
        {"type": "bbox", "points": [1, 2, 3]},
        {"type": "bbox", "points": ["1", "2", "3", "4"]},
        {"type": "bbox", "points": "1234"},
        {"type": "bbox", "points": [1, 2, float("nan"), 4]},
        {"type": "bbox", "points": [1, 2, float("inf"), 4]},
        {"type": "bbox", "points": [1, 2, 3, 4], "rotation": float("nan")},
        {"type": "bbox", "points": [1, 2, 3, 4], "rotation": "45"},
        {"type": "polygon", "points": [1, 2, 3, 4, 5]},
        {"type": "polygon", "points": [1, 2, 3, 4, 5, float("nan")]},
        {"type": "polygon", "points": [1, 2, 3, "4", 5, 6]},
        {"type": "polygon", "points": [[1, 2], [3, 4], [5, 6]]},
        {"type": "segmentation", "points": [1, 2, 3, 4, 5, 6]},
        {"type": "segmentation", "points": [[[1, 2, 3, 4, 5]]]},
        {"type": "segmentation", "points": "abc"},
        {"type": "pose_estimation", "keypoints": [{"key": "a", "value": [1]}]},
        {"type": "pose_estimation", "keypoints": [{"value": [1, 2, 1]}]},
        {"type": "pose_estimation", "keypoints": [{"key": "a", "value": [1, float("nan"), 1]}]},
        {"type": "keypoint", "points": [1, 2, 3, 4]},
        {"type": "circle", "points": [1, 2]},
    ],
)
def test_what_is_no_geometry_is_an_error(annotation):
    with pytest.raises(GeometryError):
        shape_of(annotation, 100, 100)


def test_frame_keyed_points_are_named_as_such():
    with pytest.raises(GeometryError, match="frame"):
        shape_of({"type": "bbox", "points": {"1": {"value": [1, 2, 3, 4]}}})


def test_b20_corners_keep_their_order_and_holes_run_against_their_outline():
    there, back = [0, 0, 0, 20, 20, 20, 20, 0], [0, 0, 20, 0, 20, 20, 0, 20]
    hole, turned = [5, 5, 15, 5, 15, 15, 5, 15], [5, 5, 5, 15, 15, 15, 15, 5]
    for outer, inner, expected in (
        (there, hole, hole),
        (there, turned, hole),
        (back, turned, turned),
        (back, hole, turned),
    ):
        shape = made(type="segmentation", points=[[[*outer, *outer[:2]], [*inner, *inner[:2]]]])
        assert shape.regions == [[outer, expected]]
        assert shape.area == 300
    for outer in (there, back):
        assert made(type="polygon", points=outer).regions == [[outer]]
        assert made(type="segmentation", points=[[outer], [[40, 40, 40, 60, 60, 60]]]).regions[0] == [outer]


def test_overlapping_regions_count_once():
    shape = made(type="segmentation", points=[[[0, 0, 20, 0, 20, 20, 0, 20]], [[10, 0, 35, 0, 35, 20, 10, 20]]])
    assert shape.area == pytest.approx(700)


def test_hole_that_leaves_its_region_takes_only_what_is_there():
    shape = made(type="segmentation", points=[[[0, 0, 20, 0, 20, 20, 0, 20], [10, 5, 10, 15, 30, 15, 30, 5]]])
    assert shape.area == pytest.approx(300)


def test_ring_that_crosses_itself_evenly_has_an_area():
    assert made(type="polygon", points=[0, 0, 10, 10, 10, 0, 0, 10]).area == pytest.approx(50)


def test_polygon_cut_apart_by_the_border_becomes_two_regions():
    comb = [-10, 20, 20, 20, 20, 30, -5, 30, -5, 60, 20, 60, 20, 70, -10, 70]
    shape = made(100, 100, type="polygon", points=comb)
    assert len(shape.regions) == 2
    assert shape.area == pytest.approx(400)
    assert box(shape) == [0, 20, 20, 70]


def test_polygon_around_a_corner_of_the_image_leaves_no_bridge():
    around = [40, 5, 60, 5, 60, -20, 130, -20, 130, 10, 150, 10, 150, -40, 40, -40]
    shape = made(100, 100, type="polygon", points=around)
    assert box(shape) == [40, 0, 60, 5]


def test_pose_has_a_box_of_a_pixel_at_least():
    shape = made(100, 100, type="pose_estimation", keypoints=[{"key": "a", "value": [0, 50, 1]}])
    assert box(shape) == [0, 49.5, 1, 50.5]
    assert shape.keypoints == {"a": (0, 50, 2)}


def test_keypoint_outside_is_unset_and_counted_as_clipped():
    rows = [{"key": "a", "value": [10, 10, 1]}, {"key": "b", "value": [200, 10, 0]}]
    shape = made(100, 100, type="pose_estimation", keypoints=rows)
    assert shape.keypoints == {"a": (10, 10, 2)}
    assert shape.clipped


def test_caller_keeps_its_annotation():
    annotation = {"type": "segmentation", "points": [[[0, 0, 0, 20, 20, 20, 20, 0, 0, 0]]]}
    before = copy.deepcopy(annotation)
    shape_of(annotation, 10, 10)
    assert annotation == before


@given(corner, corner, st.floats(1, 500), st.floats(1, 500), st.floats(-180, 180))
def test_rotation_keeps_centre_size_and_area(x, y, width, height, degrees):
    shape = made(type="bbox", points=[x, y, x + width, y + height], rotation=degrees)
    corners = shape.corners()
    xs, ys = corners[::2], corners[1::2]
    assert sum(xs) / 4 == pytest.approx(x + width / 2, abs=1e-5)
    assert sum(ys) / 4 == pytest.approx(y + height / 2, abs=1e-5)
    assert math.dist(corners[:2], corners[2:4]) == pytest.approx(width, abs=1e-5)
    assert shape.area == pytest.approx(width * height, rel=1e-4)
    assert exact_area([[corners]]) == pytest.approx(width * height, rel=1e-4, abs=1e-3)


def test_positive_rotation_is_clockwise_on_screen():
    corners = made(type="bbox", points=[0, 40, 100, 60], rotation=90).corners()
    # The unrotated top left corner goes to the top right.
    assert corners[:2] == pytest.approx([60, 0])


@settings(deadline=None)
@given(stars)
def test_clipped_area_is_the_area_inside(ring):
    clipped = [piece for (piece,) in resolved([ring], 100, 100)[0]]
    frame: list[float] = [0, 0, 100, 0, 100, 100, 0, 100]
    union = exact_area([[ring], [frame]])
    inside = exact_area([[ring]]) + 10_000 - union
    assert sum(exact_area([[piece]]) for piece in clipped) == pytest.approx(inside, abs=1e-3)
    for piece in clipped:
        assert min(piece) >= 0
        assert max(piece) <= 100


@settings(deadline=None)
@given(stars)
def test_area_and_pixels_agree_within_the_outline(ring):
    shape = shape_of({"type": "polygon", "points": ring}, 100, 100)
    if not isinstance(shape, Shape):
        assert resolved([ring], 100, 100)[1] < 0.01
        return
    outline = sum(
        math.dist(r[0][n : n + 2], (r[0] + r[0][:2])[n + 2 : n + 4])
        for r in shape.regions
        for n in range(0, len(r[0]), 2)
    )
    assert abs(pixels(shape.regions, 100, 100) - shape.area) <= outline + 4


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20)),
        min_size=1,
        max_size=5,
    )
)
def test_union_of_whole_pixel_boxes_is_exact(boxes):
    mask = np.zeros((60, 60), dtype=bool)
    points = []
    for x, y, w, h in boxes:
        mask[y : y + h, x : x + w] = True
        points.append([[x, y, x + w, y, x + w, y + h, x, y + h, x, y]])
    shape = made(60, 60, type="segmentation", points=points)
    assert shape.area == pytest.approx(mask.sum())
    assert pixels(shape.regions, 60, 60) == mask.sum()


@given(st.lists(corner, min_size=6, max_size=30))
def test_any_even_list_of_numbers_is_a_shape_or_a_reason(points):
    points = points[: len(points) // 2 * 2]
    shape = shape_of({"type": "polygon", "points": points}, 640, 480)
    if isinstance(shape, Shape):
        assert shape.area > 0
        assert 0 <= shape.x1 < shape.x2 <= 640
        assert 0 <= shape.y1 < shape.y2 <= 480
    else:
        assert shape in ("degenerate", "outside_image")


BOW_TIE = [0, 0, 40, 40, 40, 0, 0, 20]  # two lobes of 1600 / 3 and 400 / 3, the other way round


@pytest.mark.parametrize("points", [BOW_TIE, tuple(BOW_TIE), BOW_TIE + BOW_TIE[:2]])
def test_a_ring_that_crosses_itself_has_all_its_area(points, tmp_path):
    polygon = {"type": "polygon", "value": "dog", "points": points}
    outline = {"type": "segmentation", "value": "dog", "points": [[points], [[50, 50, 60, 50, 60, 60]]]}
    assert made(**polygon).area == pytest.approx(2000 / 3)
    export_coco([{"name": "a.jpg", "width": 90, "height": 90, "annotations": [polygon, outline]}], tmp_path)
    rows = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    assert [row["area"] for row in rows] == pytest.approx([2000 / 3, 2000 / 3 + 50], abs=1e-5)


@settings(deadline=None)
@given(st.lists(corner, min_size=6, max_size=30).filter(lambda points: len(points) % 2 == 0))
def test_areas_follow_the_even_odd_rule(points):
    shape = shape_of({"type": "polygon", "points": points})
    assert (0 if isinstance(shape, str) else shape.area) == pytest.approx(exact_area([[points]]), abs=1e-2)
