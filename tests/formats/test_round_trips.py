"""Export, then import: the same shapes, within what the format can say."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from airflow_provider_fastlabel.formats.coco import export_coco, read_coco
from airflow_provider_fastlabel.formats.geometry.raster import covers
from airflow_provider_fastlabel.formats.geometry.regions import area_of
from airflow_provider_fastlabel.formats.geometry.shapes import Shape, shape_of
from airflow_provider_fastlabel.formats.labelme import export_labelme, read_labelme
from airflow_provider_fastlabel.formats.masks import export_masks, mask_to_fastlabel_segmentation_points, read_mask
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc, read_pascalvoc
from airflow_provider_fastlabel.formats.yolo import export_yolo, read_yolo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

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
    """Star-shaped outlines around a centre, clockwise on screen or the other way round."""
    angles = sorted(draw(st.sets(st.integers(0, 35), min_size=5, max_size=14)))
    assume(max(b - a for a, b in zip(angles, [*angles[1:], angles[0] + 36], strict=True)) < 16)
    points = []
    for angle in angles[:: draw(st.sampled_from([1, -1]))]:
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


@st.composite
def outlines(draw):
    """Outlines of any direction, crossing themselves, in and out of the image."""
    count = draw(st.integers(3, 8))
    points = draw(st.lists(st.integers(-40, 240).map(lambda n: n + 0.25), min_size=2 * count, max_size=2 * count))
    return {"type": "polygon", "value": "cat", "points": points}


def crosses_itself(annotation):
    if annotation["type"] != "polygon":
        return False
    shape = shape_of(annotation)
    return isinstance(shape, str) or shape.area != pytest.approx(area_of(shape.regions)[0], rel=1e-6, abs=1e-3)


@st.composite
def scattered(draw):
    """Segmentations of several regions at any place, some with a hole, some overlapping."""
    regions = []
    for _ in range(draw(st.integers(2, 4))):
        x, y = draw(st.integers(-10, 180)), draw(st.integers(-10, 100))
        width, height = draw(st.integers(9, 60)), draw(st.integers(9, 50))
        rings = [[x, y, x + width, y, x + width, y + height, x, y + height, x, y]]
        if draw(st.booleans()):
            rings.append([x + 2, y + 2, x + 2, y + 6.5, x + 7.5, y + 4, x + 2, y + 2])
        regions.append(rings)
    return {"type": "segmentation", "value": "dog", "points": regions}


@st.composite
def turned_anywhere(draw):
    x, y = draw(numbers(WIDTH)), draw(numbers(HEIGHT))
    width, height = draw(st.integers(4, 90)), draw(st.integers(4, 90))
    points = [x - width, y - height, x + width, y + height]
    return {"type": "bbox", "value": "dog", "points": points, "rotation": draw(st.integers(-179, 180))}


ANY_AREA = st.one_of(
    boxes(),
    polygons(),
    outlines(),
    scattered(),
    segmentations(),
    turned_boxes(),
    turned_anywhere(),
)
POSES: st.SearchStrategy[dict[str, Any]] = st.lists(
    st.tuples(numbers(WIDTH), numbers(HEIGHT), st.sampled_from([0, 1, None])), min_size=3, max_size=3
).map(
    lambda rows: {
        "type": "pose_estimation",
        "value": "dog",
        "keypoints": [
            {"key": key, "value": [] if seen is None else [x, y, seen]}
            for key, (x, y, seen) in zip("abc", rows, strict=True)
        ],
    }
)


SEEN_POSES = POSES.filter(lambda pose: any(row["value"] for row in pose["keypoints"]))


def made(annotation, width=0, height=0):
    shape = shape_of(annotation, width, height)
    assert isinstance(shape, Shape), shape
    return shape


def pixels(annotation):
    (cover,) = covers([made(annotation)], WIDTH, HEIGHT)
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
        assert (result.problems, result.notes) == ([], [])
        assert list(result.by_image) == [name]
        return result.by_image[name]

    return trip


def border_of(annotation):
    """Pixels that the outline touches, or whose neighbour it touches."""
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    rings = [ring for region in made(annotation).regions for ring in region]
    for ring in rings:
        points = np.rint((np.array(ring).reshape(-1, 2) - 0.5) * 16).astype(np.int32)
        cv2.polylines(image, [points], True, 1, 3, cv2.LINE_8, 4)
    return image.astype(bool)


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


@pytest.mark.parametrize("compressed", [True, False])
@given(rows=st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=6, max_size=6))
def test_coco_crowds_go_in_and_out_as_run_lengths(tmp_path_factory, compressed, rows):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:50, 30:70] = np.kron(np.array(rows), np.ones((5, 5)))
    assume(mask.any())
    packed = coco_mask.encode(np.asfortranarray(mask))
    counts = packed["counts"].decode()
    if not compressed:
        edges = np.flatnonzero(np.diff(mask.flatten(order="F"))) + 1
        counts = np.diff([0, *edges, mask.size]).tolist()
    source = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 3, "name": "herd"}],
        "annotations": [
            {"id": 9, "image_id": 7, "category_id": 3, "iscrowd": 1, "area": int(mask.sum()), "bbox": [30, 20, 40, 30],
             "segmentation": {"size": [HEIGHT, WIDTH], "counts": counts}}
        ],
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("crowd")
    (folder / "in.json").write_text(json.dumps(source))
    read = read_coco(folder / "in.json")
    assert (read.problems, read.notes, read.objects) == ([], [], {"a.jpg": 1})
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": read.by_image["a.jpg"]}
    export_coco([task], folder)
    with contextlib.redirect_stdout(io.StringIO()):
        found = COCO(str(folder / "annotations.json"))
    (row,) = found.anns.values()
    assert row["iscrowd"] == 1
    assert row["segmentation"] == {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()}
    assert (found.annToMask(row) == mask).all()
    assert row["area"] == mask.sum()


@given(st.lists(SEEN_POSES, min_size=1, max_size=3))
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


@given(SEEN_POSES)
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


@example({"type": "bbox", "value": "dog", "points": [-4.0, -6.0, 4.0, 14.0], "rotation": 90})
@example({"type": "bbox", "value": "dog", "points": [-900.0, -900.0, 900.0, 900.0], "rotation": 30})
@given(ANY_AREA)
def test_coco_masks_and_areas_are_those_of_the_source(tmp_path_factory, annotation):
    folder = tmp_path_factory.mktemp("coco")
    report = export_coco([{"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": [annotation]}], folder)
    assume(report.annotations)
    with contextlib.redirect_stdout(io.StringIO()):
        found = COCO(str(folder / "annotations.json"))
    (row,) = found.anns.values()
    source = pixels(annotation)
    differing = source ^ found.annToMask(row).astype(bool)
    # Of an outline that crosses itself readers do not agree what is inside, nor do its net and its true area.
    if not crosses_itself(annotation):
        assert not (differing & ~border_of(annotation)).any()
        assert abs(row["area"] - source.sum()) <= border_of(annotation).sum() / 2 + 1
    (ours,) = read_coco(folder / "annotations.json").by_image["a.jpg"]
    assert not ((pixels(ours) ^ source) & ~border_of(annotation)).any()


@given(ANY_AREA)
def test_yolo_outlines_cover_the_pixels_of_the_source(tmp_path_factory, annotation):
    folder = tmp_path_factory.mktemp("yolo")
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": [annotation]}
    report = export_yolo([task], folder, task="segment")
    assume(report.annotations)
    Image.new("1", (WIDTH, HEIGHT)).save(folder / "a.jpg", "PNG")
    found = read_yolo(folder / "classes.txt", folder, task="segment").by_image["a.jpg"]
    together = np.zeros((HEIGHT, WIDTH), bool)
    for one in found:
        together |= pixels(one)
    assert not ((together ^ pixels(annotation)) & ~border_of(annotation)).any()


@given(st.lists(ANY_AREA, min_size=1, max_size=3))
def test_labelme_covers_the_pixels_of_the_source(tmp_path_factory, annotations):
    folder = tmp_path_factory.mktemp("labelme")
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": annotations}
    report = export_labelme([task], folder)
    assume(report.annotations == len(annotations))
    result = read_labelme(folder)
    assert result.problems == []
    for given_one, one in zip(annotations, result.by_image["a.jpg"], strict=True):
        assert not ((pixels(one) ^ pixels(given_one)) & ~border_of(given_one)).any()


@given(turned_boxes())
def test_labelme_rotated_boxes(trip, annotation):
    (found,) = trip(export_labelme, read_labelme, [annotation])
    if annotation["rotation"] % 90:
        assert found["points"] == pytest.approx(annotation["points"], abs=1e-4)
    assert not ((pixels(found) ^ pixels(annotation)) & ~border_of(annotation)).any()


LINES = st.lists(st.tuples(numbers(WIDTH), numbers(HEIGHT)), min_size=2, max_size=6, unique=True).map(
    lambda points: {"type": "line", "value": "dog", "points": [number for point in points for number in point]}
)
SPOTS = st.tuples(numbers(WIDTH), numbers(HEIGHT)).map(
    lambda point: {"type": "keypoint", "value": "cat", "points": list(point)}
)
CIRCLES = st.tuples(numbers(WIDTH), numbers(HEIGHT), numbers(60).filter(bool)).map(
    lambda circle: {"type": "circle", "value": "cat", "points": list(circle)}
)


@given(
    st.lists(
        st.one_of(LINES, SPOTS, CIRCLES, SEEN_POSES),
        max_size=5,
    )
)
def test_labelme_lines_points_circles_and_poses(trip, annotations):
    found = trip(export_labelme, read_labelme, annotations)
    for one, given_one in zip(found, annotations, strict=True):
        if given_one["type"] == "pose_estimation":
            given_one = given_one | {"keypoints": [row for row in given_one["keypoints"] if row["value"]]}
            assert one == given_one
        else:
            assert (one["type"], one["value"]) == (given_one["type"], given_one["value"])
            assert one["points"] == pytest.approx(given_one["points"], abs=1e-6)


@given(st.lists(ANY_AREA, min_size=1, max_size=4))
def test_masks_come_back_to_the_pixel(tmp_path_factory, annotations):
    folder = tmp_path_factory.mktemp("masks")
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": annotations}
    export_masks([task], folder, kind="instance")
    (line,) = (folder / "instances.jsonl").read_text(encoding="utf-8").splitlines()
    names = {row["id"]: str(row["id"]) for row in json.loads(line)["instances"]}
    with Image.open(folder / "a.png") as image:
        mask = np.asarray(image)
    result = read_mask(folder / "a.png", names, image="a.jpg")
    assert result.problems == []
    for found in result.by_image.get("a.jpg", []):
        assert (pixels(found) == (mask == int(found["value"]))).all()
    assert {int(found["value"]) for found in result.by_image.get("a.jpg", [])} == set(np.unique(mask)) - {0}


@given(
    st.lists(st.one_of(boxes(), turned_anywhere()), min_size=1, max_size=4),
    st.sampled_from(["one_based", "zero_based"]),
)
def test_pascalvoc_boxes_enclose_what_can_be_seen(tmp_path_factory, annotations, corners):
    folder = tmp_path_factory.mktemp("voc")
    task = {"name": "a.jpg", "width": WIDTH, "height": HEIGHT, "annotations": annotations}
    report = export_pascalvoc([task], folder, corners=corners)
    assume(report.annotations == len(annotations))
    found = read_pascalvoc(folder, corners=corners).by_image["a.jpg"]
    for one, given_one in zip(found, annotations, strict=True):
        shape = made(given_one, WIDTH, HEIGHT)
        x1, y1, x2, y2 = one["points"]
        assert x1 <= shape.x1 < x1 + 1
        assert y1 <= shape.y1 < y1 + 1
        assert x2 - 1 < shape.x2 <= x2
        assert y2 - 1 < shape.y2 <= y2
