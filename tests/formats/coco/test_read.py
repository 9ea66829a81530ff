"""COCO files read into annotations: every kind of object, every defect of the official SDK, hostile files."""

from __future__ import annotations

import gc
import json
import re
import sys
import warnings

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from airflow_provider_fastlabel.formats.coco import read_coco
from airflow_provider_fastlabel.formats.reading import json_lists
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, UNUSABLE
from airflow_provider_fastlabel.formats.reading.spool import Spool
from tests.limits import run_limited

RECTANGLE = [10, 20, 40, 20, 40, 60, 10, 60]


DOG = {"id": 1, "name": "dog", "supercategory": "animal", "keypoints": ["nose", "tail"]}


def document(*annotations, categories=None, images=None):
    return {
        "images": images or [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "categories": categories
        or [{"id": 1, "name": "dog", "supercategory": "animal", "keypoints": ["nose", "tail"]}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1, **one} for n, one in enumerate(annotations, 1)],
    }


@pytest.fixture(params=["whole, in memory", "in batches, on disk"])
def read(tmp_path, request, monkeypatch):
    """Read a document in both ways: large files are not taken otherwise than small ones."""
    if request.param == "in batches, on disk":
        monkeypatch.setattr(json_lists, "WINDOW_BYTES", 50)

    def read(content, annotation_type=None, **options):
        if request.param == "in batches, on disk":
            options["spool"] = Spool()
        path = tmp_path / "annotations.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_coco(path, annotation_type, **options)

    return read


def only(result):
    assert result.problems == []
    (found,) = result.by_image["a.jpg"]
    return found


def messages(result):
    return [problem.message for problem in result.problems]


def notes(result):
    return [note.message for note in result.notes]


def losses(result):
    return [(problem.image, problem.reason, problem.lost) for problem in result.problems]


# What each kind of object becomes


def test_an_image_without_annotations_has_an_empty_list(read):
    assert read(document()).by_image == {"a.jpg": []}


def test_ci2_the_bbox_field_is_read(read):
    found = only(read(document({"bbox": [10, 20, 30, 40], "segmentation": [[1, 1, 5, 1, 5, 5]]}), "bbox"))
    assert found == {"type": "bbox", "points": [10, 20, 40, 60], "value": "dog", "attributes": []}


@pytest.mark.parametrize("ring", [RECTANGLE, [*RECTANGLE, 10, 20], [10, 20, 40, 60]])
def test_ci2_a_box_written_as_ring_comes_back_as_a_box(read, ring):
    found = only(read(document({"bbox": [10, 20, 30, 40], "segmentation": [ring], "rotation": 0})))
    assert (found["type"], found["points"]) == ("bbox", [10, 20, 40, 60])


def test_a_rectangle_that_is_not_its_box_stays_a_polygon(read):
    found = only(read(document({"bbox": [10, 20, 31, 40], "segmentation": [RECTANGLE]})))
    assert (found["type"], found["points"]) == ("polygon", RECTANGLE)


def test_a_closed_polygon_loses_its_repeated_point(read):
    found = only(read(document({"bbox": [0, 0, 9, 9], "segmentation": [[0, 0, 9, 0, 9, 9, 0, 0]]})))
    assert found["points"] == [0, 0, 9, 0, 9, 9]


@pytest.mark.parametrize("segmentation", [[], None, "absent"])
def test_ci1_a_detection_only_file(read, segmentation):
    one = {"bbox": [1, 2, 3, 4]} | ({} if segmentation == "absent" else {"segmentation": segmentation})
    for annotation_type in (None, "bbox"):
        assert only(read(document(one), annotation_type))["points"] == [1, 2, 4, 6]


def test_ci3_every_polygon_of_several_is_kept(read):
    parts = [[0, 0, 9, 0, 9, 9], [50, 50, 50, 59, 59, 59]]
    one = {"bbox": [0, 0, 59, 59], "segmentation": parts}
    found = only(read(document(one)))
    assert found["type"] == "segmentation"
    assert found["points"] == [[[0, 0, 9, 0, 9, 9, 0, 0]], [[50, 50, 59, 59, 50, 59, 50, 50]]]
    polygons = read(document(one), "polygon").by_image["a.jpg"]
    assert [polygon["points"] for polygon in polygons] == parts


@pytest.mark.parametrize("annotation_type", [None, "segmentation"])
@pytest.mark.parametrize("compressed", [True, False])
def test_run_lengths_become_exact_regions_with_holes(read, annotation_type, compressed):
    mask = np.zeros((30, 40), np.uint8)
    mask[5:20, 4:30] = 1
    mask[8:12, 10:15] = 0
    packed = coco_mask.encode(np.asfortranarray(mask))
    counts = packed["counts"].decode()
    if not compressed:
        flat = mask.flatten(order="F")
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
    one = {"segmentation": {"size": [30, 40], "counts": counts}, "bbox": [4, 5, 26, 15], "iscrowd": 0}
    found = only(read(document(one), annotation_type))
    assert found["points"] == [[[4, 5, 30, 5, 30, 20, 4, 20, 4, 5], [10, 8, 10, 12, 15, 12, 15, 8, 10, 8]]]


def test_ci1_a_crowd_is_read_and_marked(read):
    one = {"segmentation": {"size": [2, 2], "counts": [0, 4]}, "bbox": [0, 0, 2, 2], "iscrowd": 1}
    assert only(read(document(one)))["attributes"] == [{"key": "iscrowd", "value": True}]


@pytest.mark.parametrize("said", [False, 0, None])
def test_the_field_decides_what_is_a_crowd(read, said):
    one = {"segmentation": {"size": [2, 2], "counts": [0, 4]}, "iscrowd": 1, "attributes": {"iscrowd": said, "x": 1}}
    assert only(read(document(one)))["attributes"] == [{"key": "iscrowd", "value": True}, {"key": "x", "value": 1}]


def test_keypoints_become_a_pose(read):
    one = {"keypoints": [1, 2, 2, 3, 4, 1], "num_keypoints": 2, "bbox": [1, 2, 2, 2], "segmentation": []}
    for annotation_type in (None, "pose_estimation"):
        found = only(read(document(one), annotation_type))
        assert found["type"] == "pose_estimation"
        assert found["keypoints"] == [{"key": "nose", "value": [1, 2, 1]}, {"key": "tail", "value": [3, 4, 0]}]
        assert "points" not in found


def test_a_keypoint_that_is_not_set_is_left_out(read):
    one = {"keypoints": [0, 0, 0, 3, 4, 2], "bbox": [1, 2, 2, 2]}
    assert only(read(document(one)))["keypoints"] == [{"key": "tail", "value": [3, 4, 1]}]


def test_an_object_without_set_keypoints_is_a_box(read):
    one = {"keypoints": [0] * 6, "num_keypoints": 0, "bbox": [1, 2, 2, 2]}
    assert only(read(document(one)))["type"] == "bbox"


def test_attributes_and_score_are_kept(read):
    found = only(read(document({"bbox": [1, 2, 3, 4], "attributes": {"colour": "red"}, "score": 0.5})))
    assert found["attributes"] == [{"key": "colour", "value": "red"}]
    assert found["confidenceScore"] == 0.5


@pytest.mark.parametrize("degrees", [30, -75, 90, 180])
def test_a_rotated_box_comes_back_with_its_rotation(read, degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = ([[-15, -20], [15, -20], [15, 20], [-15, 20]] @ turn.T) + [50, 50]
    flat = [round(float(value), 2) for value in corners.flatten()]
    box = [min(flat[::2]), min(flat[1::2]), max(flat[::2]) - min(flat[::2]), max(flat[1::2]) - min(flat[1::2])]
    found = only(read(document({"bbox": box, "segmentation": [flat], "rotation": degrees})))
    assert found["rotation"] == degrees
    assert found["points"] == pytest.approx([35, 30, 65, 70], abs=0.05)


def test_the_sdks_unturned_ring_with_a_rotation_is_understood(read):
    one = {"bbox": [10, 20, 30, 40], "segmentation": [[*RECTANGLE, 10, 20]], "rotation": 45}
    for annotation_type in (None, "bbox"):
        found = only(read(document(one), annotation_type))
        assert (found["points"], found["rotation"]) == ([10, 20, 40, 60], 45)


def test_a_rotated_box_cut_by_the_border_stays_its_outline(read):
    ring = [0, 0, 30, 0, 40, 10, 20, 30, 0, 10]
    one = {"bbox": [0, 0, 40, 30], "segmentation": [ring], "rotation": 45}
    assert only(read(document(one)))["points"] == ring
    assert only(read(document(one), "bbox"))["points"] == [0, 0, 40, 30]


def test_boxes_for_a_segmentation_project(read):
    found = only(read(document({"bbox": [0, 0, 2, 2]}), "segmentation"))
    assert found["points"] == [[[0, 0, 2, 0, 2, 2, 0, 2, 0, 0]]]


def test_results_do_not_share_lists(read):
    one = {
        "bbox": [0, 0, 59, 59],
        "segmentation": [[0, 0, 9, 0, 9, 9], [50, 50, 50, 59, 59, 59]],
        "attributes": {"k": 1},
    }
    first, second = read(document(one), "polygon").by_image["a.jpg"]
    first["attributes"][0]["value"] = 2
    assert second["attributes"] == [{"key": "k", "value": 1}]


# What cannot be taken is named, and costs nothing else


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"bbox": [1, 2, 3]}, "not four numbers"),
        ({"bbox": [1, 2, "x", 4]}, "not four numbers"),
        ({"bbox": [1, 2, -3, 4]}, "no area"),
        ({}, "neither a bbox nor a segmentation"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "odd number"),
        ({"segmentation": [[1, 2, 3, 4, 5, None]]}, "no number"),
        ({"segmentation": [[1, 1, 2, 2, 1, 1]]}, "three points"),
        ({"segmentation": "x"}, "neither polygons nor run lengths"),
        ({"segmentation": [[0, 0, 1, 0], "x"]}, "mixes"),
        ({"segmentation": [[1, 1, 2, 2, 3, 3]]}, "no area"),
        ({"segmentation": [[0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.1, 0.1]]}, "no area"),
        ({"segmentation": {"size": [2, 2], "counts": [1]}}, "do not fill"),
        ({"segmentation": {"size": [2, 2], "counts": "ÿ"}}, "character"),
        ({"segmentation": {"size": [1e9, 2], "counts": [4]}}, "no size"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "too large"),
        ({"segmentation": {"size": [2, 2], "counts": [4]}}, "empty"),
        ({"keypoints": [1, 2, 2]}, "2 keypoint names"),
        ({"keypoints": [1, 2, 7, 1, 2, 0]}, "visibility 7"),
        ({"bbox": [1, 2, 3, 4], "attributes": "x"}, "attributes"),
    ],
)
def test_ci4_ci6_a_bad_object_is_named_and_the_next_one_read(read, bad, why):
    result = read(document(bad, {"bbox": [1, 2, 3, 4]}))
    assert [found["points"] for found in result.by_image["a.jpg"]] == [[1, 2, 4, 6]]
    (message,) = messages(result)
    assert "annotations[0] (id 1)" in message
    assert why in message
    assert losses(result) == [("a.jpg", UNUSABLE, 1)]
    assert result.read == 2


@pytest.mark.parametrize("short", [[], [1], [1, 2, 3]])
def test_ci4_an_outline_that_is_too_short_costs_only_itself(read, short):
    good = {"segmentation": [[1, 2, 9, 2, 9, 8]], "bbox": [1, 2, 8, 6]}
    result = read(document({"segmentation": [short]}, good), "polygon")
    assert [found["points"] for found in result.by_image["a.jpg"]] == [[1, 2, 9, 2, 9, 8]]
    assert "annotations[0] (id 1)" in messages(result)[0]


def test_ci6_fewer_keypoints_than_the_category_names(read):
    good = {"keypoints": [1, 2, 2, 3, 4, 2]}
    result = read(document({"keypoints": [1, 2, 2]}, good), "pose_estimation")
    assert len(result.by_image["a.jpg"]) == 1
    assert "2 keypoint names" in messages(result)[0]


def test_nan_in_one_object_costs_only_that_one(read):
    text = json.dumps(document({"bbox": [1, 2, float("nan"), 4]}, {"bbox": [1, 2, 3, 4]}))
    result = read(text)
    assert len(result.by_image["a.jpg"]) == 1
    assert "no number" in messages(result)[0]


def test_a_mask_with_a_hole_is_no_polygon(read):
    mask = np.ones((5, 5), np.uint8)
    mask[2, 2] = 0
    counts = coco_mask.encode(np.asfortranarray(mask))["counts"].decode()
    result = read(document({"segmentation": {"size": [5, 5], "counts": counts}}), "polygon")
    assert "hole" in messages(result)[0]


def test_ci5_two_entries_of_one_image_are_put_together(read):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"}]
    first = {"bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 6]]}
    second = {"bbox": [5, 6, 7, 8], "segmentation": [[5, 6, 12, 14]], "image_id": 2}
    result = read(document(first, second, images=images))
    assert len(result.by_image["a.jpg"]) == 2
    assert result.objects == {"a.jpg": 2}
    assert result.problems == []
    assert "listed twice" in notes(result)[0]
    assert result.notes[0].image == "a.jpg"


def test_one_id_for_several_images_loses_their_annotations_rather_than_guess(read):
    names = ["a.jpg", "b.jpg", "c.jpg", "b.jpg"]
    images = [{"id": 1, "file_name": name} for name in names] + [{"id": 2, "file_name": "d.jpg"}]
    box = {"bbox": [1, 2, 3, 4]}
    result = read(document(box, box, box | {"image_id": 2}, images=images))
    assert {name: len(found) for name, found in result.by_image.items()} == {
        "a.jpg": 0, "b.jpg": 0, "c.jpg": 0, "d.jpg": 1,
    }  # fmt: skip
    assert losses(result) == [("a.jpg", NO_PICTURE, 2), ("b.jpg", NO_PICTURE, 0), ("c.jpg", NO_PICTURE, 0)]
    assert "image_id 1 is given to several images" in messages(result)[0]
    assert result.read == 3


def test_one_id_for_two_images_without_annotations_costs_nothing(read):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]
    result = read(document(images=images))
    assert result.problems == []
    assert result.by_image == {"a.jpg": [], "b.jpg": []}


def test_an_image_listed_twice_with_the_same_id_is_one_image(read):
    result = read(document({"bbox": [1, 2, 3, 4]}, images=[{"id": 1, "file_name": "a.jpg"}] * 2))
    assert only(result)["points"] == [1, 2, 4, 6]
    assert "listed twice" in notes(result)[0]


def test_an_image_without_a_name_costs_its_annotations(read):
    images = [{"id": 1}, {"id": 2, "file_name": "b.jpg"}]
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4], "image_id": 2}, images=images))
    assert losses(result) == [(None, NO_PICTURE, 1)]
    assert messages(result) == ["annotations[0] (id 1): image_id 1 is images[0], which has no file_name"]
    assert notes(result) == ["images[0]: no usable file_name; it was left out"]


@pytest.mark.parametrize(("ident", "lost"), [(5, 1), (2, 0)])
def test_an_image_without_an_id_fails_where_an_annotation_may_be_its(read, ident, lost):
    images = [{"file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
    result = read(document({"bbox": [1, 2, 3, 4], "image_id": ident}, images=images))
    told = result.problems if lost else result.notes
    assert told[-1].image == "a.jpg"
    assert "has no usable id" in told[-1].message
    assert sum(problem.lost for problem in result.problems) == lost


def test_ids_that_pandas_made_floats_are_ids(read):
    images = [{"id": 1.0, "file_name": "a.jpg"}]
    assert only(read(document({"bbox": [1, 2, 3, 4], "category_id": 1.0}, images=images)))["value"] == "dog"


def test_ci6_unknown_ids_are_counted_once_each(read):
    bad = [{"bbox": [1, 2, 3, 4], "category_id": 9}] * 3 + [{"bbox": [1, 2, 3, 4], "image_id": 7}] * 2
    result = read(document(*bad, {"bbox": [1, 2, 3, 4], "image_id": 8}))
    assert messages(result) == [
        "3 annotations, first annotations[0] (id 1): category_id 9 is not in the file",
        "2 annotations, first annotations[3] (id 4): image_id 7 is not in the file",
        "annotations[5] (id 6): image_id 8 is not in the file",
    ]
    assert losses(result) == [("a.jpg", UNUSABLE, 3), (None, NO_PICTURE, 2), (None, NO_PICTURE, 1)]
    assert result.read == 6


def test_losses_are_told_for_every_picture(read):
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(3)]
    bad, good = {"bbox": [1, 2, 0, 4]}, {"bbox": [1, 2, 3, 4]}
    rows = [bad | {"image_id": 0}, bad | {"image_id": 0}, bad | {"image_id": 1}, good | {"image_id": 2}]
    result = read(document(*rows, images=images))
    assert losses(result) == [("0.jpg", UNUSABLE, 2), ("1.jpg", UNUSABLE, 1)]
    assert result.objects == {"2.jpg": 1}
    assert set(result.files.items()) == {(f"{n}.jpg", "annotations.json") for n in range(3)}


def test_a_category_is_named_by_its_supercategory_or_reported(read):
    categories = [{"id": 1, "supercategory": "animal"}, {"id": 2, "name": " "}]
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4], "category_id": 2}, categories=categories))
    assert [found["value"] for found in result.by_image["a.jpg"]] == ["animal"]
    assert messages(result) == ["annotations[1] (id 2): category_id 2 has no name"]


def test_one_id_for_two_categories_loses_their_annotations_rather_than_guess(read):
    categories = [
        {"id": 1, "name": "dog"},
        {"id": 1, "name": "cat"},
        {"id": 2, "name": "cow"},
        {"id": 2, "name": "cow"},
    ]
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4], "category_id": 2}, categories=categories))
    assert [found["value"] for found in result.by_image["a.jpg"]] == ["cow"]
    assert "category_id 1 is given to several categories, among them 'dog' and 'cat'" in messages(result)[0]


def test_objects_without_keypoints_are_counted_when_poses_are_wanted(read):
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4]}), "pose_estimation")
    assert messages(result) == ["2 annotations, first annotations[0] (id 1): no keypoint is set"]
    assert losses(result) == [("a.jpg", UNUSABLE, 2)]


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}, {"image_id": [], "category_id": 1}])
def test_entries_that_are_no_annotations(read, entry):
    content = document({"bbox": [1, 2, 3, 4]})
    content["annotations"].insert(0, entry)
    result = read(content)
    assert len(result.by_image["a.jpg"]) == 1
    assert "annotations[0]" in messages(result)[0]
    assert [(problem.image, problem.lost) for problem in result.problems] == [(None, 1)]


@pytest.mark.parametrize("number", [None, [], {}])
def test_an_annotation_without_a_category_fails_its_picture(read, number):
    result = read(document({"bbox": [1, 2, 3, 4], "category_id": number}))
    assert losses(result) == [("a.jpg", UNUSABLE, 1)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not valid JSON"),
        ('{"images": [\n{]}', "not valid JSON"),
        ("[]", "no list of images"),
        ('{"images": 5}', "no list of images"),
        ("[" * 100_000, "not usable JSON"),
        ('{"images": [], "annotations": {}}', "its annotations are no list"),
        ('{"images": [], "categories": "dog"}', "its categories are no list"),
        ('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1', "cut off"),
    ],
)
def test_files_that_are_something_else_are_refused(read, content, why):
    with pytest.raises(ValueError, match=r"annotations\.json.*" + re.escape(why)):
        read(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [('{"images": [{"id": 1}]}', "images[0]"), ('{"images": [], "categories": [7]}', "categories[0]")],
)
def test_an_entry_that_no_annotation_needs_is_a_note(read, content, why):
    result = read(content)
    assert (result.by_image, result.problems) == ({}, [])
    assert why in notes(result)[0]


def test_a_list_of_images_alone_is_read(read):
    result = read('{"images": [{"id": 1, "file_name": "a.jpg"}]}')
    assert (result.by_image, result.problems, result.notes) == ({"a.jpg": []}, [], [])


def test_a_syntax_error_has_its_line(read):
    with pytest.raises(ValueError, match=r"annotations\.json:3: not valid JSON"):
        read('{\n"images": [\n,]}')


def test_a_byte_order_mark_and_windows_paths_are_taken(tmp_path):
    path = tmp_path / "a.json"
    images = [{"id": 1, "file_name": ".\\犬\\a b.jpg"}]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(document(images=images)).encode())
    assert read_coco(path).by_image == {".\\犬\\a b.jpg".replace("\\", "/").removeprefix("./"): []}


def test_an_unknown_type_is_refused(read):
    with pytest.raises(ValueError, match="annotation_type must be one of"):
        read(document(), "circle")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_coco(tmp_path / "none.json")


def test_ci7_the_garbage_collector_is_left_as_it_was(read):
    read(document())
    assert gc.isenabled()
    gc.disable()
    try:
        read(document())
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_ci7_the_file_is_closed(tmp_path):
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(document()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        read_coco(path)
        gc.collect()
    assert [str(one.message) for one in caught] == []


def test_ci7_work_grows_with_the_file_and_not_with_its_square(read):
    def calls(count):
        made = 0

        def count_calls(*_):
            nonlocal made
            made += 1

        images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(count)]
        one = {"bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 6]]}
        content = document(*(one | {"image_id": n} for n in range(count)), images=images)
        text = json.dumps(content)
        sys.setprofile(count_calls)
        try:
            read(text)
        finally:
            sys.setprofile(None)
        return made

    assert calls(800) < 2.5 * calls(400)


def test_a_number_beyond_any_float_costs_its_own_object_only(read):
    huge = 10**400
    result = read(
        document(
            {"bbox": [huge, 1, 2, 3]},
            {"segmentation": [[0, 0, huge, 0, 5, 5]]},
            {"bbox": [1, huge, 2, 3], "segmentation": [[0, 0, 5, 0, 5, 5, 0, 5]]},
            {"keypoints": [1, huge, 2, 1, 1, 2]},
            {"bbox": [1, 1, 2, 3]},
        )
    )
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["polygon", "pose_estimation", "bbox"]
    assert messages(result) == [
        "annotations[0] (id 1): its bbox has a value that is no number",
        "annotations[1] (id 2): the outline has a coordinate that is no number",
    ]
    part = "left out a part that cannot be used"
    assert notes(result) == [f"annotations[3] (id 4): {part}: keypoint 'nose' has a coordinate that is no number"]


@pytest.mark.parametrize("rotation", ["45", [1], float("inf")])
def test_a_box_whose_rotation_is_no_number_is_left_out(read, rotation):
    result = read(document({"bbox": [1, 1, 2, 3], "rotation": rotation}))
    assert result.by_image == {"a.jpg": []}
    assert messages(result) == ["annotations[0] (id 1): its rotation is no number"]


def test_a_region_too_far_away_costs_itself_only(read):
    far = [[0, 0, 1e12, 0, 5, 5], [7, 7, 9, 7, 9, 9]]
    result = read(document({"segmentation": far}, {"bbox": [1, 1, 2, 3]}))
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["polygon", "bbox"]
    assert result.problems == []
    assert notes(result) == [
        "annotations[0] (id 1): left out a part that cannot be used: a coordinate is not finite, or beyond 1000000000 "
        "pixels: [0, 0, 1000000000000.0, 0, 5, 5]"
    ]


def test_a_score_that_is_no_number_says_nothing(read):
    found = only(read(document({"bbox": [1, 1, 2, 3], "score": float("nan")})))
    assert "confidenceScore" not in found


# One bad part does not condemn the object

GOOD = [0, 0, 9, 0, 9, 9]
NAN = float("nan")


@pytest.mark.parametrize(
    ("crumb", "why"),
    [
        ([5, 5], "three points"),
        ([5, 5, 6, 6], "three points"),
        ([5, 5, 6, 6, 7, 7], "no area"),
        ([5, 5, 6, NAN, 7, 7], "no number"),
        ([5, 5, 6, 6, 7], "odd number"),
        ("x", "no list of numbers"),
    ],
)
@pytest.mark.parametrize("annotation_type", [None, "polygon", "segmentation"])
def test_b18_a_bad_part_is_left_out_and_counted(read, crumb, why, annotation_type):
    box = {"bbox": [0, 0, 9, 9]}
    result = read(document(*[box | {"segmentation": [GOOD, crumb]}] * 2), annotation_type)
    assert result.problems == []
    assert [one["type"] for one in result.by_image["a.jpg"]] == [annotation_type or "polygon"] * 2
    (note,) = notes(result)
    assert note.startswith("2 annotations, first annotations[0] (id 1): left out a part that cannot be used: ")
    assert why in note


@pytest.mark.parametrize(
    "bad",
    [
        [[1, 1, NAN, 3, 4, 5]],
        [[1, 2]],
        [[1, 1, 2, 2, 3, 3], [4, 4]],
        "x",
        {"size": [2, 2], "counts": [4]},
        {"size": [2, 2], "counts": [3]},
        {"size": [2, 2], "counts": "\u00ff"},
    ],
)
@pytest.mark.parametrize("annotation_type", [None, "bbox", "polygon", "segmentation"])
def test_b18_a_bad_outline_leaves_a_good_box(read, bad, annotation_type):
    result = read(document({"bbox": [0, 0, 9, 9], "segmentation": bad}), annotation_type)
    found = only(result)
    assert found["type"] == annotation_type or "bbox"
    ring = [0, 0, 9, 0, 9, 9, 0, 9]
    expected = {"polygon": ring, "segmentation": [[[*ring, 0, 0]]]}
    assert found["points"] == expected.get(annotation_type, [0, 0, 9, 9])
    # Who wants boxes does not look at outlines, unless their form is not even that of one.
    assert bool(result.notes) == (annotation_type != "bbox" or bad == "x")


@pytest.mark.parametrize("bad", [[1, 2, 0, 4], [1, NAN, 3, 4], [1, 2], "x"])
def test_b18_a_bad_box_leaves_a_good_outline(read, bad):
    result = read(document({"bbox": bad, "segmentation": [GOOD]}), "bbox")
    assert only(result)["points"] == [0, 0, 9, 9]
    assert len(result.notes) == 1


def test_b18_a_bad_keypoint_leaves_the_others(read):
    for bad in ([NAN, 2, 2], [1, 2, 3], [1, None, 2]):
        result = read(document({"keypoints": [*bad, 3, 4, 2], "bbox": [1, 2, 2, 2]}))
        assert only(result)["keypoints"] == [{"key": "tail", "value": [3, 4, 1]}]
        assert "keypoint 'nose'" in notes(result)[0]


def test_b18_without_a_usable_keypoint_the_box_is_left(read):
    one = {"keypoints": [NAN, 2, 2, 0, 0, 0], "bbox": [1, 2, 2, 2]}
    assert only(read(document(one)))["type"] == "bbox"
    assert len(read(document(one), "pose_estimation").problems) == 1


def test_what_the_wanted_type_cannot_say_is_not_mended_into_a_box(read):
    mask = np.ones((5, 5), np.uint8)
    mask[2, 2] = 0
    counts = coco_mask.encode(np.asfortranarray(mask))["counts"].decode()
    one = {"segmentation": {"size": [5, 5], "counts": counts}, "bbox": [0, 0, 5, 5]}
    assert "hole" in messages(read(document(one), "polygon"))[0]
    assert "keypoint names" in messages(read(document({"keypoints": [1, 2, 2], "bbox": [0, 0, 5, 5]})))[0]


# CVAT


def cvat(rotation, **more):
    return {"bbox": [10, 20, 30, 40], "segmentation": [], "iscrowd": 0} | {
        "attributes": {"occluded": False, "rotation": rotation, **more}
    }


def test_b15_cvats_own_attributes_say_nothing_unless_they_are_true(read):
    track = {"track_id": 0, "keyframe": False, "colour": "red", "note": None}
    found = only(read(document(cvat(0.0, **track))))
    assert found == {
        "type": "bbox",
        "points": [10, 20, 40, 60],
        "value": "dog",
        "attributes": [{"key": "track_id", "value": 0}, {"key": "colour", "value": "red"}],
    }
    said = only(read(document(cvat(0.0, occluded=True, keyframe=True, iscrowd="false"))))["attributes"]
    assert said == [{"key": "occluded", "value": True}, {"key": "keyframe", "value": True}]


@pytest.mark.parametrize(("degrees", "expected"), [(30.0, 30), (180, 180), (330.5, -29.5), (-45, -45), (390, 30)])
@pytest.mark.parametrize("annotation_type", [None, "bbox"])
@pytest.mark.parametrize("segmentation", [[], [RECTANGLE]])
def test_b15_cvats_rotation_turns_the_box(read, degrees, expected, annotation_type, segmentation):
    one = cvat(degrees) | {"segmentation": segmentation}
    found = only(read(document(one), annotation_type))
    assert found == {
        "type": "bbox", "points": [10, 20, 40, 60], "rotation": expected, "value": "dog", "attributes": [],
    }  # fmt: skip


@pytest.mark.parametrize("said", ["attributes", "field"])
@pytest.mark.parametrize("segmentation", [[], [RECTANGLE]])
def test_b15_a_turned_box_read_as_outline_is_turned(read, said, segmentation):
    one = cvat(90) if said == "attributes" else {"bbox": [10, 20, 30, 40], "rotation": 90}
    one = one | {"segmentation": segmentation}
    turned = [45, 25, 45, 55, 5, 55, 5, 25]
    assert only(read(document(one), "polygon"))["points"] == pytest.approx(turned, abs=1e-5)
    assert only(read(document(one), "segmentation"))["points"][0][0] == pytest.approx([*turned, 45, 25], abs=1e-5)


def test_a_rotation_that_is_the_users_own_stays_an_attribute(read):
    own = [{"key": "rotation", "value": 90}]
    for one in ({"attributes": {"rotation": 90}}, {"attributes": {"rotation": 90, "occluded": False}, "rotation": 0}):
        found = only(read(document({"bbox": [10, 20, 30, 40]} | one)))
        assert (found["attributes"], "rotation" in found) == (own, False)
    words = {"attributes": {"rotation": "left", "occluded": False}}
    assert only(read(document({"bbox": [1, 2, 3, 4]} | words)))["attributes"] == [{"key": "rotation", "value": "left"}]


def test_the_box_around_a_crowds_mask_is_not_turned(read):
    one = {"segmentation": {"size": [4, 4], "counts": [0, 16]}, "bbox": [0, 0, 4, 4], "iscrowd": 1, "rotation": 45}
    found = only(read(document(one), "bbox"))
    assert (found["points"], "rotation" in found) == ([0, 0, 4, 4], False)


def test_a_list_of_attributes_with_strange_keys_costs_its_object_only(read):
    bad = {"bbox": [1, 2, 3, 4], "attributes": [{"key": ["x"], "value": 1}]}
    result = read(document(bad, {"bbox": [1, 2, 3, 4], "attributes": [{"key": "x", "value": 1}]}))
    assert [found["attributes"] for found in result.by_image["a.jpg"]] == [[{"key": "x", "value": 1}]]
    assert "attributes" in messages(result)[0]


# Poses


PERSON = {"keypoints": [30, 40, 2, 50, 60, 1], "num_keypoints": 2}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, False),
        ({"bbox": [30, 40, 20, 20]}, False),
        ({"bbox": [30, 40, 20, 20], "segmentation": [[30, 40, 50, 40, 50, 60, 30, 60]]}, False),
        ({"bbox": [10, 20, 60, 70]}, True),
        ({"bbox": [30, 40, 20, 20], "segmentation": [[30, 40, 50, 40, 50, 60]]}, True),
        ({"bbox": [30, 40, 20, 20], "segmentation": {"size": [2, 2], "counts": [0, 4]}}, True),
        ({"bbox": "x", "segmentation": []}, False),
    ],
)
@pytest.mark.parametrize("annotation_type", [None, "pose_estimation"])
def test_b19_boxes_and_outlines_that_poses_cannot_keep_are_counted(read, more, told, annotation_type):
    result = read(document(*[PERSON | more] * 3), annotation_type)
    assert result.problems == []
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["pose_estimation"] * 3
    lost = (
        "3 annotations, first annotations[0] (id 1): the box or outline that the file has beside the keypoints is not "
        "kept, as FastLabel's poses have none"
    )
    assert notes(result) == ([lost] if told else [])


def test_b16_keypoints_are_named_by_the_caller_where_the_file_does_not(read):
    silent = [{"id": 1, "name": "dog"}]
    one = {"keypoints": [1, 2, 2, 3, 4, 1]}
    (message,) = messages(read(document(one, categories=silent)))
    assert "its category names no keypoints; name them with keypoints={'dog': [...]}" in message
    names = {"dog": ("a", "b"), "cat": ["c"]}
    found = only(read(document(one, categories=silent), keypoints=names))
    assert found["keypoints"] == [{"key": "a", "value": [1, 2, 1]}, {"key": "b", "value": [3, 4, 0]}]
    own = only(read(document(one), keypoints=names))
    assert [row["key"] for row in own["keypoints"]] == ["nose", "tail"]


@pytest.mark.parametrize("names", ["nose", [], ["a", "a"], [1], None])
def test_b16_names_of_keypoints_are_checked(read, names):
    with pytest.raises(ValueError, match="keypoints: 'dog' needs a list of different names"):
        read(document(), keypoints={"dog": names})


@pytest.mark.parametrize("text", ['{"images": [], "x": %s}' % ("9" * 5000), '{"images": %s' % ("[" * 200_000)])
def test_a_file_that_python_cannot_take_is_refused_in_words(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"a\.json: not usable JSON: .*Nothing of the file was read"):
        read_coco(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["categories", "annotations"])
def test_a_list_that_is_null_is_no_empty_list(tmp_path, name):
    (tmp_path / "a.json").write_text(json.dumps({"images": [], "categories": [], "annotations": [], name: None}))
    with pytest.raises(ValueError, match=rf"its {name} are null"):
        read_coco(tmp_path / "a.json")


def test_many_images_of_one_id_cost_what_they_are():
    printed = run_limited(
        """
        import json, tempfile
        from pathlib import Path
        from airflow_provider_fastlabel.formats.coco import read_coco
        images = [{"id": 1, "file_name": f"{number}.jpg"} for number in range(50_000)]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "a.json")
            file.write_text(json.dumps({"images": images, "annotations": [{"image_id": 1, "category_id": 1}]}))
            print(len(read_coco(file).problems))
        """,
        megabytes=400,
    )
    assert printed == "50000"


def test_parts_and_attributes_do_not_multiply(read):
    parts = [[0, 0, number, 0, number, 9] for number in range(1, 2_001)]
    attributes = {f"a{number}": number for number in range(2_000)}
    many = {"segmentation": parts, "attributes": attributes}
    result = read(document(many, {"segmentation": parts[:2], "attributes": attributes}), "polygon")
    assert len(result.by_image["a.jpg"]) == 2
    (problem,) = result.problems
    assert "2000 attributes for each of its 2000 parts are more than 100,000" in str(problem)
    assert problem.lost == 1
    # One annotation of all parts has them once.
    (found, _) = read(document(many, many), "segmentation").by_image["a.jpg"]
    assert len(found["attributes"]) == 2_000
