"""Foreign values and counts in few words."""

from __future__ import annotations

from airflow_provider_fastlabel.words import shortened, top_counts


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


def test_what_cannot_be_written_is_named_by_its_type():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "a list nested very deeply"
    assert shortened(10**5000) == "a int of very many digits"
    while deep:
        deep = deep.pop()  # type: ignore[assignment]
