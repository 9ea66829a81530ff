"""A row of a YOLO label file becomes an annotation, in pixels of its picture.

Rows are ``class cx cy w h``, ``class x1 y1 x2 y2 …`` (outline), ``class cx cy w h`` and keypoints (pose), or
``class`` and four corners (OBB), all as shares of the picture's size. Boxes, upright or turned, and poses whose number
of keypoints is known may end with a confidence, which becomes ``confidenceScore``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.formats.reading.imported import PLACES, Annotation, UnusableError, tidy
from airflow_provider_fastlabel.formats.reading.points import box_around, outline, region, turned_box
from airflow_provider_fastlabel.formats.yolo.kinds import MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_fastlabel.formats.yolo.kinds import YoloTask, YoloType

_OUTLINES = ("polygon", "segmentation")


class Objects:
    """Makes annotations of rows.

    :param kind: what the rows are.
    :param annotation_type: what they become; None: what they are, outlines as segmentations.
    :param keypoints: ``kpt_shape``; None where it is not known.
    :param keys: class index -> keypoint keys.

    :ivar width: of the picture that the rows are of, in pixels.
    :ivar height: the same.
    :ivar make: class index and numbers of a row -> the annotation without its class.
    """

    def __init__(
        self,
        kind: YoloTask,
        annotation_type: YoloType | None,
        keypoints: tuple[int, int] | None,
        keys: dict[int, list[str]],
    ) -> None:
        self.width = self.height = 0
        self._keypoints = keypoints
        self._keys = keys
        self._plain = annotation_type == "polygon"
        self.make: Callable[[int, list[float]], Annotation] = self._detect
        if kind == "pose":
            self.make = self._box_of_pose if annotation_type == "bbox" else self._pose
        elif annotation_type in _OUTLINES:
            self.make = self._corners if kind == "obb" else self._segment
        elif annotation_type != "bbox" and kind == "segment":
            self.make = self._segment
        elif kind == "obb":
            self.make = self._obb

    def _box(self, values: list[float]) -> list[float]:
        """Return the corners of the leading cx, cy, w, h."""
        x, y, width, height, *_ = values
        if min(x, y, width, height) < -MARGIN or max(x, y, width, height) > 1 + MARGIN:
            _refuse_shares(values[:4])
        left, right = round((x - width / 2) * self.width, PLACES), round((x + width / 2) * self.width, PLACES)
        top, bottom = round((y - height / 2) * self.height, PLACES), round((y + height / 2) * self.height, PLACES)
        if left >= right or top >= bottom:
            raise UnusableError("the box has no area")
        return [left, top, right, bottom]

    def _pixels(self, shares: Sequence[float]) -> list[float]:
        """Turn x, y, x, y, … shares into pixels."""
        if min(shares) < -MARGIN or max(shares) > 1 + MARGIN:
            _refuse_shares(shares)
        return [tidy(share * (self.height if at % 2 else self.width)) for at, share in enumerate(shares)]

    def _detect(self, _: int, values: list[float]) -> Annotation:
        """Read a box; an outline counts as the box around it, as in training."""
        count = len(values)
        if count == 4:
            return {"points": self._box(values), "type": "bbox"}
        if count == 5:
            return {"points": self._box(values), "type": "bbox", "confidenceScore": values[4]}
        return {"points": box_around(self._outline(values)), "type": "bbox"}

    def _segment(self, _: int, values: list[float]) -> Annotation:
        """Read an outline."""
        points = self._outline(values)
        if self._plain:
            return {"points": points, "type": "polygon"}
        return {"points": [region(points)], "type": "segmentation"}

    def _outline(self, values: list[float]) -> list[float]:
        """Return the outline in pixels; a box counts as its four corners."""
        if len(values) in (4, 5):
            left, top, right, bottom = self._box(values)
            return [left, top, right, top, right, bottom, left, bottom]
        return outline(self._pixels(values))

    def _obb(self, _: int, values: list[float]) -> Annotation:
        """Read a turned box; of corners that are no rectangle the smallest turned box around them, as in training."""
        corners = self._pixels(_eight(values))
        found = turned_box(corners)
        if found is None:
            import cv2
            import numpy as np

            tight = cv2.boxPoints(cv2.minAreaRect(np.asarray(corners, np.float32).reshape(4, 2)))
            found = turned_box([float(value) for value in tight.flatten()])
            if found is None:
                raise UnusableError("the corners make no box")
        points, rotation = found
        annotation: Annotation = {"points": points, "type": "bbox"}
        if rotation:
            annotation["rotation"] = rotation
        return annotation | _confidence(values)

    def _corners(self, index: int, values: list[float]) -> Annotation:
        """Read a turned box as an outline."""
        return self._segment(index, _eight(values)) | _confidence(values)

    def _box_of_pose(self, _: int, values: list[float]) -> Annotation:
        """Read the box of a pose; a box without keypoints is one too."""
        count = len(values)
        size = self._size(count - 4) if count > 5 else 0
        sure = count == 5 or (size and self._keypoints and (count - 4) % size)
        return {"points": self._box(values), "type": "bbox"} | ({"confidenceScore": values[-1]} if sure else {})

    def _pose(self, index: int, values: list[float]) -> Annotation:
        """Read keypoints: x, y and visibility (0 unset, 1 hidden, 2 visible), or x and y alone (0, 0 is unset)."""
        keys = self._keys.get(index)
        if not keys:
            raise UnusableError("the class has no keypoint keys; name them with keypoints= or kpt_names in data.yaml")
        self._box(values)
        points, confidence = self._by_keypoint(values[4:], len(keys))
        found = []
        for key, (x, y, *rest) in zip(keys, points, strict=True):
            visible = rest[0] if rest else (2 if x or y else 0)
            if visible not in (0, 1, 2):
                raise UnusableError(f"keypoint {key!r} has the visibility {visible:g}; 0, 1 and 2 are known")
            if visible:
                found.append({"key": key, "value": [*self._pixels([x, y]), int(visible) - 1]})
        if not found:
            raise UnusableError("no keypoint is set")
        return {"type": "pose_estimation", "keypoints": found} | confidence

    def _by_keypoint(self, values: list[float], keys: int) -> tuple[list[list[float]], Annotation]:
        """Part the numbers of a row by keypoint, and from a confidence at the end.

        Rows of classes with fewer keypoints than the others are filled with unset ones. Where ``kpt_shape`` is not
        known the keys alone tell how many numbers each keypoint has.
        """
        count = len(values)
        by_keys = 2 if count in (2 * keys, 2 * keys + 1) and count != 3 * keys else 3
        size = self._size(count) if self._keypoints else by_keys
        points = values[:-1] if count % size == 1 else values
        rest = points[size * keys :]
        if len(points) % size or len(points) < size * keys or any(rest[2::3] if size == 3 else rest):
            raise UnusableError(f"{count} keypoint values for {keys} keypoint keys")
        confidence = {"confidenceScore": values[-1]} if len(points) < count else {}
        return [points[at : at + size] for at in range(0, size * keys, size)], confidence

    def _size(self, count: int) -> int:
        """Return how many numbers each keypoint of a row has, 2 or 3, if it can be a row of poses at all."""
        if self._keypoints:
            number, size = self._keypoints
            if count - number * size not in (0, 1):
                raise UnusableError(f"{count} keypoint values; kpt_shape says {number} times {size}")
            return size
        if count % 3 and count % 2:
            raise UnusableError(f"{count} keypoint values; a keypoint has two or three")
        return 3 if count % 3 == 0 else 2


def _refuse_shares(shares: Sequence[float]) -> None:
    """Name the value that is no share of a picture."""
    wrong = next(share for share in shares if not -MARGIN <= share <= 1 + MARGIN)
    raise UnusableError(f"{wrong:g} is not a share of the image (0 to 1)")


def _eight(values: list[float]) -> list[float]:
    if len(values) not in (8, 9):
        raise UnusableError(f"a turned box has eight corner values, not {len(values)}")
    return values[:8]


def _confidence(values: list[float]) -> Annotation:
    return {"confidenceScore": values[8]} if len(values) == 9 else {}
