"""Whole numbers read out of texts of strangers."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.number_text import whole_number


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), (" 12\n", 12), ("007", 7), ("9" * 18, 10**18 - 1), ("٣", 3), ("１２", 12)]
)
def test_digits_are_a_number(text, number):
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "+1", "1.0", "1_000", "1e3", "²", "0x10", "one", "1 2", "9" * 19, "9" * 5000, None, 1, b"1"]
)
def test_anything_else_is_none(text):
    assert whole_number(text) is None
