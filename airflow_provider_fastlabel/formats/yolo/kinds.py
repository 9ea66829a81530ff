"""What kind of rows a YOLO data set holds is decided by what fits all of them, and asked for where several kinds do.

A row is a class and then so many numbers:

* 4, or 5 with a confidence: a box, which may also stand among outlines;
* 6, 8, 10 …: an outline of 3, 4, 5 … points;
* 8, or 9 with a confidence: the corners of a turned box;
* 4 and 2 for each keypoint, or 4 and 3 for each: a pose. All poses of a data set have the same number.

Where a YAML file names the classes it also says, with ``kpt_shape``, that the rows are poses; without, that they are
not.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

YoloTask = Literal["detect", "segment", "pose", "obb"]
YoloType = Literal["bbox", "polygon", "segmentation", "pose_estimation"]

MARGIN = 0.01
"""By how much a share may leave 0..1, the tolerance of Ultralytics' own check."""

_ROWS: dict[YoloTask, str] = {"detect": "boxes", "segment": "outlines", "pose": "poses", "obb": "turned boxes"}
_BOX = {4, 5}
_OBB = {8, 9}


class Survey:
    """Looks at the rows of a data set: which lengths there are and, if wanted, how many rows can be poses.

    :param poses: whether :meth:`are_poses` will be asked; without, one row of each length is looked at.

    :ivar rows: how many numbers follow the class -> how many rows were looked at.
    :ivar seen: the same, of those rows alone that can be poses whose keypoints end with a visibility.
    """

    def __init__(self, *, poses: bool) -> None:
        self._poses = poses
        self.rows: Counter[int] = Counter()
        self.seen: Counter[int] = Counter()

    def add(self, fields: Sequence[str]) -> None:
        """Look at a row; one that is not made of numbers is none.

        :param fields: class and numbers.
        """
        if not self._poses and len(fields) - 1 in self.rows:
            return
        try:
            values = [float(text) for text in fields[1:]]
        except ValueError:
            return
        if math.isfinite(sum(values)) and len(values) >= 4:
            self.rows[len(values)] += 1
            self.seen[len(values)] += has_visibilities(values)

    def are_poses(self) -> bool:
        """Tell whether most rows can be poses with visibilities, as nothing else is by chance."""
        return 2 * self.seen.total() > self.rows.total()

    def kind(self, *, described: bool, annotation_type: YoloType | None, keyed: bool) -> YoloTask:
        """Decide what the rows are.

        :param described: whether a YAML file describes the data set without ``kpt_shape``, so that no row is a pose.
        :param annotation_type: what they are to become; says which where that makes no difference.
        :param keyed: whether the caller has named keypoints, which only poses have.
        :returns: the one kind that fits; rows that do not fit the others are left to be lost one by one.
        :raises ValueError: several kinds fit.
        """
        kinds = self._fitting(described)
        if "pose" in kinds and (keyed or annotation_type == "pose_estimation"):
            return "pose"
        if kinds == ["segment", "obb"] and annotation_type in ("polygon", "segmentation"):
            return "segment"
        if len(kinds) > 1:
            raise ValueError(_doubt(sorted(count for count in self.rows if count > 5), kinds, described))
        if kinds:
            return kinds[0]
        return "pose" if annotation_type == "pose_estimation" and not self.rows else "detect"

    def _fitting(self, described: bool) -> list[YoloTask]:
        """Return the kinds that the rows may be of; none if they are boxes.

        A box stands among outlines only, and so does an outline of another length.
        """
        boxes = self.rows.keys() & _BOX
        outlines = {count for count in self.rows if count > 5 and count % 2 == 0}
        kinds: list[YoloTask] = ["segment"] if outlines else []
        if self.rows.keys() & _OBB and not boxes and outlines <= _OBB:
            kinds.append("obb")
        poses = {count for count in self.rows if count > 5 and (count % 2 == 0 or count % 3 == 1)}
        if poses and not boxes and not described and len(outlines) <= 1:
            kinds.append("pose")
        return kinds


def has_visibilities(values: Sequence[float]) -> bool:
    """Tell whether a row can be a pose of keypoints with a visibility each: a box in the image, and 0, 1 or 2.

    :param values: the row without its class.
    :returns: whether it can.
    """
    if len(values) < 7 or len(values) % 3 != 1 or not set(values[6::3]) <= {0, 1, 2}:
        return False
    x, y, width, height = values[:4]
    fits = all(abs(middle - 0.5) + size / 2 <= 0.5 + MARGIN for middle, size in ((x, width), (y, height)))
    return fits and width > 0 and height > 0


def check_wish(kind: YoloTask, annotation_type: YoloType | None, why: str) -> None:
    """Refuse to make of rows what they are not.

    :param kind: what they are.
    :param annotation_type: what they are to become.
    :param why: how we know, as the end of a sentence.
    :raises ValueError: poses are to become outlines, or something else poses.
    """
    if kind == "pose" and annotation_type in ("polygon", "segmentation"):
        raise ValueError(
            f"The rows are poses ({why}), which have no outline to make a {annotation_type} of. Read them as "
            "annotation_type='pose_estimation', or their boxes as 'bbox'."
        )
    if kind != "pose" and annotation_type == "pose_estimation":
        raise ValueError(
            f"The rows are {_ROWS[kind]} ({why}), which have no keypoints to make poses of. Read them as another "
            "annotation_type; if they are poses after all, say so with kpt_shape in data.yaml or with task='pose'."
        )


def check_task(task: YoloTask, keypoints: tuple[int, int], file: str) -> None:
    """Refuse a task that ``kpt_shape`` contradicts.

    :param task: what the caller says of the rows.
    :param keypoints: ``kpt_shape``.
    :param file: where it stands.
    :raises ValueError: the rows cannot be both.
    """
    if task in ("segment", "obb"):
        raise ValueError(
            f"{file} says kpt_shape {list(keypoints)}, so the rows are poses, and task={task!r} says that they are "
            f"{_ROWS[task]}. Leave task out, or give 'pose', or 'detect' for the poses' boxes; if kpt_shape is wrong, "
            f"take it out of the file."
        )


def disguised(task: YoloTask) -> ValueError:
    """Make the error for poses that are said to be something else.

    :param task: what the caller says of the rows.
    :returns: the error.
    """
    return ValueError(
        f"The rows end with keypoints of x, y and a visibility, so they look like poses, and task={task!r} says that "
        "they are not. Give task='pose' (with annotation_type='bbox' for the poses' boxes), or name the classes in a "
        "data.yaml: with kpt_shape if the rows are poses, without if they are not."
    )


def _doubt(counts: list[int], kinds: list[YoloTask], described: bool) -> str:
    """Say what rows may be."""
    lengths = ", ".join(str(count + 1) for count in counts[:5])
    meant = " or ".join(f"{_ROWS[kind]} (task={kind!r})" for kind in kinds)
    remedy = "" if described else " A data.yaml that names the classes also tells: only with kpt_shape are they poses."
    return f"The rows have {lengths} fields and may be {meant}. Say with task= which they are.{remedy}"
