"""JSON of strangers: what is no JSON is refused in words, whatever is wrong with it."""

from __future__ import annotations

import math
import re
import sys

import pytest

from airflow_provider_fastlabel.json_text import UnusableJsonError, is_number, is_text, parse_json, unsendable


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"", 1, "not valid JSON"),
        ("[1,\n2,\n}", 3, "not valid JSON"),
        (b'{"a":\n"\x80"}', None, "not UTF-8 text: byte 7"),
        ("[" * 200_000, None, "nested too deeply"),
        ('{"x":' * 200_000, None, "nested too deeply"),
        ("9" * (sys.get_int_max_str_digits() + 1), None, "thousands of digits"),
    ],
)
def test_what_is_no_json_is_said_in_words(data, line, said):
    with pytest.raises(UnusableJsonError, match=said) as caught:
        parse_json(data)
    assert caught.value.line == line
    assert ("line" in str(caught.value)) == (line is not None)


def test_what_many_writers_produce_is_let_through():
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert math.isnan(parse_json("NaN"))
    assert parse_json('"\\ud800"') == "\ud800"


def _nested(depth):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": [1, math.nan]}, "NaN"),
        ([-math.inf], "infinite"),
        ({"a": "half \ud800"}, "half of a surrogate pair"),
        ({"\udfff": 1}, "surrogate"),
        (_nested(100_000), "nested too deeply"),
        ({"at": object()}, "no JSON .Object of type object"),
    ],
)
def test_what_cannot_be_sent_is_named(value, said):
    found = unsendable(value)
    assert found is not None
    assert re.search(said, found)


@pytest.mark.parametrize("value", [None, {"a": [1, 2.5, "日", True]}, 10**400])
def test_what_can_be_sent_is_let_pass(value):
    assert unsendable(value) is None


def test_numbers_and_texts_are_ordinary_or_not():
    assert [is_number(value) for value in (1, -2.5, 0)] == [True] * 3
    assert not any(is_number(value) for value in (True, None, "1", math.nan, math.inf, 10**400))
    assert is_text("日本")
    assert not is_text("half \ud800")
