"""Data sets as they are published: whole, the same bytes, what was asked for."""

from __future__ import annotations

import json
import pydoc
import weakref

import pytest
from airflow.sdk import Asset

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from tests.operators.exporting import BOX, png, tree

ALL = [
    FastLabelExportCocoOperator,
    FastLabelExportYoloOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportAnnotatedImagesOperator,
]


@pytest.mark.parametrize("operator", ALL)
def test_every_format_publishes_a_whole_dataset(export, label, tmp_path, operator):
    label("a.png", "day 1/写真.png")
    label("draft.png", status="registered")
    outcome = export(operator)
    assert outcome.state == "success", outcome.error
    folder = tmp_path / "out" / operator.format
    files = tree(folder)
    assert outcome.result["images"] == 2
    assert outcome.result["annotations"] == outcome.result["annotations_in"] == 2
    assert outcome.result["skipped"] == {}
    assert outcome.result["changed"] is True
    assert outcome.result["output"] == str(folder)
    manifest = json.loads(files["manifest.json"])
    assert {row["path"] for row in manifest["files"]} == set(files) - {"manifest.json"}
    assert manifest["filters"] == {"project": "photos", "status": "approved", "external_status": None, "tags": []}
    first = {"coco": 1, "masks": 1}.get(operator.format, 0)
    assert manifest["classes"] == {"dog": first, "cat": first + 1}
    assert "classes.lock.json" in files
    assert sorted(path.name for path in folder.parent.iterdir()) == [operator.format]


@pytest.mark.parametrize("operator", ALL)
def test_the_same_tasks_are_the_same_bytes_and_are_not_published_again(export, label, tmp_path, operator):
    label("a.png", "b.png")
    first = export(operator)
    files = tree(tmp_path / "out" / operator.format)
    again = export(operator)
    assert (again.result["changed"], again.result["sha256"]) == (False, first.result["sha256"])
    elsewhere = export(operator, output=str(tmp_path / "elsewhere"))
    assert elsewhere.result["sha256"] == first.result["sha256"]
    assert tree(tmp_path / "elsewhere") == files
    label("c.png")
    assert export(operator).result["changed"] is True


def test_coco_says_what_was_labelled(export, label, tmp_path):
    label("a.png", "b/c.png")
    export(FastLabelExportCocoOperator, file_name="instances.json")
    data = json.loads((tmp_path / "out" / "coco" / "instances.json").read_bytes())
    assert [(image["file_name"], image["width"], image["height"]) for image in data["images"]] == [
        ("a.png", 40, 30),
        ("b/c.png", 40, 30),
    ]
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "dog"), (2, "cat")]
    assert [(a["category_id"], a["bbox"]) for a in data["annotations"]] == [(2, [4, 5, 16, 20])] * 2


def test_class_ids_never_move(export, client, label, tmp_path):
    label("a.png")
    export(FastLabelExportYoloOperator)
    rows = (tmp_path / "out/yolo/annotations/a.txt").read_bytes()
    dog = client.find_annotation_by_value("photos", "dog")
    client.delete_annotation(dog["id"])
    client.create_annotation("photos", "bbox", "ant", "Ant", order=1)
    outcome = export(FastLabelExportYoloOperator)
    assert outcome.result["classes"] == ["dog", "cat", "ant"]
    assert (tmp_path / "out/yolo/annotations/a.txt").read_bytes() == rows


def test_class_ids_do_not_move_when_a_publish_was_killed_between_its_renames(export, client, label, tmp_path):
    label("a.png")
    first = export(FastLabelExportYoloOperator)
    client.delete_annotation(client.find_annotation_by_value("photos", "dog")["id"])
    target = tmp_path / "out" / "yolo"
    target.rename(target.with_name(".yolo.previous"))
    assert export(FastLabelExportYoloOperator).result["classes"] == first.result["classes"] == ["dog", "cat"]
    assert [path.name for path in target.parent.iterdir()] == ["yolo"]


def test_filters_are_templates_and_select(export, label):
    label("a.png", tags=["night"])
    label("b.png", tags=["day"])
    label("c.png", status="completed", tags=["night"])
    assert export(FastLabelExportCocoOperator, tags=["{{ 'nig' ~ 'ht' }}"]).result["images"] == 1
    assert export(FastLabelExportCocoOperator, status="{{ 'completed' }}").result["images"] == 1
    assert export(FastLabelExportCocoOperator, status=None).result["images"] == 3
    label("d.png", external_status="customer_declined")
    assert export(FastLabelExportCocoOperator, external_status="customer_declined").result["images"] == 1


def test_labelme_finds_its_images_beside(export, label, tmp_path):
    label("b/c.png")
    export(FastLabelExportLabelmeOperator, include_images=True)
    folder = tmp_path / "out" / "labelme"
    image = json.loads((folder / "b/c.json").read_bytes())["imagePath"]
    assert (folder / "b" / image).read_bytes() == png()


def test_an_ultralytics_dataset_is_complete_and_keeps_its_splits(export, label, tmp_path):
    names = [f"clip{number // 4}/{number:02d}.png" for number in range(40)]
    label(*names)
    arguments = {"layout": "ultralytics", "splits": {"train": 0.5, "val": 0.5}, "split_group": r"^[^/]+"}
    assert export(FastLabelExportYoloOperator, **arguments).state == "success"
    files = tree(tmp_path / "out" / "yolo")
    splits = {name: next(s for s in ("train", "val") if f"images/{s}/{name}" in files) for name in names}
    for name, split in splits.items():
        assert files[f"images/{split}/{name}"] == png()
        row = files[f"labels/{split}/{name[:-4]}.txt"].split()
        assert [float(number) for number in row] == pytest.approx([1, 0.3, 0.5, 0.4, 2 / 3], abs=1e-6)
    assert len({(name.partition("/")[0], split) for name, split in splits.items()}) == 10
    assert set(splits.values()) == {"train", "val"}
    label("clip99/new.png")
    export(FastLabelExportYoloOperator, **arguments)
    files = tree(tmp_path / "out" / "yolo")
    assert all(f"images/{split}/{name}" in files for name, split in splits.items())


def test_tasks_that_go_while_the_export_reads_are_said(export, client, label, tmp_path, caplog):
    label("a.png", "b.png", "c.png")

    class Meanwhile(FastLabelExportCocoOperator):
        def write(self, *given):
            client.update_task(client.find_image_task_by_name("photos", "b.png")["id"], status="declined")
            client.delete_task(client.find_image_task_by_name("photos", "c.png")["id"])
            return super().write(*given)

    outcome = export(Meanwhile)
    assert outcome.state == "success", outcome.error
    assert outcome.result["images"] == 1
    assert outcome.result["adjusted"] == {"tasks_gone_meanwhile": 2}
    manifest = json.loads((tmp_path / "out" / "coco" / "manifest.json").read_bytes())
    assert manifest["counts"]["adjusted"] == {"tasks_gone_meanwhile": 2}
    assert "3 tasks matched at the start and 1 were read" in caplog.text
    assert export(FastLabelExportCocoOperator).result["adjusted"] == {}


def test_an_empty_dataset_can_be_wanted(export, project):
    outcome = export(FastLabelExportCocoOperator, allow_empty=True)
    assert (outcome.state, outcome.result["images"]) == ("success", 0)


def test_an_asset_learns_what_was_published(airflow_run, label, tmp_path):
    label("a.png")
    asset = Asset(name="cats", uri=f"file://{tmp_path}/out")
    run = airflow_run(
        lambda: FastLabelExportCocoOperator(
            task_id="export", project="photos", output=str(tmp_path / "out"), outlets=[asset]
        )
    )
    outcome = run.attempt()
    assert outcome.state == "success", outcome.error
    (event,) = run.supervisor.last.outlet_events
    assert event["extra"]["sha256"] == outcome.result["sha256"]
    assert event["extra"]["images"] == 1


class Tracked(dict):
    """A task whose life can be watched."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


def test_tasks_flow_through_and_are_not_kept(client, project, export, monkeypatch):
    alive: weakref.WeakSet[Tracked] = weakref.WeakSet()
    most = 0

    def many(*_, **__):
        nonlocal most
        for number in range(4000):
            task = Tracked(id=str(number), name=f"{number}.png", width=40, height=30, annotations=[BOX])
            alive.add(task)
            most = max(most, len(alive))
            yield task

    monkeypatch.setattr(type(client), "iter_tasks", many)
    monkeypatch.setattr(type(client), "count_tasks", lambda *_, **__: 4000)
    assert export(FastLabelExportCocoOperator).result["images"] == 4000
    assert most < 1000  # writers read a few hundred ahead, however many there are


def test_splits_say_how_far_they_are_from_what_was_asked(export, label, tmp_path):
    label("a.png", "b.png", "c.png")
    done = export(FastLabelExportYoloOperator, layout="ultralytics", splits={"train": 0.5, "val": 0.5, "test": 0.0})
    splits = done.result["splits"]
    assert sum(got["images"] for got in splits.values()) == 3
    assert splits["test"] == {"asked": 0.0, "images": 0, "share": 0.0}
    assert splits["train"]["share"] == round(splits["train"]["images"] / 3, 4) != 0.5
    assert json.loads((tmp_path / "out/yolo/manifest.json").read_text())["counts"]["splits"] == splits
    assert "splits" not in export(FastLabelExportCocoOperator).result


def test_a_home_in_output_is_resolved_in_the_result(export, label, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    label("a.png")
    done = export(FastLabelExportCocoOperator, output="~/sets/coco")
    assert done.result["output"] == str(tmp_path / "sets/coco")
    assert (tmp_path / "sets/coco/annotations.json").exists()


@pytest.mark.parametrize("operator", [FastLabelExportCocoOperator, FastLabelExportYoloOperator])
def test_help_tells_of_every_argument(operator):
    for name in ("project", "output", "include_images", "on_error", "fastlabel_conn_id"):
        assert f":param {name}:" in pydoc.getdoc(operator)
        assert operator.__doc__.count(f":param {name}:") == 1
