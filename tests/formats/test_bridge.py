"""Holes joined with their outline by bridges, and found again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.bridge import bridged, unbridged


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
