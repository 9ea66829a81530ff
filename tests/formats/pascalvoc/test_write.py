from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from supervision.dataset.formats.pascal_voc import detections_from_xml_obj

from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc


def task(*annotations, name="a.jpg", width=100, height=100):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


def bbox(*points, value="dog", **more):
    return {"type": "bbox", "value": value, "points": list(points), **more}


def read(path):
    return xmltodict.parse(path.read_bytes(), force_list=("object",))["annotation"]


def objects(folder, *annotations, **options):
    export_pascalvoc([task(*annotations)], folder, **options)
    return read(folder / "annotations/a.xml").get("object", [])


def corners(found):
    return [int(found["bndbox"][key]) for key in ("xmin", "ymin", "xmax", "ymax")]


def flags(found):
    return {key: found[key] for key in ("truncated", "occluded", "difficult")}


NO_FLAGS = {"truncated": "0", "occluded": "0", "difficult": "0"}


@pytest.mark.parametrize(
    "attributes",
    [
        [{"key": "difficult", "value": True}],
        [{"key": "difficult", "type": "switch", "value": 1}],
        [{"key": "other", "type": "text", "value": "x"}, {"key": "difficult", "type": "switch", "value": "true"}],
    ],
)
def test_v1_switches_are_read_with_or_without_their_type(tmp_path, attributes):
    [found] = objects(tmp_path, bbox(1, 1, 9, 9, attributes=attributes))
    assert flags(found) == {**NO_FLAGS, "difficult": "1"}


def test_v2_annotation_without_attributes(tmp_path):
    [found] = objects(tmp_path, bbox(1, 1, 9, 9))
    assert flags(found) == NO_FLAGS


@pytest.mark.parametrize("value", [None, "", [], {}, 0, False, "no"])
def test_v3_switch_that_says_nothing_is_off(tmp_path, value):
    [found] = objects(tmp_path, bbox(1, 1, 9, 9, attributes=[{"key": "truncated", "type": "switch", "value": value}]))
    assert flags(found) == NO_FLAGS


def test_flag_of_another_type_is_no_flag(tmp_path):
    [found] = objects(tmp_path, bbox(1, 1, 9, 9, attributes=[{"key": "truncated", "type": "text", "value": "true"}]))
    assert flags(found) == NO_FLAGS


def test_v4_corners_are_the_first_and_last_pixel_counted_from_one(tmp_path):
    [found] = objects(tmp_path, bbox(10, 20, 40, 60))
    assert corners(found) == [11, 21, 40, 60]
    [found] = objects(tmp_path, bbox(10.6, 20, 20.4, 60))
    assert corners(found) == [11, 21, 21, 60]


def test_v4_or_pixel_borders_counted_from_zero(tmp_path):
    [found] = objects(tmp_path, bbox(10, 20, 40.5, 60), corners="zero_based")
    assert corners(found) == [10, 20, 41, 60]


def test_v4_supervision_reads_the_box_that_was_drawn(tmp_path):
    names = ["sub/b c.jpg", "日本.jpg", "<&>.jpg"]
    tasks = [task(bbox(10, 20, 40, 60, value="cat"), name=name) for name in names]
    export_pascalvoc([*tasks, task(name="empty.jpg")], tmp_path)
    for name in [*names, "empty.jpg"]:
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 100)).save(tmp_path / "images" / name)
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate((tmp_path / "annotations").rglob("*.xml")):
        path.rename(flat / f"{number}.xml")
    found = []
    for path in flat.iterdir():
        root = ET.parse(path).getroot()
        with Image.open(tmp_path / "images" / root.findtext("filename")) as image:
            size = image.size
        detections, _ = detections_from_xml_obj(root, [], size, False)
        found += detections.xyxy.tolist()
    assert found == [[10, 20, 40, 60]] * 3


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=40)
def test_whole_boxes_keep_their_pixels(tmp_path_factory, x, y, width, height):
    [found] = objects(tmp_path_factory.mktemp("voc"), bbox(x, y, x + width, y + height))
    xmin, ymin, xmax, ymax = corners(found)
    assert [xmin - 1, ymin - 1, xmax, ymax] == [x, y, x + width, y + height]
    assert xmax - xmin + 1 == width  # the devkit's own measure


def test_v5_boxes_end_at_the_border(tmp_path):
    [found] = objects(tmp_path, bbox(-20.5, 90, 30, 130))
    assert corners(found) == [1, 91, 30, 100]
    [found] = objects(tmp_path, bbox(-20.5, 90, 30, 130), clip=False)
    assert corners(found) == [-20, 91, 30, 130]


def test_v6_everything_with_an_extent_has_a_box(tmp_path):
    annotations = [
        {"type": "segmentation", "value": "a", "points": [[[10, 10, 30, 10, 30, 30]], [[50, 50, 70, 50, 70, 70]]]},
        {"type": "polygon", "value": "b", "points": [1, 1, 9, 1, 5, 9]},
        {"type": "pose_estimation", "value": "c", "keypoints": [{"key": "k", "value": [10, 10, 1]}]},
    ]
    report = export_pascalvoc([task(*annotations)], tmp_path)
    data = read(tmp_path / "annotations/a.xml")
    assert [corners(found) for found in data["object"]] == [[11, 11, 70, 70], [2, 2, 9, 9], [10, 10, 11, 11]]
    assert data["segmented"] == "1"
    boxes = {"segmentation_as_box": 1, "polygon_as_box": 1, "pose_estimation_as_box": 1, "pose_box_without_extent": 1}
    assert report.adjusted == boxes


def test_v7_text_is_well_formed_whatever_it_holds(tmp_path):
    value = "a\x00\x0b<b>&\uffff\n\"c'"
    export_pascalvoc([task(bbox(1, 1, 9, 9, value=value), name="x\x01<&>.jpg")], tmp_path)
    [path] = (tmp_path / "annotations").iterdir()
    data = read(path)
    assert data["object"][0]["name"] == "a__<b>&_ \"c'"
    assert re.fullmatch(r"x_<&>~[0-9a-f]{16}\.jpg", data["filename"])


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\ufffe"])
def test_v7_a_control_character_does_not_break_the_file(tmp_path, character):
    [found] = objects(tmp_path, bbox(1, 1, 9, 9, value=f"a{character}b"))
    assert found["name"] == "a_b"


def test_v9_rotated_box_has_its_enclosing_box(tmp_path):
    [found] = objects(tmp_path, bbox(10, 40, 90, 60, rotation=90))
    assert corners(found) == [41, 11, 60, 90]
    assert export_pascalvoc([task(bbox(10, 40, 90, 60, rotation=90))], tmp_path).adjusted == {"rotation_as_box": 1}


def test_v10_same_stem_has_its_own_file(tmp_path):
    report = export_pascalvoc([task(bbox(1, 1, 2, 2), name="a.jpg"), task(bbox(5, 5, 6, 6), name="a.png")], tmp_path)
    assert report.files == ["annotations/a.xml", "annotations/a.png.xml"]
    assert read(tmp_path / report.files[0])["filename"] == "a.jpg"
    assert corners(read(tmp_path / report.files[1])["object"][0]) == [6, 6, 6, 6]
    assert report.adjusted == {"names_changed": 1}


def test_names_never_lead_outside(tmp_path):
    out = tmp_path / "in" / "side"
    out.mkdir(parents=True)
    export_pascalvoc([task(name=name) for name in ("../../../evil.jpg", "/abs/x.jpg", "..\\y.jpg", "..")], out)
    assert len(list((out / "annotations").rglob("*.xml"))) == 4
    assert list((tmp_path / "in").iterdir()) == [out]
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


def test_file_names_that_are_made_safe_stay_apart(tmp_path):
    report = export_pascalvoc(
        [task(name=name) for name in ("/a.jpg", "a.jpg", "./a.jpg", "b\ufffe.jpg", "b_.jpg")], tmp_path
    )
    assert len({read(tmp_path / name)["filename"] for name in report.files}) == 5


def test_v8_folder_file_name_source_and_size(tmp_path):
    export_pascalvoc([task(name="sub/a.jpg", width=640, height=480)], tmp_path)
    data = read(tmp_path / "annotations/sub/a.xml")
    assert data["folder"] == "sub"
    assert data["filename"] == data["path"] == "sub/a.jpg"
    assert data["source"] == {"database": "FastLabel"}
    assert data["size"] == {"width": "640", "height": "480", "depth": "3"}
    assert data["segmented"] == "0"
    assert "object" not in data


def test_task_without_size_keeps_its_objects(tmp_path):
    report = export_pascalvoc([task(bbox(1, 1, 9, 9), width=None, height=0)], tmp_path)
    assert report.annotations == 1
    assert report.adjusted == {"tasks_without_size": 1}


def test_classes_decide_what_is_written_and_listed(tmp_path):
    tasks = [task(bbox(1, 1, 9, 9), bbox(1, 1, 9, 9, value="ant"))]
    assert export_pascalvoc(tasks, tmp_path).classes == ["ant", "dog"]
    report = export_pascalvoc(tasks, tmp_path, classes=["dog", "cat"])
    assert report.classes == ["dog", "cat"]
    assert report.skipped == {"unknown_class": 1}


def test_corners_must_be_known(tmp_path):
    with pytest.raises(ValueError, match="corners"):
        export_pascalvoc([], tmp_path, corners="two_based")  # type: ignore[arg-type]


def test_same_tasks_same_bytes(tmp_path):
    texts = []
    for _ in range(2):
        export_pascalvoc(iter([task(bbox(1, 1, 9, 9))]), tmp_path)
        texts.append((tmp_path / "annotations/a.xml").read_bytes())
    assert texts[0] == texts[1]
