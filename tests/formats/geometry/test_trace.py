"""The borders of masks, by their pixels and by their runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from airflow_provider_fastlabel.formats.geometry.runs import Runs
from airflow_provider_fastlabel.formats.geometry.trace import (
    NoisyMaskError,
    _regions,
    _rings,
    label_points,
    mask_points,
    run_points,
)
from tests.limits import run_limited

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


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=20), elements=st.integers(0, 150)))
def test_many_labels_are_traced_as_each_alone(labels):
    wanted = [int(label) for label in np.unique(labels)]
    assert label_points(labels, wanted) == [mask_points(labels == label) for label in wanted]


def test_a_label_image_of_thousands_of_labels_costs_what_its_pixels_cost():
    printed = run_limited(
        """
        import numpy as np
        from airflow_provider_fastlabel.formats.masks import read_mask
        labels = np.arange(1 << 18, dtype=np.uint32).reshape(512, 512) // 64
        labels = labels.astype(np.uint16)
        print(len(read_mask(labels, dict.fromkeys(range(4096), "x")).by_image["mask"]))
        """,
        megabytes=400,
    )
    assert printed == "4095"


def test_a_small_picture_file_of_many_pixels_is_traced_by_its_runs(tmp_path):
    picture = np.zeros((13_000, 13_000), dtype=np.uint8)
    picture[1:-1, 1:-1] = 1
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 1_000_000
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points
        print(mask_to_fastlabel_segmentation_points({str(tmp_path / "a.png")!r}))
        """
    )
    assert printed.endswith("[[[1, 1, 12999, 1, 12999, 12999, 1, 12999, 1, 1]]]")


@pytest.mark.parametrize("side", [900, 9_000])
def test_a_small_picture_file_of_noise_is_refused(tmp_path, side):
    (tmp_path / "masks").mkdir()
    (tmp_path / "images").mkdir()
    row = np.arange(side, dtype=np.uint8) % 2
    noise = np.where(row[:, np.newaxis] == row, np.uint8(255), np.uint8(0))
    Image.fromarray(noise).convert("1").save(tmp_path / "masks/a.png")
    Image.fromarray(noise).convert("1").save(tmp_path / "images/a.png")
    assert (tmp_path / "masks/a.png").stat().st_size < 50_000
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points, read_masks
        found = read_masks({str(tmp_path)!r}, {{1: "x"}})
        (problem,) = found.problems
        print(problem, problem.lost)
        try:
            mask_to_fastlabel_segmentation_points({str(tmp_path / "masks/a.png")!r})
        except ValueError as error:
            print(error)
        """,
        megabytes=900,
    )
    assert printed.count("1,000,000 are the most: noise, not areas") == 2
    assert "index 1: the mask cannot be traced" in printed


@pytest.mark.parametrize("areas", [4, 100])
def test_noise_beside_areas_is_lost_alone(tmp_path, areas):
    """One index of noise lost all the others; many of them must not cost more than a few."""
    side = 3_000
    labels = np.zeros((side, side), np.uint8)
    odd = np.arange(side) % 2
    checks = odd[:, np.newaxis] == odd
    for number in range(8):
        labels[number * 250 : (number + 1) * 250][checks[number * 250 : (number + 1) * 250]] = 201 + number
    labels[:2_000:2, 2_900:] = 0
    for number in range(areas):
        labels[2_100 + number // 10 * 60, 10 + number % 10 * 60 : 50 + number % 10 * 60] = number + 1
    (tmp_path / "masks").mkdir()
    Image.fromarray(labels).save(tmp_path / "masks/a.png")
    Image.new("L", (side, side)).save(tmp_path / "a.png")
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.masks import read_mask, read_masks
        values = {{index: "x" for index in range(1, 255)}}
        for found in (read_masks({str(tmp_path)!r}, values), read_mask({str(tmp_path / "masks/a.png")!r}, values)):
            print(len(found.by_image["a.png"]), sum(each.lost for each in found.problems))
            print(*(str(problem) for problem in found.problems), sep="\\n")
        """,
        seconds=60,
    )
    assert printed.count(f"{areas} 8") == 2
    assert "index 201: the mask cannot be traced" in printed


def test_run_lengths_of_noise_are_refused():
    bounds = np.arange(4_000_000, dtype=np.int64)
    with pytest.raises(NoisyMaskError, match="2,000,000 corners or more"):
        run_points(bounds, 4_000)


def test_many_labels_of_a_large_picture_cost_little_more_than_it(tmp_path):
    labels = np.repeat(np.arange(1, 101, dtype=np.uint8), 70)[:, np.newaxis].repeat(7_000, axis=1)
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 1_000_000
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.masks import read_mask
        found = read_mask({str(tmp_path / "a.png")!r}, dict.fromkeys(range(101), "x")).by_image["a.png"]
        print(len(found), found[-1]["points"])
        """,
        megabytes=600,
    )
    assert printed == "100 [[[0, 6930, 7000, 6930, 7000, 7000, 0, 7000, 0, 6930]]]"
