"""labeling_round: the tasks of a round in their order, as workers run them; several in one DAG, and mapped."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.sdk import DAG, task_group

from airflow_provider_fastlabel.operators import FastLabelExportYoloOperator
from airflow_provider_fastlabel.task_groups import labeling_round
from tests.airflow_fixtures import PNG


def tasks_of(dag) -> dict[str, Any]:
    return dict(dag.task_dict)


STEPS = ["import_folder", "wait_for_people", "check", "export"]


def check(labelled):
    return "approved" if labelled["name"] != "b.png" else {"status": "sent_back", "comment": "Look again."}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    made = tmp_path / "photos"
    made.mkdir()
    for name in ("a.png", "b.png"):
        (made / name).write_bytes(PNG)
    return made


@pytest.fixture
def step(airflow_run, folder, tmp_path):
    """Run one task of a round."""

    def run(task_id, **arguments):
        def make():
            given = {"project": "photos", "folder": str(folder), "output": str(tmp_path / "set"), **arguments}
            with DAG("other", schedule=None) as dag:
                labeling_round(**{"poll_interval": 0.05, **given})
            return dag.get_task(f"labeling_round.{task_id}")

        return airflow_run(make).attempt()

    return run


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_round_from_files_to_a_dataset(client, step, tmp_path, deferrable):
    client.create_annotation("photos", "bbox", "cat", "Cat")
    more = {"tags": ["night"], "check": check, "deferrable": deferrable}
    assert step("import_folder", **more).result["created"] == 2
    for task in client.iter_tasks("photos", "image"):
        assert task["tags"] == ["night"]
        client.update_task(task["id"], status="completed")
    waited = step("wait_for_people", **more)
    assert (waited.state, waited.result["done"], bool(waited.deferrals)) == ("success", 2, False)
    assert step("check", **more).result["changed"] == 2
    done = step("export", **more)
    assert (done.state, done.result["images"]) == ("success", 1)
    assert (tmp_path / "set" / "annotations.json").exists()


@pytest.mark.parametrize("deferrable", [False, True])
def test_it_waits_for_all_of_the_round_and_for_none_if_there_are_none(client, step, fill, deferrable):
    fill("old.png")
    none = step("wait_for_people", tags=["night"], deferrable=deferrable)
    assert (none.state, none.result["done"]) == ("success", 0)
    fill("new.png", tags=["night"])
    late = step("wait_for_people", tags=["night"], deferrable=deferrable, timeout=0.2)
    assert late.state == "failed"
    assert bool(late.deferrals) == deferrable


def test_the_check_sees_only_what_is_not_approved_yet():
    with DAG("dag", schedule=None) as dag:
        labeling_round(project="p", folder="f", output="o", check=check)
        labeling_round("other", project="p", folder="f", output="o", check=check, status="reviewed")
    tasks = tasks_of(dag)
    assert tasks["labeling_round.check"].filter_status == ["completed", "reviewed"]
    assert tasks["labeling_round.wait_for_people"].status == ["completed", "reviewed", "approved"]
    assert tasks["other.check"].filter_status == "reviewed"


def test_several_in_one_dag_each_in_its_order():
    with DAG("dag", schedule=None) as dag:
        for name in ("cats", "dogs"):
            labeling_round(
                name,
                project=name,
                folder=f"s3://raw/{name}",
                output=f"s3://sets/{name}",
                export=FastLabelExportYoloOperator,
                export_arguments={"layout": "ultralytics"},
                import_arguments={"max_failures": 3},
                default_args={"retries": 3},
            ) >> labeling_round(f"{name}_again", project=name, folder="f", output="o", check=check)
    tasks = tasks_of(dag)
    assert len(tasks) == 14
    first, wait, export = (tasks[f"cats.{each}"] for each in ("import_folder", "wait_for_people", "export"))
    assert (first.downstream_task_ids, wait.downstream_task_ids) == ({wait.task_id}, {export.task_id})
    assert export.downstream_task_ids == {"cats_again.import_folder"}
    assert (export.layout, first.max_failures, first.retries) == ("ultralytics", 3, 3)
    check_of = tasks["cats_again.check"]
    assert (check_of.upstream_task_ids, check_of.downstream_task_ids) == (
        {"cats_again.wait_for_people"}, {"cats_again.export"},
    )  # fmt: skip


def test_it_can_be_mapped():
    with DAG("dag", schedule=None) as dag:

        @task_group
        def each(project, folder, output):
            labeling_round(project=project, folder=folder, output=output, check=check)

        each.expand_kwargs([{"project": "cats", "folder": "a", "output": "b"}])
    assert [task.task_id for task in dag.tasks] == [f"each.labeling_round.{step}" for step in STEPS]
    assert all(task.get_closest_mapped_task_group() is not None for task in dag.tasks)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"check_arguments": {"dry_run": True}}, "check_arguments are for a check"),
        ({"check": "approve"}, "python_callable must be a function"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"timeout": -1}, "timeout"),
        ({"deferrable": "yes"}, "deferrable must be True or False"),
    ],
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments, words):
    # Airflow checks a sensor's timeout, before 3.2 with an error of its own
    with pytest.raises((ValueError, AirflowException), match=words), DAG("dag", schedule=None):
        labeling_round(project="p", folder="f", output="o", **arguments)
