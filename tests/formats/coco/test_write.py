from __future__ import annotations

import contextlib
import copy
import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import supervision
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from airflow_provider_fastlabel.formats.coco import export_coco, read_coco
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.writing.classes import ClassMap

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

HOLE = [[[20, 20, 40, 20, 40, 40, 20, 40, 20, 20], [25, 25, 25, 35, 35, 35, 35, 25, 25, 25]]]
POSE = [
    {"key": "a", "value": [10, 10, 1], "edges": ["b"]},
    {"key": "b", "value": [30, 50, 0], "edges": ["a", "c"]},
    {"key": "c", "value": [], "edges": ["b"]},
]


def task(*annotations, name="a.jpg", width=100, height=100):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


def bbox(*points, value="dog", **more):
    return {"type": "bbox", "value": value, "points": list(points), **more}


def exported(folder, tasks, **options):
    report = export_coco(tasks, folder, **options)
    assert report.files == [options.get("file_name", "annotations.json")]
    return json.loads((folder / report.files[0]).read_bytes())


def one(folder, *annotations, **options):
    data = exported(folder, [task(*annotations)], **options)
    [annotation] = data["annotations"]
    return annotation


def loaded(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


EVERYTHING = [
    task(
        bbox(10, 20, 50, 60, color="#ff0000"),
        bbox(30, 40, 70, 60, rotation=30),
        {"type": "polygon", "value": "cat", "points": [60, 60, 90, 65, 80, 95, 62.5, 80.25]},
        {"type": "segmentation", "value": "cat", "points": HOLE},
        {"type": "pose_estimation", "value": "person", "keypoints": POSE},
    ),
    task(name="sub/empty.jpg"),
    task(bbox(1, 2, 30, 40, value="cat"), name="日本/b c.jpg"),
]


def test_pycocotools_reads_every_kind(tmp_path):
    exported(tmp_path, EVERYTHING)
    coco = loaded(tmp_path / "annotations.json")
    coco.info()
    assert len(coco.imgs) == 3
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation)
        assert abs(int(mask.sum()) - annotation["area"]) <= 0.15 * annotation["area"] + 4
    with contextlib.redirect_stdout(io.StringIO()):
        results = coco.loadRes([{**annotation, "score": 1.0} for annotation in coco.anns.values()])
    assert len(results.anns) == 6


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_evaluated_against_itself_everything_is_found(tmp_path, kind):
    exported(tmp_path, EVERYTHING)
    coco = loaded(tmp_path / "annotations.json")
    keep = ("image_id", "category_id", {"segm": "segmentation"}.get(kind, kind))
    results = [
        {key: annotation[key] for key in keep} | {"score": 1.0}
        for annotation in coco.anns.values()
        if kind != "keypoints" or annotation["num_keypoints"]
    ]
    if kind == "segm":
        for row, annotation in zip(results, coco.anns.values(), strict=True):
            row["segmentation"] = coco.annToRLE(annotation)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco, coco.loadRes(results), kind)
        if kind == "keypoints":
            evaluation.params.kpt_oks_sigmas = np.full(3, 0.05)
            evaluation.params.catIds = coco.getCatIds(catNms=["person"])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_supervision_reads_every_kind(tmp_path):
    from PIL import Image

    exported(tmp_path, EVERYTHING)
    for entry in EVERYTHING:
        (tmp_path / entry["name"]).parent.mkdir(exist_ok=True)
        Image.new("RGB", (100, 100)).save(tmp_path / entry["name"])
    data = supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "annotations.json"))
    assert data.classes == ["cat", "dog", "person"]
    boxes = data.annotations[str(tmp_path / "日本/b c.jpg")].xyxy
    assert boxes.tolist() == [[1, 2, 30, 40]]


def test_c1_each_class_has_its_own_colour(tmp_path):
    data = exported(tmp_path, [task(bbox(1, 1, 9, 9, color="#111111"), bbox(1, 1, 9, 9, value="cat", color="#222222"))])
    assert {row["name"]: row["color"] for row in data["categories"]} == {"dog": "#111111", "cat": "#222222"}


def test_c2_swapped_corners_have_a_positive_area(tmp_path):
    annotation = one(tmp_path, bbox(20, 10, 10, 30))
    assert annotation["bbox"] == [10, 10, 10, 20]
    assert annotation["area"] == 200


def test_c3_rotated_box(tmp_path):
    annotation = one(tmp_path, bbox(10, 40, 90, 60, rotation=45))
    assert annotation["segmentation"] == [
        [28.786797, 14.644661, 85.355339, 71.213203, 71.213203, 85.355339, 14.644661, 28.786797]
    ]
    assert annotation["bbox"] == [14.644661, 14.644661, 70.710678, 70.710678]
    assert annotation["area"] == pytest.approx(1600, rel=1e-5)
    assert annotation["rotation"] == 45


def test_c4_hole_is_no_part_of_area_or_mask(tmp_path):
    annotation = one(tmp_path, {"type": "segmentation", "value": "cat", "points": HOLE})
    assert annotation["area"] == 300
    assert annotation["iscrowd"] == 0
    assert loaded(tmp_path / "annotations.json").annToMask(annotation).sum() == 300


CROWD = [{"key": "iscrowd", "value": True}, {"key": "colour", "value": "red"}]
SQUARE = [[[20, 20, 40, 20, 40, 40, 20, 40, 20, 20]]]
CROWDS = [
    (bbox(10, 20, 50, 60), 1600),
    (bbox(10, 40, 90, 60, rotation=45), 1600),
    ({"type": "polygon", "value": "cat", "points": [20, 20, 60, 20, 60, 50, 20, 50]}, 1200),
    ({"type": "segmentation", "value": "cat", "points": SQUARE}, 400),
    ({"type": "segmentation", "value": "cat", "points": HOLE}, 300),
    ({"type": "pose_estimation", "value": "person", "keypoints": POSE}, 800),
]


@pytest.mark.parametrize(("annotation", "pixels"), CROWDS)
def test_a_crowd_is_run_lengths_that_pycocotools_decodes(tmp_path, annotation, pixels):
    exported(tmp_path, [task(annotation | {"attributes": CROWD}, annotation)])
    coco = loaded(tmp_path / "annotations.json")
    crowd, single = coco.loadAnns([1, 2])
    assert (crowd["iscrowd"], single["iscrowd"]) == (1, 0)
    assert coco.getAnnIds(iscrowd=True) == [1]
    assert crowd["segmentation"]["size"] == [100, 100]
    assert int(coco.annToMask(crowd).sum()) == pytest.approx(pixels, rel=0.03)
    assert {**crowd, **dict.fromkeys(("id", "iscrowd", "segmentation", "attributes"))} == {
        **single,
        **dict.fromkeys(("id", "iscrowd", "segmentation", "attributes")),
    }
    assert crowd["attributes"] == {"iscrowd": True, "colour": "red"}


@pytest.mark.parametrize("annotation", [annotation for annotation, _ in CROWDS[:-1]])
def test_a_crowd_that_is_read_and_written_again_is_the_same(tmp_path, annotation):
    data = exported(tmp_path, [task(annotation | {"attributes": CROWD})])
    again = read_coco(tmp_path / "annotations.json").by_image["a.jpg"]
    assert again[0]["attributes"] == CROWD
    (tmp_path / "again").mkdir()
    second = exported(tmp_path / "again", [task(*again)])
    (first,), (last,) = data["annotations"], second["annotations"]
    assert (last["segmentation"], last["iscrowd"], last["attributes"]) == (
        first["segmentation"],
        1,
        first["attributes"],
    )


@pytest.mark.parametrize("value", [False, 0, None, "", "no", [], ["true"], 2])
def test_what_is_no_crowd_is_written_as_one_object(tmp_path, value):
    annotation = one(tmp_path, bbox(10, 20, 50, 60, attributes=[{"key": "iscrowd", "value": value}]))
    assert annotation["iscrowd"] == 0
    assert isinstance(annotation["segmentation"], list)


@pytest.mark.parametrize("value", [True, 1, "1", "true", "True"])
def test_a_crowd_is_known_however_its_class_writes_the_attribute(tmp_path, value):
    assert one(tmp_path, bbox(10, 20, 50, 60, attributes=[{"key": "iscrowd", "value": value}]))["iscrowd"] == 1


@pytest.mark.parametrize(("width", "height"), [(0, None), (1 << 21, 10)])
def test_a_crowd_whose_image_has_no_possible_size_keeps_its_outline_and_is_counted(tmp_path, width, height):
    report = export_coco([task(bbox(1, 2, 30, 9, attributes=CROWD), width=width, height=height)], tmp_path)
    [annotation] = json.loads((tmp_path / "annotations.json").read_bytes())["annotations"]
    assert annotation["iscrowd"] == 1
    assert annotation["segmentation"] == [[1, 2, 30, 2, 30, 9, 1, 9]]
    assert report.adjusted["crowd_as_polygon"] == report.annotations == 1


def person(*points, **more):
    keypoints = [{"key": key, "value": [*point, 1]} for key, point in zip("abc", points, strict=False)]
    return {"type": "pose_estimation", "value": "person", "keypoints": keypoints, **more}


@pytest.mark.parametrize(
    ("points", "margin", "box"),
    [
        ([(10, 20), (50, 40)], 0, [10, 20, 40, 20]),
        ([(10, 20), (50, 40)], 0.25, [0, 15, 60, 30]),
        ([(10, 20), (50, 40)], 1, [0, 0, 90, 60]),
        ([(80, 90), (100, 100)], 0.5, [70, 85, 30, 15]),
        ([(30, 20), (30, 60)], 0.1, [25.5, 16, 9, 48]),
        ([(30, 20)], 0.5, [29.5, 19.5, 1, 1]),
    ],
)
def test_the_box_of_a_pose_grows_by_a_share_of_its_extent(tmp_path, points, margin, box):
    annotation = one(tmp_path, person(*points), box_margin=margin)
    assert annotation["bbox"] == box
    assert annotation["area"] == box[2] * box[3]
    assert loaded(tmp_path / "annotations.json").annToMask(annotation).sum() > 0


def test_without_clip_a_poses_box_may_leave_the_image(tmp_path):
    assert one(tmp_path, person((10, 20), (50, 40)), box_margin=1, clip=False)["bbox"] == [-30, 0, 120, 60]


def test_a_persons_box_made_from_one_keypoint_is_counted(tmp_path):
    tasks = [task(person((30, 20)), person((30, 20), (30.5, 80)), person((10, 20), (50, 40)), bbox(1, 1, 9, 9))]
    for margin in (0, 0.2):
        report = export_coco(tasks, tmp_path, box_margin=margin)
        assert (report.annotations, report.adjusted) == (4, {"pose_box_without_extent": 2})


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
def test_a_margin_that_is_no_share_is_refused(tmp_path, margin):
    with pytest.raises(ValueError, match="box_margin"):
        export_coco([], tmp_path, box_margin=margin)


def test_what_covers_no_pixel_is_no_empty_mask_but_counted(tmp_path):
    """A crowd, or a region with a hole, between the centres of four pixels."""
    thin = [[[10.6, 10.6, 11.4, 10.6, 11.4, 11.4, 10.6, 11.4], [10.8, 10.8, 10.8, 11.2, 11.2, 11.2, 11.2, 10.8]]]
    tiny = bbox(10.6, 10.6, 11.4, 11.4)
    tasks = [
        task(bbox(1, 2, 30, 9), tiny | {"attributes": CROWD}, {"type": "segmentation", "value": "cat", "points": thin}),
        task(tiny | {"attributes": CROWD}, name="b.jpg"),
        task(bbox(1, 2, 30, 9, attributes=CROWD), name="c.jpg"),
    ]
    report = export_coco(tasks, tmp_path)
    assert (report.annotations_in, report.annotations, report.skipped) == (5, 2, {"no_pixels": 3})
    coco = loaded(tmp_path / "annotations.json")
    assert [int(coco.annToMask(one).sum()) > 0 for one in coco.loadAnns(coco.getAnnIds())] == [True, True]
    assert [one["image_id"] for one in coco.loadAnns(coco.getAnnIds())] == [1, 3]


def test_hole_without_image_size_keeps_the_outline_and_is_counted(tmp_path):
    report = export_coco(
        [task({"type": "segmentation", "value": "cat", "points": HOLE}, width=0, height=None)], tmp_path
    )
    assert report.adjusted["holes_dropped"] == 1
    [annotation] = json.loads((tmp_path / "annotations.json").read_bytes())["annotations"]
    assert annotation["segmentation"] == [[20, 20, 40, 20, 40, 40, 20, 40]]
    assert annotation["area"] == 300


@pytest.mark.parametrize("size", [(100_000, 100_000), (1, 10**9), (10**9, 1), (1 << 28, 1), (1e9, 1e9)])
def test_holes_in_an_image_of_a_forged_size_are_counted_before_any_memory_is_taken(tmp_path, size):
    width, height = size
    far = [0, 0, width, 0, width, height, 0, height]
    hole = {"type": "segmentation", "value": "dog", "points": [[far, [0, 0, 0, height / 2, width / 2, height / 2]]]}
    tracemalloc.start()
    try:
        report = export_coco([task(hole, bbox(0, 0, 1, 1), width=width, height=height)], tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert report.skipped == {"image_too_large": 1}
    assert (report.annotations_in, report.annotations) == (2, 1)
    [row] = json.loads((tmp_path / "annotations.json").read_bytes())["annotations"]
    assert (row["id"], row["bbox"]) == (1, [0, 0, 1, 1])


@pytest.mark.slow
def test_many_wide_holes_are_encoded_a_few_at_a_time(tmp_path):
    side = 16_384
    ring = [0, 0, side, 0, side, side, 0, side]
    hole = {
        "type": "segmentation",
        "value": "dog",
        "points": [[ring, [9, 9, 9, side - 9, side - 9, side - 9, side - 9, 9]]],
    }
    tracemalloc.start()
    try:
        report = export_coco([task(*[hole] * 150, width=side, height=side)], tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 400 << 20
    finally:
        tracemalloc.stop()
    assert report.annotations == 150


def test_c5_pose_has_box_area_and_outline(tmp_path):
    annotation = one(tmp_path, {"type": "pose_estimation", "value": "p", "keypoints": POSE})
    assert annotation["bbox"] == [10, 10, 20, 40]
    assert annotation["area"] == 800
    assert annotation["segmentation"] == [[10, 10, 30, 10, 30, 50, 10, 50]]


def test_c6_keypoints_come_from_the_tasks_when_the_classes_have_none(tmp_path):
    for classes in (None, ["p"]):
        data = exported(tmp_path, [task({"type": "pose_estimation", "value": "p", "keypoints": POSE})], classes=classes)
        assert data["categories"][0]["keypoints"] == ["a", "b", "c"]
        assert data["categories"][0]["skeleton"] == [[1, 2], [2, 3]]
        [annotation] = data["annotations"]
        assert annotation["keypoints"] == [10, 10, 2, 30, 50, 1, 0, 0, 0]
        assert annotation["num_keypoints"] == 2


def test_c6_later_poses_may_bring_more_keypoints(tmp_path):
    first = {"type": "pose_estimation", "value": "p", "keypoints": POSE[:1]}
    second = {"type": "pose_estimation", "value": "p", "keypoints": POSE[1:2]}
    tasks = [task(bbox(1, 1, 9, 9, value="z")), task(first), task(second)]
    streamed = exported(tmp_path, iter(tasks))
    assert [row["keypoints"] for row in streamed["annotations"]] == [[], [10, 10, 2, 0, 0, 0], [0, 0, 0, 30, 50, 1]]
    assert streamed == exported(tmp_path, tasks)


def test_ids_of_found_classes_are_right_in_files_of_many_pieces(tmp_path):
    trap = [{"key": 'a":1},', "value": '}\n"category_id":1},\n'}]
    tasks = [
        task(*(bbox(1, 1, 9 + n % 50, 9, value=f"v{(n * 7) % 90}", attributes=trap) for n in range(40)))
        for _ in range(90)
    ]
    streamed = exported(tmp_path, iter(tasks))
    assert streamed == exported(tmp_path, tasks)
    names = {one["id"]: one["name"] for one in streamed["categories"]}
    assert [names[row["category_id"]] for row in streamed["annotations"][:40]] == [f"v{n * 7 % 90}" for n in range(40)]


def test_c7_classes_as_documented_without_keypoints(tmp_path):
    classes = [{"id": "1", "type": "bbox", "value": "dog", "title": "Dog", "color": "#123456", "attributes": []}]
    data = exported(tmp_path, [task(bbox(1, 1, 9, 9))], classes=classes)
    assert data["categories"][0]["color"] == "#123456"


def test_keypoints_unknown_to_the_class_are_counted(tmp_path):
    classes = [
        {
            "type": "pose_estimation",
            "value": "p",
            "keypoints": [{"id": "1", "key": "a", "color": "#010101", "edges": []}],
        }
    ]
    report = export_coco(
        [task({"type": "pose_estimation", "value": "p", "keypoints": POSE})], tmp_path, classes=classes
    )
    assert report.adjusted["keypoints_unknown"] == 1
    data = json.loads((tmp_path / "annotations.json").read_bytes())
    assert data["annotations"][0]["num_keypoints"] == 1
    assert data["categories"][0]["keypoint_colors"] == ["#010101"]


def test_c8_narrow_boxes_are_kept(tmp_path):
    assert one(tmp_path, bbox(10.1, 5, 10.9, 9))["bbox"] == [10.1, 5, 0.8, 4]


def test_c9_one_value_of_two_types_is_one_category(tmp_path):
    classes: list[dict[str, Any]] = [
        {"type": kind, "value": "car", "color": "#000000", "keypoints": []} for kind in ("bbox", "polygon")
    ]
    polygon = {"type": "polygon", "value": "car", "points": [1, 1, 9, 1, 5, 9]}
    data = exported(tmp_path, [task(bbox(1, 1, 9, 9, value="car"), polygon)], classes=classes)
    assert len(data["categories"]) == 1
    assert [row["category_id"] for row in data["annotations"]] == [1, 1]


TRIANGLE = [
    {"id": "1", "key": "a", "color": "#010101", "edges": ["2"]},
    {"id": "2", "key": "b", "color": "#020202", "edges": ["3"]},
    {"id": "3", "key": "c", "color": "#030303", "edges": ["1"]},
]


@pytest.mark.parametrize(
    ("edges", "skeleton"),
    [(["1"], [[1, 2], [1, 3], [2, 3]]), (["1", "99"], [[1, 2], [1, 3], [2, 3]]), (["99"], [[1, 2], [2, 3]])],
)
def test_c10_c11_every_edge_once_and_none_to_a_keypoint_that_is_not_there(tmp_path, edges, skeleton):
    keypoints = [*TRIANGLE[:2], TRIANGLE[2] | {"edges": edges}]
    classes = [{"type": "pose_estimation", "value": "p", "color": "#000000", "keypoints": keypoints}]
    pose = {"type": "pose_estimation", "value": "p", "keypoints": POSE}
    data = exported(tmp_path, [task(pose)], classes=classes)
    assert sorted(data["categories"][0]["skeleton"]) == skeleton


@pytest.mark.parametrize("points", [[1, 1, 5, 5], [1, 1]])
def test_c12_polygon_of_two_corners_is_dropped_and_counted(tmp_path, points):
    report = export_coco([task({"type": "polygon", "value": "x", "points": points})], tmp_path)
    assert json.loads((tmp_path / "annotations.json").read_bytes())["annotations"] == []
    assert report.skipped == {"degenerate": 1}


@pytest.mark.parametrize("points", [[1, 2, 3, 4, 5], [1, 2, float("nan"), 4, 5, 6], ["1", "2", "3", "4", "5", "6"]])
def test_c13_c14_malformed_points_never_reach_the_file(tmp_path, points):
    bad = {"type": "polygon", "value": "x", "points": points}
    with pytest.raises(GeometryError, match=r"'a.jpg', annotation 1"):
        export_coco([task(bad)], tmp_path)
    assert not (tmp_path / "annotations.json").exists()
    data = exported(tmp_path, [task(bad, bbox(1, 1, 9, 9))], on_error="skip")
    assert len(data["annotations"]) == 1


def test_c13_a_region_without_points_is_counted(tmp_path):
    report = export_coco([task({"type": "segmentation", "value": "x", "points": [[[]]]}, bbox(1, 1, 9, 9))], tmp_path)
    assert report.skipped == {"degenerate": 1}
    assert report.annotations == 1


def test_c13_annotations_as_one_uploads_them_are_enough(tmp_path):
    assert one(tmp_path, bbox(1, 1, 9, 9))["attributes"] == {}
    assert one(tmp_path, bbox(1, 1, 9, 9, attributes=[{"key": "k", "value": [1]}]))["attributes"] == {"k": [1]}


def test_c16_overlapping_regions_count_once(tmp_path):
    points = [[[0, 0, 20, 0, 20, 20, 0, 20]], [[10, 0, 35, 0, 35, 20, 10, 20]]]
    annotation = one(tmp_path, {"type": "segmentation", "value": "x", "points": points})
    assert annotation["area"] == 700
    assert len(annotation["segmentation"]) == 2


def test_c17_info_and_licences(tmp_path):
    data = exported(tmp_path, [])
    assert data["info"]["version"] == "1.0"
    assert data["licenses"] == []


def test_c18_clipping_is_a_choice(tmp_path):
    assert one(tmp_path, bbox(-20, 90, 30, 130))["bbox"] == [0, 90, 30, 10]
    assert one(tmp_path, bbox(-20, 90, 30, 130), clip=False)["bbox"] == [-20, 90, 50, 40]


def test_c20_derived_numbers_are_rounded(tmp_path):
    annotation = one(tmp_path, bbox(10.1, 10.1, 20.4, 30.6))
    assert annotation["bbox"] == [10.1, 10.1, 10.3, 20.5]
    assert annotation["area"] == 211.15


def test_c21_file_name_with_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="plain file name"):
        export_coco([], tmp_path, file_name="../x.json")


def test_given_classes_all_become_categories_in_their_order(tmp_path):
    data = exported(
        tmp_path, [task(bbox(1, 1, 9, 9), bbox(1, 1, 9, 9, value="ant"))], classes=ClassMap.of(["dog", "cat"])
    )
    assert [(row["id"], row["name"]) for row in data["categories"]] == [(1, "dog"), (2, "cat")]
    assert [row["category_id"] for row in data["annotations"]] == [1]


def test_found_classes_are_sorted_however_the_tasks_come(tmp_path):
    tasks = [task(bbox(1, 1, 9, 9, value=value)) for value in "cbaab"]
    data = exported(tmp_path, iter(tasks))
    assert [row["name"] for row in data["categories"]] == ["a", "b", "c"]
    assert [row["category_id"] for row in data["annotations"]] == [3, 2, 1, 1, 2]
    first = (tmp_path / "annotations.json").read_bytes()
    exported(tmp_path, tasks)
    assert (tmp_path / "annotations.json").read_bytes() == first


def test_renumbering_is_not_led_astray_by_attributes(tmp_path):
    tricky = {'"category_id":1},\n{"': '","category_id":1},\n', "category_id": 1, "segmentation": None}
    attributes = [{"key": key, "value": value} for key, value in tricky.items()]
    hole = {"type": "segmentation", "value": "a", "points": HOLE, "attributes": attributes}
    data = exported(tmp_path, iter([task(bbox(1, 1, 9, 9, value="b", attributes=attributes), hole)]))
    assert [row["attributes"] for row in data["annotations"]] == [tricky, tricky]
    assert [row["category_id"] for row in data["annotations"]] == [2, 1]
    assert data["annotations"][1]["segmentation"]["size"] == [100, 100]


def test_strings_no_encoding_has_are_replaced(tmp_path):
    data = exported(
        tmp_path, [task(bbox(1, 1, 9, 9, attributes=[{"key": "k", "value": 2**80}]), name="half \ud800.jpg")]
    )
    assert data["images"][0]["file_name"].startswith("half _~")
    assert data["annotations"][0]["attributes"] == {"k": 2**80}


def test_tasks_without_size_or_annotations_keep_their_entry(tmp_path):
    data = exported(tmp_path, [task(name="a.jpg", width=0, height=0), {"name": "b.jpg"}])
    assert [(row["file_name"], row["width"], row["height"]) for row in data["images"]] == [
        ("a.jpg", 0, 0),
        ("b.jpg", 0, 0),
    ]


def test_names_that_are_made_safe_stay_apart(tmp_path):
    names = ["../a.jpg", "__/a.jpg", "/b.jpg", "b.jpg", "b.jpg"]
    images = exported(tmp_path, [task(name=name) for name in names])["images"]
    found = [image["file_name"] for image in images]
    assert len(set(found)) == len(set(names))
    assert found[1::2] == ["__/a.jpg", "b.jpg"]


def test_seed_keys_are_there(tmp_path):
    data = exported(tmp_path, EVERYTHING)
    assert set(data["annotations"][0]) == {
        "num_keypoints",
        "keypoints",
        "segmentation",
        "iscrowd",
        "area",
        "image_id",
        "bbox",
        "rotation",
        "category_id",
        "id",
        "attributes",
    }
    assert set(data["categories"][0]) == {
        "skeleton",
        "name",
        "keypoints",
        "color",
        "supercategory",
        "id",
        "keypoint_colors",
    }


def test_callers_tasks_are_not_changed(tmp_path):
    before = copy.deepcopy(EVERYTHING)
    export_coco(EVERYTHING, tmp_path)
    assert before == EVERYTHING


def test_more_annotations_than_wait_at_once(tmp_path):
    hole = {"type": "segmentation", "value": "cat", "points": HOLE}
    data = exported(tmp_path, (task(*[bbox(1, 1, 9, 9), hole] * 40, name=f"{n}.jpg") for n in range(60)))
    assert [row["id"] for row in data["annotations"]] == list(range(1, 4801))
    assert {len(row["segmentation"]) for row in data["annotations"][1::2]} == {2}
    assert {row["category_id"] for row in data["annotations"][1::2]} == {1}


def test_memory_does_not_grow_with_the_number_of_tasks(tmp_path):
    def peak(count):
        tracemalloc.start()
        export_coco((task(*[bbox(1, 1, 9, 9)] * 5, name=f"{n}.jpg") for n in range(count)), tmp_path)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(4000) < 1.3 * peak(1000)
