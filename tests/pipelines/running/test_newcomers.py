"""What was there before and what has come since, by times that FastLabel states in whatever form, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_fastlabel.pipelines.running.newcomers import Before, created, newest

NOON = "2026-11-28T12:00:00.000Z"
SAME_NOON = ["2026-11-28T12:00:00Z", "2026-11-28T12:00:00", "2026-11-28 12:00:00.000000", "2026-11-28T21:00:00+09:00"]
UNREADABLE: list[Any] = [None, "", "yesterday", 7, [], {}]


@pytest.mark.parametrize("text", SAME_NOON)
def test_one_time_in_another_form_is_the_same_time(text):
    assert created({"createdAt": text}) == created({"createdAt": NOON})
    assert Before.of([{"id": "a", "createdAt": text}]).newcomers([{"id": "b", "createdAt": NOON}]) == []
    late = {"id": "b", "createdAt": "2026-11-28T12:00:00.001Z"}
    assert Before.of([{"id": "a", "createdAt": text}]).newcomers([late]) == [late]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_does_not_tell_its_time_is_new_unless_it_is_known(text):
    old, dated, late = {"id": "a", "createdAt": text}, {"id": "b", "createdAt": NOON}, {"id": "c", "createdAt": text}
    before = Before.of([old, dated])
    assert created(old) is None
    assert before.newcomers([old, dated]) == []
    assert before.newcomers([old, dated, late]) == [late]
    assert newest([old, dated, late]) is dated


def test_what_no_object_tells_is_told_by_ids():
    before = Before.of([{"job": "a"}], "job")
    assert before.newcomers([{"job": "a"}, {"job": "b"}], "job") == [{"job": "b"}]


def test_before_the_first_all_is_new():
    assert Before.of([]).newcomers([{"id": "a", "createdAt": NOON}]) == [{"id": "a", "createdAt": NOON}]
    assert newest([]) is None


def test_what_was_remembered_is_known_again_also_by_a_release_that_knew_times_only():
    before = Before.of([{"id": "a", "createdAt": NOON}, {"id": "b"}])
    assert Before.kept(before.values()) == before
    assert before.values()["newest_before"] == NOON
    assert Before.kept({"newest_before": NOON}) == Before(NOON)


def test_one_more_is_known_as_well():
    more = Before.of([{"id": "a", "createdAt": NOON}]).including([{"id": "b"}, {"id": "c", "createdAt": "2025-01-01"}])
    assert more == Before(NOON, ["b"])
