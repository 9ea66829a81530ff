"""The seed's exports and conversions on the client: names, defaults, folders, files, errors (reference 2.16 and 5)."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelInvalidException
from airflow_provider_fastlabel.client.const import COLOR_PALLETE
from airflow_provider_fastlabel.formats.yolo import export_yolo

DOG = {"type": "bbox", "value": "dog", "color": "#ff0000", "attributes": [], "points": [10, 20, 40, 60]}
CAT = {"type": "polygon", "value": "cat", "color": "#00ff00", "attributes": [], "points": [50, 5, 70, 5, 70, 25]}
TASK = {"id": "1", "name": "sub/a.jpg", "width": 100, "height": 80, "annotations": [DOG, CAT]}

SIGNATURES: dict[str, dict[str, Any]] = {  # parameter -> default, as the seed and the official SDK have them
    "export_coco": {
        "project": ...,
        "tasks": ...,
        "annotations": None,
        "output_dir": "output/coco",
        "output_file_name": "annotations.json",
    },
    "export_yolo": {"project": ..., "tasks": ..., "classes": None, "output_dir": "output/yolo"},
    "export_pascalvoc": {"project": ..., "tasks": ..., "output_dir": "output/pascalvoc"},
    "export_labelme": {"tasks": ..., "output_dir": "output/labelme"},
    "export_instance_segmentation": {
        "tasks": ...,
        "output_dir": "output/instance_segmentation",
        "pallete": COLOR_PALLETE,
        "start_index": 1,
    },
    "export_semantic_segmentation": {
        "tasks": ...,
        "output_dir": "output/semantic_segmentation",
        "pallete": COLOR_PALLETE,
        "classes": None,
        "start_index": 1,
    },
    "export_image_with_annotations": {"tasks": ..., "image_dir": ..., "output_dir": "output/images_with_annotations"},
    "convert_coco_to_fastlabel": {"file_path": ..., "annotation_type": None},
    "convert_yolo_to_fastlabel": {"classes_file_path": ..., "dataset_folder_path": ..., "project_type": None},
    "convert_pascalvoc_to_fastlabel": {"folder_path": ...},
    "convert_labelme_to_fastlabel": {"folder_path": ...},
    "mask_to_fastlabel_segmentation_points": {"mask_image": ...},
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def project(wire):
    def project(kind="image_bbox"):
        wire.answer("GET", "projects", [{"id": "p", "slug": "dogs", "type": kind}])
        return "dogs"

    return project


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_are_those_of_the_seed(name):
    parameters = list(inspect.signature(getattr(FastLabelClient, name)).parameters.values())[1:]
    found = {one.name: ... if one.default is one.empty else one.default for one in parameters}
    assert found == SIGNATURES[name]
    assert list(found) == list(SIGNATURES[name])


def test_nothing_heavy_is_imported_with_the_client():
    code = (
        "import sys; import airflow_provider_fastlabel.client as c; c.FastLabelClient('t').export_coco; "
        "print([m for m in ('numpy', 'cv2', 'PIL', 'orjson', 'airflow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# Exports, called as in the seed: default folders below the working folder


def test_export_coco(client, project, here):
    assert client.export_coco(project=project(), tasks=[TASK]) is None
    document = json.loads((here / "output/coco/annotations.json").read_text())
    assert [one["file_name"] for one in document["images"]] == ["sub/a.jpg"]
    assert [one["name"] for one in document["categories"]] == ["cat", "dog"]
    assert len(document["annotations"]) == 2


def test_export_coco_with_classes_and_names(client, project, here):
    classes = [{"type": "bbox", "value": value, "title": value, "color": "#123456"} for value in ("dog", "cat")]
    client.export_coco(
        project=project(), tasks=[TASK], annotations=classes, output_dir="elsewhere", output_file_name="x.json"
    )
    document = json.loads((here / "elsewhere/x.json").read_text())
    assert [one["name"] for one in document["categories"]] == ["dog", "cat"]


@pytest.mark.parametrize("name", ["../x.json", "x.txt", "sub/x.json"])
def test_c21_the_file_stays_in_the_folder(client, project, here, name):
    with pytest.raises(FastLabelInvalidException, match=r"\.json") as caught:
        client.export_coco(project=project(), tasks=[TASK], output_file_name=name)
    assert caught.value.code == 422


def test_y1_export_yolo_keeps_the_order_of_the_classes(client, project, here):
    client.export_yolo(project=project(), tasks=[TASK], classes=(one for one in ["dog", "cat"]), output_dir="out")
    assert (here / "out/classes.txt").read_text() == "dog\ncat\n"
    rows = (here / "out/annotations/sub/a.txt").read_text().splitlines()
    assert [[float(number) for number in row.split()] for row in rows] == [
        [0, 0.25, 0.5, 0.3, 0.5],
        [1, 0.6, 0.1875, 0.2, 0.25],
    ]


def test_y2_outlines_only_in_a_segmentation_project(client, project, here):
    client.export_yolo(project("image_segmentation"), [TASK])
    rows = (here / "output/yolo/annotations/sub/a.txt").read_text().splitlines()
    assert [len(row.split()) for row in rows] == [9, 7]


def test_export_pascalvoc(client, project, here):
    client.export_pascalvoc(project=project(), tasks=[TASK])
    assert files(here) == ["output/pascalvoc/annotations/sub/a.xml"]


def test_export_labelme(client, here):
    client.export_labelme([TASK])
    assert files(here) == ["output/labelme/sub/a.json"]


def test_export_masks(client, here):
    client.export_instance_segmentation([TASK])
    client.export_semantic_segmentation([TASK], classes=["dog", "cat"])
    assert files(here) == [
        "output/instance_segmentation/instances.jsonl",
        "output/instance_segmentation/sub/a.png",
        "output/semantic_segmentation/classes.json",
        "output/semantic_segmentation/sub/a.png",
    ]
    with Image.open(here / "output/semantic_segmentation/sub/a.png") as image:
        assert (image.getpalette() or [])[: len(COLOR_PALLETE)] == COLOR_PALLETE
        assert np.asarray(image)[30, 20] == 1


def test_export_image_with_annotations(client, here):
    (here / "images/sub").mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(here / "images/sub/a.jpg")
    client.export_image_with_annotations(tasks=[TASK], image_dir="images")
    assert files(here / "output") == ["images_with_annotations/sub/a.jpg"]


def test_a_video_project_is_exported_frame_by_frame(client, project, wire, here, caplog):
    writer = cv2.VideoWriter("clip.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(3):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    wire.mock.add("GET", "http://storage.test/clip?signature=x", body=(here / "clip.mp4").read_bytes())
    points = {n: {"value": [1, 2, 30, 40], "autogenerated": False} for n in ("1", "4", "5")} | {"2": {"value": []}}
    task = {
        "name": "sub/clip.mp4",
        "url": "http://storage.test/clip?signature=x",
        "annotations": [DOG | {"points": points}],
    }
    client.export_coco(project=project("video_bbox"), tasks=[task])
    assert files(here / "output/coco") == ["annotations.json", *(f"images/sub/clip_{n}.jpg" for n in range(3))]
    document = json.loads((here / "output/coco/annotations.json").read_text())
    assert [one["image_id"] for one in document["annotations"]] == [1]
    assert "Authorization" not in wire.mock.calls[-1].request.headers
    assert "export_coco: 3 of 4 annotations left out: 2 beyond_clip, 1 no_points" in caplog.text


def test_a_sequence_is_exported_image_by_image(client, project, here, caplog):
    contents = [{"name": f"{n}.jpg", "url": "u", "width": 100, "height": 80} for n in "ab"]
    box = {"type": "bbox", "value": "dog", "points": [1, 2, 30, 40], "color": "#ff0000"}
    task = {"name": "walk", "contents": contents, "annotations": [box | {"content": "b.jpg"}, box]}
    client.export_coco(project=project("sequential_image_bbox"), tasks=[task])
    document = json.loads((here / "output/coco/annotations.json").read_text())
    assert [(one["file_name"], one["width"]) for one in document["images"]] == [
        ("walk/a.jpg", 100),
        ("walk/b.jpg", 100),
    ]
    assert [one["image_id"] for one in document["annotations"]] == [2]
    client.export_labelme(iter([task]))
    for method in ("export_coco", "export_labelme"):
        assert f"{method}: 1 of 2 annotations left out: 1 no_such_image" in caplog.text
    assert files(here / "output/labelme") == ["walk/a.json", "walk/b.json"]


def test_a_sequence_without_images_is_no_image(client, project, here, caplog):
    box = {"type": "bbox", "value": "dog", "points": [1, 2, 30, 40], "content": "a.jpg"}
    client.export_coco(
        project=project("sequential_image_bbox"), tasks=[{"name": "w", "contents": [], "annotations": [box]}]
    )
    assert json.loads((here / "output/coco/annotations.json").read_text())["images"] == []
    assert "export_coco: 1 of 1 annotations left out: 1 no_such_image" in caplog.text


def test_a_video_task_without_address(client, project, here):
    with pytest.raises(FastLabelInvalidException, match="no url"):
        client.export_coco(project=project("video_bbox"), tasks=[{"name": "a.mp4", "annotations": []}])


@pytest.mark.parametrize("method", ["export_coco", "export_yolo", "export_pascalvoc"])
def test_an_unknown_project_leaves_no_folder(client, wire, here, method):
    wire.answer("GET", "projects", [])
    with pytest.raises(FastLabelInvalidException, match="'dogs'") as caught:
        getattr(client, method)(project="dogs", tasks=[TASK])
    assert caught.value.code == 422
    assert files(here) == []


def test_the_advice_about_malformed_points_is_of_use_to_the_methods_caller(client, here):
    broken = {**TASK, "annotations": [DOG | {"points": [1, 2, 3]}]}
    with pytest.raises(FastLabelInvalidException) as caught:
        client.export_labelme([broken])
    assert "sub/a.jpg" in caught.value.message
    assert caught.value.message.endswith(
        'or export with on_error="skip" (an argument of the functions in airflow_provider_fastlabel.formats and of the '
        "operators)"
    )


def test_one_class_where_a_list_is_meant_is_refused(client, project, here):
    with pytest.raises(FastLabelInvalidException, match="classes are a list"):
        client.export_yolo(project=project(), tasks=[TASK], classes="dog")


def test_malformed_points_are_the_clients_own_error(client, here):
    with pytest.raises(FastLabelInvalidException, match=r"'sub/a\.jpg', annotation 1") as caught:
        client.export_labelme([TASK | {"annotations": [DOG | {"points": [1, 2, 3]}]}])
    assert caught.value.code == 422


def test_what_is_left_out_is_told(client, here, caplog):
    client.export_instance_segmentation([TASK | {"annotations": [DOG, DOG | {"type": "line"}]}])
    assert "export_instance_segmentation: 1 of 2 annotations left out: 1 unsupported_type:line" in caplog.text


def test_the_callers_tasks_stay_untouched(client, project, here):
    before = json.dumps(TASK)
    client.export_coco(project=project(), tasks=[TASK])
    client.export_labelme([TASK])
    client.export_semantic_segmentation([TASK])
    assert json.dumps(TASK) == before


# Conversions: what an export wrote comes back


def test_convert_coco(client, project, here):
    client.export_coco(project=project(), tasks=[TASK])
    found = client.convert_coco_to_fastlabel(file_path="output/coco/annotations.json")
    assert [(one["value"], one["type"], one["points"]) for one in found["sub/a.jpg"]] == [
        ("dog", "bbox", DOG["points"]),
        ("cat", "polygon", CAT["points"]),
    ]
    boxes = client.convert_coco_to_fastlabel("output/coco/annotations.json", "bbox")["sub/a.jpg"]
    assert [one["points"] for one in boxes] == [DOG["points"], [50, 5, 70, 25]]
    with pytest.raises(FastLabelInvalidException, match="annotation_type") as caught:
        client.convert_coco_to_fastlabel("output/coco/annotations.json", annotation_type="line")
    assert caught.value.code == 422


@pytest.mark.parametrize(
    ("project_type", "expected"),
    [(None, "bbox"), ("bbox", "bbox"), ("segmentation", "segmentation"), ("image_polygon", "polygon")],
)
def test_convert_yolo(client, here, project_type, expected):
    (here / "set").mkdir()
    Image.new("RGB", (100, 80)).save("set/a.jpg")
    (here / "set/a.txt").write_text("0 0.25 0.5 0.3 0.5\n")
    (here / "classes.txt").write_text("dog\n")
    options = {} if project_type is None else {"project_type": project_type}
    found = client.convert_yolo_to_fastlabel(classes_file_path="./classes.txt", dataset_folder_path="./set/", **options)
    assert [one["type"] for one in found["a.jpg"]] == [expected]


@pytest.mark.parametrize(
    ("project_type", "task", "row"),
    [
        ("image_pose_estimation", "pose", {"keypoints": [{"key": "nose", "value": [10, 20, 1]}]}),
        ("obb", "obb", {"points": [10, 20, 50, 40], "rotation": 90}),
    ],
)
def test_convert_yolo_poses_and_turned_boxes(client, here, project_type, task, row):
    kind = "pose_estimation" if task == "pose" else "bbox"
    one = {"type": kind, "value": "dog", **row}
    (here / "images").mkdir()
    Image.new("RGB", (100, 80)).save("images/a.jpg")
    export_yolo(
        [{"name": "a.jpg", "width": 100, "height": 80, "annotations": [one]}],
        here,
        task=task,
        layout="ultralytics",
        splits={"train": 1, "val": 0},
        image_dir=here / "images",
    )
    ((found,),) = client.convert_yolo_to_fastlabel("data.yaml", ".", project_type).values()
    assert found["type"] == kind
    if task == "pose":
        assert found == one
    else:
        assert found["points"] == pytest.approx(row["points"], abs=1e-3)
        assert found["rotation"] == pytest.approx(90, abs=1e-3)


def test_convert_yolo_boxes_of_poses_and_of_what_may_be_poses(client, here):
    (here / "set").mkdir()
    Image.new("RGB", (100, 80)).save("set/a.jpg")
    (here / "set/a.txt").write_text("0 0.25 0.5 0.3 0.5 0.2 0.5 0.3 0.5\n")
    (here / "classes.txt").write_text("dog\n")
    with pytest.raises(FastLabelInvalidException, match=r"poses \(task='pose'\).*data.yaml") as caught:
        client.convert_yolo_to_fastlabel("classes.txt", "set", "bbox")
    assert caught.value.code == 422
    (here / "set/data.yaml").write_text("names: [dog]\nkpt_shape: [2, 2]\n")
    for given, project_type in ((None, "bbox"), ("classes.txt", None), ("set/data.yaml", "image_bbox")):
        found = client.convert_yolo_to_fastlabel(given, "set", project_type)
        assert found == {"a.jpg": [{"type": "bbox", "value": "dog", "points": [10, 20, 40, 60]}]}
    for project_type in ("segmentation", "image_polygon", "obb"):
        with pytest.raises(FastLabelInvalidException, match=r"data.yaml says kpt_shape \[2, 2\]"):
            client.convert_yolo_to_fastlabel("set/data.yaml", "set", project_type)


def test_convert_pascalvoc_and_labelme(client, project, here):
    client.export_pascalvoc(project=project(), tasks=[TASK])
    found = client.convert_pascalvoc_to_fastlabel(folder_path="output/pascalvoc/annotations")
    assert [one["points"] for one in found["sub/a.jpg"]] == [DOG["points"], [50, 5, 70, 25]]
    client.export_labelme([TASK])
    found = client.convert_labelme_to_fastlabel(folder_path="output/labelme")
    assert [one["points"] for one in found["sub/a.jpg"]] == [DOG["points"], CAT["points"]]


def test_a_file_that_is_no_coco_file_is_the_clients_own_error(client, here):
    (here / "cut.json").write_text('{"images": [{"id": 1, "file_name":')
    with pytest.raises(FastLabelInvalidException, match=r"cut\.json:1: not valid JSON") as caught:
        client.convert_coco_to_fastlabel("cut.json")
    assert caught.value.code == 422


def test_problems_are_told(client, here, caplog):
    (here / "set").mkdir()
    for number in range(12):
        (here / f"set/{number:02}.xml").write_text("<annotation")
    assert client.convert_pascalvoc_to_fastlabel("set") == {}
    assert "Pascal VOC: 00.xml:1: not well-formed XML" in caplog.text
    assert "and 2 more problems" in caplog.text


def coco_file(path, *rows, names=("a.jpg",)):
    """Write a COCO file; each row has one image's number and what else its annotation has."""
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    found = [{"id": n, "image_id": 0, "category_id": 1} | row for n, row in enumerate(rows)]
    document = {"images": images, "categories": [{"id": 1, "name": "dog"}], "annotations": found}
    path.write_text(json.dumps(document))


def test_what_was_lost_and_what_is_worth_a_note_are_told_apart(client, here, caplog):
    caplog.set_level("INFO")
    good, bad, astray = {"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 0, 4]}, {"bbox": [1, 2, 3, 4], "image_id": 9}
    flagged = good | {"attributes": {"occluded": True, "track_id": 4}}
    coco_file(here / "a.json", good, bad, bad, astray, flagged, names=("a.jpg", "a.jpg"))
    client.convert_coco_to_fastlabel("a.json")
    told = [(one.levelname, one.getMessage()) for one in caplog.records if one.getMessage().startswith("COCO")]
    assert told == [
        ("WARNING", "COCO: 3 of 5 objects lost: 1 no_picture, 2 unusable_object"),
        ("WARNING", "COCO: a.json: 2 annotations, first annotations[1] (id 1): its bbox has no area"),
        ("WARNING", "COCO: a.json: annotations[3] (id 3): image_id 9 is not in the file"),
        ("INFO", "COCO: a.json: images[1]: 'a.jpg' is listed twice; its annotations are put together"),
        ("INFO", "COCO: left out the flags of the format: 1 occluded, 1 track_id"),
    ]


def test_nothing_found_is_told(client, here, caplog):
    (here / "empty").mkdir()
    (here / "classes.txt").write_text("dog\n")
    coco_file(here / "a.json", names=())
    found = [
        client.convert_coco_to_fastlabel("a.json"),
        client.convert_yolo_to_fastlabel("classes.txt", "empty"),
        client.convert_pascalvoc_to_fastlabel("empty"),
        client.convert_labelme_to_fastlabel("empty"),
    ]
    assert found == [{}] * 4
    for name, place in (("COCO", "a.json"), ("YOLO", "empty"), ("Pascal VOC", "empty"), ("labelme", "empty")):
        assert f"{name}: no annotations were found in {place}. Check" in caplog.text


# The seed's own loop: convert, then create


@pytest.fixture
def strict(fastlabel_emulator):
    """A client of an emulator that refuses what a class does not have; classes without attributes."""
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        client.create_project("image_all", "Dogs", "dogs")
        client.create_annotation("dogs", "bbox", "dog", "Dog")
        client.create_annotation("dogs", "segmentation", "herd", "Herd")
        yield client


def created(client, found, here):
    """Create a task of each image as the seed's README does; returns their annotations."""
    Image.new("RGB", (100, 80)).save(here / "picture.jpg")
    for name, shapes in found.items():
        client.create_image_task("dogs", name, str(here / "picture.jpg"), annotations=shapes)
    return [shape for task in client.get_image_tasks("dogs") for shape in task["annotations"]]


def test_the_seeds_loop_takes_pascal_vocs_flags(strict, here):
    (here / "set").mkdir()
    Image.new("RGB", (100, 80)).save("set/a.jpg")
    flags = "".join(f"<{key}>1</{key}>" for key in ("truncated", "difficult", "occluded"))
    box = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>40</xmax><ymax>50</ymax></bndbox>"
    (here / "set/a.xml").write_text(
        "<annotation><filename>a.jpg</filename><size><width>100</width><height>80</height><depth>3</depth></size>"
        f"<object><name>dog</name>{flags}{box}</object></annotation>"
    )
    (shape,) = created(strict, strict.convert_pascalvoc_to_fastlabel("set"), here)
    assert shape["points"] == [1, 2, 40, 50]


def test_the_seeds_loop_takes_crowds(strict, here):
    document = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "herd"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation": {"size": [4, 4], "counts": [0, 16]}}
        ],
    }
    (here / "a.json").write_text(json.dumps(document))
    (shape,) = created(strict, strict.convert_coco_to_fastlabel("a.json"), here)
    assert shape["points"] == [[[0, 0, 4, 0, 4, 4, 0, 4, 0, 0]]]


def test_the_seeds_loop_takes_cvats_coco(strict, here):
    own = {"occluded": True, "rotation": 330.0, "track_id": 0, "keyframe": True}
    rows = [{"bbox": [1, 2, 3, 4], "segmentation": [], "attributes": own}]
    rows += [{"bbox": [1, 2, 3, 4], "attributes": {"occluded": False, "rotation": 0.0}}]
    coco_file(here / "a.json", *rows)
    found = strict.convert_coco_to_fastlabel("a.json")
    assert [one["attributes"] for one in found["a.jpg"]] == [[], []]
    assert [shape["rotation"] for shape in created(strict, found, here)] == [-30, 0]


def test_masks_to_points(client, here):
    mask = np.zeros((8, 12), np.uint8)
    mask[2:6, 3:9] = 1
    assert client.mask_to_fastlabel_segmentation_points(mask) == [[[3, 2, 9, 2, 9, 6, 3, 6, 3, 2]]]
    with pytest.raises(FastLabelInvalidException):
        client.mask_to_fastlabel_segmentation_points(np.zeros(3))
