"""FastLabelCreateDicomTasksOperator: every zip one import, whatever dies half-way, in a worker and deferred alike."""

from __future__ import annotations

import io
import zipfile

import fsspec
import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowTaskTimeout
from airflow.sdk.io import attach

from airflow_provider_fastlabel.client.exceptions import AuthError, OutcomeUnknown
from airflow_provider_fastlabel.operators import FastLabelCreateDicomTasksOperator
from airflow_provider_fastlabel.pipelines.imports import ImportRefused
from tests.airflow_fixtures import calls, later, settle
from tests.airflow_run import HAS_STORE, needs_state_store

modes = pytest.mark.parametrize("mode", [{"deferrable": False}, {"deferrable": True}], ids=["worker", "deferrable"])


def series(text="dicom"):
    """Return the bytes of a zip with one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("series/1.dcm", text)
    return made.getvalue()


@pytest.fixture
def scans(client, emulator, tmp_path):
    """A folder with three series, and a project for them; imports run until the test settles them."""
    client.create_project("dicom_bbox", "Scans", "scans")
    emulator.configure(history_manual=True)
    folder = tmp_path / "scans"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.zip", "b.zip", "deep/c.zip"):
        (folder / name).write_bytes(series(name))
    return folder


@pytest.fixture
def operator(scans):
    """How to make the operator with quick polls."""

    def make(**arguments):
        defaults = {"task_id": "dicom", "project": "scans", "folder": str(scans), "poll_interval": 0.05, "timeout": 20}
        return lambda: FastLabelCreateDicomTasksOperator(**{**defaults, **arguments})

    return make


def submits(emulator):
    """Return how often an import was started."""
    return sum((r["method"], r["path"]) == ("POST", "tasks/dicom") for r in emulator.requests())


def names(client):
    """Return the names of the tasks, sorted."""
    return sorted(task["name"] for task in client.get_dicom_tasks("scans"))


@modes
def test_every_zip_becomes_a_task(airflow_run, emulator, client, operator, mode):
    thread = later(emulator, "tasks/import/histories", 6, lambda: settle(emulator))
    run = airflow_run(operator(**mode, tags=["ct"], status="completed"))
    done = run.attempt()
    thread.join()
    assert done.state == "success", done.error
    assert done.result == {"project": "scans", "total": 3, "exists": 0, "imported": 3, "links_left_out": 0}
    assert sorted(done.xcoms["history_ids"]) == sorted(h["id"] for h in client.get_histories("scans"))
    assert names(client) == ["a", "b", "c"]
    assert {(t["status"], *t["tags"]) for t in client.get_dicom_tasks("scans")} == {("completed", "ct")}
    assert run.supervisor.kept == {}
    assert len(done.deferrals) == (1 if mode["deferrable"] else 0)


@needs_state_store
@modes
def test_the_end_of_the_wait_is_in_the_store(airflow_run, emulator, client, operator, mode):
    thread = later(emulator, "tasks/import/histories", 6, lambda: settle(emulator))
    run = airflow_run(operator(**mode))
    assert run.attempt().state == "success"
    thread.join()
    last = run.supervisor.progress[-1]
    assert last["summary"] == "The wait is over: 3 of 3 imports of project scans have ended"
    assert (last["done"], last["total"]) == (3, 3)


@modes
def test_failed_imports_are_named_and_only_they_are_started_again(airflow_run, emulator, client, operator, mode):
    emulator.configure(history_manual=False, history_seconds=0.2, fail_histories=1)
    run = airflow_run(operator(**mode))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert type(first.error) is AirflowException
    assert "a.zip" in str(first.error)
    assert "import_failed" in str(first.error)
    assert "b.zip" not in str(first.error)
    assert names(client) == ["b", "c"]
    emulator.clear_requests()
    second = run.attempt(2)
    assert second.state == "success", second.error
    assert submits(emulator) == 1
    assert names(client) == ["a", "b", "c"]


@needs_state_store
@modes
def test_a_retry_attaches_to_the_running_imports(airflow_run, emulator, client, operator, mode):
    run = airflow_run(operator(**mode, timeout=0.2))
    first = run.attempt(1, retries_left=True)
    assert isinstance(first.error, AirflowTaskTimeout)
    assert "0 of 3 imports of project scans have ended" in str(first.error)
    settle(emulator)
    second = run.attempt(2)
    assert second.state == "success"
    assert second.result == {"project": "scans", "total": 3, "exists": 0, "imported": 3, "links_left_out": 0}
    assert submits(emulator) == 3


@needs_state_store
def test_cleared_after_a_mark_finished_imports_are_not_taken_for_new_ones(airflow_run, emulator, client, operator):
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, triggerer=False)
    (running, *ended) = first.xcoms["history_ids"]
    for history_id in ended:
        settle(emulator, history_id)
    # A person marks the task, removes one of the new tasks, and clears.
    client.delete_task(client.find_dicom_task_by_name("scans", "c")["id"])
    run.clear(1)
    second = run.attempt(2, triggerer=False)
    assert second.state == "deferred", second.error
    assert second.xcoms["history_ids"][0] == running
    assert not set(second.xcoms["history_ids"]) & set(ended)
    assert submits(emulator) == 4
    settle(emulator)
    third = run.attempt(3)
    assert third.result == {"project": "scans", "total": 3, "exists": 1, "imported": 2, "links_left_out": 0}
    assert names(client) == ["a", "b", "c"]


def test_running_again_imports_only_what_is_new(airflow_run, emulator, client, scans, operator):
    emulator.configure(history_manual=False, history_seconds=0)
    airflow_run(operator()).attempt()
    (scans / "d.zip").write_bytes(series("d"))
    emulator.clear_requests()
    done = airflow_run(operator()).attempt()
    assert done.result == {"project": "scans", "total": 4, "exists": 3, "imported": 1, "links_left_out": 0}
    assert submits(emulator) == 1
    emulator.clear_requests()
    assert airflow_run(operator()).attempt().result["imported"] == 0
    assert submits(emulator) == 0


@needs_state_store
@pytest.mark.parametrize("moment", range(7))
def test_a_worker_killed_at_any_moment_leaves_one_import_per_file(airflow_run, emulator, client, operator, moment):
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, triggerer=False)
    written = run.supervisor.keep_history
    assert len(written) == 4
    # A store as a kill before or after each write leaves it, with the imports begun until then.
    run = airflow_run(operator(deferrable=True))
    run.supervisor.kept = dict([written[moment // 2]])
    kept = written[moment // 2][1]
    begun = len(kept["histories"]) + moment % 2
    for history in sorted(client.get_histories("scans"), key=lambda h: h["createdAt"])[begun:]:
        emulator.settle_history(history["id"], status="failed")
    alive = {h["id"] for h in client.get_histories("scans") if h["status"] == "running"}
    if "starting" in kept:
        # What had not begun at the kill is not to be seen: only failed ones are newer.
        kept["histories"] |= {f"gone-{i}": h["id"] for i, h in enumerate(client.get_histories("scans")) if
                              h["id"] not in alive}  # fmt: skip
    emulator.clear_requests()
    second = run.attempt(2, triggerer=False)
    assert second.state == "deferred", second.error
    assert submits(emulator) == 3 - begun
    assert alive <= set(second.xcoms["history_ids"])
    assert len(second.xcoms["history_ids"]) == 3


def test_a_lost_answer_is_settled(airflow_run, emulator, client, operator):
    emulator.fault("lost_answer", method="POST", path="tasks/dicom", times=1)
    done = airflow_run(operator(deferrable=True)).attempt(triggerer=False)
    assert done.state == "deferred", done.error
    assert submits(emulator) == 3


@needs_state_store
def test_an_import_that_shows_up_only_later_is_found_by_the_retry(airflow_run, emulator, client, operator):
    emulator.faults(
        {"method": "POST", "path": "tasks/dicom", "times": 1, "kind": "lost_answer"},
        {"path": "tasks/import/histories", "times": 1, "kind": "slow", "seconds": 0},
        {"path": "tasks/import/histories", "times": 1, "kind": "status", "status": 503},
    )
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, retries_left=True)
    assert isinstance(first.reason, OutcomeUnknown)
    assert first.state == "up_for_retry"
    second = run.attempt(2, triggerer=False)
    assert second.state == "deferred"
    assert submits(emulator) == 3


@needs_state_store
def test_several_imports_in_question_are_for_a_person_to_decide(airflow_run, emulator, client, operator):
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, triggerer=False)
    run.supervisor.kept = dict([run.supervisor.keep_history[0]])
    second = run.attempt(2, retries_left=True)
    assert second.state == "failed"
    assert isinstance(second.error, AirflowFailException)
    assert "a.zip" in str(second.error)
    assert submits(emulator) == 3


@needs_state_store
def test_an_import_of_others_that_began_while_the_slot_was_left_is_not_taken_for_ours(
    airflow_run, emulator, client, scans, operator, tmp_path
):
    emulator.fault("status", method="POST", path="tasks/dicom", times=1, status=429, retry_after=60)
    run = airflow_run(operator(wait_for_completion=False))
    theirs = tmp_path / "theirs.zip"
    theirs.write_bytes((scans / "a.zip").read_bytes())
    run.between_parts = lambda: client.create_dicom_task("scans", str(theirs))
    done = run.attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.result["imported"] == 3
    assert submits(emulator) == 1 + 1 + 3


def test_a_file_that_cannot_be_sent_does_not_stop_the_others(airflow_run, emulator, client, operator):
    emulator.fault("status", method="GET", path="files", times=1, status=500)
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert "1 import(s)" in str(first.error)
    assert "a.zip" in str(first.error)
    assert submits(emulator) == 2
    assert run.attempt(2, triggerer=False).state == "deferred"
    assert submits(emulator) == (3 if HAS_STORE else 2 + 3)  # without it, a retry sends what is no task yet


def test_before_airflow_3_3_what_is_a_task_is_not_sent_again(airflow_run, emulator, client, operator, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.task_memory.STORE", "no_such_store")
    emulator.configure(history_manual=False, history_seconds=0)
    run = airflow_run(operator())
    assert run.attempt(1).state == "success"
    assert run.attempt(2).result == {"project": "scans", "total": 3, "exists": 3, "imported": 0, "links_left_out": 0}
    assert submits(emulator) == 3


def test_without_waiting_it_returns_at_once(airflow_run, emulator, client, operator):
    run = airflow_run(operator(wait_for_completion=False))
    done = run.attempt()
    assert done.result == {"project": "scans", "total": 3, "exists": 0, "imported": 3, "links_left_out": 0}
    assert run.supervisor.kept == {}
    assert names(client) == []


@needs_state_store
def test_a_look_at_all_imports_costs_one_call(airflow_run, emulator, client, operator):
    run = airflow_run(operator(deferrable=True))
    run.attempt(1, triggerer=False)
    emulator.clear_requests()
    run.attempt(2, triggerer=False)
    # The list is read to attach, and once to look at all three.
    assert calls(emulator, "tasks/import/histories") == 2


def test_from_an_object_store(airflow_run, emulator, client, operator):
    emulator.configure(history_manual=False, history_seconds=0)
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="store", fs=filesystem)
    filesystem.pipe_file("/pacs/night/x.zip", series())
    done = airflow_run(operator(folder="memory://pacs", source_conn_id="store")).attempt()
    filesystem.rm("/pacs", recursive=True)
    assert done.state == "success", done.error
    assert names(client) == ["x"]


def test_all_problems_are_reported_before_the_first_upload(airflow_run, emulator, client, scans, operator):
    (scans / "broken.zip").write_bytes(series()[:-30])
    (scans / "deep" / "a.zip").write_bytes(series())
    emulator.clear_requests()
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, ImportRefused)
    assert all(word in str(done.error) for word in ("'broken.zip': is not", "'a.zip': has the same", "'deep/a.zip'"))
    assert calls(emulator, "files") == 0


def test_too_large_a_file_is_refused(airflow_run, emulator, client, scans, operator):
    with (scans / "huge.zip").open("wb") as file:
        file.truncate(2000 * 1024 * 1024 + 1)
    error = str(airflow_run(operator()).attempt().error)
    assert "'huge.zip': has 2,097,152,001 bytes; for dicom at most 2,097,152,000 (2000 MB) are allowed" in error


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"pattern": "*.nothing"}, "matches pattern"),
        ({"project": "photos"}, "takes image tasks"),
        ({"status": "aproved"}, "'aproved'"),  # codespell:ignore aproved
        ({"tags": ["{{ none }}"]}, "tags holds the text 'None'"),
        ({"tags": "['a', 'b']"}, "natively"),
    ],
)
def test_what_cannot_work_fails_at_once(airflow_run, emulator, client, operator, arguments, word):
    done = airflow_run(operator(**arguments)).attempt(retries_left=True)
    assert done.state == "failed"
    assert word in str(done.error)
    assert submits(emulator) == 0
    assert calls(emulator, "files") == 0


def test_what_the_database_keeps_of_the_deferral_holds_no_token(airflow_run, emulator, client, operator):
    (stored,) = airflow_run(operator(deferrable=True)).attempt(triggerer=False).deferrals
    assert emulator.token not in str(stored)
    assert all(name in str(stored) for name in ("a.zip", "b.zip", "deep/c.zip"))


def test_a_wrong_token_fails_without_retries(airflow_run, emulator, client, operator, connect):
    connect(password="a-wrong-token", host=emulator.url)
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, AuthError)


@needs_state_store
def test_an_import_in_question_is_found_though_it_does_not_tell_its_time(airflow_run, emulator, client, operator, told):
    """The worker died while the last import was being started; an older one does not tell its time either."""
    client.create_dicom_task("scans", operator()().folder + "/a.zip")
    settle(emulator)
    client.delete_task(client.find_dicom_task_by_name("scans", "a")["id"])
    told(lambda text: None)
    run = airflow_run(operator(deferrable=True))
    first = run.attempt(1, triggerer=False)
    run.supervisor.kept = dict([run.supervisor.keep_history[2]])
    second = run.attempt(2, triggerer=False)
    assert second.state == "deferred", second.error
    assert sorted(second.xcoms["history_ids"]) == sorted(first.xcoms["history_ids"])
    assert submits(emulator) == 4
