"""Links of tasks: there before the work begins, while deferred, after a failure; whole, quoted, and never a mistake."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from airflow.providers.common.compat.sdk import XCom
from airflow.sdk import DAG

from airflow_provider_fastlabel import operators, sensors
from airflow_provider_fastlabel.operators import (
    FastLabelApplyProjectOperator,
    FastLabelCopyProjectOperator,
    FastLabelCreateTasksFromFolderOperator,
    FastLabelCreateTasksFromS3Operator,
    FastLabelExportCocoOperator,
    FastLabelRunAutoAnnotationJobOperator,
    FastLabelUpdateTasksOperator,
)
from airflow_provider_fastlabel.provider_info import LINKS
from airflow_provider_fastlabel.sensors import (
    FastLabelImportHistorySensor,
    FastLabelModelJobSensor,
    FastLabelTaskStatusSensor,
)
from airflow_provider_fastlabel.utils import links
from tests.airflow_fixtures import calls, later, settle
from tests.airflow_run import needs_state_store

SLUGS = {"app_url": "https://app.example.com/{project}?status={status}&tags={tags}&import={history_id}&job={job_id}"}
IDS = {"app_url": "https://app.example.com/projects/{project_id}"}
MODES = [{"deferrable": False}, {"deferrable": True}]
modes = pytest.mark.parametrize("mode", MODES, ids=["worker", "deferrable"])


@pytest.fixture
def linked(connect, emulator):
    """Give the connection more fields, such as ``app_url``."""

    def define(**extra):
        extra = {"max_retries": 0, "calls_per_10_minutes": 10_000_000, **extra}
        connect(password=emulator.token, host=emulator.url, **extra)

    return define


def shown(outcome):
    """Return the links of a try by the last words of their XCom keys; an empty one is none."""
    found = {key: value for key, value in outcome.xcoms.items() if key.startswith("_link_") and value}
    return {key.removeprefix("_link_FastLabel").removesuffix("Link"): value for key, value in found.items()}


def wait(**arguments):
    defaults = {"task_id": "wait", "project": "photos", "status": "approved", "poll_interval": 0.05, "timeout": 20}
    return lambda: FastLabelTaskStatusSensor(**{**defaults, **arguments})


def test_every_operator_and_sensor_has_a_link_into_fastlabel_and_names_are_unique():
    classes = [getattr(room, name) for room in (operators, sensors) for name in room.__all__]
    assert len(classes) > 20
    for cls in classes:
        own = [link for link in cls.operator_extra_links if isinstance(link, links.FastLabelLink)]
        assert own, cls
        assert len({link.name for link in own}) == len(own)
    known = {type(link).__name__ for cls in classes for link in cls.operator_extra_links}
    assert known == {f"FastLabel{name}Link" for name in LINKS}


@modes
def test_a_wait_has_its_links_before_it_defers_and_keeps_them_to_its_end(airflow_run, linked, fill, emulator, mode):
    fill("a.png")
    linked(**SLUGS)
    run = airflow_run(wait(tags=["night 1", "ü"], min_share=0.0001, **mode))
    run.finalizes = True
    wanted = {
        "Project": "https://app.example.com/photos",
        "Tasks": "https://app.example.com/photos?status=approved&tags=night%201,%C3%BC",
    }
    if mode["deferrable"]:
        assert shown(run.attempt(triggerer=False)) == wanted
    emulator_fill = later(emulator, "tasks/count", 3, lambda: emulator.set_status("photos", "approved"))
    fill("b.png", tags=["night 1", "ü"])
    done = run.attempt()
    emulator_fill.join()
    assert done.state == "success"
    assert shown(done) == wanted


@modes
def test_a_failed_wait_has_its_links(airflow_run, linked, fill, mode):
    linked(**SLUGS)
    run = airflow_run(wait(timeout=0.2, **mode))
    run.finalizes = True
    done = run.attempt()
    assert done.state == "failed"
    assert shown(done)["Project"] == "https://app.example.com/photos"


@modes
def test_an_import_is_linked_by_its_history_while_it_runs(airflow_run, linked, emulator, client, bucket, mode):
    linked(**SLUGS)
    make = lambda: FastLabelCreateTasksFromS3Operator(  # noqa: E731
        task_id="import", project="photos", status="completed", poll_interval=0.05, timeout=20, **mode
    )
    run = airflow_run(make)
    run.finalizes = True
    thread = later(emulator, "tasks/import", 3, lambda: settle(emulator, status="failed"))
    done = run.attempt()
    thread.join()
    assert done.state == "failed"
    assert shown(done) == {
        "Project": "https://app.example.com/photos",
        "Tasks": "https://app.example.com/photos?status=completed",
        "Import": f"https://app.example.com/photos?import={client.get_histories('photos')[0]['id']}",
    }


@modes
def test_a_model_job_is_linked_by_its_id(airflow_run, linked, emulator, client, mode):
    linked(**SLUGS)
    emulator.configure(job_seconds=0)
    make = lambda: FastLabelRunAutoAnnotationJobOperator(  # noqa: E731
        task_id="job", project="photos", model_name="m", poll_interval=0.05, timeout=20, **mode
    )
    done = airflow_run(make).attempt()
    assert done.state == "success"
    assert shown(done)["ModelJob"] == f"https://app.example.com/photos?job={done.xcoms['job_id']}"


def test_what_a_sensor_is_given_is_linked_before_anything_is_asked(airflow_run, linked, client, emulator):
    linked(**SLUGS)
    make = lambda: FastLabelImportHistorySensor(task_id="w", project="photos", history_id="gone/..")  # noqa: E731
    done = airflow_run(make).attempt()
    assert done.state == "failed"
    assert shown(done)["Import"] == "https://app.example.com/photos?import=gone%2F.."
    job = lambda: FastLabelModelJobSensor(task_id="w", kind="training", job_id="j-1")  # noqa: E731
    assert shown(airflow_run(job).attempt()) == {"ModelJob": "https://app.example.com/?job=j-1"}


def test_an_update_links_the_tasks_that_it_chooses(airflow_run, linked, fill):
    fill("a.png", tags=["x"])
    linked(**SLUGS)
    make = lambda: FastLabelUpdateTasksOperator(  # noqa: E731
        task_id="u", project="photos", filter_status=["registered", "approved"], filter_tags=["x"], priority=10
    )
    done = airflow_run(make).attempt()
    assert done.state == "success"
    assert shown(done)["Tasks"] == "https://app.example.com/photos?status=registered,approved&tags=x"


def test_made_projects_are_linked(airflow_run, linked, client):
    linked(**IDS)
    definition = {"name": "Made", "slug": "made", "type": "image_bbox", "classes": []}
    make = lambda: FastLabelApplyProjectOperator(task_id="a", definition=definition)  # noqa: E731
    done = airflow_run(make).attempt()
    assert shown(done) == {"Project": f"https://app.example.com/projects/{done.result['project_id']}"}
    copy = lambda: FastLabelCopyProjectOperator(  # noqa: E731
        task_id="c", source_project="photos", target_project="copy"
    )
    done = airflow_run(copy).attempt()
    assert shown(done) == {"Project": f"https://app.example.com/projects/{done.result['project_id']}"}


def test_with_the_emulator_there_is_no_link_unless_one_is_given(airflow_run, emulator, fill, monkeypatch):
    fill("a.png")
    emulator.set_status("photos", "approved")
    run = airflow_run(wait())
    run.finalizes = True
    assert shown(run.attempt()) == {}
    monkeypatch.setenv("AIRFLOW__FASTLABEL__APP_URL", "http://127.0.0.1:1/pages/{project}")
    assert shown(run.attempt())["Project"] == "http://127.0.0.1:1/pages/photos"


@modes
@pytest.mark.parametrize("pages", [{}, {"app_url": "https://app.example.com/{project}"}])
def test_no_xcom_is_asked_for_that_is_not_there(airflow_run, linked, fill, emulator, mode, pages):
    """Airflow's client logs an error for each."""
    linked(**pages)
    fill("a.png")
    run = airflow_run(wait(min_share=0.0001, **mode))
    run.finalizes = True
    reader = later(emulator, "tasks/count", 3, lambda: emulator.set_status("photos", "approved"))
    assert run.attempt().state == "success"
    reader.join()
    assert [key for key in run.supervisor.missed if key.startswith("_link_")] == []


def test_an_export_without_links_asks_for_no_xcom(airflow_run, emulator, fill, tmp_path):
    fill("a.png")
    emulator.set_status("photos", "approved")
    run = airflow_run(lambda: FastLabelExportCocoOperator(task_id="e", project="photos", output=str(tmp_path / "o")))
    run.finalizes = True
    assert run.attempt().state == "success"
    assert run.supervisor.missed == []


@needs_state_store
def test_the_id_of_a_project_costs_one_call_in_all_tries(airflow_run, linked, fill, emulator, client):
    fill("a.png")
    linked(**IDS)
    ident = client.find_project_by_slug("photos")["id"]
    run = airflow_run(wait(deferrable=True))
    run.finalizes = True
    emulator.clear_requests()
    thread = later(emulator, "tasks/count", 3, lambda: emulator.set_status("photos", "approved"))
    done = run.attempt()
    thread.join()
    assert shown(done)["Project"] == f"https://app.example.com/projects/{ident}"
    assert shown(run.attempt(2)) == shown(done)
    assert calls(emulator, "projects") == 1


def test_an_id_that_cannot_be_looked_up_does_not_keep_the_work_from_its_end(airflow_run, linked, fill, emulator):
    fill("a.png")
    emulator.set_status("photos", "approved")
    linked(**IDS)
    emulator.clear_requests()
    emulator.faults({"path": "projects", "kind": "status", "status": 503, "times": 9})
    done = airflow_run(wait()).attempt()
    assert done.state == "success"
    assert shown(done)["Project"] == "https://app.example.com/projects/"
    assert calls(emulator, "projects") == 1


@needs_state_store
def test_a_state_store_that_fails_costs_the_memory_of_the_id_and_not_the_task(
    airflow_run, linked, fill, emulator, client
):
    fill("a.png")
    emulator.set_status("photos", "approved")
    linked(**IDS)
    ident = client.find_project_by_slug("photos")["id"]
    run = airflow_run(wait())
    run.supervisor.store_fails = True
    done = run.attempt()
    assert done.state == "success"
    assert shown(done)["Project"] == f"https://app.example.com/projects/{ident}"


def test_an_unusable_connection_is_the_work_s_to_name(airflow_run, connect):
    connect(password="", app_url="https://app.example.com/{project}")
    done = airflow_run(wait()).attempt()
    assert done.state == "failed"
    assert "no access token" in str(done.error)
    connect(app_url="javascript:alert(1)")
    done = airflow_run(wait()).attempt()
    assert done.state == "failed"
    assert "extra field 'app_url': must be an http(s) address" in str(done.error)


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("None", None), ("  ", None), ("../x", "..%2Fx"), ("a'b\"<script>", "a%27b%22%3Cscript%3E")],
)
def test_hostile_values_stay_in_their_place(airflow_run, linked, emulator, name, quoted):
    linked(app_url="https://app.example.com/p/{project}")
    done = airflow_run(wait(project=name, timeout=0.1)).attempt()
    assert shown(done).get("Project") == (quoted and f"https://app.example.com/p/{quoted}")


class TestGetLink:
    """``get_link``, which Airflow calls at the end of every process."""

    LINK = links.PROJECT
    KEY: Any = SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=-1, try_number=1)

    @pytest.mark.parametrize(
        "pushed",
        [None, "", "javascript:alert(1)", "app.example.com", 5, ["https://x"], {"a": 1}, "https://[", b"https://x"],
    )
    def test_what_is_no_web_address_is_no_link(self, monkeypatch, pushed):
        monkeypatch.setattr(XCom, "get_value", lambda **_: pushed)
        assert self.LINK.get_link(object(), ti_key=self.KEY) == ""

    @pytest.mark.parametrize("operator", [None, object(), *(SimpleNamespace(links_shown=shown) for shown in (None, 5))])
    def test_never_raises_and_asks_nobody_outside_a_task(self, operator):
        # No supervisor is there, as in the API server.
        nobody: Any = None
        with responses.RequestsMock():
            assert self.LINK.get_link(operator, ti_key=self.KEY) == ""
            assert self.LINK.get_link(operator, ti_key=nobody) == ""


def facts(protocol="s3", path="data/sets/photos", **options):
    """Return the facts of a place in a store whose file system was made with options."""
    system = SimpleNamespace(storage_options=options)
    return links.facts_of_output(SimpleNamespace(protocol=protocol, path=path, fs=system), f"{protocol}://{path}")


def test_a_dataset_in_a_store_of_its_provider_is_linked_by_the_console():
    made = facts(path="data/my sets/photos/")
    assert links.PUBLISHED.address({}, made) == (
        "https://console.aws.amazon.com/s3/buckets/data?prefix=my%20sets/photos/"
    )
    assert links.PUBLISHED.address({}, facts("gs")) == (
        "https://console.cloud.google.com/storage/browser/data/sets/photos"
    )
    assert links.PUBLISHED.address({}, facts("abfs")) == ""


def test_a_store_on_another_server_has_no_console(monkeypatch):
    assert links.PUBLISHED.address({}, facts(endpoint_url="http://minio:9000")) == ""
    assert links.PUBLISHED.address({}, facts(client_kwargs={"endpoint_url": "http://minio:9000"})) == ""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    assert links.PUBLISHED.address({}, facts()) == ""
    given = {"output": "https://minio.example.com/browser/{bucket}/{path}"}
    assert links.PUBLISHED.address(given, facts()) == "https://minio.example.com/browser/data/sets/photos"


def test_a_published_folder_is_linked_where_it_is_served(airflow_run, linked, fill, emulator, tmp_path):
    fill("a.png")
    emulator.set_status("photos", "approved")
    linked(
        app_url={"output": "https://files.example.com/{path}", "tasks": "https://app.example.com/{project}?s={status}"}
    )
    out = tmp_path / "data set"
    make = lambda: FastLabelExportCocoOperator(task_id="e", project="photos", output=str(out))  # noqa: E731
    done = airflow_run(make).attempt()
    assert done.state == "success"
    assert shown(done) == {
        "Output": f"https://files.example.com{tmp_path}/data%20set",
        "Tasks": "https://app.example.com/photos?s=approved",
    }


def as_airflow_stores(dag):
    """Return a DAG as it goes into the database."""
    serialized = importlib.import_module("airflow.serialization.serialized_objects")
    serializer = getattr(serialized, "DagSerialization", serialized.SerializedDAG)  # since 3.2
    return serializer.to_dict(dag)


def test_no_link_holds_the_token_and_a_dag_with_links_can_be_stored(linked, emulator, airflow_run, fill, tmp_path):
    (tmp_path / "in").mkdir()
    linked(**SLUGS)
    make = lambda: FastLabelCreateTasksFromFolderOperator(  # noqa: E731
        task_id="i", project="photos", folder=str(tmp_path / "in")
    )
    done = airflow_run(make).attempt()
    assert done.state == "failed"
    assert shown(done)["Project"] == "https://app.example.com/photos"
    assert emulator.token not in json.dumps(done.xcoms)

    with DAG("links", schedule=None) as dag:
        make()
        FastLabelTaskStatusSensor.partial(task_id="m", project="photos").expand(status=["approved", "skipped"])
    stored = json.dumps(as_airflow_stores(dag))
    assert stored.count("_link_FastLabelProjectLink") == 2
    assert stored.count("_link_FastLabelTasksLink") == 2
