"""COCO files read into annotations: every kind of object, every defect of the official SDK, hostile files."""

from __future__ import annotations

import gc
import json
import sys
import warnings

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from airflow_provider_fastlabel.formats.coco import read_coco

RECTANGLE = [10, 20, 40, 20, 40, 60, 10, 60]


DOG = {"id": 1, "name": "dog", "supercategory": "animal", "keypoints": ["nose", "tail"]}


def document(*annotations, categories=None, images=None):
    return {
        "images": images or [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "categories": categories
        or [{"id": 1, "name": "dog", "supercategory": "animal", "keypoints": ["nose", "tail"]}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1, **one} for n, one in enumerate(annotations, 1)],
    }


@pytest.fixture
def read(tmp_path):
    def read(content, annotation_type=None):
        path = tmp_path / "annotations.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_coco(path, annotation_type)

    return read


def only(result):
    assert result.problems == []
    (found,) = result.by_image["a.jpg"]
    return found


def messages(result):
    return [problem.message for problem in result.problems]


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
        ({"segmentation": [[0, 0, 9, 0, 9, 9], "x"]}, "mixes"),
        ({"segmentation": {"size": [2, 2], "counts": [1]}}, "do not fill"),
        ({"segmentation": {"size": [2, 2], "counts": "ÿ"}}, "character"),
        ({"segmentation": {"size": [1e9, 2], "counts": [4]}}, "no size"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "do not fill"),
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
    assert "listed twice" in messages(result)[0]


def test_one_id_for_two_images_is_reported(read):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]
    result = read(document({"bbox": [1, 2, 3, 4]}, images=images))
    assert len(result.by_image["a.jpg"]) == 1
    assert "'b.jpg'" in messages(result)[0]


def test_ci6_unknown_ids_are_counted_once_each(read):
    bad = [{"bbox": [1, 2, 3, 4], "category_id": 9}] * 3 + [{"bbox": [1, 2, 3, 4], "image_id": 7}]
    result = read(document(*bad))
    assert messages(result) == [
        "category_id 9 is not in the file: 3 annotations left out, first annotations[0]",
        "image_id 7 is not in the file: 1 annotations left out, first annotations[3]",
    ]


def test_a_category_is_named_by_its_supercategory_or_reported(read):
    categories = [{"id": 1, "supercategory": "animal"}, {"id": 2, "name": " "}]
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4], "category_id": 2}, categories=categories))
    assert [found["value"] for found in result.by_image["a.jpg"]] == ["animal"]
    assert messages(result) == ["category_id 2 has no name: 1 annotations left out, first annotations[1]"]


def test_objects_without_keypoints_are_counted_when_poses_are_wanted(read):
    result = read(document({"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4]}), "pose_estimation")
    assert messages(result) == ["no keypoint is set: 2 annotations left out, first annotations[0]"]


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}, {"image_id": [], "category_id": 1}])
def test_entries_that_are_no_annotations(read, entry):
    content = document({"bbox": [1, 2, 3, 4]})
    content["annotations"].insert(0, entry)
    result = read(content)
    assert len(result.by_image["a.jpg"]) == 1
    assert "annotations[0]" in messages(result)[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not valid JSON"),
        ('{"images": [\n{]}', "not valid JSON"),
        ("[]", "no list of images"),
        ('{"images": 5}', "no list of images"),
        ("[" * 100_000, "not usable JSON"),
        ('{"images": [], "annotations": {}}', "'annotations' is not a list"),
        ('{"images": [{"id": 1}]}', "images[0]"),
        ('{"images": [], "categories": [7]}', "categories[0]"),
    ],
)
def test_files_that_are_something_else(read, content, why):
    result = read(content)
    assert result.by_image == {}
    assert why in messages(result)[0]
    assert result.problems[0].file == "annotations.json"


def test_a_syntax_error_has_its_line(read):
    assert read('{\n"images": [\n,]}').problems[0].line == 3


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
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["polygon", "bbox"]
    assert messages(result) == [
        "annotations[0] (id 1): its bbox has a value that is no number",
        "annotations[1] (id 2): the outline has a coordinate that is no number",
        "annotations[3] (id 4): a keypoint has a coordinate that is no number",
    ]


@pytest.mark.parametrize("rotation", ["45", [1], float("inf")])
def test_a_box_whose_rotation_is_no_number_is_left_out(read, rotation):
    result = read(document({"bbox": [1, 1, 2, 3], "rotation": rotation}))
    assert result.by_image == {"a.jpg": []}
    assert messages(result) == ["annotations[0] (id 1): its rotation is no number"]


def test_a_region_too_far_away_costs_its_own_object_only(read):
    far = [[0, 0, 1e12, 0, 5, 5], [7, 7, 9, 7, 9, 9]]
    result = read(document({"segmentation": far}, {"bbox": [1, 1, 2, 3]}))
    assert [one["type"] for one in result.by_image["a.jpg"]] == ["bbox"]
    assert messages(result) == [
        "annotations[0] (id 1): a coordinate is not finite, or beyond 1000000000 pixels: "
        "[0, 0, 1000000000000.0, 0, 5, 5]"
    ]


def test_a_score_that_is_no_number_says_nothing(read):
    found = only(read(document({"bbox": [1, 1, 2, 3], "score": float("nan")})))
    assert "confidenceScore" not in found
