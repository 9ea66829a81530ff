"""Data sets in the layouts of well-known tools: one operator imports each as it comes, another exports it back equal.

The layouts are those the tools write: Roboflow, CVAT, Darknet, Ultralytics, Label Studio, labelImg, labelme, and the
VOC devkit's. What is right is what the builders below drew; the exports are read by plain code of this file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT = 64, 48
Box = tuple[float, float, float, float]
Truth = dict[str, list[tuple[str, Box]]]

TRUTH: Truth = {
    "one": [("cat", (4, 6, 20, 24)), ("dog", (30, 8, 62, 40))],
    "two": [("dog", (0, 0, 16, 12))],
    "three": [],
}


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 30)).save(path)


def coco(names: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return a COCO document; ``names`` are the stated file names by key of :data:`TRUTH`."""
    images = [
        {"id": number, "file_name": stated, "width": WIDTH, "height": HEIGHT}
        for number, stated in enumerate(names.values(), 1)
    ]
    annotations = [
        {
            "id": 100 * number + at,
            "image_id": number,
            "category_id": {"cat": 1, "dog": 2}[value],
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "segmentation": [],
            "iscrowd": 0,
            **more,
        }
        for number, key in enumerate(names, 1)
        for at, (value, (x1, y1, x2, y2)) in enumerate(TRUTH[key])
    ]
    categories = [{"id": 1, "name": "cat", "supercategory": ""}, {"id": 2, "name": "dog", "supercategory": ""}]
    return {"images": images, "categories": categories, "annotations": annotations}


def rows(key: str) -> str:
    """Return a YOLO label file; class 0 is cat, 1 is dog."""
    return "".join(
        f"{('cat', 'dog').index(value)} {(x1 + x2) / 2 / WIDTH:.6f} {(y1 + y2) / 2 / HEIGHT:.6f} "
        f"{(x2 - x1) / WIDTH:.6f} {(y2 - y1) / HEIGHT:.6f}\n"
        for value, (x1, y1, x2, y2) in TRUTH[key]
    )


def xml(key: str, filename: str, origin: int, **more: str) -> str:
    """Return a Pascal VOC file; ``origin`` is 1 where corners are pixels counted from 1."""
    objects = "".join(
        f"<object><name>{value}</name>{''.join(f'<{tag}>{text}</{tag}>' for tag, text in more.items())}"
        f"<bndbox><xmin>{x1 + origin}</xmin><ymin>{y1 + origin}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox>"
        "</object>"
        for value, (x1, y1, x2, y2) in TRUTH[key]
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    return f"<annotation><folder>x</folder><filename>{filename}</filename>{size}{objects}</annotation>"


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def roboflow_coco(root: Path) -> dict[str, str]:
    places = {"train": ["one", "three"], "valid": ["two"]}
    for folder, keys in places.items():
        for key in keys:
            picture(root / folder / f"{key}_jpg.rf.0f1e2d.jpg")
        names = {key: f"{key}_jpg.rf.0f1e2d.jpg" for key in keys}
        text(root / folder / "_annotations.coco.json", json.dumps(coco(names)))
    text(root / "README.dataset.txt", "# a set\nhttps://universe.example\n")
    text(root / "README.roboflow.txt", "\nthree images\n")
    return {key: f"{folder}/{key}_jpg.rf.0f1e2d.jpg" for folder, keys in places.items() for key in keys}


def roboflow_yolo(root: Path) -> dict[str, str]:
    places = {"one": "train", "two": "valid", "three": "test"}
    for key, folder in places.items():
        picture(root / folder / "images" / f"{key}.jpg")
        text(root / folder / "labels" / f"{key}.txt", rows(key))
    text(
        root / "data.yaml",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n",
    )
    text(root / "README.dataset.txt", "# a set\n")
    return {key: f"{folder}/images/{key}.jpg" for key, folder in places.items()}


def roboflow_voc(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "train" / f"{key}.jpg")
        text(root / "train" / f"{key}.xml", xml(key, f"{key}.jpg", 1, pose="Unspecified", truncated="0", difficult="0"))
    return {key: f"train/{key}.jpg" for key in TRUTH}


def cvat_coco(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "images" / "default" / f"{key}.png")
    names = {key: f"{key}.png" for key in TRUTH}
    attributes = {"attributes": {"occluded": False, "rotation": 0.0, "track_id": 0, "keyframe": True}}
    text(root / "annotations" / "instances_default.json", json.dumps(coco(names, **attributes)))
    return {key: f"images/default/{key}.png" for key in TRUTH}


def cvat_yolo(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "obj_train_data" / f"{key}.png")
        text(root / "obj_train_data" / f"{key}.txt", rows(key))
    text(root / "obj.names", "cat\ndog\n")
    text(root / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    text(root / "train.txt", "".join(f"data/obj_train_data/{key}.png\n" for key in TRUTH))
    return {key: f"obj_train_data/{key}.png" for key in TRUTH}


def darknet(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "data" / "obj" / f"{key}.jpg")
        text(root / "data" / "obj" / f"{key}.txt", rows(key))
    text(root / "data" / "obj.names", "cat\ndog\n")
    text(root / "data" / "obj.data", "classes=2\ntrain=data/train.txt\nnames=data/obj.names\n")
    text(root / "data" / "train.txt", "".join(f"data/obj/{key}.jpg\n" for key in TRUTH))
    return {key: f"data/obj/{key}.jpg" for key in TRUTH}


def ultralytics(root: Path) -> dict[str, str]:
    places = {"one": "train2017", "two": "train2017", "three": "val2017"}
    for key, folder in places.items():
        picture(root / "images" / folder / f"{key}.jpg")
        if TRUTH[key]:
            text(root / "labels" / folder / f"{key}.txt", rows(key))
    text(
        root / "coco128.yaml",
        "path: ../coco128\ntrain: images/train2017\nval: images/val2017\nnames:\n  0: cat\n  1: dog\n",
    )
    text(root / "labels" / "train2017.cache", "not text")
    text(root / "LICENSE", "free\n")
    return {key: f"images/{folder}/{key}.jpg" for key, folder in places.items()}


def label_studio_yolo(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "images" / f"0a1b2c3d-{key}.png")
        text(root / "labels" / f"0a1b2c3d-{key}.txt", rows(key))
    text(root / "classes.txt", "cat\ndog\n")
    text(root / "notes.json", json.dumps({"categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]}))
    return {key: f"images/0a1b2c3d-{key}.png" for key in TRUTH}


def label_studio_coco(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "images" / f"0a1b2c3d-{key}.png")
    text(root / "result.json", json.dumps(coco({key: f"images/0a1b2c3d-{key}.png" for key in TRUTH})))
    return {key: f"images/0a1b2c3d-{key}.png" for key in TRUTH}


def labelimg_voc(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / f"{key}.jpg")
        if TRUTH[key]:
            text(root / f"{key}.xml", xml(key, f"{key}.jpg", 0, pose="Unspecified", truncated="0", difficult="0"))
    return {key: f"{key}.jpg" for key in TRUTH}


def labelimg_yolo(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / f"{key}.jpg")
        text(root / f"{key}.txt", rows(key))
    text(root / "classes.txt", "cat\ndog\n")
    return {key: f"{key}.jpg" for key in TRUTH}


def voc_devkit(root: Path) -> dict[str, str]:
    for key in TRUTH:
        picture(root / "JPEGImages" / f"{key}.jpg")
        text(root / "Annotations" / f"{key}.xml", xml(key, f"{key}.jpg", 1, difficult="0"))
    text(root / "ImageSets" / "Main" / "train.txt", "one\ntwo\n")
    return {key: f"JPEGImages/{key}.jpg" for key in TRUTH}


def labelme(root: Path) -> dict[str, str]:
    for key, objects in TRUTH.items():
        picture(root / f"{key}.jpg")
        shapes: list[dict[str, Any]] = [
            {
                "label": value,
                "points": [[x2, y2], [x1, y1]],
                "group_id": None,
                "description": "",
                "shape_type": "rectangle",
                "flags": {},
                "mask": None,
            }
            for value, (x1, y1, x2, y2) in objects
        ]
        document: dict[str, Any] = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": f"{key}.jpg",
            "imageData": None,
        }
        if shapes:
            text(root / f"{key}.json", json.dumps(document | {"imageHeight": HEIGHT, "imageWidth": WIDTH}))
    return {key: f"{key}.jpg" for key in TRUTH}


TOOLS: dict[str, tuple[str, Callable[[Path], dict[str, str]], dict[str, Any]]] = {
    "Roboflow COCO": ("coco", roboflow_coco, {}),
    "Roboflow YOLO": ("yolo", roboflow_yolo, {}),
    "Roboflow VOC": ("pascalvoc", roboflow_voc, {}),
    "CVAT COCO": ("coco", cvat_coco, {}),
    "CVAT YOLO": ("yolo", cvat_yolo, {}),
    "Darknet": ("yolo", darknet, {}),
    "Ultralytics": ("yolo", ultralytics, {}),
    "Label Studio YOLO": ("yolo", label_studio_yolo, {}),
    "Label Studio COCO": ("coco", label_studio_coco, {}),
    "labelImg VOC": ("pascalvoc", labelimg_voc, {"annotations_arguments": {"corners": "zero_based"}}),
    "labelImg YOLO": ("yolo", labelimg_yolo, {}),
    "VOC devkit": ("pascalvoc", voc_devkit, {}),
    "labelme": ("labelme", labelme, {}),
}


def read_coco(folder: Path) -> Truth:
    document = json.loads((folder / "annotations.json").read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    values = {category["id"]: category["name"] for category in document["categories"]}
    found: Truth = {name: [] for name in names.values()}
    for entry in document["annotations"]:
        x, y, width, height = entry["bbox"]
        found[names[entry["image_id"]]].append((values[entry["category_id"]], (x, y, x + width, y + height)))
    return found


def read_yolo(folder: Path) -> Truth:
    values = (folder / "classes.txt").read_text().split()
    found: Truth = {}
    for path in sorted((folder / "annotations").rglob("*.txt")):
        own = found.setdefault(path.relative_to(folder / "annotations").with_suffix("").as_posix(), [])
        for line in path.read_text().splitlines():
            index, x, y, width, height = map(float, line.split())
            x1, x2 = (x - width / 2) * WIDTH, (x + width / 2) * WIDTH
            y1, y2 = (y - height / 2) * HEIGHT, (y + height / 2) * HEIGHT
            own.append((values[int(index)], (x1, y1, x2, y2)))
    return found


def read_pascalvoc(folder: Path) -> Truth:
    found: Truth = {}
    for path in sorted((folder / "annotations").rglob("*.xml")):
        own = found.setdefault(path.relative_to(folder / "annotations").with_suffix("").as_posix(), [])
        for entry in ElementTree.parse(path).iter("object"):
            x1, y1, x2, y2 = (float(entry.findtext(f"bndbox/{tag}") or "") for tag in ("xmin", "ymin", "xmax", "ymax"))
            own.append((entry.findtext("name") or "", (x1 - 1, y1 - 1, x2, y2)))
    return found


def read_labelme(folder: Path) -> Truth:
    found: Truth = {}
    for path in sorted(folder.rglob("*.json")):
        if path.name == "manifest.json":
            continue
        document = json.loads(path.read_text())
        if "shapes" in document:
            own = found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), [])
            for shape in document["shapes"]:
                (x1, y1), (x2, y2) = shape["points"]
                own.append((shape["label"], (x1, y1, x2, y2)))
    return found


EXPORTS: dict[str, tuple[Any, Callable[[Path], Truth]]] = {
    "coco": (FastLabelExportCocoOperator, read_coco),
    "yolo": (FastLabelExportYoloOperator, read_yolo),
    "pascalvoc": (FastLabelExportPascalVocOperator, read_pascalvoc),
    "labelme": (FastLabelExportLabelmeOperator, read_labelme),
}


def without_ending(name: str) -> str:
    return str(Path(name).with_suffix("")) if Path(name).suffix in (".jpg", ".png") else name


@pytest.mark.parametrize("tool", TOOLS)
def test_a_data_set_is_imported_as_it_comes_and_exported_equal(airflow_run, client, tmp_path, tool):
    form, build, arguments = TOOLS[tool]
    root = tmp_path / "data set"
    names = build(root)
    for value in ("cat", "dog"):
        client.create_annotation("photos", "bbox", value, value.title())
    outcome = airflow_run(
        lambda: FastLabelCreateTasksFromFolderOperator(
            task_id="create",
            project="photos",
            folder=str(root),
            annotations_format=form,  # type: ignore[arg-type]
            status="approved",
            manifest=str(tmp_path / "m.jsonl"),
            **arguments,
        )
    ).attempt()
    assert outcome.state == "success", outcome.error
    assert outcome.result["annotations"] == {"read": 3, "sent": 3, "existing": 0, "lost": {}}
    assert client.task_ids_by_name("photos").keys() == set(names.values())
    operator, read = EXPORTS[form]
    output = tmp_path / "out"
    exported = airflow_run(lambda: operator(task_id="export", project="photos", output=str(output))).attempt()
    assert exported.state == "success", exported.error
    found = {without_ending(name): objects for name, objects in read(output).items()}
    for key, name in names.items():
        objects = found.get(without_ending(name), [])
        assert [value for value, _ in objects] == [value for value, _ in TRUTH[key]]
        for (_, box), (_, expected) in zip(objects, TRUTH[key], strict=True):
            assert box == pytest.approx(expected, abs=1e-3)
