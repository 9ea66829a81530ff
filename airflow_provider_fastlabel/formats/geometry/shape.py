"""One annotation's geometry, as :mod:`.shapes` makes it and the writers read it."""

from __future__ import annotations

from math import cos, radians, sin
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import shapely

from airflow_provider_fastlabel.formats.geometry.regions import area_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Flat coordinates ``x1, y1, x2, y2, ...`` of an open ring.
Ring = list[float]
#: An outer ring and its holes.
Region = list[Ring]
#: x1, y1, x2, y2.
Box = tuple[float, float, float, float]

#: Annotation types that cover an area (a pose by the box around its keypoints).
AREA_KINDS = ("bbox", "polygon", "segmentation", "pose_estimation")
#: No coordinate may lie farther from the image's corner than so many pixels: areas stay below 2 ** 63, which is as much
#: as JSON's readers and writers surely take.
FARTHEST = 1e9
#: Anything narrower or lower than this many pixels is degenerate. Derived numbers are rounded to the same precision.
EPSILON = 1e-6
DECIMALS = 6
# More boxes are compared by a tree of them: pair by pair, time grows with the square of their number.
_FEW_BOXES = 100
_AT_ONCE = 100_000


class GeometryError(ValueError):
    """Points that are no shape; the message says why. Writers add the task's and the annotation's name."""


class Shape:
    """One annotation's geometry, as the rules of this module say.

    :ivar kind: annotation type.
    :ivar x1: left edge of the enclosing box (after rotation and clipping), pixels.
    :ivar y1: upper edge.
    :ivar x2: right edge.
    :ivar y2: lower edge.
    :ivar area: square pixels; of a pose, its box's; of a keypoint or line 0.
    :ivar points: bbox: the unrotated ``[x1, y1, x2, y2]``, clipped only if there is no rotation. Rotated corners come
        from :meth:`corners`. keypoint, line, circle: as given.
    :ivar rotation: degrees, 0 if not a rotated box.
    :ivar clipped: whether something was cut off.
    :ivar dropped: number of rings left out because they were degenerate or outside the image.
    :ivar holes: number of holes.
    :ivar exact: whether the area is exact; known when it was asked for. See :mod:`.tangles`.
    :ivar keypoints: pose_estimation: key -> (x, y, v) of the keypoints that are set, v as COCO has it: 2 visible,
        1 labelled but not visible.
    """

    # Defaults of what few shapes have stand here: a shape is made for every annotation, so making one must be cheap.
    rotation: float = 0
    dropped: int = 0
    holes: int = 0
    exact: bool = True
    keypoints: Mapping[str, tuple[float, float, int]] = MappingProxyType({})

    def __init__(
        self,
        kind: str,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        area: float | None,
        regions: list[Region] | None = None,
        points: Sequence[float] = (),
        clipped: bool = False,
    ) -> None:
        self.kind = kind
        self.x1: float = x1
        self.y1: float = y1
        self.x2: float = x2
        self.y2: float = y2
        self._area = area
        self._regions = regions
        self.points = points
        self.clipped = clipped

    @property
    def area(self) -> float:
        """Square pixels; computed when asked for where regions overlap, which makes that costly."""
        if self._area is None:
            self._area, self.exact = area_of(self.regions)
        return self._area

    @area.setter
    def area(self, area: float) -> None:
        self._area = area

    @property
    def regions(self) -> list[Region]:
        """Regions of the shape; a box is one region of four corners. Empty for keypoints and lines."""
        return [self.outlines()] if self._regions is None else self._regions

    def outlines(self) -> list[Ring]:
        """Return the outer ring of each region."""
        if self._regions is None:
            return [[self.x1, self.y1, self.x2, self.y1, self.x2, self.y2, self.x1, self.y2]]
        return [region[0] for region in self._regions]

    def fit_pose(self, margin: float, width: float, height: float) -> bool:
        """Enlarge the box of a pose, which :mod:`.shapes` puts tightly around the keypoints.

        In a direction in which the keypoints have no extent, that of the other direction counts.

        :param margin: share of the keypoints' extent by which the box grows on each side.
        :param width: of the image, at whose border the box ends; 0 if it may leave the image.
        :param height: of the image, likewise.
        :returns: whether the keypoints have an extent, of a pixel at least, in both directions. If not, the box has the
            width or height of a pixel before it grows.
        """
        xs, ys = ([point[axis] for point in self.keypoints.values()] for axis in (0, 1))
        across, down = max(xs) - min(xs), max(ys) - min(ys)
        if margin:
            dx, dy = (margin * (own if own >= 1 else other) for own, other in ((across, down), (down, across)))
            self.x1, self.x2 = round(self.x1 - dx, DECIMALS), round(self.x2 + dx, DECIMALS)
            self.y1, self.y2 = round(self.y1 - dy, DECIMALS), round(self.y2 + dy, DECIMALS)
            if width:
                self.x1, self.x2 = max(self.x1, 0), min(self.x2, width)
                self.y1, self.y2 = max(self.y1, 0), min(self.y2, height)
            self.area = (self.x2 - self.x1) * (self.y2 - self.y1)
        return across >= 1 and down >= 1

    def corners(self) -> Ring:
        """Return the four corners of a bbox, rotated but not clipped, from the unrotated top left one clockwise."""
        x1, y1, x2, y2 = self.points
        return rotated_corners(x1, y1, x2, y2, self.rotation) if self.rotation else [x1, y1, x2, y1, x2, y2, x1, y2]


def rotated_corners(x1: float, y1: float, x2: float, y2: float, rotation: float) -> Ring:
    """Turn a box about its centre: x' = cx + dx cos - dy sin, y' = cy + dx sin + dy cos (y down).

    :param x1: left edge of the box before it is turned.
    :param y1: upper edge.
    :param x2: right edge.
    :param y2: lower edge.
    :param rotation: degrees, positive clockwise on screen.
    :returns: its corners, from the unrotated top left one clockwise.
    """
    cx, cy, dx, dy = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    c, s = cos(radians(rotation)), sin(radians(rotation))
    ring = []
    for u, v in ((-dx, -dy), (dx, -dy), (dx, dy), (-dx, dy)):
        ring.append(round(cx + u * c - v * s, DECIMALS))
        ring.append(round(cy + u * s + v * c, DECIMALS))
    return ring


def overlapping(boxes: list[Box]) -> bool:
    """Whether any two boxes share an area.

    :param boxes: boxes.
    :returns: true if so; boxes that only touch do not.
    """
    if len(boxes) > _FEW_BOXES:
        return _overlap(boxes)
    for n, a in enumerate(boxes):
        for b in boxes[n + 1 :]:
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
                return True
    return False


def _overlap(boxes: list[Box]) -> bool:
    """Tell of many boxes whether any two share an area."""
    corners = np.array(boxes, dtype=np.float64)
    drawn = shapely.box(*corners.T)
    tree = shapely.STRtree(drawn)
    step = _AT_ONCE // len(boxes) + 1
    for first in range(0, len(boxes), step):
        one, other = tree.query(drawn[first : first + step])
        one += first
        a, b = corners[one], corners[other]
        if ((one < other) & (a[:, :2] < b[:, 2:]).all(axis=1) & (b[:, :2] < a[:, 2:]).all(axis=1)).any():
            return True
    return False
