"""Data sets as Roboflow, CVAT, Darknet, Label Studio, labelImg and Ultralytics write them are read as they come."""

from __future__ import annotations

import json

import pytest

BOX = "1 0.5 0.5 0.2 0.1\n"
AS_BOX = {"value": "cat", "points": [40, 90, 60, 110], "type": "bbox"}
OUTLINES = "1 0.1 0.1 0.5 0.1 0.3 0.4\n0 0.1 0.1 0.5 0.1 0.5 0.4 0.1 0.4\n"
ROBOFLOW = """train: ../train/images
val: ../valid/images
test: ../test/images

nc: 2
names: ['dog', 'cat']

roboflow:
  workspace: animals
  project: pets
  version: 3
  license: CC BY 4.0
  url: https://universe.roboflow.com/animals/pets/dataset/3
"""
README = "\npets - v3 2024-01-01\n====\n\nThis dataset was exported.\n\n* 640 x 640\n1. first\n"


@pytest.fixture
def tree(data):
    """Write a tree: pictures by their endings, texts by what they hold."""

    def tree(files):
        for name, text in files.items():
            if text is None:
                data.image(name)
            else:
                data.label(name, text)
        return data

    return tree


def check(result, *images):
    """Every picture has the one box, and nothing is lost."""
    assert result.by_image == {image: [AS_BOX] for image in images}
    assert result.problems == []
    assert result.objects == dict.fromkeys(images, 1)
    assert result.read == len(images)


def test_roboflow(tree):
    splits = ("train", "valid", "test")
    files: dict = {"README.dataset.txt": README, "README.roboflow.txt": README, "data.yaml": ROBOFLOW}
    for split in splits:
        files |= {f"{split}/images/a_jpg.rf.0f{split}.jpg": None, f"{split}/labels/a_jpg.rf.0f{split}.txt": BOX}
    result = tree(files).read_alone()
    check(result, *(f"{split}/images/a_jpg.rf.0f{split}.jpg" for split in sorted(splits)))
    assert [note.file for note in result.notes] == ["README.dataset.txt", "README.roboflow.txt"]


def test_roboflow_for_darknet(tree):
    files: dict = {"README.roboflow.txt": README}
    for split in ("train", "valid"):
        files |= {f"{split}/a.jpg": None, f"{split}/a.txt": BOX, f"{split}/_darknet.labels": "dog\ncat\n"}
    check(tree(files).read_alone(), "train/a.jpg", "valid/a.jpg")


def test_roboflow_outlines(tree):
    data = tree({"data.yaml": ROBOFLOW, "train/images/a.jpg": None, "train/labels/a.txt": OUTLINES})
    (cat, dog) = data.read_alone(annotation_type="polygon").by_image["train/images/a.jpg"]
    assert (cat["value"], cat["points"]) == ("cat", [10, 20, 50, 20, 30, 80])
    assert (dog["value"], dog["points"]) == ("dog", [10, 20, 50, 20, 50, 80, 10, 80])


CVAT_1_1: dict = {
    "obj.names": "dog\ncat\n",
    "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    "train.txt": "data/obj_train_data/a.jpg\ndata/obj_train_data/sub/1 (2).jpg\n",
    "obj_train_data/a.txt": BOX,
    "obj_train_data/sub/1 (2).txt": BOX,
}


def test_cvat_yolo_1_1(tree):
    images = ("obj_train_data/a.jpg", "obj_train_data/sub/1 (2).jpg")
    result = tree(CVAT_1_1 | dict.fromkeys(images)).read_alone()
    check(result, *images)
    assert [note.file for note in result.notes] == ["train.txt"]


@pytest.mark.parametrize("folder", ["", "photos/"])
def test_cvat_yolo_1_1_without_its_pictures_finds_ours(tree, folder):
    images = (f"{folder}a.jpg", f"{folder}sub/1 (2).jpg")
    check(tree(CVAT_1_1 | dict.fromkeys(images)).read_alone(), *images)


CVAT_ULTRALYTICS: dict = {
    "data.yaml": "names:\n  0: dog\n  1: cat\npath: .\ntrain: train.txt\n",
    "train.txt": "data/images/train/a.jpg\n",
    "images/train/a.jpg": None,
}


def test_cvat_ultralytics_detection(tree):
    check(tree(CVAT_ULTRALYTICS | {"labels/train/a.txt": BOX}).read_alone(), "images/train/a.jpg")


def test_cvat_ultralytics_segmentation(tree):
    result = tree(CVAT_ULTRALYTICS | {"labels/train/a.txt": OUTLINES}).read_alone()
    assert [found["type"] for found in result.by_image["images/train/a.jpg"]] == ["segmentation"] * 2
    assert result.read == 2


def test_cvat_ultralytics_oriented_boxes(tree):
    row = "1 0.4 0.45 0.6 0.45 0.6 0.55 0.4 0.55\n"
    result = tree(CVAT_ULTRALYTICS | {"labels/train/a.txt": row}).read_alone(task="obb")
    assert result.by_image == {"images/train/a.jpg": [AS_BOX]}


def test_cvat_ultralytics_pose(tree):
    yaml = "kpt_shape:\n- 2\n- 3\nnames:\n  0: dog\n  1: cat\npath: .\ntrain: train.txt\n"
    row = "1 0.5 0.5 0.2 0.1 0.45 0.5 2 0.0 0.0 0\n"
    data = tree(CVAT_ULTRALYTICS | {"data.yaml": yaml, "labels/train/a.txt": row})
    ((pose,),) = data.read_alone(keypoints={"cat": ["nose", "tail"]}).by_image.values()
    assert pose["keypoints"] == [{"key": "nose", "value": [45, 100, 1]}]
    check(data.read_alone(annotation_type="bbox"), "images/train/a.jpg")


def test_darknet(tree):
    files = {
        "cfg/obj.data": "classes= 2\ntrain  = data/train.txt\nvalid  = data/test.txt\nnames = data/obj.names\n",
        "cfg/yolov4-obj.cfg": "[net]\nbatch=64\n",
        "data/obj.names": "dog\ncat\n",
        "data/train.txt": "data/obj/1.jpg\n",
        "data/test.txt": "",
        "data/obj/1.jpg": None,
        "data/obj/1.txt": BOX,
    }
    result = tree(files).read_alone()
    check(result, "data/obj/1.jpg")
    assert [note.file for note in result.notes] == ["data/test.txt", "data/train.txt"]


def test_label_studio(tree):
    notes = {"categories": [{"id": 0, "name": "dog"}, {"id": 1, "name": "cat"}], "info": {"year": 2024}}
    files = {
        "classes.txt": "dog\ncat\n",
        "notes.json": json.dumps(notes),
        "images/3f0a1b2c-a.jpg": None,
        "labels/3f0a1b2c-a.txt": BOX,
    }
    result = tree(files).read_alone()
    check(result, "images/3f0a1b2c-a.jpg")
    assert result.notes == []


def test_labelimg(tree):
    files = {"a.jpg": None, "sub/b.png": None, "a.txt": BOX, "classes.txt": "dog\ncat\n"}
    check(tree(files | {"sub/b.txt": BOX, "sub/classes.txt": "dog\ncat\nbird\n"}).read_alone(), "a.jpg", "sub/b.png")


def test_ultralytics(tree):
    files = {
        "coco128.yaml": "path: ../datasets/coco128\ntrain: images/train2017\nval: images/train2017\ntest:\n\n"
        "# Classes\nnames:\n  0: dog\n  1: cat\n\n# Download\ndownload: https://example.com/coco128.zip\n",
        "LICENSE": "GNU\n",
        "README.txt": "COCO128 is a small set of 128 images.\n",
        "images/train2017/000000000009.jpg": None,
        "images/train2017/000000000025.jpg": None,  # no label: nothing to see
        "labels/train2017/000000000009.txt": BOX,
        "labels/train2017.cache": b"\x80\x04\x95\x00",
        "train2017.txt": "./images/train2017/000000000009.jpg\n./images/train2017/000000000025.jpg\n",
    }
    result = tree(files).read_alone()
    check(result, "images/train2017/000000000009.jpg")
    assert [note.file for note in result.notes] == ["README.txt", "train2017.txt"]


@pytest.mark.parametrize("linked", ["images", "labels", "train", "file"])
@pytest.mark.parametrize("inside", [True, False])
def test_linked_folders_and_files(tree, tmp_path, linked, inside):
    data = tree({"data.yaml": ROBOFLOW, "train/images/a.jpg": None, "train/labels/a.txt": BOX})
    places = {"train": "train", "file": "train/labels/a.txt"}
    place = data.folder / places.get(linked, f"train/{linked}")
    elsewhere = (data.folder if inside else tmp_path) / ".elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    check(data.read_alone(follow_links=not inside), "train/images/a.jpg")


def test_our_own_layouts(tree):
    check(tree({"a.jpg": None, "annotations/a.txt": BOX, "classes.txt": "dog\ncat\n"}).read_alone(), "a.jpg")


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.JPG", "A.txt"),
        ("Images/a.jpg", "Labels/a.TXT"),
        ("img/a.jpg", "txt/a.txt"),
        ("images/a.jpg", "labels/train/a.txt"),
        ("cam/images/day/a.jpg", "labels/day/a.txt"),
        ("JPEGImages/が.jpg", "labels/が.txt"),
    ],
)
def test_the_only_picture_of_the_stem_is_taken(tree, image, label):
    check(tree({image: None, label: BOX, "data.yaml": ROBOFLOW}).read_alone(), image)


@pytest.mark.parametrize(
    ("images", "label"),
    [
        (["images/cam2/000001.jpg"], "labels/cam1/000001.txt"),
        (["x/a.jpg", "y/a.jpg"], "a.txt"),
        (["a.jpg", "a.png"], "labels/a.txt"),
        (["images/b.jpg"], "labels/a.txt"),
    ],
)
def test_a_picture_that_may_be_another_is_not_taken(tree, images, label):
    data = tree({label: BOX + BOX, "data.yaml": ROBOFLOW, **dict.fromkeys(images)})
    result = data.read_alone()
    assert result.by_image == {}
    (problem,) = result.problems
    assert (problem.file, problem.image, problem.reason, problem.lost) == (label, label[:-4], "no_picture", 2)
    assert result.read == 2


def test_a_picture_that_has_a_label_file_is_not_given_another(tree):
    data = tree({"images/a.jpg": None, "labels/a.txt": BOX, "labels/old/a.txt": BOX, "data.yaml": ROBOFLOW})
    result = data.read_alone()
    assert result.by_image == {"images/a.jpg": [AS_BOX]}
    assert [(problem.file, problem.lost) for problem in result.problems] == [("labels/old/a.txt", 1)]
