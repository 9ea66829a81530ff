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
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, UNREADABLE, UNUSABLE
from tests.limits import run_limited


def shape(points, kind="polygon", label="dog", **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **more}


def document(*shapes, image="a.jpg", **more):
    return {"version": "6.3.1", "flags": {}, "shapes": list(shapes), "imagePath": image, "imageData": None, **more}


@pytest.fixture
def read(tmp_path):
    def read(files, images=(), **options):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        for name in images:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return read_labelme(tmp_path, **options)

    return read


@pytest.fixture
def read_shapes(read):
    def read_shapes(*shapes, **options):
        result = read({"a.json": document(*shapes)}, **options)
        assert result.problems == []
        assert result.objects.total() == len(shapes)
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
    assert (problem.image, problem.reason, problem.lost) == ("a.jpg", UNUSABLE, 1)
    assert (result.objects, result.read) == ({"a.jpg": 1}, 2)


FOREIGN = [[], {}, {"shapes": 5}, "null", {"images": [], "annotations": []}]


@pytest.mark.parametrize("content", FOREIGN)
def test_li_another_json_file_in_the_tree(read, content):
    result = read({"a.json": document(), "z.json": content, "other/a.json": content}, images=["a.jpg"])
    assert list(result.by_image) == ["a.jpg"]
    assert result.problems == []
    assert [(note.file, note.image) for note in result.notes] == [("other/a.json", None), ("z.json", None)]


@pytest.mark.parametrize("content", [*FOREIGN, "x", '{"shapes": [', "\xff"])
def test_li_a_picture_whose_file_cannot_be_read_is_not_complete(read, content):
    result = read({"a.json": document(), "labels/z.json": content}, images=["a.jpg", "images/z.PNG"])
    (problem,) = result.problems
    assert (problem.file, problem.image) == ("labels/z.json", "images/z.PNG")
    assert (problem.reason, problem.lost) == (UNREADABLE, 0)
    assert result.notes == []


def test_a_file_that_breaks_off_is_a_problem_even_without_picture(read):
    (problem,) = read({"a.json": '{"shapes": ['}).problems
    assert (problem.image, problem.reason, problem.lost) == (None, UNREADABLE, 0)


@pytest.mark.parametrize("stated", ["", "clip_0001", "frames.json", None, 5])
def test_no_image_to_be_found(read, stated):
    files = {"a.json": document(shape([[1, 2]], "point"), shape([[1, 2]], "cube"), image=stated)}
    result = read(files)
    assert result.by_image == {}
    (problem,) = result.problems
    assert "names no picture" in problem.message
    assert (problem.image, problem.reason, problem.lost) == (None, NO_PICTURE, 2)
    # With a picture of the stem, that one is meant.
    result = read(files, images=["a.webp"])
    assert list(result.by_image) == ["a.webp"]
    assert (result.objects, [problem.image for problem in result.problems]) == ({"a.webp": 1}, ["a.webp"])


def test_a_file_without_shapes_and_picture_loses_nothing(read):
    result = read({"a.json": document(image="")})
    assert (result.by_image, result.problems) == ({}, [])
    assert [note.file for note in result.notes] == ["a.json"]


@pytest.mark.parametrize(
    ("files", "images", "pairs"),
    [
        ({"a.json": "a.png"}, ["a.jpg"], {"a.jpg": ["a.json"]}),
        ({"a.json": "A.JPG"}, ["a.jpg"], {"a.jpg": ["a.json"]}),
        ({"a.json": "../../photos/old name.jpg"}, ["a.jpg"], {"a.jpg": ["a.json"]}),
        ({"a.json": "D:\\photos\\b.jpg"}, ["a.jpg", "b.jpg"], {"b.jpg": ["a.json"]}),
        ({"labels/a.json": "a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["labels/a.json"]}),
        ({"labels/1.json": "a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["labels/1.json"]}),
        ({"labels/1.json": "../old/a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["labels/1.json"]}),
        (
            {"train/labels/1.json": "1.jpg", "val/labels/1.json": "1.jpg"},
            ["train/images/1.jpg", "val/images/1.jpg"],
            None,
        ),
        ({"1.json": "2.png", "2.json": "2.jpg"}, ["2.jpg"], {"2.png": ["1.json"], "2.jpg": ["2.json"]}),
        ({"1.json": "2.jpg", "2.json": "2.jpg"}, ["1.jpg", "2.jpg"], {"1.jpg": ["1.json"], "2.jpg": ["2.json"]}),
        ({"1.json": "3.jpg", "2.json": "3.jpg"}, ["3.jpg"], {"3.jpg": ["1.json", "2.json"]}),
    ],
)
def test_every_file_has_its_own_picture(read, files, images, pairs):
    documents = {name: document(shape([[1, 2]], "point", label=name), image=said) for name, said in files.items()}
    result = read(documents, images)
    found = {image: [one["value"] for one in annotations] for image, annotations in result.by_image.items()}
    assert found == (pairs or {image: [file] for image, file in zip(images, files, strict=True)})
    assert result.problems == []
    assert ["put together" in note.message for note in result.notes] == [True] * (len(files) - len(found))


def test_what_is_said_of_the_whole_image_is_a_note(read):
    described = shape([[1, 2]], "point", description="left one")
    result = read({"a.json": document(described) | {"flags": {"blurred": True, "dark": False}}})
    assert (result.problems, result.objects) == ([], {"a.jpg": 1})
    flags, descriptions = result.notes
    assert "blurred" in flags.message
    assert "dark" not in flags.message
    assert descriptions.message == (
        "descriptions of 1 shapes have no place in an annotation; that of shapes[0] is 'left one'"
    )


SQUARE = [[1, 2], [9, 2], [9, 8], [1, 8]]
DONUT = np.ones((5, 6), np.uint8)
DONUT[2, 2] = 0


def packed(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels * 255).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("wanted", "one", "expected"),
    [
        ("segmentation", shape(SQUARE), [[[1, 2, 9, 2, 9, 8, 1, 8, 1, 2]]]),
        ("segmentation", shape(SQUARE[::-1]), [[[1, 8, 1, 2, 9, 2, 9, 8, 1, 8]]]),
        ("segmentation", shape([[9, 8], [1, 2]], "rectangle"), [[[1, 2, 9, 2, 9, 8, 1, 8, 1, 2]]]),
        ("segmentation", shape(SQUARE, "oriented_rectangle"), [[[1, 2, 9, 2, 9, 8, 1, 8, 1, 2]]]),
        (
            "segmentation",
            shape([[10, 20], [15, 24]], "mask", mask=packed(DONUT)),
            [[[10, 20, 16, 20, 16, 25, 10, 25, 10, 20], [12, 22, 12, 23, 13, 23, 13, 22, 12, 22]]],
        ),
        # A polygon keeps its points in their order, whatever their direction.
        ("polygon", shape(SQUARE), [1, 2, 9, 2, 9, 8, 1, 8]),
        ("polygon", shape(SQUARE[::-1]), [1, 8, 9, 8, 9, 2, 1, 2]),
        ("polygon", shape(SQUARE[::-1], "oriented_rectangle"), [1, 8, 9, 8, 9, 2, 1, 2]),
        ("polygon", shape([[9, 8], [1, 2]], "rectangle"), [1, 2, 9, 2, 9, 8, 1, 8]),
        ("polygon", shape([[4, 4], [5, 5]], "mask", mask=packed(DONUT[:2, :2])), [4, 4, 6, 4, 6, 6, 4, 6]),
        ("bbox", shape([[1, 2], [9, 5], [4, 8]]), [1, 2, 9, 8]),
        ("bbox", shape([[9, 8], [1, 2]], "rectangle"), [1, 2, 9, 8]),
        ("bbox", shape([[10, 20], [15, 24]], "mask", mask=packed(DONUT)), [10, 20, 16, 25]),
        ("bbox", shape([[5, 5], [8, 9]], "circle"), [0, 0, 10, 10]),
    ],
)
def test_li_shapes_become_what_the_project_labels(read_shapes, wanted, one, expected):
    (found,) = read_shapes(one, annotation_type=wanted)
    assert (found["type"], found["points"]) == (wanted, expected)


@pytest.mark.parametrize("radius", [0.5, 5, 300])
@pytest.mark.parametrize("wanted", ["polygon", "segmentation"])
def test_a_circle_becomes_an_outline_that_keeps_near_it(read_shapes, wanted, radius):
    (found,) = read_shapes(shape([[400, 300], [400, 300 + radius]], "circle"), annotation_type=wanted)
    points = np.array(found["points"] if wanted == "polygon" else found["points"][0][0][:-2]).reshape(-1, 2)
    middles = (points + np.roll(points, 1, axis=0)) / 2
    assert np.hypot(*(points - [400, 300]).T) == pytest.approx(radius)
    assert (np.hypot(*(middles - [400, 300]).T) >= radius - 0.1).all()


@pytest.mark.parametrize("wanted", ["bbox", "polygon", "segmentation"])
@pytest.mark.parametrize(
    ("points", "kind", "more"),
    [([[1, 2]], "point", {}), ([[1, 2], [3, 4]], "line", {}), ([[1, 2]], "point", {"group_id": 1, "description": "a"})],
)
def test_what_has_no_area_is_lost_where_areas_are_wanted(read, wanted, points, kind, more):
    result = read({"a.json": document(shape(points, kind, **more), shape(SQUARE))}, annotation_type=wanted)
    (problem,) = result.problems
    assert problem.message == f"shapes[0]: a {kind} has no area, so it becomes no {wanted}"
    assert (problem.lost, result.read) == (1, 2)


def test_a_hole_that_a_polygon_cannot_say(read):
    mask = shape([[10, 20], [15, 24]], "mask", mask=packed(DONUT))
    (problem,) = read({"a.json": document(mask)}, annotation_type="polygon").problems
    assert 'read it as "segmentation"' in problem.message


def test_groups_by_what_they_become(read_shapes):
    parts = [shape([[0, 0], [5, 0], [5, 5]], group_id=1), shape([[20, 20], [20, 25], [25, 25]], group_id=1)]
    (box,) = read_shapes(*parts, annotation_type="bbox")
    assert box["points"] == [0, 0, 25, 25]
    assert [one["points"] for one in read_shapes(*parts, annotation_type="polygon")] == [
        [0, 0, 5, 0, 5, 5],
        [20, 20, 20, 25, 25, 25],
    ]
    (whole,) = read_shapes(*parts, annotation_type="segmentation")
    assert len(whole["points"]) == 2


def test_flags_of_every_part_are_the_objects(read_shapes):
    parts = [shape(SQUARE, group_id=1, flags={flag: True}) for flag in ("occluded", "wet")]
    (found,) = read_shapes(*parts)
    assert [item["key"] for item in found["attributes"]] == ["occluded", "wet"]


CRUMBS = [
    [[1, 1]],
    [[1, 1], [2, 2]],
    [[1, 1], [5, 5], [9, 9]],
    [[1, 1], [5, 5], [float("nan"), 9]],
    [[0, 0], [5, 0], [9, 9], [5, 0]],
    [],
]


@pytest.mark.parametrize("wanted", [None, "bbox", "polygon", "segmentation"])
@pytest.mark.parametrize("crumb", CRUMBS)
def test_a_crumb_does_not_condemn_its_object(read, crumb, wanted):
    for at in (0, 1):
        parts = [shape(SQUARE, group_id=7)]
        parts.insert(at, shape(crumb, group_id=7))
        result = read({"a.json": document(*parts)}, annotation_type=wanted)
        assert (result.problems, result.objects) == ([], {"a.jpg": 2})
        (found,) = result.by_image["a.jpg"]
        assert found["type"] == (wanted or "polygon")
        assert [note.message.partition(":")[0] for note in result.notes] == [
            f"1 parts of the object of group 7 were left out, first shapes[{at}]"
        ]


@pytest.mark.parametrize("crumb", CRUMBS)
@pytest.mark.parametrize("groups", [(None,), (7,), (7, 7), (7, 8)])
def test_crumbs_alone_are_lost(read, crumb, groups):
    result = read({"a.json": document(shape(SQUARE), *(shape(crumb, group_id=group) for group in groups))})
    assert [problem.lost for problem in result.problems] == [1] * len(groups)
    assert (result.objects, result.read, len(result.by_image["a.jpg"])) == ({"a.jpg": 1}, 1 + len(groups), 1)


def test_a_keypoint_that_is_no_number_leaves_its_pose(read):
    points = [shape([[x, 2]], "point", group_id=1, description=key) for x, key in ((1, "nose"), (float("nan"), "tail"))]
    result = read({"a.json": document(*points)})
    assert [one["keypoints"] for one in result.by_image["a.jpg"]] == [[{"key": "nose", "value": [1, 2, 1]}]]
    assert (result.objects, result.problems, len(result.notes)) == ({"a.jpg": 2}, [], 1)


def test_files_as_labelme_5_and_6_write_them(read):
    five = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            {"label": "cat", "points": SQUARE, "group_id": None, "description": "", "shape_type": "polygon"}
            | {"flags": {}, "mask": None},
            {"label": "cat", "points": [[10, 20], [15, 24]], "group_id": None, "description": None}
            | {"shape_type": "mask", "flags": {}, "mask": packed(DONUT)},
        ],
        "imagePath": "five.jpg",
        "imageData": base64.b64encode(b"x" * 1000).decode(),
        "imageHeight": 480,
        "imageWidth": 640,
    }
    six = document(shape(SQUARE, "oriented_rectangle", description=""), image="six.jpg", imageHeight=9, imageWidth=9)
    three = {
        "version": "3.16.7",
        "lineColor": [0, 255, 0, 128],
        "shapes": [{"label": "cat", "line_color": None, "fill_color": None, "points": SQUARE}],
        "imagePath": "three.jpg",
        "imageData": None,
    }
    result = read({"five.json": five, "six.json": six, "three.json": three}, ["five.jpg", "six.jpg", "three.jpg"])
    assert (result.problems, result.notes) == ([], [])
    assert {image: [one["type"] for one in found] for image, found in result.by_image.items()} == {
        "five.jpg": ["polygon", "segmentation"],
        "six.jpg": ["bbox"],
        "three.jpg": ["polygon"],
    }


def test_another_type_is_refused(read):
    with pytest.raises(ValueError, match="annotation_type must be one of bbox, polygon, segmentation, not 'circle'"):
        read({}, annotation_type="circle")


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
        "a.json: shapes[0]: its mask is no PNG in base64 that can be unpacked: "
        "Image size (1600 pixels) exceeds limit of 1000 pixels, could be decompression bomb DOS attack."
    ]


@pytest.mark.parametrize("far", [(5, 1e12), (1e12, 5)])
def test_a_region_too_far_away_is_left_out_of_its_object(read, far):
    polygons = [shape([[0, 0], [x, 0], [5, 5]], group_id=1) for x in far]
    result = read({"a.json": document(*polygons)})
    (found,) = result.by_image["a.jpg"]
    assert found["points"] == [0, 0, 5, 0, 5, 5]
    assert result.problems == []
    assert "a coordinate is not finite" in result.notes[0].message


@pytest.mark.parametrize("annotation_type", ["polygon", "segmentation"])
@pytest.mark.parametrize("radius", [1e7, 1e12, 1e18, 1e300])
def test_a_circle_too_large_for_an_outline_costs_itself_only(read, annotation_type, radius):
    files = {"a.json": document(shape([[0, 0], [radius, 0]], "circle"), shape([[1, 2], [9, 8]], "rectangle"))}
    result = read(files, annotation_type=annotation_type)
    (problem,) = result.problems
    assert "the circle has a radius of" in problem.message
    assert result.objects["a.jpg"] == 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_shape_of_several_points_is_no_part_of_a_pose(read_shapes, first):
    several = shape([[1, 2], [3, 4]], "point", group_id=1, description="tail")
    nose = shape([[5, 6]], "point", group_id=1, description="nose")
    annotations = read_shapes(*((several, nose) if first else (nose, several)))
    assert sorted(one["type"] for one in annotations) == ["keypoint", "keypoint", "pose_estimation"]


def test_values_that_python_cannot_write_out_are_named_by_their_type(read):
    deep = "[" * 900 + "]" * 900
    text = json.dumps(
        document(shape([[1, 2], [9, 8]], "circle", description="?"), shape([[1, 2], [9, 8]], "rectangle"))
    )
    result = read({"a.json": text.replace('"?"', deep)})
    assert result.objects["a.jpg"] == 2


def test_points_and_attributes_do_not_multiply(read):
    points = [[number, 1] for number in range(2_000)]
    flags = {f"a{number}": True for number in range(2_000)}
    result = read({"a.json": document(shape(points, "points", flags=flags))})
    assert not result.by_image["a.jpg"]
    assert "2000 attributes for each of its 2000 parts are more than 100,000" in str(result.problems[0])


def test_the_attributes_of_a_group_cost_what_they_are():
    printed = run_limited(
        """
        import json, tempfile
        from pathlib import Path
        from PIL import Image
        from airflow_provider_fastlabel.formats.labelme import read_labelme
        def part(part):
            flags = {f"a{part}-{number}": True for number in range(40_000)}
            points = [[part, 0], [part + 1, 0], [part + 1, 1]]
            return {"label": "x", "points": points, "shape_type": "polygon", "group_id": 1, "flags": flags}
        with tempfile.TemporaryDirectory() as folder:
            Image.new("L", (9, 9)).save(Path(folder, "a.jpg"))
            Path(folder, "a.json").write_text(json.dumps({"shapes": [part(0), part(1)], "imagePath": "a.jpg"}))
            (found,) = read_labelme(folder).by_image["a.jpg"]
            print(len(found["attributes"]))
        """,
        megabytes=400,
    )
    assert printed == "80000"
