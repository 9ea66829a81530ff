"""FastLabelImportHistorySensor and FastLabelS3ImportSensor: the end of an import, in a worker and deferred alike."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_fastlabel.sensors import FastLabelImportHistorySensor, FastLabelS3ImportSensor
from tests.airflow_fixtures import calls, later, settle
from tests.sensors.modes import modes

QUICK: dict[str, Any] = {"task_id": "wait", "project": "photos", "poll_interval": 0.05, "timeout": 20}


@pytest.fixture
def history_id(client, bucket):
    """The id of a running import."""
    return client.create_task_from_aws_s3("photos")["id"]


@pytest.fixture(params=["history", "s3"])
def sensor(request, history_id):
    """Return how to make either sensor for the running import, and the path it asks."""

    def make(**arguments):
        if request.param == "history":
            return lambda: FastLabelImportHistorySensor(history_id=history_id, **{**QUICK, **arguments})
        return lambda: FastLabelS3ImportSensor(**{**QUICK, **arguments})

    return make


@modes
def test_waits_until_it_has_completed(airflow_run, emulator, sensor, history_id, mode):
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator))
    done = airflow_run(sensor(**mode)).attempt()
    thread.join()
    assert done.state == "success"
    assert done.result == {"project": "photos", "history_id": history_id, "status": "completed"}


@modes
def test_a_failed_import_fails_at_once_with_the_history(airflow_run, emulator, sensor, history_id, mode):
    fail = lambda: settle(emulator, status="failed", message="bucket_gone")  # noqa: E731
    thread = later(emulator, "tasks/import", 3, fail)
    done = airflow_run(sensor(**mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "failed"
    assert isinstance(done.error, AirflowFailException)
    assert history_id in str(done.error)
    assert "bucket_gone" in str(done.error)


@modes
def test_timeout_names_the_running_import(airflow_run, sensor, history_id, mode):
    done = airflow_run(sensor(**mode, timeout=0.2)).attempt()
    assert isinstance(done.error, AirflowSensorTimeout)
    assert f"import {history_id} of project photos is running" in str(done.error)


@modes
def test_an_unknown_history_fails_at_once(airflow_run, client, mode):
    make = lambda: FastLabelImportHistorySensor(history_id="no-such-id", **QUICK, **mode)  # noqa: E731
    done = airflow_run(make).attempt(retries_left=True)
    assert isinstance(done.error, AirflowFailException)
    assert done.deferrals == []


@modes
def test_a_project_without_an_import_is_waited_for(airflow_run, emulator, client, bucket, mode):
    emulator.configure(history_manual=False, history_seconds=0)
    thread = later(emulator, "tasks/import/status", 3, lambda: client.create_task_from_aws_s3("photos"))
    done = airflow_run(lambda: FastLabelS3ImportSensor(**QUICK, **mode)).attempt()
    thread.join()
    assert done.result["status"] == "completed"


@modes
def test_a_project_that_does_not_exist_fails_at_once(airflow_run, client, mode):
    make = lambda: FastLabelS3ImportSensor(**{**QUICK, **mode, "project": "nowhere"})  # noqa: E731
    done = airflow_run(make).attempt(retries_left=True)
    assert isinstance(done.error, AirflowFailException)


def test_a_history_id_that_rendered_to_nothing_fails_before_any_call(airflow_run, emulator, client):
    emulator.clear_requests()
    done = airflow_run(lambda: FastLabelImportHistorySensor(history_id="{{ None }}", **QUICK)).attempt()
    assert "history_id is empty" in str(done.error)
    assert calls(emulator, "") == 0
