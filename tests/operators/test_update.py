"""FastLabelUpdateTasksOperator and FastLabelDeleteTasksOperator: many tasks, nothing stops at the first failure."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_fastlabel.client.exceptions import AuthError, NotFound, RateLimited
from airflow_provider_fastlabel.operators import FastLabelDeleteTasksOperator, FastLabelUpdateTasksOperator
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from tests.airflow_fixtures import calls, later
from tests.airflow_run import needs_state_store


def update(**arguments):
    """Return how to make the update operator."""
    return lambda: FastLabelUpdateTasksOperator(task_id="update", **{"project": "photos", **arguments})


def delete(**arguments):
    """Return how to make the delete operator."""
    return lambda: FastLabelDeleteTasksOperator(task_id="delete", **{"project": "photos", **arguments})


def puts(emulator):
    """Return the number of updates the emulator got."""
    return sum(request["method"] == "PUT" for request in emulator.requests())


def state(client):
    """Return status and tags of each task by name."""
    return {task["name"]: (task["status"], task["tags"]) for task in client.iter_tasks("photos", "image")}


def test_by_filter_and_again_without_a_write(airflow_run, emulator, client, fill):
    fill("a.png", "b.png", status="completed", tags=["night"])
    fill("c.png", status="completed")
    fill("d.png", status="skipped", tags=["night"])
    make = update(filter_status=["completed", "skipped"], filter_tags=["night"], status="approved", priority=20)
    done = airflow_run(make).attempt()
    assert done.result == {"chosen": 3, "updated": 3, "unchanged": 0, "failed": 0}
    assert {name: status for name, (status, _) in state(client).items()} == {
        "a.png": "approved", "b.png": "approved", "c.png": "completed", "d.png": "approved",
    }  # fmt: skip
    emulator.clear_requests()
    again = airflow_run(update(filter_tags=["night"], status="approved", priority=20)).attempt()
    assert again.result == {"chosen": 3, "updated": 0, "unchanged": 3, "failed": 0}
    assert puts(emulator) == 0


def test_more_tasks_than_a_page_while_they_leave_the_filter(airflow_run, emulator, client, fill):
    emulator.configure(page_maxima={"image": 1000})
    names = [f"{number:04}.png" for number in range(60)]
    fill(*names)
    done = airflow_run(update(filter_status="registered", status="pending", max_workers=8)).attempt()
    assert done.result == {"chosen": 60, "updated": 60, "unchanged": 0, "failed": 0}
    assert {status for status, _ in state(client).values()} == {"pending"}


def test_by_name_and_by_id(airflow_run, client, fill):
    ids = fill("a.png", "b.png", "c.png")
    airflow_run(update(task_names=["a.png", "a.png"], status="approved")).attempt()
    done = airflow_run(update(task_ids=[ids["b.png"]], external_status="approved", tags=["x"])).attempt()
    assert done.result == {"chosen": 1, "updated": 1, "unchanged": 0, "failed": 0}
    assert state(client) == {"a.png": ("approved", []), "b.png": ("registered", ["x"]), "c.png": ("registered", [])}
    assert client.find_image_task(ids["b.png"])["externalStatus"] == "approved"


def test_tags_are_added_to_the_present_ones(airflow_run, emulator, client, fill):
    fill("a.png", tags=["old"])
    fill("b.png", tags=["old", "new"])
    done = airflow_run(update(task_names=["a.png", "b.png"], add_tags=["new"])).attempt()
    assert done.result == {"chosen": 2, "updated": 1, "unchanged": 1, "failed": 0}
    assert {name: sorted(tags) for name, (_, tags) in state(client).items()} == {
        "a.png": ["new", "old"], "b.png": ["new", "old"],
    }  # fmt: skip
    by_filter = airflow_run(update(filter_tags=["old"], add_tags=["newer"])).attempt()
    assert by_filter.result["updated"] == 2


def test_failures_are_reported_one_by_one_and_the_rest_is_done(airflow_run, client, fill):
    ids = fill("a.png", "b.png")
    chosen = [ids["a.png"], "no-such-id", ids["b.png"], "nor-this"]
    done = airflow_run(update(task_ids=chosen, status="approved")).attempt(retries_left=True)
    assert done.state == "up_for_retry"
    assert isinstance(done.error, RunIncomplete)
    assert "2 of 4 tasks of project photos could not be updated" in str(done.error)
    assert sorted(failure["task"] for failure in done.xcoms["failures"]) == ["no-such-id", "nor-this"]
    assert {status for status, _ in state(client).values()} == {"approved"}


def test_an_unknown_name_is_a_failure_of_that_name(airflow_run, client, fill):
    fill("a.png")
    done = airflow_run(update(task_names=["a.png", "z.png"], status="approved")).attempt()
    assert done.xcoms["failures"] == [
        {"task": "z.png", "error": "project photos has no task of this name"},
    ]
    assert state(client)["a.png"][0] == "approved"


def test_a_call_that_went_wrong_is_done_by_the_retry(airflow_run, emulator, client, fill):
    names = [f"{number}.png" for number in range(6)]
    fill(*names)
    emulator.faults({"method": "PUT", "times": 2, "kind": "status", "status": 500})
    run = airflow_run(update(filter_status="registered", status="approved"))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert len(first.xcoms["failures"]) == 2
    assert run.attempt(2).result == {"chosen": 2, "updated": 2, "unchanged": 0, "failed": 0}


@pytest.mark.parametrize(("make", "method"), [(update, "PUT"), (delete, "DELETE")])
def test_an_outage_ends_the_run_instead_of_failing_every_task(airflow_run, emulator, client, fill, make, method):
    ids = fill(*[f"{number:02}.png" for number in range(30)])
    emulator.clear_requests()
    emulator.faults({"method": method, "times": 10**6, "kind": "status", "status": 503})
    arguments = {"status": "approved"} if make is update else {}
    done = airflow_run(make(task_ids=list(ids.values()), max_workers=1, **arguments)).attempt(retries_left=True)
    assert done.state == "up_for_retry"
    assert "20 tasks in a row got no usable answer from FastLabel" in str(done.error)
    assert "10 were not tried" in str(done.error)
    assert len(done.xcoms["failures"]) == 20
    assert sum(request["method"] == method for request in emulator.requests()) == 20


def test_what_concerns_every_task_stops_at_once(airflow_run, emulator, client, fill):
    ids = fill(*[f"{number}.png" for number in range(20)])
    emulator.clear_requests()
    emulator.faults({"method": "PUT", "times": 100, "kind": "status", "status": 401})
    done = airflow_run(update(task_ids=list(ids.values()), status="approved", max_workers=2)).attempt()
    assert isinstance(done.reason, AuthError)
    assert puts(emulator) <= 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_leaves_the_slot_and_uses_up_no_retry(airflow_run, emulator, client, fill, status):
    ids = fill(*[f"{number}.png" for number in range(20)])
    emulator.clear_requests()
    emulator.faults({"method": "PUT", "times": 1, "kind": "status", "status": status, "retry_after": 30})
    done = airflow_run(update(filter_status="registered", status="approved", max_workers=1)).attempt(retries_left=False)
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.pauses[0].is_of(30)
    assert puts(emulator) == 1 + len(ids)


@needs_state_store
@pytest.mark.parametrize("way", ["filter", "tags", "task_ids", "task_names"])
def test_parts_of_an_update_count_as_one_and_repeat_nothing(airflow_run, emulator, client, fill, way):
    ids = fill(*[f"{number}.png" for number in range(6)], tags=["t"])
    ways: dict[str, dict[str, Any]] = {
        "filter": {"filter_status": "registered"}, "tags": {"filter_tags": ["t"]},
        "task_ids": {"task_ids": list(ids.values())}, "task_names": {"task_names": list(ids)},
    }  # fmt: skip
    emulator.clear_requests()
    pause = {"method": "PUT", "times": 1, "kind": "status", "status": 429, "retry_after": 30}
    emulator.faults({"method": "PUT", "times": 2, "kind": "slow", "seconds": 0}, pause)
    run = airflow_run(update(**ways[way], status="approved", max_workers=1))
    done = run.attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.result == {"chosen": 6, "updated": 6, "unchanged": 0, "failed": 0}
    assert puts(emulator) == 6 + 1


@needs_state_store
@pytest.mark.parametrize("way", ["filter", "task_ids", "task_names"])
def test_parts_of_a_deletion_count_as_one_and_repeat_nothing(airflow_run, emulator, client, fill, way):
    ids = fill(*[f"{number}.png" for number in range(6)])
    ways: dict[str, dict[str, Any]] = {
        "filter": {"filter_status": "registered"}, "task_ids": {"task_ids": list(ids.values())},
        "task_names": {"task_names": list(ids)},
    }  # fmt: skip
    emulator.clear_requests()
    pause = {"method": "DELETE", "times": 1, "kind": "status", "status": 429, "retry_after": 30}
    emulator.faults({"method": "DELETE", "times": 2, "kind": "slow", "seconds": 0}, pause)
    run = airflow_run(lambda: FastLabelDeleteTasksOperator(task_id="d", project="photos", max_workers=1, **ways[way]))
    done = run.attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.result == {"chosen": 6, "deleted": 6, "missing": 0, "failed": 0}
    assert sum(request["method"] == "DELETE" for request in emulator.requests()) == 6 + 1
    assert not any(key.startswith("fastlabel_parts") for key in run.supervisor.kept)


def test_a_fastlabel_that_never_answers_fails_in_the_end(airflow_run, emulator, client, fill, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.utils.slot.MOST_LEAVINGS", 5)
    fill("a.png")
    emulator.faults({"method": "PUT", "times": 10**6, "kind": "status", "status": 429, "retry_after": 3600})
    done = airflow_run(update(filter_status="registered", status="approved")).attempt(retries_left=True)
    assert (done.state, type(done.error), done.reschedules) == ("up_for_retry", RateLimited, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"status": ""}, ["status"]),
        ({"status": "None"}, ["status", "'None'", "registered"]),
        ({"external_status": ""}, ["external_status"]),
        ({"add_tags": {"a": 1}}, ["add_tags"]),
        ({"tags": ["a", None]}, ["tags", "None"]),
        ({"tags": []}, ["tags"]),
        ({"tags": "a"}, ["tags"]),
    ],
)
def test_what_rendered_to_nothing_useful_is_refused_before_the_first_task(
    airflow_run, emulator, fill, arguments, words
):
    fill("a.png", "b.png")
    done = airflow_run(update(filter_status="registered", **arguments)).attempt()
    assert done.state == "failed"
    assert all(word in str(done.error) for word in words), done.error
    assert puts(emulator) == 0


@pytest.mark.parametrize("name", ["task_ids", "task_names"])
@pytest.mark.parametrize("wrong", [[None], [""], [["a"]], {"a": 1}, 5])
def test_an_id_or_name_that_is_none_is_no_task_that_is_gone_already(airflow_run, client, emulator, name, wrong):
    done = airflow_run(delete(**{name: wrong})).attempt()
    assert done.state == "failed"
    assert name in str(done.error)


def test_killing_the_task_takes_up_no_more_tasks_and_a_retry_does_the_rest(airflow_run, emulator, client, fill):
    fill(*[f"{number}.png" for number in range(6)])
    emulator.clear_requests()
    emulator.fault("slow", method="PUT", times=6, seconds=0.3)
    task = update(filter_status="registered", status="approved", max_workers=1)()
    task.on_kill()  # before anything runs: nothing to stop
    thread = later(emulator, "tasks/", 2, task.on_kill)
    with pytest.raises(RunIncomplete, match="stopped on request"):
        task.execute({})
    thread.join()
    done = puts(emulator)
    assert done < 6
    emulator.faults()
    rest = airflow_run(update(filter_status="registered", status="approved")).attempt()
    assert rest.result["chosen"] == 6 - done


def test_nothing_chosen_is_a_success(airflow_run, client):
    assert airflow_run(update(task_ids=[], status="approved")).attempt().result["chosen"] == 0
    assert airflow_run(update(filter_status="skipped", status="approved")).attempt().result["chosen"] == 0


def test_an_unknown_project_fails_without_retries(airflow_run, client):
    for make in (update(project="nowhere", filter_status="skipped", status="approved"), delete(
        project="nowhere", task_names=["a"]
    )):  # fmt: skip
        done = airflow_run(make).attempt(retries_left=True)
        assert done.state == "failed"
        assert isinstance(done.reason, NotFound)


def test_deletes_and_counts_what_is_gone_already(airflow_run, client, fill):
    ids = fill("a.png", "b.png", "c.png")
    client.delete_task(ids["b.png"])
    done = airflow_run(delete(task_ids=[ids["a.png"], ids["b.png"]])).attempt()
    assert done.result == {"chosen": 2, "deleted": 1, "missing": 1, "failed": 0}
    done = airflow_run(delete(task_names=["a.png", "c.png"])).attempt()
    assert done.result == {"chosen": 2, "deleted": 1, "missing": 1, "failed": 0}
    assert state(client) == {}


def test_deletes_by_filter_and_spares_the_others(airflow_run, client, fill):
    fill("a.png", "b.png", status="skipped")
    fill("c.png")
    assert airflow_run(delete(filter_status="skipped")).attempt().result["deleted"] == 2
    assert list(state(client)) == ["c.png"]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"task_ids": ["a"], "task_names": ["b"]},
        {"task_ids": ["a"], "filter_status": "approved"},
        {"filter_tags": []},
    ],
)
@pytest.mark.parametrize("make", [delete, lambda **chosen: update(status="approved", **chosen)])
def test_a_whole_project_is_never_chosen_by_accident(airflow_run, emulator, client, fill, make, chosen):
    fill("a.png")
    emulator.clear_requests()
    done = airflow_run(make(**chosen)).attempt()
    assert "Choose the tasks in one way" in str(done.error)
    assert calls(emulator, "") == 0


def test_lists_that_rendered_to_text_are_refused(airflow_run, emulator, client):
    for arguments in (
        {"task_names": "{{ 'a.png' }}", "status": "approved"},
        {"task_names": ["a"], "tags": "{{ 'x' }}"},
    ):
        done = airflow_run(update(**arguments)).attempt()
        assert "must be a list" in str(done.error)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Nothing to change"),
        ({"tags": ["a"], "add_tags": ["b"]}, "one of them"),
        ({"status": "approved", "max_workers": 0}, "max_workers"),
        ({"status": "approved", "max_workers": 17}, "max_workers"),
    ],
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments, words):
    with pytest.raises(ValueError, match=words):
        update(task_ids=["a"], **arguments)()


@pytest.fixture
def people(emulator):
    """The slugs of two people of the workspace, and their names."""
    for slug in ("anna", "ben"):
        emulator.add_user(slug, slug.title())
    return {"anna": "Anna", "ben": "Ben"}


def test_people_share_tasks_and_keep_them(airflow_run, client, fill, people):
    names = [f"{number}.png" for number in range(12)]
    ids = fill(*names)
    both = {"assignee": ["anna", "ben"], "reviewer": ["anna", "ben"], "external_assignee": "anna"}
    first = airflow_run(update(task_names=names, **both)).attempt()
    assert first.result == {"chosen": 12, "updated": 12, "unchanged": 0, "failed": 0}

    def given():
        return {task["name"]: (task["assignee"], task["reviewer"]) for task in client.iter_tasks("photos", "image")}

    before = given()
    assert set(before.values()) == {("Anna", "Ben"), ("Ben", "Anna")}
    assert {task["externalAssignee"] for task in client.iter_tasks("photos", "image")} == {"Anna"}
    # By id and by filter a task goes to the same person, also when others are left out.
    airflow_run(update(task_ids=list(ids.values())[5:], **both)).attempt()
    airflow_run(update(filter_status="registered", status="pending", **both)).attempt()
    assert given() == before


def test_patterns_that_miss_a_task_fail_it_and_no_other(airflow_run, client, fill, people):
    fill("a.png", "b.png")
    done = airflow_run(update(filter_status="registered", assignee={"a*": "ben"})).attempt()
    assert done.state == "failed"
    assert "b.png: " in str(done.reason)
    assert "add '**'" in str(done.reason)
    assert client.find_image_task_by_name("photos", "a.png")["assignee"] == "Ben"


def test_people_that_rendered_to_nothing_are_refused(airflow_run, fill):
    fill("a.png")
    done = airflow_run(update(task_names=["a.png"], assignee="{{ none }}")).attempt()
    assert "assignee is empty" in str(done.reason)
