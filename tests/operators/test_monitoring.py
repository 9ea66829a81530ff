"""FastLabelPushMonitoringResultsOperator: everything checked first, nothing sent twice."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.operators import FastLabelPushMonitoringResultsOperator, monitoring
from tests.airflow_run import needs_state_store


def result(number=0, **fields):
    """Return a good result."""
    return {
        "status": "success",
        "result": [{"value": "cat", "confidenceScore": 0.98}],
        "requestAt": f"2026-11-22T09:00:00.{number:06d}+09:00",
        **fields,
    }


def operator(**arguments):
    """Return how to make the operator."""
    return lambda: FastLabelPushMonitoringResultsOperator(task_id="push", **{"name": "cats", **arguments})


@pytest.fixture
def chunks_of_two(monkeypatch):
    monkeypatch.setattr(monitoring, "CHUNK", 2)


def test_sends_all_in_order_and_counts(airflow_run, emulator, chunks_of_two):
    results = [result(0), result(1, status="failed", result=[]), result(2)]
    done = airflow_run(operator(results=results)).attempt()
    assert done.state == "success"
    assert done.result == {"name": "cats", "results": 3, "success": 2, "failed": 1}
    assert emulator.monitoring("cats") == results
    assert len(emulator.requests()) == 2


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
def test_reads_a_file(airflow_run, emulator, tmp_path, suffix):
    results = [result(0), result(1)]
    path = tmp_path / f"2026.{suffix}"
    path.write_text(json.dumps(results) if suffix == "json" else "\n".join(map(json.dumps, results)) + "\n\n")
    done = airflow_run(operator(results_path=str(path.parent) + f"/{{{{ 2000 + 26 }}}}.{suffix}")).attempt()
    assert done.state == "success"
    assert emulator.monitoring("cats") == results


def fail_second_call(emulator, **fault):
    """Let the first call pass and the second go wrong."""
    path = {"path": "model-monitorings", "times": 1}
    emulator.faults({**path, "kind": "slow", "seconds": 0}, {**path, "kind": "status", "status": 500, **fault})


@needs_state_store
def test_a_retry_goes_on_behind_what_was_sent(airflow_run, emulator, chunks_of_two):
    results = [result(number) for number in range(5)]
    run = airflow_run(operator(results=results))
    fail_second_call(emulator)
    assert run.attempt(1, retries_left=True).state == "up_for_retry"
    assert emulator.monitoring("cats") == results[:2]
    assert run.attempt(2).result["results"] == 5
    assert emulator.monitoring("cats") == results
    assert run.supervisor.kept == {}


@needs_state_store
def test_a_chunk_whose_answer_was_lost_is_the_only_one_that_may_count_twice(airflow_run, emulator, chunks_of_two):
    results = [result(number) for number in range(5)]
    run = airflow_run(operator(results=results))
    fail_second_call(emulator, kind="lost_answer")
    assert run.attempt(1, retries_left=True).state == "up_for_retry"
    assert run.attempt(2).state == "success"
    assert emulator.monitoring("cats") == results[:4] + results[2:]


def test_other_results_are_sent_from_the_start(airflow_run, emulator, chunks_of_two):
    run = airflow_run(operator(results=[result(0), result(1), result(2)]))
    fail_second_call(emulator)
    run.attempt(1, retries_left=True)
    run._make = operator(results=[result(7), result(8), result(9)])
    run.attempt(2)
    assert emulator.monitoring("cats") == [result(0), result(1), result(7), result(8), result(9)]


def test_no_results_make_no_call(airflow_run, emulator):
    done = airflow_run(operator(results=[])).attempt()
    assert done.result == {"name": "cats", "results": 0, "success": 0, "failed": 0}
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("text", "must be an object"),
        (result(status="done"), "status must be one of success, failed, not 'done'"),
        (result(requestAt="2026-11-22T09:00:00"), "with offset"),
        (result(requestAt="2026-11-22"), "with offset"),
        (result(requestAt=None), "with offset"),
        (result(result="cat"), "result must be a list"),
        (result(result=["cat"]), "result[1].value"),
        (result(result=[{"value": "", "confidenceScore": 0.5}]), "result[1].value"),
        (result(result=[{"value": "cat", "confidenceScore": 1.01}]), "from 0 to 1, not 1.01"),
        (result(result=[{"value": "cat", "confidenceScore": float("nan")}]), "from 0 to 1, not nan"),
        (result(result=[{"value": "cat", "confidenceScore": True}]), "from 0 to 1, not True"),
        (result(result=[{"value": "cat"}]), "from 0 to 1, not None"),
        (result(result=[{"value": "half \ud800", "confidenceScore": 0.5}]), "it holds half of a surrogate pair"),
        (result(note=float("nan")), "it holds NaN or an infinite number"),
    ],
)
def test_a_wrong_result_is_named_and_nothing_is_sent(airflow_run, emulator, wrong, words):
    done = airflow_run(operator(results=[result(), wrong])).attempt()
    assert done.state == "failed"
    assert f"result 2: {words}" in str(done.error) or (words in str(done.error) and "result 2: " in str(done.error))
    assert "nothing was sent" in str(done.error)
    assert emulator.requests() == []


def test_all_problems_are_reported_together_but_not_endlessly(airflow_run, emulator):
    done = airflow_run(operator(results=[result(status="x")] * 50)).attempt()
    assert "50 problem(s)" in str(done.error)
    assert "result 20: " in str(done.error)
    assert "result 21: " not in str(done.error)
    assert "and 30 more" in str(done.error)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"status": "success"\n', "line 1 of the results file is not valid JSON"),
        ("a.json", "[", "the results file is not valid JSON"),
        ("a.jsonl", '[\n\n{"a": "\udcff"}', "line 1 of the results file is not valid JSON"),
        ("a.json", '["\udcff"]', "the results file is not UTF-8 text: byte 2"),
        ("a.json", "[" * 200_000, "nested too deeply"),
        ("a.jsonl", "9" * 5000, "line 1 of the results file is not usable JSON: a number has thousands of digits"),
        ("a.json", "{}", "must hold a JSON list"),
        ("a.jsonl", "3\n", "line 1: must be an object"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_is_sent(airflow_run, emulator, tmp_path, name, text, words):
    (tmp_path / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    done = airflow_run(operator(results_path=str(tmp_path / name))).attempt()
    assert words in str(done.error)
    assert emulator.requests() == []


def test_a_missing_file_is_named(airflow_run, emulator, tmp_path):
    done = airflow_run(operator(results_path=str(tmp_path / "none.json"))).attempt()
    assert "none.json: there is no such file" in str(done.error)


def test_a_template_that_renders_to_text_is_refused(airflow_run, emulator):
    done = airflow_run(operator(results="{{ [] }}")).attempt()
    assert "must be a list" in str(done.error)


def test_an_unknown_monitoring_fails_without_retries(airflow_run, emulator):
    emulator.configure(monitoring_names=["dogs"])
    done = airflow_run(operator(results=[result()])).attempt(retries_left=True)
    assert done.state == "failed"


@pytest.mark.parametrize("arguments", [{}, {"results": [], "results_path": "x"}])
def test_exactly_one_source(arguments):
    with pytest.raises(ValueError, match="either results or results_path"):
        operator(**arguments)()
