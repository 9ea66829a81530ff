"""Small data sets in every format and every situation of the matrix of imports; see test_import_matrix.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITUATIONS = {
    "sound": "nothing is wrong",
    "picture missing": "one of three annotated pictures is not there",
    "another ending": "the annotations say `b.jpg`, the picture is `b.png`",
    "half unreadable": "one of two objects of a picture cannot be used",
    "all unreadable": "every annotation file is cut off",
    "none there": "there are no annotation files",
    "unknown attributes": "objects have an attribute that the class does not have",
    "flags": "what the format notes of itself: crowds, difficult objects, flags of the image",
    "linked folder": "pictures and annotations lie in a linked folder",
    "encodings": "a byte order mark, and Windows' line ends",
}
PICTURES = {"a": 1, "b": 2, "c": 1, "d": 0}
"""Objects of each picture."""
OBJECTS = sum(PICTURES.values())

_SIZE = (40, 30)
_BOXES = ((4, 4, 12, 10), (16, 12, 30, 24))


def build(form: str, situation: str, folder: Path) -> None:
    """Write a data set.

    :param form: the format.
    :param situation: key of :data:`SITUATIONS`.
    :param folder: where; it is made.
    """
    root = folder
    if situation == "linked folder":
        root = folder.parent / f"{folder.name} elsewhere"
    root.mkdir(parents=True)
    for name in PICTURES:
        picture = root / "images" / f"{name}.png"
        picture.parent.mkdir(exist_ok=True)
        Image.new("RGB", _SIZE).save(picture)
    if situation != "none there":
        _WRITERS[form](root, situation)
    for path in [path for path in root.rglob("*.*") if path.parent.name != "images" or path.suffix == ".json"]:
        if situation == "all unreadable" and "classes" not in path.name:
            _cut(path)
        if situation == "encodings" and path.suffix != ".png":
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    if situation == "picture missing":
        (root / "images" / "b.png").unlink()
    if situation == "linked folder":
        folder.mkdir()
        root.rename(folder / ".real")
        for path in (folder / ".real").iterdir():
            (folder / path.name).symlink_to(path)


def _cut(path: Path) -> None:
    """Cut a file off; a text of rows is as good when it is cut, so its bytes are spoilt."""
    data = path.read_bytes()
    path.write_bytes(b"\xff\x00" if path.suffix == ".txt" else data[: len(data) // 2 if path.suffix != ".png" else 20])


def _stated(name: str, situation: str) -> str:
    return f"{name}.jpg" if (name, situation) == ("b", "another ending") else f"{name}.png"


def _coco(root: Path, situation: str) -> None:
    names = list(PICTURES)
    annotations: list[dict[str, Any]] = []
    for image, (name, count) in enumerate(PICTURES.items()):
        for x1, y1, x2, y2 in _BOXES[:count]:
            entry = {"id": len(annotations), "image_id": image, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}
            if situation == "unknown attributes":
                entry["attributes"] = {"brand": "acme"}
            if situation == "flags":
                entry |= {"iscrowd": 1, "attributes": {"occluded": True, "rotation": 0.0}}
            if situation == "half unreadable" and name == "b" and x1 == 16:
                entry["bbox"] = [1, 2, "wide", None]
            annotations.append(entry)
    images = [
        {"id": number, "file_name": f"images/{_stated(name, situation)}", "width": 40, "height": 30}
        for number, name in enumerate(names)
    ]
    document = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": annotations}
    (root / "annotations.json").write_text(json.dumps(document, indent=1))


def _yolo(root: Path, situation: str) -> None:
    (root / "classes.txt").write_text("cat\n")
    (root / "labels").mkdir()
    for name, count in PICTURES.items():
        rows = []
        for x1, y1, x2, y2 in _BOXES[:count]:
            shares = [(x1 + x2) / 80, (y1 + y2) / 60, (x2 - x1) / 40, (y2 - y1) / 30]
            rows.append("0 " + " ".join(f"{share:.6f}" for share in shares) + "\n")
        if situation == "half unreadable" and name == "b":
            rows[1] = "0 0.5 nonsense 0.1 0.1\n"
        if rows:
            (root / "labels" / f"{name}.txt").write_text("".join(rows))


def _pascalvoc(root: Path, situation: str) -> None:
    (root / "annotations").mkdir()
    for name, count in PICTURES.items():
        objects = []
        for number, (x1, y1, x2, y2) in enumerate(_BOXES[:count]):
            right = "wide" if (situation, name, number) == ("half unreadable", "b", 1) else x2
            flags = "<difficult>1</difficult><truncated>1</truncated>" if situation == "flags" else ""
            if situation == "unknown attributes":
                flags = "<attributes><attribute><name>brand</name><value>acme</value></attribute></attributes>"
            objects.append(
                f"<object><name>cat</name>{flags}<bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>"
                f"<xmax>{right}</xmax><ymax>{y2}</ymax></bndbox></object>\n"
            )
        text = f"<annotation><filename>{_stated(name, situation)}</filename>\n{''.join(objects)}</annotation>\n"
        if objects:
            (root / "annotations" / f"{name}.xml").write_text(text)


def _labelme(root: Path, situation: str) -> None:
    for name, count in PICTURES.items():
        shapes = []
        for number, (x1, y1, x2, y2) in enumerate(_BOXES[:count]):
            shape: dict[str, Any] = {"label": "cat", "points": [[x1, y1], [x2, y2]], "shape_type": "rectangle"}
            if situation == "unknown attributes":
                shape["flags"] = {"brand": True}
            if (situation, name, number) == ("half unreadable", "b", 1):
                shape["points"] = [[x1, y1]]
            shapes.append({"group_id": None, "description": "", "flags": {}, **shape})
        document = {
            "version": "5.5.0",
            "flags": {"night": True} if situation == "flags" else {},
            "shapes": shapes,
            "imagePath": _stated(name, situation),
            "imageData": None,
            "imageHeight": 30,
            "imageWidth": 40,
        }
        if shapes:
            (root / "images" / f"{name}.json").write_text(json.dumps(document, indent=1))


def _masks(root: Path, situation: str) -> None:
    (root / "masks").mkdir()
    (root / "classes.json").write_text(json.dumps([{"id": 1, "value": "cat"}, {"id": 2, "value": "dog"}]))
    for name, count in PICTURES.items():
        mask = np.zeros(_SIZE[::-1], np.uint8)
        for index, (x1, y1, x2, y2) in enumerate(_BOXES[:count], 1):
            mask[y1:y2, x1:x2] = 9 if (situation, name, index) == ("half unreadable", "b", 2) else index
        if count:
            Image.fromarray(mask).save(root / "masks" / f"{name}.png")
    if situation == "another ending":
        (root / "images" / "b.png").unlink()
        Image.new("RGB", _SIZE).save(root / "images" / "b.jpg")


_WRITERS: dict[str, Callable[[Path, str], None]] = {
    "coco": _coco,
    "yolo": _yolo,
    "pascalvoc": _pascalvoc,
    "labelme": _labelme,
    "masks": _masks,
}
FORMATS = tuple(_WRITERS)
