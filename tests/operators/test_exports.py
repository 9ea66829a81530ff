from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path

import fsspec
import pytest
from airflow.sdk import Asset
from airflow.sdk.io import attach
from PIL import Image

from airflow_provider_fastlabel.operators import (
    FastLabelExportAnnotatedImagesOperator,
    FastLabelExportCocoOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportYoloOperator,
)
from airflow_provider_fastlabel.pipelines.exports.staging import STALE_SECONDS, staging
from airflow_provider_fastlabel.utils.object_stores import place
from tests.operators.exporting import BOX, png, tree

ALL = [
    FastLabelExportCocoOperator,
    FastLabelExportYoloOperator,
    FastLabelExportPascalVocOperator,
    FastLabelExportLabelmeOperator,
    FastLabelExportMasksOperator,
    FastLabelExportAnnotatedImagesOperator,
]
CLIP = Path(__file__).resolve().parents[1] / "emulator" / "files" / "clip.mp4"


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


def test_filters_are_templates_and_select(export, label):
    label("a.png", tags=["night"])
    label("b.png", tags=["day"])
    label("c.png", status="completed", tags=["night"])
    assert export(FastLabelExportCocoOperator, tags=["{{ 'nig' ~ 'ht' }}"]).result["images"] == 1
    assert export(FastLabelExportCocoOperator, status="{{ 'completed' }}").result["images"] == 1
    assert export(FastLabelExportCocoOperator, status=None).result["images"] == 3
    label("d.png", external_status="customer_declined")
    assert export(FastLabelExportCocoOperator, external_status="customer_declined").result["images"] == 1


def test_unsupported_annotations_are_counted(export, client, tmp_path, project):
    client.create_project("image_all", "All", "all")
    client.create_annotation("all", "keypoint", "eye", "Eye")
    client.create_annotation("all", "bbox", "cat", "Cat")
    (tmp_path / "p.png").write_bytes(png())
    eye = {"type": "keypoint", "value": "eye", "points": [3, 4]}
    client.create_image_task("all", "a.png", tmp_path / "p.png", status="approved", annotations=[BOX, eye])
    result = export(FastLabelExportCocoOperator, project="all").result
    assert (result["annotations_in"], result["annotations"]) == (2, 1)
    assert sum(result["skipped"].values()) == 1


@pytest.mark.parametrize("operator", [FastLabelExportCocoOperator, FastLabelExportPascalVocOperator])
def test_images_can_be_included(export, label, tmp_path, operator):
    label("a.png", "b/c.png")
    result = export(operator, include_images=True).result
    files = tree(tmp_path / "out" / operator.format)
    assert files["images/a.png"] == files["images/b/c.png"] == png()
    assert result["changed"] is True
    assert {"images/a.png", "images/b/c.png"} <= {row["path"] for row in json.loads(files["manifest.json"])["files"]}


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


def test_labels_alone_need_no_download(export, label, emulator):
    label("a.png")
    emulator.clear_requests()
    export(FastLabelExportYoloOperator, layout="ultralytics", include_images=False)
    assert not [request for request in emulator.requests() if "file" in request["path"]]


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (FastLabelExportCocoOperator, {}),
        (FastLabelExportLabelmeOperator, {}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics"}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "splits": {"train": 0.1, "val": 0.2, "test": 0.7}}),
    ],
)
def test_pictures_of_the_published_dataset_are_not_fetched_again(
    export, label, emulator, tmp_path, operator, arguments
):
    def run():
        emulator.clear_requests()
        assert export(operator, include_images=True, **arguments).state == "success"
        return sorted(request["status"] for request in emulator.requests() if "storage/files" in request["path"])

    folder = tmp_path / "out" / operator.format
    label("a.png", "b/c.png")
    assert run() == [200, 200]
    label("d.png", colour=77)
    assert run() == [200, 304, 304]
    assert run() == [304, 304, 304]
    pictures = {path.name: path for path in folder.rglob("*.png")}
    assert pictures["c.png"].read_bytes() == png()
    pictures["c.png"].write_bytes(b"spoiled")
    pictures["a.png"].unlink()
    pictures["a.png"].symlink_to(pictures["d.png"])
    label("e.png")
    assert run() == [200, 200, 200, 304]
    pictures = {path.name: path for path in folder.rglob("*.png")}
    assert not pictures["a.png"].is_symlink()
    colours = {"a.png": 9, "c.png": 9, "d.png": 77, "e.png": 9}
    assert {name: path.read_bytes() for name, path in pictures.items()} == {
        name: png(colour=colour) for name, colour in colours.items()
    }


def test_an_expired_address_is_asked_for_anew(export, label, emulator, tmp_path, monkeypatch):
    from airflow_provider_fastlabel.client.http.transport import Transport

    label("a.png")
    download = Transport.download
    tries = []

    def late(self, url, target, **more):
        tries.append(url)
        if len(tries) == 1:
            emulator.advance(7200)
        return download(self, url, target, **more)

    monkeypatch.setattr(Transport, "download", late)
    outcome = export(FastLabelExportCocoOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    assert len(tries) == 2
    assert (tmp_path / "out/coco/images/a.png").read_bytes() == png()


def test_hostile_names_stay_inside(export, label, tmp_path):
    label("../../evil.png", "/abs.png", "ok.png", "a/../b.png")
    outcome = export(FastLabelExportLabelmeOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    assert outcome.result["images"] == 4
    assert not (tmp_path / "evil.png").exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labelme"]


def test_pictures_of_hostile_names_have_the_names_their_labels_say(export, label, tmp_path):
    label("../a.png", "__/a.png", "/b.png", "b.png")
    outcome = export(FastLabelExportCocoOperator, include_images=True)
    assert outcome.state == "success", outcome.error
    folder = tmp_path / "out/coco"
    said = {image["file_name"] for image in json.loads((folder / "annotations.json").read_bytes())["images"]}
    pictures = {str(path.relative_to(folder / "images")) for path in (folder / "images").rglob("*.png")}
    assert len(said) == 4
    assert said == pictures


def test_a_name_below_another_name_costs_only_its_picture(export, label):
    label("a.png", "a.png/b.png")
    outcome = export(FastLabelExportCocoOperator, include_images=True, max_workers=1)
    assert outcome.state == "success", outcome.error
    assert outcome.result["adjusted"]["images_missing"] == 1


def test_sequences_become_their_frames(export, client, tmp_path, project):
    client.create_project("sequential_image_bbox", "Clips", "clips")
    client.create_annotation("clips", "bbox", "cat", "Cat")
    (tmp_path / "clip").mkdir()
    for name in ("01.png", "02.png"):
        (tmp_path / "clip" / name).write_bytes(png())
    boxes = [{**BOX, "content": "02.png"}]
    client.create_sequential_image_task("clips", "clip", tmp_path / "clip", status="approved", annotations=boxes)
    result = export(FastLabelExportCocoOperator, project="clips", include_images=True).result
    assert (result["images"], result["annotations"]) == (2, 1)
    data = json.loads((tmp_path / "out/coco/annotations.json").read_bytes())
    assert [image["file_name"] for image in data["images"]] == ["clip/01.png", "clip/02.png"]
    assert data["annotations"][0]["image_id"] == data["images"][1]["id"]
    assert (tmp_path / "out/coco/images/clip/02.png").read_bytes() == png()


@pytest.fixture
def clip(client, tmp_path):
    """An approved video task with a box in two of its five frames."""
    client.create_project("video_bbox", "Drives", "drives")
    client.create_annotation("drives", "bbox", "cat", "Cat")
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP.read_bytes())
    frames = {str(n): {"value": [n, 2, n + 8, 10], "autogenerated": n == 2} for n in (1, 2)}
    box = {"type": "bbox", "value": "cat", "points": frames}
    client.create_video_task("drives", "night/clip.mp4", path, status="approved", annotations=[box])
    return client.find_video_task_by_name("drives", "night/clip.mp4")


def test_videos_become_their_frames_without_a_download(export, client, clip, emulator, tmp_path):
    emulator.clear_requests()
    result = export(FastLabelExportCocoOperator, project="drives").result
    assert (result["images"], result["annotations"]) == (clip["frameCount"], 2)
    data = json.loads((tmp_path / "out/coco/annotations.json").read_bytes())
    assert data["images"][0]["file_name"].startswith("night/clip_0")
    assert [annotation["bbox"] for annotation in data["annotations"]] == [[1, 2, 8, 8], [2, 2, 8, 8]]
    assert not [request for request in emulator.requests() if "file" in request["path"]]


def test_annotations_in_no_frame_of_their_video_are_counted(export, client, clip):
    shown = {str(n): {"value": [n, 2, n + 8, 10]} for n in (1, clip["frameCount"] + 1)}
    boxes = [{"type": "bbox", "value": "cat", "points": shown}]
    client.create_video_task("drives", "late.mp4", CLIP, status="approved", annotations=boxes)
    result = export(FastLabelExportCocoOperator, project="drives").result
    assert (result["annotations_in"], result["annotations"]) == (4, 3)
    assert result["skipped"] == {"beyond_clip": 1}


def test_frames_of_a_video_stay_in_one_split(export, clip, tmp_path):
    result = export(FastLabelExportYoloOperator, project="drives", layout="ultralytics").result
    images = list((tmp_path / "out" / "yolo" / "images").rglob("*.jpg"))
    assert len(images) == clip["frameCount"] == result["images"]
    assert len({path.relative_to(tmp_path / "out/yolo/images").parts[0] for path in images}) == 1
    with Image.open(images[0]) as picture:
        assert picture.size == (clip["width"], clip["height"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"project": "nowhere"}, ["'nowhere'", "does not exist", "Nothing was published"]),
        ({"status": "declined"}, ["No task", "status='declined'", "1 tasks", "allow_empty"]),
        ({"output": "{{ '' }}"}, ["output is empty"]),
        ({"output": "{{ none }}"}, ["output is empty"]),
        ({"output": "s3:/bucket/photos"}, ["'s3:/bucket/photos'", "s3://"]),
        ({"status": ["approved", "completed"]}, ["status", "one text"]),
        ({"external_status": ["approved"]}, ["external_status"]),
        ({"status": "aproved"}, ["status must be one of", "'aproved'"]),  # codespell:ignore aproved
        ({"external_status": "{{ none }}"}, ["external_status must be one of", "'None'"]),
        ({"tags": "['a', 'b']"}, ["tags", "natively"]),
        ({"tags": [None]}, ["tags", "None"]),
        ({"tags": 5}, ["tags", "5"]),
        ({"project": "texts"}, ["text_ner", "Nothing was published"]),
    ],
)
def test_wrong_arguments_are_named(export, client, label, tmp_path, arguments, words):
    client.create_project("text_ner", "Texts", "texts")
    label("a.png")
    outcome = export(FastLabelExportCocoOperator, **arguments)
    assert outcome.state == "failed"
    assert all(word in str(outcome.error) for word in words), outcome.error
    assert not (tmp_path / "out").exists()


def test_a_task_named_like_a_file_of_the_dataset_itself_has_another_name(export, label, tmp_path):
    label("manifest.png", "Classes.lock.png", "a.png")
    outcome = export(FastLabelExportLabelmeOperator, include_images=False)
    assert outcome.state == "success"
    files = {row["path"] for row in json.loads((tmp_path / "out" / "labelme" / "manifest.json").read_text())["files"]}
    assert {"manifest.png.json", "Classes.lock.png.json", "a.json"} <= files
    shapes = json.loads((tmp_path / "out" / "labelme" / "manifest.png.json").read_text())
    assert shapes["imagePath"] == "manifest.png"


def test_a_path_from_home(export, label, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    label("a.png")
    assert export(FastLabelExportCocoOperator, output="~/ds").state == "success"
    assert (tmp_path / "ds" / "annotations.json").exists()


def test_an_empty_dataset_can_be_wanted(export, project):
    outcome = export(FastLabelExportCocoOperator, allow_empty=True)
    assert (outcome.state, outcome.result["images"]) == ("success", 0)


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (FastLabelExportCocoOperator, {"file_name": "manifest.json"}),
        (FastLabelExportCocoOperator, {"file_name": "classes.lock.json"}),
        (FastLabelExportCocoOperator, {"file_name": "labels/a.json"}),
        (FastLabelExportCocoOperator, {"file_name": "a.txt"}),
        (FastLabelExportYoloOperator, {"yolo_task": "classify"}),
        (FastLabelExportYoloOperator, {"layout": "darknet"}),
        (FastLabelExportYoloOperator, {"splits": {"train": 1.0}}),
        (FastLabelExportYoloOperator, {"layout": "ultralytics", "split_group": "("}),
        (FastLabelExportPascalVocOperator, {"corners": "two_based"}),
        (FastLabelExportMasksOperator, {"mask_kind": "panoptic"}),
        (FastLabelExportCocoOperator, {"on_error": "ignore"}),
        (FastLabelExportCocoOperator, {"max_workers": 0}),
    ],
)
def test_impossible_arguments_fail_when_the_dag_is_parsed(operator, arguments):
    with pytest.raises((ValueError, re.error)):
        operator(task_id="export", project="p", output="o", **arguments)


def test_foreign_files_are_refused_before_any_work(export, label, emulator, tmp_path):
    label("a.png")
    (tmp_path / "out/coco").mkdir(parents=True)
    (tmp_path / "out/coco/thesis.txt").write_text("precious")
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator)
    assert isinstance(outcome.error, FileExistsError)
    assert emulator.requests() == []
    assert tree(tmp_path / "out") == {"coco/thesis.txt": b"precious"}


def test_a_failing_export_leaves_the_old_dataset_and_no_rubbish(export, label, emulator, tmp_path):
    label("a.png")
    export(FastLabelExportCocoOperator)
    before = tree(tmp_path / "out")
    label("b.png")
    emulator.faults({"kind": "status", "status": 500, "method": "GET", "path": "tasks/image", "times": 99})
    outcome = export(FastLabelExportCocoOperator)
    assert outcome.state == "failed"
    assert tree(tmp_path / "out") == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coco"]


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


@pytest.fixture
def bucket(tmp_path):
    """An object store that Airflow knows."""
    filesystem = fsspec.filesystem("memory")
    attach("memory", fs=filesystem)
    filesystem.makedirs(f"/{tmp_path.name}")
    yield f"memory:///{tmp_path.name}"
    filesystem.rm(f"/{tmp_path.name}", recursive=True)


def test_an_object_store_as_target(export, label, bucket, tmp_path):
    label("a.png", "b/c.png")
    filesystem = fsspec.filesystem("memory")
    outcome = export(FastLabelExportCocoOperator, output=f"{bucket}/coco", include_images=True)
    assert outcome.state == "success", outcome.error
    root = f"/{tmp_path.name}/coco/"
    found = {path.removeprefix(root) for path in filesystem.find(root)}
    assert found == {"annotations.json", "classes.lock.json", "images/a.png", "images/b/c.png", "manifest.json"}
    assert export(FastLabelExportCocoOperator, output=f"{bucket}/coco", include_images=True).result["changed"] is False


def test_a_full_disk_is_named_and_publishes_nothing(label, emulator, tmp_path):
    label(*(f"{number:03d}.png" for number in range(40)))
    script = f"""
import resource, signal
from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
operator = FastLabelExportCocoOperator(task_id="e", project="photos", output={str(tmp_path / "out" / "coco")!r})
client = operator.client
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    operator.execute({{}})
except OSError as error:
    print("refused:", error)
"""
    # Python 3.11 would keep bytecode that the limit has cut off.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env)
    assert "refused:" in done.stdout, done.stdout + done.stderr
    assert "Nothing was published" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("output", ["file/dataset", "file/deep/dataset"])
def test_an_output_that_cannot_be_written_is_named_with_a_remedy(tmp_path, output):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Not a directory|File exists") as raised, staging(tmp_path / output):
        pytest.fail("there is no place to work in")
    assert all(words in str(raised.value) for words in (str(tmp_path / "file"), "Nothing was published", "`output`"))


@pytest.mark.parametrize("where", ["folder", "store"])
def test_abandoned_staging_folders_are_cleared_away_and_busy_ones_are_not(bucket, tmp_path, monkeypatch, where):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    target = tmp_path / "coco" if where == "folder" else place("output", f"{bucket}/coco")
    prefix = ".coco.staging-" if where == "folder" else "fastlabel-export-"
    abandoned, other = tmp_path / f"{prefix}old", tmp_path / ".yolo.staging-old"
    for folder in (abandoned, other):
        (folder / "dataset").mkdir(parents=True)
        os.utime(folder, (time.time() - STALE_SECONDS - 9,) * 2)
    with staging(target) as busy:
        os.utime(busy, (time.time() - STALE_SECONDS - 9,) * 2)
        with staging(target):
            assert busy.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".yolo.staging-old"]


def test_malformed_annotations_stop_the_export_or_are_counted(client, project, export, tmp_path, monkeypatch):
    broken = {**BOX, "points": [1, 2, float("nan"), 4]}
    task = {"id": "1", "name": "a.png", "width": 40, "height": 30, "annotations": [BOX, broken]}
    monkeypatch.setattr(type(client), "iter_tasks", lambda *_, **__: iter([task]))
    monkeypatch.setattr(type(client), "count_tasks", lambda *_, **__: 1)
    outcome = export(FastLabelExportCocoOperator)
    assert outcome.state == "failed"
    assert "a.png" in str(outcome.error)
    assert list((tmp_path / "out").iterdir()) == []
    result = export(FastLabelExportCocoOperator, on_error="skip").result
    assert (result["annotations_in"], result["annotations"], result["skipped"]) == (2, 1, {"malformed": 1})


def test_malformed_frames_of_a_video_stop_the_export_or_are_counted(client, clip, export, tmp_path, monkeypatch):
    broken = {
        "type": "bbox",
        "value": "cat",
        "points": {"1": {"value": [1, 2, 3, 4]}, "first": {"value": [1, 2, 3, 4]}},
    }
    task = {**clip, "annotations": [*clip["annotations"], broken]}
    monkeypatch.setattr(type(client), "iter_tasks", lambda *_, **__: iter([task]))
    outcome = export(FastLabelExportCocoOperator, project="drives")
    assert outcome.state == "failed"
    assert "'first'" in str(outcome.error)
    result = export(FastLabelExportCocoOperator, project="drives", on_error="skip").result
    assert (result["annotations_in"], result["annotations"], result["skipped"]) == (4, 3, {"malformed": 1})


def test_pictures_of_a_long_clip_are_named_as_the_file_says(client, clip, export, tmp_path, monkeypatch):
    task = {**clip, "name": "night/" + "x" * 195 + ".mp4"}
    monkeypatch.setattr(type(client), "iter_tasks", lambda *_, **__: iter([task]))
    export(FastLabelExportCocoOperator, project="drives", include_images=True)
    folder = tmp_path / "out/coco"
    images = json.loads((folder / "annotations.json").read_bytes())["images"]
    pictures = {path.relative_to(folder / "images").as_posix() for path in (folder / "images").rglob("*.jpg")}
    assert {image["file_name"] for image in images} == pictures
    assert len(pictures) == clip["frameCount"]


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
