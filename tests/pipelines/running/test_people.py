"""Who works on which task: the same person always, in the shares asked for."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.running.people import People

NAMES = [f"day/{number:05}.png" for number in range(6000)]


def dealt(value, names=NAMES):
    people = People({"assignee": value})
    return {name: people.of(name)["assignee"] for name in names}


@pytest.mark.parametrize(
    ("value", "shares"),
    [("anna", {"anna": 1.0}), (["anna", "ben", "cleo"], dict.fromkeys(("anna", "ben", "cleo"), 1 / 3)),
     ({"anna": 2, "ben": 1}, {"anna": 2 / 3, "ben": 1 / 3})],
)  # fmt: skip
def test_shares(value, shares):
    counts = Counter(dealt(value).values())
    assert {slug: count / len(NAMES) for slug, count in counts.items()} == pytest.approx(shares, abs=0.03)


def test_a_task_keeps_its_person_whatever_else_is_dealt():
    all_of_them = dealt(["anna", "ben"])
    assert dealt(["ben", "anna"], NAMES[100:200]) == {name: all_of_them[name] for name in NAMES[100:200]}
    with_cleo = dealt(["anna", "ben", "cleo"])
    assert {with_cleo[name] for name in NAMES if with_cleo[name] != all_of_them[name]} == {"cleo"}


def test_shares_are_the_same_on_every_machine():
    assert [dealt(["anna", "ben"])[name] for name in NAMES[:4]] == ["anna", "anna", "anna", "ben"]


def test_patterns_of_names_and_a_task_that_none_matches():
    people = People({"assignee": {"day/0000*": "anna", "day/**": "ben"}})
    assert people.of("day/00001.png") == {"assignee": "anna"}
    assert people.of("day/00011.png") == {"assignee": "ben"}
    with pytest.raises(FastLabelInvalidException, match=r"no pattern of assignee matches .* add '\*\*'"):
        people.of("night/1.png")


def test_nobody_reviews_what_they_labelled_where_there_is_another():
    three = ["anna", "ben", "cleo"]
    people = People(dict.fromkeys(("reviewer", "assignee", "approver", "external_assignee"), three))
    of = [people.of(name) for name in NAMES[:300]]
    assert all(len({one["assignee"], one["reviewer"], one["approver"]}) == 3 for one in of)
    assert {one["external_assignee"] for one in of if one["assignee"] == "anna"} == set(three)
    assert People({"assignee": "anna", "reviewer": ["anna"]}).of("a") == {"assignee": "anna", "reviewer": "anna"}


@pytest.mark.parametrize(
    "value",
    ["", " ", "None", "anna,ben", "['anna', 'ben']", [], ["anna", ""], ["anna", "anna"], {}, {"anna": 0}, {"anna": 1.5},
     {"anna": True}, {"anna": 1, "ben": "cleo"}, {"**": ""}, 7, b"anna", ["anna", None]],
)  # fmt: skip
def test_what_names_no_people_is_refused_by_name(value):
    with pytest.raises(FastLabelInvalidException, match="reviewer cannot be used"):
        People({"reviewer": value})
