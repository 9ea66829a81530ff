"""Pre-annotations of a large data set wait on disk: memory does not grow with them, and nothing is left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from airflow_provider_fastlabel.formats.coco import read_coco
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.imports import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from tests.limits import run_limited

CLASSES = [{"id": "1", "type": "polygon", "value": "cat", "attributes": []}]

READ = """
import json, math, sys
from pathlib import Path
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader

form, root, picture, images, objects, corners = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).read_bytes(), *map(
    int, sys.argv[4:]
)

def ring(number):
    turns = [(math.tau * step / corners, 100 + number % 7) for step in range(corners)]
    return [value for turn, size in turns for value in (320 + size * math.cos(turn), 240 + size * math.sin(turn))]

rings = [ring(number) for number in range(7)]
for number in range(images):
    (root / f"{number}.png").write_bytes(picture)
    if form == "labelme":
        shapes = [
            {"label": "cat", "shape_type": "polygon", "points": list(zip(each[::2], each[1::2]))}
            for each in (rings[one % 7] for one in range(objects))
        ]
        (root / f"{number}.json").write_text(json.dumps({"imagePath": f"{number}.png", "shapes": shapes}))
    elif form == "yolo":
        rows = (" ".join(f"{value / 640:.6f}" for value in rings[one % 7]) for one in range(objects))
        (root / f"{number}.txt").write_text("".join(f"0 {row}\\n" for row in rows))
if form == "yolo":
    (root / "classes.txt").write_text("cat\\n")
if form == "coco":
    with (root / "annotations.json").open("w") as file:
        file.write('{"annotations": [')
        for number in range(images * objects):
            row = {"id": number, "image_id": number * 7919 % images, "category_id": 1}
            row["segmentation"] = [rings[number % 7]]
            file.write((", " if number else "") + json.dumps(row))
        listed = [{"id": number, "file_name": f"{number}.png"} for number in range(images)]
        file.write('], "categories": [{"id": 1, "name": "cat"}], "images": ' + json.dumps(listed) + "}")
found = find_sources(root, extensions=("png",), pictures_only=True)
classes = [{"id": "1", "type": "polygon", "value": "cat", "attributes": []}]
told = {"task": "segment"} if form == "yolo" else {}
with Reader(form, root, None, "image_polygon", classes, told).read(found) as read:
    assert read.problems == []
    print(sum(len(list(own)) for own in read.by_name.values()), read.read)
"""


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(cv2.imencode(".png", np.zeros((480, 640), np.uint8))[1].tobytes())
    return path


@pytest.mark.parametrize(
    ("form", "images", "objects", "corners"),
    [("coco", 400, 80, 100), ("labelme", 150, 10, 1000), ("yolo", 150, 10, 1000)],
)
def test_annotations_of_many_pictures_are_not_in_memory_together(form, images, objects, corners, picture, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    printed = run_limited(READ, form, root, picture, images, objects, corners, megabytes=150, seconds=60)
    assert printed == f"{images * objects} {images * objects}"


@pytest.fixture
def data(picture, tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for number in range(3):
        (root / f"{number}.png").write_bytes(picture.read_bytes())
    rows = [
        {"id": n, "image_id": n % 3, "category_id": 7, "bbox": [1, 2, 30, 40], "attributes": {"colour": n, "old": True}}
        for n in range(9)
    ]
    document = {
        "annotations": rows,
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(3)],
        "categories": [{"id": 7, "name": "cat"}],
    }
    (root / "annotations.json").write_text(json.dumps(document))
    return root


def open_files() -> list[str]:
    """Return the files of this process that have no name any more."""
    links = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    return [link for link in links if "(deleted)" in link]


def reader(data: Path, **arguments) -> Reader:
    return Reader("coco", data, None, "image_bbox", [{**CLASSES[0], "type": "bbox"}], {}, **arguments)


def found_in(data: Path):
    return find_sources(data, extensions=("png",), pictures_only=True)


def test_the_file_is_gone_with_the_run(data):
    before = open_files()
    with reader(data).read(found_in(data)) as read:
        assert len(open_files()) == len(before) + 1
        assert sum(map(len, read.by_name.values())) == 9
    assert open_files() == before


@pytest.mark.parametrize("content", ['{"images": [', '{"images": []}', '{"images": [{"id": 1, "file_name": "x.png"}]}'])
def test_the_file_is_gone_when_the_data_set_is_refused(content, data):
    before = open_files()
    (data / "annotations.json").write_text(content)
    with pytest.raises(ImportRefused, match="Nothing was created"):
        reader(data).read(found_in(data))
    assert open_files() == before


def test_attributes_are_settled_on_disk_as_in_memory(data):
    with reader(data, attributes="create").read(found_in(data)) as read:
        assert [one["attributes"] for one in read.by_name["1.png"]] == [
            [{"key": "colour", "value": str(n)}, {"key": "old", "value": True}] for n in (1, 4, 7)
        ]
        assert [item["attributes"] for item in read.settled.changed] == [
            [{"type": "text", "name": "colour", "key": "colour"}, {"type": "switch", "name": "old", "key": "old"}]
        ]
    with reader(data, attributes="ignore").read(found_in(data)) as read:
        plain = read_coco(data / "annotations.json", "bbox").by_image
        expected = {name: [{**one, "attributes": []} for one in own] for name, own in plain.items()}
        assert {name: list(own) for name, own in read.by_name.items()} == expected
        assert read.settled.left_out == {"colour": 9, "old": 9}


def test_a_full_disk_is_told_with_its_place(data):
    code = """
    import resource, sys
    from pathlib import Path
    from airflow_provider_fastlabel.pipelines.files.sources import find_sources
    from airflow_provider_fastlabel.pipelines.imports import ImportRefused
    from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    root = Path(sys.argv[1])
    reader = Reader("coco", root, None, "image_bbox", [{"id": "1", "type": "bbox", "value": "cat"}], {})
    found = find_sources(root, extensions=("png",), pictures_only=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    try:
        with reader.read(found) as read:
            print([list(own) for own in read.by_name.values()])
    except (ImportRefused, OSError) as error:
        print(error)
    """
    printed = run_limited(code, data)
    assert "annotations were written to " in printed
    assert "Nothing was created. Make room" in printed
