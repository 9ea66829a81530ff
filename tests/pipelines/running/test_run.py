"""One run over many items: failures are counted, an outage and what concerns every item end it."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_fastlabel.client.exceptions import (
    AuthError,
    ConnectionFailed,
    FastLabelInvalidException,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from airflow_provider_fastlabel.pipelines.files.problems import Problem
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, OUTAGE, EndRun, Run


class IncompleteError(Exception):
    """What the runs of these tests raise."""


def run_of(settle, total=100, **arguments):
    """Return a run over numbers."""
    return Run("count", "numbers", total, name=str, settle=settle, incomplete=IncompleteError, **arguments)


def settler(tried, errors):
    """Return work that notes each number it is given, and fails as asked."""

    def settle(number):
        tried.append(number)
        if number in errors:
            raise errors[number]
        return "even" if number % 2 == 0 else "odd"

    return settle


def test_every_item_meets_its_fate():
    run = run_of(settler([], {}))
    run.over(range(100), workers=4)
    assert (dict(run.counts), run.failures) == ({"even": 50, "odd": 50}, [])


def test_failures_that_are_tolerated_are_named_together_at_the_end(caplog):
    errors = {number: FastLabelInvalidException(f"bad {number}") for number in range(12)}
    run = run_of(settler([], errors), max_failures=15)
    run.fail(Problem("known", "cut off"))
    run.over(range(100), workers=1)
    last = caplog.records[-1]
    assert last.levelname == "WARNING"
    first, *lines = last.getMessage().splitlines()
    assert first == "13 of 100 numbers failed, as max_failures=15 tolerates:"
    assert lines[0] == "  - '0': bad 0"
    assert len(lines) == 11
    assert lines[-1] == "  - and 3 more"


def test_failures_do_not_stop_the_others_but_the_run_is_incomplete():
    tried: list[int] = []
    told: list[Problem] = []
    errors = {3: FastLabelInvalidException("bad three"), 5: OSError("no five"), 7: ValueError()}
    run = run_of(settler(tried, errors), on_failure=told.append)
    with pytest.raises(IncompleteError, match="The count is not complete"):
        run.over(range(100), workers=1)
    assert len(tried) == 100
    assert run.failures == told == [Problem("3", "bad three"), Problem("5", "no five"), Problem("7", "ValueError")]
    assert run.counts["failed"] == 3


def test_as_many_failures_as_are_tolerated_are_no_error():
    run = run_of(settler([], {3: ValueError("x"), 5: ValueError("y")}), max_failures=2)
    run.over(range(100), workers=2)
    assert run.counts["failed"] == 2


def test_one_failure_more_than_tolerated_ends_the_run():
    tried: list[int] = []
    run = run_of(settler(tried, dict.fromkeys(range(100), ValueError("x"))), max_failures=2)
    with pytest.raises(IncompleteError, match="was stopped: more numbers failed than max_failures tolerates"):
        run.over(range(100), workers=1)
    assert tried == [0, 1, 2]


def test_failures_known_before_count_but_do_not_end_the_run():
    tried: list[int] = []
    told: list[Problem] = []
    run = run_of(settler(tried, {}), max_failures=1, on_failure=told.append)
    for name in ("a", "b"):
        run.fail(Problem(name, "wrong"))
    with pytest.raises(IncompleteError, match="not complete"):
        run.over(range(98), workers=2)
    assert (len(tried), len(told), run.counts["failed"]) == (98, 2, 2)


@pytest.mark.parametrize(
    "error", [ServerError("x"), ConnectionFailed("x"), RequestTimeout("x"), OutcomeUnknown("x")], ids=type
)
def test_an_outage_ends_the_run(error):
    tried: list[int] = []
    run = run_of(settler(tried, dict.fromkeys(range(10, 100), error)))
    with pytest.raises(IncompleteError, match=f"was stopped: {OUTAGE} numbers in a row got no usable answer"):
        run.over(range(100), workers=1)
    assert len(tried) == 10 + OUTAGE


@pytest.mark.parametrize("between", [None, FastLabelInvalidException("answered"), OSError("local")])
def test_an_answer_or_a_failure_of_another_cause_in_between_is_no_outage(between):
    tried: list[int] = []
    errors = {n: ServerError("x") for n in range(100) if n % OUTAGE}
    errors |= {n: between for n in range(0, 100, OUTAGE) if between}
    with pytest.raises(IncompleteError, match="not complete"):
        run_of(settler(tried, errors)).over(range(100), workers=1)
    assert len(tried) == 100


@pytest.mark.parametrize("error", [AuthError("x"), RateLimited("x")])
def test_what_concerns_every_item_ends_the_run_and_reaches_the_caller(error):
    tried: list[int] = []
    with pytest.raises(type(error)) as caught:
        run_of(settler(tried, {3: error})).over(range(100), workers=1)
    assert caught.value is error
    assert len(tried) == 4


def test_callers_say_what_else_is_hopeless():
    errors = {3: NotFound("x")}
    with pytest.raises(NotFound):
        run_of(settler([], errors), hopeless=(*HOPELESS, NotFound)).over(range(100), workers=1)
    with pytest.raises(IncompleteError):
        run_of(settler([], errors)).over(range(100), workers=1)


def test_a_mistake_in_the_program_is_no_failure_of_an_item():
    run = run_of(settler([], {3: KeyError("three")}), max_failures=99)
    with pytest.raises(KeyError, match="three"):
        run.over(range(100), workers=1)
    assert run.failures == []


def test_the_work_can_end_the_run_and_its_cause_is_kept():
    cause = OSError("disk full")

    def settle(_):
        raise EndRun("nothing can be written") from cause

    with pytest.raises(IncompleteError, match="The count was stopped: nothing can be written") as caught:
        run_of(settle).over(range(100), workers=2)
    assert caught.value.__cause__ is cause


def test_a_stop_on_request_is_told_and_no_new_item_is_taken():
    stop, tried = threading.Event(), []

    def settle(number):
        tried.append(number)
        stop.set()
        return "seen"

    with pytest.raises(IncompleteError, match="The count was stopped on request"):
        run_of(settle).over(range(100), workers=1, stop=stop)
    assert tried == [0]


def test_the_error_is_made_when_the_counts_are_final():
    both, last = threading.Barrier(2), threading.Event()

    def settle(number):
        both.wait()
        if number == 0:
            raise EndRun("enough")
        last.wait(0.2)
        return "late"

    run = run_of(settle, total=2)
    run.incomplete = lambda why: IncompleteError(f"{why} {dict(run.counts)}")
    with pytest.raises(IncompleteError, match=r"enough \{'late': 1\}"):
        run.over(range(2), workers=2)


def test_the_caller_is_ticked_while_it_waits():
    ticked = threading.Event()

    def settle(_):
        assert ticked.wait(30)
        return "seen"

    run_of(settle, total=1).over([1], workers=1, tick=ticked.set)
