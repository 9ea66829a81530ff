"""labelme files read into annotations: all shapes, groups, keys, hostile files."""

from __future__ import annotations

import base64
import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.labelme import read_labelme


def shape(points, kind="polygon", label="dog", **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **more}


def document(*shapes, image="a.jpg", **more):
    return {"version": "6.3.1", "flags": {}, "shapes": list(shapes), "imagePath": image, "imageData": None, **more}


@pytest.fixture
def read(tmp_path):
    def read(files, images=()):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        for name in images:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return read_labelme(tmp_path)

    return read


@pytest.fixture
def read_shapes(read):
    def read_shapes(*shapes):
        result = read({"a.json": document(*shapes)})
        assert result.problems == []
        return result.by_image["a.jpg"]

    return read_shapes


@pytest.mark.parametrize(
    ("points", "kind", "expected"),
    [
        ([[1, 2], [9, 2], [9, 8]], "polygon", {"type": "polygon", "points": [1, 2, 9, 2, 9, 8]}),
        ([[1, 2], [9, 2], [9, 8], [1, 2]], "polygon", {"type": "polygon", "points": [1, 2, 9, 2, 9, 8]}),
        ([[9, 8], [1, 2]], "rectangle", {"type": "bbox", "points": [1, 2, 9, 8]}),
        ([[1, 8], [9, 2]], "rectangle", {"type": "bbox", "points": [1, 2, 9, 8]}),
        ([[1, 2], [9, 2], [9, 8], [1, 8]], "rectangle", {"type": "bbox", "points": [1, 2, 9, 8]}),
        ([[1, 8], [1, 2], [9, 2], [9, 8]], "oriented_rectangle", {"type": "bbox", "points": [1, 2, 9, 8]}),
        ([[5, 5], [8, 9]], "circle", {"type": "circle", "points": [5, 5, 5]}),
        ([[1, 2], [3, 4]], "line", {"type": "line", "points": [1, 2, 3, 4]}),
        ([[1, 2], [3, 4], [5, 0]], "linestrip", {"type": "line", "points": [1, 2, 3, 4, 5, 0]}),
        ([[1, 2]], "point", {"type": "keypoint", "points": [1, 2]}),
    ],
)
def test_li_each_shape(read_shapes, points, kind, expected):
    assert read_shapes(shape(points, kind)) == [{"value": "dog", **expected}]


def test_li_a_turned_rectangle(read_shapes):
    angle = math.radians(30)
    corners = [
        [50 + u * math.cos(angle) - v * math.sin(angle), 50 + u * math.sin(angle) + v * math.cos(angle)]
        for u, v in ((-20, -10), (20, -10), (20, 10), (-20, 10))
    ]
    (found,) = read_shapes(shape(corners, "oriented_rectangle"))
    assert found["points"] == pytest.approx([30, 40, 70, 60])
    assert found["rotation"] == pytest.approx(30)


def test_several_points_become_several_keypoints(read_shapes):
    found = read_shapes(shape([[1, 2], [3, 4]], "points"))
    assert [one["points"] for one in found] == [[1, 2], [3, 4]]


def test_li_a_mask_becomes_a_segmentation_with_its_holes(read_shapes):
    mask = np.ones((5, 6), np.uint8)
    mask[2, 2] = 0
    file = io.BytesIO()
    Image.fromarray(mask * 255).save(file, "png")
    packed = base64.b64encode(file.getvalue()).decode()
    (found,) = read_shapes(shape([[10, 20], [15, 24]], "mask", mask=packed))
    assert found["type"] == "segmentation"
    assert found["points"] == [[[10, 20, 16, 20, 16, 25, 10, 25, 10, 20], [12, 22, 12, 23, 13, 23, 13, 22, 12, 22]]]


def test_li_polygons_of_one_group_are_one_segmentation(read_shapes):
    first = shape([[0, 0], [5, 0], [5, 5]], group_id=1)
    second = shape([[20, 20], [20, 25], [25, 25]], group_id=1)
    found = read_shapes(first, shape([[0, 0], [5, 0], [5, 5]], group_id=2), second)
    assert [one["type"] for one in found] == ["segmentation", "polygon"]
    assert found[0]["points"] == [[[0, 0, 5, 0, 5, 5, 0, 0]], [[20, 20, 25, 25, 20, 25, 20, 20]]]


def test_a_group_number_of_another_label_is_another_object(read_shapes):
    outline = [[0, 0], [5, 0], [5, 5]]
    assert len(read_shapes(shape(outline, group_id=1), shape(outline, label="cat", group_id=1))) == 2


def test_points_that_name_keypoints_are_a_pose(read_shapes):
    (found,) = read_shapes(
        shape([[1, 2]], "point", group_id=1, description="nose", flags={"visible": True, "wet": True}),
        shape([[3, 4]], "point", group_id=1, description="tail", flags={"visible": False}),
    )
    assert found["keypoints"] == [{"key": "nose", "value": [1, 2, 1]}, {"key": "tail", "value": [3, 4, 0]}]
    assert found["attributes"] == [{"key": "wet", "value": True}]


def test_li_flags_that_are_on_and_our_attributes(read_shapes):
    listed = {"colour": "red", "wet": False}
    (found,) = read_shapes(shape([[1, 2]], "point", flags={"old": True, "new": False, "wet": False}, attributes=listed))
    assert found["attributes"] == [
        {"key": "colour", "value": "red"},
        {"key": "wet", "value": False},
        {"key": "old", "value": True},
    ]


@pytest.mark.parametrize(
    ("name", "stated", "images", "key"),
    [
        ("a.json", "a.jpg", (), "a.jpg"),
        ("sub/a.json", "a.jpg", (), "sub/a.jpg"),
        ("sub/a.json", "sub/a.jpg", (), "sub/a.jpg"),
        ("sub/a.json", "sub/a.jpg", ("sub/sub/a.jpg",), "sub/sub/a.jpg"),
        ("labels/a.json", "../images/a.jpg", (), "images/a.jpg"),
        ("labels/a.json", "..\\images\\a.jpg", (), "images/a.jpg"),
        ("a.json", "b.png", (), "b.png"),
        ("a.json", "../../a.png", (), "a.png"),
        ("a.json", "/home/me/a.png", (), "a.png"),
        ("a.json", "C:\\me\\a.png", (), "a.png"),
        ("a.json", None, ("a.PNG",), "a.PNG"),
        ("a.json.d/a.json", "a.jpg", (), "a.json.d/a.jpg"),
    ],
)
def test_the_image_a_file_speaks_of(read, name, stated, images, key):
    assert list(read({name: document(image=stated)}, images).by_image) == [key]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (5, "not an object"),
        (shape([[1, 2], [3, 4]]), "three points"),
        (shape([[1, 2], [3, 4], [5, "x"]]), "not two numbers"),
        (shape([[1, 2], [3, 4], [5]]), "not two numbers"),
        (shape([[1, 2], [3, 4], [5, float("nan")]]), "not two numbers"),
        (shape([]), "no points"),
        (shape(None), "no points"),
        (shape([[1, 2]], "point", label=""), "no label"),
        (shape([[1, 2]], "point", label=None), "no label"),
        (shape([[1, 2]], "cube"), "'cube'"),
        (shape([[1, 2]], ["x"]), "['x']"),
        (shape([[1, 2]], "rectangle"), "1 points"),
        (shape([[1, 2], [1, 8]], "rectangle"), "no area"),
        (shape([[1, 2]], "circle"), "1 points"),
        (shape([[1, 2], [1, 2]], "circle"), "no radius"),
        (shape([[1, 2]], "line"), "two points"),
        (shape([[0, 0], [9, 0], [5, 5], [0, 9]], "oriented_rectangle"), "no rectangle"),
        (shape([[1, 2], [3, 4]], "mask"), "no PNG"),
        (shape([[1, 2], [3, 4]], "mask", mask="!!"), "no PNG"),
    ],
)
def test_li_a_bad_shape_is_named_and_the_next_one_read(read, bad, why):
    result = read({"a.json": document(bad, shape([[1, 2]], "point"))})
    assert [found["type"] for found in result.by_image["a.jpg"]] == ["keypoint"]
    (problem,) = result.problems
    assert problem.file == "a.json"
    assert problem.message.startswith("shapes[0]: ")
    assert why in problem.message


@pytest.mark.parametrize("content", [[], {}, {"shapes": 5}, "x", {"images": [], "annotations": []}])
def test_li_another_json_file_in_the_tree(read, content):
    result = read({"a.json": document(), "z.json": content})
    assert list(result.by_image) == ["a.jpg"]
    assert [problem.file for problem in result.problems] == ["z.json"]


def test_no_image_to_be_found(read):
    result = read({"a.json": document(image="")})
    assert result.by_image == {}
    assert "names no image" in result.problems[0].message


def test_flags_of_the_image_are_reported(read):
    result = read({"a.json": document() | {"flags": {"blurred": True, "dark": False}}})
    assert "blurred" in result.problems[0].message
    assert "dark" not in result.problems[0].message


def test_a_shape_without_type_is_a_polygon(read_shapes):
    outline = shape([[1, 2], [9, 2], [9, 8]])
    del outline["shape_type"]
    assert read_shapes(outline)[0]["type"] == "polygon"


def test_a_mask_too_large_to_unpack_is_a_problem(read, monkeypatch):
    picture = io.BytesIO()
    Image.new("1", (40, 40)).save(picture, "PNG")
    mask = shape([[0, 0], [39, 39]], "mask", mask=base64.b64encode(picture.getvalue()).decode())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    result = read({"a.json": document(mask, shape([[1, 1], [9, 9]], "rectangle"))})
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["bbox"]
    assert [str(problem) for problem in result.problems] == [
        "a.json: shapes[0]: its mask cannot be unpacked: Image size (1600 pixels) exceeds limit of 1000 pixels, "
        "could be decompression bomb DOS attack."
    ]


def test_a_region_too_far_away_costs_its_own_shape_only(read):
    polygons = [shape([[0, 0], [x, 0], [5, 5]], group_id=1) for x in (5, 1e12)]
    result = read({"a.json": document(*polygons)})
    assert len(result.by_image["a.jpg"]) == 1
    assert [problem.message.partition(",")[0] for problem in result.problems] == [
        "shapes[1]: a coordinate is not finite"
    ]
