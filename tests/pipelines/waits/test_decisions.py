"""The pure judgements, exhaustively."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.pipelines.waits.decisions import (
    Decision,
    decide_import,
    decide_imports,
    decide_job,
    decide_tasks,
    tasks_needed,
)
from airflow_provider_fastlabel.pipelines.waits.model_jobs import JOB_KINDS
from airflow_provider_fastlabel.pipelines.waits.progress import WaitProgress


@pytest.mark.parametrize(
    ("history", "status"),
    [
        (None, "waiting"),
        ({}, "waiting"),
        ({"id": "h", "status": "running"}, "waiting"),
        ({"id": "h", "status": "a_word_of_next_year"}, "waiting"),
        ({"id": "h"}, "waiting"),
        ({"id": "h", "status": "completed"}, "success"),
        ({"id": "h", "status": "Completed", "msgCode": "none", "msgLevel": "none"}, "success"),
        ({"id": "h", "status": "failed", "msgCode": "no_access", "msgLevel": "error"}, "failed"),
        ({"id": "h", "status": "completed", "msgLevel": "error", "msgCode": "half"}, "failed"),
        ({"id": "h", "status": "canceled"}, "failed"),
        ({"id": "h", "status": "completed", "msgLevel": "warning", "msgCode": "some_skipped"}, "success"),
    ],
)
def test_imports(history, status):
    decision = decide_import(history, project="photos")
    assert decision.status == status
    assert "photos" in decision.message
    code = (history or {}).get("msgCode", "none")
    assert (code in decision.message) == (code != "none")


RUNNING = {"id": "r", "status": "running"}
DONE = {"id": "d", "status": "completed"}
BROKEN = {"id": "b", "status": "failed", "msgCode": "not_dicom"}


@pytest.mark.parametrize(
    ("histories", "status", "done"),
    [
        ([DONE, DONE], "success", 2),
        ([DONE, RUNNING], "waiting", 1),
        ([BROKEN, RUNNING], "waiting", 1),
        ([BROKEN, DONE], "failed", 2),
        ([BROKEN], "failed", 1),
        ([], "success", 0),
    ],
)
def test_imports_together_end_when_all_have_and_name_what_failed(histories, status, done):
    decision = decide_imports({f"{n}.zip": h for n, h in enumerate(histories)}, project="scans")
    assert (decision.status, decision.facts["done"], decision.facts["total"]) == (status, done, len(histories))
    assert ("0.zip" in decision.message and "not_dicom" in decision.message) == (status == "failed")
    assert bool(decision.facts["failed"]) == (BROKEN in histories)


@pytest.mark.parametrize("kind", JOB_KINDS.values(), ids=JOB_KINDS)
@pytest.mark.parametrize(
    ("status", "judged"),
    [
        ("in_progress", "waiting"),
        ("a_word_of_next_year", "waiting"),
        (None, "waiting"),
        ("completed", "success"),
        ("Failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_jobs(kind, status, judged):
    decision = decide_job({kind.identity: "j", "status": status, "msgCode": "gpu"}, kind=kind)
    assert decision.status == judged
    assert f"{kind.title} j is" in decision.message
    assert "(gpu)" in decision.message
    assert (decision.facts["job_id"], decision.facts["kind"]) == ("j", kind.name)


def test_the_signature_of_a_model_is_not_told():
    model = {"modelId": "m", "modelName": "n", "modelURL": "https://store/m.pt?X-Amz-Signature=secret"}
    decision = decide_job(
        {"trainingJobId": "j", "status": "completed", "customModel": model}, kind=JOB_KINDS["training"]
    )
    assert decision.facts["model_url"] == "https://store/m.pt"
    assert "secret" not in str(decision)


def decide(reached, total, **demand):
    return decide_tasks(
        reached, total, what="x", statuses=["approved"], **{"min_count": None, "min_share": None, **demand}
    ).status


@pytest.mark.parametrize(
    ("reached", "total", "demand", "status"),
    [
        (0, 0, {"min_share": 1.0}, "waiting"),
        (0, 0, {"min_count": 1}, "waiting"),
        (0, 0, {"min_count": 0}, "success"),
        (0, None, {"min_count": 0}, "success"),
        (2, None, {"min_count": 3}, "waiting"),
        (3, None, {"min_count": 3}, "success"),
        (0, 0, {"min_count": 0, "min_share": 1.0}, "success"),
        (0, 5, {"min_count": 0, "min_share": 1.0}, "waiting"),
        (1, 1, {"min_share": 1.0}, "success"),
        (99, 100, {"min_share": 1.0}, "waiting"),
        (7, 100, {"min_share": 0.07}, "success"),
        (6, 100, {"min_share": 0.07}, "waiting"),
        (0, 5, {"min_share": 0.001}, "waiting"),
        (1, 5, {"min_share": 0.001}, "success"),
        (3, 1000, {"min_count": 3}, "success"),
        (3, 10, {"min_count": 3, "min_share": 0.5}, "waiting"),
        (5, 10, {"min_count": 6, "min_share": 0.5}, "waiting"),
        (6, 10, {"min_count": 6, "min_share": 0.5}, "success"),
    ],
)
def test_tasks(reached, total, demand, status):
    assert decide(reached, total, **demand) == status


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_a_share_needs_neither_one_task_more_nor_less(total, thousandths):
    needed = tasks_needed(total, min_count=None, min_share=thousandths / 1000)
    assert 1000 * needed >= total * thousandths
    assert needed == 1 or 1000 * (needed - 1) < total * thousandths


def line(progress, done, now):
    return progress.line(Decision("waiting", f"{done} of 100", {"done": done, "total": 100, "needed": 100}), now)


def test_progress_is_calm():
    progress = WaitProgress()
    assert line(progress, 10, 0) == "10 of 100"
    assert line(progress, 11, 5) is None
    assert line(progress, 15, 10).startswith("15 of 100")
    assert line(progress, 16, 39) is None
    assert line(progress, 16, 40).startswith("16 of 100")
    assert line(progress, 16, 600) is None
    assert line(progress, 16, 640).startswith("16 of 100")


def test_progress_tells_rate_and_time_left():
    progress = WaitProgress()
    line(progress, 10, 0)
    assert line(progress, 40, 3600) == "40 of 100 (0.5 per minute, about 2.0 h left)"
