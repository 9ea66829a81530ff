"""FastLabelModelJobSensor: the end of a job of each kind, in a worker and deferred alike."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_fastlabel.sensors import FastLabelModelJobSensor
from tests.airflow_fixtures import calls, later
from tests.sensors.modes import modes

QUICK = {"task_id": "wait", "poll_interval": 0.05, "timeout": 20}
PATHS = {"training": "trainings", "evaluation": "evaluations", "auto_annotation": "auto-annotations"}


@pytest.fixture(params=PATHS)
def kind(request):
    """A kind of job."""
    return request.param


@pytest.fixture
def job(kind, client, emulator):
    """What names a running job of the kind, as arguments of the sensor."""
    emulator.configure(job_manual=True)
    client.create_dataset("cats")
    if kind == "training":
        return {"kind": kind, "job_id": client.execute_training_job("cats", "light", 3)["trainingJobId"]}
    if kind == "evaluation":
        return {"kind": kind, "job_id": client.execute_evaluation_job("cats", "m")["id"]}
    return {"kind": kind, "job_id": client.execute_auto_annotation_job("photos", "m"), "project": "photos"}


def sensor(**arguments):
    """Return how to make the sensor."""
    return lambda: FastLabelModelJobSensor(**{**QUICK, **arguments})


@modes
def test_waits_until_it_has_completed(airflow_run, emulator, job, kind, mode):
    thread = later(emulator, PATHS[kind], 2, lambda: emulator.control("POST", "jobs", {}))
    done = airflow_run(sensor(**job, **mode)).attempt()
    thread.join()
    assert done.state == "success", done.error
    assert (done.result["job_id"], done.result["status"]) == (job["job_id"], "completed")


@modes
def test_a_failed_job_fails_at_once_with_its_id(airflow_run, emulator, job, kind, mode):
    thread = later(emulator, PATHS[kind], 2, lambda: emulator.control("POST", "jobs", {"status": "failed"}))
    done = airflow_run(sensor(**job, **mode)).attempt(retries_left=True)
    thread.join()
    assert isinstance(done.error, AirflowFailException)
    assert job["job_id"] in str(done.error)


@modes
def test_timeout_names_the_running_job(airflow_run, job, mode):
    done = airflow_run(sensor(**job, **mode, **{"timeout": 0.2})).attempt()
    assert isinstance(done.error, AirflowSensorTimeout)
    assert f"job {job['job_id']} is in_progress" in str(done.error)


@modes
def test_an_unknown_job_fails_at_once(airflow_run, job, mode):
    done = airflow_run(sensor(**{**job, "job_id": "no-such-job"}, **mode)).attempt(retries_left=True)
    assert isinstance(done.error, AirflowFailException)
    assert done.deferrals == []


def test_an_id_that_rendered_to_nothing_fails_before_any_call(airflow_run, emulator, client):
    emulator.clear_requests()
    done = airflow_run(sensor(kind="training", job_id="{{ None }}")).attempt()
    assert "job_id is empty" in str(done.error)
    assert calls(emulator, "") == 0


@pytest.mark.parametrize(
    ("arguments", "word"), [({"kind": "cooking"}, "cooking"), ({"kind": "auto_annotation"}, "project")]
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments, word):
    with pytest.raises(ValueError, match=word):
        sensor(job_id="j", **arguments)()
