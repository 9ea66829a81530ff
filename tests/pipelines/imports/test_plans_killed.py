"""Planner and summary of an import in chunks die at every step: the next try ends as if nothing had happened."""

from __future__ import annotations

import pytest

from tests.pipelines.exports.places.apart import lines_of, store
from tests.pipelines.imports import dying_plans

pytestmark = pytest.mark.slow


@pytest.fixture(params=["local", "s3"])
def where(request):
    if request.param == "local":
        yield "local"
        return
    with store() as address:
        yield address


def killed(who, where, folder, emulator):
    """Return what a run without a kill comes to, and the cases of all kills."""
    first, *cases, last = lines_of(dying_plans, where, str(folder), emulator.url, emulator.token, who)
    assert [case["killed"] for case in (first, *cases, last)] == [False, *[True] * len(cases), False]
    assert first["end"]["summary"]["total"] == 7
    return first["end"], cases


def test_a_planner_killed_at_any_step_leaves_no_half_plan_and_the_next_try_plans_the_same(
    where, tmp_path, fastlabel_emulator
):
    wanted, cases = killed("planner", where, tmp_path, fastlabel_emulator)
    assert len(cases) >= 8
    for case in cases:
        assert case["misused"] in ("ImportIncomplete", "LookupError"), case
        for what in ("summary", "again", "tasks", "fates", "doubles", "left"):
            assert case["end"][what] == wanted[what], (what, case)
    assert wanted["doubles"] == []
    assert wanted["left"] == [f"{dying_plans.PLAN}/plan.json", "parts.jsonl"]


def test_a_summary_killed_at_any_step_is_given_by_the_next_try_and_no_line_is_there_twice(
    where, tmp_path, fastlabel_emulator
):
    wanted, cases = killed("summary", where, tmp_path, fastlabel_emulator)
    assert len(cases) >= 4
    for case in cases:
        for what in ("summary", "again", "tasks", "fates", "lines", "doubles", "left"):
            assert case["end"][what] == wanted[what], (what, case)
    assert wanted["doubles"] == []
    assert wanted["left"] == [f"{dying_plans.PLAN}/plan.json", "parts.jsonl"]
