"""Readers that cannot be run in the tests (one needs PyTorch, one a display), as the rules they apply to a file."""

from __future__ import annotations

import json
import re
from pathlib import PureWindowsPath

import numpy as np
from PIL import Image

POINTS_OF = {
    "rectangle": {2},
    "oriented_rectangle": {4},
    "circle": {2},
    "line": {2},
    "point": {1},
    "linestrip": range(2, 10_000),
    "polygon": range(3, 10_000),
}


def opened_by_labelme(path):
    """Load a file by the rules of labelme 6.3.1 (``_label_file.py``, ``utils/shape.py``), which needs a display."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    image = path.parent / PureWindowsPath(raw["imagePath"]).as_posix()
    assert raw["imageData"] is None
    with Image.open(image) as picture:
        assert raw["imageWidth"] in (None, picture.width)
        assert raw["imageHeight"] in (None, picture.height)
    for shape in raw["shapes"]:
        assert isinstance(shape["label"], str)
        assert shape["points"]
        assert all(
            isinstance(point, list) and len(point) == 2 and all(isinstance(xy, int | float) for xy in point)
            for point in shape["points"]
        )
        assert len(shape["points"]) in POINTS_OF[shape["shape_type"]]
        assert isinstance(shape.get("description") or "", str)
        assert shape.get("group_id") is None or isinstance(shape["group_id"], int)
        assert all(isinstance(key, str) and isinstance(flag, bool) for key, flag in shape["flags"].items())
    return raw


def checked(text, kind, classes, keypoints=0):
    """Apply what Ultralytics 8.4 demands of one label file (data/utils.py, verify_image_label); returns its rows.

    Rows of more than six columns are outlines unless the data set has keypoints; one file holds one kind; all columns
    but the class lie within -0.01 and 1.01; the class is below the number of names.
    """
    table = [line.split() for line in text.splitlines() if line]
    if not table:
        return []
    outlines = [len(row) > 6 for row in table]
    if any(outlines) and not keypoints:
        assert all(outlines), "labels mix segment and detection rows"
        parsed = [np.array(row[1:], dtype=np.float32).reshape(-1, 2) for row in table]
        assert all(len(outline) >= 3 for outline in parsed)
        numbers = np.concatenate(parsed).ravel()
    else:
        columns = 5 + 3 * keypoints
        assert {len(row) for row in table} == {columns}, f"labels require {columns} columns"
        values = np.array(table, dtype=np.float32)
        points = values[:, 5:].reshape(-1, 3)[:, :2].ravel() if keypoints else values[:, :0].ravel()
        numbers = np.concatenate((values[:, 1:5].ravel(), points))
    assert numbers.max() <= 1
    assert numbers.min() >= 0
    assert max(int(row[0]) for row in table) < classes, "label class exceeds dataset class count"
    assert all(re.fullmatch(r"\d+( \d(\.\d{1,6})?)+", " ".join(row)) for row in table)
    return table
