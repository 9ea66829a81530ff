"""The floor: straight-line Python and orjson, per format, with nothing a library owes its users.

No validation, rotation, clipping, run lengths for holes, or safe names; the same annotations are written as the formats
hold, holes are subtracted from areas. A library can come near this, not below it by much. COCO runs in one pass when
given an iterator.

    python -m benchmarks.floor coco tasks.jsonl folder
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from math import ceil, floor
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a JSON Lines file, one at a time."""
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _area(ring: list[float]) -> float:
    """Shoelace."""
    xs, ys = ring[::2], ring[1::2]
    area: float = abs(sum(map(mul, xs, ys[1:] + ys[:1])) - sum(map(mul, ys, xs[1:] + xs[:1]))) / 2
    return area


def _outline(annotation: dict[str, Any]) -> tuple[list[list[float]], float, list[float], list[float]] | None:
    """Rings, area, all x and all y of an annotation; None for a pose."""
    kind = annotation["type"]
    if kind == "bbox":
        x1, y1, x2, y2 = annotation["points"]
        return [[x1, y1, x2, y1, x2, y2, x1, y2]], (x2 - x1) * (y2 - y1), [x1, x2], [y1, y2]
    if kind == "polygon":
        ring = annotation["points"]
        return [ring], _area(ring), ring[::2], ring[1::2]
    if kind == "segmentation":
        regions = annotation["points"]
        area = sum(_area(region[0]) - sum(map(_area, region[1:])) for region in regions)
        rings = [region[0] for region in regions]
        return rings, area, [x for ring in rings for x in ring[::2]], [y for ring in rings for y in ring[1::2]]
    return None


def coco(tasks: Iterable[dict[str, Any]], folder: Path) -> None:
    """Write ``annotations.json``; the annotations wait in an unnamed file."""
    ids: dict[str, int] = {}
    images: list[bytes] = []
    number = 0
    with tempfile.TemporaryFile(dir=folder) as spool:
        for image_id, task in enumerate(tasks, 1):
            image = {"file_name": task["name"], "height": task["height"], "width": task["width"], "id": image_id}
            images.append(b"%b" % orjson.dumps(image))
            rows = []
            for annotation in task["annotations"]:
                number += 1
                rows.append(_coco_row(annotation, ids, number, image_id))
            if rows:
                spool.write(orjson.dumps(rows)[1:-1] + b",\n")
        with (folder / "annotations.json").open("wb") as out:
            categories = [{"id": number, "name": value, "supercategory": value} for value, number in ids.items()]
            out.write(b'{"images":[' + b",".join(images) + b'],"categories":' + orjson.dumps(categories))
            out.write(b',"annotations":[')
            spool.truncate(max(spool.tell() - 2, 0))
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 18)
            out.write(b"]}")


def _coco_row(annotation: dict[str, Any], ids: dict[str, int], number: int, image_id: int) -> dict[str, Any]:
    """One annotation."""
    outline = _outline(annotation)
    keypoints: list[float] = []
    set_count = 0
    if outline is None:
        values = [row["value"] or [0, 0, 0] for row in annotation["keypoints"]]
        points = [value for value in values if value[2]]
        set_count = len(points)
        keypoints = [one for value in values for one in value]
        xs, ys = [value[0] for value in values] or [0], [value[1] for value in values] or [0]
        rings: list[list[float]] = []
        area = (max(xs) - min(xs)) * (max(ys) - min(ys))
    else:
        rings, area, xs, ys = outline
    x, y = min(xs), min(ys)
    return {
        "num_keypoints": set_count,
        "keypoints": keypoints,
        "segmentation": rings,
        "iscrowd": 0,
        "area": area,
        "image_id": image_id,
        "bbox": [x, y, max(xs) - x, max(ys) - y],
        "rotation": annotation["rotation"],
        "category_id": ids.setdefault(annotation["value"], len(ids) + 1),
        "id": number,
        "attributes": {row["key"]: row["value"] for row in annotation["attributes"]},
    }


def _write(path: str, content: bytes, made: set[str]) -> None:
    """Write one small file."""
    parent = path.rpartition("/")[0]
    if parent not in made:
        os.makedirs(parent, exist_ok=True)  # noqa: PTH103
        made.add(parent)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.write(handle, content)
    os.close(handle)


def yolo(tasks: Iterable[dict[str, Any]], folder: Path) -> None:
    """Write ``annotations/<name>.txt``: boxes as boxes, outlines as outlines, a row per region."""
    ids: dict[str, int] = {}
    made: set[str] = set()
    for task in tasks:
        width, height = task["width"], task["height"]
        rows = []
        for annotation in task["annotations"]:
            number = ids.setdefault(annotation["value"], len(ids))
            if annotation["type"] == "bbox":
                x1, y1, x2, y2 = annotation["points"]
                box = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
                rows.append(f"{number} {box[0]:.6f} {box[1]:.6f} {box[2]:.6f} {box[3]:.6f}\n")
                continue
            for ring in (_outline(annotation) or ([],))[0]:
                shares = [ring[n] / (height if n & 1 else width) for n in range(len(ring))]
                rows.append("%d %s\n" % (number, " ".join(["%.6f" % share for share in shares])))  # noqa: UP031
        _write(f"{folder}/annotations/{task['name'].rpartition('.')[0]}.txt", "".join(rows).encode(), made)
    (folder / "classes.txt").write_text("".join(f"{value}\n" for value in ids))


def pascalvoc(tasks: Iterable[dict[str, Any]], folder: Path) -> None:
    """Write ``annotations/<name>.xml``: the boxes of everything but poses."""
    made: set[str] = set()
    for task in tasks:
        objects = []
        for annotation in task["annotations"]:
            outline = _outline(annotation)
            if outline is not None:
                flags = {row["key"]: row["value"] for row in annotation["attributes"]}
                xs, ys = outline[2:]
                objects.append(
                    f"<object><name>{annotation['value']}</name><pose>Unspecified</pose><truncated>0</truncated>"
                    f"<occluded>{int(flags.get('occluded', 0))}</occluded><difficult>0</difficult><bndbox>"
                    f"<xmin>{floor(min(xs))}</xmin><ymin>{floor(min(ys))}</ymin>"
                    f"<xmax>{ceil(max(xs))}</xmax><ymax>{ceil(max(ys))}</ymax></bndbox></object>\n"
                )
        head = (
            f"<annotation><filename>{task['name']}</filename><size><width>{task['width']}</width>"
            f"<height>{task['height']}</height><depth>3</depth></size><segmented>0</segmented>\n"
        )
        text = f"{head}{''.join(objects)}</annotation>\n".encode()
        _write(f"{folder}/annotations/{task['name'].rpartition('.')[0]}.xml", text, made)


FLOORS: dict[str, Callable[[Iterable[dict[str, Any]], Path], None]] = {
    "coco": coco,
    "yolo": yolo,
    "pascalvoc": pascalvoc,
}

if __name__ == "__main__":
    FLOORS[sys.argv[1]](read_lines(Path(sys.argv[2])), Path(sys.argv[3]))
