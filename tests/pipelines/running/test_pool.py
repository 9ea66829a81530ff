from __future__ import annotations

import threading

import pytest

from airflow_provider_fastlabel.pipelines.running.pool import run_bounded
from airflow_provider_fastlabel.pipelines.running.progress import Progress


def test_every_item_is_worked_on_once():
    seen: list[int] = []
    run_bounded(seen.append, range(500), workers=4, stop=threading.Event())
    assert sorted(seen) == list(range(500))


def test_items_are_taken_only_when_a_thread_is_free():
    taken, done, ahead = 0, 0, []

    def items():
        nonlocal taken
        for number in range(200):
            taken += 1
            ahead.append(taken - done)
            yield number

    lock = threading.Lock()

    def work(_):
        nonlocal done
        with lock:
            done += 1

    run_bounded(work, items(), workers=3, stop=threading.Event())
    assert (done, max(ahead) <= 4) == (200, True)


def test_an_error_ends_the_run_and_reaches_the_caller():
    seen: list[int] = []

    def work(number):
        seen.append(number)
        if number == 3:
            raise KeyError("three")

    with pytest.raises(KeyError, match="three"):
        run_bounded(work, range(1_000_000), workers=2, stop=threading.Event())
    assert len(seen) < 1_000_000


def test_an_error_of_the_items_reaches_the_caller():
    def items():
        yield 1
        raise RuntimeError("listing broke")

    with pytest.raises(RuntimeError, match="listing broke"):
        run_bounded(lambda _: None, items(), workers=2, stop=threading.Event())


def test_a_stop_iteration_of_the_work_is_an_error_not_the_end():
    def work(_):
        raise StopIteration

    with pytest.raises(StopIteration):
        run_bounded(work, range(10), workers=2, stop=threading.Event())


def test_a_set_event_ends_the_run():
    stop, seen = threading.Event(), []

    def work(number):
        seen.append(number)
        stop.set()

    run_bounded(work, range(1_000_000), workers=2, stop=stop)
    assert len(seen) < 1_000_000


def test_an_interrupt_of_the_calling_thread_hands_out_no_new_work():
    started = threading.Event()
    seen: list[int] = []

    def work(number):
        seen.append(number)
        started.wait(0.01)

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bounded(work, range(1_000_000), workers=2, stop=threading.Event(), tick=interrupt)
    count = len(seen)
    started.wait(0.1)
    assert len(seen) == count < 1_000_000


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_progress_speaks_every_five_percent(caplog):
    caplog.set_level("INFO")
    clock = Clock()
    progress = Progress(1000, clock=clock)
    for _ in range(1000):
        clock.now += 0.1
        progress.count("created")
    assert len(caplog.messages) == 20
    assert caplog.messages[-1].startswith("1000 of 1000 items")


def test_progress_speaks_every_thirty_seconds_when_it_is_slow(caplog):
    caplog.set_level("INFO")
    clock = Clock()
    progress = Progress(1_000_000, calls_left=lambda: 77, clock=clock)
    for _ in range(60):
        clock.now += 1
        progress.count("created")
    assert len(caplog.messages) == 2
    assert caplog.messages[0] == (
        "30 of 1000000 items, 1.0/s, about 11.6 days left, 30 created, 77 API calls left in this window"
    )


def test_a_run_that_waits_does_not_look_dead(caplog):
    caplog.set_level("INFO")
    clock = Clock()
    progress = Progress(100, calls_left=lambda: 0, clock=clock)
    for _ in range(70):
        clock.now += 1
        progress.beat()
    assert len(caplog.messages) == 2
    assert "0 API calls left" in caplog.messages[0]


def test_a_fast_run_speaks_once_at_its_end(caplog):
    caplog.set_level("INFO")
    progress = Progress(3, clock=Clock())
    for fate in ("created", "exists", "failed"):
        progress.count(fate)
    (line,) = caplog.messages
    assert "1 created, 1 exists, 1 failed" in line
