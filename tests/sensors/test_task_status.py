"""FastLabelTaskStatusSensor: what counts as reached, in a worker and deferred alike."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, AirflowTaskTimeout

from airflow_provider_fastlabel.pipelines.waits import progress
from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor
from tests.airflow_fixtures import calls, later
from tests.airflow_run import needs_state_store
from tests.sensors.modes import modes


def sensor(**arguments):
    """Return how to make a sensor with quick polls."""
    defaults = {"task_id": "wait", "project": "photos", "status": "approved", "poll_interval": 0.05, "timeout": 20}
    return lambda: FastLabelTaskStatusSensor(**{**defaults, **arguments})


@modes
def test_all_tasks_have_reached_it_at_once(airflow_run, emulator, fill, mode):
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved")
    done = airflow_run(sensor(**mode)).attempt()
    assert done.state == "success"
    assert done.result == {"done": 2, "total": 2, "needed": 2, "statuses": ["approved"]}
    assert done.deferrals == []
    assert done.reschedules == 0


@modes
def test_waits_until_all_have(airflow_run, emulator, fill, mode):
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png"])
    thread = later(emulator, "tasks/count", 4, lambda: emulator.set_status("photos", "approved"))
    done = airflow_run(sensor(**mode)).attempt()
    thread.join()
    assert done.state == "success"
    assert done.result == {"done": 2, "total": 2, "needed": 2, "statuses": ["approved"]}
    assert len(done.deferrals) == (1 if mode["deferrable"] else 0)
    assert bool(done.reschedules) == ("mode" in mode)


@needs_state_store
@modes
def test_the_store_shows_the_first_look_and_the_end_and_nothing_within_30_seconds(airflow_run, emulator, fill, mode):
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png"])
    thread = later(emulator, "tasks/count", 6, lambda: emulator.set_status("photos", "approved"))
    run = airflow_run(sensor(**mode))
    assert run.attempt().state == "success"
    thread.join()
    first, last = run.supervisor.progress
    assert (first["done"], first["total"], first["needed"], first["calls_left"] > 0) == (1, 2, 2, True)
    assert (last["done"], last["total"]) == (2, 2)
    assert last["summary"].startswith("The wait is over: 2 of 2 tasks")


@modes
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_fails_at_once_and_names_the_connection(airflow_run, emulator, connect, fill, mode, status):
    fill("a.png")
    connect("team_x", password=emulator.token, host=emulator.url)
    fault = {"path": "tasks/count", "kind": "status", "status": status, "times": 99}
    thread = later(emulator, "tasks/count", 2, lambda: emulator.faults(fault))
    done = airflow_run(sensor(fastlabel_conn_id="team_x", **mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "failed"
    assert "'team_x'" in str(done.error)
    assert emulator.token not in str(done.error)
    assert len(done.deferrals) == (1 if mode["deferrable"] else 0)


@modes
def test_no_task_yet_is_not_done(airflow_run, emulator, fill, mode):
    thread = later(emulator, "tasks/count", 4, lambda: fill("a.png", status="approved"))
    done = airflow_run(sensor(**mode)).attempt()
    thread.join()
    assert done.result == {"done": 1, "total": 1, "needed": 1, "statuses": ["approved"]}


@modes
def test_share_tags_and_several_statuses(airflow_run, emulator, fill, mode):
    fill("a.png", status="completed", tags=["night"])
    fill("b.png", status="approved", tags=["night"])
    fill("c.png", status="registered", tags=["night"])
    fill("d.png", status="registered", tags=["day"])
    arguments = {"status": ["completed", "approved"], "tags": ["night"], "min_share": 0.6}
    done = airflow_run(sensor(**mode, **arguments)).attempt()
    assert done.result == {"done": 2, "total": 3, "needed": 2, "statuses": ["completed", "approved"]}


@modes
def test_timeout_says_what_was_last_seen(airflow_run, emulator, fill, mode):
    fill("a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png"])
    done = airflow_run(sensor(**mode, timeout=0.2)).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.error, AirflowSensorTimeout)
    assert "1 of 2 tasks of project photos approved, 2 needed" in str(done.error)


@modes
def test_soft_fail_skips_at_the_timeout(airflow_run, fill, mode):
    fill("a.png")
    done = airflow_run(sensor(**mode, timeout=0.1, soft_fail=True)).attempt()
    assert done.state == "skipped"


@modes
def test_soft_fail_skips_on_a_permanent_error(airflow_run, client, mode):
    done = airflow_run(sensor(**mode, project="nowhere", soft_fail=True)).attempt()
    assert done.state == "skipped"


@modes
def test_unknown_project_fails_at_once_without_retries(airflow_run, client, mode):
    done = airflow_run(sensor(**mode, project="nowhere")).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.error, AirflowFailException)
    assert "nowhere" in str(done.error)
    assert done.deferrals == []


@modes
def test_project_deleted_while_waiting_fails_at_once(airflow_run, emulator, client, fill, mode):
    fill("a.png")
    project = client.find_project_by_slug("photos")["id"]
    thread = later(emulator, "tasks/count", 4, lambda: client.delete_project(project))
    done = airflow_run(sensor(**mode)).attempt(retries_left=True)
    thread.join()
    assert done.state == "failed"
    assert isinstance(done.error, AirflowFailException)
    assert "The wait cannot go on" in str(done.error)


@modes
def test_failures_that_pass_do_not_end_the_wait(airflow_run, emulator, fill, mode):
    fill("a.png")
    for kind in ({"kind": "status", "status": 500}, {"kind": "status", "status": 429}, {"kind": "reset"}):
        emulator.faults({"path": "tasks/count", "times": 3, **kind})
    thread = later(emulator, "tasks/count", 20, lambda: emulator.set_status("photos", "approved"))
    done = airflow_run(sensor(**mode)).attempt()
    thread.join()
    assert done.state == "success"
    assert done.result["done"] == 1


@modes
def test_timeout_during_an_outage_says_what_failed(airflow_run, emulator, fill, mode):
    fill("a.png")
    emulator.faults({"path": "tasks/count", "times": 10_000, "kind": "status", "status": 503})
    done = airflow_run(sensor(**mode, timeout=0.2)).attempt()
    assert isinstance(done.error, AirflowSensorTimeout)
    assert "FastLabel never answered" in str(done.error)
    assert "503" in str(done.error)


@pytest.mark.parametrize("mode", [{"deferrable": False}, {"deferrable": True}], ids=["poke", "deferrable"])
def test_progress_tells_the_pace(airflow_run, emulator, fill, mode, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    fill("a.png", "b.png", "c.png")
    one = later(emulator, "tasks/count", 6, lambda: emulator.set_status("photos", "approved", ["a.png"]))
    rest = later(emulator, "tasks/count", 14, lambda: emulator.set_status("photos", "approved"))
    airflow_run(sensor(**mode)).attempt()
    one.join()
    rest.join()
    assert "1 of 3 tasks of project photos approved, 3 needed (" in (said := capsys.readouterr().out)
    assert "per minute" in said


def test_execution_timeout_holds_while_deferred(airflow_run, fill):
    from datetime import timedelta

    fill("a.png")
    make = sensor(deferrable=True, execution_timeout=timedelta(seconds=0.2))
    done = airflow_run(make).attempt(retries_left=True)
    assert isinstance(done.error, AirflowTaskTimeout)
    assert done.state == "up_for_retry"
    assert "execution_timeout" in str(done.error)
    assert "0 of 1 tasks" in str(done.error)


@modes
@pytest.mark.parametrize("by", ["task_names", "task_ids"])
def test_a_list_of_tasks(airflow_run, emulator, fill, mode, by):
    ids = fill("a.png", "b.png", "c.png", "other.png")
    chosen = ["a.png", "b.png", "c.png"]
    given = chosen if by == "task_names" else [ids[name] for name in chosen]
    thread = later(emulator, "tasks/image", 3, lambda: emulator.set_status("photos", "approved", chosen))
    done = airflow_run(sensor(**mode, **{by: given})).attempt()
    thread.join()
    assert done.result == {"done": 3, "total": 3, "needed": 3, "statuses": ["approved"]}


@modes
def test_some_of_a_list_whose_names_do_not_all_exist(airflow_run, emulator, fill, mode):
    fill("a.png", "b.png", status="approved")
    done = airflow_run(sensor(**mode, task_names=["a.png", "late.png", "b.png"], min_count=2)).attempt()
    assert done.result == {"done": 2, "total": 3, "needed": 2, "statuses": ["approved"]}


@modes
def test_as_many_as_an_earlier_task_has_created(airflow_run, emulator, fill, mode):
    fill("old.png", "a.png", "b.png")
    emulator.set_status("photos", "approved", ["a.png", "b.png"])
    done = airflow_run(sensor(**mode, min_count="{{ {'created': 2}['created'] }}")).attempt()
    assert done.result == {"done": 2, "total": None, "needed": 2, "statuses": ["approved"]}


@modes
def test_nothing_created_is_nothing_to_wait_for(airflow_run, client, mode):
    done = airflow_run(sensor(**mode, min_count="{{ 0 }}")).attempt()
    assert done.state == "success"
    assert done.result == {"done": 0, "total": None, "needed": 0, "statuses": ["approved"]}
    assert done.deferrals == []


def test_a_look_at_a_list_that_must_go_on_costs_one_call(airflow_run, emulator, fill):
    names = [f"{number}.png" for number in range(10)]
    fill(*names)
    emulator.clear_requests()
    airflow_run(sensor(deferrable=True, task_names=names)).attempt(triggerer=False)
    assert calls(emulator, "tasks/image") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"status": "done"}, "'done'"),
        ({"status": "{{ none }}"}, "'None'"),
        ({"status": []}, "at least one"),
        ({"tags": ["a"], "task_names": ["b"]}, "one way"),
        ({"task_names": []}, "empty"),
        ({"task_names": "a.png"}, "must be a list"),
        ({"task_ids": "['a', 'b']"}, "must be a list"),
        ({"tags": ["{{ none }}"]}, "tags holds the text 'None'"),
        ({"tags": ["{{ '' }}"]}, "tags must hold texts"),
        ({"tags": [None]}, "tags must hold texts"),
        ({"task_names": ["a.png"], "min_count": 2}, "cannot be met"),
    ],
)
def test_senseless_arguments_fail_before_any_call(airflow_run, emulator, client, arguments, word):
    emulator.clear_requests()
    done = airflow_run(sensor(**arguments)).attempt(retries_left=True)
    assert done.state == "failed"
    assert word in str(done.error)
    assert emulator.requests() == []


@pytest.mark.parametrize("arguments", [{"min_count": -1}, {"min_share": 0}, {"min_share": 1.5}, {"poll_interval": 0}])
def test_impossible_numbers_are_refused_when_the_dag_is_parsed(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        sensor(**arguments)()


def test_template_fields_are_rendered(airflow_run, emulator, fill):
    fill("a.png", status="approved", tags=["run"])
    done = airflow_run(
        sensor(project="{{ 'pho' + 'tos' }}", tags=["{{ run_id }}"], status="{{ 'approved' }}")
    ).attempt()
    assert done.result["total"] == 1
