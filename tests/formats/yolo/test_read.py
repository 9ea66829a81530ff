"""YOLO folders read into annotations: layouts, kinds of rows, every defect of the official SDK, hostile files."""

from __future__ import annotations

import math
from typing import Any

import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.yolo import read_yolo


def test_a_box_in_pixels(data):
    data.image("sub/a.jpg")
    data.label("sub/a.txt", "1 0.5 0.25 0.2 0.1\n")
    result = data.read()
    assert result.by_image == {"sub/a.jpg": [{"value": "cat", "points": [40, 40, 60, 60], "type": "bbox"}]}
    assert result.problems == []


def test_an_image_without_label_is_absent_and_an_empty_label_is_an_empty_list(data):
    data.image("a.jpg")
    data.image("b.jpg")
    data.label("b.txt", "\n  \n")
    assert data.read().by_image == {"b.jpg": []}


@pytest.mark.parametrize("row", ["0 0.5 0.5 0.1 0.1", "0\t0.5  0.5 \t 0.1 0.1  ", "0.0 .5 5e-1 0.1 0.1"])
def test_yi_tabs_blanks_and_blank_lines(data, row):
    data.image("a.jpg")
    data.label("a.txt", f"\n{row}\r\n\n")
    result = data.read()
    assert [found["points"] for found in result.by_image["a.jpg"]] == [[45, 90, 55, 110]]
    assert result.problems == []


def test_yi_a_sixth_column_is_the_confidence(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1 0.75")
    assert data.read().by_image["a.jpg"][0]["confidenceScore"] == 0.75


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "a.PNG", "a.webp", "a.bmp", "a.tif", "shot.1.png", "犬 1.jpg"])
def test_yi_every_kind_of_image(data, name):
    data.image(name)
    data.label(name.rpartition(".")[0] + ".txt", "0 0.5 0.5 0.1 0.1")
    assert list(data.read().by_image) == [name]


def test_yi_a_backup_of_an_image_is_no_image(data):
    data.image("a.jpg")
    data.label("a.jpg.bak", "x")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1")
    assert list(data.read().by_image) == ["a.jpg"]


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("train/images/x/a.jpg", "train/labels/x/a.txt"),
        ("labels/images/a.jpg", "labels/labels/a.txt"),
        ("a.jpg", "annotations/a.txt"),
        ("images/sub/a.jpg", "annotations/sub/a.txt"),
    ],
)
def test_yi_images_and_labels_in_folders_of_their_own(data, image, label):
    data.image(image)
    data.label(label, "0 0.5 0.5 0.1 0.1")
    result = data.read()
    assert list(result.by_image) == [image]
    assert result.problems == []


def test_images_that_differ_in_their_ending(data):
    data.image("a.jpg")
    data.image("a.png")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1")
    data.label("a.png.txt", "1 0.5 0.5 0.1 0.1")
    found = data.read().by_image
    assert {name: one[0]["value"] for name, one in found.items()} == {"a.jpg": "dog", "a.png": "cat"}


def test_a_label_for_two_images_is_reported(data):
    data.image("a.jpg")
    data.image("a.png")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1")
    result = data.read()
    assert result.by_image == {}
    (problem,) = result.problems
    assert "a.jpg or a.png" in problem.message
    assert (problem.image, problem.reason, problem.lost) == ("a", "no_picture", 1)


def test_yi_the_classes_file_may_lie_in_the_folder(data):
    data.classes = data.folder / "names.txt"
    data.classes.write_text("dog\n\nbird\n\n")
    data.label("classes.txt", "dog\n")
    data.image("a.jpg")
    data.label("a.txt", "2 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1")
    result = data.read()
    assert [found["value"] for found in result.by_image["a.jpg"]] == ["bird"]
    assert [str(problem) for problem in result.problems] == ["a.txt:2: class 1 is not in the classes file, which has 3"]


def test_yi_a_label_without_image_is_reported(data):
    data.label("a.txt", "0 0.5 0.5 0.1 0.1\n\n0 0.5")
    result = data.read()
    assert [str(problem) for problem in result.problems] == ["a.txt: there is no image for this label file"]
    assert [(problem.image, problem.reason, problem.lost) for problem in result.problems] == [("a", "no_picture", 2)]
    assert (result.by_image, result.read) == ({}, 2)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("5 0.5 0.5 0.1 0.1", "class 5"),
        ("-1 0.5 0.5 0.1 0.1", "class -1"),
        ("0.5 0.5 0.5 0.1 0.1", "ordinary"),
        ("x 0.5 0.5 0.1 0.1", "not a number"),
        ("0 nan 0.5 0.1 0.1", "ordinary"),
        ("0 0.5 0.5 inf 0.1", "ordinary"),
        ("0 0.5 0.5 0.1", "a box has five"),
        ("0", "a box has five"),
        ("0 50 50 10 10", "not a share"),
        ("0 0.5 0.5 0 0.1", "no area"),
        ("0 0.5 0.5 -0.1 0.1", "not a share"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "odd number"),
        ("0 0.1 0.1 0.2 0.2 0.1 0.1", "three points"),
    ],
)
def test_yi_a_bad_row_is_named_by_its_line_and_the_next_one_read(data, row, why):
    data.image("a.jpg")
    data.label("a.txt", f"{row}\n0 0.5 0.5 0.1 0.1\n")
    result = data.read()
    assert len(result.by_image["a.jpg"]) == 1
    (problem,) = result.problems
    assert (problem.file, problem.line, problem.image) == ("a.txt", 1, "a.jpg")
    assert (problem.reason, problem.lost) == ("unusable_object", 1)
    assert (result.objects, result.read) == ({"a.jpg": 1}, 2)
    assert why in problem.message


def test_files_that_are_damaged(data):
    data.image("a.jpg")
    data.label("a.txt", b"\xff\xfe\x00")
    data.label("b.jpg", "no image")
    data.label("b.txt", "0 0.5 0.5 0.1 0.1")
    result = data.read()
    assert result.by_image == {"a.jpg": [], "b.jpg": []}
    told = [(problem.file, problem.image, problem.reason, problem.lost) for problem in result.problems]
    assert told == [("a.txt", "a.jpg", "unreadable_file", 0), ("b.txt", "b.jpg", "unreadable_file", 1)]


def test_yi_outlines_keep_their_precision_and_are_closed(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.105 0.1 0.105 0.2 0.333333 0.2\n")
    (found,) = data.read(task="segment").by_image["a.jpg"]
    assert found["type"] == "segmentation"
    assert found["points"] == [[[10.5, 20, 33.3333, 40, 10.5, 40, 10.5, 20]]]
    (found,) = data.read(task="segment", annotation_type="polygon").by_image["a.jpg"]
    assert (found["type"], found["points"]) == ("polygon", [10.5, 20, 10.5, 40, 33.3333, 40])


def test_a_box_among_outlines_and_an_outline_among_boxes(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.2 0.1 0.2 0.3\n")
    boxes = data.read(task="detect").by_image["a.jpg"]
    assert [found["points"] for found in boxes] == [[45, 90, 55, 110], [10, 20, 20, 60]]
    assert data.read(annotation_type="bbox").by_image["a.jpg"] == boxes
    outlines = data.read(task="segment", annotation_type="polygon").by_image["a.jpg"]
    assert outlines[0]["points"] == [45, 90, 55, 90, 55, 110, 45, 110]
    assert data.read(annotation_type="polygon").by_image["a.jpg"] == outlines
    assert [found["type"] for found in data.read().by_image["a.jpg"]] == ["segmentation"] * 2


@pytest.mark.parametrize("degrees", [0, 30, -60, 120])
def test_turned_boxes(data, degrees):
    data.image("a.jpg")
    angle = math.radians(degrees)
    corners = []
    for u, v in ((-20, -10), (20, -10), (20, 10), (-20, 10)):
        x, y = 50 + u * math.cos(angle) - v * math.sin(angle), 100 + u * math.sin(angle) + v * math.cos(angle)
        corners += [f"{x / 100:.6f}", f"{y / 200:.6f}"]
    data.label("a.txt", f"0 {' '.join(corners)}\n")
    (found,) = data.read(task="obb").by_image["a.jpg"]
    assert found["points"] == pytest.approx([30, 90, 70, 110], abs=1e-3)
    assert found.get("rotation", 0) == pytest.approx(degrees, abs=0.01)


def test_corners_that_are_no_rectangle_become_the_smallest_box_around_them(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.2 0.2 0.8 0.2 0.7 0.4 0.3 0.4 0.9\n0 1 2\n")
    result = data.read(task="obb")
    (found,) = result.by_image["a.jpg"]
    x1, y1, x2, y2 = found["points"]
    assert (x2 - x1) * (y2 - y1) == pytest.approx(60 * 40, rel=0.01)
    assert found["confidenceScore"] == 0.9
    assert result.problems[0].line == 2


def test_poses(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 2 0.2 0.2 1 0 0 0\n0 0.5 0.5 0.2 0.2 0 0 0 0 0 0 0 0 0\n")
    result = data.read(task="pose", keypoints={"dog": ["nose", "tail", "paw"]})
    assert result.by_image["a.jpg"] == [
        {
            "value": "dog",
            "type": "pose_estimation",
            "keypoints": [{"key": "nose", "value": [10, 20, 1]}, {"key": "tail", "value": [20, 40, 0]}],
        }
    ]
    assert [problem.line for problem in result.problems] == [2]


def test_a_pose_with_fewer_keypoints_than_the_others(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 2 0.2 0.2 1 0 0 0\n")
    (found,) = data.read(task="pose", keypoints={"dog": ["nose", "tail"]}).by_image["a.jpg"]
    assert [row["key"] for row in found["keypoints"]] == ["nose", "tail"]


def test_poses_without_visibility_and_keys_of_data_yaml(data):
    data.classes = data.folder / "data.yaml"
    data.classes.write_text("names: {0: dog, 2: cat}\nkpt_shape: [2, 2]\nkpt_names: {0: [nose, tail]}\n")
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 0 0\n2 0.5 0.5 0.2 0.2 0.1 0.1 0 0\n1 0.5 0.5 0.2 0.2\n")
    result = data.read(task="pose")
    assert result.by_image["a.jpg"][0]["keypoints"] == [{"key": "nose", "value": [10, 20, 1]}]
    assert [problem.line for problem in result.problems] == [2, 3]


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ("[2, 3]", "0.1 0.1 2 0.2 0.2 1 0.75"),
        ("[2, 2]", "0.1 0.1 0.2 0.2 0.75"),
        ("[3, 3]", "0.1 0.1 2 0.2 0.2 1 0 0 0 0.75"),
        (None, "0.1 0.1 2 0.2 0.2 1 0.75"),
        (None, "0.1 0.1 0.2 0.2 0.75"),
    ],
)
def test_a_pose_may_end_with_a_confidence(data, shape, row):
    options: dict[str, Any] = {"task": "pose"}
    if shape:
        data.classes = data.folder / "data.yaml"
        data.classes.write_text(f"names: [dog]\nkpt_shape: {shape}\nkpt_names: {{0: [nose, tail]}}\n")
    else:
        options["keypoints"] = {"dog": ["nose", "tail"]}
    data.image("a.jpg")
    data.label("a.txt", f"0 0.5 0.5 0.2 0.2 {row}\n")
    result = data.read(**options)
    assert result.problems == []
    (found,) = result.by_image["a.jpg"]
    assert found["confidenceScore"] == 0.75
    assert [one["value"][:2] for one in found["keypoints"]] == [[10, 20], [20, 40]]
    if shape:
        (found,) = data.read(annotation_type="bbox").by_image["a.jpg"]
        assert (found["type"], found["confidenceScore"]) == ("bbox", 0.75)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0.1 0.1 0.93 0.2 0.2 0.8", "visibility 0.93"),
        ("0.1 0.1 2 0.2 0.2 1 0.75 7", "8 keypoint values; kpt_shape says 2 times 3"),
        ("0.1 0.1 2 0.2 0.2", "5 keypoint values; kpt_shape says 2 times 3"),
    ],
)
def test_a_row_that_is_no_pose_of_this_shape_is_lost(data, row, words):
    data.classes = data.folder / "data.yaml"
    data.classes.write_text("names: [dog]\nkpt_shape: [2, 3]\nkpt_names: {0: [nose, tail]}\n")
    data.image("a.jpg")
    data.label("a.txt", f"0 0.5 0.5 0.2 0.2 {row}\n")
    (problem,) = data.read().problems
    assert words in problem.message
    assert problem.lost == 1


def test_names_of_data_yaml_as_a_list(data):
    data.classes = data.folder / "data.yml"
    data.classes.write_text("names: [dog, cat]\n")
    data.image("a.jpg")
    data.label("a.txt", "1 0.5 0.5 0.2 0.2")
    assert data.read().by_image["a.jpg"][0]["value"] == "cat"


@pytest.mark.parametrize("text", ["names: 5", "x: [", "names: {a: dog}", "[]"])
def test_a_data_yaml_without_classes_is_refused(data, text):
    data.classes = data.folder / "data.yaml"
    data.classes.write_text(text)
    with pytest.raises(ValueError, match=r"data\.yaml|numbered"):
        data.read()


def test_the_size_is_that_of_the_picture_as_displayed(data):
    exif = Image.Exif()
    exif[0x0112] = 6
    data.image("a.jpg", size=(100, 200), exif=exif)
    data.label("a.txt", "0 0.5 0.5 0.1 0.1")
    assert data.read().by_image["a.jpg"][0]["points"] == [90, 45, 110, 55]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True, "quality": 30, "subsampling": 0}),
        ("a.jpg", {"icc_profile": bytes(9000), "comment": "c"}),
        ("a.jpg", {"exif": Image.Exif()}),
        ("a.png", {}),
        ("a.webp", {}),
        ("a.jpg", {"format": "PNG"}),
    ],
)
def test_the_size_is_found_in_any_picture(data, name, options):
    data.image(name, size=(300, 50), **options)
    data.label("a.txt", "0 0.5 0.5 1 1")
    assert data.read().by_image[name][0]["points"] == [0, 0, 300, 50]


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xc0" + bytes(9)])
def test_a_picture_cut_short_is_a_problem(data, content):
    (data.folder / "a.jpg").write_bytes(content)
    data.label("a.txt", "0 0.5 0.5 1 1")
    result = data.read()
    assert result.by_image == {"a.jpg": []}
    assert "the size of a.jpg cannot be read" in result.problems[0].message


def test_wrong_arguments(data):
    with pytest.raises(ValueError, match="task is one of"):
        data.read(task="classify")
    with pytest.raises(ValueError, match="annotation_type"):
        data.read(annotation_type="line")
    with pytest.raises(NotADirectoryError, match="no folder"):
        read_yolo(data.classes, data.folder / "none")
    with pytest.raises(FileNotFoundError):
        read_yolo(data.folder / "none.txt", data.folder)


def test_two_label_files_for_one_image_are_put_together(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.1 0.1")
    data.label("annotations/a.txt", "1 0.5 0.5 0.1 0.1")
    result = data.read()
    assert len(result.by_image["a.jpg"]) == 2
    assert result.problems == []
    assert "put together" in result.notes[0].message


@pytest.mark.parametrize("name", ["classes.txt", "data.yaml"])
def test_a_classes_file_that_is_no_utf_8_is_named(data, tmp_path, name):
    path = tmp_path / name
    path.write_bytes("names: [猫]\n".encode("cp932"))
    with pytest.raises(ValueError, match=f"{name} is not UTF-8 text: save it as UTF-8"):
        read_yolo(path, data.folder)


@pytest.mark.parametrize("keys", ["{0: null}", "{0: abc}", "{x: [a]}", "abc", "[[a], [b]]"])
def test_keypoint_names_that_are_no_lists_by_class_are_refused(data, tmp_path, keys):
    path = tmp_path / "data.yaml"
    path.write_text(f"names: [dog]\nkpt_names: {keys}\n")
    with pytest.raises(ValueError, match=r"data.yaml: kpt_names is a list of names"):
        read_yolo(path, data.folder, task="pose")
