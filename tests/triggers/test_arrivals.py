"""The pure half of the watchers: what is new given a cursor and a listing, and which events it makes."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_fastlabel.marks import mark_of
from airflow_provider_fastlabel.pipelines.waits.conditions import Counts
from airflow_provider_fastlabel.triggers.arrivals import (
    Cursor,
    all_reached,
    arrived,
    first_cursor,
    first_of_all,
)
from airflow_provider_fastlabel.triggers.watched import Listing, WatchedImports, WatchedShare, WatchedTasks

NOW = "2026-11-28T12:00:00+00:00"


def tasks(*names: str, at: int = 0) -> dict[str, dict[str, Any]]:
    """Return tasks as a look shows them, changed at a second."""
    return {name: {"name": name, "status": "approved", "updated_at": f"2026-11-28T10:00:{at:02}Z"} for name in names}


def follow(looks, *, every=1, include_existing=False):
    """Return the groups that each look tells, from the first on."""
    cursor = first_cursor(looks[0], now=NOW, include_existing=include_existing)
    before: dict[str, Any] = {}
    told = []
    for present in looks:
        cursor, groups = arrived(cursor, present, before, every=every)
        before = present
        told.append([sorted(group) for group in groups])
    return told


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[list[list[str]]]]] = {
    "what was there is known": ([tasks("a", "b"), tasks("a", "b", "c")], {}, [[], [["c"]]]),
    "or is told when asked for": ([tasks("a"), tasks("a")], {"include_existing": True}, [[["a"]], []]),
    "nothing twice": ([{}, tasks("a"), tasks("a"), tasks("a", at=5)], {}, [[], [["a"]], [], []]),
    "left and reached again": ([{}, tasks("a"), {}, tasks("a", at=9)], {}, [[], [["a"]], [], [["a"]]]),
    "slipped through a moving list": ([{}, tasks("a"), {}, tasks("a")], {}, [[], [["a"]], [], []]),
    "every two": (
        [{}, tasks("a"), tasks("a", "b", "c"), tasks("a", "b", "c", "d")],
        {"every": 2},
        [[], [], [["a", "b"]], [["c", "d"]]],
    ),
    "two groups of a look": ([{}, tasks(*"abcde")], {"every": 2}, [[], [["a", "b"], ["c", "d"]]]),
    "one that waits and leaves": ([{}, tasks("a"), {}, tasks("b")], {"every": 2}, [[], [], [], []]),
    "one that waits and slips": (
        [{}, tasks("a"), {}, tasks("a"), tasks("a", "b")],
        {"every": 2},
        [[], [], [], [], [["a", "b"]]],
    ),
}


@pytest.mark.parametrize(("looks", "how", "told"), CASES.values(), ids=CASES.keys())
def test_what_has_arrived(looks, how, told):
    assert follow(looks, **how) == told


def test_the_oldest_change_comes_first_in_a_group():
    cursor = first_cursor({}, now=NOW, include_existing=False)
    cursor, _ = arrived(cursor, tasks("z", at=1) | tasks("a", at=2), {}, every=3)
    assert cursor.pending == (mark_of("z"), mark_of("a"))


def test_the_cursor_before_tells_the_same_again():
    """What is told and not yet stored when a triggerer dies is told again, by the same keys."""
    cursor = first_cursor({}, now=NOW, include_existing=False)
    watched = WatchedTasks("photos", ["approved"], every=2)
    look = Listing(tasks("a", "b", "c", "d"))
    assert watched.judge(cursor, look, None)[1] == watched.judge(cursor, look, None)[1]
    one = WatchedTasks("photos", ["approved"])
    keys = [payload["key"] for payload in one.judge(cursor, look, None)[1]]
    assert keys[0] == "photos/task/a/approved/2026-11-28T10:00:00Z"
    assert len(set(keys)) == 4


def test_an_unchanged_listing_is_not_judged_twice():
    cursor = first_cursor({}, now=NOW, include_existing=False)
    look = Listing(tasks("a"))
    watched = WatchedTasks("photos", ["approved"])
    after, payloads = watched.judge(cursor, look, None)
    assert len(payloads) == 1
    assert watched.judge(after, Listing(look.things, looks_old=1), look) == (after, [])


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([(0, 0), (0, 3), (2, 3), (3, 3), (3, 3)], [False, False, False, True, False]),
        ([(3, 3), (3, 3)], [False, False]),
        ([(3, 3), (3, 4), (4, 4)], [False, False, True]),
        ([(3, 3), (2, 3), (3, 3)], [False, False, True]),
        ([(3, 3), (5, 5)], [False, True]),
        ([(0, 0), (0, 0)], [False, False]),
    ],
    ids=["at last", "complete already", "one more", "one sent back", "more between two looks", "none is not all"],
)
def test_all_have_reached(counts, told):
    cursor = first_of_all(*counts[0], now=NOW, include_existing=False)
    seen = []
    for reached, total in counts:
        cursor, now_told = all_reached(cursor, reached, total)
        seen.append(now_told)
    assert seen == told


def test_a_set_that_is_complete_already_is_told_when_asked_for():
    watched = WatchedShare("photos", ["approved"], ["night"])
    cursor = watched.begin(Counts({"approved": 3}, 3), now=NOW, include_existing=True)
    cursor, (payload,) = watched.judge(cursor, Counts({"approved": 3}, 3), None)
    assert payload == {
        "key": f"photos/tasks/approved/night/all/{NOW}/1", "project": "photos", "statuses": ["approved"],
        "tags": ["night"], "number": 1, "count": 3,
    }  # fmt: skip
    assert watched.judge(cursor, Counts({"approved": 3}, 3), None)[1] == []


def test_an_old_total_makes_no_set_complete():
    watched = WatchedShare("photos", ["approved"])
    cursor = Cursor(NOW)
    assert watched.judge(cursor, Counts({"approved": 3}, 3, looks_old=1), None) == (cursor, [])


@pytest.mark.parametrize(
    ("outcomes", "told"), [(["success"], ["b"]), (["failed"], ["a"]), (["success", "failed"], ["a", "b"])]
)
def test_imports_of_the_outcome_asked_for_are_told_once(outcomes, told):
    things = {
        "a": {"outcome": "failed", "status": "failed", "message": "", "updated_at": "1"},
        "b": {"outcome": "success", "status": "completed", "message": "", "updated_at": "2"},
    }
    watched = WatchedImports("photos", outcomes)
    cursor, payloads = watched.judge(Cursor(NOW), Listing(things), None)
    assert sorted(payload["history_id"] for payload in payloads) == told
    assert watched.judge(cursor, Listing(dict(things)), Listing(things))[1] == []
