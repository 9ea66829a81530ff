"""Pictures as arrays: reading with the metadata that must survive, drawing shapes with transparency, writing back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry import Shape

# Opacity of 255, as FastLabel draws.
_FILL, _LINE, _AREA, _OPAQUE = 50, 200, 100, 255
_POSE_SIZE = 7
_ORIENTATION = 0x0112
# OpenCV draws at sixteenths of a pixel; beyond these coordinates its 32-bit numbers would overflow.
_SHIFT, _FAR = 4, 1e6
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Marker(NamedTuple):
    """One annotation to draw.

    :param shape: Its geometry.
    :param colour: Red, green, blue, 0 to 255.
    :param edges: Pose: keypoint key -> keys it is joined with.
    """

    shape: Shape
    colour: tuple[int, int, int]
    edges: Mapping[str, Sequence[str]]


@dataclass
class Picture:
    """An image's pixels, and what of the file must survive.

    :param pixels: Rows by columns by 3 (RGB) or 4 (RGBA) bytes.
    :param format: Pillow's name of the file format.
    :param saved: Arguments for Pillow's ``save``.
    """

    pixels: NDArray[np.uint8]
    format: str
    saved: dict[str, Any]

    @classmethod
    def read(cls, path: Path, size: tuple[int, int] = (0, 0)) -> Picture:
        """Read an image, turned as it is displayed.

        :param path: The file.
        :param size: Width and height the annotations were made on, (0, 0) if not known.
        :returns: The picture.
        :raises OSError: No image, or a damaged one.
        """
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            kind = {None: "PNG", "MPO": "JPEG"}.get(image.format, image.format) or "PNG"
            saved: dict[str, Any] = {}
            if image.info.get("icc_profile") and image.mode in ("RGB", "RGBA"):
                saved["icc_profile"] = image.info["icc_profile"]
            turn = 1
            if kind == "TIFF":  # Pillow turns these itself
                if image.info.get("compression") not in (None, "raw"):
                    saved["compression"] = image.info["compression"]
            elif exif := image.getexif():
                turn = exif.get(_ORIENTATION, 1)
                if turn in (5, 6, 7, 8) and size == image.size != image.size[::-1]:
                    turn = 1
                else:
                    exif.pop(_ORIENTATION, None)
                if len(exif) and kind in ("JPEG", "PNG"):
                    saved["exif"] = exif.tobytes()
            pixels = _decoded(image, data, turn)
        return cls(pixels, kind, saved)

    def write(self, path: Path) -> None:
        """Write the picture in its format.

        :param path: The file.
        """
        if self.format == "JPEG" and not self.saved:
            colours = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR)
            path.write_bytes(cv2.imencode(".jpg", colours, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
            return
        options = {"JPEG": {"quality": 95}, "PNG": {"compress_level": 3}}.get(self.format, {})
        file = io.BytesIO()
        Image.fromarray(self.pixels).save(file, self.format, **options, **self.saved)
        path.write_bytes(file.getvalue())


def _decoded(image: Image.Image, data: bytes, turn: int) -> NDArray[np.uint8]:
    """Return an image's pixels, turned as its EXIF orientation says."""
    if image.mode == "RGB" and turn not in _TURNS and image.format in ("JPEG", "PNG", "BMP"):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        if pixels is not None and pixels.shape[1::-1] == image.size:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels), dtype=np.uint8)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    see_through = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    image = image.convert("RGBA" if see_through else "RGB")
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    return np.array(image)


def draw(pixels: NDArray[np.uint8], markers: Sequence[Marker]) -> None:
    """Draw annotations onto an image, in their order.

    :param pixels: Rows by columns by 3 or 4 bytes; changed in place, an alpha channel stays as it is.
    :param markers: The annotations.
    """
    height, width = pixels.shape[:2]
    stroke = max(min(width, height) // 300, 1)
    for marker in markers:
        shape = marker.shape
        margin = 2 + max(stroke, _POSE_SIZE if shape.kind == "pose_estimation" else 2)
        left, top = max(int(shape.x1) - margin, 0), max(int(shape.y1) - margin, 0)
        right, bottom = min(int(shape.x2) + margin + 1, width), min(int(shape.y2) + margin + 1, height)
        if left >= right or top >= bottom:
            continue
        cover = np.zeros((bottom - top, right - left), np.uint8)
        drawer, opacities = _DRAWERS[shape.kind]
        drawer(_Pen(cover, left, top, stroke), marker)
        _blend(pixels[top:bottom, left:right, :3], cover, marker.colour, opacities)


def _blend(
    window: NDArray[np.uint8], cover: NDArray[np.uint8], colour: tuple[int, int, int], opacities: Sequence[int]
) -> None:
    """Lay a colour over part of an image, as densely as the cover says.

    :param window: The part; changed in place.
    :param cover: Opacity of each pixel.
    :param colour: Red, green, blue.
    :param opacities: What the cover holds beside 0.
    """
    rgb = window.copy()
    plane = np.empty_like(rgb)
    cv2.rectangle(plane, (0, 0), (plane.shape[1], plane.shape[0]), colour, cv2.FILLED)
    for opacity in opacities:
        mixed = cv2.addWeighted(rgb, 1 - opacity / 255, plane, opacity / 255, 0)
        cv2.copyTo(mixed, cv2.inRange(cover, opacity, opacity), rgb)
    window[:] = rgb


class _Pen:
    """Draws opacity into a window of the image.

    :param cover: The window.
    :param left: x of its first column.
    :param top: y of its first row.
    :param stroke: Width of lines.
    """

    def __init__(self, cover: NDArray[np.uint8], left: int, top: int, stroke: int) -> None:
        self.cover = cover
        self.stroke = stroke
        # FastLabel's coordinates lie on pixel borders, OpenCV's on pixel centres.
        self._offset = np.array([left + 0.5, top + 0.5])

    def _points(self, flat: Sequence[float]) -> NDArray[np.int32]:
        """Return flat coordinates as OpenCV's points."""
        points = np.asarray(flat, np.float64).reshape(-1, 2) - self._offset
        scaled: NDArray[np.int32] = np.rint(np.clip(points, -_FAR, _FAR) * (1 << _SHIFT)).astype(np.int32)
        return scaled

    def fill(self, rings: Sequence[Sequence[float]], opacity: int) -> None:
        """Fill rings by the even-odd rule."""
        cv2.fillPoly(self.cover, [self._points(ring) for ring in rings], opacity, cv2.LINE_8, _SHIFT)

    def line(self, flat: Sequence[float], opacity: int, *, closed: bool = False, width: int = 0) -> None:
        """Draw a line through points."""
        points = [self._points(flat)]
        cv2.polylines(self.cover, points, closed, opacity, width or self.stroke, cv2.LINE_8, _SHIFT)

    def disc(self, x: float, y: float, radius: float, opacity: int) -> None:
        """Fill a circle."""
        (centre,) = self._points([x, y])
        size = int(min(radius, _FAR) * (1 << _SHIFT))
        cv2.circle(self.cover, (int(centre[0]), int(centre[1])), size, opacity, cv2.FILLED, cv2.LINE_8, _SHIFT)


def _outlined(pen: _Pen, marker: Marker) -> None:
    """Draw a box or polygon: filled, with an outline."""
    for region in marker.shape.regions:
        pen.fill(region, _FILL)
        for ring in region:
            pen.line(ring, _LINE, closed=True)


def _area(pen: _Pen, marker: Marker) -> None:
    """Draw a segmentation: filled, without its holes."""
    for region in marker.shape.regions:
        pen.fill(region, _AREA)


def _line(pen: _Pen, marker: Marker) -> None:
    """Draw a line."""
    pen.line(marker.shape.points, _LINE)


def _keypoint(pen: _Pen, marker: Marker) -> None:
    """Draw a keypoint."""
    x, y = marker.shape.points
    pen.disc(x, y, max(pen.stroke, 2), _LINE)


def _circle(pen: _Pen, marker: Marker) -> None:
    """Draw a circle."""
    x, y, radius = marker.shape.points
    pen.disc(x, y, radius, _LINE)


def _pose(pen: _Pen, marker: Marker) -> None:
    """Draw a pose: its edges between keypoints that are set, and the keypoints on top."""
    size = max(pen.stroke, _POSE_SIZE)
    keypoints = marker.shape.keypoints
    for key, others in marker.edges.items():
        for other in others:
            if key in keypoints and other in keypoints:
                pen.line([*keypoints[key][:2], *keypoints[other][:2]], _LINE, width=size)
    for x, y, _ in keypoints.values():
        pen.disc(x, y, size, _OPAQUE)


_DRAWERS = {
    "bbox": (_outlined, (_FILL, _LINE)),
    "polygon": (_outlined, (_FILL, _LINE)),
    "segmentation": (_area, (_AREA,)),
    "line": (_line, (_LINE,)),
    "keypoint": (_keypoint, (_LINE,)),
    "circle": (_circle, (_LINE,)),
    "pose_estimation": (_pose, (_LINE, _OPAQUE)),
}
