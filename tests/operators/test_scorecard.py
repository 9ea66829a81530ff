"""FastLabelScorecardOperator, as a worker runs it against the emulator and on published data sets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Asset

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExportCocoOperator,
    FastLabelScorecardOperator,
)
from tests.operators.exporting import png


@pytest.fixture
def drawn(client, project, airflow_run, tmp_path):
    """Import three pictures with two boxes each, as a model has drawn them; then people work on two of them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.png").write_bytes(png())
    images = [{"id": n, "file_name": f"{name}.png", "width": 40, "height": 30} for n, name in enumerate("abc")]
    boxes = [
        {"id": 2 * n + k, "image_id": n, "category_id": 1 + k, "bbox": [2 + 18 * k, 3, 12, 20]}
        for n in range(3)
        for k in range(2)
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    coco = {"images": images, "categories": categories, "annotations": boxes}
    (folder / "annotations.json").write_text(json.dumps(coco))
    make = lambda: FastLabelCreateTasksFromFolderOperator(  # noqa: E731
        task_id="create", project="photos", folder=str(folder), annotations_format="coco"
    )
    assert airflow_run(make).attempt().state == "success"
    tasks = {task["name"]: task for task in client.get_image_tasks("photos")}
    cat, dog = tasks["a.png"]["annotations"]
    client.update_image_task(tasks["a.png"]["id"], status="approved", annotations=[cat, {**dog, "value": "cat"}])
    grown, new = {**cat, "points": [2, 3, 18, 23]}, {**dog, "points": [1, 24, 9, 29]}
    client.update_image_task(tasks["b.png"]["id"], status="approved", annotations=[grown, new])
    return folder


@pytest.fixture
def score(airflow_run, drawn, tmp_path):
    def go(**arguments):
        given = {"prelabels": {"v1": str(drawn / "annotations.json")}, **arguments}
        if "dataset" not in given:
            given.setdefault("project", "photos")
        return airflow_run(lambda: FastLabelScorecardOperator(task_id="score", **given)).attempt()

    return go


COUNTS = {
    "preannotated": 4, "kept": 1, "moved": 1, "reclassed": 1, "deleted": 1, "added": 1, "waiting": 2, "missing": 0,
    "unread": 0, "pictures": {"described": 3, "seen": 2, "waiting": 1, "missing": 0},
}  # fmt: skip


def test_it_says_what_people_made_of_what_a_model_drew(score, tmp_path):
    outcome = score(output=str(tmp_path / "out"))
    assert outcome.error is None, repr(outcome.error)
    told = outcome.result
    text = told.pop("markdown")
    assert told == {"status": "approved", "versions": {"v1": COUNTS}, "unread": 0, "output": str(tmp_path / "out")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"scorecard.json", "scorecard.md"}
    assert (tmp_path / "out" / "scorecard.md").read_text() == text + "\n"
    (version,) = json.loads((tmp_path / "out" / "scorecard.json").read_text())["versions"]
    assert {each["value"]: each["counts"]["preannotated"] for each in version["classes"]} == {"cat": 2, "dog": 2}
    assert version["reclassed"] == [["dog", "cat", 1]]
    assert "not approved yet: 1, with 2 objects (c.png)" in text.replace("\\", "")


def test_a_published_data_set_is_scored_without_fastlabel(score, export, emulator, tmp_path):
    export(FastLabelExportCocoOperator, output=str(tmp_path / "set"), status="approved", include_images=True)
    emulator.faults({"path": "", "times": 100, "kind": "status", "status": 500})
    told = score(dataset=str(tmp_path / "set")).result
    seen = {"described": 3, "seen": 2, "waiting": 0, "missing": 1}
    assert told["versions"]["v1"] == {**COUNTS, "waiting": 0, "missing": 2, "pictures": seen}
    assert told["status"] is None


def test_other_formats_are_read_as_the_import_reads_them(score, drawn, tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "classes.txt").write_text("cat\ndog\n")
    for name in "abc":
        rows = [f"{k} {(8 + 18 * k) / 40} {13 / 30} {12 / 40} {20 / 30}" for k in range(2)]
        (labels / f"{name}.txt").write_text("\n".join(rows))
    told = score(prelabels={"v1": str(labels)}, annotations_format="yolo", folder=str(drawn))
    assert told.error is None, repr(told.error)
    assert told.result["versions"]["v1"] == COUNTS
    for path in labels.iterdir():
        path.rename(drawn / path.name)
    beside = score(prelabels={"v1": str(drawn)}, annotations_format="yolo", folder=str(drawn))
    assert beside.result["versions"]["v1"] == COUNTS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"prelabels": {}}, "prelabels must be a dictionary of 1 to 20 versions"),
        ({"prelabels": "v1.json"}, "prelabels must be a dictionary"),
        ({"prelabels": {"v1": ""}}, "prelabels: the place of 'v1' must be a text"),
        ({"prelabels": {" ": "a.json"}}, "prelabels: the name of a version must be a text"),
        ({"dataset": "set", "project": "photos"}, "Give project or dataset, one of them"),
        ({"annotations_format": "yolo"}, "annotations_format 'yolo' needs folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments, words):
    given: dict[str, Any] = {"project": "photos", "prelabels": {"v1": "a.json"}, **arguments}
    with pytest.raises(ValueError, match=words):
        FastLabelScorecardOperator(task_id="score", **given)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"prelabels": {"v1": "{{ none }}"}}, "prelabels: the place of 'v1' must be a text, not 'None'"),
        ({"prelabels": "{{ [] }}"}, "prelabels must be a dictionary"),
        ({"prelabels": {"v1": "/nowhere/a.json"}}, r"prelabels\['v1'\]: there is nothing at /nowhere/a.json"),
        ({"status": "approve"}, "status must be one of"),
        ({"project": "{{ none }}"}, "project is empty"),
        ({"project": "nobody"}, "'nobody' does not exist"),
        ({"dataset": "/nowhere/set"}, "no published data set"),
    ],
)
def test_what_rendered_wrongly_fails_before_anything_is_written(score, tmp_path, arguments, words):
    outcome = score(output=str(tmp_path / "out"), **arguments)
    assert outcome.state == "failed"
    with pytest.raises(Exception, match=words):
        raise outcome.reason
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{", '{"images": [], "categories": [], "annotations": []}', "[1]"])
def test_a_file_that_is_no_pre_annotations_is_named(score, drawn, tmp_path, text):
    (tmp_path / "wrong.json").write_text(text)
    outcome = score(prelabels={"good": str(drawn / "annotations.json"), "bad": str(tmp_path / "wrong.json")})
    with pytest.raises(ValueError, match=r"prelabels\['bad'\]: .*No scorecard was made"):
        raise outcome.reason
    assert "Nothing was created" not in str(outcome.reason)


def test_of_one_coco_file_a_folder_the_pictures_must_be_given(score, drawn, client, tmp_path):
    """Each names its pictures from its own folder on, so the same name means another picture."""
    whole = tmp_path / "robo"
    for split in ("train", "valid"):
        (whole / split).mkdir(parents=True)
        (whole / split / "a.png").write_bytes(png())
        (whole / split / "_annotations.coco.json").write_text((drawn / "annotations.json").read_text())
        client.create_image_task("photos", f"{split}/a.png", whole / split / "a.png", status="approved")
    refused = score(prelabels={"v1": str(whole)}, output=str(tmp_path / "out"))
    with pytest.raises(ValueError, match=r"holds 2 COCO files.*Give the pictures as `folder`.*No scorecard was made"):
        raise refused.reason
    assert not (tmp_path / "out").exists()
    told = score(prelabels={"v1": str(whole)}, folder=str(whole)).result["versions"]["v1"]
    assert (told["pictures"]["seen"], told["deleted"]) == (2, 4)


def test_a_project_without_pictures_is_refused(score, client):
    client.create_project("text_ner", "Texts", "texts")
    with pytest.raises(ValueError, match="project 'texts' takes .* tasks; pre-annotations are for image"):
        raise score(project="texts").reason


def test_assets_get_the_counts_and_the_place(airflow_run, drawn, tmp_path):
    asset = Asset("scores", uri="fastlabel://somewhere/photos")
    given: Any = {"prelabels": {"v1": str(drawn / "annotations.json")}, "output": str(tmp_path / "out")}
    run = airflow_run(
        lambda: FastLabelScorecardOperator(task_id="score", project="photos", outlets=[asset], **given)
    )  # fmt: skip
    outcome = run.attempt()
    (event,) = run.supervisor.last.outlet_events
    assert event["extra"]["versions"] == outcome.result["versions"]
    assert event["extra"]["place"] == f"file://{tmp_path}/out"


def test_pre_annotations_and_scorecard_may_lie_in_an_object_store(score, drawn, memory):
    filesystem, root = memory
    filesystem.pipe_file(f"{root}/v1/annotations.json", (drawn / "annotations.json").read_bytes())
    told = score(prelabels={"v1": f"memory://{root}/v1"}, output=f"memory://{root}/scores")
    assert told.error is None, repr(told.error)
    assert told.result["versions"]["v1"] == COUNTS
    assert json.loads(filesystem.cat_file(f"{root}/scores/scorecard.json"))["status"] == "approved"
    missing = score(prelabels={"v1": f"memory://{root}/v2.json"})
    with pytest.raises(ValueError, match=r"prelabels\['v1'\]: there is nothing at memory://"):
        raise missing.reason


def test_pictures_of_a_sequence_are_scored(score, client, tmp_path):
    folder = tmp_path / "walk"
    folder.mkdir()
    for name in ("1.png", "2.png"):
        (folder / name).write_bytes(png())
    client.create_project("sequential_image_bbox", "Walks", "walks")
    client.create_annotation("walks", "bbox", "cat", "Cat")
    cat = {"type": "bbox", "value": "cat", "points": [2, 3, 14, 23], "content": "1.png"}
    client.create_sequential_image_task("walks", "walk", str(folder), status="approved", annotations=[cat])
    images = [{"id": n, "file_name": f"walk/{n}.png", "width": 40, "height": 30} for n in (1, 2)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [2, 3, 12, 20]} for n in (1, 2)]
    coco = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": boxes}
    (tmp_path / "walks.json").write_text(json.dumps(coco))
    told = score(project="walks", prelabels={"v1": str(tmp_path / "walks.json")}).result["versions"]["v1"]
    assert (told["kept"], told["deleted"], told["pictures"]["seen"]) == (1, 1, 2)


def test_pre_annotations_of_another_project_are_a_warning_and_named(score, drawn, caplog):
    coco = json.loads((drawn / "annotations.json").read_text())
    for number, image in enumerate(coco["images"]):
        image["file_name"] = f"other/{number}.jpg"
    (drawn / "annotations.json").write_text(json.dumps(coco))
    told = score().result
    assert told["versions"]["v1"]["pictures"] == {"described": 3, "seen": 0, "waiting": 0, "missing": 3}
    assert (told["versions"]["v1"]["preannotated"], told["versions"]["v1"]["missing"]) == (0, 6)
    assert "No picture of version 'v1' was seen" in caplog.text
    assert "other/0.jpg" in told["markdown"].replace("\\", "")
