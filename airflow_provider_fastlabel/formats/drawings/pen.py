"""A pen draws shapes into a picture, with the opacity FastLabel draws with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Shape

    Pixels = NDArray[np.uint8]

# Opacity as FastLabel draws; a keypoint of a pose is opaque.
_FILL, _LINE, _AREA = 50 / 255, 200 / 255, 100 / 255
_POSE_SIZE = 7
# OpenCV draws at sixteenths of a pixel; beyond these coordinates its 32-bit numbers would overflow.
_SHIFT, _FAR = 4, 1e6


class Marker(NamedTuple):
    """One annotation to draw.

    :param shape: its geometry.
    :param colour: red, green, blue, 0 to 255.
    :param edges: pose: keypoint key -> keys it is joined with.
    """

    shape: Shape
    colour: tuple[int, int, int]
    edges: Mapping[str, Sequence[str]]


def draw(pixels: Pixels, markers: Sequence[Marker]) -> None:
    """Draw annotations onto an image, in their order.

    :param pixels: rows by columns by 3 bytes: blue, green, red; changed in place.
    :param markers: the annotations.
    """
    height, width = pixels.shape[:2]
    stroke = max(min(width, height) // 300, 1)
    _desk.fit(pixels)
    for marker in markers:
        shape = marker.shape
        margin = 2 + max(stroke, _POSE_SIZE if shape.kind == "pose_estimation" else 2)
        left, top = max(int(shape.x1) - margin, 0), max(int(shape.y1) - margin, 0)
        right, bottom = min(int(shape.x2) + margin + 1, width), min(int(shape.y2) + margin + 1, height)
        if left < right and top < bottom:
            window = pixels[top:bottom, left:right]
            _DRAWERS[shape.kind](_Pen(window, left, top, marker.colour[::-1], stroke), marker)


class _Desk(threading.local):
    """Memory in which one thread draws: asking the system for it for every shape would cost more than the drawing."""

    def __init__(self) -> None:
        self.paint = self.mixed = self.mask = np.empty(0, np.uint8)

    def fit(self, pixels: Pixels) -> None:
        """Make it large enough for a picture."""
        if self.paint.size < pixels.size:
            self.paint = np.empty(pixels.size, np.uint8)
            self.mixed = np.empty(pixels.size, np.uint8)
            self.mask = np.empty(pixels.size // 3, np.uint8)


_desk = _Desk()


class _Pen:
    """Draws one marker into a window of the image.

    What the marker covers is painted densely into a copy of the window, which is then mixed with the window.

    :param window: the window; changed in place.
    :param left: x of its first column.
    :param top: y of its first row.
    :param colour: blue, green, red.
    :param stroke: width of lines.
    """

    def __init__(self, window: Pixels, left: int, top: int, colour: Sequence[int], stroke: int) -> None:
        self.window = window
        self.stroke = stroke
        self._colour = colour
        self._paint = _desk.paint[: window.size].reshape(window.shape)
        self._paint[:] = window
        # FastLabel's coordinates lie on pixel borders, OpenCV's on pixel centres.
        self._offset = np.array([left + 0.5, top + 0.5])

    def points(self, flat: Sequence[float]) -> NDArray[np.int32]:
        """Return flat coordinates as OpenCV's points."""
        points = np.array(flat, np.float64).reshape(-1, 2)
        points -= self._offset
        np.minimum(np.maximum(points, -_FAR, out=points), _FAR, out=points)
        points *= 1 << _SHIFT
        return np.rint(points, out=points).astype(np.int32)

    def fill(self, rings: Sequence[NDArray[np.int32]]) -> None:
        """Fill rings by the even-odd rule."""
        cv2.fillPoly(self._paint, rings, self._colour, cv2.LINE_8, _SHIFT)

    def line(self, lines: Sequence[NDArray[np.int32]], *, width: int = 0) -> None:
        """Draw lines through points."""
        cv2.polylines(self._paint, lines, False, self._colour, width or self.stroke, cv2.LINE_8, _SHIFT)

    def disc(self, centre: NDArray[np.int32], radius: float, *, opaque: bool = False) -> None:
        """Fill a circle.

        :param centre: one of :meth:`points`.
        :param radius: pixels.
        :param opaque: into the window itself, rather than to be mixed with it.
        """
        target = self.window if opaque else self._paint
        size = int(min(radius, _FAR) * (1 << _SHIFT))
        cv2.circle(target, centre.tolist(), size, self._colour, cv2.FILLED, cv2.LINE_8, _SHIFT)

    def blend(self, opacity: float) -> None:
        """Mix what was painted with the window."""
        cv2.addWeighted(self.window, 1 - opacity, self._paint, opacity, 0, dst=self.window)

    def blend_outlined(self, rings: Sequence[NDArray[np.int32]]) -> None:
        """Mix what was painted with the window as a filling, and lines along the rings more densely."""
        window, paint = self.window, self._paint
        height, width = window.shape[:2]
        filled = _desk.mixed[: window.size].reshape(window.shape)
        outline = _desk.mask[: height * width].reshape(height, width)
        cv2.addWeighted(window, 1 - _FILL, paint, _FILL, 0, dst=filled)
        outline.fill(0)
        cv2.polylines(outline, rings, True, 255, self.stroke, cv2.LINE_8, _SHIFT)
        cv2.polylines(paint, rings, True, self._colour, self.stroke, cv2.LINE_8, _SHIFT)
        cv2.addWeighted(window, 1 - _LINE, paint, _LINE, 0, dst=paint)
        cv2.copyTo(paint, outline, filled)
        window[:] = filled


def _outlined(pen: _Pen, marker: Marker) -> None:
    """Draw a box or polygon: filled, with an outline."""
    regions = [[pen.points(ring) for ring in region] for region in marker.shape.regions]
    for region in regions:
        pen.fill(region)
    pen.blend_outlined([ring for region in regions for ring in region])


def _area(pen: _Pen, marker: Marker) -> None:
    """Draw a segmentation: filled, without its holes."""
    for region in marker.shape.regions:
        pen.fill([pen.points(ring) for ring in region])
    pen.blend(_AREA)


def _line(pen: _Pen, marker: Marker) -> None:
    """Draw a line."""
    pen.line([pen.points(marker.shape.points)])
    pen.blend(_LINE)


def _keypoint(pen: _Pen, marker: Marker) -> None:
    """Draw a keypoint."""
    pen.disc(pen.points(marker.shape.points)[0], max(pen.stroke, 2))
    pen.blend(_LINE)


def _circle(pen: _Pen, marker: Marker) -> None:
    """Draw a circle."""
    x, y, radius = marker.shape.points
    pen.disc(pen.points([x, y])[0], radius)
    pen.blend(_LINE)


def _pose(pen: _Pen, marker: Marker) -> None:
    """Draw a pose: its edges between keypoints that are set, and the keypoints on top."""
    size = max(pen.stroke, _POSE_SIZE)
    keypoints = marker.shape.keypoints
    numbers = {key: number for number, key in enumerate(keypoints)}
    points = pen.points([number for x, y, _ in keypoints.values() for number in (x, y)])
    edges = [
        (numbers[key], numbers[other])
        for key, others in marker.edges.items()
        if key in numbers
        for other in others
        if other in numbers
    ]
    if edges:
        pen.line(list(points[edges]), width=size)
        pen.blend(_LINE)
    for point in points:
        pen.disc(point, size, opaque=True)


_DRAWERS = {
    "bbox": _outlined,
    "polygon": _outlined,
    "segmentation": _area,
    "line": _line,
    "keypoint": _keypoint,
    "circle": _circle,
    "pose_estimation": _pose,
}
