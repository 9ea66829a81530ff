"""The examples that move files, each task run as a worker runs it, on an object store and the emulator."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fsspec
import pytest
from airflow.exceptions import ParamValidationError
from airflow.sdk import Param
from airflow.sdk.io import attach
from PIL import Image

from airflow_provider_fastlabel.operators import FastLabelImportChunkOperator
from tests.operators.stores import current

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow before 3.2
    from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

EXAMPLES = Path(__file__).resolve().parents[2] / "dags_examples"


@pytest.fixture
def bucket(tmp_path):
    """An object store that Airflow reaches through the connection the examples name."""
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="aws_default", fs=filesystem)
    filesystem.makedirs(f"/{tmp_path.name}")
    yield filesystem, f"/{tmp_path.name}"
    filesystem.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def run_example(airflow_run):
    """Run a task of an example, its only one unless named, with other parameters and results of tasks before it."""

    def go(name, task_id=None, *, upstream=None, dag_id=None, **params):
        def make():
            bag = DagBag(str(EXAMPLES / f"{name}.py"), load_op_links=False)
            dag = bag.dags[dag_id or name]
            (task,) = [task for task in dag.tasks if task_id in (None, task.task_id)]
            task.params.update(params)
            return task

        run = airflow_run(make)
        run.supervisor.upstream.update(upstream or {})
        return run.attempt()

    return go


@pytest.fixture(scope="module")
def dags():
    bag = DagBag(str(EXAMPLES), load_op_links=False)
    assert bag.import_errors == {}
    return bag.dags


def test_a_stranger_can_fill_in_the_form_of_every_example(dags):
    assert {Path(dag.fileloc).name for dag in dags.values()} == {path.name for path in EXAMPLES.glob("*.py")}
    for dag in dags.values():
        assert dag.description, dag.dag_id
        assert dag.doc_md.splitlines()[0], dag.dag_id
        dag.params.validate()  # the defaults fit
        for name in dag.params:
            param = dag.params.get_param(name)
            schema = param.schema
            assert {"type", "title"} <= schema.keys(), (dag.dag_id, name)
            assert str(param.description).endswith("."), (dag.dag_id, name)
            assert schema["title"] != name, (dag.dag_id, name)
            bounds = {"pattern", "minLength", "minimum", "minItems", "enum"}
            assert bounds & schema.keys() or "null" in schema["type"] or name == "prefix", (dag.dag_id, name)


@pytest.mark.parametrize(
    ("name", "param", "wrong"),
    [
        ("fastlabel_import_folder", "project", "my project"),
        ("fastlabel_import_folder", "folder", ""),
        ("fastlabel_import_s3", "bucket", "s3://my-bucket"),
        ("fastlabel_import_s3", "region", "Tokyo"),
        ("fastlabel_labeling_loop", "results", "results.csv"),
        ("fastlabel_train_and_preannotate", "epochs", 0),
        ("fastlabel_train_and_preannotate", "definition", "cats"),
        ("fastlabel_import_chunks", "chunk_size", 0),
        ("fastlabel_rounds", "rounds", []),
        ("fastlabel_rounds", "rounds", [{"project": "cats", "folder": "in"}]),
        ("fastlabel_review_gate", "project", ""),
        ("fastlabel_checked_export", "output", ""),
        ("fastlabel_back_to_people", "prelabels", ""),
        ("fastlabel_back_to_people", "most", 0),
    ],
)
def test_the_form_refuses_what_cannot_be_meant(dags, name, param, wrong):
    dags[name].params.validate()
    with pytest.raises(ParamValidationError):
        Param(wrong, **dags[name].params.get_param(param).schema).resolve()


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"chosen_options": ["Approve"], "params_input": {"remark": ""}}, "approved", 0),
        ({"chosen_options": ["Send back"], "params_input": {"remark": "too large"}}, "sent_back", 1),
        ({"chosen_options": ["Send back"], "params_input": {}}, "sent_back", 1),
    ],
)
def test_a_reviewers_decision_is_written_back(client, fill, run_example, tmp_path, monkeypatch, answer, status, said):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    ids = fill("a.png", "b.png", status="completed")
    fill("c.png", status="registered")
    done = run_example("fastlabel_review_gate", "write_back", upstream={"review": answer}, project="photos")
    assert done.state == "success", done.error
    assert done.result["changed"] == 2
    for task_id in ids.values():
        assert client.find_image_task(task_id)["status"] == status
        texts = [each["text"] for made in client.iter_task_comments("photos", task_id) for each in made["threads"]]
        assert texts == [answer["params_input"].get("remark") or "Sent back in review."] * said


@pytest.mark.parametrize(("box", "passed"), [([4, 5, 20, 25], True), ([4, 5, 6, 25], False)])
def test_a_dataset_is_released_or_a_person_is_asked(client, run_example, tmp_path, box, passed):
    client.create_annotation("photos", "bbox", "cat", "Cat")
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    drawn = [{"type": "bbox", "value": "cat", "points": box}]
    client.create_image_task("photos", "a.png", tmp_path / "a.png", status="approved", annotations=drawn)
    place = {"output": str(tmp_path / "set")}
    exported = run_example("fastlabel_checked_export", "export", **place)
    assert exported.state == "success", exported.error
    checked = run_example("fastlabel_checked_export", "check", **place)
    assert checked.state == "success", checked.error
    assert checked.result["passed"] == passed
    assert set(checked.xcoms["skipmixin_key"]["followed"]) == ({"release"} if passed else {"ask", "release"})
    assert checked.result["markdown"].startswith("**Good enough**" if passed else "**Not good enough**")
    released = run_example("fastlabel_checked_export", "release", **place)
    assert (released.state, released.result) == ("success", place["output"])


def test_a_model_gets_its_marks_and_suspicious_labels_go_back(client, bucket, run_example, tmp_path):
    filesystem, root = bucket
    client.create_annotation("photos", "bbox", "cat", "Cat")
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    kept, deleted, again = ([4, 5, 20, 25], [25, 2, 38, 12], [4, 5, 20, 24])
    boxes = {"a.png": [kept, again], "b.png": [kept]}  # somebody drew the cat of a.png twice
    for name, own in boxes.items():
        drawn = [{"type": "bbox", "value": "cat", "points": box} for box in own]
        client.create_image_task("photos", name, tmp_path / "a.png", status="approved", annotations=drawn)
    coco = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(boxes)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": number, "image_id": number // 2, "category_id": 1, "bbox": [x, y, right - x, low - y]}
            for number, (x, y, right, low) in enumerate((kept, deleted, kept))
        ],
    }
    filesystem.pipe_file(f"{root}/prelabels.json", json.dumps(coco).encode())
    params = {"prelabels": f"memory://{root}/prelabels.json", "output": str(tmp_path / "scores"), "most": 5}
    scored = run_example("fastlabel_back_to_people", "score", **params)
    assert scored.state == "success", scored.error
    told = scored.result["versions"]["v1"]
    assert [told[name] for name in ("kept", "moved", "reclassed", "deleted", "added")] == [2, 0, 0, 1, 1]
    assert {path.name for path in (tmp_path / "scores").iterdir()} == {"scorecard.json", "scorecard.md"}
    sent = run_example("fastlabel_back_to_people", "send_back", **params)
    assert sent.state == "success", sent.error
    assert (sent.result["new"], sent.result["status_set"]) == (1, 1)
    assert {task["name"]: task["status"] for task in client.get_image_tasks("photos")} == {
        "a.png": "sent_back", "b.png": "approved",
    }  # fmt: skip


def test_new_files_become_tasks_and_then_a_dataset(client, bucket, run_example):
    filesystem, root = bucket
    client.create_annotation("photos", "bbox", "cat", "Cat")
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    names = [f"cam{number}.png" for number in range(12)]
    for name in names:
        filesystem.pipe_file(f"{root}/incoming/{name}", picture.getvalue())
    coco = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 1, "bbox": [1, 2, 10, 20]}],
    }
    filesystem.pipe_file(f"{root}/incoming/annotations.json", json.dumps(coco).encode())

    created = run_example("fastlabel_import_folder", folder=f"memory://{root}/incoming")
    assert created.state == "success", created.error
    assert created.result["created"] == 12
    assert {tuple(task["tags"]) for task in client.get_image_tasks("photos")} == {("night-2026-11-22",)}

    for task in client.get_image_tasks("photos"):
        client.update_task(task["id"], status="approved")
    exported = run_example("fastlabel_nightly_export", output=f"memory://{root}/datasets/yolo")
    assert exported.state == "success", exported.error
    assert (exported.result["images"], exported.result["annotations"]) == (12, 1)
    found = set(current(filesystem, f"{root}/datasets/yolo"))
    assert {"data.yaml", "classes.txt", "manifest.json"} <= found
    assert sum(path.startswith("images/") for path in found) == sum(path.startswith("labels/") for path in found) == 12


def test_a_large_folder_is_planned_and_imported_in_chunks(client, bucket, run_example, airflow_run, monkeypatch):
    filesystem, root = bucket
    monkeypatch.setenv("AIRFLOW__FASTLABEL__MANIFESTS_PATH", f"memory://aws_default@{root.strip('/')}/accounts")
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    for number in range(7):
        filesystem.pipe_file(f"{root}/incoming/{number}.png", picture.getvalue())
    params = {"folder": f"memory://{root}/incoming", "chunk_size": 3}
    plan = run_example("fastlabel_import_chunks", "import_in_chunks.plan", **params)
    assert plan.state == "success", plan.error
    assert [chunk["items"] for chunk in plan.result] == [2, 2, 3]
    for chunk in plan.result:
        done = airflow_run(lambda chunk=chunk: FastLabelImportChunkOperator(task_id="create", chunk=chunk)).attempt()
        assert done.state == "success", done.error
    results = {"import_in_chunks.plan": plan.result}
    done = run_example("fastlabel_import_chunks", "import_in_chunks.summary", upstream=results, **params)
    assert done.state == "success", done.error
    assert (done.result["total"], done.result["created"]) == (7, 7)
    assert {tuple(task["tags"]) for task in client.get_image_tasks("photos")} == {("run",)}


def test_what_a_watcher_starts_exports_and_trains(client, emulator, bucket, run_example, fill):
    filesystem, root = bucket
    client.create_annotation("photos", "bbox", "cat", "Cat")
    client.create_dataset("photos")
    emulator.configure(job_seconds=0)
    fill("a.png", status="approved")
    example = "fastlabel_event_driven_export"
    exported = run_example(example, output=f"memory://{root}/datasets/coco")
    assert exported.state == "success", exported.error
    assert "annotations.json" in current(filesystem, f"{root}/datasets/coco")
    trained = run_example(example, dag_id="fastlabel_train_on_new_dataset")
    assert trained.state == "success", trained.error
    assert trained.result["status"] == "completed"


def test_a_model_learns_and_pre_annotates(client, emulator, bucket, run_example, tmp_path, monkeypatch):
    filesystem, root = bucket
    # Every task here is of the same run, and the manifest of another test's import lies in the common home.
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    (tmp_path / "cats.yaml").write_text(
        "{type: image_bbox, slug: cats, name: Cats, classes: [{type: bbox, value: cat, color: '#d9534f'}]}"
    )
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    filesystem.pipe_file(f"{root}/incoming/a.png", picture.getvalue())
    client.create_dataset("cats")
    emulator.configure(job_seconds=0)
    params = {"definition": str(tmp_path / "cats.yaml"), "photos": f"memory://{root}/incoming", "dataset": "cats"}
    results: dict[str, Any] = {}
    for task_id in ("apply_project", "create_tasks", "train", "annotate"):
        done = run_example("fastlabel_train_and_preannotate", task_id, upstream=results, **params)
        assert done.state == "success", done.error
        results[task_id] = done.result
    (job,) = client.get_auto_annotation_jobs("cats")
    assert (job["modelName"], job["contentCount"]) == (results["train"]["model_name"], 1)


def test_monitoring_sends_the_hour_that_has_ended(client, emulator, bucket, run_example):
    filesystem, root = bucket
    line = {
        "status": "success",
        "result": [{"value": "cat", "confidenceScore": 0.5}],
        "requestAt": "2026-11-21T23:10:00Z",
    }
    filesystem.pipe_file(f"{root}/2026-11-21T23.jsonl", json.dumps(line).encode() + b"\n")
    filesystem.pipe_file(f"{root}/2026-11-22T00.jsonl", b"half a li")
    done = run_example("fastlabel_monitoring", folder=f"memory://{root}")
    assert (done.state, done.result["results"]) == ("success", 1), done.error
