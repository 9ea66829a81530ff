"""Globs over relative paths: what they match, and that no path makes them slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.pipelines.files.globs import Glob
from tests.limits import run_limited


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("**/*", ["a", "a/b/c.jpg"], []),
        ("*", ["a.jpg"], ["a/b.jpg"]),
        ("**/*.jpg", ["x.jpg", "a/b/x.jpg"], ["x.png"]),
        ("raw/**/*.jpg", ["raw/x.jpg", "raw/a/b/x.jpg"], ["x.jpg", "rawx/x.jpg"]),
        ("day[0-9]/?.jpg", ["day1/a.jpg"], ["dayx/a.jpg", "day1/ab.jpg"]),
        ("[!a]*.jpg", ["b.jpg"], ["a.jpg"]),
        ("a+b.jpg", ["a+b.jpg"], ["aab.jpg"]),
        ("raw/**", ["raw/x", "raw/a/b"], ["x"]),
        ("**/" * 8 + "*.jpg", ["x.jpg", "a/x.jpg", "/".join("abcdefghij") + "/x.jpg"], ["x.png", "a/x.png"]),
        ("**/*/**/*/**/x.jpg", ["a/b/x.jpg", "a/b/c/d/x.jpg"], ["a/x.jpg", "x.jpg"]),
    ],
)
def test_globs(pattern, yes, no):
    assert [name for name in yes + no if Glob(pattern).matches(name)] == yes


def plainly(pattern: str) -> re.Pattern[str]:
    """Say the same by a regular expression, as slow as it may be."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern)
    sets = {"[ab]": "[ab]", "[!a]": "[^a]"}
    return re.compile("".join(words.get(p) or sets.get(p) or re.escape(p) for p in parts), re.DOTALL)


PIECES = st.lists(st.sampled_from(["**/", "**", "*", "?", "a", "b", "/", ".", "[ab]", "[!a]"]), max_size=7)


@given(PIECES.map("".join), st.text("ab/.\n", max_size=9))
def test_following_all_ways_finds_what_a_regular_expression_finds(pattern, name):
    glob = Glob(pattern)
    expected = plainly(pattern).fullmatch(name) is not None
    assert (glob.matches(name), glob._follow(name)) == (expected, expected)


def test_a_set_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match=r"pattern '\[z-a\]' is no glob"):
        Glob("[z-a]")


@pytest.mark.parametrize(
    "pattern",
    ["**/" * 8 + "x", "**/*/" * 8 + "x", "**/a/" * 8 + "x", "*a" * 12 + "x", "**a" * 12 + "x", "[!b]**/?" * 8 + "x"],
)
def test_no_path_makes_a_glob_slow(pattern):
    """Each of them took a regular expression longer than anybody has waited."""
    code = "import sys; from airflow_provider_fastlabel.pipelines.files.globs import Glob\n"
    code += "glob = Glob(sys.argv[1]); print(sum(map(glob.matches, ['a/' * 60 + 'a', 'aa/' * 600, 'a' * 200] * 30)))"
    assert run_limited(code, pattern, seconds=30) == "0"
