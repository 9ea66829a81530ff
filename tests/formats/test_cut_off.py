from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.cut_off import cut_off


def encoded(kind: str, **how: object) -> bytes:
    pixels = np.random.default_rng(7).integers(0, 255, (96, 128, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **how)
    return file.getvalue()


def with_preview(picture: bytes) -> bytes:
    """Put a small picture, with an end of its own, in front of the pixels, as cameras do."""
    preview = b"Exif\0\0" + encoded("JPEG")[:20_000]
    return picture[:2] + b"\xff\xe1" + (len(preview) + 2).to_bytes(2) + preview + picture[2:]


PICTURES = {
    "baseline": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True),
    "preview": with_preview(encoded("JPEG")),
    "png": encoded("PNG"),
}


@pytest.mark.parametrize("behind", [b"", b"\0" * 100, b"notes" * 100_000])
@pytest.mark.parametrize("picture", ["baseline", "preview", "png"])
def test_a_whole_picture_is_whole_whatever_stands_behind_it(picture, behind):
    assert cut_off(io.BytesIO(PICTURES[picture] + behind)) == ""


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_without_its_end_is_noticed(picture, share):
    whole = PICTURES[picture]
    assert cut_off(io.BytesIO(whole[: int(len(whole) * share)]))


def test_a_png_that_lacks_nothing_but_its_end_mark_is_whole():
    assert cut_off(io.BytesIO(PICTURES["png"][:-12])) == ""


def test_a_padded_jpeg_that_lacks_nothing_but_its_end_mark_is_whole():
    assert cut_off(io.BytesIO(PICTURES["baseline"][:-2] + b"\0" * 100)) == ""


def test_a_png_that_states_more_pixels_than_it_can_hold_takes_no_memory():
    claims = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (9_000).to_bytes(4) * 2 + b"\x08\x02\0\0\0"
    claims += zlib.crc32(claims[12:]).to_bytes(4) + b"\0\0\0\x20IDAT" + b"\0" * 8
    assert "cannot hold them" in (cut_off(io.BytesIO(claims)) or "")


@pytest.mark.parametrize("content", [b"", b"\xff", b"a text", encoded("WEBP")])
def test_what_is_neither_jpeg_nor_png_is_not_looked_at(content):
    assert cut_off(io.BytesIO(content)) is None


def test_a_jpeg_whose_header_has_no_end_is_not_followed():
    assert "segments or fill bytes" in (cut_off(io.BytesIO(b"\xff\xd8" + b"\xff" * 1_000_000)) or "")
