"""Imports from several folders of a bucket into one project: each reads its own, or says that nobody can tell."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowTaskTimeout
from airflow.sdk import DAG

from airflow_provider_fastlabel.operators import FastLabelCreateTasksFromS3Operator
from airflow_provider_fastlabel.pipelines.imports import turns
from tests.airflow_fixtures import PNG, later, settle

modes = pytest.mark.parametrize("mode", [{"deferrable": False}, {"deferrable": True}], ids=["worker", "deferrable"])

IN, OUT = {"in/a.png", "in/b.png"}, {"out/c.png", "out/d.png"}


@pytest.fixture
def folders(bucket):
    """The folders ``in/`` and ``out/`` of the bucket, two pictures each."""
    for key in sorted(OUT):
        bucket.put_object(Bucket="photos", Key=key, Body=PNG)
    return bucket


@pytest.fixture
def link(client):
    """Set the folder of the project's storage, as another task does."""
    return lambda prefix: client.update_aws_s3_storage("photos", "photos", "us-east-1", prefix=prefix)


def operator(prefix="in/", **arguments):
    """Return how to make the operator with quick polls."""
    place = {"bucket_name": "photos", "bucket_region": "us-east-1", "prefix": prefix}
    defaults = {"task_id": "import", "project": "photos", "poll_interval": 0.05, "timeout": 20, **place}
    return lambda: FastLabelCreateTasksFromS3Operator(**{**defaults, **arguments})


def names(client):
    return {task["name"] for task in client.get_image_tasks("photos")}


def hold_up_before_the_start(emulator):
    """Let seconds pass between the task's setting and its start, enough for another task on a busy machine."""
    emulator.faults({"method": "PUT", "path": "storages/aws-s3", "times": 1, "kind": "slow", "seconds": 2.5})


def submits(emulator):
    return sum((r["method"], r["path"]) == ("POST", "tasks/aws-s3") for r in emulator.requests())


@modes
@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_task_waits_for_its_turn_however_the_other_import_ends(
    airflow_run, emulator, client, folders, link, mode, end
):
    link("out/")
    other = client.create_task_from_aws_s3("photos")["id"]
    polls = f"tasks/import/histories{'' if mode['deferrable'] else f'/{other}'}"
    thread = later(emulator, polls, 3, lambda: settle(emulator, other, status=end))
    then = later(emulator, "tasks/aws-s3", 1, lambda: settle(emulator))
    done = airflow_run(operator(**mode)).attempt()
    assert done.state == "success", done.error
    thread.join()
    then.join()
    assert names(client) == (IN | OUT if end == "completed" else IN)
    assert done.result["created"] == 2
    assert len(done.deferrals) == (2 if mode["deferrable"] else 0)
    asked = [(r["method"], r["path"]) for r in emulator.requests() if r["method"] != "GET"]
    assert asked[-2:] == [("PUT", "storages/aws-s3/photos"), ("POST", "tasks/aws-s3")]


@modes
def test_a_turn_that_does_not_come_is_a_timeout_and_nothing_was_written(
    airflow_run, emulator, client, folders, link, mode
):
    link("out/")
    other = client.create_task_from_aws_s3("photos")["id"]
    emulator.clear_requests()
    done = airflow_run(operator(**mode, timeout=0.3)).attempt(retries_left=True)
    assert done.state == "up_for_retry"
    assert isinstance(done.error, AirflowTaskTimeout)
    assert "Nothing was submitted, because another S3 import of the project runs" in str(done.error)
    assert f"{other} of project photos is running" in str(done.error)
    assert all(request["method"] == "GET" for request in emulator.requests())


@modes
def test_a_setting_overwritten_before_the_start_fails_and_the_retry_reads_the_right_folder(
    airflow_run, emulator, client, folders, link, mode
):
    """Between this task's setting and its start another task sets its own folder and starts."""

    def other_task():
        link("out/")
        client.create_task_from_aws_s3("photos")

    hold_up_before_the_start(emulator)
    thread = later(emulator, "storages/aws-s3", 1, other_task)
    run = airflow_run(operator(**mode))
    first = run.attempt(1, retries_left=True)
    thread.join()
    assert submits(emulator) == 2
    assert first.state == "up_for_retry", first.error
    assert type(first.error) is AirflowException
    assert "nobody can tell which of them read photos/in/" in str(first.error)
    for history in client.get_histories("photos"):
        settle(emulator, history["id"])
    assert names(client) == OUT
    emulator.configure(history_manual=False, history_seconds=0)
    second = run.attempt(2)
    assert second.state == "success", second.error
    assert names(client) == IN | OUT
    assert submits(emulator) == 3


@modes
def test_a_start_while_ours_runs_tells_that_the_setting_may_have_been_another(
    airflow_run, emulator, client, folders, link, mode
):
    """Another task had set its folder before this one started, and starts itself only now."""
    started = []

    def other_task():
        started.append(client.create_task_from_aws_s3("photos")["id"])
        for history in client.get_histories("photos"):
            settle(emulator, history["id"])

    hold_up_before_the_start(emulator)
    overwrite = later(emulator, "storages/aws-s3", 1, lambda: link("out/"))
    thread = later(emulator, "tasks/import/histories/", 1, other_task)
    done = airflow_run(operator(**mode)).attempt(retries_left=True)
    overwrite.join()
    thread.join()
    assert names(client) == OUT
    assert done.state == "up_for_retry"
    assert started[0] in str(done.error)


@modes
def test_an_import_that_began_after_the_end_of_ours_is_no_overlap(airflow_run, emulator, client, folders, link, mode):
    def next_task():
        settle(emulator)
        link("out/")
        client.create_task_from_aws_s3("photos")

    thread = later(emulator, "tasks/import/histories/", 1, next_task)
    done = airflow_run(operator(**mode)).attempt()
    thread.join()
    assert done.state == "success", done.error
    assert names(client) == IN


@modes
def test_a_start_after_the_end_of_ours_that_did_not_know_of_it_is_an_overlap(
    airflow_run, emulator, client, folders, link, mode, monkeypatch
):
    """Another task had set its folder before this one started; and this one was over when the other started."""
    monkeypatch.setattr(turns, "QUIET_SECONDS", 2)
    emulator.configure(history_manual=False, history_seconds=0)

    def other_task():
        link("out/")
        later(emulator, "tasks/import/histories/", 1, lambda: client.create_task_from_aws_s3("photos")).join()

    hold_up_before_the_start(emulator)
    thread = later(emulator, "storages/aws-s3", 1, other_task)
    done = airflow_run(operator(**mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "up_for_retry"
    assert "nobody can tell" in str(done.error)


def test_a_turn_comes_when_the_import_before_is_known_to_everybody(
    airflow_run, emulator, client, folders, link, monkeypatch
):
    monkeypatch.setattr(turns, "QUIET_SECONDS", 1)
    emulator.configure(history_manual=False, history_seconds=0)
    link("out/")
    client.create_task_from_aws_s3("photos")
    assert airflow_run(operator()).attempt().state == "success"
    ours, before = sorted((h["createdAt"] for h in client.get_histories("photos")), reverse=True)
    assert datetime.fromisoformat(ours) - datetime.fromisoformat(before) >= timedelta(seconds=0.99)
    assert names(client) == IN | OUT


class Instance:
    """What the operator asks its task instance for."""

    max_tries = 0

    def xcom_push(self, key, value):
        """Take what is pushed."""


def until_it_succeeds(prefix):
    """Run the operator until it succeeds, as Airflow does with retries; return what it failed with before."""
    failures: list[str] = []
    while len(failures) < 30:
        try:
            operator(prefix, task_id=f"import-{prefix[0]}")().execute({"ti": Instance()})
        except AirflowException as error:
            failures.append(str(error))
            time.sleep(random.uniform(0, 1))
        else:
            return failures
    raise AssertionError(f"{prefix} never succeeded: {failures[-1]}")


@pytest.mark.slow
def test_four_tasks_at_once_bring_the_files_of_four_folders(emulator, client, folders, monkeypatch):
    monkeypatch.setattr(turns, "QUIET_SECONDS", 0.5)
    prefixes = ["a/", "b/", "c/", "d/"]
    files = {f"{prefix}{number}.png" for prefix in prefixes for number in range(3)}
    for key in files:
        folders.put_object(Bucket="photos", Key=key, Body=PNG)
    emulator.configure(history_manual=False, history_seconds=0.05)
    with ThreadPoolExecutor(len(prefixes)) as pool:
        failures = [message for messages in pool.map(until_it_succeeds, prefixes) for message in messages]
    assert names(client) == files
    assert all("nobody can tell" in message for message in failures)


def test_without_a_bucket_of_its_own_no_other_import_is_an_overlap(airflow_run, emulator, client, folders):
    def other_task():
        client.create_task_from_aws_s3("photos")
        for history in client.get_histories("photos"):
            settle(emulator, history["id"])

    thread = later(emulator, "tasks/import/histories/", 1, other_task)
    done = airflow_run(operator(None, bucket_name=None, bucket_region=None)).attempt()
    thread.join()
    assert done.state == "success", done.error


def test_tasks_mapped_over_folders_of_one_project_follow_one_another():
    place = {"bucket_name": "photos", "bucket_region": "us-east-1"}
    mapped = FastLabelCreateTasksFromS3Operator.partial
    with DAG("dag", schedule=None):
        one = mapped(task_id="one", project="photos", **place).expand(prefix=["in/", "out/"])
        own = mapped(task_id="own", project="photos", max_active_tis_per_dagrun=3, **place).expand(prefix=["in/"])
        many = mapped(task_id="many", **place).expand(project=["photos", "others"])
    assert one.max_active_tis_per_dagrun == 1
    assert own.max_active_tis_per_dagrun == 3
    assert many.max_active_tis_per_dagrun is None


def without_offset(text):
    return text.removesuffix("Z")


TIMES = {"no time": lambda text: None, "no offset": without_offset, "no time at all": lambda text: "soon"}
times = pytest.mark.parametrize("change", TIMES.values(), ids=TIMES)


@modes
@times
def test_an_import_alone_succeeds_whatever_is_told_of_its_time(
    airflow_run, emulator, client, folders, told, mode, change, monkeypatch
):
    monkeypatch.setattr(turns, "QUIET_SECONDS", 0.2)
    emulator.configure(history_manual=False, history_seconds=0)
    told(change)
    for prefix, files in (("in/", IN), ("out/", IN | OUT)):
        done = airflow_run(operator(prefix, **mode)).attempt()
        assert done.state == "success", done.error
        assert names(client) == files


@times
def test_an_import_that_does_not_tell_its_time_is_waited_for_like_a_fresh_one(
    airflow_run, emulator, client, folders, link, told, change, monkeypatch
):
    monkeypatch.setattr(turns, "QUIET_SECONDS", 1)
    emulator.configure(history_manual=False, history_seconds=0)
    link("out/")
    client.create_task_from_aws_s3("photos")
    told(change)
    assert airflow_run(operator()).attempt().state == "success"
    ours, before = sorted((h["createdAt"] for h in client.get_histories("photos")), reverse=True)
    assert datetime.fromisoformat(ours) - datetime.fromisoformat(before) >= timedelta(seconds=0.99)


@modes
@times
def test_a_start_that_does_not_tell_its_time_is_an_overlap(
    airflow_run, emulator, client, folders, link, told, mode, change, monkeypatch
):
    monkeypatch.setattr(turns, "QUIET_SECONDS", 2)
    emulator.configure(history_manual=False, history_seconds=0)
    told(change)

    def other_task():
        link("out/")
        later(emulator, "tasks/import/histories/", 1, lambda: client.create_task_from_aws_s3("photos")).join()

    hold_up_before_the_start(emulator)
    thread = later(emulator, "storages/aws-s3", 1, other_task)
    done = airflow_run(operator(**mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "up_for_retry"
    assert "nobody can tell" in str(done.error)
