"""Text of strangers in a message: one line, no character that acts, bounded, and still to be recognised."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.foreign_text import LONGEST, foreign_text, visible

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain.png", "plain.png"),
        ("写真 １\u3000枚.png", "写真 １\u3000枚.png"),
        ("caf\xe9 \N{SNOWMAN}", "caf\xe9 \N{SNOWMAN}"),
        ("a\nERROR - forged\r\n", r"a\nERROR - forged\r\n"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066a\u2069\u200b\ufeff", r"\u2066a\u2069\u200b\ufeff"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("caf\udce9.png", r"caf\udce9.png"),
        ("\U000e0041", r"\U000e0041"),
        ("\0", r"\x00"),
        (None, "None"),
        (["a\n"], r"['a\n']"),
    ],
)
def test_what_acts_is_escaped_and_what_people_write_stays(given, shown):
    assert foreign_text(given) == shown


def test_a_long_one_keeps_its_beginning_and_its_end():
    text = foreign_text(f"/data/{'x' * 10_000}/cat.png", 60)
    assert len(text) == 60
    assert text.startswith("/data/xxx")
    assert text.endswith("x/cat.png")
    assert len(foreign_text("\x1b" * 10_000_000)) <= LONGEST


@given(ANY_TEXT, st.integers(20, 80))
def test_whatever_it_is(text, most):
    line = foreign_text(text, most)
    assert len(line) <= most
    assert all(character.isprintable() or unicodedata.category(character) == "Zs" for character in line)
    line.encode()  # no half surrogate pair
    assert len(line.splitlines()) <= 1


@given(ANY_TEXT)
def test_a_whole_message_keeps_its_own_lines_only(message):
    shown = visible(message)
    assert len(shown) >= len(message)
    assert len(shown.splitlines()) <= 1 + message.count("\n")
    shown.encode()  # no half surrogate pair
    assert visible(shown) == shown
