"""A set of texts in little room says of each text what a plain set says."""

from __future__ import annotations

import tracemalloc

import pytest

from airflow_provider_fastlabel.seen import FEW, Seen


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_it_is_a_set_of_texts(count):
    seen = Seen(f"folder/{number}.jpg" for number in range(count))
    assert not any(seen.add(f"folder/{number}.jpg") for number in range(0, count, 7))
    assert len(seen) == count
    assert all(f"folder/{number}.jpg" in seen for number in range(count))
    assert not any(f"folder/{number}.png" in seen for number in range(count))


def test_many_take_little_memory():
    tracemalloc.start()
    try:
        seen = Seen(f"folder/of/a/camera/with/a/long/name/{number}.jpg" for number in range(100_000))
        assert len(seen) == 100_000
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()


def test_half_a_surrogate_pair_is_a_text_too():
    seen = Seen(map(str, range(FEW + 1)))
    assert seen.add("\ud800")
    assert "\ud800" in seen
