"""FastLabelCreateTasksFromS3Operator against a real S3-compatible bucket, in a worker and deferred alike."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowTaskTimeout

from airflow_provider_fastlabel.client.exceptions import AuthError, NotFound
from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator
from tests.airflow_fixtures import later, settle
from tests.airflow_run import needs_retry_policy, needs_state_store

modes = pytest.mark.parametrize("mode", [{"deferrable": False}, {"deferrable": True}], ids=["worker", "deferrable"])


def operator(**arguments):
    """Return how to make the operator with quick polls."""
    defaults = {"task_id": "import", "project": "photos", "poll_interval": 0.05, "timeout": 20}
    return lambda: FastLabelCreateTasksFromS3Operator(**{**defaults, **arguments})


def submits(emulator):
    """Return how often an import was started."""
    return sum((r["method"], r["path"]) == ("POST", "tasks/aws-s3") for r in emulator.requests())


@modes
def test_sets_the_bucket_imports_it_and_counts(airflow_run, emulator, client, bucket, fill, mode):
    fill("already.png")
    arguments = {"bucket_name": "photos", "bucket_region": "us-east-1", "prefix": "in/", "tags": ["s3"], "priority": 20}
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator))
    run = airflow_run(operator(**mode, **arguments))
    done = run.attempt()
    thread.join()
    history = client.get_histories("photos")[0]
    assert done.state == "success"
    assert done.result == {
        "history_id": history["id"], "status": "completed", "tasks_before": 1, "tasks_after": 3, "created": 2,
    }  # fmt: skip
    assert done.xcoms["history_id"] == history["id"]
    task = client.find_image_task_by_name("photos", "in/a.png")
    assert (task["tags"], task["priority"]) == (["s3"], 20)
    assert run.supervisor.kept == {}
    assert len(done.deferrals) == (1 if mode["deferrable"] else 0)


@modes
def test_a_failed_import_fails_at_once_with_the_history(airflow_run, emulator, client, bucket, mode):
    fail = lambda: settle(emulator, status="failed", message="no_permission")  # noqa: E731
    thread = later(emulator, "tasks/import", 3, fail)
    done = airflow_run(operator(**mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "up_for_retry"
    assert type(done.error) is AirflowException
    assert client.get_histories("photos")[0]["id"] in str(done.error)
    assert "no_permission" in str(done.error)


@needs_state_store
@modes
def test_a_retry_attaches_to_the_running_import(airflow_run, emulator, client, bucket, mode):
    run = airflow_run(operator(**mode, timeout=1))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert isinstance(first.error, AirflowTaskTimeout)
    assert "is running" in str(first.error)
    thread = later(emulator, "tasks/import", 2, lambda: settle(emulator))
    second = run.attempt(2)
    thread.join()
    assert second.state == "success"
    assert second.result["tasks_before"] == 0
    assert second.result["created"] == 2
    assert submits(emulator) == 1


@modes
def test_a_retry_after_a_failed_import_imports_again(airflow_run, emulator, client, bucket, mode):
    run = airflow_run(operator(**mode))
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator, status="failed"))
    run.attempt(1, retries_left=True)
    thread.join()
    thread = later(emulator, "tasks/import", 5, lambda: settle(emulator))
    second = run.attempt(2)
    thread.join()
    assert second.state == "success"
    assert submits(emulator) == 2


@needs_state_store
def test_a_worker_that_dies_between_submitting_and_remembering_imports_again_after_it(
    airflow_run, emulator, client, bucket
):
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, triggerer=False)
    # What the store held at the moment of the submit is what a dead worker leaves.
    before_submit = run.supervisor.keep_history[0]
    run.supervisor.kept = dict([before_submit])
    assert "history_id" not in before_submit[1]
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator))
    then = later(emulator, "tasks/aws-s3", 1, lambda: settle(emulator))
    second = run.attempt(2)
    assert second.state == "success", second.error
    thread.join()
    then.join()
    assert second.result["created"] == 2
    assert submits(emulator) == 2
    assert client.count_tasks("photos") == 2


def test_a_worker_that_dies_before_submitting_submits_on_the_retry(airflow_run, emulator, client, bucket):
    emulator.faults({"method": "POST", "path": "tasks/aws-s3", "times": 1, "kind": "status", "status": 500})
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, retries_left=True)
    thread = later(emulator, "tasks/import", 4, lambda: settle(emulator))
    second = run.attempt(2)
    thread.join()
    assert second.state == "success"
    assert len(client.get_histories("photos")) == 1


@needs_state_store
@modes
@pytest.mark.parametrize("remembered", [0, 1], ids=["before the submit", "after it"])
def test_cleared_after_a_mark_a_finished_import_is_not_taken_for_the_new_one(
    airflow_run, emulator, client, bucket, mode, remembered
):
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, triggerer=False)
    # A person marks the task failed or succeeded, which no process of the task sees, and removes what was imported.
    settle(emulator)
    for task in client.get_image_tasks("photos"):
        client.delete_task(task["id"])
    run.supervisor.kept = dict([run.supervisor.keep_history[remembered]])
    run.clear(1)
    run._make = operator(**mode)
    emulator.configure(history_manual=False, history_seconds=0)
    second = run.attempt(2)
    assert submits(emulator) == 2
    assert second.state == "success", second.error
    assert second.result["history_id"] != first.xcoms["history_id"]
    assert second.result["created"] == 2


@needs_state_store
def test_cleared_while_the_import_runs_it_is_attached_to_and_a_retry_takes_its_end(
    airflow_run, emulator, client, bucket
):
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, triggerer=False)
    run.clear(1)
    assert run.attempt(2, triggerer=False).xcoms == first.xcoms
    settle(emulator)
    third = run.attempt(3)
    assert third.state == "success", third.error
    assert third.result["history_id"] == first.xcoms["history_id"]
    assert submits(emulator) == 1


@needs_state_store
def test_other_arguments_are_another_import(airflow_run, emulator, client, bucket):
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, triggerer=False)
    settle(emulator)
    run._make = operator(deferrable=True, tags=["changed"])
    run.attempt(2, triggerer=False)
    assert submits(emulator) == 2


@modes
def test_before_airflow_3_3_a_retry_waits_for_what_runs_and_imports_again(
    airflow_run, emulator, client, bucket, monkeypatch, mode
):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.task_memory.STORE", "no_such_store")
    run = airflow_run(operator(**mode, timeout=1))
    assert run.attempt(1, retries_left=True).state == "up_for_retry"
    assert run.supervisor.kept == {}
    run._make = operator(**mode)
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator))
    then = later(emulator, "tasks/aws-s3", 1, lambda: settle(emulator))
    second = run.attempt(2)
    assert second.state == "success", second.error
    thread.join()
    then.join()
    assert submits(emulator) == 2
    assert client.count_tasks("photos") == 2


@needs_state_store
def test_without_waiting_it_returns_at_once(airflow_run, emulator, client, bucket):
    run = airflow_run(operator(wait_for_completion=False))
    done = run.attempt()
    assert done.state == "success"
    assert done.result == {
        "history_id": client.get_histories("photos")[0]["id"], "status": "running", "tasks_before": 0,
        "tasks_after": None, "created": None,
    }  # fmt: skip
    assert run.supervisor.kept == {}
    settle(emulator)
    run.attempt(2)
    assert submits(emulator) == 2


def test_the_history_id_is_pushed_before_the_waiting(airflow_run, client, bucket):
    done = airflow_run(operator(deferrable=True)).attempt(triggerer=False)
    assert done.state == "deferred"
    assert done.xcoms == {"history_id": client.get_histories("photos")[0]["id"]}


def test_what_the_database_keeps_of_the_deferral(airflow_run, emulator, client, bucket):
    done = airflow_run(operator(deferrable=True, timeout=100, poll_interval=30)).attempt(triggerer=False)
    (stored,) = done.deferrals
    assert emulator.token not in str(stored)
    assert stored["kwargs"]["fastlabel_conn_id"] == "fastlabel_default"
    # `airflow dags test` loses what is deferred beside the trigger.
    assert stored["next_kwargs"] == {}
    # Behind the deadline there is time for a last call that hangs: two tries of 10 s and 60 s.
    assert 100 + 2 * 30 + 140 < stored["timeout"] < 100 + 2 * 30 + 300


@modes
def test_an_outage_of_fastlabel_does_not_end_the_wait(airflow_run, emulator, client, bucket, mode):
    histories = {"path": "tasks/import/histories"}
    submit = {**histories, "times": 1, "kind": "slow", "seconds": 0}
    emulator.faults(submit, {**histories, "times": 5, "kind": "status", "status": 502})
    thread = later(emulator, "tasks/import", 8, lambda: settle(emulator))
    done = airflow_run(operator(**mode)).attempt()
    thread.join()
    assert done.state == "success"


def test_a_wrong_token_fails_without_retries_and_without_showing_itself(airflow_run, emulator, client, connect, caplog):
    connect(password="a-wrong-token", host=emulator.url)
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, AuthError)
    assert "a-wrong-token" not in str(done.error) + caplog.text


@pytest.mark.parametrize("wrong", [{"status": "aproved"}, {"tags": ["{{ none }}"]}])  # codespell:ignore aproved
def test_wrong_arguments_are_refused_before_the_bucket_is_linked(airflow_run, emulator, client, wrong):
    emulator.clear_requests()
    make = operator(bucket_name="photos", bucket_region="us-east-1", **wrong)
    done = airflow_run(make).attempt(retries_left=True)
    assert done.state == "failed"
    assert next(iter(wrong)) in str(done.error)
    assert emulator.requests() == []


@pytest.mark.parametrize("prefix", ["{{ '' }}", "{{ none }}"])
def test_a_prefix_that_rendered_to_nothing_does_not_link_the_whole_bucket(airflow_run, emulator, client, prefix):
    emulator.clear_requests()
    make = operator(bucket_name="photos", bucket_region="us-east-1", prefix=prefix)
    done = airflow_run(make).attempt(retries_left=True)
    assert done.state == "failed"
    assert "prefix is empty" in str(done.error)
    assert not [request for request in emulator.requests() if request["method"] != "GET"]


def test_an_unknown_project_fails_without_retries(airflow_run, client):
    done = airflow_run(operator(project="nowhere")).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, NotFound)


def test_before_airflow_3_3_permanent_errors_are_airflows_own(airflow_run, client, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.retry.HAS_RETRY_POLICY", False)
    done = airflow_run(operator(project="nowhere")).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.error, AirflowFailException)


@needs_state_store
def test_an_exceeded_quota_leaves_the_slot_and_the_import_is_not_started_twice(airflow_run, emulator, bucket):
    emulator.faults({"path": "tasks/count", "times": 1, "kind": "status", "status": 429, "retry_after": 400})
    done = airflow_run(operator(wait_for_completion=False)).attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.pauses[0].is_of(400)
    assert submits(emulator) == 1


@needs_retry_policy
def test_what_cannot_remember_does_not_leave_but_is_retried_when_fastlabel_asks(
    airflow_run, emulator, client, monkeypatch
):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.slot.STORE", "nothing of the kind")
    emulator.faults({"path": "tasks/count", "times": 1, "kind": "status", "status": 429, "retry_after": 400})
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "up_for_retry"
    assert done.retry_delay == pytest.approx(400, abs=5)


@needs_retry_policy
def test_a_policy_of_the_dag_author_wins(airflow_run, client):
    from airflow.sdk import ExceptionRetryPolicy

    done = airflow_run(operator(project="nowhere", retry_policy=ExceptionRetryPolicy(rules=[]))).attempt(
        retries_left=True
    )
    assert done.state == "up_for_retry"


@pytest.mark.parametrize(
    "arguments",
    [
        {"bucket_name": "b"},
        {"bucket_region": "r"},
        {"prefix": "p"},
        {"poll_interval": 0},
        {"timeout": -1},
    ],
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        operator(**arguments)()


def test_on_kill_has_nothing_to_undo(airflow_run, emulator, client, bucket):
    made: list[Any] = []
    build = operator(deferrable=True)

    def make():
        made.append(build())
        return made[-1]

    airflow_run(make).attempt(triggerer=False)
    emulator.clear_requests()
    made[-1].on_kill()
    assert emulator.requests() == []
