from __future__ import annotations

import copy
import json

import pytest

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.formats.writing.sequence import content_tasks, image_tasks

BOX = {"type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}
SEQUENCE = {
    "id": "1",
    "name": "walk",
    "contents": [{"name": f"{n}.jpg", "url": "u", "width": 100, "height": 80} for n in "ab"],
    "annotations": [BOX | {"content": "b.jpg"}, BOX | {"content": "gone.jpg"}, BOX],
}


def test_each_image_has_its_own_annotations():
    before = copy.deepcopy(SEQUENCE)
    images, homeless = content_tasks(SEQUENCE)
    assert [(one["name"], one["width"], len(one["annotations"])) for one in images] == [
        ("walk/a.jpg", 100, 0),
        ("walk/b.jpg", 100, 1),
    ]
    assert len(homeless) == 2
    assert before == SEQUENCE


def test_an_exporter_takes_the_images_and_what_has_none_is_counted(tmp_path, caplog):
    plain = {"name": "c.jpg", "width": 9, "height": 9, "annotations": []}
    before = ExportReport()
    report = export_coco(image_tasks([SEQUENCE, plain], before), tmp_path)
    report.add_before(before)
    images = json.loads((tmp_path / "annotations.json").read_bytes())["images"]
    assert [one["file_name"] for one in images] == ["walk/a.jpg", "walk/b.jpg", "c.jpg"]
    assert (report.annotations_in, report.annotations, report.skipped) == (3, 1, {"no_such_image": 2})
    assert "'walk': 2 annotations belong to none of its images" in caplog.text


def test_a_sequence_without_images_is_counted_and_logged_once(caplog):
    before = ExportReport()
    assert list(image_tasks([SEQUENCE | {"contents": []}], before)) == []
    assert before.skipped == {"no_such_image": 3}
    assert [record.getMessage() for record in caplog.records] == [
        "Task 'walk': it has no images; its 3 annotations are left out"
    ]


def test_what_is_no_annotation_belongs_to_no_image():
    images, homeless = content_tasks(SEQUENCE | {"annotations": [None, "x", BOX | {"content": "a.jpg"}]})
    assert [len(one["annotations"]) for one in images] == [1, 0]
    assert len(homeless) == 2


def test_an_image_called_none_does_not_get_what_names_no_image():
    sequence = {"name": "s", "contents": [{"name": "None"}], "annotations": [{"type": "bbox"}, {"content": None}]}
    images, homeless = content_tasks(sequence)
    assert [image["annotations"] for image in images] == [[]]
    assert len(homeless) == 2


def test_an_image_without_a_name_is_refused_with_its_task():
    with pytest.raises(GeometryError, match="task 'walk': its image 2 has no name"):
        content_tasks(SEQUENCE | {"contents": [{"name": "a.jpg"}, {"url": "u"}]})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"contents": 1.5}, "task 'walk': its contents are no list but float"),
        ({"contents": {"name": "a.jpg"}}, "task 'walk': its contents are no list but dict"),
        ({"contents": [{"name": ["a.jpg"]}]}, "task 'walk': its image 1 has no name"),
        ({"annotations": 5}, "task 'walk': its annotations are no list but int"),
        ({"name": None, "id": "7"}, "task '7' has no name"),
    ],
)
def test_fields_of_another_type_are_named(wrong, why):
    with pytest.raises(GeometryError, match=why):
        content_tasks(SEQUENCE | wrong)
