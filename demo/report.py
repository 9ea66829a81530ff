"""What the demo shows at its end: a check against the ground truth, a picture, the tree of files."""

from __future__ import annotations

import contextlib
import io
import logging
import math
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from PIL import Image, ImageDraw
from pycocotools.coco import COCO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("demo")

Labels = list[dict[str, Any]]
TILE_WIDTH = 420
COLUMNS = 4


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


def draw_labels(output: Path, photos: Path, picture: Path) -> None:
    """Draw the COCO dataset onto the photographs, all on one sheet."""
    coco = load_coco(output / "coco" / "annotations.json")
    tiles = [draw_tile(coco, image, photos) for image in coco.dataset["images"]]
    rows = [tiles[start : start + COLUMNS] for start in range(0, len(tiles), COLUMNS)]
    heights = [max(tile.height for tile in row) for row in rows]
    sheet = Image.new("RGB", (COLUMNS * TILE_WIDTH, sum(heights)), "#202020")
    for number, row in enumerate(rows):
        for column, tile in enumerate(row):
            sheet.paste(tile, (column * TILE_WIDTH, sum(heights[:number])))
    sheet.save(picture)


def draw_tile(coco: COCO, image: Mapping[str, Any], photos: Path) -> Image.Image:
    """Draw the labels of one photograph as pycocotools understands them: the edge of each mask, and the class."""
    pixels = np.array(Image.open(photos / image["file_name"]).convert("RGB"))
    labels = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
    for label in labels:
        edges, _ = cv2.findContours(coco.annToMask(label), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(pixels, edges, -1, color_of(coco, label), 3)
    tile = Image.fromarray(pixels)
    pen = ImageDraw.Draw(tile)
    for label in labels:
        name = coco.loadCats([label["category_id"]])[0]["name"]
        corner = (label["bbox"][0] + 4, label["bbox"][1] + 2)
        pen.text(corner, name, fill=color_of(coco, label), stroke_width=2, stroke_fill="black", font_size=14)
    tile.thumbnail((TILE_WIDTH, TILE_WIDTH))
    return tile


def color_of(coco: COCO, label: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the colour of a label's class as red, green, blue."""
    category = cast("Mapping[str, Any]", coco.loadCats([label["category_id"]])[0])
    red, green, blue = bytes.fromhex(category["color"].removeprefix("#"))
    return red, green, blue


def print_tree(folder: Path) -> None:
    """Log the files below a folder with their sizes."""
    log.info("%s/", folder)
    for path in sorted(folder.rglob("*")):
        depth = len(path.relative_to(folder).parts)
        size = "/" if path.is_dir() else f"  {path.stat().st_size:,} bytes"
        log.info("%s%s%s", "    " * depth, path.name, size)
