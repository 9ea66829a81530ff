from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.client import exceptions
from airflow_provider_fastlabel.client.http.retry import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LONGEST_PAUSE_ASKED,
    error_text,
    pause_before_retry,
    retry_after_seconds,
    timestamp,
)
from tests.limits import run_limited

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("1e2", 100),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30),
        ("Wednesday, 01-Jul-26 12:00:30 GMT", 30),
        ("Wed Jul  1 12:00:30 2026", 30),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0),
        ("1e308", LONGEST_PAUSE_ASKED),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE_ASKED),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("-1", None),
        ("-0.1", None),
        ("nan", None),
        ("NaN", None),
        ("inf", None),
        ("-inf", None),
        ("", None),
        ("soon", None),
        ("Wed, 99 Jul 2026 12:00:30 GMT", None),
        (None, None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after_seconds(value, NOW.timestamp()) == seconds


@given(st.text())
def test_retry_after_never_gives_what_cannot_be_slept(value):
    seconds = retry_after_seconds(value, NOW.timestamp())
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.floats(min_value=0, max_value=LONGEST_PAUSE_ASKED))
def test_retry_after_in_seconds_is_read_exactly(seconds):
    assert retry_after_seconds(repr(seconds), 0) == seconds


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)))
def test_retry_after_as_a_date_is_the_time_until_then(date):
    date = date.replace(microsecond=0, tzinfo=UTC)
    wait = (date - NOW).total_seconds()
    assert retry_after_seconds(format_datetime(date, usegmt=True), NOW.timestamp()) == min(
        max(0, wait), LONGEST_PAUSE_ASKED
    )


@given(st.integers(min_value=0, max_value=1000))
def test_pauses_grow_up_to_a_bound(attempt):
    assert 0 <= pause_before_retry(attempt, None) <= min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)


@given(st.floats(min_value=0, max_value=120))
def test_what_was_asked_for_is_never_undercut(asked):
    assert asked <= pause_before_retry(3, asked) <= asked + FIRST_PAUSE


def test_pauses_are_spread():
    assert len({pause_before_retry(4, None) for _ in range(50)}) > 40


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-07-01T12:00:00.250Z", NOW.timestamp() + 0.25),
        ("2026-07-01T21:00:00+09:00", NOW.timestamp()),
        ("2026-07-01T12:00:00", NOW.timestamp()),
        ("yesterday", None),
        (None, None),
    ],
)
def test_timestamps(value, seconds):
    assert timestamp(value) == seconds


@given(st.text())
def test_any_error_body_gives_one_short_line(body):
    line = error_text(body.encode(errors="replace"))
    assert len(line) <= 501
    assert line.isprintable()


def test_a_web_page_is_told_by_its_words():
    page = """<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>h1 {color: red}</style>
        <script type="x">if (a < b) c();</script></head>
        <body bgcolor="white"><center><h1>No server &amp; no luck</h1></center><!-- padding > --></body></html>"""
    assert error_text(page.encode()) == "502 Bad Gateway No server & no luck"
    assert error_text(b"<Error><Code>AccessDenied</Code></Error>") == "AccessDenied"
    assert error_text(b"limit < 5 and > 3") == "limit < 5 and > 3"
    assert error_text(b'{"message": "use <b>"}') == "use <b>"


EVERY_PAGE = """
from airflow_provider_fastlabel.client.http.retry import error_text
for piece in ("<", "<!--", "<a", "<script", "<!-- -->", "<script></script", "&", "&#", "< ", "<\u0130"):
    for size in (60_000, 1_000_000):
        assert error_text(("<p>busy</p> " + piece * (size // len(piece))).encode()).startswith("busy"), piece
"""


def test_any_error_page_is_read_once():
    """A pattern that looked from each bracket to the end took 45 seconds for a megabyte of them."""
    run_limited(EVERY_PAGE, seconds=10)


def test_a_cut_text_is_told_without_its_last_word():
    assert error_text(b'{"token": "\\u0073ecret-token' + b"x" * 100_000) == '{"token":'
    assert error_text(b"plain " * 100_000).startswith("plain plain")


def test_control_characters_do_not_reach_the_log():
    assert error_text(b'{"message": "a\\u001b[31mb\\u0000c\\nd"}') == "a[31mbc d"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.FastLabelException("m", 500),
        exceptions.FastLabelInvalidException("m", 422),
        exceptions.AuthError("m", 401),
        exceptions.NotFound("m", 404),
        exceptions.Conflict("m", 409),
        exceptions.RateLimited("m", 429, 17.5),
        exceptions.ServerError("m", 503, 3.0),
        exceptions.ConnectionFailed("m"),
        exceptions.RequestTimeout("m"),
        exceptions.RequestTimeout("m", 408),
        exceptions.OutcomeUnknown("m"),
    ],
)
def test_errors_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_the_bases_are_those_of_the_official_client():
    assert issubclass(exceptions.FastLabelInvalidException, ValueError)
    error = exceptions.FastLabelException("text", 500)
    assert (error.message, error.code, str(error)) == ("text", 500, "<Response [500]> text")
    for name in ("AuthError", "NotFound", "Conflict", "RateLimited"):
        assert issubclass(getattr(exceptions, name), exceptions.FastLabelInvalidException)
    for name in ("ServerError", "ConnectionFailed", "RequestTimeout", "OutcomeUnknown"):
        assert not issubclass(getattr(exceptions, name), exceptions.FastLabelInvalidException)
