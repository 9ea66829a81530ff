"""The three tasks of an import in chunks, run as workers run them: from a folder and from a bucket."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from moto.s3.models import s3_backends

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromFolderOperator, FastLabelImportChunkOperator
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused
from airflow_provider_fastlabel.task_groups import import_in_chunks
from tests.airflow_fixtures import PNG

FILES = 11


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    made = tmp_path / "in"
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:02}.png").write_bytes(PNG)
    return made


class Tasks:
    """Runs the tasks of a group one by one."""

    def __init__(self, airflow_run, arguments):
        self.airflow_run, self.arguments = airflow_run, arguments
        self.chunks: Any = None

    def _of_group(self, task_id):
        with DAG("other", schedule=None) as dag:
            import_in_chunks(**self.arguments)
        return dag.get_task(f"import_in_chunks.{task_id}")

    def plan(self, run_id="run"):
        run = self.airflow_run(lambda: self._of_group("plan"))
        run.run_id = run_id
        done = run.attempt()
        self.chunks = done.result
        return done

    def create(self, number):
        """Return one mapped task, to be tried."""
        return self.airflow_run(lambda: FastLabelImportChunkOperator(task_id="create", chunk=self.chunks[number]))

    def summary(self):
        run = self.airflow_run(lambda: self._of_group("summary"))
        run.supervisor.upstream["import_in_chunks.plan"] = self.chunks
        return run.attempt()

    def all(self):
        assert (done := self.plan()).state == "success", done.error
        for number in range(len(self.chunks)):
            assert (done := self.create(number).attempt()).state == "success", done.error
        return self.summary()


@pytest.fixture
def tasks(airflow_run, client, folder):
    return lambda **arguments: Tasks(
        airflow_run, {"project": "photos", "folder": str(folder), "chunk_size": 4, **arguments}
    )


def test_a_folder_becomes_tasks_in_chunks(client, tasks, airflow_run, folder, tmp_path):
    steps = tasks(tags=["{{ run_id }}"], manifest=str(tmp_path / "m.jsonl"))
    done = steps.all()
    assert done.state == "success", done.error
    assert [chunk["items"] for chunk in steps.chunks] == [3, 4, 4]
    assert len(json.dumps(steps.chunks)) < 3 * 300
    assert len(client.task_ids_by_name("photos")) == FILES
    assert {tuple(task["tags"]) for task in client.iter_image_tasks("photos")} == {("run",)}
    manifest = str(tmp_path / "m.jsonl")
    one = airflow_run(
        lambda: FastLabelCreateTasksFromFolderOperator(
            task_id="one", project="photos", folder=str(folder), manifest=manifest
        )
    ).attempt()
    assert done.result | {"created": 0, "exists": FILES} == one.result


def test_a_bucket_becomes_tasks_and_the_plan_lies_in_it(client, tasks, s3, folder):
    for path in folder.iterdir():
        s3.boto.upload_file(str(path), "sets", f"in/{path.name}")
    steps = tasks(folder="s3://sets/in", source_conn_id=s3.conn, manifest="s3://sets/accounts/nightly.jsonl")
    assert steps.plan().state == "success"
    assert steps.chunks[0]["plan"].startswith("s3://sets/accounts/.plans/")
    for number in (2, 0):
        assert steps.create(number).attempt().state == "success"
    done = steps.summary()
    assert isinstance(done.reason, ImportIncomplete)
    assert "1 of 3 chunks have not come to a good end (map index 1)" in str(done.error)
    assert steps.create(1).attempt().state == "success"
    done = steps.summary()
    assert done.state == "success", done.error
    assert (done.result["created"], done.result["manifest"]) == (FILES, "s3://sets/accounts/nightly.jsonl")
    listed = s3.boto.list_objects_v2(Bucket="sets", Prefix="accounts/")["Contents"]
    assert {each["Key"].rpartition("/")[2] for each in listed} == {"nightly.jsonl", "plan.json"}
    account = s3.boto.get_object(Bucket="sets", Key="accounts/nightly.jsonl")["Body"].read().decode()
    assert account.count('"created"') == FILES
    assert client.count_tasks("photos") == FILES


def test_a_plan_that_a_run_has_left_goes_with_a_later_run_and_no_other_task_of_the_dag_is_touched(
    client, tasks, airflow_run, tmp_path
):
    def other():
        with DAG("other", schedule=None) as dag:
            import_in_chunks("another", **steps.arguments)
        return dag.get_task("another.plan")

    steps = tasks()
    steps.plan("first")
    first = Path(steps.chunks[0]["plan"])
    another = Path(airflow_run(other).attempt().result[0]["plan"])
    assert first.parent.parent == another.parent.parent == tmp_path / "home/fastlabel/imports/dag/.plans"
    for file in (*first.iterdir(), *another.iterdir()):
        os.utime(file, (1, 1))
    steps.plan("second")
    second = Path(steps.chunks[0]["plan"])
    assert (first.exists(), another.exists(), second.exists()) == (False, True, True)
    for number in range(3):
        assert steps.create(number).attempt().state == "success"
    assert steps.summary().result["created"] == FILES


def test_a_plan_that_a_run_has_left_in_a_bucket_goes_with_a_later_run(client, tasks, s3):
    steps = tasks(manifest="s3://sets/accounts/nightly.jsonl", source_conn_id=s3.conn, folder="s3://sets/in")
    s3.boto.put_object(Bucket="sets", Key="in/0.png", Body=PNG)
    plans = []
    for run in ("first", "second", "third"):
        assert (done := steps.plan(run)).state == "success", done.error
        plans.append(steps.chunks[0]["plan"].removeprefix("s3://sets/"))
        if run == "second":
            for key, stored in s3_backends["123456789012"]["aws"].buckets["sets"].keys.items():
                if key.startswith(plans[0]):
                    stored.last_modified -= timedelta(days=31)
    left = {each["Key"].rpartition("/")[0] for each in s3.boto.list_objects_v2(Bucket="sets")["Contents"]}
    assert left == {"in", "accounts", *plans[1:]}


def test_a_chunk_that_waits_for_the_quota_goes_on_without_reading_the_names(client, tasks, emulator):
    steps = tasks(chunk_size=FILES)
    steps.plan()
    emulator.clear_requests()
    emulator.fault("slow", times=4, method="POST", path="tasks/image", seconds=0)
    emulator.fault("status", times=1, method="POST", path="tasks/image", status=429, retry_after=45)
    done = steps.create(0).attempt()
    assert done.state == "success", done.error
    assert done.reschedules >= 1
    assert done.result["created"] == FILES
    assert client.count_tasks("photos") == FILES
    assert not [request for request in emulator.requests() if request["path"].startswith("tasks/map")]


def test_what_is_no_plan_is_refused(client, tasks, folder):
    steps = tasks()
    steps.chunks = None
    assert "Map this task over the planner's output" in str(steps.summary().error)
    steps.chunks = [{"plan": str(folder), "conn_id": None, "number": 0, "sha256": "0"}]
    assert "There is no plan at" in str(steps.summary().error)
    done = steps.create(0).attempt()
    assert isinstance(done.reason, ImportRefused)
    assert client.count_tasks("photos") == 0


def test_the_planner_refuses_an_empty_folder_as_one_task_does(client, tasks):
    done = tasks(pattern="*.jpg").plan()
    assert isinstance(done.reason, ImportRefused)
    assert "No file to import" in str(done.error)


@pytest.mark.parametrize("size", [0, -1, "{{ none }}", 1.5])
def test_a_chunk_has_at_least_one_task(client, tasks, size):
    if isinstance(size, str):
        assert "chunk_size" in str(tasks(chunk_size=size).plan().error)
    else:
        with pytest.raises(ValueError, match="chunk_size"):
            tasks(chunk_size=size).plan()
