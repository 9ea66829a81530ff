"""Classes made from a data set: the import that follows finds all it asks for; a second run writes nothing."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelCreateClassesFromDatasetOperator,
    FastLabelCreateTasksFromFolderOperator,
)
from airflow_provider_fastlabel.pipelines.imports import ImportRefused
from tests.operators import matrix

FORMATS = matrix.FORMATS


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def create(airflow_run, client, folder):
    def go(form="coco", **more):
        given = {"project": "photos", "folder": str(folder), "annotations_format": form, **more}
        return airflow_run(lambda: FastLabelCreateClassesFromDatasetOperator(task_id="classes", **given)).attempt()

    return go


@pytest.fixture
def load(airflow_run, client, folder, tmp_path):
    def go(form="coco", **more):
        given = {"project": "photos", "folder": str(folder), "annotations_format": form, **more}
        given["manifest"] = str(tmp_path / "m.jsonl")
        return airflow_run(lambda: FastLabelCreateTasksFromFolderOperator(task_id="create", **given)).attempt()

    return go


def writes(emulator):
    return [(r["method"], r["path"].partition("/")[0]) for r in emulator.requests() if r["method"] != "GET"]


def coco(folder, *objects, keypoints=()) -> None:
    """Write one picture and a COCO file with objects of ``(class, further fields)``."""
    matrix.build("coco", "sound", folder)
    names = sorted({name for name, _ in objects})
    (folder / "annotations.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "images/a.png"}],
                "categories": [{"id": names.index(n), "name": n, "keypoints": list(keypoints)} for n in names],
                "annotations": [
                    {"id": number, "image_id": 1, "category_id": names.index(name), "bbox": [1, 2, 10, 20], **fields}
                    for number, (name, fields) in enumerate(objects)
                ],
            }
        )
    )


def triangle(at: int) -> list[int]:
    return [at, 2, at + 8, 2, at + 4, 9]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("situation", ["sound", "unknown attributes", "flags"])
def test_the_import_that_follows_loses_nothing(create, load, emulator, client, folder, form, situation):
    kind, values = ("segmentation", ["cat", "dog"]) if form == "masks" else ("bbox", ["cat"])
    client.create_project(f"image_{kind}", "Mine", "mine")
    mine = {"project": "mine", "pattern": "images/**"}
    matrix.build(form, situation, folder)
    made = create(form, **mine)
    assert made.state == "success", made.error
    assert made.result["classes_created"] == values
    assert made.result["annotations"] == {"read": matrix.OBJECTS, "lost": {}}
    emulator.clear_requests()
    again = create(form, **mine)
    assert again.state == "success", again.error
    assert writes(emulator) == []
    assert (again.result["classes"], again.result["counts"]) == (
        len(values),
        {"classes_created": 0, "classes_updated": 0},
    )
    done = load(form, **mine)
    assert done.state == "success", done.error
    assert done.result["annotations"]["sent"] == matrix.OBJECTS
    made_classes = [(c["type"], c["value"], c["title"]) for c in client.get_annotations("mine")]
    assert made_classes == [(kind, value, value) for value in values]


def test_attributes_are_switches_or_texts_and_flags_are_none(create, load, emulator, client, folder):
    own = {"brand": 7, "small": True, "occluded": True}
    coco(folder, ("cat", {"attributes": own}), ("dog", {"iscrowd": 1}))
    made = create()
    assert made.state == "success", made.error
    cat, dog = client.get_annotations("photos")
    assert {a["key"]: a["type"] for a in cat["attributes"]} == {"brand": "text", "small": "switch"}
    assert dog["attributes"] == []
    assert made.result["attributes_left_out"] == {"occluded": 1, "iscrowd": 1}
    assert load().state == "success"
    values = [
        {a["key"]: a["value"] for a in one["attributes"]}
        for one in client.find_image_task_by_name("photos", "images/a.png")["annotations"]
    ]
    assert values == [{"brand": "7", "small": True}, {}]


def test_a_class_that_exists_gets_its_attributes_and_keeps_the_rest(create, emulator, client, folder):
    note = {"type": "textarea", "name": "Note", "key": "note"}
    client.create_annotation("photos", "bbox", "cat", "Pussycat", attributes=[note])
    client.create_annotation("photos", "bbox", "bird", "Bird")
    before = client.get_annotations("photos")
    coco(folder, ("cat", {"attributes": {"brand": "acme"}}))
    made = create()
    assert (made.result["classes_created"], made.result["classes_updated"]) == ([], ["cat"])
    cat, bird = client.get_annotations("photos")
    assert (cat["title"], cat["attributes"][0]) == ("Pussycat", before[0]["attributes"][0])
    assert [a["key"] for a in cat["attributes"]] == ["note", "brand"]
    assert bird == before[1]
    emulator.clear_requests()
    assert create().state == "success"
    assert writes(emulator) == []


def test_each_class_gets_the_type_of_its_annotations(create, load, client, folder):
    client.create_project("image_all", "All", "all")
    coco(folder, ("car", {}), ("cat", {"segmentation": [triangle(3)]}))
    made = create(project="all")
    assert made.state == "success", made.error
    assert {c["value"]: c["type"] for c in client.get_annotations("all")} == {"car": "bbox", "cat": "polygon"}
    assert load(project="all").result["annotations"]["sent"] == 2


def test_goes_on_where_a_failed_run_stopped(create, emulator, client, folder):
    coco(folder, ("a", {}), ("b", {}))
    emulator.fault("status", method="POST", path="annotations", times=1, status=500)
    assert create().state != "success"
    assert create().state == "success"
    assert [c["value"] for c in client.get_annotations("photos")] == ["a", "b"]


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([("traffic light", {}), ("ok", {})], ["'traffic light'", "'traffic_light'", "rename it"]),
        ([("bird", {})], ["class 'bird' is of type polygon in the project"]),
        ([("cat", {"attributes": {"fur": "green"}})], ["attribute 'fur' of class 'cat' has no option 'green'"]),
    ],
)
def test_what_no_call_can_create_is_refused_before_the_first_write(create, emulator, client, folder, objects, words):
    options = [{"value": "red", "title": "Red"}]
    client.create_annotation("photos", "polygon", "bird", "Bird")
    client.create_annotation(
        "photos", "bbox", "cat", "Cat", attributes=[{"type": "radio", "name": "Fur", "key": "fur", "options": options}]
    )
    coco(folder, *objects, ("new", {}))
    emulator.clear_requests()
    done = create()
    assert isinstance(done.reason, ImportRefused)
    assert [word for word in words if word not in str(done.error)] == []
    assert writes(emulator) == []


def test_a_class_of_two_types_is_refused(create, client, folder):
    client.create_project("image_all", "All", "all")
    coco(folder, ("cat", {}), ("cat", {"segmentation": [triangle(3)]}))
    assert "class 'cat' has annotations 1 of type 'bbox' and 1 of type 'polygon'" in str(create(project="all").error)
    done = create(project="all", annotations_arguments={"annotation_type": "polygon"})
    assert done.state == "success", done.error
    assert [c["type"] for c in client.get_annotations("all")] == ["polygon"]


def test_a_type_that_the_project_does_not_have_is_refused(create, client, folder):
    client.create_project("image_polygon", "Outlines", "outlines")
    matrix.build("pascalvoc", "sound", folder)
    done = create("pascalvoc", project="outlines")
    words = "class 'cat': its annotations are 'bbox', and a project of type 'image_polygon' has 'polygon'"
    assert words in str(done.error)
    assert client.get_annotations("outlines") == []


def test_pose_classes_are_left_to_a_person(create, load, emulator, client, folder):
    client.create_project("image_pose_estimation", "Poses", "poses")
    keys = ("nose", "left", "right")
    poses = [{"keypoints": [1, 2, 2, 0, 0, 0, 5, 6, 1]}, {"keypoints": [1, 2, 2, 3, 4, 2, 0, 0, 0]}]
    coco(folder, *(("person", pose) for pose in poses), keypoints=keys)
    done = create(project="poses")
    assert isinstance(done.reason, ImportRefused)
    assert "pose class 'person' is missing; make it on FastLabel's screens with the keypoints nose, " in str(done.error)
    assert client.get_annotations("poses") == []
    ident = client.create_annotation("poses", "pose_estimation", "person", "Person")

    def set_keypoints(*keys):
        points = [{"key": key, "name": key} for key in keys]
        emulator.control("PUT", "keypoints", {"annotation_id": ident, "keypoints": points})

    set_keypoints("nose", "left")
    assert "pose class 'person' lacks the keypoints right; add them" in str(create(project="poses").error)
    set_keypoints(*keys)
    assert create(project="poses").state == "success"
    assert load(project="poses").result["annotations"]["sent"] == 2


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("situation", ["none there", "all unreadable", "half unreadable"])
def test_what_cannot_be_read_is_refused(create, emulator, folder, form, situation):
    matrix.build(form, situation, folder)
    done = create(form)
    assert isinstance(done.reason, ImportRefused), done.error
    assert "Nothing was created" in str(done.error)
    assert [r for r in writes(emulator) if r[1] == "annotations"] == []


def test_losses_are_allowed_by_pictures_and_said(create, client, folder):
    matrix.build("coco", "picture missing", folder)
    done = create(max_failures=1)
    assert done.state == "success", done.error
    assert done.result["annotations"]["lost"] == {"no_picture": 2}


@pytest.mark.parametrize(
    ("wrong", "words"), [({"annotations_format": "csv"}, "annotations_format"), ({"max_failures": -1}, "max_failures")]
)
def test_wrong_arguments_are_refused_when_the_dag_is_parsed(wrong, words):
    given = {"project": "p", "folder": "f", "annotations_format": "coco", **wrong}
    with pytest.raises(ValueError, match=words):
        FastLabelCreateClassesFromDatasetOperator(task_id="t", **given)


@pytest.mark.parametrize(
    ("given", "word"), [({"project": "nowhere"}, "'nowhere'"), ({"folder": "{{ none }}"}, "folder is empty")]
)
def test_what_is_not_there_is_named(create, client, folder, given, word):
    matrix.build("coco", "sound", folder)
    done = create(**given)
    assert done.state == "failed"
    assert word in str(done.error)
