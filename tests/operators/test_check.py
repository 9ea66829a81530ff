"""FastLabelCheckDatasetOperator, as a worker runs it on what an export has published."""

from __future__ import annotations

import json
from typing import Any

import fsspec
import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.io import attach

from airflow_provider_fastlabel.operators import FastLabelCheckDatasetOperator, FastLabelExportCocoOperator
from tests.operators.exporting import BOX

TINY = {**BOX, "points": [4, 5, 6, 25]}
CHECKS: list[dict[str, Any]] = [
    {"check": "approved"},
    {"check": "tiny_boxes", "at_most": 0.1},
    {"check": "overlapping_boxes", "severity": "warn"},
    {"check": "class_drift"},
]


@pytest.fixture
def check(airflow_run, tmp_path):
    """Check the data set of this test; tasks of the given names come after the check."""

    def go(*, then=(), **arguments):
        given = {"dataset": str(tmp_path / "set"), "checks": CHECKS, **arguments}

        def make():
            task = FastLabelCheckDatasetOperator(task_id="check", **given)
            for name in then:
                task >> BaseOperator(task_id=name)
            return task

        run = airflow_run(make)
        outcome = run.attempt()
        outcome.skipped = run.supervisor.skipped
        outcome.instance = run.instance
        return outcome

    return go


@pytest.fixture
def dataset(export, label, tmp_path):
    """Publish a data set of approved tasks with these annotations."""

    def go(*annotations, name="set"):
        label("a.png", annotations=list(annotations))
        assert export(FastLabelExportCocoOperator, output=str(tmp_path / name)).state == "success"
        return str(tmp_path / name)

    return go


def test_a_good_data_set_lets_the_run_go_on(check, dataset):
    place = dataset(BOX)
    outcome = check()
    assert outcome.state == "success", outcome.error
    markdown = outcome.result.pop("markdown")
    assert outcome.result == {
        "dataset": place,
        "passed": True,
        "counts": {"checks": 4, "passed": 4, "failed": 0, "warned": 0},
        "failures": [],
    }
    assert markdown.startswith("**Good enough**: 4 passed.")


def test_a_bad_one_fails_it_without_a_retry_and_says_why(check, dataset, label, caplog):
    caplog.set_level("INFO")
    place = dataset(BOX, TINY, {**BOX, "points": [4, 5, 21, 25]})
    label("b.png", status="completed")
    outcome = check()
    assert outcome.state == "failed"
    assert f"{place} failed 2 of 4 checks. It stays as it is." in str(outcome.error)
    assert "tiny_boxes: 33.3 % (1 of 3), and expected was at most 10 %" in str(outcome.error)
    assert "a.png: cat is 2 pixels across" in str(outcome.error)
    assert [each["assertion"] for each in outcome.result["failures"]] == ["approved", "tiny_boxes", "overlapping_boxes"]
    assert outcome.result["counts"] == {"checks": 4, "passed": 1, "failed": 2, "warned": 1}
    assert len(json.dumps(outcome.result)) < 5_000
    assert "\nwarned  overlapping_boxes" in caplog.text


def test_what_only_warns_does_not_fail(check, dataset):
    dataset(BOX, TINY)
    outcome = check(mode="warn")
    assert (outcome.state, outcome.result["passed"], outcome.result["counts"]["failed"]) == ("success", False, 1)


@pytest.mark.parametrize(("annotation", "skipped"), [(BOX, ["ask"]), (TINY, ["publish", "tell"])])
def test_it_takes_the_way_that_is_named(check, dataset, annotation, skipped):
    dataset(annotation)
    ways = {"follow_task_ids_if_true": ["publish", "tell"], "follow_task_ids_if_false": "ask"}
    outcome = check(mode="branch", then=["publish", "tell", "ask"], **ways)
    assert outcome.state == "success", outcome.error
    assert sorted(outcome.skipped) == skipped
    assert outcome.result["passed"] == (annotation is BOX)
    assert "**Good enough**" in outcome.result["markdown"] or annotation is TINY


def test_airflow_knows_that_it_may_skip(check):
    assert FastLabelCheckDatasetOperator(task_id="c", dataset="d", checks=CHECKS).inherits_from_skipmixin


def test_the_checks_may_lie_in_a_file(check, dataset, tmp_path):
    dataset(TINY)
    file = tmp_path / "checks.yaml"
    file.write_text("- {check: tiny_boxes, pixels: 2}\n- {check: objects_per_class, at_least: 1, classes: [cat]}\n")
    assert check(checks=str(file)).result["counts"]["passed"] == 2
    file.write_text("- {check: tiny_boxes, pixels: -2}\n")
    outcome = check(checks=str(file))
    assert "checks[0] (tiny_boxes): pixels must be a number above 0, not -2" in str(outcome.error)
    outcome = check(checks=str(tmp_path / "none.yaml"))
    assert "There is no file of checks" in str(outcome.error)


def test_data_sets_in_a_store_are_checked(check, export, label, tmp_path):
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="store", fs=filesystem)
    root = f"/{tmp_path.name}"
    filesystem.makedirs(root)
    try:
        label("a.png")
        for name in ("mine", "yours"):
            done = export(FastLabelExportCocoOperator, output=f"memory://{root}/{name}", output_conn_id="store")
            assert done.state == "success", done.error
        filesystem.pipe_file(f"{root}/checks.yaml", b"- {check: agreement}\n- {check: class_drift, at_most: 0}\n")
        outcome = check(
            dataset=f"memory://{root}/mine",
            second_dataset=f"memory://{root}/yours",
            earlier_dataset=f"memory://{root}/yours",
            dataset_conn_id="store",
            checks=f"memory://{root}/checks.yaml",
            source_conn_id="store",
        )
        assert outcome.state == "success", outcome.error
        assert outcome.result["counts"]["passed"] == 2
    finally:
        filesystem.rm(root, recursive=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"checks": [{"check": "tiny_boxes", "at_most": -1}]}, r"checks\[0\] \(tiny_boxes\): at_most must be a share"),
        ({"checks": []}, "must be a list of one check or more"),
        ({"mode": "stop"}, "mode must be one of 'fail', 'warn', 'branch'"),
        ({"mode": "branch"}, "give all or none"),
        ({"mode": "branch", "follow_task_ids_if_true": "a"}, "give all or none"),
        ({"follow_task_ids_if_false": "a", "follow_task_ids_if_true": "b"}, "give all or none"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments, said):
    given: dict[str, Any] = {"dataset": "set", "checks": CHECKS, **arguments}
    with pytest.raises(ValueError, match=said):
        FastLabelCheckDatasetOperator(task_id="check", **given)


def test_a_list_with_templates_is_refused_when_it_has_rendered(check, dataset):
    dataset(BOX)
    outcome = check(checks=[{"check": "{{ 'tiny' }}"}])
    assert "checks[0].check must be one of" in str(outcome.error)
    assert check(checks=[{"check": "{{ 'tiny_boxes' }}"}]).state == "success"


def test_a_task_that_is_named_must_be_there(check, dataset):
    dataset(BOX)
    ways = {"follow_task_ids_if_true": "elsewhere", "follow_task_ids_if_false": "ask"}
    outcome = check(mode="branch", then=["publish", "ask"], **ways)
    assert outcome.state == "failed"
    assert "elsewhere" in str(outcome.error)


def test_where_there_is_no_data_set_it_fails(check, tmp_path, project):
    outcome = check()
    assert outcome.state == "failed"
    assert "is no published data set" in str(outcome.error)


def test_no_connection_is_needed_for_what_asks_nobody(check, dataset, monkeypatch):
    dataset(BOX)
    monkeypatch.delenv("AIRFLOW_CONN_FASTLABEL_DEFAULT")
    assert check(checks=[{"check": "tiny_boxes"}]).state == "success"


def test_it_shows_in_a_dag_whatever_its_mode():
    with DAG("dag", schedule=None) as dag:
        FastLabelCheckDatasetOperator(task_id="check", dataset="set", checks="{{ params.checks }}")
    assert dag.task_ids == ["check"]
