"""One hostile data set in every format, read by those who read these formats."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from typing import Any

import cv2
import numpy as np
import pytest
import supervision
import xmltodict
import yaml
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from airflow_provider_fastlabel.formats.coco import export_coco, read_coco
from airflow_provider_fastlabel.formats.drawings import export_drawings
from airflow_provider_fastlabel.formats.labelme import export_labelme, read_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc, read_pascalvoc
from airflow_provider_fastlabel.formats.writing.naming import safe_name
from airflow_provider_fastlabel.formats.yolo import export_yolo, read_yolo
from tests.formats import hostile
from tests.formats.readers import checked, opened_by_labelme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

YOLO = ("detect", "segment", "pose", "obb")
# A name without extension.
DOTS = safe_name("dots/..")


def yolo(kind, layout):
    def export(tasks, folder, photos, **options):
        return export_yolo(tasks, folder, task=kind, layout=layout, image_dir=photos, **options)

    return export


def drawn(tasks, folder, photos, **options):
    return export_drawings(tasks, photos, folder, **options)


EXPORTS = {
    "coco": lambda tasks, folder, photos, **options: export_coco(tasks, folder, **options),
    "coco-unclipped": lambda tasks, folder, photos, **options: export_coco(tasks, folder, clip=False, **options),
    **{f"yolo-{kind}-{layout}": yolo(kind, layout) for kind in YOLO for layout in ("fastlabel", "ultralytics")},
    "voc-one": lambda tasks, folder, photos, **options: export_pascalvoc(tasks, folder, **options),
    "voc-zero": lambda tasks, folder, photos, **options: export_pascalvoc(
        tasks, folder, corners="zero_based", **options
    ),
    "labelme": lambda tasks, folder, photos, **options: export_labelme(tasks, folder, **options),
    "semantic": lambda tasks, folder, photos, **options: export_masks(tasks, folder, kind="semantic", **options),
    "instance": lambda tasks, folder, photos, **options: export_masks(tasks, folder, kind="instance", **options),
    "drawn": drawn,
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """The images of all tasks, as an export brings them."""
    folder = tmp_path_factory.mktemp("photos")
    for task in hostile.TASKS:
        path = folder / safe_name(task["name"])
        path.parent.mkdir(exist_ok=True, parents=True)
        kind = "PNG" if path.suffix == ".png" else "JPEG"
        Image.new("RGB", (hostile.WIDTH, hostile.HEIGHT), "#808080").save(path, kind)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory, photos):
    """Every export once: name -> (its folder, its report)."""
    made = {}

    def exported(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("x") / "in" / "side"
            folder.mkdir(parents=True)
            before = copy.deepcopy(hostile.TASKS)
            report = EXPORTS[name](iter(hostile.TASKS), folder, photos, classes=hostile.CLASSES, on_error="skip")
            assert repr(hostile.TASKS) == repr(before)
            made[name] = folder, report
        return made[name]

    return exported


@pytest.mark.parametrize("name", EXPORTS)
def test_everything_is_inside_and_listed_and_counted(exported, name):
    folder, report = exported(name)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert sorted(report.files) == files
    assert {path.name for path in folder.parents[1].rglob("*")} - {path.name for path in folder.rglob("*")} == {
        "in",
        "side",
    }
    assert report.annotations_in == hostile.ANNOTATIONS
    assert report.annotations_in == report.annotations + sum(report.skipped.values())
    assert report.classes == [one["value"] for one in hostile.CLASSES]


COMMON = {"outside_image": 1, "unknown_class": 1, "unsupported_type:None": 1, "malformed": 9}
SKIPPED = {
    "coco": {"degenerate": 4, "no_points": 3, "line": 3, "circle": 2, "keypoint": 1, "cuboid": 1, "ner": 1},
    "labelme": {"degenerate": 6, "no_points": 3, "cuboid": 1, "ner": 1},
}


@pytest.mark.parametrize(("name", "skipped"), SKIPPED.items())
def test_reasons_add_up(exported, name, skipped):
    expected = {
        key if "_" in key or key == "degenerate" else f"unsupported_type:{key}": n for key, n in skipped.items()
    }
    assert exported(name)[1].skipped == expected | COMMON


# COCO


@pytest.fixture(scope="module")
def coco(exported):
    folder, _ = exported("coco")
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(folder / "annotations.json"))


def sized(coco):
    return [row for row in coco.anns.values() if coco.imgs[row["image_id"]]["width"]]


def outline(regions):
    rings = [np.array(ring).reshape(-1, 2) for ring in regions]
    return sum(np.abs(np.diff(ring, axis=0, append=ring[:1])).sum() for ring in rings)


def test_pycocotools_sees_the_area_we_state(coco):
    assert len(coco.imgs) == len(hostile.TASKS)
    assert len(sized(coco)) > 300
    for row in sized(coco):
        area = int(coco.annToMask(row).sum())
        x, y, width, height = row["bbox"]
        assert 0 <= x <= x + width <= hostile.WIDTH
        assert 0 <= y <= y + height <= hostile.HEIGHT
        regions = row["segmentation"]
        length = outline(regions) if isinstance(regions, list) else 4 * (width + height)
        assert row["area"] > 0
        assert abs(area - row["area"]) <= length / 2 + 1
        if row["rotation"] == 0 and isinstance(regions, dict):
            assert area == row["area"]  # whole numbers and holes: to the pixel


def average_precision(coco, kind, rows):
    truth = COCO()
    truth.dataset = {**coco.dataset, "annotations": rows}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found = truth.loadRes([{**row, "score": 1.0} for row in rows])
        evaluation = COCOeval(truth, found, kind)
        evaluation.params.maxDets = [1000]
        if kind == "keypoints":
            evaluation.params.kpt_oks_sigmas = np.full(3, 0.05)
            evaluation.params.catIds = truth.getCatIds(catNms=["person"])
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    return precision[precision > -1].mean()


@pytest.mark.slow
def test_pycocotools_finds_every_box_mask_and_pose_again(coco):
    plain = ("image_id", "category_id", "area", "iscrowd", "id", "bbox")
    boxes = [{key: row[key] for key in plain} for row in coco.anns.values()]
    assert average_precision(coco, "bbox", boxes) == pytest.approx(1)
    masks = [
        {key: row[key] for key in plain} | {"segmentation": coco.annToRLE(row)}
        for row in sized(coco)
        if coco_mask.area(coco.annToRLE(row))
    ]
    assert len(masks) > len(sized(coco)) - 5
    assert average_precision(coco, "segm", masks) == pytest.approx(1)
    poses = [{key: row[key] for key in (*plain, "keypoints", "num_keypoints")} for row in coco.anns.values()]
    assert average_precision(coco, "keypoints", [row for row in poses if row["num_keypoints"]]) == pytest.approx(1)


def test_supervision_reads_coco(exported, photos):
    folder, report = exported("coco")
    data = supervision.DetectionDataset.from_coco(str(photos), str(folder / "annotations.json"))
    assert data.classes == report.classes
    assert data.annotations[str(photos / "A.JPG")].xyxy.tolist() == [[2, 3, 31, 41]]
    assert len(data.annotations[str(photos / "a.jpg")]) == len(hostile.SHAPES) - 4
    assert len(data.annotations[str(photos / "many.png")]) == 300


def test_our_reader_takes_all_of_coco(exported):
    folder, report = exported("coco")
    found = read_coco(folder / "annotations.json")
    assert found.problems == []
    # A pose that has lost a keypoint of no name has the larger box of all of them.
    assert [note.message.split(":")[0] for note in found.notes] == ["annotations[20] (id 21)"]
    assert found.read == found.objects.total() == report.annotations
    assert sum(map(len, found.by_image.values())) == report.annotations
    assert found.by_image["A.JPG"][0]["points"] == [2, 3, 31, 41]


# YOLO


@pytest.mark.parametrize("layout", ["fastlabel", "ultralytics"])
@pytest.mark.parametrize("kind", YOLO)
def test_ultralytics_takes_every_label_file(exported, kind, layout):
    folder, report = exported(f"yolo-{kind}-{layout}")
    labels = [folder / name for name in report.files if name.endswith(".txt") and name != "classes.txt"]
    assert len(labels) == len(hostile.TASKS) - 2
    rows = [checked(path.read_text(), kind, len(report.classes), 3 if kind == "pose" else 0) for path in sorted(labels)]
    assert sum(map(len, rows)) == report.annotations + report.adjusted.get("extra_rows", 0)
    assert len((folder / "classes.txt").read_text(encoding="utf-8").splitlines()) == len(report.classes)


@pytest.mark.parametrize("kind", YOLO)
def test_data_yaml_names_every_class_and_each_image_has_its_labels(exported, kind):
    folder, report = exported(f"yolo-{kind}-ultralytics")
    data = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    assert len(data["names"]) == data["nc"] == len(report.classes)
    assert [data["names"][n] for n in range(4)] == report.classes[:4]
    images = [path for path in folder.glob("images/**/*") if path.suffix.lower() in (".jpg", ".png")]
    assert len(images) == len(hostile.TASKS) - 2
    for path in images:
        label = folder / "labels" / path.relative_to(folder / "images").with_suffix(".txt")
        assert label.is_file()  # as the loader looks for it (img2label_paths)


@pytest.mark.parametrize("kind", ["detect", "segment", "obb"])
def test_supervision_reads_the_ultralytics_layout(exported, kind):
    folder, report = exported(f"yolo-{kind}-ultralytics")
    boxes: dict[str, Any] = {}
    for split in ("train", "val"):
        data = supervision.DetectionDataset.from_yolo(
            str(folder / "images" / split),
            str(folder / "labels" / split),
            str(folder / "data.yaml"),
            is_obb=kind == "obb",
        )
        assert data.classes[:4] == report.classes[:4]
        boxes |= {path.rpartition("/")[2]: found for path, found in data.annotations.items()}
    assert len(boxes["many.png"]) == 300
    assert boxes["shot.jpg"].xyxy.tolist() == [] if "shot.jpg" in boxes else True
    other = next(found for name, found in boxes.items() if name.lower().startswith("a.jpg") and name != "a.jpg")
    assert other.xyxy.round(2).tolist() == [[2, 3, 31, 41]]
    assert len(boxes["empty.jpg"]) == 0


@pytest.mark.parametrize("kind", YOLO)
def test_our_reader_takes_all_of_yolo(exported, kind):
    folder, _ = exported(f"yolo-{kind}-ultralytics")
    keys = {"person": ["nose", "tail", "ear"]}
    found = read_yolo(folder / "data.yaml", folder, task=kind, keypoints=keys)
    assert found.problems == []
    assert len(found.by_image) == len(hostile.TASKS) - 2
    assert len(next(rows for name, rows in found.by_image.items() if name.endswith("many.png"))) == (
        0 if kind == "pose" else 300
    )


# Pascal VOC


@pytest.mark.parametrize(("name", "first"), [("voc-one", 1), ("voc-zero", 0)])
def test_every_voc_file_is_well_formed_and_inside_the_image(exported, name, first):
    folder, report = exported(name)
    assert len(report.files) == len(hostile.TASKS)
    objects = 0
    for path in report.files:
        data = xmltodict.parse((folder / path).read_bytes(), force_list=("object",))["annotation"]
        width, height = int(data["size"]["width"]), int(data["size"]["height"])
        for found in data.get("object", []):
            objects += 1
            xmin, ymin, xmax, ymax = (int(found["bndbox"][key]) for key in ("xmin", "ymin", "xmax", "ymax"))
            assert first <= xmin < xmax + first
            assert first <= ymin < ymax + first
            assert not width or (xmax <= width and ymax <= height)
            assert found["name"]
    assert objects == report.annotations


def test_supervision_reads_voc(exported, photos, tmp_path):
    folder, _ = exported("voc-one")
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("a.xml", "many.xml", "empty.xml", "shot.1.xml"):
        (flat / name).write_bytes((folder / "annotations" / name).read_bytes())
    data = supervision.DetectionDataset.from_pascal_voc(str(photos), str(flat))
    boxes = {path.rpartition("/")[2]: found.xyxy.tolist() for path, found in data.annotations.items()}
    assert boxes["a.jpg"][0] == boxes["a.jpg"][1] == [10, 10, 50, 40]
    assert len(boxes["many.png"]) == 300


def test_our_reader_takes_all_of_voc(exported):
    folder, report = exported("voc-one")
    found = read_pascalvoc(folder)
    assert [problem.file[12:] for problem in found.problems] == [f"{DOTS}.xml", "shot.1.xml", "shot.2.xml"]
    assert sum(map(len, found.by_image.values())) == report.annotations - 3
    assert found.by_image["a.png"][0]["points"] == [1, 2, 30, 40]
    assert found.by_image["A.JPG"][0]["points"] == [2, 3, 31, 41]


# labelme


def test_labelme_opens_every_file(exported):
    folder, report = exported("labelme")
    assert len(report.files) == len(hostile.TASKS)
    shapes = []
    for name in report.files:
        image = (folder / name).parent / json.loads((folder / name).read_bytes())["imagePath"]
        Image.new("RGB", (hostile.WIDTH, hostile.HEIGHT)).save(image, "PNG")
        shapes += opened_by_labelme(folder / name)["shapes"]
        image.unlink()
    assert len(shapes) >= report.annotations


def test_our_reader_takes_all_of_labelme(exported):
    folder, report = exported("labelme")
    found = read_labelme(folder)
    assert [problem.file for problem in found.problems] == [f"{DOTS}.json"]
    assert sum(map(len, found.by_image.values())) == report.annotations - 1
    assert found.by_image["A.JPG"][0]["points"] == [2, 3, 31, 41]


# Pictures


@pytest.mark.parametrize("kind", ["semantic", "instance"])
def test_pillow_and_opencv_read_the_same_masks(exported, kind):
    folder, report = exported(kind)
    masks = [name for name in report.files if name.endswith(".png")]
    assert len(masks) == len(hostile.TASKS) - 3
    for name in masks:
        with Image.open(folder / name) as image:
            pixels = np.asarray(image)
            assert image.size == (hostile.WIDTH, hostile.HEIGHT)
            palette = image.getpalette()
        raw = cv2.imdecode(np.fromfile(folder / name, np.uint8), cv2.IMREAD_UNCHANGED)
        assert raw is not None
        if palette is None:
            assert (name, kind) == ("many.png", "instance")
            assert np.array_equal(raw, pixels)
            assert set(np.unique(pixels)) == set(range(301))
        else:
            colours = np.array(palette).reshape(-1, 3)
            assert len({tuple(colour) for colour in colours}) == 256
            assert (raw[..., 2::-1] == colours[pixels]).all()


def test_masks_hold_the_ids_of_the_classes(exported):
    folder, _ = exported("semantic")
    rows = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    assert [row["value"] for row in rows] == [one["value"] for one in hostile.CLASSES]
    with Image.open(folder / "many.png") as image:
        assert set(np.unique(np.asarray(image))) == {0, rows[0]["id"]}


def test_every_image_that_is_there_is_drawn(exported, photos):
    folder, report = exported("drawn")
    images = [path for path in photos.rglob("*.*") if path.suffix in (".jpg", ".png", ".JPG")]
    assert sorted(report.files) == sorted(path.relative_to(photos).as_posix() for path in images)
    for name in report.files:
        with Image.open(folder / name) as image:
            assert image.size == (hostile.WIDTH, hostile.HEIGHT)
            image.load()
