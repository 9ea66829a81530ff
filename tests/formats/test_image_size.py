from __future__ import annotations

import contextlib
import io
import struct
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.image_size import image_size

SIDE = st.integers(1, 700)


def encoded(size: tuple[int, int], kind: str, orientation: int | None = None) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", size).save(buffer, kind, exif=exif)
    return buffer.getvalue()


@given(
    width=st.integers(1, 700), height=st.integers(1, 700), kind=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF"])
)
def test_sizes_are_those_an_image_library_reads(width, height, kind):
    assert image_size(io.BytesIO(encoded((width, height), kind))) == (width, height)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_on_its_side_has_the_size_it_is_shown_with(kind, orientation):
    expected = (20, 30) if orientation >= 5 else (30, 20)
    assert image_size(io.BytesIO(encoded((30, 20), kind, orientation))) == expected


@given(st.data())
def test_a_damaged_header_is_an_image_or_a_value_error(data):
    content = bytearray(encoded((30, 20), data.draw(st.sampled_from(["JPEG", "PNG"])), 6))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(), contextlib.suppress(ValueError):
        warnings.simplefilter("ignore")
        assert min(image_size(io.BytesIO(bytes(content[: data.draw(st.integers(1, len(content)))])))) > 0


def test_markers_may_be_filled_up():
    picture = encoded((30, 20), "JPEG")
    assert image_size(io.BytesIO(picture[:2] + b"\xff\xff\xff" + picture[2:])) == (30, 20)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\xff\xd8\xff\xe0\x00\x10JF",
    ],
)
def test_other_and_cut_off_files_are_refused(content):
    with pytest.raises(ValueError, match="image"):
        image_size(io.BytesIO(content))


def test_a_damaged_exif_block_counts_as_upright():
    picture = encoded((30, 20), "JPEG")
    damaged = b"Exif\0\0II*\0" + struct.pack("<I", 9999)
    block = b"\xff\xe1" + struct.pack(">H", len(damaged) + 2) + damaged
    assert image_size(io.BytesIO(picture[:2] + block + picture[2:])) == (30, 20)


_PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5x", 13, b"IHDR", 5, 5) + bytes(4)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + b"\xff" * 5_000_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000,
        _PNG + b"\0\0\0\0tEXt\0\0\0\0" * 100_000,
    ],
    ids=["fill bytes", "segments", "chunks"],
)
def test_a_header_without_end_is_left_after_some_steps(content):
    file = _Counted(content)
    with pytest.raises(ValueError, match=r"more than 20,000 .* before its pixels"):
        image_size(file)
    assert file.reads < 100_000


class _Counted(io.BytesIO):
    """Counts how often it is read."""

    reads = 0

    def read(self, size=-1):
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        b"P6 9 9 255\n" + bytes(243),
        b"/* XPM */\n" + b"\n" * 90_000,
    ],
    ids=["PostScript", "PPM", "XPM"],
)
def test_formats_that_no_data_set_has_are_not_opened_whatever_their_name(content, monkeypatch):
    monkeypatch.setattr("subprocess.check_call", lambda *_, **__: pytest.fail("Ghostscript was started"))
    with pytest.raises(ValueError, match="no image that can be read"):
        image_size(io.BytesIO(content))
