"""What annotation files call their pictures is a stranger's word: as a key it lies below the data set's folder."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from airflow_provider_fastlabel.foreign_names import is_safe
from airflow_provider_fastlabel.formats.labelme import read_labelme
from airflow_provider_fastlabel.formats.masks import read_masks
from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

HOSTILE = ["../p.png", "{base}/p.png", "./../p.png", "..\\p.png", "a/../../p.png", "C:\\x\\p.png", "a\0b.png"]
VOC = (
    "<annotation><folder>..</folder><filename>{0}</filename><path>{0}</path><object><name>cat</name>"
    "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>"
)


@pytest.fixture
def folder(tmp_path):
    """A data set beside which lies a picture that is nobody's business."""
    (tmp_path / "set" / "deep").mkdir(parents=True)
    Image.new("RGB", (7, 5)).save(tmp_path / "p.png")
    return tmp_path / "set"


def write_labelme(folder, stated):
    shape = {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [11, 22]]}
    for place in ("x.json", "deep/y.json"):
        (folder / place).write_text(json.dumps({"imagePath": stated, "shapes": [shape]}))
    return read_labelme(folder)


def write_pascalvoc(folder, stated):
    for place in ("x.xml", "deep/y.xml"):
        (folder / place).write_text(VOC.format(stated.replace("\0", "")))
    return read_pascalvoc(folder)


def write_masks(folder, stated):
    Image.new("L", (7, 5), 1).save(folder / "x.png")
    row = {"mask": "x.png", "image": stated, "instances": [{"id": 1, "value": "cat"}]}
    (folder / "instances.jsonl").write_text(json.dumps(row) + "\n")
    return read_masks(folder)


@pytest.mark.parametrize("write", [write_labelme, write_pascalvoc, write_masks])
@pytest.mark.parametrize("stated", HOSTILE)
def test_a_key_never_leads_out_and_nothing_is_lost_without_a_word(folder, write, stated):
    found = write(folder, stated.format(base=folder.parent))
    assert [name for name in found.by_image if not is_safe(name)] == []
    annotations = sum(map(len, found.by_image.values()))
    assert annotations or sum(problem.lost for problem in found.problems)
