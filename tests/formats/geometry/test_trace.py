"""The borders of masks, by their pixels and by their runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from airflow_provider_fastlabel.formats.geometry.runs import Runs
from airflow_provider_fastlabel.formats.geometry.trace import _regions, _rings, mask_points, run_points

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


def bounds_of(mask):
    filled = np.concatenate(([0], mask.T.ravel().astype(np.int8), [0]))
    return np.flatnonzero(np.diff(filled)).astype(np.int64)


@given(masks, st.integers(1, 4))
def test_runs_and_pixels_have_the_same_borders(mask, times):
    mask = np.repeat(mask, times, axis=1)
    bounds = bounds_of(mask)
    assert run_points(bounds, len(mask)) == mask_points(mask)
    if len(bounds):
        runs = Runs(bounds, len(mask))
        assert _regions(_rings(*runs.corners()), runs.part_of) == mask_points(mask)


def test_a_large_mask_is_traced_by_its_runs_and_the_same():
    y, x = np.mgrid[:1500, :1500]
    mask = (x - 700) ** 2 + (y - 800) ** 2 < 600**2
    mask &= (x - 700) ** 2 + (y - 900) ** 2 > 90**2
    mask[1400:, 1400:] = True
    assert run_points(bounds_of(mask), 1500) == mask_points(mask)


@pytest.mark.parametrize(
    ("bounds", "height", "regions"),
    [
        ([], 5, []),
        ([0, 1 << 32], 1 << 16, [[[0, 0, 65536, 0, 65536, 65536, 0, 65536, 0, 0]]]),
        ([0, 1 << 20], 1, [[[0, 0, 1 << 20, 0, 1 << 20, 1, 0, 1, 0, 0]]]),
    ],
)
def test_what_is_between_a_few_runs_costs_nothing(bounds, height, regions):
    assert run_points(np.array(bounds, dtype=np.int64), height) == regions
