"""Pixels of shapes: exact by the rule that a pixel is covered if its centre is inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.geometry.raster import covers
from airflow_provider_fastlabel.formats.geometry.shapes import Shape, shape_of
from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points
from tests.limits import run_limited

WIDTH, HEIGHT = 40, 30


def made(*annotations):
    shapes = []
    for annotation in annotations:
        shape = shape_of(annotation)
        assert isinstance(shape, Shape), shape
        shapes.append(shape)
    return shapes


def painted(*annotations, size=(WIDTH, HEIGHT)):
    """Cover of each annotation as a whole image."""
    found = []
    shapes = made(*annotations)
    for cover in covers(shapes, *size):
        image = np.zeros(size[::-1], bool)
        if cover is not None:
            image[cover.window] = cover.mask
        found.append(image)
    return found


def centre_inside(ring, x, y):
    """The even-odd rule, asked for one point."""
    odd = False
    corners = list(zip(ring[::2], ring[1::2], strict=True))
    for n, (x1, y1) in enumerate(corners):
        x2, y2 = corners[n - 1]
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
            odd = not odd
    return odd


def test_a_box_covers_the_pixels_between_its_borders():
    (image,) = painted({"type": "bbox", "points": [2, 2, 8, 6]})
    assert image.sum() == 24
    assert image[2:6, 2:8].all()


@pytest.mark.parametrize(
    "ring", [[10, 5, 20, 5, 20, 15, 10, 15], [10, 15, 20, 15, 20, 5, 10, 5], [20, 15, 10, 15, 10, 5, 20, 5]]
)
def test_m2_direction_and_first_corner_do_not_matter(ring):
    (image,) = painted({"type": "polygon", "points": ring})
    assert image.sum() == 100


def test_m2_a_diamond_has_its_area():
    for ring in ([50, 10, 90, 50, 50, 90, 10, 50], [50, 10, 10, 50, 50, 90, 90, 50]):
        (image,) = painted({"type": "polygon", "points": ring}, size=(100, 100))
        assert image.sum() == 3200


@pytest.mark.parametrize("hole", [[10, 10, 20, 10, 20, 20, 10, 20], [10, 20, 20, 20, 20, 10, 10, 10]])
def test_m2_a_hole_in_either_direction(hole):
    (image,) = painted({"type": "segmentation", "points": [[[5, 5, 25, 5, 25, 25, 5, 25], hole]]})
    assert image.sum() == 300


@pytest.mark.parametrize(
    "hole", [[10, 0, 20, 0, 20, 29, 10, 29], [0, 10, 39, 10, 39, 20, 0, 20], [9, 0, 12, 0, 12, 8, 9, 8]]
)
def test_a_hole_may_reach_beyond_its_outline(hole):
    (image,) = painted({"type": "segmentation", "points": [[[5, 5, 25, 5, 25, 25, 5, 25], hole]]})
    inside = np.zeros_like(image)
    inside[5:25, 5:25] = True
    inside[hole[1] : hole[5], hole[0] : hole[2]] = False
    assert (image == inside).all()


def test_regions_that_overlap_count_once():
    square = [0, 0, 10, 0, 10, 10, 0, 10]
    (image,) = painted({"type": "segmentation", "points": [[square], [[5, 5, 15, 5, 15, 15, 5, 15]]]})
    assert image.sum() == 175


def test_m8_a_rotated_box_is_painted_turned():
    (image,) = painted({"type": "bbox", "points": [10, 13, 30, 17], "rotation": 90})
    assert image[5:25, 18:22].all()
    assert image.sum() == 80


def test_a_circle_has_about_its_area():
    (image,) = painted({"type": "circle", "points": [20, 15, 10]})
    assert image.sum() == pytest.approx(np.pi * 100, abs=8)


def test_what_covers_no_pixel_centre_is_none():
    shapes = made(
        {"type": "bbox", "points": [3.6, 3.6, 4.4, 4.4]},
        {"type": "polygon", "points": [3.6, 3.6, 4.4, 3.6, 4, 4.4]},
        {"type": "bbox", "points": [-9, -9, -1, -1]},
    )
    assert list(covers(shapes, WIDTH, HEIGHT)) == [None, None, None]


COORDINATE = st.integers(-16, 16 * WIDTH + 16).map(lambda n: n / 16 + 1 / 64)


@given(st.lists(st.lists(COORDINATE, min_size=6, max_size=16).filter(lambda ring: len(ring) % 2 == 0), max_size=4))
def test_every_pixel_is_decided_by_its_centre(rings):
    rings = [ring for ring in rings if not isinstance(shape_of({"type": "polygon", "points": ring}), str)]
    images = painted(*({"type": "polygon", "points": ring} for ring in rings))
    for ring, image in zip(rings, images, strict=True):
        # A centre that lies on the outline itself may count either way.
        left, right = (
            np.array([[centre_inside(ring, x + near, y + 0.5) for x in range(WIDTH)] for y in range(HEIGHT)])
            for near in (0.5 - 1e-9, 0.5 + 1e-9)
        )
        assert ((image == left) | (image == right)).all()


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=5, max_size=5))
def test_pixels_to_rings_and_back(rows):
    mask = np.array(rows)
    points = mask_to_fastlabel_segmentation_points(mask)
    if points:
        (image,) = painted({"type": "segmentation", "points": points}, size=(7, 5))
        assert (image == mask).all()


LARGE = """
import tempfile
from pathlib import Path
from airflow_provider_fastlabel.formats.masks import export_masks
shapes = {shapes}
annotations = [{{"id": "a", "value": "c", **shape}} for shape in shapes]
task = {{"id": "1", "name": "a.jpg", "width": 10_000, "height": 10_000, "annotations": annotations}}
with tempfile.TemporaryDirectory() as folder:
    print(export_masks([task], Path(folder), kind="semantic").annotations)
"""


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "bbox", "points": [0, 0, 10_000, 10_000]},
        {"type": "polygon", "points": [0, 0, 10_000, 5, 9_000, 10_000]},
    ],
    ids=lambda shape: shape["type"],
)
def test_many_large_shapes_take_the_memory_of_one(shape):
    assert run_limited(LARGE.format(shapes=[shape] * 20), megabytes=900, seconds=40) == "20"


def test_many_regions_cost_what_their_outlines_cost():
    squares = [[[x, y, x + 5, y, x + 5, y + 5, x, y + 5]] for x in range(0, 9_900, 200) for y in range(0, 9_900, 200)]
    assert len(squares) == 2_500
    shape = {"type": "segmentation", "points": squares}
    assert run_limited(LARGE.format(shapes=[shape]), megabytes=900) == "1"
