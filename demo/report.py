"""What the demo shows at its end: a check against the ground truth, a picture, the tree of files."""

from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw
from pycocotools.coco import COCO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("demo")

Labels = list[dict[str, Any]]


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
    coco = COCO(output / "coco" / "annotations.json")
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
    log.info("pycocotools read the COCO dataset: %d photographs, %d objects, every box equal to the ground truth",
             len(truth), objects)


def draw_labels(output: Path, photos: Path, picture: Path) -> None:
    """Draw the COCO dataset onto the photographs, all on one sheet."""
    dataset = json.loads((output / "coco" / "annotations.json").read_text(encoding="utf-8"))
    colors = {category["id"]: category["color"] for category in dataset["categories"]}
    names = {category["id"]: category["name"] for category in dataset["categories"]}
    width, columns = 420, 3
    tiles = []
    for image in dataset["images"]:
        tile = Image.open(photos / image["file_name"]).convert("RGB")
        pen = ImageDraw.Draw(tile)
        for label in (one for one in dataset["annotations"] if one["image_id"] == image["id"]):
            color = colors[label["category_id"]]
            x, y, w, h = label["bbox"]
            outlines = label["segmentation"] if isinstance(label["segmentation"], list) else []
            for outline in outlines or [[x, y, x + w, y, x + w, y + h, x, y + h]]:
                pen.polygon(outline, outline=color, width=3)
            pen.text((x + 4, y + 2), names[label["category_id"]], fill=color, stroke_width=2, stroke_fill="black")
        tile.thumbnail((width, width))
        tiles.append(tile)
    sheet = Image.new("RGB", (columns * width, math.ceil(len(tiles) / columns) * width), "#202020")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % columns * width, number // columns * width))
    sheet.save(picture)


def print_tree(folder: Path) -> None:
    """Log the files below a folder with their sizes."""
    log.info("%s/", folder)
    for path in sorted(folder.rglob("*")):
        depth = len(path.relative_to(folder).parts)
        size = "/" if path.is_dir() else f"  {path.stat().st_size:,} bytes"
        log.info("%s%s%s", "    " * depth, path.name, size)
