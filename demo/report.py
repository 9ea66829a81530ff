"""What the demo shows at its end: a check against the ground truth, where the report is, the tree of files."""

from __future__ import annotations

import contextlib
import io
import logging
import math
from typing import TYPE_CHECKING, Any

from pycocotools.coco import COCO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("demo")

Labels = list[dict[str, Any]]


def load_coco(path: Path) -> COCO:
    """Read a dataset with pycocotools, which likes to print."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def enclosing_box(label: Mapping[str, Any]) -> list[float]:
    """Return x, y, width, height in pixels of a label of the ground truth, turned about its centre by its rotation."""
    points = label["points"]
    if label["type"] == "segmentation":
        points = [number for region in points for number in region[0]]
    if label["type"] == "bbox":
        x1, y1, x2, y2 = points
        points = [x1, y1, x2, y1, x2, y2, x1, y2]
    xs, ys = points[::2], points[1::2]
    if label.get("rotation"):
        angle = math.radians(label["rotation"])
        cx, cy = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        turned = [
            (
                cx + (x - cx) * math.cos(angle) - (y - cy) * math.sin(angle),
                cy + (x - cx) * math.sin(angle) + (y - cy) * math.cos(angle),
            )
            for x, y in zip(xs, ys, strict=True)
        ]
        xs, ys = [x for x, _ in turned], [y for _, y in turned]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def check_against_ground_truth(output: Path, truth: Mapping[str, Labels]) -> None:
    """Load the COCO dataset with pycocotools and compare counts, classes and boxes with the ground truth.

    :raises RuntimeError: when a photograph, an object, or a box differs.
    """
    coco = load_coco(output / "coco" / "annotations.json")
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    images = {image["file_name"]: image["id"] for image in coco.loadImgs(coco.getImgIds())}
    if set(images) != set(truth):
        raise RuntimeError(f"the dataset has {sorted(images)}, the ground truth {sorted(truth)}")
    for name, labels in truth.items():
        exported = coco.loadAnns(coco.getAnnIds(imgIds=[images[name]]))
        found = sorted((names[one["category_id"]], one["bbox"]) for one in exported)
        wanted = sorted((label["value"], enclosing_box(label)) for label in labels)
        same = len(found) == len(wanted) and all(
            f[0] == w[0] and all(math.isclose(a, b, abs_tol=0.01) for a, b in zip(f[1], w[1], strict=True))
            for f, w in zip(found, wanted, strict=True)
        )
        if not same:
            raise RuntimeError(f"{name}: the dataset has {found}, the ground truth {wanted}")
    objects = sum(map(len, truth.values()))
    log.info(
        "pycocotools read the COCO dataset: %d photographs, %d objects, every box equal to the ground truth",
        len(truth),
        objects,
    )


def print_tree(folder: Path) -> None:
    """Log the files below a folder with their sizes."""
    log.info("%s/", folder)
    for path in sorted(folder.rglob("*")):
        depth = len(path.relative_to(folder).parts)
        size = "/" if path.is_dir() else f"  {path.stat().st_size:,} bytes"
        log.info("%s%s%s", "    " * depth, path.name, size)


def tell_report(output: Path) -> None:
    """Say where the report is, and how to open it."""
    log.info("the report:    %s  (open it in any browser)", (output / "report" / "report.html").as_uri())
    log.info("contact sheet: %s", output / "report" / "contact-sheet.jpg")
