"""An image file is read as an array with the metadata that must survive, and written back."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from airflow_provider_fastlabel.formats.image_size import jpeg_segments
from airflow_provider_fastlabel.formats.picture_file import open_picture
from airflow_provider_fastlabel.regular_files import read_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_ORIENTATION = 0x0112
_LARGE = 1 << 26
# JPEG: bytes up to the end of the JFIF header, of a segment's content at most, and of a profile within one.
_JFIF, _SEGMENT, _ICC = 20, 65533, 65519
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass
class Picture:
    """An image's pixels, and what of the file must survive.

    :param pixels: rows by columns by 3 bytes: blue, green, red, the order in which OpenCV reads and writes.
    :param alpha: alpha channel, None if there is none.
    :param format: Pillow's name of the file format.
    :param saved: arguments for Pillow's ``save``: of a JPEG ``exif`` and ``icc_profile``, if it has them.
    """

    pixels: Pixels
    alpha: Image.Image | None
    format: str
    saved: dict[str, Any]

    @classmethod
    def read(cls, path: str | os.PathLike[str], size: tuple[int, int] = (0, 0)) -> Picture:
        """Read an image, turned as it is displayed.

        :param path: the file.
        :param size: width and height the annotations were made on, (0, 0) if not known.
        :returns: the picture.
        :raises OSError: no image, or a damaged one.
        """
        data = read_regular(path)
        if _is_plain(data) and (pixels := _colours(data)) is not None:
            return cls(pixels, None, "JPEG", {})
        with open_picture(io.BytesIO(data)) as image:
            kind = {None: "PNG", "MPO": "JPEG"}.get(image.format, image.format) or "PNG"
            saved: dict[str, Any] = {}
            if image.info.get("icc_profile") and image.mode in ("RGB", "RGBA"):
                saved["icc_profile"] = image.info["icc_profile"]
            turn = 1
            if kind == "TIFF":  # Pillow turns these itself
                # Fax codes know no colours.
                if image.mode != "1" and image.info.get("compression") not in (None, "raw"):
                    saved["compression"] = image.info["compression"]
            elif exif := image.getexif():
                turn = exif.get(_ORIENTATION, 1)
                if turn in (5, 6, 7, 8) and size == image.size != image.size[::-1]:
                    turn = 1
                else:
                    exif.pop(_ORIENTATION, None)
                if len(exif) and kind in ("JPEG", "PNG"):
                    saved["exif"] = exif.tobytes()
            return cls(*_decoded(image, data, turn), kind, saved)

    def encoded(self) -> Sequence[bytes | memoryview]:
        """Return the picture in its format.

        :returns: the file's content, in pieces.
        :raises ValueError: EXIF data that no JPEG can hold.
        :raises OSError: the format cannot hold the picture.
        """
        if self.format == "JPEG":
            jpeg = cv2.imencode(".jpg", self.pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].data
            return jpeg[:_JFIF], _segments(**self.saved), jpeg[_JFIF:]
        options = {"compress_level": 3} if self.format == "PNG" else {}
        height, width = self.pixels.shape[:2]
        image = Image.frombuffer("RGB", (width, height), self.pixels.tobytes(), "raw", "BGR", 0, 1)
        if self.alpha:
            image.putalpha(self.alpha)
        file = io.BytesIO()
        image.save(file, self.format, **options, **self.saved)
        return (file.getbuffer(),)


def _segments(exif: bytes = b"", icc_profile: bytes = b"") -> bytes:
    """Return metadata as they stand in a JPEG behind its JFIF header (Exif 2.32, 4.5.4; ICC.1:2022, annex B.4)."""
    pieces = [icc_profile[start : start + _ICC] for start in range(0, len(icc_profile), _ICC)]
    contents = [(b"\xff\xe1", exif)] if exif else []
    for number, piece in enumerate(pieces, 1):
        contents.append((b"\xff\xe2", b"ICC_PROFILE\0" + bytes((number, len(pieces))) + piece))
    if any(len(content) > _SEGMENT for _, content in contents):
        raise ValueError(f"its EXIF data have more than {_SEGMENT} bytes")
    return b"".join(kind + (len(content) + 2).to_bytes(2) + content for kind, content in contents)


def _is_plain(data: bytes) -> bool:
    """Whether it is a JPEG of three 8-bit channels with nothing to keep: no EXIF, no profile, no Adobe colours.

    The segments before the pixels are looked at, which takes a tenth of Pillow's time. Metadata come in application
    segments; a JFIF header (0xE0) says nothing but the resolution. Very large pictures are left to Pillow, which knows
    decompression bombs.
    """
    if data[:2] != b"\xff\xd8":
        return False
    file, fits = io.BytesIO(data), False
    try:
        for kind, _ in jpeg_segments(file):
            if kind in (0xC0, 0xC1, 0xC2):
                precision, height, width, channels = struct.unpack(">BHHB", file.read(6))
                fits = precision == 8 and channels == 3 and height * width <= _LARGE
            elif kind not in (0xC4, 0xDA, 0xDB, 0xDD, 0xE0, 0xFE):  # tables, pixels, header, comment
                return False
    except (ValueError, struct.error):
        return False
    return fits


def _colours(data: bytes) -> Pixels | None:
    """Return the pixels of an RGB image, not turned, or None if OpenCV cannot read it.

    A JPEG without its end mark is left to Pillow: before version 5, OpenCV shows what is missing of it as grey.
    """
    if data[:2] == b"\xff\xd8" and not data.endswith(b"\xff\xd9"):
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _decoded(image: Image.Image, data: bytes, turn: int) -> tuple[Pixels, Image.Image | None]:
    """Return an image's pixels and alpha channel, turned as its EXIF orientation says."""
    see_through = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    if image.mode == "RGB" and not see_through and turn not in _TURNS and image.format in ("JPEG", "PNG", "BMP"):
        pixels = _colours(data)
        if pixels is not None and pixels.shape[1::-1] == image.size:
            return pixels, None
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGBA" if see_through else "RGB")
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    array = np.asarray(image)
    if see_through:
        return np.asarray(cv2.cvtColor(array, cv2.COLOR_RGBA2BGR), np.uint8), image.getchannel("A")
    return np.asarray(cv2.cvtColor(array, cv2.COLOR_RGB2BGR), np.uint8), None
