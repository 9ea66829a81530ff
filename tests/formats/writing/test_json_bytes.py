"""What people type is written as JSON, or refused in words."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, "b"]}, b'{"a":[1,"b"]}'),
        ([float("nan"), 1 << 70], b"[null,1180591620717411303424]"),
        ("\ud800", b'"?"'),
        ({1: 2}, b'{"1":2}'),
    ],
)
def test_rare_values_are_written(value, written):
    assert dumps(value) == written


def test_a_value_nested_without_end_is_refused_in_words(tmp_path):
    deep: list[object] = []
    for _ in range(5_000):  # how many Python takes differs by its version
        deep = [deep]
    attribute = {"key": "age", "value": deep}
    annotation = {"id": "x", "type": "bbox", "value": "dog", "points": [1, 2, 30, 40], "attributes": [attribute]}
    task = {"id": "1", "name": "a.png", "width": 100, "height": 80, "annotations": [annotation]}
    with pytest.raises(ValueError, match=r"nested too deeply to be written as JSON, in one of .*attributes"):
        export_coco([task], tmp_path)
