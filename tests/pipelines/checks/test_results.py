"""Results are said in a log, an XCom and an approval, and nothing in them is more than what it says."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from airflow_provider_fastlabel.markdown_text import markdown_text
from airflow_provider_fastlabel.pipelines.checks.results import Checked, ChecksFailedError, Outcome, Result
from tests.pipelines.reports.labelled import HOSTILE


def result(passed, severity="fail", name="tiny_boxes", examples=(), actual="1"):
    return Result.of(name, severity, Outcome(passed, "no objects", actual, examples))


MIXED = Checked(
    [
        result(True, name="split_leak"),
        result(False, "warn", "class_balance"),
        result(False, examples=[f"{number}.jpg" for number in range(30)]),
    ]
)


def test_a_warning_does_not_fail_a_data_set():
    assert not MIXED.passed
    assert MIXED.counts() == {"checks": 3, "passed": 1, "failed": 1, "warned": 1}
    assert Checked(MIXED.results[:2]).passed
    Checked(MIXED.results[:2]).refuse_failed("place")
    assert Checked().passed


def test_an_xcom_has_counts_and_what_did_not_pass():
    told = MIXED.to_dict()
    assert (told["passed"], told["counts"]) == (False, MIXED.counts())
    assert [each["assertion"] for each in told["failures"]] == ["tiny_boxes", "class_balance"]
    assert told["failures"][0]["examples"] == [f"{number}.jpg" for number in range(10)]
    large = Checked([result(False, examples=["x" * 10_000] * 10, actual="y" * 10_000) for _ in range(200)])
    assert len(json.dumps(large.to_dict())) < 130_000
    assert large.to_dict()["failures_more"] == 150
    assert len(large.markdown()) < 30_000


def test_examples_of_what_passed_are_not_asked_for():
    def never():
        raise AssertionError
        yield ""

    assert result(True, examples=never()).examples == ()


def test_the_log_shows_a_table():
    lines = MIXED.table().splitlines()
    assert lines[0].split() == ["result", "check", "expected", "actual"]
    assert lines[1].split("  ")[0] == "passed"
    assert lines[4:6] == ["    - 0.jpg", "    - 1.jpg"]


def test_the_columns_of_the_table_stand_below_each_other_in_japanese_too():
    told = Checked([result(True, name="class_min 信号機"), result(True, name="class_min dog")]).table().splitlines()
    assert [cell_len(line[: line.index("no objects")]) for line in told[1:]] == [2 * len("  ") + 6 + 16] * 2


def test_a_failure_says_what_and_which():
    with pytest.raises(ChecksFailedError, match=r"place failed 1 of 3 checks\. It stays as it is\.") as failed:
        MIXED.refuse_failed("place")
    assert "tiny_boxes: 1, and expected was no objects (0.jpg; 1.jpg; 2.jpg; 3.jpg; 4.jpg)" in str(failed.value)
    assert "class_balance" not in str(failed.value)


def test_a_person_sees_first_what_did_not_pass():
    text = MIXED.markdown()
    assert text.startswith("**Not good enough**: 1 passed, 1 failed, 1 warned.\n\n| result | check |")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == ["| result", "| ---", "| **failed**", "| **warned**", "| passed"]
    assert "- tiny\\_boxes: 0.jpg, 1.jpg" in text
    assert Checked(MIXED.results[:1]).markdown().startswith("**Good enough**: 1 passed.")
    assert "and 5 more checks" in Checked([result(True)] * 25).markdown()


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE,
        "a|b\n| c |",
        "[x](https://evil.example)",
        "![x](//evil.example/x.png)",
        "www.evil.example <b>&lt;",
        "`code` *x* _y_ ~z~",
        "\x1b]8;;https://evil.example\x07click",
        "{{ 7 * 7 }}{% x %}",
    ],
)
def test_hostile_names_stay_names(name):
    told = Checked([result(False, examples=[name], actual=name, name="a")])
    for text in (told.table(), told.markdown(), json.dumps(told.to_dict())):
        assert "\x1b" not in text
        assert "\u202e" not in text
    rows = [line for line in told.markdown().splitlines() if line.startswith("|")]
    assert [len(unescaped(row, "|")) for row in rows] == [5, 5, 5]
    for sign in "<>[]`_&{}!":
        assert unescaped(told.markdown(), sign) == []
    assert "www." not in told.markdown()
    assert "https:" not in told.markdown()


def unescaped(text, sign):
    """Return where a sign stands that no backslash takes its meaning from."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == sign:
            found.append(at)
        at += 1
    return found


def test_what_means_nothing_is_left_alone():
    assert markdown_text("0.3 % (12 of 1,000), 95-97") == "0.3 % \\(12 of 1,000\\), 95-97"
