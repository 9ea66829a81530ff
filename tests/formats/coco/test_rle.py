from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from airflow_provider_fastlabel.formats.coco.rle import compress, encode_many
from tests.limits import run_limited

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

number = st.floats(-20, 80)
ring = st.lists(number, min_size=6, max_size=16).map(lambda values: values[: len(values) // 2 * 2])
shape = st.tuples(
    st.lists(st.lists(ring, min_size=1, max_size=3), min_size=1, max_size=3), st.integers(1, 60), st.integers(1, 60)
)


def decoded(text, height, width):
    if text is None:
        return np.zeros((height, width), dtype=bool)
    return coco_mask.decode({"size": [height, width], "counts": text}).astype(bool)


def by_definition(regions, height, width):
    """Test every pixel's centre against every ring."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    covered = np.zeros((height, width), dtype=bool)
    for region in regions:
        rings = [odd(one, xs, ys) for one in region]
        covered |= rings[0] & ~np.logical_or.reduce([np.zeros_like(covered), *rings[1:]])
    return covered


def odd(values, xs, ys):
    inside = np.zeros(xs.shape, dtype=bool)
    px, py = values[-2:]
    for qx, qy in zip(values[::2], values[1::2], strict=True):
        crosses = (qx > xs) != (px > xs)
        if crosses.any():
            inside ^= crosses & (ys < qy + (py - qy) * (xs - qx) / (px - qx))
        px, py = qx, qy
    return inside


def on_an_edge(regions, height, width):
    """Find the pixels whose centre an edge meets as far as numbers can tell: there either answer is right."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    met = np.zeros((height, width), dtype=bool)
    for values in (one for region in regions for one in region):
        corners = np.array(values).reshape(-1, 2)
        for (px, py), (qx, qy) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            length = (qx - px) ** 2 + (qy - py) ** 2
            along = np.clip(((xs - px) * (qx - px) + (ys - py) * (qy - py)) / (length or 1), 0, 1)
            met |= np.hypot(xs - px - along * (qx - px), ys - py - along * (qy - py)) < 1e-9
    return met


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@example([([[[0.0, 0.0, 42.893486878143236, 42.893486878143236, 0.0, 0.0]]], 13, 13)])
@given(st.lists(shape, min_size=1, max_size=4))
def test_pixels_are_those_whose_centre_is_inside(shapes):
    for (regions, height, width), text in zip(shapes, encode_many(shapes), strict=True):
        wrong = decoded(text, height, width) != by_definition(regions, height, width)
        assert not (wrong & ~on_an_edge(regions, height, width)).any()


@settings(deadline=None)
@given(st.lists(shape, min_size=1, max_size=4))
def test_text_is_the_one_pycocotools_writes(shapes):
    for (_, height, width), text in zip(shapes, encode_many(shapes), strict=True):
        if text is None:
            continue
        again = coco_mask.encode(np.asfortranarray(decoded(text, height, width).astype(np.uint8)))
        assert again["counts"].decode() == text


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40))
def test_every_length_can_be_written(lengths):
    text = compress(np.array(lengths, dtype=np.int64), np.array([0]))[0]
    values: list[int] = []
    value, shift = 0, 0
    for byte in text.encode():
        value |= ((byte - 48) & 0x1F) << shift
        shift += 5
        if not (byte - 48) & 0x20:
            value -= (1 << shift) if (byte - 48) & 0x10 else 0
            values.append(value + (values[-2] if len(values) > 2 else 0))
            value = shift = 0
    assert values == lengths


def test_whole_pixels_follow_the_borders():
    [text] = encode_many([([[[2, 2, 8, 2, 8, 6, 2, 6], [3, 3, 3, 5, 5, 5, 5, 3]]], 10, 10)])
    expected = np.zeros((10, 10), dtype=bool)
    expected[2:6, 2:8] = True
    expected[3:5, 3:5] = False
    assert (decoded(text, 10, 10) == expected).all()


def test_no_shapes_no_texts():
    assert encode_many([]) == []


@pytest.mark.parametrize(
    ("size", "counts", "outcome"),
    [
        ([65536, 65535], [0, 65536 * 65535], "1 taken"),
        ([1 << 20, 4095], [(1 << 31) - 1, 2, (1 << 20) * 4095 - (1 << 31) - 1], "1 taken"),
        ([16384, 16384], [1, 1] * 100_000 + [16384 * 16384 - 200_000], "1 taken"),
        ([1 << 20, 1 << 20], [0, 1 << 40], "which is too large"),
        ([10**18, 10**18], [0, 10**36], "which is too large"),
        ([10**9, 1], [0, 10**9], "which is too large"),
        ([30000, 30000], "PPYo1", "do not fill 30000 x 30000 pixels"),
        ([1 << 18, 1], [1] * (1 << 18), "1 taken"),
    ],
)
def test_a_forged_size_costs_what_the_runs_cost(tmp_path, size, counts, outcome):
    file = tmp_path / "annotations.json"
    file.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "width": size[1], "height": size[0]}],
                "categories": [{"id": 1, "name": "cat"}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
                     "segmentation": {"size": size, "counts": counts}},
                ],
            }
        )
    )  # fmt: skip
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.coco import read_coco
        read = read_coco({str(file)!r}, "segmentation")
        taken = sum(map(len, read.by_image.values()))
        print(taken, "taken", *read.problems, *read.notes)
        """,
        megabytes=500,
    )
    assert outcome in printed
