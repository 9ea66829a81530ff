"""Export, then import: the same shapes, within what the format can say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.coco_import import read_coco
from airflow_provider_fastlabel.formats.geometry import shape_of
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.labelme_import import read_labelme
from airflow_provider_fastlabel.formats.mask_import import mask_to_fastlabel_segmentation_points
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.pascalvoc_import import read_pascalvoc
from airflow_provider_fastlabel.formats.raster import covers
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.formats.yolo_import import read_yolo

WIDTH, HEIGHT = 200, 120
NAMES = st.sampled_from(["a.jpg", "sub/a.jpg", "a b/犬.png", "x.y/z.1.jpg"])


def numbers(limit, places=2):
    return st.integers(0, limit * 10**places).map(lambda value: value / 10**places)


@st.composite
def boxes(draw, places=2):
    x1, x2 = sorted(draw(st.lists(numbers(WIDTH, places), min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw(st.lists(numbers(HEIGHT, places), min_size=2, max_size=2, unique=True)))
    assume(x2 - x1 >= 1 and y2 - y1 >= 1)
    return {"type": "bbox", "value": draw(st.sampled_from(["dog", "cat"])), "points": [x1, y1, x2, y2]}


@st.composite
def turned_boxes(draw):
    width, height = draw(st.integers(12, 40)), draw(st.integers(12, 40))
    points = [100 - width, 60 - height, 100 + width, 60 + height]
    assume(width**2 + height**2 < 59**2)
    return {"type": "bbox", "value": "dog", "points": points, "rotation": draw(st.integers(-179, 180))}


@st.composite
def polygons(draw):
    """Star-shaped outlines around a centre, clockwise on screen."""
    angles = sorted(draw(st.sets(st.integers(0, 35), min_size=5, max_size=14)))
    assume(max(b - a for a, b in zip(angles, [*angles[1:], angles[0] + 36], strict=True)) < 16)
    points = []
    for angle in angles:
        radius = draw(st.integers(15, 55))
        points += [
            round(100 + radius * float(np.cos(angle * np.pi / 18)), 2),
            round(60 + radius * float(np.sin(angle * np.pi / 18)), 2),
        ]
    return {"type": "polygon", "value": "cat", "points": points}


@st.composite
def segmentations(draw):
    rows = draw(st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=6, max_size=6))
    mask = np.kron(np.array(rows), np.ones((3, 3), bool))
    assume(mask.any())
    return {"type": "segmentation", "value": "dog", "points": mask_to_fastlabel_segmentation_points(mask)}


POSES = st.lists(st.tuples(numbers(WIDTH), numbers(HEIGHT), st.sampled_from([0, 1, None])), min_size=3, max_size=3).map(
    lambda rows: {
        "type": "pose_estimation",
        "value": "dog",
        "keypoints": [
            {"key": key, "value": [] if seen is None else [x, y, seen]}
            for key, (x, y, seen) in zip("abc", rows, strict=True)
        ],
    }
)


def pixels(annotation):
    (cover,) = covers([shape_of(annotation)], WIDTH, HEIGHT)
    image = np.zeros((HEIGHT, WIDTH), bool)
    if cover is not None:
        image[cover.window] = cover.mask
    return image


@pytest.fixture(scope="module")
def trip(tmp_path_factory):
    """Write one task with its image, read it again."""

    def trip(write, read, annotations, name="a.jpg"):
        folder = tmp_path_factory.mktemp("trip")
        task = {"name": name, "width": WIDTH, "height": HEIGHT, "annotations": annotations}
        image = folder / name
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.new("1", (WIDTH, HEIGHT)).save(image, "PNG")
        report = write([task], folder)
        assert report.annotations == len(annotations)
        result = read(folder)
        assert result.problems == []
        assert list(result.by_image) == [name]
        return result.by_image[name]

    return trip


def coco(folder):
    return read_coco(folder / "annotations.json")


def plain(found):
    return {key: value for key, value in found.items() if key != "attributes"}


@given(NAMES, st.lists(st.one_of(boxes(), polygons()), max_size=5))
def test_coco_boxes_and_polygons(trip, name, annotations):
    found = trip(export_coco, coco, annotations, name)
    assert [plain(one) for one in found] == annotations


@given(turned_boxes())
def test_coco_rotated_boxes(trip, annotation):
    (found,) = trip(export_coco, coco, [annotation])
    assert found["points"] == pytest.approx(annotation["points"], abs=1e-4)
    assert (found.get("rotation", 0) - annotation["rotation"]) % 360 == pytest.approx(0, abs=1e-4)


@given(segmentations())
def test_coco_segmentations_to_the_pixel(trip, annotation):
    (found,) = trip(export_coco, coco, [annotation])
    if len(annotation["points"]) == len(annotation["points"][0]) == 1:
        assert found["type"] in ("polygon", "bbox")
    assert (pixels(found) == pixels(annotation)).all()


@given(st.lists(POSES.filter(lambda pose: any(row["value"] for row in pose["keypoints"])), min_size=1, max_size=3))
def test_coco_poses(trip, annotations):
    found = trip(export_coco, coco, annotations)
    set_only = [one | {"keypoints": [row for row in one["keypoints"] if row["value"]]} for one in annotations]
    assert [plain(one) for one in found] == set_only


@given(NAMES, st.lists(boxes(places=0), max_size=5), st.sampled_from(["one_based", "zero_based"]))
def test_pascalvoc(trip, name, annotations, corners):
    found = trip(
        lambda tasks, folder: export_pascalvoc(tasks, folder, corners=corners),
        lambda folder: read_pascalvoc(folder / "annotations", corners=corners),
        annotations,
        name,
    )
    assert found == annotations


def yolo(task, **options):
    return (
        lambda tasks, folder: export_yolo(tasks, folder, task=task),
        lambda folder: read_yolo(folder / "classes.txt", folder, task=task, **options),
    )


@given(NAMES, st.lists(boxes(), min_size=1, max_size=5))
def test_yolo_boxes(trip, name, annotations):
    found = trip(*yolo("detect"), annotations, name)
    for one, given_one in zip(found, annotations, strict=True):
        assert one["value"] == given_one["value"]
        assert one["points"] == pytest.approx(given_one["points"], abs=2e-6 * WIDTH)


@given(polygons())
def test_yolo_outlines(trip, annotation):
    (found,) = trip(*yolo("segment", annotation_type="polygon"), [annotation])
    assert found["type"] == "polygon"
    assert found["points"] == pytest.approx(annotation["points"], abs=1e-6 * WIDTH)


@given(segmentations().filter(lambda one: len(one["points"]) == 1))
def test_yolo_segmentations_with_holes(trip, annotation):
    (found,) = trip(*yolo("segment"), [annotation])
    assert (pixels(found) ^ pixels(annotation)).sum() == 0


@given(turned_boxes())
def test_yolo_turned_boxes(trip, annotation):
    (found,) = trip(*yolo("obb"), [annotation])
    assert found["points"] == pytest.approx(annotation["points"], abs=1e-3)
    assert (found.get("rotation", 0) - annotation["rotation"] + 180) % 360 == pytest.approx(180, abs=0.01)


@given(POSES.filter(lambda pose: any(row["value"] for row in pose["keypoints"])))
def test_yolo_poses(trip, annotation):
    (found,) = trip(*yolo("pose", keypoints={"dog": ["a", "b", "c"]}), [annotation])
    expected = [row for row in annotation["keypoints"] if row["value"]]
    assert [row["key"] for row in found["keypoints"]] == [row["key"] for row in expected]
    for one, given_one in zip(found["keypoints"], expected, strict=True):
        assert one["value"] == pytest.approx(given_one["value"], abs=1e-6 * WIDTH)


@given(NAMES, st.lists(st.one_of(boxes(), polygons()), max_size=5))
def test_labelme_boxes_and_polygons(trip, name, annotations):
    assert trip(export_labelme, read_labelme, annotations, name) == annotations


@given(segmentations())
def test_labelme_segmentations(trip, annotation):
    (found,) = trip(export_labelme, read_labelme, [annotation])
    assert (pixels(found) == pixels(annotation)).all()


@given(st.lists(st.one_of(boxes(), polygons(), segmentations(), turned_boxes()), min_size=1, max_size=4))
def test_masks_hold_the_pixels_of_the_source(tmp_path_factory, annotations):
    folder = tmp_path_factory.mktemp("masks")
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": annotations}
    report = export_masks([task], folder, kind="instance")
    assume(report.annotations == len(annotations))
    expected = np.zeros((HEIGHT, WIDTH), int)
    for index, annotation in enumerate(annotations, 1):
        expected[pixels(annotation)] = index
    with Image.open(folder / "a.png") as image:
        assert (np.asarray(image) == expected).all()
