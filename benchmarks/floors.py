"""The floor of every job: :mod:`.floor`'s straight lines; those of labelme, pictures, imports and the upload here."""

from __future__ import annotations

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import orjson

from airflow_provider_fastlabel.formats.reading.imported import collector_paused
from benchmarks import floor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.given import Given

    Annotations = dict[str, list[dict[str, Any]]]


def _export(name: str) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        tasks = given.tasks()
        return lambda: floor.FLOORS[name](tasks, given.folder)

    return prepare


def _labelme(given: Given) -> Callable[[], object]:
    tasks = given.tasks()

    def run() -> None:
        made: set[str] = set()
        for task in tasks:
            stem = task["name"].rpartition(".")[0]
            floor._write(f"{given.out}/{stem}.json", orjson.dumps(_labelme_document(task)), made)

    return run


def _labelme_document(task: dict[str, Any]) -> dict[str, Any]:
    """One task; a pose as points."""
    shapes = []
    for annotation in task["annotations"]:
        flags = {row["key"]: row["value"] for row in annotation["attributes"]}
        kind = "polygon"
        outline = floor._outline(annotation)
        if outline is None:
            kind, rings = "point", [row["value"][:2] for row in annotation["keypoints"] if row["value"]]
        elif annotation["type"] == "bbox":
            kind, rings = "rectangle", [annotation["points"]]
        else:
            rings = outline[0]
        for ring in rings:
            points = list(zip(ring[::2], ring[1::2], strict=True))
            shape = {"label": annotation["value"], "points": points, "group_id": None, "shape_type": kind}
            shapes.append(shape | {"flags": flags})
    return {
        "version": "6.0.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": task["name"],
        "imageData": None,
        "imageHeight": task["height"],
        "imageWidth": task["width"],
    }


def _rings(annotation: dict[str, Any]) -> list[Any]:
    """All rings of an annotation as OpenCV's points at sixteenths of a pixel."""
    import numpy as np

    outline = floor._outline(annotation)
    if outline is None:
        return []
    rings = outline[0]
    if annotation["type"] == "segmentation":
        rings = [ring for region in annotation["points"] for ring in region]
    return [np.rint(np.array(ring).reshape(-1, 2) * 16).astype(np.int32) for ring in rings]


def _masks(*, instances: bool) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        import cv2
        import numpy as np

        tasks = given.tasks()

        def run() -> None:
            made: set[str] = set()
            ids: dict[str, int] = {}
            for task in tasks:
                mask = np.zeros((task["height"], task["width"]), np.uint8)
                for number, annotation in enumerate(task["annotations"], 1):
                    index = number if instances else ids.setdefault(annotation["value"], len(ids) + 1)
                    cv2.fillPoly(mask, _rings(annotation), index, cv2.LINE_8, 4)
                content = cv2.imencode(".png", mask)[1].tobytes()
                floor._write(f"{given.out}/{task['name'].rpartition('.')[0]}.png", content, made)

        return run

    return prepare


def _drawn(given: Given) -> Callable[[], object]:
    import cv2
    import numpy as np

    tasks = given.tasks()
    images = given.path("images")

    def one(task: dict[str, Any]) -> None:
        name = task["name"]
        pixels = cv2.imdecode(np.frombuffer((images / name).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        for annotation in task["annotations"]:
            red, green, blue = bytes.fromhex(annotation["color"][1:])
            rings = _rings(annotation)
            cv2.polylines(pixels, rings, True, (blue, green, red), 1, cv2.LINE_8, 4)
            if rings:
                left, top, wide, high = cv2.boundingRect(np.concatenate(rings) // 16)
                window = pixels[max(top, 0) : top + high, max(left, 0) : left + wide]
                cv2.addWeighted(window, 0.8, window, 0.2, 0, dst=window)
        (given.folder / name).write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())

    def run() -> None:
        for parent in {(given.folder / task["name"]).parent for task in tasks}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(one, tasks):
                pass

    return run


def _read_coco(given: Given) -> Callable[[], object]:
    def run() -> Annotations:
        with collector_paused():
            document = orjson.loads(given.coco.read_bytes())
            values = {category["id"]: category["name"] for category in document["categories"]}
            found: Annotations = {image["file_name"]: [] for image in document["images"]}
            by_id = {image["id"]: found[image["file_name"]] for image in document["images"]}
            for one in document["annotations"]:
                x, y, width, height = one["bbox"]
                attributes = [{"key": key, "value": value} for key, value in one["attributes"].items()]
                points = [x, y, x + width, y + height]
                annotation = {"type": "bbox", "points": points, "value": values[one["category_id"]]}
                by_id[one["image_id"]].append(annotation | {"attributes": attributes})
            return found

    return run


def _below(folder: Path, suffix: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each file relative to the folder without its suffix, and its path."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffix):
                path = f"{parent}/{name}"
                yield path[len(str(folder)) + 1 : -len(suffix)], path


def _read_yolo(given: Given) -> Callable[[], object]:
    from PIL import Image

    def run() -> Annotations:
        found: Annotations = {}
        values = given.path("classes.txt").read_text().split()
        for stem, path in _below(given.path("yolo"), ".txt"):
            annotations = found[f"{stem}.jpg"] = []
            with Image.open(f"{path[:-4]}.jpg") as picture:
                wide, high = picture.size
            with open(path) as file:
                for line in file:
                    index, x, y, width, height = map(float, line.split())
                    left, top = (x - width / 2) * wide, (y - height / 2) * high
                    points = [left, top, left + width * wide, top + height * high]
                    annotations.append({"type": "bbox", "points": points, "value": values[int(index)]})
        return found

    return run


def _read_pascalvoc(given: Given) -> Callable[[], object]:
    def run() -> Annotations:
        found: Annotations = {}
        for _, path in _below(given.path("pascalvoc"), ".xml"):
            with open(path, "rb") as file:
                document = ElementTree.fromstring(file.read())
            annotations = found[document.findtext("filename") or ""] = []
            for one in document.iter("object"):
                box = one.find("bndbox")
                assert box is not None
                points = [float(box.findtext(tag) or 0) for tag in ("xmin", "ymin", "xmax", "ymax")]
                flags = [{"key": tag, "value": True} for tag in ("occluded",) if one.findtext(tag) == "1"]
                annotations.append(
                    {"type": "bbox", "points": points, "value": one.findtext("name"), "attributes": flags}
                )
        return found

    return run


def _read_labelme(given: Given) -> Callable[[], object]:
    kinds = {"rectangle": "bbox", "polygon": "polygon", "point": "keypoint"}

    def run() -> Annotations:
        found: Annotations = {}
        for _, path in _below(given.path("labelme"), ".json"):
            with open(path, "rb") as file:
                document = orjson.loads(file.read())
            annotations = found[document["imagePath"]] = []
            for shape in document["shapes"]:
                flat = [number for point in shape["points"] for number in point]
                annotation = {"type": kinds[shape["shape_type"]], "points": flat, "value": shape["label"]}
                flags = [{"key": key, "value": value} for key, value in shape["flags"].items() if value]
                annotations.append(annotation | {"attributes": flags})
        return found

    return run


class _Body:
    """A video as base64 within JSON, of known length, in steps of 768 KiB."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = b'{"project": "benchmark", "name": "video.mp4", "file": "'

    def __len__(self) -> int:
        return len(self.head) + (self.path.stat().st_size + 2) // 3 * 4 + 2

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        with io.FileIO(self.path) as file:
            while piece := file.read(3 << 18):
                yield base64.b64encode(piece)
        yield b'"}'


def _upload(given: Given) -> Callable[[], object]:
    import requests

    url = f"{os.environ['SINK_URL']}tasks/video"
    requests.get(url, timeout=60)
    body: Any = _Body(given.path("video.mp4"))
    headers = {"Content-Type": "application/json"}
    return lambda: requests.post(url, data=body, headers=headers, timeout=60).json()


JOBS: dict[str, Callable[[Given], Callable[[], object]]] = {
    "coco": _export("coco"),
    "yolo": _export("yolo"),
    "yolo_without_classes": _export("yolo"),
    "pascalvoc": _export("pascalvoc"),
    "labelme": _labelme,
    "instance_masks": _masks(instances=True),
    "semantic_masks": _masks(instances=False),
    "drawn": _drawn,
    "read_coco": _read_coco,
    "read_yolo": _read_yolo,
    "read_pascalvoc": _read_pascalvoc,
    "read_labelme": _read_labelme,
    "upload": _upload,
}
