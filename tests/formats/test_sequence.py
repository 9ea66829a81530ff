from __future__ import annotations

import copy
import json

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.sequence import content_tasks, image_tasks

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
    assert homeless == 2
    assert before == SEQUENCE


def test_an_exporter_takes_the_images_and_the_log_names_what_has_none(tmp_path, caplog):
    plain = {"name": "c.jpg", "width": 9, "height": 9, "annotations": []}
    report = export_coco(image_tasks([SEQUENCE, plain]), tmp_path)
    images = json.loads((tmp_path / "annotations.json").read_bytes())["images"]
    assert [one["file_name"] for one in images] == ["walk/a.jpg", "walk/b.jpg", "c.jpg"]
    assert report.annotations == 1
    assert "'walk': 2 annotations belong to none of its images" in caplog.text
