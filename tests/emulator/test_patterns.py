"""The patterns of faults mean what Python's own do, and take no time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_fastlabel.emulator.patterns import Pattern

pieces = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\.", "1", "^", "$", "x{2}", "a{1,2}", "b{0,}"])
patterns = st.recursive(
    pieces,
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds("({}|{})".format, inner, inner)
        | st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{0,2}", "{2}", "*?"]))
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(patterns, st.text("ab1.x", max_size=9))
def test_it_finds_what_python_finds(pattern, text):
    assert Pattern(pattern).search(text) is (re.search(pattern, text) is not None)


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "(a*)*b", "(.*)*(.*)*(.*)*=", "(a|aa)+$", "(.*.*.*.*.*)=$"])
def test_no_expression_takes_long(pattern):
    # An engine that goes back and tries again never ends here.
    assert not Pattern(pattern).search("a" * 2000 + "!")


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[", "*", "a**", r"(a)\1", "(?=a)", "(?i)a", "a" * 301, "(" * 40 + ")" * 40, "((a{99}){99}){99}",
     "a{3,1}", "[z-a]", "\\", r"\b"],
)  # fmt: skip
def test_what_is_not_taken_is_refused(pattern):
    with pytest.raises(ValueError, match=r"regular|longer|nested|repetitions"):
        Pattern(pattern)
