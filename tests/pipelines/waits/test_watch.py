"""The judgement of looks: what it says in the log, and how often."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_fastlabel.client.exceptions import ConnectionFailed, ServerError
from airflow_provider_fastlabel.pipelines.waits.decisions import WAITING, Decision
from airflow_provider_fastlabel.pipelines.waits.watch import Watch

WAIT = Decision(WAITING, "0 of 3 tasks", {"done": 0, "total": 3})


@pytest.fixture
def said(caplog):
    """Return a function that lets a watch judge outcomes, one a minute, and returns what it logged."""

    def judge(*outcomes):
        watch = Watch(logging.getLogger("tests.watch"))
        with caplog.at_level(logging.INFO, "tests.watch"):
            for minute, outcome in enumerate(outcomes):
                assert watch.judge(outcome, 60.0 * minute) is None
        return [record.getMessage() for record in caplog.records]

    return judge


def test_an_outage_of_a_day_does_not_fill_the_log(said):
    lines = said(*[ConnectionFailed("cannot connect") for _ in range(24 * 60)])
    assert lines[0] == "Look 1 in a row failed, the wait goes on: cannot connect"
    assert lines[-1].startswith("Look 1431 in a row failed")
    assert len(lines) == 24 * 6


def test_another_failure_is_told_and_so_is_its_end(said):
    lines = said(WAIT, ServerError("down", 503), ServerError("down", 503), ServerError("broken", 500), WAIT, WAIT)
    assert [line.partition(",")[0] for line in lines[1:]] == [
        "Look 1 in a row failed",
        "Look 3 in a row failed",
        "FastLabel answers again after 3 failed look(s)",
    ]
