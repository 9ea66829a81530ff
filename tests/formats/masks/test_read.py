"""Masks traced along pixel borders: painting the rings gives back the same pixels."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pycocotools import mask as coco_mask

from airflow_provider_fastlabel.formats.coco.rle import run_lengths_to_mask
from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points, read_mask

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(bool, shape))


def painted(regions, shape):
    """Fill rings of level and upright edges by the even-odd rule, edge by edge."""
    pixels = np.zeros(shape, bool)
    for region in regions:
        one = np.zeros(shape, bool)
        for ring in region:
            corners = list(zip(ring[::2], ring[1::2], strict=True))
            for (x1, y1), (x2, y2) in pairwise(corners):
                if x1 == x2:
                    one[min(y1, y2) : max(y1, y2), x1:] ^= True
        pixels |= one
    return pixels


def turn(ring):
    xs, ys = ring[::2], ring[1::2]
    return sum(xs[n - 1] * ys[n] - xs[n] * ys[n - 1] for n in range(len(xs)))


def test_the_rectangle_of_the_reference():
    mask = np.zeros((8, 12))
    mask[2:6, 3:9] = 255
    assert mask_to_fastlabel_segmentation_points(mask) == [[[3, 2, 9, 2, 9, 6, 3, 6, 3, 2]]]


@given(MASKS)
def test_tracing_loses_no_pixel(mask):
    regions = mask_to_fastlabel_segmentation_points(mask)
    assert (painted(regions, mask.shape) == mask).all()
    assert len(regions) == cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1
    for outer, *holes in regions:
        assert turn(outer) > 0
        assert all(turn(hole) < 0 for hole in holes)
        assert all(ring[:2] == ring[-2:] for ring in (outer, *holes))


@given(MASKS)
def test_run_lengths_are_those_of_the_coco_api(mask):
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    unpacked = run_lengths_to_mask({"size": packed["size"], "counts": packed["counts"].decode()})
    assert (unpacked == mask).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGB", "RGBA", "LA"])
def test_pictures_of_every_mode(tmp_path, mode):
    pixels = np.zeros((6, 8), np.uint8)
    pixels[1:3, 2:5] = 255
    image = Image.fromarray(pixels)
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16))
    elif mode == "P":
        image = Image.fromarray((pixels > 0).astype(np.uint8))
        image.putpalette([255, 255, 255, 0, 0, 0])
    else:
        image = image.convert(mode)
    image.save(tmp_path / "m.png")
    assert mask_to_fastlabel_segmentation_points(tmp_path / "m.png") == [[[2, 1, 5, 1, 5, 3, 2, 3, 2, 1]]]


def test_an_empty_mask_has_no_regions():
    assert mask_to_fastlabel_segmentation_points(np.zeros((3, 3))) == []


def test_what_is_no_mask(tmp_path):
    with pytest.raises(ValueError, match="two dimensions"):
        mask_to_fastlabel_segmentation_points(np.zeros((3, 3, 3, 3)))
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"x\.png"):
        mask_to_fastlabel_segmentation_points(tmp_path / "x.png")


def test_an_index_mask_gives_one_annotation_per_index(tmp_path):
    pixels = np.zeros((4, 6), np.uint8)
    pixels[0:2, 0:2] = 3
    pixels[2:4, 2:6] = 7
    pixels[0, 5] = 9
    Image.fromarray(pixels).save(tmp_path / "a.png")
    result = read_mask(tmp_path / "a.png", {3: "dog", 7: "cat"}, image="sub/a.jpg")
    assert result.by_image == {
        "sub/a.jpg": [
            {"type": "segmentation", "value": "dog", "points": [[[0, 0, 2, 0, 2, 2, 0, 2, 0, 0]]]},
            {"type": "segmentation", "value": "cat", "points": [[[2, 2, 6, 2, 6, 4, 2, 4, 2, 2]]]},
        ]
    }
    assert [str(problem) for problem in result.problems] == [
        "a.png: index 9 has no annotation class; its area was left out"
    ]
    assert (result.problems[0].image, result.objects, result.read) == ("sub/a.jpg", {"sub/a.jpg": 2}, 3)


def test_a_picture_of_colours_holds_no_indexes(tmp_path):
    path = tmp_path / "colours.png"
    Image.fromarray(np.array([[[0, 0, 0], [128, 0, 0]], [[0, 128, 0], [0, 0, 0]]], np.uint8)).save(path)
    with pytest.raises(ValueError, match=r"'colours.png' is a picture of colours"):
        read_mask(path, {1: "dog", 2: "cat"})
    assert len(mask_to_fastlabel_segmentation_points(path)) == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_grey_mask_saved_with_more_channels_keeps_its_indexes(tmp_path, mode):
    path = tmp_path / "grey.png"
    Image.fromarray(np.array([[0, 7], [7, 9]], np.uint8)).convert(mode).save(path)
    result = read_mask(path, {7: "dog", 9: "cat"})
    assert result.problems == []
    assert [one["value"] for one in result.by_image["grey.png"]] == ["dog", "cat"]


def test_numbers_with_decimals_are_no_indexes():
    with pytest.raises(ValueError, match="whole numbers"):
        read_mask(np.array([[0.0, 1.5]]), {1: "dog"})


def test_a_mask_too_large_to_unpack_is_named(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    Image.new("L", (40, 40)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(ValueError, match=r"'bomb.png' cannot be read as a mask"):
        read_mask(path, {1: "dog"})


def test_a_mask_that_is_postscript_starts_no_interpreter(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(ValueError, match=r"'a\.png' cannot be read as a mask"):
        mask_to_fastlabel_segmentation_points(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_size_that_a_file_cannot_hold_takes_no_memory(tmp_path, kind):
    out = io.BytesIO()
    Image.new("P", (12, 9)).save(out, kind)
    data = bytearray(out.getvalue())
    if kind == "GIF":
        data[6:10] = struct.pack("<HH", 9000, 9000)
    else:
        data[16:24] = struct.pack(">II", 9000, 9000)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "a.png").write_bytes(data)
    why = rf"'a\.png' cannot be read as a mask: it states 9000 x 9000 pixels and has {len(data)} bytes"
    with pytest.raises(ValueError, match=why):
        mask_to_fastlabel_segmentation_points(tmp_path / "a.png")
