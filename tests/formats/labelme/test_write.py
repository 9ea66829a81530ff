"""labelme files: opened by labelme's own rules, read back as they were, the numbered defects of the official SDK."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.labelme import export_labelme, read_labelme
from tests.formats.readers import opened_by_labelme


def annotation(kind, points=None, value="dog", **more):
    return {"type": kind, "value": value, **({} if points is None else {"points": points}), **more}


def task(*annotations, name="a.jpg", width=100, height=80):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


@pytest.fixture
def export(tmp_path):
    """Export and open every file as labelme would, the images lying beside."""

    def export(*tasks, **options):
        report = export_labelme(tasks, tmp_path, **options)
        documents = []
        for name, one in zip(report.files, tasks, strict=True):
            image = (tmp_path / name).parent / json.loads((tmp_path / name).read_text("utf-8"))["imagePath"]
            Image.new("RGB", (one["width"] or 9, one["height"] or 9)).save(image, "PNG")
            documents.append(opened_by_labelme(tmp_path / name))
        return report, documents

    return export


@pytest.fixture
def back(export, tmp_path):
    """Export one task and read it again."""

    def back(*annotations, **options):
        export(task(*annotations), **options)
        result = read_labelme(tmp_path)
        assert result.problems == []
        return result.by_image["a.jpg"]

    return back


@pytest.mark.parametrize(
    "one",
    [
        annotation("bbox", [1, 2, 9, 8]),
        annotation("polygon", [1, 2, 9, 2, 9, 8.5]),
        annotation("keypoint", [3.25, 4]),
        annotation("line", [1, 2, 3, 4]),
        annotation("line", [1, 2, 3, 4, 5, 0, 9, 9]),
        annotation("circle", [50, 40, 12.5]),
        annotation("segmentation", [[[0, 0, 9, 0, 9, 9, 0, 9, 0, 0]], [[20, 20, 30, 20, 30, 30, 20, 20]]]),
        annotation("segmentation", [[[0, 0, 30, 0, 30, 30, 0, 30, 0, 0], [10, 10, 10, 20, 20, 20, 20, 10, 10, 10]]]),
        annotation(
            "pose_estimation", keypoints=[{"key": "nose", "value": [1, 2, 1]}, {"key": "tail", "value": [3, 4, 0]}]
        ),
    ],
)
def test_l4_every_type_comes_back_as_it_was(back, one):
    (found,) = back(one)
    if one["type"] == "segmentation" and len(one["points"][0]) > 1:
        outer, hole = found["points"][0]
        assert outer == one["points"][0][0]
        corners = set(zip(hole[::2], hole[1::2], strict=True))
        assert corners == {(10, 10), (10, 20), (20, 20), (20, 10)}
    else:
        assert found == one


def test_l1_all_regions_and_holes_are_there(export):
    regions = [
        [[0, 0, 50, 0, 50, 50, 0, 50, 0, 0], [10, 10, 10, 20, 20, 20, 20, 10, 10, 10]],
        [[60, 0, 90, 0, 90, 30, 60, 30, 60, 0]],
    ]
    report, (document,) = export(task(annotation("segmentation", regions)))
    image = Image.new("1", (100, 80))
    for shape in document["shapes"]:
        ImageDraw.Draw(image).polygon([tuple(point) for point in shape["points"]], fill=1)
    assert np.asarray(image).sum() == pytest.approx(2500 - 100 + 900, rel=0.06)
    assert {shape["group_id"] for shape in document["shapes"]} == {1}
    assert report.adjusted["holes_bridged"] == 1


@pytest.mark.parametrize("name", ["sub/a.jpg", "a b/犬.jpg", "../../x.jpg", "/abs.jpg", "a.b.c.jpg", "noending"])
def test_l2_the_image_is_found_from_sub_folders(export, name):
    report, (document,) = export(task(annotation("bbox", [1, 2, 9, 8]), name=name))
    assert "/" not in document["imagePath"]
    assert report.annotations == 1


def test_l3_a_line_of_more_points_is_a_linestrip(export):
    _, (document,) = export(task(annotation("line", [1, 2, 3, 4, 5, 6]), annotation("line", [1, 2, 3, 4])))
    assert [shape["shape_type"] for shape in document["shapes"]] == ["linestrip", "line"]


@pytest.mark.parametrize("rotation", [30, -100, 179])
def test_l5_rotation(back, rotation):
    (found,) = back(annotation("bbox", [30, 30, 60, 40], rotation=rotation))
    assert found["rotation"] == pytest.approx(rotation, abs=1e-3)
    assert found["points"] == pytest.approx([30, 30, 60, 40], abs=1e-3)


def test_l6_attributes_become_flags_and_come_back(export, back):
    attributes: list[dict[str, Any]] = [
        {"key": "wet", "value": True, "type": "switch", "name": "Wet"},
        {"key": "dry", "value": False},
        {"key": "colour", "value": "red"},
    ]
    one = annotation("bbox", [1, 2, 9, 8], attributes=attributes)
    _, (document,) = export(task(one))
    assert document["shapes"][0]["flags"] == {"wet": True, "dry": False}
    assert back(one)[0]["attributes"] == [{"key": row["key"], "value": row["value"]} for row in attributes]


def test_l7_what_labelme_could_not_open_is_counted(export):
    report, (document,) = export(
        task(
            annotation("segmentation", []),
            annotation("bbox"),
            annotation("polygon", [1, 2, 3, 4]),
            annotation("line", [1, 2]),
            annotation("ner"),
            annotation("pose_estimation", keypoints=[{"key": "nose", "value": []}]),
        )
    )
    assert document["shapes"] == []
    assert report.annotations == 0
    assert sum(report.skipped.values()) == report.annotations_in == 6


def test_malformed_points_name_the_task(export):
    with pytest.raises(GeometryError, match=r"a\.jpg"):
        export(task(annotation("bbox", [1, 2, "x", 4])))
    report, _ = export(task(annotation("bbox", {"1": {"value": [1, 2, 3, 4]}})), on_error="skip")
    assert report.skipped == {"malformed": 1}


def test_names_that_collide(export):
    one = annotation("bbox", [1, 2, 9, 8])
    report, documents = export(task(one, name="a.jpg"), task(one, name="a.png"))
    assert report.files == ["a.json", "a.png.json"]
    assert [document["imagePath"] for document in documents] == ["a.jpg", "a.png"]


def test_tasks_without_size_and_without_annotations(export):
    _, documents = export(task(), task(annotation("bbox", [1, 2, 9, 8]), name="b.jpg", width=0, height=None))
    assert documents[0]["shapes"] == []
    assert (documents[1]["imageWidth"], documents[1]["imageHeight"]) == (None, None)


def test_same_tasks_same_bytes_and_untouched(tmp_path):
    tasks = [task(annotation("pose_estimation", keypoints=[{"key": "nose", "value": [1, 2, 1]}], attributes=[]))]
    before = json.dumps(tasks)
    export_labelme(tasks, tmp_path)
    first = (tmp_path / "a.json").read_bytes()
    export_labelme(tasks, tmp_path)
    assert (tmp_path / "a.json").read_bytes() == first
    assert json.dumps(tasks) == before


NUMBER = st.floats(0, 80).map(lambda value: round(value, 2))
BOXES = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER).filter(
    lambda box: abs(box[0] - box[2]) > 1 and abs(box[1] - box[3]) > 1
)


@given(st.lists(BOXES, max_size=4))
def test_boxes_come_back(tmp_path_factory, boxes):
    folder = tmp_path_factory.mktemp("labelme")
    export_labelme([task(*(annotation("bbox", list(box)) for box in boxes))], folder)
    expected = [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in boxes]
    assert [found["points"] for found in read_labelme(folder).by_image["a.jpg"]] == expected
