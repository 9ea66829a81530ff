"""What all operators share: lazy exports, the connection, the retry policy."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import DAG

from airflow_provider_fastlabel import operators
from airflow_provider_fastlabel.client import exceptions as errors
from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.pipelines.files.buckets import BucketMissingError
from airflow_provider_fastlabel.utils import retry
from tests.airflow_run import needs_retry_policy


def test_every_operator_can_be_imported_from_the_package():
    for name in operators.__all__:
        assert getattr(operators, name).__name__ == name
    assert operators.__all__ == sorted(operators.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="FastLabelNothing"):
        getattr(operators, "FastLabelNothing")  # noqa: B009


def test_importing_one_operator_does_not_import_the_others():
    code = (
        "import sys; from airflow_provider_fastlabel.operators import FastLabelUpdateTasksOperator;"
        "print([m for m in sys.modules if m.endswith(('operators.exports', 'operators.imports', 'client.client'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


@needs_retry_policy
@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (errors.AuthError("x", 401), "FAIL", None),
        (errors.AuthError("x", 403), "FAIL", None),
        (errors.NotFound("x", 404), "FAIL", None),
        (errors.Conflict("x", 409), "FAIL", None),
        (errors.FastLabelInvalidException("x", 422), "FAIL", None),
        (InvalidConnectionError("x"), "FAIL", None),
        (AirflowNotFoundException("x"), "FAIL", None),
        (BucketMissingError("x"), "FAIL", None),
        (FileNotFoundError("x"), "DEFAULT", None),
        (errors.RateLimited("x", 429, retry_after=300), "RETRY", 300),
        (errors.RateLimited("x", 429, retry_after=0), "RETRY", 1),
        (errors.RateLimited("x", 429), "DEFAULT", None),
        (errors.ServerError("x", 503), "DEFAULT", None),
        (errors.ConnectionFailed("x"), "DEFAULT", None),
        (errors.RequestTimeout("x"), "DEFAULT", None),
        (errors.OutcomeUnknown("x"), "DEFAULT", None),
        (KeyError("x"), "DEFAULT", None),
    ],
)
def test_policy(error, action, delay):
    decision = retry.FastLabelRetryPolicy().evaluate(error, 1, 3)
    assert decision.action.name == action
    assert decision.retry_delay == (timedelta(seconds=delay) if delay else None)


@needs_retry_policy
def test_the_policy_survives_serialisation():
    again = retry.FastLabelRetryPolicy.deserialize(retry.FastLabelRetryPolicy().serialize())
    assert isinstance(again, retry.FastLabelRetryPolicy)


@needs_retry_policy
def test_every_operator_has_the_policy_unless_the_dag_author_sets_one():
    from airflow.sdk import ExceptionRetryPolicy

    own = ExceptionRetryPolicy(rules=[])
    update = operators.FastLabelUpdateTasksOperator
    arguments: dict[str, Any] = {"project": "photos", "task_ids": ["a"], "status": "approved"}
    with DAG("one", schedule=None):
        assert isinstance(update(task_id="a", **arguments).retry_policy, retry.FastLabelRetryPolicy)
        assert update(task_id="b", retry_policy=own, **arguments).retry_policy is own
    with DAG("two", schedule=None, default_args={"retry_policy": own, "fastlabel_conn_id": "other"}):
        made = update(task_id="a", **arguments)
        assert made.retry_policy is own
        assert made.fastlabel_conn_id == "other"


def test_a_mapped_operator_gets_its_arguments_checked_when_it_runs(airflow_run, client, fill):
    ids = fill("a.png")

    def make():
        mapped = operators.FastLabelUpdateTasksOperator.partial(task_id="update", project="photos", status="approved")
        return mapped.expand(task_ids=[[ids["a.png"]]]).unmap({"task_ids": [ids["a.png"]]})

    done = airflow_run(make).attempt()
    assert done.result["updated"] == 1


def test_the_connection_id_is_a_template(airflow_run, emulator, connect, client):
    connect("team_x", password=emulator.token, host=emulator.url)
    make = lambda: operators.FastLabelUpdateTasksOperator(  # noqa: E731
        task_id="u", fastlabel_conn_id="{{ 'team' }}_x", project="photos", task_ids=[], status="approved"
    )
    assert airflow_run(make).attempt().state == "success"


def test_a_refused_token_fails_at_once_and_names_the_connection(airflow_run, emulator, connect, client, fill):
    connect("team_x", password="withdrawn-token", host=emulator.url)
    make = lambda: operators.FastLabelUpdateTasksOperator(  # noqa: E731
        task_id="u", fastlabel_conn_id="team_x", project="photos", filter_status="registered", status="approved"
    )
    done = airflow_run(make).attempt(retries_left=True)
    assert done.state == "failed"
    assert "Airflow connection 'team_x'" in str(done.error)
    assert "withdrawn-token" not in str(done.error)


def test_a_missing_connection_fails_without_retries(airflow_run):
    make = lambda: operators.FastLabelPushMonitoringResultsOperator(  # noqa: E731
        task_id="p", fastlabel_conn_id="nowhere", name="x", results=[{"status": "success", "result": [],
        "requestAt": "2026-11-22T09:00:00Z"}],
    )  # fmt: skip
    done = airflow_run(make).attempt(retries_left=True)
    assert done.state == "failed"
    assert "nowhere" in str(done.error)


@pytest.fixture
def nowhere(connect):
    """Lead the connection where nobody listens; return the host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        connect("team_x", password="a-secret-token", host=f"http://{host}/v1/", max_retries=0)
        yield host


@pytest.mark.parametrize(
    ("name", "arguments", "stays"),
    [
        ("FastLabelCreateTasksFromFolderOperator", {"folder": "in"}, "Nothing was created or changed now"),
        ("FastLabelUpdateTasksOperator", {"filter_tags": ["a"], "priority": 10}, "Nothing was created or changed now"),
        ("FastLabelExportCocoOperator", {"output": "out"}, "Nothing was published; what was there before stays"),
        ("FastLabelReportOperator", {"output": "out"}, "Nothing was published; the report that was there"),
    ],
)
def test_a_server_that_is_not_there_is_named_with_its_connection_and_what_stays(
    airflow_run, nowhere, tmp_path, monkeypatch, name, arguments, stays
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    operator = getattr(operators, name)
    arguments = {"task_id": "t", "fastlabel_conn_id": "team_x", "project": "photos", **arguments}
    error = airflow_run(lambda: operator(**arguments)).attempt().error
    assert isinstance(error, errors.ConnectionFailed)
    for words in (f"cannot connect to {nowhere} (Connection refused)", "Airflow connection 'team_x'", stays):
        assert words in str(error)
    assert "a-secret-token" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_refused_token_says_what_stays_and_names_the_connection_once(airflow_run, emulator, connect, tmp_path):
    connect("team_x", password="another-token", host=emulator.url)
    (tmp_path / "in").mkdir()
    run = airflow_run(
        lambda: operators.FastLabelCreateTasksFromFolderOperator(
            task_id="t", fastlabel_conn_id="team_x", project="photos", folder=str(tmp_path / "in")
        )
    )
    error = str(run.attempt().error)
    assert "FastLabel refused the access token" in error
    assert error.count("team_x") == 1
    assert error.endswith("Nothing was created or changed now; what was there before stays.")


def test_what_was_changed_before_a_call_failed_stays(airflow_run, emulator, fill):
    ids = fill("a.png", "b.png")
    emulator.faults({"kind": "status", "status": 401, "path": f"tasks/image/{ids['b.png']}", "times": 9})
    run = airflow_run(
        lambda: operators.FastLabelUpdateTasksOperator(
            task_id="t", project="photos", task_names=["a.png", "b.png"], add_tags=["x"], max_workers=1
        )
    )
    assert str(run.attempt().error).endswith("What was created or changed before stays.")
