from __future__ import annotations

import json
import math
from typing import Any

import cv2
import numpy as np
import pytest
import supervision
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.geometry.shapes import Shape, shape_of
from airflow_provider_fastlabel.formats.writing.class_changes import brought_up_to_date
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.yolo import export_yolo, read_yolo
from tests.formats.readers import checked

HOLE = [[20, 20, 60, 20, 60, 60, 20, 60, 20, 20], [30, 30, 30, 50, 50, 50, 50, 30, 30, 30]]
POSE = [
    {"key": "a", "value": [10, 10, 1]},
    {"key": "b", "value": [30, 50, 0]},
    {"key": "c", "value": []},
]
KINDS = pytest.mark.parametrize("kind", ["detect", "segment", "pose", "obb"])


def task(*annotations, name="a.jpg", width=100, height=100):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


def bbox(*points, value="dog", **more):
    return {"type": "bbox", "value": value, "points": list(points), **more}


def rows(folder, *annotations, **options):
    export_yolo([task(*annotations)], folder, **options)
    return [[float(one) for one in line.split(" ")] for line in label_lines(folder / "annotations" / "a.txt")]


def label_lines(path):
    return path.read_text().splitlines()


HOSTILE = [
    task(
        bbox(-20, 90, 30, 130),
        bbox(10, 40, 95, 60, rotation=30),
        {"type": "polygon", "value": "cat", "points": [60, 60, 190, 65, 80, 95, 62.5, 80.25]},
        {"type": "segmentation", "value": "cat", "points": [HOLE, [[70, 70, 90, 70, 90, 90]]]},
        {"type": "pose_estimation", "value": "person", "keypoints": POSE},
        {"type": "line", "value": "cat", "points": [1, 2, 3, 4]},
        name="../../../evil.jpg",
    ),
    task(bbox(1, 2, 30, 40), name="sub dir/日本.jpg"),
    task(bbox(0.001, 0.001, 0.002, 0.002), name="a.jpg", width=4000, height=4000),
    task(bbox(5, 5, 7, 7, value="cat"), name="a.png"),
    task(name="empty.jpg"),
    task(name="nothing\n\x00.jpg"),
    task(bbox(1, 1, 3, 3), name="no size.jpg", width=0, height=0),
    task(bbox(1, 1, 3, 3), name="/abs/" + "long" * 100 + ".jpg"),
]


@KINDS
@pytest.mark.parametrize("layout", ["fastlabel", "ultralytics"])
def test_ultralytics_takes_every_file_of_a_hostile_set(tmp_path, kind, layout):
    out = tmp_path / "in" / "side"
    out.mkdir(parents=True)
    report = export_yolo(iter(HOSTILE), out, task=kind, layout=layout)
    files = [path for path in out.rglob("*.txt") if path.name != "classes.txt"]
    assert len(files) == len(HOSTILE) - 1
    assert sorted(report.files) == sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert list((tmp_path / "in").iterdir()) == [out]
    keypoints = 3 if kind == "pose" else 0
    found = [checked(path.read_text(), kind, len(report.classes), keypoints) for path in files]
    assert sum(map(len, found)) == report.annotations + report.adjusted.get("extra_rows", 0)
    assert report.skipped["no_image_size"] == 1


def test_y13_data_yaml_is_what_the_loader_needs(tmp_path):
    keypoints = [{"key": key, "edges": []} for key in "abc"]
    classes: list[dict[str, Any]] = [{"value": "person", "keypoints": keypoints}, {"value": 'a "b": #c'}]
    export_yolo(HOSTILE, tmp_path, task="pose", layout="ultralytics", classes=classes)
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert not data["path"]  # then the loader takes the file's own folder
    assert data["names"] == {0: "person", 1: 'a "b": #c'}
    assert data["nc"] == 2
    assert data["kpt_shape"] == [3, 3]
    assert data["kpt_names"] == {0: ["a", "b", "c"]}
    for split in ("train", "val"):
        assert (tmp_path / data[split]).is_dir()


def test_y13_supervision_reads_the_ultralytics_layout_with_the_images(tmp_path):
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    tasks = [task(bbox(10, 20, 50, 60, value="cat"), name=f"{n}.jpg") for n in range(20)]
    for one in tasks[:-1]:
        Image.new("RGB", (100, 100)).save(photos / one["name"])
    out = tmp_path / "out"
    out.mkdir()
    report = export_yolo(tasks, out, layout="ultralytics", image_dir=photos, classes=["dog", "cat"])
    assert report.adjusted["images_missing"] == 1
    read = 0
    for split in ("train", "val"):
        data = supervision.DetectionDataset.from_yolo(
            str(out / "images" / split), str(out / "labels" / split), str(out / "data.yaml")
        )
        assert data.classes == ["dog", "cat"]
        for boxes in data.annotations.values():
            assert boxes.xyxy.round(3).tolist() == [[10, 20, 50, 60]]
            assert boxes.class_id is not None
            assert boxes.class_id.tolist() == [1]
        read += len(data)
    assert read == 19


def test_image_and_label_share_their_stem_when_names_collide(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", "a.png"):
        Image.new("RGB", (100, 100)).save(photos / name)
    out = tmp_path / "out"
    out.mkdir()
    tasks = [task(name="a.jpg"), task(name="a.png")]
    export_yolo(tasks, out, layout="ultralytics", image_dir=photos, splits={"train": 1, "val": 0})
    assert sorted(path.name for path in (out / "images/train").iterdir()) == ["a.jpg", "a.png.png"]
    assert sorted(path.name for path in (out / "labels/train").iterdir()) == ["a.png.txt", "a.txt"]


def test_of_an_image_that_is_a_link_the_data_set_has_the_file(tmp_path):
    for folder in ("photos", "out"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (100, 100)).save(tmp_path / "real.jpg")
    (tmp_path / "photos/a.jpg").symlink_to("../real.jpg")
    export_yolo([task(name="a.jpg")], tmp_path / "out", layout="ultralytics", image_dir=tmp_path / "photos")
    (image,) = (tmp_path / "out/images").rglob("a.jpg")
    assert not image.is_symlink()
    assert image.read_bytes() == (tmp_path / "real.jpg").read_bytes()


def test_y1_ids_and_classes_txt_follow_the_given_order(tmp_path):
    assert rows(tmp_path, bbox(1, 1, 9, 9), bbox(1, 1, 9, 9, value="cat"), classes=["dog", "cat"])[0][0] == 0
    assert (tmp_path / "classes.txt").read_text() == "dog\ncat\n"


@pytest.mark.parametrize("classes", [None, ["x"]])
def test_y2_same_rule_with_and_without_classes(tmp_path, classes):
    polygon = {"type": "polygon", "value": "x", "points": [10, 10, 50, 10, 50, 30]}
    assert rows(tmp_path, polygon, classes=classes) == [[0, 0.3, 0.2, 0.4, 0.2]]
    assert rows(tmp_path, polygon, classes=classes, task="segment") == [[0, 0.1, 0.1, 0.5, 0.1, 0.5, 0.3]]


def test_y3_boxes_are_outlines_in_a_segment_export(tmp_path):
    assert rows(tmp_path, bbox(10, 20, 30, 40), task="segment") == [[0, 0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.1, 0.4]]


@pytest.mark.parametrize("kind", ["detect", "segment"])
@pytest.mark.parametrize("classes", [None, ["dog", "cat"]])
def test_y3_one_file_has_rows_of_one_kind(tmp_path, kind, classes):
    polygon = {"type": "polygon", "value": "cat", "points": [10, 10, 50, 10, 50, 30]}
    export_yolo([task(bbox(10, 20, 30, 40), polygon)], tmp_path, task=kind, classes=classes)
    text = (tmp_path / "annotations/a.txt").read_text()
    assert len(checked(text, kind, 2)) == 2
    assert {len(line.split()) == 5 for line in text.splitlines()} == {kind == "detect"}


@pytest.mark.parametrize("classes", [None, ["x"]])
def test_y4_no_row_holds_two_outlines(tmp_path, classes):
    regions = [[[n, n, n + 9, n, n + 9, n + 9, n, n + 9]] for n in (5, 30, 60)]
    export_yolo(
        [task({"type": "segmentation", "value": "x", "points": regions})], tmp_path, task="segment", classes=classes
    )
    lines = label_lines(tmp_path / "annotations/a.txt")
    assert [shoelace([float(one) * 100 for one in line.split()[1:]]) for line in lines] == pytest.approx([81, 81, 81])


def test_y4_each_region_is_a_row_and_holes_keep_their_area(tmp_path):
    annotation = {"type": "segmentation", "value": "x", "points": [HOLE, [[70, 70, 90, 70, 90, 90]]]}
    report = export_yolo([task(annotation)], tmp_path, task="segment")
    lines = label_lines(tmp_path / "annotations/a.txt")
    assert len(lines) == 2
    ring = [float(one) * 100 for one in lines[0].split()[1:]]
    assert shoelace(ring) == pytest.approx(1200)
    assert report.adjusted == {"holes_bridged": 1, "extra_rows": 1}
    assert report.annotations == 1


def shoelace(ring):
    xs, ys = ring[::2], ring[1::2]
    return (
        abs(
            sum(
                x * ys[(n + 1) % len(ys)] - xs[(n + 1) % len(xs)] * y
                for n, (x, y) in enumerate(zip(xs, ys, strict=True))
            )
        )
        / 2
    )


def test_hole_is_empty_as_ultralytics_draws_it(tmp_path):
    export_yolo([task({"type": "segmentation", "value": "x", "points": [HOLE]})], tmp_path, task="segment")
    ring = np.array(label_lines(tmp_path / "annotations/a.txt")[0].split()[1:], dtype=np.float32).reshape(-1, 2)
    mask = np.zeros((100, 100), dtype=np.uint8)
    cv2.fillPoly(mask, [(ring * 100).astype(np.int32)], 1)
    assert mask[25, 40] == 1
    assert mask[40, 40] == 0
    assert mask[32:48, 32:48].sum() == 0


def test_y5_poses_have_rows_of_their_own(tmp_path):
    pose = {"type": "pose_estimation", "value": "p", "keypoints": POSE}
    expected = [[0, 0.2, 0.3, 0.2, 0.4, 0.1, 0.1, 2, 0.3, 0.5, 1, 0, 0, 0]]
    assert rows(tmp_path, pose, task="pose") == expected
    assert rows(tmp_path, pose, task="pose", classes=["p"]) == expected
    assert rows(tmp_path, pose, task="detect") == [expected[0][:5]]


@pytest.mark.parametrize("kind", ["pose", "detect"])
def test_the_box_of_a_pose_grows_by_a_share_of_its_extent(tmp_path, kind):
    keypoints = [{"key": "a", "value": [10, 20, 1]}, {"key": "b", "value": [50, 40, 1]}]
    pose = {"type": "pose_estimation", "value": "p", "keypoints": keypoints}
    sized = {"name": "a.jpg", "width": 100, "height": 100, "annotations": [pose, pose | {"keypoints": keypoints[:1]}]}
    report = export_yolo([sized], tmp_path, task=kind, box_margin=0.25)
    first, second = (tmp_path / "annotations" / "a.txt").read_text().splitlines()
    assert [float(word) for word in first.split()[1:5]] == [0.3, 0.3, 0.6, 0.3]
    assert [float(word) for word in second.split()[3:5]] == [0.01, 0.01]
    assert report.adjusted["pose_box_without_extent"] == 1


def test_poses_of_classes_with_fewer_keypoints_are_filled(tmp_path):
    other = {"type": "pose_estimation", "value": "q", "keypoints": POSE[:1]}
    pose = {"type": "pose_estimation", "value": "p", "keypoints": POSE}
    assert {len(row) for row in rows(tmp_path, pose, other, task="pose")} == {14}


@pytest.mark.parametrize("height", [0, None, "100", float("nan")])
def test_y6_task_without_size_is_counted_and_has_no_file(tmp_path, height):
    report = export_yolo([task(bbox(1, 1, 2, 2), height=height)], tmp_path)
    assert report.skipped == {"no_image_size": 1}
    assert report.adjusted["tasks_without_size"] == 1
    assert report.files == ["classes.txt"]


def test_y7_boxes_are_cut_at_the_border(tmp_path):
    assert rows(tmp_path, bbox(90, -10, 130, 30)) == [[0, 0.95, 0.15, 0.1, 0.3]]


def test_y8_numbers_are_rounded_and_plain(tmp_path):
    boxes = bbox(0, 0, 0.0003, 66.6666666), bbox(0, 0, 0.00004, 100)
    export_yolo([task(*boxes, width=10, height=100)], tmp_path)
    first, second = label_lines(tmp_path / "annotations/a.txt")
    assert first == "0 0.000015 0.333333 0.000030 0.666667"
    assert second == "0 0.000002 0.500000 0.000004 1.000000"


def test_y8_a_coordinate_comes_back_as_it_was(tmp_path):
    [[_, x, y, width, height]] = rows(tmp_path, bbox(0, 0, 67.8, 33.9), classes=["dog"])
    assert (x + width / 2, y + height / 2) == pytest.approx((0.678, 0.339), abs=1e-9)


def test_y8_small_numbers_are_plain(tmp_path):
    export_yolo([task(bbox(0, 0, 6, 6), width=100_000, height=100_000)], tmp_path, classes=["dog"])
    assert label_lines(tmp_path / "annotations/a.txt") == ["0 0.000030 0.000030 0.000060 0.000060"]


@pytest.mark.parametrize("names", [("a.jpg", "a.png"), ("shot.1", "shot.2"), ("s/A.jpg", "s/a.jpg")])
def test_y9_no_task_overwrites_the_labels_of_another(tmp_path, names):
    tasks = [task(bbox(n, n, n + 9, n + 9), name=name) for n, name in enumerate(names)]
    report = export_yolo(tasks, tmp_path, classes=["dog"])
    labels = [(tmp_path / name).read_text() for name in report.files if name != "classes.txt"]
    assert len(set(labels)) == 2
    assert len({name.casefold() for name in report.files}) == 3


@pytest.mark.parametrize("name", ["../../../evil.jpg", "/abs/x.jpg", "a/../../../x.jpg", "C:\\x.jpg", "..\\..\\x.jpg"])
@pytest.mark.parametrize("layout", ["fastlabel", "ultralytics"])
def test_y10_nothing_is_written_outside(tmp_path, name, layout):
    out = tmp_path / "in" / "side"
    out.mkdir(parents=True)
    name = name.replace("/abs", str(tmp_path / "abs"))
    report = export_yolo([task(bbox(1, 1, 9, 9), name=name)], out, layout=layout, classes=["dog"])
    assert report.annotations == 1
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {out / name for name in report.files}
    assert all(path.resolve().is_relative_to(out) for path in written)
    assert not any("\\" in path.name or ":" in path.name for path in written)


def test_y11_class_name_with_a_line_break_takes_one_line(tmp_path):
    report = export_yolo([task(bbox(1, 1, 2, 2, value="a\nb")), task(bbox(1, 1, 2, 2, value="c"))], tmp_path)
    assert (tmp_path / "classes.txt").read_text() == "a_b\nc\n"
    assert report.adjusted["class_names_changed"] == 1


def test_y12_rotation(tmp_path):
    box = bbox(40, 45, 60, 55, rotation=90)
    assert rows(tmp_path, box) == [[0, 0.5, 0.5, 0.1, 0.2]]
    assert rows(tmp_path, box, task="obb") == [[0, 0.55, 0.4, 0.55, 0.6, 0.45, 0.6, 0.45, 0.4]]
    assert export_yolo([task(box)], tmp_path).adjusted == {"rotation_as_box": 1}


@given(st.integers(20, 80), st.integers(20, 80), st.floats(4, 30), st.floats(4, 30), st.floats(-89, 89))
@settings(deadline=None)
def test_oriented_box_comes_back_as_opencv_reads_it(tmp_path_factory, x, y, width, height, degrees):
    folder = tmp_path_factory.mktemp("obb")
    box = bbox(x - width / 2, y - height / 2, x + width / 2, y + height / 2, rotation=degrees)
    export_yolo([task(box, width=200, height=200)], folder, task="obb")
    numbers = np.array(label_lines(folder / "annotations/a.txt")[0].split()[1:], dtype=np.float32)
    (cx, cy), size, _ = cv2.minAreaRect(numbers.reshape(-1, 2) * 200)
    assert (cx, cy) == pytest.approx((x, y), abs=0.01)
    assert sorted(size) == pytest.approx(sorted((width, height)), abs=0.02)


def test_splits_follow_the_group_and_never_change(tmp_path):
    def splits(count, folder):
        folder.mkdir()
        tasks = [task(name=f"clip{n // 10}/{n:04d}.jpg") for n in range(count)]
        export_yolo(
            tasks,
            folder,
            layout="ultralytics",
            splits={"train": 0.6, "val": 0.3, "test": 0.1},
            group_by=lambda one: one["name"].split("/")[0],
        )
        return {
            str(path.relative_to(folder / "labels")).split("/", 1)[1]: path.parts[-3] for path in folder.rglob("0*.txt")
        }

    few, many = splits(300, tmp_path / "few"), splits(900, tmp_path / "many")
    assert few == {name: many[name] for name in few}
    assert {len({many[name] for name in many if name.startswith(f"clip{n}/")}) for n in range(90)} == {1}
    share = sum(split == "train" for split in many.values()) / len(many)
    assert math.isclose(share, 0.6, abs_tol=0.15)
    assert "test: images/test" in (tmp_path / "few/data.yaml").read_text()


def test_empty_split_is_reported(tmp_path, caplog):
    report = export_yolo([task()], tmp_path, layout="ultralytics", splits={"train": 1.0, "val": 0.0})
    assert report.adjusted["split_empty:val"] == 1
    assert "'val'" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"task": "classify"},
        {"layout": "darknet"},
        {"layout": "ultralytics", "splits": {"train": 1.0}},
        {"layout": "ultralytics", "splits": {"train": 0.5, "val": 0.4}},
        {"layout": "ultralytics", "splits": {"train": 0.5, "val": 0.4, "../x": 0.1}},
    ],
)
def test_what_cannot_be_is_refused(tmp_path, options):
    with pytest.raises(ValueError, match="task|layout|splits"):
        export_yolo([], tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_iterator_and_list_give_the_same_bytes(tmp_path):
    for name, tasks in (("a", HOSTILE), ("b", iter(json.loads(json.dumps(HOSTILE))))):
        (tmp_path / name).mkdir()
        export_yolo(tasks, tmp_path / name)
    first, second = ({p.relative_to(tmp_path / d): p.read_bytes() for p in (tmp_path / d).rglob("*.txt")} for d in "ab")
    assert first == second


@pytest.mark.parametrize("rotation", [45, -45, 135])
def test_a_turned_box_whose_corners_all_lie_outside_keeps_an_extent(tmp_path, rotation):
    # A strip across the image: moved to the border, its corners would be two points.
    (row,) = rows(tmp_path, bbox(-50, 45, 150, 55, rotation=rotation), task="obb")
    assert row[1:] == [0, 0, 1, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("rotation", [0.02, 30, -75, 170])
@pytest.mark.parametrize("box", [[300, 100, 303, 400], [150, 250, 450, 253]])
def test_thin_turned_boxes_come_back_as_exactly_as_rows_are(tmp_path, box, rotation):
    one = bbox(*box, rotation=rotation)
    export_yolo([task(one, width=640, height=480)], tmp_path, task="obb")
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg")
    (back,) = read_yolo(tmp_path / "classes.txt", tmp_path, task="obb").by_image["a.jpg"]
    before, after = shape_of(one), shape_of(back)
    assert isinstance(before, Shape)
    assert isinstance(after, Shape)
    assert after.corners() == pytest.approx(before.corners(), abs=0.002)


def test_a_turned_box_that_is_little_cut_stays_turned(tmp_path):
    (row,) = rows(tmp_path, bbox(0, 40, 40, 60, rotation=30), task="obb")
    assert row[1] == 0.076795
    assert row[7] == 0


def test_a_data_set_without_classes_says_so(tmp_path):
    export_yolo([task()], tmp_path, layout="ultralytics")
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert (data["nc"], data["names"]) == (0, {})


def test_lock_ids_are_used_as_they_are(tmp_path):
    locked = brought_up_to_date(ClassMap.of(["gone", "dog"]), ClassMap.of(["ant", "dog"]), keep_renamed=False)
    assert rows(tmp_path, bbox(1, 1, 9, 9), bbox(1, 1, 9, 9, value="ant"), classes=locked)[0][0] == 1
    assert (tmp_path / "classes.txt").read_text() == "gone\ndog\nant\n"
