"""Rings that cross themselves, one another, or the image's border, against pixels counted by the even-odd rule."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.geometry.containment import apart
from airflow_provider_fastlabel.formats.geometry.regions import Ring, area_of, resolved
from airflow_provider_fastlabel.formats.geometry.shapes import Shape, shape_of
from tests.formats.evenodd import inside

WIDTH, HEIGHT = 20, 12
FINE = 8
IMAGE: Ring = [0, 0, WIDTH, 0, WIDTH, HEIGHT, 0, HEIGHT]
SPIRAL = [-5, 1, 19, 1, 19, 11, 3, 11, 3, 3, 17, 3, 17, 9, 5, 9, 5, 5, 15, 5, 15, 7, -5, 7]
TWICE_ROUND = [-4, 2, 16, 2, 16, 10, 2, 10, 2, 4, 14, 4, 14, 8, -4, 8]
NESTED = [-5, 1, 15, 1, 15, 11, -5, 11, -5, 3, 10, 3, 10, 8, -5, 8]


def exact_area(regions):
    area, exact = area_of(regions)
    assert exact
    return area


def rings(numbers):
    """Rings of any direction, crossing themselves, in and out of the image; those on a grid also run along borders."""
    return st.lists(st.tuples(numbers(WIDTH), numbers(HEIGHT)), min_size=3, max_size=8).map(
        lambda points: [number for point in points for number in point]
    )


RINGS = st.one_of(
    rings(lambda limit: st.floats(-limit / 2, limit * 1.5).map(lambda number: round(number, 9))),
    rings(lambda limit: st.integers(-3, limit + 3)),
    rings(lambda limit: st.sampled_from([-5, 0, limit // 2, limit, limit + 5])),
)


def cover(ring):
    """Points of a fine grid over the image that are inside."""
    return inside(ring, WIDTH, HEIGHT, FINE)


def of_region(region):
    image = cover(region[0])
    for hole in region[1:]:
        image &= ~cover(hole)
    return image


def net(ring):
    xs, ys = np.array(ring[::2]), np.array(ring[1::2])
    return float(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1)) / 2


def together(parts):
    """The parts as one image; they lie apart."""
    image = np.zeros((HEIGHT * FINE, WIDTH * FINE), int)
    for part in parts:
        image += part
    assert image.max(initial=0) <= 1
    return image > 0


def same(one, other):
    # A point may lie nearer to an edge than numbers are precise.
    return (one ^ other).sum() <= 2


@pytest.mark.parametrize("ring", [SPIRAL, TWICE_ROUND, NESTED])
def test_a_ring_that_crosses_itself_and_the_border(ring):
    parts, _ = resolved([ring], WIDTH, HEIGHT)
    assert same(together([of_region(part) for part in parts]), cover(ring))


@given(RINGS)
def test_what_is_inside_before_the_cut_is_inside_after_it(ring):
    parts, area = resolved([ring], WIDTH, HEIGHT)
    for part in parts:
        for one in part:
            assert min(one) >= 0
            assert max(one[::2]) <= WIDTH
            assert max(one[1::2]) <= HEIGHT
    assert same(together([of_region(part) for part in parts]), cover(ring))
    inside = exact_area([[ring]]) + WIDTH * HEIGHT - exact_area([[ring], [IMAGE]])
    assert area == pytest.approx(inside, abs=1e-3)
    if parts != [[ring]]:
        # Rings do not cross themselves, so their net areas are their areas.
        assert sum(net(one) for part in parts for one in part) == pytest.approx(inside, abs=1e-3)


@given(RINGS)
def test_shapes_are_cut_so(ring):
    annotation = {"type": "polygon", "value": "cat", "points": ring}
    shape = shape_of(annotation, WIDTH, HEIGHT)
    image = cover(ring)
    if isinstance(shape, str):
        assert image.sum() <= 2
        return
    assert same(together([of_region(region) for region in shape.regions]), image)
    if shape.clipped:
        assert shape.area == pytest.approx(exact_area(shape.regions), abs=1e-3)


@given(st.lists(RINGS, min_size=2, max_size=3))
def test_shapes_with_holes_are_cut_so(region):
    annotation = {"type": "segmentation", "value": "cat", "points": [region]}
    image = of_region(region)
    shape = shape_of(annotation, WIDTH, HEIGHT)
    if isinstance(shape, str):
        assert image.sum() <= 2
        return
    assert same(together([of_region(part) for part in shape.regions]), image)
    assert shape.holes == sum(len(part) - 1 for part in shape.regions)
    if shape.clipped or len(shape.regions) > 1:
        assert shape.area == pytest.approx(exact_area(shape.regions), abs=1e-3)


def test_a_hole_that_reaches_out_of_an_outline_that_the_border_cuts_apart():
    comb = [-4, 1, 18, 1, 18, 4, -2, 4, -2, 8, 18, 8, 18, 11, -4, 11]
    hole = [8, -5, 12, -5, 12, 20, 8, 20]
    shape = shape_of({"type": "segmentation", "value": "cat", "points": [[comb, hole]]}, WIDTH, HEIGHT)
    assert isinstance(shape, Shape)
    assert len(shape.regions) == 4
    assert shape.area == 2 * 3 * 14


@given(st.lists(RINGS, min_size=1, max_size=3))
def test_holes_take_away_what_is_there(region):
    image = of_region(region)
    parts, area = resolved(region, WIDTH, HEIGHT)
    assert area == pytest.approx(exact_area(parts), abs=1e-3)
    assert same(together([of_region(part) for part in parts]), image)
    for part in parts:
        for hole in part[1:]:
            assert (cover(hole) & ~cover(part[0])).sum() <= 2
        if part is not region:
            assert net(part[0]) > 0
            assert all(net(hole) < 0 for hole in part[1:])


@given(st.lists(st.lists(RINGS, min_size=1, max_size=2), min_size=1, max_size=3))
def test_area_of_a_union(regions):
    image = np.zeros((HEIGHT * FINE, WIDTH * FINE), bool)
    for region in regions:
        image |= of_region(region)
    outside: Ring = [-100, -100, 100, -100, 100, 100, -100, 100]
    total = exact_area([[outside, IMAGE], *regions]) - (200 * 200 - WIDTH * HEIGHT)
    # Every edge passes through points no farther apart than the grid is.
    edges = sum(len(ring) // 2 for region in regions for ring in region)
    assert total == pytest.approx(image.sum() / FINE**2, abs=edges * (WIDTH + HEIGHT) / FINE)


def test_what_needs_no_work_stays_as_it_is():
    region: list[Ring] = [[0, 0, 10, 0, 10, 10, 0, 10], [2, 2, 2, 8, 8, 8]]
    assert resolved(region) == resolved(region, WIDTH, HEIGHT) == ([region], 82)
    assert resolved(region)[0][0] is region
    # The hole touches the outline in two corners, so it parts the region, but no more of it is outside.
    touching: list[Ring] = [[0, 0, 10, 0, 10, 10, 0, 10], [0, 0, 2, 8, 10, 10, 8, 2]]
    parts, area = resolved(touching)
    assert parts == [touching]
    assert area == pytest.approx(40)


def test_corners_keep_their_numbers():
    ((region,), _) = resolved([[-1, 1, 5.123456789, 2, 5, 7, -1, 7]], WIDTH, HEIGHT)
    assert region == [[0, 1.163306, 5.123456789, 2, 5, 7, 0, 7]]
    assert [type(number) for number in region[0]] == [int, float, float, int, int, int, int, int]


@pytest.mark.parametrize("less", [1e-5, 1e-10, 1e-200, 5e-324])
def test_not_the_least_bit_lies_outside_the_image(less):
    for ring in ([-less, 1, 9, 5, -less, 8], [1, -less, 9, -less, 5, 9], [-less, -less, 0, 9, 9, 9, 9, -less, 0, 5]):
        parts, _ = resolved([ring], WIDTH, HEIGHT)
        assert len(parts) == 1
        assert min(parts[0][0]) == 0
        assert exact_area(parts) == pytest.approx(exact_area([[ring]]), abs=1e-3)


def test_nothing_may_be_left():
    assert resolved([[1, 1, 5, 1, 5, 5], [0, 0, 9, 0, 9, 9, 0, 9]]) == ([], 0)
    assert resolved([[-9, 1, -5, 1, -5, 5]], WIDTH, HEIGHT) == ([], 0)
    assert exact_area([]) == 0


def test_an_edge_that_is_walked_twice_encloses_nothing():
    assert resolved([[-8, 0, -8, 6, 25, 6, -8, 6]], WIDTH, HEIGHT) == ([], 0)
    twice: Ring = [1, 1, 5, 1, 5, 5, 1, 5]
    assert exact_area([[twice + twice]]) == 0
    hole = [30, 30, 30, 40, 40, 40, 40, 30]
    # Right through the middle of what is left.
    assert exact_area([[[0, 0, *hole, 30, 30, 0, 0, 70, 0, 70, 70, 0, 70]]]) == 70 * 70 - 10 * 10


def test_many_crossings():
    # Over and over across a square: every other of the fields between is inside.
    ring: Ring = [number for n in range(0, 60, 2) for number in (n, 0, n + 1, 60)]
    ring += [number for n in range(0, 60, 2) for number in (60, n, 0, n + 1)]
    parts, area = resolved([ring], 40, 40)
    assert sum(net(ring) for part in parts for ring in part) == pytest.approx(exact_area(parts), abs=1e-3)
    inside = exact_area([[ring]]) + 40 * 40 - exact_area([[ring], [[0, 0, 40, 0, 40, 40, 0, 40]]])
    assert area == pytest.approx(inside, abs=1e-3)


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("step", [1, -1])
def test_the_order_of_the_corners_does_not_matter(first, step):
    corners = [(-3, 2), (15, 9), (15, 2), (-3, 9)]
    ring: Ring = [number for corner in (corners[first:] + corners[:first])[::step] for number in corner]
    parts, area = resolved([ring], WIDTH, HEIGHT)
    assert parts == [[[6, 5.5, 15, 2, 15, 9]], [[0, 3.166667, 6, 5.5, 0, 7.833333]]]
    assert area == pytest.approx(6 * 14 / 3 / 2 + 9 * 7 / 2)


@given(st.lists(RINGS, min_size=1, max_size=3))
def test_what_is_certainly_apart_needs_no_work(region):
    if apart(region):
        assert resolved(region)[0] == [region]


def test_holes_that_lie_apart_are_seen_to():
    outer = [0, 0, 18, 0, 18, 10, 0, 10]
    left, right = [2, 2, 2, 8, 8, 8, 8, 2], [9, 2, 9, 8, 16, 8]
    assert apart([outer])
    assert apart([outer, left])
    assert apart([outer, left, right])
    assert not apart([outer, left, [7, 2, 7, 8, 16, 8]])
    assert not apart([outer, left, [9, 2, 9, 8, 18, 8]])
    assert not apart([outer, [9, 2, 9, 8, 20, 8]])
    assert not apart([left, outer])


def test_a_face_that_ends_in_a_needle_counts():
    # Asked for a place in a face with an end of almost no width, GEOS may name a corner.
    rings = [
        [1, 4, 2.333333, 3, 3, 2.5, 3.857143, 1.857143, 5, 3, 4, 3.25, 4, 3, 3, 3, 3, 3.5],
        [2.75, 2.25, 3, 2, 4, 2, 5, 3, 3, 4, 3, 3],
    ]
    union = shapely.union_all([shapely.Polygon(np.reshape(ring, (-1, 2))) for ring in rings])
    assert exact_area([[ring] for ring in rings]) == pytest.approx(union.area, abs=1e-5)
