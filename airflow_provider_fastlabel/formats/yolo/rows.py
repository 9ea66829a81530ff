"""Shapes become the text of YOLO rows, many at once: numpy's cost is per call, Python's is per number.

Every number is a share of the image's width or height, rounded half up to 6 decimals and written with all of them, so
each takes the same eight characters. What the rows of each kind hold says :mod:`.yolo`.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from airflow_provider_fastlabel.formats.geometry.holes import bridged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.geometry.shapes import Shape
    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.formats.writing.stage import Labelled

_ONE = 1_000_000
# A number and what follows it: a blank, or the end of the line.
_CELL = np.dtype([("number", "<u8"), ("end", "u1")])
# "0.000" to "0.999" and "1.000", and the three decimals after them, as the eight bytes of a number.
_HEADS = np.frombuffer(b"".join(b"%d.%03d\0\0\0" % divmod(n, 1000) for n in range(1001)), "<u8")
_TAILS = np.frombuffer(b"".join(b"\0\0\0\0\0%03d" % n for n in range(1000)), "<u8")


class Rows:
    """Collects the rows of some tasks and makes their text.

    :param task: kind of the rows: ``detect``, ``segment``, ``pose`` or ``obb``.
    :param classes: the classes, which say what keypoints a pose has.
    :param report: where changes are counted.

    :ivar keys: keypoints of each class, in their order.
    :ivar keypoints: keypoints in each row, the most any class has; 0 but for ``pose``.
    """

    def __init__(self, task: str, classes: ClassMap, report: ExportReport) -> None:
        self._report = report
        self._add: Callable[[int, Shape], None] = {
            "detect": self._detect,
            "segment": self._segment,
            "pose": self._pose,
            "obb": self._obb,
        }[task]
        self.keys: list[list[str]] = [[keypoint.key for keypoint in one.keypoints] for one in classes]
        self._heads = [b"%d " % number for number in range(len(classes))]
        self.keypoints: int = max(map(len, self.keys), default=0) if task == "pose" else 0
        self._forget()

    def _forget(self) -> None:
        """Begin anew."""
        # Of all rows the numbers in pixels; of each row its class, its end among the numbers, a pose's visibilities.
        self._pixels = array("d")
        self._class_ids: list[int] = []
        self._ends: list[int] = []
        self._visible: list[list[int]] = []
        # Of each task its last row's end among the rows and among the points, and its image's size.
        self._row_ends = [0]
        self._point_ends = [0]
        self._sizes: list[tuple[float, float]] = []

    def __len__(self) -> int:
        """Return how many numbers wait."""
        return len(self._pixels)

    def add(self, found: Sequence[Labelled], width: float, height: float) -> None:
        """Collect a task's rows.

        :param found: its shapes.
        :param width: its image's width in pixels; may be 0 if there are no shapes.
        :param height: its image's height.
        """
        self._sizes.append((width or 1, height or 1))
        for _, class_id, shape in found:
            self._add(class_id, shape)
        self._row_ends.append(len(self._class_ids))
        self._point_ends.append(len(self._pixels) // 2)

    def texts(self) -> list[bytes]:
        """Make the text of all tasks that were added, and forget them.

        :returns: one text per task, in their order.
        """
        cells = memoryview(self._cells().tobytes())
        size = _CELL.itemsize
        pieces: list[bytes | memoryview] = []
        for class_id, (start, end) in zip(self._class_ids, pairwise([0, *self._ends]), strict=True):
            pieces.append(self._heads[class_id])
            pieces.append(cells[size * start : size * end])
        for number, visible in enumerate(self._visible):
            pieces[2 * number + 1] = _with_visibility(bytes(pieces[2 * number + 1]), visible)
        texts = [b"".join(pieces[2 * start : 2 * end]) for start, end in pairwise(self._row_ends)]
        self._forget()
        return texts

    def _cells(self) -> NDArray[np.void]:
        """Turn pixels into shares and shares into text."""
        with np.errstate(over="ignore"):  # forged sizes, and turned boxes that lie far outside of the image
            factors = np.minimum(_ONE / np.array(self._sizes, np.float64).reshape(-1, 2), 1e300)
            factors = np.repeat(factors, np.diff(self._point_ends), axis=0)
            shares = np.frombuffer(self._pixels).reshape(-1, 2) * factors + 0.5
        millionths = np.clip(shares, 0, _ONE + 0.5).ravel().astype(np.intp)
        heads = millionths // 1000
        cells = np.empty(len(millionths), _CELL)
        cells["number"] = _HEADS[heads] | _TAILS[millionths - 1000 * heads]
        cells["end"] = ord(" ")
        cells["end"][np.array(self._ends, int) - 1] = ord("\n")
        return cells

    def _row(self, class_id: int, numbers: list[float]) -> None:
        """Collect one row."""
        self._pixels.fromlist(numbers)
        self._class_ids.append(class_id)
        self._ends.append(len(self._pixels))

    def _detect(self, class_id: int, shape: Shape) -> None:
        if shape.kind != "bbox":
            self._report.adjust(f"{shape.kind}_as_box")
        elif shape.rotation:
            self._report.adjust("rotation_as_box")
        self._row(class_id, self._box(shape))

    def _segment(self, class_id: int, shape: Shape) -> None:
        outlines = shape.outlines()
        if len(outlines) > 1:
            self._report.adjust("extra_rows", len(outlines) - 1)
        if shape.holes:
            self._report.adjust("holes_bridged", shape.holes)
            outlines = [bridged(region) for region in shape.regions]
        for outline in outlines:
            self._row(class_id, outline)

    def _obb(self, class_id: int, shape: Shape) -> None:
        corners = shape.corners()
        if shape.clipped and shape.rotation:
            width, height = self._sizes[-1]
            xs, ys = np.clip(corners[::2], 0, width), np.clip(corners[1::2], 0, height)
            doubled = abs(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1))
            if doubled < shape.area:
                self._report.adjust("rotation_as_box")
                corners = [shape.x1, shape.y1, shape.x2, shape.y1, shape.x2, shape.y2, shape.x1, shape.y2]
        self._row(class_id, corners)

    def _pose(self, class_id: int, shape: Shape) -> None:
        keypoints = [shape.keypoints.get(key, (0, 0, 0)) for key in self.keys[class_id]]
        missing = len(shape.keypoints) - sum(keypoint[2] > 0 for keypoint in keypoints)
        if missing:
            self._report.adjust("keypoints_unknown", missing)
        keypoints += [(0, 0, 0)] * (self.keypoints - len(keypoints))
        self._row(class_id, self._box(shape) + [number for keypoint in keypoints for number in keypoint[:2]])
        self._visible.append([keypoint[2] for keypoint in keypoints])

    def _box(self, shape: Shape) -> list[float]:
        """Centre and size in pixels; a size is never rounded to nothing."""
        width, height = self._sizes[-1]
        x1, y1, x2, y2 = shape.x1, shape.y1, shape.x2, shape.y2
        return [(x1 + x2) / 2, (y1 + y2) / 2, max(x2 - x1, width / _ONE), max(y2 - y1, height / _ONE)]


def _with_visibility(row: bytes, visible: list[int]) -> bytes:
    """Put the visibility behind each keypoint of a pose."""
    words = row.split()
    points = [b"%b %b %d" % (words[2 * n + 4], words[2 * n + 5], shown) for n, shown in enumerate(visible)]
    return b" ".join([*words[:4], *points]) + b"\n"
