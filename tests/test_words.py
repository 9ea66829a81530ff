"""Foreign values and counts in few words, also those that Python itself cannot write out."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.words import counted, percent, shortened, top_counts


def test_a_value_is_written_as_python_writes_it_up_to_a_length():
    assert shortened("dog") == "'dog'"
    assert shortened("d" * 100, 10) == "'dddddd..."


def test_what_python_cannot_write_out_is_named_by_its_type():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "<list that cannot be written out>"
    assert shortened(10**5000) == "<int that cannot be written out>"
    while deep:  # from the outside in, for freeing it whole takes the stack
        deep = deep.pop()  # type: ignore[assignment]


def test_of_many_names_the_largest_are_named_and_the_rest_counted():
    counts = {f"n{number}": number for number in range(1, 20_001)}
    top = top_counts(counts)
    assert list(top) == [*(f"n{number}" for number in range(19_991, 20_001)), "and 19990 more"]
    assert sum(top.values()) == sum(counts.values())
    assert top_counts({"b": 1, "a": 2}) == {"a": 2, "b": 1}
    assert top_counts({}) == {}


def test_long_names_are_cut_and_those_that_then_are_one_are_one():
    top = top_counts({"x" * 100_000: 1, "x" * 100_001: 2})
    assert top == {"x" * 77 + "...": 3}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"), (1, "100 %"), (0.125, "12.5 %"), (2 / 3, "66.7 %"), (0.07, "7 %"), (0.0004, "0.04 %"),
        (1.5, "150 %"), (9_996 / 10_000, "99.9 %"), (999_999 / 1_000_000, "99.9 %"), (1 / 1_000_000, "< 0.01 %"),
        (9.994, "999 %"), (25, "2,500 %"),
    ],
)  # fmt: skip
def test_a_share_is_only_all_or_nothing_if_it_is(share, text):
    assert percent(share) == text


def test_what_is_counted_is_one_or_many():
    assert counted(1, "object") == "1 object"
    assert counted(0, "object") == "0 objects"
    assert counted(2000, "class has", "classes have") == "2,000 classes have"
