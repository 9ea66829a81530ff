"""The operators that run jobs of models, in a worker and deferred alike: one job, whatever dies half-way."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowTaskTimeout

from airflow_provider_fastlabel.client.exceptions import NotFound, OutcomeUnknown
from airflow_provider_fastlabel.operators import (
    FastLabelRunAutoAnnotationJobOperator,
    FastLabelRunEvaluationJobOperator,
    FastLabelRunTrainingJobOperator,
)
from tests.airflow_fixtures import later
from tests.airflow_run import needs_state_store

modes = pytest.mark.parametrize("mode", [{"deferrable": False}, {"deferrable": True}], ids=["worker", "deferrable"])

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "trainings": (FastLabelRunTrainingJobOperator, {"dataset_name": "cats", "base_model_name": "light", "epoch": 3}),
    "evaluations": (FastLabelRunEvaluationJobOperator, {"dataset_name": "cats", "model_name": "light-1"}),
    "auto-annotations": (FastLabelRunAutoAnnotationJobOperator, {"project": "photos", "model_name": "light-1"}),
}


@pytest.fixture(params=KINDS)
def path(request):
    """The route of a kind of job."""
    return request.param


@pytest.fixture
def world(client, emulator):
    """A dataset to train on; jobs run until the test settles them."""
    client.create_dataset("cats")
    emulator.configure(job_manual=True)
    return client


def operator(path, **arguments):
    """Return how to make the operator of a kind with quick polls."""
    make, own = KINDS[path]
    defaults = {"task_id": "job", "poll_interval": 0.05, "timeout": 20}
    return lambda: make(**{**defaults, **own, **arguments})


def submits(emulator, path):
    """Return how often a job was started."""
    return sum((r["method"], r["path"]) == ("POST", path) for r in emulator.requests())


def settle(emulator, status="completed"):
    """End all running jobs."""
    emulator.control("POST", "jobs", {"status": status})


def jobs_of(client, path):
    """Return the jobs of a kind, newest first."""
    lists = {
        "trainings": client.get_training_jobs,
        "evaluations": client.get_evaluation_jobs,
        "auto-annotations": lambda: client.get_auto_annotation_jobs("photos"),
    }
    return [job.get("trainingJobId") or job["id"] for job in lists[path]()]


DETAILS = {
    "trainings": {"base_model_name", "model_id", "model_name", "model_url", "content_count"},
    "evaluations": {"model_name", "content_count", "metrics"},
    "auto-annotations": {"model_name", "content_count", "annotation_count"},
}
COMMON = {"job_id", "kind", "status", "created_at", "completed_at"}


@modes
def test_runs_the_job_and_tells_of_it(airflow_run, emulator, world, path, mode):
    thread = later(emulator, path, 3, lambda: settle(emulator))
    run = airflow_run(operator(path, **mode))
    done = run.attempt()
    thread.join()
    assert done.state == "success", done.error
    assert set(done.result) == COMMON | DETAILS[path]
    assert done.result["job_id"] == done.xcoms["job_id"] == jobs_of(world, path)[0]
    assert done.result["status"] == "completed"
    assert done.result["completed_at"]
    assert run.supervisor.kept == {}
    assert len(done.deferrals) == (1 if mode["deferrable"] else 0)


def test_what_a_finished_training_tells(airflow_run, emulator, world):
    emulator.configure(job_manual=False, job_seconds=0)
    done = airflow_run(operator("trainings")).attempt()
    assert done.result["base_model_name"] == "light"
    assert done.result["model_name"].startswith("light-")
    assert done.result["model_id"] == done.result["job_id"]


def test_what_a_finished_evaluation_tells(airflow_run, emulator, world):
    emulator.configure(job_manual=False, job_seconds=0)
    done = airflow_run(operator("evaluations")).attempt()
    assert done.result["metrics"] == {"mAP": 0.0, "recall": 0.0, "precision": 0.0, "f1": 0.0}


def test_every_argument_is_sent(airflow_run, emulator, world, tmp_path):
    emulator.configure(job_manual=False, job_seconds=0)
    config = tmp_path / "config.yaml"
    config.write_text("lr: 1")
    more = {
        "use_dataset_train_val": True, "instance_type": "ml.g5", "batch_size": 8, "learning_rate": 0.01,
        "resize_option": "fixed", "resize_dimension": 512, "annotation_value": "cat", "config_file_path": str(config),
    }  # fmt: skip
    assert airflow_run(operator("trainings", **more)).attempt().state == "success"
    (sent,) = (r["body"] for r in emulator.requests() if r["method"] == "POST" and r["path"] == "trainings")
    assert sent.pop("configFile")["size"] == 5
    assert sent == {
        "datasetName": "cats", "baseModelName": "light", "epoch": 3, "useDatasetTrainVal": True,
        "instanceType": "ml.g5", "batchSize": 8, "learningRate": 0.01, "resizeOption": "fixed", "resizeDimension": 512,
        "annotationValue": "cat",
    }  # fmt: skip


@modes
def test_a_failed_job_fails_with_its_id_and_a_retry_starts_another(airflow_run, emulator, world, path, mode):
    run = airflow_run(operator(path, **mode))
    thread = later(emulator, path, 3, lambda: settle(emulator, "failed"))
    first = run.attempt(1, retries_left=True)
    thread.join()
    assert first.state == "up_for_retry"
    assert type(first.error) is AirflowException
    assert jobs_of(world, path)[0] in str(first.error)
    assert "failed" in str(first.error)
    thread = later(emulator, path, 5, lambda: settle(emulator))
    second = run.attempt(2)
    thread.join()
    assert second.state == "success"
    assert submits(emulator, path) == 2


@modes
def test_a_retry_attaches_to_the_running_job(airflow_run, emulator, world, path, mode):
    run = airflow_run(operator(path, **mode, timeout=1))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert isinstance(first.error, AirflowTaskTimeout)
    assert "is in_progress" in str(first.error)
    # The job still runs when the retry looks: all that a release without a state store can find.
    thread = later(emulator, path, 2, lambda: settle(emulator))
    second = run.attempt(2)
    thread.join()
    assert second.state == "success"
    assert submits(emulator, path) == 1


@needs_state_store
def test_a_worker_that_dies_between_starting_and_remembering_leaves_one_job(airflow_run, emulator, world, path):
    run = airflow_run(operator(path, deferrable=True))
    first = run.attempt(1, triggerer=False)
    # What the store held at the moment of the start is what a dead worker leaves.
    before_start = run.supervisor.keep_history[0]
    assert "job_id" not in before_start[1]
    run.supervisor.kept = dict([before_start])
    settle(emulator)
    second = run.attempt(2)
    assert second.result["job_id"] == first.xcoms["job_id"]
    assert submits(emulator, path) == 1


@needs_state_store
@modes
def test_cleared_after_a_mark_a_finished_job_is_not_taken_for_the_new_one(airflow_run, emulator, world, path, mode):
    run = airflow_run(operator(path, deferrable=True))
    first = run.attempt(1, triggerer=False)
    # A person marks the task failed or succeeded, which no process of the task sees; the job ends; the task is cleared.
    settle(emulator)
    run.clear(1)
    run._make = operator(path, **mode)
    emulator.configure(job_manual=False, job_seconds=0)
    second = run.attempt(2)
    assert submits(emulator, path) == 2
    assert second.state == "success", second.error
    assert second.result["job_id"] != first.xcoms["job_id"]


@needs_state_store
def test_cleared_while_the_job_runs_it_is_attached_to_and_a_retry_takes_its_end(airflow_run, emulator, world, path):
    run = airflow_run(operator(path, deferrable=True))
    first = run.attempt(1, triggerer=False)
    run.clear(1)
    assert run.attempt(2, triggerer=False).xcoms == first.xcoms
    settle(emulator)
    third = run.attempt(3)
    assert third.state == "success", third.error
    assert third.result["job_id"] == first.xcoms["job_id"]
    assert submits(emulator, path) == 1


def test_a_lost_answer_is_settled_by_the_list(airflow_run, emulator, world, path):
    emulator.fault("lost_answer", method="POST", path=path, times=1)
    done = airflow_run(operator(path, deferrable=True)).attempt(triggerer=False)
    assert done.state == "deferred", done.error
    assert [done.xcoms["job_id"]] == jobs_of(world, path)
    assert submits(emulator, path) == 1


def test_a_start_that_never_arrived_is_left_to_the_retry(airflow_run, emulator, world, path):
    emulator.fault("status", method="POST", path=path, times=1, status=500)
    run = airflow_run(operator(path, deferrable=True))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert isinstance(first.reason, OutcomeUnknown)
    assert run.attempt(2, triggerer=False).state == "deferred"
    assert len(jobs_of(world, path)) == 1


@needs_state_store
def test_a_job_of_others_that_began_while_the_slot_was_left_is_not_taken_for_ours(airflow_run, emulator, world, path):
    """A start that FastLabel refused as one call too many was none."""
    emulator.fault("status", method="POST", path=path, times=1, status=429, retry_after=60)
    run = airflow_run(operator(path, deferrable=True))
    make, arguments = KINDS[path]
    run.between_parts = lambda: getattr(world, f"execute_{make.kind}_job")(**arguments)
    done = run.attempt(triggerer=False)
    assert (done.state, done.reschedules) == ("deferred", 1)
    newest, _theirs = jobs_of(world, path)
    assert done.xcoms["job_id"] == newest


@needs_state_store
def test_several_jobs_in_question_are_for_a_person_to_decide(airflow_run, emulator, world, path):
    run = airflow_run(operator(path, deferrable=True))
    run.attempt(1, triggerer=False)
    before_start = run.supervisor.keep_history[0]
    # Another task has started the same at that very time.
    airflow_run(operator(path, deferrable=True)).attempt(1, triggerer=False)
    run = airflow_run(operator(path, deferrable=True))
    run.supervisor.kept = dict([before_start])
    second = run.attempt(2, retries_left=True)
    assert second.state == "failed"
    assert isinstance(second.error, AirflowFailException)
    assert all(job in str(second.error) for job in jobs_of(world, path))
    assert submits(emulator, path) == 2
    # Clearing starts anew.
    assert run.attempt(3, triggerer=False).state == "deferred"
    assert submits(emulator, path) == 3


def test_jobs_that_look_different_are_not_taken_for_ours(airflow_run, emulator, world):
    emulator.fault("status", method="POST", path="trainings", times=1, status=500)
    run = airflow_run(operator("trainings", deferrable=True))
    run.attempt(1, retries_left=True)
    world.execute_training_job("cats", "light", 4)
    world.execute_training_job("cats", "heavy", 3)
    run.attempt(2, triggerer=False)
    assert len(jobs_of(world, "trainings")) == 3


def test_before_airflow_3_3_a_retry_attaches_to_the_newest_running_job(airflow_run, emulator, world, path, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.task_memory.STORE", "no_such_store")
    run = airflow_run(operator(path, timeout=1))
    first = run.attempt(1, retries_left=True)
    second = run.attempt(2, retries_left=True)
    assert second.xcoms["job_id"] == first.xcoms["job_id"]
    assert submits(emulator, path) == 1
    settle(emulator)
    run.attempt(3)
    assert submits(emulator, path) == 2


def test_without_waiting_it_returns_at_once(airflow_run, emulator, world, path):
    run = airflow_run(operator(path, wait_for_completion=False))
    done = run.attempt()
    assert set(done.result) == COMMON | DETAILS[path]
    assert done.result["job_id"] == jobs_of(world, path)[0]
    assert done.result["status"] == "in_progress"
    assert run.supervisor.kept == {}


def test_what_the_database_keeps_of_the_deferral_holds_no_token(airflow_run, emulator, world, path):
    done = airflow_run(operator(path, deferrable=True)).attempt(triggerer=False)
    (stored,) = done.deferrals
    assert emulator.token not in str(stored)


def test_an_unknown_dataset_fails_without_retries(airflow_run, client):
    done = airflow_run(operator("trainings")).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, NotFound)


@pytest.mark.parametrize("arguments", [{"poll_interval": 0}, {"timeout": -1}])
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        operator("trainings", **arguments)()


def test_killing_the_task_calls_nothing(airflow_run, emulator, world, path):
    made: list[Any] = []
    build = operator(path, deferrable=True)

    def make():
        made.append(build())
        return made[-1]

    airflow_run(make).attempt(triggerer=False)
    emulator.clear_requests()
    made[-1].on_kill()
    assert emulator.requests() == []


@needs_state_store
@pytest.mark.parametrize("change", [lambda text: None, lambda text: text.removesuffix("Z")], ids=["none", "no offset"])
def test_a_job_in_question_is_found_whatever_is_told_of_its_time(airflow_run, emulator, world, path, told, change):
    told(change)
    emulator.configure(job_manual=False, job_seconds=0)
    assert airflow_run(operator(path)).attempt().state == "success"
    emulator.configure(job_manual=True)
    run = airflow_run(operator(path, deferrable=True))
    first = run.attempt(1, triggerer=False)
    run.supervisor.kept = dict([run.supervisor.keep_history[0]])
    second = run.attempt(2, triggerer=False)
    assert second.state == "deferred", second.error
    assert second.xcoms["job_id"] == first.xcoms["job_id"]
    assert submits(emulator, path) == 2
