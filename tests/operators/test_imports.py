from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import fsspec
import pytest
from airflow.sdk.io import attach
from PIL import Image

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused

if TYPE_CHECKING:
    from airflow.sdk import Context


def png(width: int = 40, height: int = 30) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    for name in ("a.png", "day 1/b.png", "day 1/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png())
    return folder


@pytest.fixture
def classes(client):
    client.create_annotation("photos", "bbox", "cat", "Cat")
    client.create_annotation("photos", "bbox", "dog", "Dog")


@pytest.fixture
def run(airflow_run, folder, tmp_path):
    """Run the operator as a worker does and return its outcome."""

    def go(**arguments):
        arguments = {"project": "photos", "folder": str(folder), "manifest": str(tmp_path / "m.jsonl"), **arguments}
        return airflow_run(lambda: FastLabelCreateTasksFromFolderOperator(task_id="create", **arguments)).attempt()

    return go


def boxes(client, name, project="photos") -> list[tuple[str, list[float]]]:
    task = client.find_image_task_by_name(project, name)
    return [(annotation["value"], annotation["points"]) for annotation in task["annotations"]]


def test_the_second_run_creates_nothing(client, run, tmp_path):
    first = run(tags=["night"], priority=20)
    assert first.state == "success"
    assert first.result == {
        "total": 3,
        "created": 3,
        "exists": 0,
        "updated": 0,
        "failed": 0,
        "with_annotations": 0,
        "without_annotations": 3,
        "annotations": {"read": 0, "sent": 0, "existing": 0, "lost": {}},
        "links_left_out": 0,
        "differs": 0,
        "not_compared": 0,
        "manifest": str(tmp_path / "m.jsonl"),
    }
    tasks = {task["name"]: task for task in client.get_image_tasks("photos")}
    assert sorted(tasks) == ["a.png", "day 1/b.png", "day 1/c.png"]
    assert {(task["priority"], *task["tags"]) for task in tasks.values()} == {(20, "night")}
    second = run()
    assert (second.result["created"], second.result["exists"]) == (0, 3)


def test_ids_and_paths_are_templates(client, run, folder):
    outcome = run(project="{{ 'pho' ~ 'tos' }}", folder=str(folder.parent) + "/{{ 'photos' }}", tags="{{ run_id }}")
    assert outcome.state == "success", outcome.error
    assert {tuple(task["tags"]) for task in client.get_image_tasks("photos")} == {("run",)}


def test_without_a_manifest_path_it_lies_under_airflows_home(client, run, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    outcome = run(manifest=None)
    assert outcome.result["manifest"] == str(tmp_path / "home/fastlabel/imports/dag/run/create.jsonl")
    assert len(Path(outcome.result["manifest"]).read_text().splitlines()) == 4


@pytest.mark.parametrize("run_id", ["..", ".", "é" * 100])
def test_the_name_of_a_run_cannot_lead_its_manifest_elsewhere(
    client, airflow_run, folder, monkeypatch, tmp_path, run_id
):
    """Airflow lets whoever starts a run call it by dots."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    going = airflow_run(
        lambda: FastLabelCreateTasksFromFolderOperator(task_id="create", project="photos", folder=str(folder))
    )
    going.run_id = run_id
    done = going.attempt()
    assert done.state == "failed"
    assert "Nothing was created. Give `manifest`" in str(done.error)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [("sub//a.txt", "names no file below its folder"), ("x" * 252 + ".txt", "its name is too long")],
)
def test_labels_whose_key_is_no_path_are_refused(client, classes, run, bucket, name, why):
    filesystem = fsspec.filesystem("memory")
    root = bucket.removeprefix("memory:/")
    filesystem.pipe_file(f"{root}/photos/classes.txt", b"dog\ncat\n")
    filesystem.pipe_file(key := f"{root}/photos/{name}", b"1 0.5 0.5 0.5 0.5\n")
    if key not in filesystem.find(root):  # and then it cannot be deleted with its folder either
        filesystem.store.pop(key)
        pytest.skip("the memory store of this fsspec lists no key with an empty folder in it")
    error = str(run(annotations_format="yolo", folder=f"{bucket}/photos").error)
    assert why in error
    assert "Nothing was created" in error
    assert list(client.iter_image_tasks("photos")) == []


@pytest.mark.parametrize("stated", ["../private.png", "{private}", "./../private.png", "..\\private.png"])
@pytest.mark.parametrize("form", ["coco", "pascalvoc", "labelme"])
def test_annotations_cannot_name_a_picture_outside_of_the_folder(client, classes, run, folder, form, stated):
    private = folder.parent / "private.png"
    private.write_bytes(png())
    stated = stated.format(private=private)
    if form == "coco":
        coco(folder, names=[stated])
    elif form == "pascalvoc":
        (folder / "x.xml").write_text(VOC.replace("a.png", stated))
    else:
        shape = {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [11, 22]]}
        (folder / "x.json").write_text(json.dumps({"imagePath": stated, "shapes": [shape]}))
    outcome = run(annotations_format=form)
    assert isinstance(outcome.reason, ImportRefused)
    assert "Nothing was created" in str(outcome.error)
    assert list(client.iter_image_tasks("photos")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"folder": "/no/such/folder"}, ["/no/such/folder", "does not exist"]),
        ({"pattern": "**/*.gif"}, ["'**/*.gif'", "3 files are there, but do not match"]),
        ({"project": "nowhere"}, ["'nowhere'", "does not exist"]),
        ({"kind": "video"}, ["takes image tasks, not video"]),
        ({"folder": "{{ '' }}"}, ["folder is empty"]),
        ({"folder": "{{ none }}"}, ["folder is empty"]),
        ({"status": "{{ none }}"}, ["status", "'None'", "registered"]),
        ({"status": ["registered"]}, ["status", "registered"]),
        ({"tags": "['a', 'b']"}, ["tags", "natively"]),
        ({"tags": {"a": 1}}, ["tags"]),
        ({"tags": ["a", None]}, ["tags", "None"]),
        ({"tags": ["{{ none }}"]}, ["tags", "'None'", "rendered to nothing"]),
        (
            {"annotations_format": "coco", "annotations_path": "/no/such/labels"},
            ["annotations_path", "/no/such/labels"],
        ),
        ({"annotations_format": "coco", "annotations_arguments": {"corner": 1}}, ["'corner'", "Nothing was created"]),
        ({"folder": "nosuch://bucket/x"}, ["nosuch", "Install the Airflow provider"]),
        ({"annotations_format": "coco"}, ["annotations.json"]),
        ({"annotations_format": "yolo"}, ["classes.txt"]),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_created(client, run, folder, arguments, words):
    if "annotations_arguments" in arguments:
        (folder / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}')
    outcome = run(**arguments)
    assert outcome.state == "failed"
    assert str(outcome.error).count("Nothing was created") <= 1
    assert all(word in str(outcome.error) for word in words), outcome.error
    assert client.count_tasks("photos") == 0


def test_a_wrong_token_is_named(client, run, connect, emulator):
    connect(password="not-the-token", host=emulator.url)
    outcome = run()
    assert "401" in str(outcome.error)
    assert "not-the-token" not in str(outcome.error)


@pytest.mark.parametrize(
    "arguments",
    [
        {"on_exists": "replace"},
        {"annotations_format": "csv"},
        {"annotations_path": "labels"},
        {"max_workers": 0},
        {"max_failures": -1},
        {"priority": 15},
        {"priority": "15"},
    ],
)
def test_impossible_arguments_fail_when_the_dag_is_parsed(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments)).split("_")[0]):
        FastLabelCreateTasksFromFolderOperator(task_id="create", project="p", folder="f", **arguments)


def test_a_file_of_a_wrong_kind_stops_the_import_before_it_starts(client, run, folder):
    (folder / "notes.docx").write_bytes(b"x")
    outcome = run()
    assert isinstance(outcome.reason, ImportRefused)
    assert "notes.docx" in str(outcome.error)
    assert client.count_tasks("photos") == 0


@pytest.mark.parametrize("place", ["m.jsonl", "./day 1/m.jsonl"])
def test_a_manifest_inside_the_folder_is_not_taken_for_a_file_to_import(client, run, folder, place):
    assert run(manifest=f"{folder}/{place}").result["created"] == 3
    assert run(manifest=f"{folder}/{place}").result["exists"] == 3
    (folder / "other.jsonl").write_text("x")
    assert "'other.jsonl'" in str(run(manifest=f"{folder}/{place}").error)


def test_a_manifest_inside_the_bucket_folder_is_not_taken_for_a_file_to_import(client, run, bucket):
    arguments = {"folder": f"{bucket}/photos/", "manifest": f"{bucket}/photos/day 1/m.jsonl"}
    assert run(**arguments).result["created"] == 3
    assert run(**arguments).result["exists"] == 3


def test_a_failed_file_fails_the_task_and_the_retry_creates_only_it(client, run, folder):
    (folder / "broken.png").write_bytes(png()[:24] + png()[-12:])
    outcome = run()
    assert isinstance(outcome.reason, ImportIncomplete)
    assert client.count_tasks("photos") == 3
    (folder / "broken.png").write_bytes(png())
    assert run().result["created"] == 1


def test_on_kill_ends_the_run(client, folder, tmp_path):
    operator = FastLabelCreateTasksFromFolderOperator(task_id="create", project="photos", folder=str(folder))
    operator.on_kill()  # before anything runs: nothing to stop

    class Pressed(dict):
        def __missing__(self, key):
            operator.on_kill()
            return type("TI", (), {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1})()

    with pytest.raises(ImportIncomplete, match="stopped on request"):
        operator.execute(cast("Context", Pressed()))
    assert client.count_tasks("photos") == 0


def coco(folder: Path, **images) -> None:
    (folder / "annotations.json").write_text(
        json.dumps(
            {
                "images": [{"id": number, "file_name": name} for number, name in enumerate(images["names"])],
                "categories": [{"id": 1, "name": "cat"}],
                "annotations": [
                    {"id": 1, "image_id": 0, "category_id": 1, "bbox": images.get("bbox", [1, 2, 10, 20]), "iscrowd": 1}
                ],
            }
        )
    )


def test_coco_annotations_beside_the_images(client, classes, run, folder):
    coco(folder, names=["a.png", "day 1/b.png"])
    assert run(annotations_format="coco").state == "success"
    assert boxes(client, "a.png") == [("cat", [1, 2, 11, 22])]
    assert boxes(client, "day 1/b.png") == []


def test_the_project_is_looked_up_once(client, classes, run, folder, emulator):
    coco(folder, names=["a.png"])
    emulator.clear_requests()
    assert run(annotations_format="coco").state == "success"
    assert [r["path"] for r in emulator.requests() if r["path"].startswith("projects")] == ["projects"]


def test_a_coco_file_elsewhere(client, classes, run, folder, tmp_path):
    coco(tmp_path, names=["a.png"])
    (tmp_path / "annotations.json").rename(tmp_path / "instances.json")
    assert run(annotations_format="coco", annotations_path=str(tmp_path / "instances.json")).state == "success"
    assert boxes(client, "a.png") == [("cat", [1, 2, 11, 22])]


def test_a_missing_picture_without_objects_is_a_note(client, classes, run, folder, caplog):
    coco(folder, names=["a.png", "elsewhere.png"])
    assert run(annotations_format="coco").state == "success"
    assert "'elsewhere.png'" in caplog.text
    coco(folder, names=["x/y.png", "elsewhere.png"])
    outcome = run(annotations_format="coco")
    assert "None of the 1 images" in str(outcome.error)


def test_a_class_the_project_does_not_have_is_named(client, run, folder):
    client.create_annotation("photos", "bbox", "cow", "Cow")
    coco(folder, names=["a.png"])
    outcome = run(annotations_format="coco")
    assert isinstance(outcome.reason, ImportRefused)
    assert "'cat' does not exist in the project; it has cow" in str(outcome.error)
    assert client.count_tasks("photos") == 0


def test_a_shape_outside_the_image_is_named(client, classes, run, folder):
    coco(folder, names=["a.png"], bbox=[30, 2, 300, 5])
    assert "outside the image of 40 x 30" in str(run(annotations_format="coco").error)


def test_yolo_labels_beside_the_images(client, classes, run, folder):
    (folder / "classes.txt").write_text("dog\ncat\n")
    (folder / "day 1" / "b.txt").write_text("1 0.5 0.5 0.5 0.5\n0 0.25 0.5 0.1 0.2\n")
    assert run(annotations_format="yolo").state == "success"
    assert boxes(client, "day 1/b.png") == [("cat", [10, 7.5, 30, 22.5]), ("dog", [8, 12, 12, 18])]
    assert boxes(client, "a.png") == []


def test_yolo_labels_in_another_folder(client, classes, run, folder, tmp_path):
    labels = tmp_path / "labels"
    (labels / "day 1").mkdir(parents=True)
    (labels / "data.yaml").write_text("names: [dog, cat]\n")
    (labels / "day 1" / "b.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    assert run(annotations_format="yolo", annotations_path=str(labels)).state == "success"
    assert boxes(client, "day 1/b.png") == [("cat", [10, 7.5, 30, 22.5])]


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_yolo_labels_of_a_picture_on_its_side(client, classes, run, tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    folder = tmp_path / "turned"
    folder.mkdir()
    Image.new("RGB", (40, 30)).save(folder / name, exif=exif)
    (folder / "classes.txt").write_text("dog\ncat\n")
    (folder / "a.txt").write_text("1 0.5 0.9 0.5 0.2\n")
    assert run(folder=str(folder), annotations_format="yolo").state == "success"
    assert boxes(client, name) == [("cat", [7.5, 32, 22.5, 40])]


def test_a_broken_label_line_is_named_with_its_place(client, classes, run, folder):
    (folder / "classes.txt").write_text("dog\ncat\n")
    (folder / "a.txt").write_text("0 0.5 0.5 0.1 0.1\nnonsense\n")
    outcome = run(annotations_format="yolo")
    assert "a.txt:2" in str(outcome.error)
    (folder / "day 1" / "b.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    assert run(annotations_format="yolo", max_failures=1).result["created"] == 2


VOC = """<annotation><filename>a.png</filename><size><width>40</width><height>30</height></size>
<object><name>cat</name><truncated>1</truncated>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>11</xmax><ymax>22</ymax></bndbox></object></annotation>"""


@pytest.mark.parametrize(("corners", "points"), [(None, [1, 2, 11, 22]), ("zero_based", [2, 3, 11, 22])])
def test_pascal_voc_beside_the_images(client, classes, run, folder, corners, points):
    (folder / "a.xml").write_text(VOC)
    arguments = {"annotations_arguments": {"corners": corners}} if corners else {}
    assert run(annotations_format="pascalvoc", **arguments).state == "success"
    assert boxes(client, "a.png") == [("cat", points)]


def test_flags_of_the_format_arrive_where_the_class_asks_for_them(client, run, folder):
    attributes = [{"type": "switch", "name": "Truncated", "key": "truncated"}]
    client.create_annotation("photos", "bbox", "cat", "Cat", attributes=attributes)
    (folder / "a.xml").write_text(VOC)
    assert run(annotations_format="pascalvoc").state == "success"
    (annotation,) = client.find_image_task_by_name("photos", "a.png")["annotations"]
    assert [(a["key"], a["value"]) for a in annotation["attributes"]] == [("truncated", True)]


def test_labelme_beside_the_images(client, classes, run, folder):
    shape = {"label": "dog", "shape_type": "rectangle", "points": [[1, 2], [11, 22]]}
    document = {"version": "5.0.0", "imagePath": "b.png", "shapes": [shape], "imageHeight": 30, "imageWidth": 40}
    (folder / "day 1" / "b.json").write_text(json.dumps(document))
    assert run(annotations_format="labelme").state == "success"
    assert boxes(client, "day 1/b.png") == [("dog", [1, 2, 11, 22])]


def test_names_match_whatever_way_their_accents_are_written(client, classes, run, folder):
    (folder / "cafe\u0301.png").write_bytes(png())
    coco(folder, names=["caf\u00e9.png"])
    assert run(annotations_format="coco").state == "success"
    assert boxes(client, "cafe\u0301.png") == [("cat", [1, 2, 11, 22])]


def test_sequences_get_their_frames_annotations(client, run, folder, tmp_path):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.create_annotation("clips", "bbox", "cat", "Cat")
    (folder / "a.png").unlink()
    coco(tmp_path, names=["day 1/c.png"])
    outcome = run(project="clips", annotations_format="coco", annotations_path=str(tmp_path / "annotations.json"))
    assert outcome.state == "success", outcome.error
    task = client.find_sequential_image_task_by_name("clips", "day 1")
    assert [content["name"] for content in task["contents"]] == ["b.png", "c.png"]
    assert [(a["content"], a["points"]) for a in task["annotations"]] == [("c.png", [1, 2, 11, 22])]


def test_annotations_are_for_pictures(client, run, folder):
    client.create_project("video_bbox", "Clips", "clips")
    for path in folder.rglob("*.png"):
        path.rename(path.with_suffix(".mp4"))
    outcome = run(project="clips", annotations_format="coco")
    assert "takes video tasks" in str(outcome.error)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("folder", "://bucket/x"),
        ("manifest", ""),
        ("manifest", "None"),
        ("annotations_path", ""),
        ("source_conn_id", ""),
    ],
)
def test_a_place_rendered_to_nothing_creates_nothing(client, classes, run, folder, argument, value):
    coco(folder, names=["a.png"])
    outcome = run(annotations_format="coco", **{argument: value})
    assert outcome.state == "failed"
    assert "rendered to nothing" in str(outcome.error)
    assert client.count_tasks("photos") == 0


@pytest.fixture
def bucket(tmp_path, folder):
    """An object store that Airflow knows, holding the folder."""
    filesystem = fsspec.filesystem("memory")
    attach("memory", fs=filesystem)
    root = f"/{tmp_path.name}"
    for path in folder.rglob("*.png"):
        filesystem.pipe_file(f"{root}/photos/{path.relative_to(folder)}", path.read_bytes())
    yield f"memory:/{root}"
    filesystem.rm(root, recursive=True)


def test_an_object_store_as_source_with_yolo_labels(client, classes, run, bucket):
    filesystem = fsspec.filesystem("memory")
    root = bucket.removeprefix("memory:/")
    filesystem.pipe_file(f"{root}/photos/classes.txt", b"dog\ncat\n")
    filesystem.pipe_file(f"{root}/photos/day 1/b.txt", b"1 0.5 0.5 0.5 0.5\n")
    arguments = {"folder": f"{bucket}/photos", "manifest": f"{bucket}/state/m.jsonl"}
    outcome = run(annotations_format="yolo", **arguments)
    assert outcome.state == "success", outcome.error
    assert boxes(client, "day 1/b.png") == [("cat", [10, 7.5, 30, 22.5])]
    assert len(filesystem.cat_file(f"{root}/state/m.jsonl").splitlines()) == 4
    assert run(annotations_format="yolo", **arguments).result["exists"] == 3


@pytest.mark.parametrize("form", ["coco", "pascalvoc", "labelme"])
def test_an_object_store_as_source_with_other_labels(client, classes, run, bucket, folder, form):
    filesystem = fsspec.filesystem("memory")
    root = bucket.removeprefix("memory:/")
    if form == "coco":
        coco(folder, names=["a.png"])
    elif form == "pascalvoc":
        (folder / "a.xml").write_text(VOC)
    else:
        shape = {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [11, 22]]}
        (folder / "a.json").write_text(json.dumps({"imagePath": "a.png", "shapes": [shape]}))
    for path in folder.glob("a*.[jx]*"):
        filesystem.pipe_file(f"{root}/photos/{path.name}", path.read_bytes())
    outcome = run(annotations_format=form, folder=f"{bucket}/photos")
    assert outcome.state == "success", outcome.error
    assert boxes(client, "a.png") == [("cat", [1, 2, 11, 22])]


def test_a_coco_file_in_an_object_store(client, classes, run, bucket, folder):
    coco(folder, names=["a.png"])
    root = bucket.removeprefix("memory:/")
    fsspec.filesystem("memory").pipe_file(f"{root}/labels/x.json", (folder / "annotations.json").read_bytes())
    (folder / "annotations.json").unlink()
    for path in ("labels/x.json", "labels"):
        outcome = run(annotations_format="coco", annotations_path=f"{bucket}/{path}")
        assert outcome.state == "success", outcome.error
    assert boxes(client, "a.png") == [("cat", [1, 2, 11, 22])]


def test_a_file_url_is_a_local_folder(client, run, folder):
    assert run(folder=f"file://{folder}").result["created"] == 3


def test_another_picture_under_the_name_of_a_task_fails_the_run_if_asked_to(client, run, folder):
    assert run(on_difference="fail").result["differs"] == 0
    (folder / "a.png").write_bytes(png(80, 60))
    warned = run()
    assert (warned.state, warned.result["exists"], warned.result["differs"]) == ("success", 3, 1)
    refused = run(on_difference="fail")
    assert refused.state == "failed"
    assert "differs from its task" in str(refused.reason)
    with pytest.raises(ValueError, match="on_difference must be one of 'warn', 'fail', not 'ask'"):
        FastLabelCreateTasksFromFolderOperator(
            task_id="create", project="p", folder="f", on_difference=cast("Any", "ask")
        )


def test_people_share_what_is_imported_and_a_retry_deals_nothing_anew(client, run, emulator):
    for slug in ("anna", "ben"):
        emulator.add_user(slug, slug.title())
    shared = {"assignee": ["anna", "ben"], "external_reviewer": {"day 1/**": "ben", "**": "anna"}}
    assert run(**shared).result["created"] == 3

    def given():
        tasks = client.get_image_tasks("photos")
        return {task["name"]: (task["assignee"], task["externalReviewer"]) for task in tasks}

    before = given()
    assert {name: reviewer for name, (_, reviewer) in before.items()} == {
        "a.png": "Anna", "day 1/b.png": "Ben", "day 1/c.png": "Ben",
    }  # fmt: skip
    client.delete_task(client.task_ids_by_name("photos")["day 1/b.png"])
    assert run(**shared).result["created"] == 1
    assert given() == before
