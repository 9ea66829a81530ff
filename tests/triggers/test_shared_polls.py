"""The shared polls alone, in virtual time, with a quota that everybody wants more of than there is."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from typing import Any

import pytest

from airflow_provider_fastlabel.triggers.shared_polls import POLL_THREADS, Pace, now, shared_poll
from tests.virtual_time import run


async def reader(number, interval, allowed, asked, *, cost=1, answer=None):
    """Read a poll for ever; each reading takes ``cost`` calls, tells how many are allowed, and awaits ``answer``."""
    with shared_poll("c", number) as poll:

        async def ask():
            poll.pace.allowed = allowed()
            poll.spent += cost
            asked.append((now(), number))
            if answer is not None:
                await answer()

        seen = now()
        while True:
            seen = (await poll.reading(ask, newer_than=seen, interval=interval)).at


async def let_go(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def look(pace):
    async with pace.turn(float("inf"), 0.1):
        pass


def test_waits_that_begin_together_do_not_look_together():
    """As after the restart of a triggerer: 200 waits, of which 100 a second may look."""
    asked: list[tuple[float, Any]] = []

    async def scenario():
        began = now()
        tasks = [asyncio.create_task(reader(n, 0.1, lambda: 100, asked)) for n in range(200)]
        await asyncio.sleep(5)
        await let_go(tasks)
        return began

    began = run(scenario())
    unknowing = 40  # look before anybody knows what is allowed
    seconds = Counter(int(at - began) for at, _ in asked)
    assert max(seconds[second] for second in range(1, 5)) <= 180
    assert len(asked) <= 5 * 120 + unknowing
    assert len({number for _, number in asked}) == 200


@pytest.mark.parametrize("change", ["the others end", "the quota grows"])
def test_a_wait_looks_as_often_as_asked_as_soon_as_it_may(change):
    asked: list[tuple[float, Any]] = []
    quota = {"allowed": 0.5}

    async def scenario():
        tasks = [asyncio.create_task(reader(n, 0.1, lambda: quota["allowed"], asked)) for n in range(20)]
        await asyncio.sleep(0.5)
        if change == "the others end":
            quota["allowed"] = 20
            await let_go(tasks[1:])
        quota["allowed"] = 1000
        with shared_poll("c", "any") as poll:
            poll.pace.allowed = 1000
        began = now()
        await asyncio.sleep(1)
        await let_go(tasks)
        return began

    began = run(scenario())
    assert sum(number == 0 and at > began for at, number in asked) >= 5


def test_a_look_that_waits_for_room_comes_as_soon_as_the_quota_grows():
    async def scenario():
        pace = Pace(allowed=0.5)
        await look(pace)
        second = asyncio.create_task(look(pace))
        await asyncio.sleep(0.5)
        assert not second.done()
        pace.allowed = 1000
        began = now()
        await second
        return now() - began

    assert run(scenario()) <= 0.1


def test_looks_do_not_queue_for_a_slow_server_and_come_in_one_burst_when_it_is_quick_again():
    under_way, most, quick = 0, 0, 0.0
    asked: list[tuple[float, Any]] = []

    async def answer():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(2 if now() < quick else 0.01)
        under_way -= 1

    async def scenario():
        nonlocal quick
        quick = now() + 30
        tasks = [asyncio.create_task(reader(n, 10, lambda: 20, asked, answer=answer)) for n in range(100)]
        await asyncio.sleep(60)
        await let_go(tasks)

    run(scenario())
    assert most == POLL_THREADS
    seconds = Counter(int(at - quick) for at, _ in asked)
    assert max(seconds[second] for second in range(30)) <= 20
    assert {number for at, number in asked if at >= quick + 2} == set(range(100))


def test_no_wait_is_left_behind_where_the_server_is_too_slow_for_all():
    asked: list[tuple[float, Any]] = []

    async def scenario():
        began = now()
        # There are 8 looks a second, and 30 are wanted.
        slow = lambda: asyncio.sleep(1)  # noqa: E731
        tasks = [asyncio.create_task(reader(n, 10, lambda: math.inf, asked, answer=slow)) for n in range(300)]
        await asyncio.sleep(180)
        await let_go(tasks)
        return began

    last = dict.fromkeys(range(300), run(scenario()))
    longest = 0.0
    for at, number in asked:
        longest = max(longest, at - last[number])
        last[number] = at
    assert len(asked) >= 180 * 7
    assert longest <= 50


@pytest.mark.parametrize("in_line", [0, 1])
def test_a_look_whose_wait_is_at_its_end_comes_though_every_thread_is_busy(in_line):
    async def scenario():
        pace = Pace()
        held = [asyncio.create_task(hold(pace)) for _ in range(POLL_THREADS + in_line)]
        await asyncio.sleep(0)
        began = now()
        async with pace.turn(began + 1, 5):
            late = now() - began
        await let_go(held)
        return late

    async def hold(pace):
        async with pace.turn(float("inf"), 5):
            await asyncio.sleep(100)

    assert 1 <= run(scenario()) <= 1.01


def test_a_costly_wait_does_not_slow_down_the_cheap_ones():
    """A list of 500 tasks to be asked one by one, beside waits that take a call each."""
    asked: list[tuple[float, Any]] = []

    async def scenario():
        costly = asyncio.create_task(reader("costly", 0.1, lambda: 100, asked, cost=500))
        cheap = [asyncio.create_task(reader(n, 0.1, lambda: 100, asked)) for n in range(3)]
        await asyncio.sleep(3)
        await let_go([costly, *cheap])

    run(scenario())
    looks = Counter(number for _, number in asked)
    assert looks["costly"] == 1
    assert min(looks[number] for number in range(3)) >= 20


def test_what_is_wanted_is_forgotten_without_a_rest():
    pace: Pace | None = None

    async def scenario():
        nonlocal pace
        tasks = [asyncio.create_task(reader(n, 0.01 + n / 700, lambda: 5, [])) for n in range(30)]
        await asyncio.sleep(0.3)
        with shared_poll("c", 0) as poll:
            pace = poll.pace
        await let_go(tasks)

    run(scenario())
    assert isinstance(pace, Pace)
    assert pace.demand == 0
    assert pace.stretch_of(5) == 1
