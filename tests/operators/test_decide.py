"""FastLabelDecideTasksOperator and @task.fastlabel, as a worker runs them."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, task
from airflow.sdk.io import attach

from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.decorators.fastlabel import fastlabel_task
from airflow_provider_fastlabel.operators import FastLabelDecideTasksOperator
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.provider_info import get_provider_info


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))


def approve(labelled):
    return "approved" if labelled["annotations"] else {"status": "sent_back", "comment": "Nothing is drawn here."}


def at_least(labelled, least):
    return "approved" if len(labelled["annotations"]) >= least else None


def operator(function=approve, **arguments):
    """Return how to make the operator."""
    given = {"task_id": "decide", "project": "photos", "filter_status": "registered", **arguments}
    return lambda: FastLabelDecideTasksOperator(python_callable=function, **given)


def decorated(function=approve, *args, decorator=fastlabel_task, called=None, **arguments):
    """Return how to make the decorated task."""
    arguments = {"project": "photos", "filter_status": "registered", **arguments}
    return lambda: decorator(**arguments)(function)(*args, **(called or {})).operator


def state(client):
    return {each["name"]: each["status"] for each in client.iter_tasks("photos", "image")}


def comments(client, task_id):
    return [each["text"] for made in client.iter_task_comments("photos", task_id) for each in made["threads"]]


@pytest.fixture
def labelled(client, fill):
    """Two tasks, of which one has a box."""
    client.create_annotation("photos", "bbox", "cat", "Cat")
    box = {"type": "bbox", "value": "cat", "points": [0, 0, 1, 1]}
    return fill("a.png", annotations=[box]) | fill("b.png")


@pytest.mark.parametrize("make", [operator, decorated])
def test_a_function_decides_on_each_task(airflow_run, client, labelled, make, tmp_path):
    done = airflow_run(make()).attempt()
    assert done.state == "success", done.error
    assert done.result == {"looked_at": 2, "changed": 2, "left": 0, "failed": 0, "changed_before": 0}
    assert state(client) == {"a.png": "approved", "b.png": "sent_back"}
    assert comments(client, labelled["b.png"]) == ["Nothing is drawn here."]
    records = [path.relative_to(tmp_path / "home").as_posix() for path in tmp_path.rglob("*.jsonl")]
    name = "decide" if make is operator else "approve"
    assert records == [f"fastlabel/decisions/dag/run/{name}.jsonl"]


def test_the_decorator_is_found_by_its_name():
    (entry,) = get_provider_info()["task-decorators"]
    module, _, name = entry["class-name"].rpartition(".")
    assert entry["name"] == "fastlabel"
    assert (module, name) == (fastlabel_task.__module__, fastlabel_task.__name__)
    assert task.fastlabel is not None


def test_a_decorated_function_takes_arguments_and_what_the_context_has(airflow_run, client, labelled):
    seen = []

    def decide(task, least, ti=None, params=None, *, word="x", **rest):
        seen.append((task["name"], least, ti.task_id, word, "dag_run" in rest))
        return None

    done = airflow_run(decorated(decide, "{{ 1 + 1 }}", called={"word": "{{ run_id }}"})).attempt()
    assert done.state == "success", done.error
    assert seen == [("a.png", "2", "decide", "run", True), ("b.png", "2", "decide", "run", True)]
    assert done.result["left"] == 2


def test_it_can_be_mapped(client, labelled):
    def decorate(function) -> Any:
        return fastlabel_task(project="photos", filter_status="registered")(function)

    with DAG("mapped", schedule=None):
        assert decorate(at_least).expand(least=[1, 2]).operator.is_mapped
        partial = FastLabelDecideTasksOperator.partial(task_id="m", python_callable=approve, filter_status="registered")
        assert partial.expand(project=["photos", "cats"]).is_mapped
        assert [decorate(approve)().operator.task_id for _ in range(2)] == ["approve", "approve__1"]


@pytest.mark.parametrize("make", [operator, decorated])
def test_a_retry_goes_on_and_comments_once(airflow_run, emulator, client, labelled, make):
    answers = iter(["first", "second", "third", "fourth"])
    run = airflow_run(make(lambda each: {"status": "sent_back", "comment": next(answers)}, task_id="again"))
    emulator.faults({"method": "PUT", "times": 2, "kind": "status", "status": 500})
    failed = run.attempt(1, retries_left=True)
    assert failed.state == "up_for_retry"
    assert isinstance(failed.error, RunIncomplete)
    assert len(failed.xcoms["failures"]) == 2
    done = run.attempt(2)
    assert done.result == {"looked_at": 2, "changed": 2, "left": 0, "failed": 0, "changed_before": 0}
    said = [comments(client, task_id) for task_id in labelled.values()]
    assert sorted(said) == [["first"], ["second"]]
    again = run.attempt(3)  # as cleared: nothing is left to do
    assert again.result == {"looked_at": 0, "changed": 0, "left": 0, "failed": 0, "changed_before": 2}


def test_a_retry_on_another_worker_does_not_comment_twice(
    airflow_run, emulator, client, labelled, monkeypatch, tmp_path
):
    run = airflow_run(operator(lambda each: {"status": "sent_back", "comment": "look"}))
    emulator.faults({"method": "PUT", "times": 2, "kind": "status", "status": 500})
    run.attempt(1, retries_left=True)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "another worker"))
    assert run.attempt(2).result["changed"] == 2
    assert [comments(client, task_id) for task_id in labelled.values()] == [["look"], ["look"]]


def test_the_next_part_on_another_worker_does_not_comment_twice(
    airflow_run, emulator, client, labelled, monkeypatch, tmp_path
):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.task_memory.STORE", "as before Airflow 3.3")
    run = airflow_run(operator(lambda each: {"status": "sent_back", "comment": "look"}, max_workers=1))
    emulator.faults({"method": "PUT", "times": 1, "kind": "status", "status": 429, "retry_after": 60})
    run.between_parts = lambda: monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "another worker"))
    done = run.attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert [comments(client, task_id) for task_id in labelled.values()] == [["look"], ["look"]]


def test_the_comment_of_another_task_of_the_run_is_not_taken_for_ours(airflow_run, client, labelled):
    for task_id in ("first", "second"):
        done = airflow_run(operator(lambda each: {"comment": "look"}, task_id=task_id)).attempt()
        assert done.result["changed"] == 2
    assert [comments(client, task_id) for task_id in labelled.values()] == [["look", "look"]] * 2


def test_the_record_may_lie_in_an_object_store(airflow_run, client, labelled, memory):
    done = airflow_run(operator(record="memory://records/{{ run_id }}.jsonl")).attempt()
    assert done.state == "success", done.error
    lines = memory.cat_file("/records/run.jsonl").decode().splitlines()
    assert sum('"done"' in line for line in lines) == 2


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    attach("memory", fs=filesystem)
    filesystem.makedirs("/records")
    yield filesystem
    filesystem.rm("/records", recursive=True)


@pytest.mark.parametrize("dry_run", [True, "{{ 1 == 1 }}"])
def test_a_dry_run_changes_nothing_and_leaves_no_record(airflow_run, client, labelled, tmp_path, dry_run):
    done = airflow_run(operator(dry_run=dry_run)).attempt()
    assert done.result == {"looked_at": 2, "would_change": 2, "left": 0, "failed": 0, "dry_run": True}
    assert set(state(client).values()) == {"registered"}
    assert not list(tmp_path.rglob("*.jsonl"))


def test_airflows_own_exceptions_end_the_task(airflow_run, client, labelled):
    def refuse(each):
        raise AirflowFailException("this batch is not ours")

    done = airflow_run(operator(refuse)).attempt(retries_left=True)
    assert done.state == "failed"
    assert "this batch is not ours" in str(done.error)


def test_an_unknown_project_fails_without_retries(airflow_run, client):
    done = airflow_run(operator(project="nowhere")).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, NotFound)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dry_run": "{{ 'maybe' }}"}, "dry_run must be True or False, not 'maybe'"),
        ({"dry_run": "{{ none }}"}, "dry_run must be True or False"),
        ({"record": "{{ none }}"}, "record is empty; its template may have been rendered to nothing"),
        ({"filter_status": None}, "Choose the tasks in one way"),
        ({"task_ids": ["a"]}, "Choose the tasks in one way"),
    ],
)
def test_arguments_that_rendered_to_what_cannot_be_meant_are_refused(airflow_run, emulator, labelled, arguments, words):
    emulator.clear_requests()
    done = airflow_run(operator(**arguments)).attempt(retries_left=True)
    assert done.state == "failed"
    assert words in str(done.error)
    assert not any(request["method"] != "GET" for request in emulator.requests())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (operator("approve"), "python_callable must be a function"),
        (operator(lambda: None), "must take the task as its first argument"),
        (operator(lambda *, each: None), "must take the task as its first argument"),
        (decorated(lambda: None, task_id="a"), "must take the task as its first argument"),
        (decorated(lambda each, least: None, task_id="a"), "missing a required argument: 'least'"),
        (decorated(lambda each: None, 5, task_id="a"), "too many positional arguments"),
        (operator(max_workers=0), "max_workers"),
    ],
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(make, words):
    with pytest.raises((ValueError, TypeError), match=words), DAG("parsed", schedule=None):
        make()
