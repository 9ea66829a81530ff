"""Folders of masks read into annotations: our own, the devkit's, CVAT's, mirrored trees."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.masks import export_masks, read_masks
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, UNREADABLE, UNUSABLE

VOC_COLOURS = [0, 0, 0, 128, 0, 0, 0, 128, 0]
CLASSES = {1: "dog", 2: "cat"}


def box(index, left=1, top=1, right=4, bottom=3, width=8, height=6):
    pixels = np.zeros((height, width), np.uint8)
    pixels[top:bottom, left:right] = index
    return pixels


BOX = [[[1, 1, 4, 1, 4, 3, 1, 3, 1, 1]]]


@pytest.fixture
def put(tmp_path):
    def save(name, pixels=None, palette=None, size=(8, 6)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", size) if pixels is None else Image.fromarray(pixels)
        if palette:
            picture.putpalette(palette)
        picture.save(path)
        return tmp_path

    return save


def found(result):
    return {image: [(one["value"], one["points"]) for one in rows] for image, rows in result.by_image.items()}


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("a.jpg", "a.png"),
        ("sub/a.jpg", "sub/a.png"),
        ("images/sub/a.jpg", "masks/sub/a.png"),
        ("train/images/a.jpg", "train/masks/a.png"),
        ("images/train/a.png", "labels/train/a.png"),
        ("a.png", "masks/a.png"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
        ("VOCdevkit/VOC2012/JPEGImages/a.jpg", "VOCdevkit/VOC2012/SegmentationClass/a.png"),
        ("images/a.jpg", "annotations/trimaps/a.png"),
        ("images/a.jpg", "a.png"),
        ("images/a.bmp", "a.tif"),
    ],
)
def test_usual_layouts(put, picture, mask):
    put(picture)
    root = put(mask, box(1), VOC_COLOURS)
    result = read_masks(root, CLASSES)
    assert found(result) == {picture: [("dog", BOX)]}
    assert (result.problems, result.notes, result.objects) == ([], [], {picture: 1})


def test_the_masks_of_objects_are_no_second_masks(put):
    put("JPEGImages/a.jpg")
    put("SegmentationObject/a.png", box(2))
    result = read_masks(put("SegmentationClass/a.png", box(1)), CLASSES)
    assert found(result) == {"JPEGImages/a.jpg": [("dog", BOX)]}


def test_pictures_in_another_folder(put, tmp_path):
    put("media/a.png")
    put("media/sub/b.jpg")
    put("masks/a.png", box(1))
    put("masks/sub/b.png", box(2))
    result = read_masks(tmp_path / "masks", {"1": "dog", "2": "cat"}, pictures=tmp_path / "media")
    assert found(result) == {"a.png": [("dog", BOX)], "sub/b.jpg": [("cat", BOX)]}


def test_images_that_differ_in_their_ending_only(put, tmp_path):
    for name in ("a.jpg", "a.png"):
        put(f"media/{name}")
    put("masks/a.png", box(1))
    put("masks/a.png.png", box(2))
    result = read_masks(tmp_path / "masks", CLASSES, pictures=tmp_path / "media")
    assert found(result) == {"a.jpg": [("dog", BOX)], "a.png": [("cat", BOX)]}


def test_borders_are_no_objects(put):
    put("JPEGImages/a.jpg")
    pixels = box(255, 0, 0, 5, 4)
    pixels[1:3, 1:4] = 1
    root = put("SegmentationClass/a.png", pixels)
    result = read_masks(root, CLASSES)
    assert found(result) == {"JPEGImages/a.jpg": [("dog", BOX)]}
    assert (result.read, result.problems) == (1, [])
    assert [note.image for note in result.notes] == ["JPEGImages/a.jpg"]
    result = read_masks(root, CLASSES, ignore=None)
    assert [problem.lost for problem in result.problems] == [1]
    assert [value for value, _ in found(read_masks(root, {**CLASSES, 255: "edge"}))["JPEGImages/a.jpg"]] == [
        "dog",
        "edge",
    ]


def test_a_black_and_white_mask_is_not_taken_for_borders(put):
    put("images/a.jpg")
    root = put("masks/a.png", box(255))
    (problem,) = read_masks(root, CLASSES).problems
    assert "index 255 has no annotation class" in problem.message
    assert (problem.image, problem.reason, problem.lost) == ("images/a.jpg", UNUSABLE, 1)
    assert found(read_masks(root, {255: "dog"})) == {"images/a.jpg": [("dog", BOX)]}


def test_an_index_without_class_is_lost_and_the_others_are_read(put):
    put("images/a.jpg")
    pixels = box(1)
    pixels[5, 7] = 9
    result = read_masks(put("masks/a.png", pixels), CLASSES)
    assert found(result) == {"images/a.jpg": [("dog", BOX)]}
    assert [(one.image, one.reason, one.lost) for one in result.problems] == [("images/a.jpg", UNUSABLE, 1)]
    assert result.read == 2


def test_another_background(put):
    put("images/a.jpg")
    pixels = np.where(box(1) == 1, 0, 3).astype(np.uint8)
    assert found(read_masks(put("masks/a.png", pixels), {0: "dog"}, background=3)) == {"images/a.jpg": [("dog", BOX)]}


def test_a_mask_of_another_size_than_its_picture(put):
    put("images/a.jpg", size=(16, 12))
    result = read_masks(put("masks/a.png", box(1)), CLASSES)
    assert [problem.message for problem in result.problems] == [
        "index 1: the mask has 8 x 6 pixels, its picture 16 x 12"
    ]
    assert (result.by_image, result.read) == ({"images/a.jpg": []}, 1)


def test_a_picture_of_which_only_the_name_is_there(put, tmp_path):
    root = put("masks/a.png", box(1))
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").touch()
    assert found(read_masks(root, CLASSES)) == {"images/a.jpg": [("dog", BOX)]}


def test_masks_without_picture_are_lost(put):
    put("images/b.jpg")
    pixels = box(1)
    pixels[5, 7] = 9
    (problem,) = read_masks(put("masks/a.png", pixels), CLASSES).problems
    assert (problem.file, problem.image, problem.reason, problem.lost) == ("masks/a.png", None, NO_PICTURE, 2)


def test_a_picture_without_mask_is_absent(put):
    put("images/b.jpg")
    put("images/a.jpg")
    result = read_masks(put("masks/a.png", box(0)), CLASSES)
    assert result.by_image == {"images/a.jpg": []}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("masks/a.png", b"no picture", "cannot be read as a mask"),
        ("masks/a.png", None, "is a picture of colours"),
        ("masks/a.jpg", None, "does not keep the indexes"),
    ],
)
def test_a_mask_that_cannot_be_read_fails_its_picture(put, tmp_path, name, content, why):
    put("images/b.jpg")
    put("images/a.jpg")
    put("masks/b.png", box(1))
    if content is None:
        Image.fromarray(np.arange(144, dtype=np.uint8).reshape(6, 8, 3)).save(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    result = read_masks(tmp_path, CLASSES)
    assert found(result) == {"images/b.jpg": [("dog", BOX)]}
    (problem,) = result.problems
    assert why in problem.message
    assert (problem.image, problem.reason, problem.lost) == ("images/a.jpg", UNREADABLE, 0)


def test_colours_of_cvat(put, tmp_path):
    put("JPEGImages/a.jpg")
    put("JPEGImages/b.jpg")
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ndog:250,50,83::\ncat:51,221,255::\n", encoding="utf-8"
    )
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[1:3, 1:4] = (250, 50, 83)
    colours[5, 7] = (1, 2, 3)
    put("SegmentationClass/a.png", colours)
    root = put("SegmentationClass/b.png", box(1), [0, 0, 0, 51, 221, 255])
    result = read_masks(root)
    assert found(result) == {"JPEGImages/a.jpg": [("dog", BOX)], "JPEGImages/b.jpg": [("cat", BOX)]}
    assert [problem.message for problem in result.problems] == [
        "colour #010203 has no annotation class; its area was left out"
    ]
    (tmp_path / "labelmap.txt").unlink()
    assert found(read_masks(root, {"#fa3253": "dog", "#33DDFF": "cat"})) == found(result)


def task(name, *annotations, width=40, height=30):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


def bbox(value, *points):
    return {"type": "bbox", "value": value, "points": list(points)}


TASKS = [
    task("sub/a.jpg", bbox("dog", 1, 2, 9, 8), bbox("cat", 20, 5, 30, 15), bbox("dog", 3, 20, 6, 25)),
    task("b.png", bbox("cat", 0, 0, 40, 30)),
    task("b.jpg", bbox("dog", 0, 0, 10, 30)),
    task("empty.jpg"),
]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("kind", ["semantic", "instance"])
def test_our_own_masks_come_back(put, tmp_path, kind, beside):
    out = tmp_path / "out"
    media = out / "images" if beside else tmp_path / "media"
    for one in TASKS:
        put(f"{media.relative_to(tmp_path)}/{one['name']}", size=(40, 30))
    out.mkdir(exist_ok=True)
    export_masks(TASKS, out, kind=kind)
    result = read_masks(out) if beside else read_masks(out, pictures=media)
    assert (result.problems, result.notes) == ([], [])
    prefix = "images/" if beside else ""
    counts = {image: sorted(one["value"] for one in rows) for image, rows in result.by_image.items()}
    assert counts == {
        prefix + "sub/a.jpg": ["cat", "dog"] if kind == "semantic" else ["cat", "dog", "dog"],
        prefix + "b.png": ["cat"],
        prefix + "b.jpg": ["dog"],
        prefix + "empty.jpg": [],
    }
    again = tmp_path / "again"
    again.mkdir()
    back = [task(one["name"], *result.by_image[prefix + one["name"]]) for one in TASKS]
    export_masks(back, again, kind="semantic", classes=["cat", "dog"])
    wanted = tmp_path / "wanted"
    wanted.mkdir()
    report = export_masks(TASKS, wanted, kind="semantic", classes=["cat", "dog"])
    for name in report.files:
        assert (again / name).read_bytes() == (wanted / name).read_bytes()


def test_the_table_of_instances(put, tmp_path):
    put("a.png", box(1))
    rows = [
        {"mask": "a.png", "image": "a.jpg", "instances": [{"id": 1, "value": "dog"}, {"id": 2, "value": "cat"}]},
        {"mask": "gone.png", "image": "images/b.jpg", "instances": [{"id": 1, "value": "dog"}]},
    ]
    (tmp_path / "instances.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    put("images/b.jpg")
    result = read_masks(tmp_path)
    # No picture is there, but the table names one.
    assert found(result) == {"a.jpg": [("dog", BOX)]}
    assert [note.message for note in result.notes] == ["1 objects of its table have no pixel, as others cover them"]
    (problem,) = result.problems
    assert (problem.file, problem.image, problem.reason) == ("gone.png", "images/b.jpg", UNREADABLE)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        (None, "", "The masks have no table"),
        ("classes.json", "[{}]", r"classes\.json is no list of classes"),
        ("classes.json", "{", r"classes\.json is no list of classes"),
        ("instances.jsonl", '{"mask": "a.png"}', r"instances\.jsonl:1 is no row"),
        ("labelmap.txt", "dog", r"labelmap\.txt: 'dog' is not name:red,green,blue"),
        ("labelmap.txt", "dog:256,0,0::", r"labelmap\.txt: 'dog:256,0,0::' is not name:red,green,blue"),
        ("labelmap.txt", "dog:-1,0,0::", "is not name:red,green,blue"),
        ("labelmap.txt", ":1,0,0::", "is not name:red,green,blue"),
        ("labelmap.txt", "d\udcffg:1,0,0::", r"labelmap\.txt is not UTF-8 text: byte 1 .*: save it as UTF-8"),
        ("classes.json", "\udcff", r"classes\.json is no list of classes with id and value: not UTF-8 text"),
        ("classes.json", "[" * 200_000, r"classes\.json is no list .*nested too deeply"),
        ("classes.json", '[{"id": 1, "value": null}]', r"classes\.json is no list .*value None is no text"),
        ("classes.json", '[{"id": 1.5, "value": "dog"}]', r"classes\.json is no list .*id 1.5 is no whole number"),
        ("classes.json", '[{"id": Infinity, "value": "dog"}]', r"classes\.json is no list .*id inf is no whole number"),
        ("instances.jsonl", "\udcff", r"instances\.jsonl:1 is no row with mask, image, instances: not UTF-8 text"),
        ("instances.jsonl", "{}\n" + "[" * 200_000, r"instances\.jsonl:1 is no row"),
        ("instances.jsonl", "\n" + "[" * 200_000, r"instances\.jsonl:2 is no row .*nested too deeply"),
        (
            "instances.jsonl",
            '{"mask": null, "image": "a", "instances": []}',
            r"instances\.jsonl:1 .*mask None is no text",
        ),
    ],
)
def test_tables_that_say_nothing(put, tmp_path, file, content, why):
    put("masks/a.png", box(1))
    if file:
        (tmp_path / file).write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match=why):
        read_masks(tmp_path)


@pytest.mark.parametrize("classes", [{"dog": 1}, {1: ""}, {"x": "dog"}, {1: "dog", "#000001": "cat"}])
def test_classes_that_are_none(put, classes):
    with pytest.raises(ValueError, match="classes "):
        read_masks(put("masks/a.png", box(1)), classes)


def test_indexes_of_sixteen_bits(put):
    put("images/a.jpg")
    root = put("masks/a.png", box(1).astype(np.uint16) * 40_000)
    assert found(read_masks(root, {40_000: "dog"})) == {"images/a.jpg": [("dog", BOX)]}


@pytest.mark.parametrize("number", ["9" * 5000, "1_0", "-1", True, 1.5])
def test_an_index_that_is_no_whole_number_is_refused_by_the_name_of_its_table(put, tmp_path, number):
    root = put("a.png", box(1))
    (tmp_path / "classes.json").write_text(json.dumps([{"id": number, "value": "dog"}]))
    with pytest.raises(ValueError, match=r"^classes\.json is no list of classes with id and value: .*the id .{1,120}$"):
        read_masks(root)
    (tmp_path / "classes.json").unlink()
    row = {"mask": "a.png", "image": "a.jpg", "instances": [{"id": number, "value": "dog"}]}
    (tmp_path / "instances.jsonl").write_text(json.dumps(row))
    with pytest.raises(ValueError, match=r"^instances\.jsonl:1 is no row .*the id .{1,120}$"):
        read_masks(root)


@pytest.mark.parametrize("index", ["9" * 5000, "-1", True, 1.5, "#12345"])
def test_an_argument_with_an_index_that_no_mask_has_is_refused(put, index):
    with pytest.raises(ValueError, match=r"^classes is \{index or '#rrggbb': class value\}; .{1,100}: 'dog' is not\.$"):
        read_masks(put("a.png", box(1)), {index: "dog"})
