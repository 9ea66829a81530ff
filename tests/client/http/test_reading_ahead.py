"""Pages that are asked for before they are needed: the same items, the same errors, never more calls than allowed."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import AuthError, FastLabelException, RateLimited
from airflow_provider_fastlabel.client.http import reading_ahead
from airflow_provider_fastlabel.client.http.early import EarlyAnswer
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.quota import Quota
from airflow_provider_fastlabel.client.http.reading_ahead import ReadAhead
from tests.client.conftest import PatientClient
from tests.client.http.test_paging import CHANGES, Busy, Listing, leaves, names

PAGE = 10
"""Tasks in a page of videos, the smallest there is; each begins with the last one of the page before."""
STEP = PAGE - 1


class Line:
    """A line to a listing on which early reads reach the server when the test wants, in the order it wants.

    :param turns: at each step, how many of those under way reach the server, the last one first.
    """

    def __init__(self, listing, most=8, expected=None, turns=(), bytes_each=None):
        self.listing = listing
        self.turns = iter(turns)
        self.ahead = ReadAhead(self.get, self.ask, most, expected)
        self.asked = []
        self.taken = []
        self.refused = {}
        self.padding = " " * (bytes_each or 0)
        self._waiting = []
        self._quota = Quota(10**6)

    def names(self, page_size):
        return [item["id"] for item in iterate("x", self.get, page_size, ahead=self.ahead)]

    def exchange(self, offset, limit):
        response = requests.Response()
        response.status_code = self.refused.pop(offset, 200)
        return response, (json.dumps(self.listing(offset, limit)) + self.padding).encode()

    def get(self, offset, limit, early=None):
        self._some_arrive()
        if early in self._waiting:
            self._waiting.remove(early)
            early.run()
        self.taken.append(offset)
        response, body = early.taken() if early else self.exchange(offset, limit)
        return json.loads(body if response.ok else self.exchange(offset, limit)[1])

    def ask(self, offset, limit):
        slot = self._quota.take_if_free()
        assert slot
        self.asked.append(offset)
        early = EarlyAnswer(lambda: self.exchange(offset, limit), self._quota, slot)
        self._waiting.append(early)
        self._some_arrive()
        return early

    def _some_arrive(self):
        for _ in range(min(next(self.turns, 0), len(self._waiting))):
            self._waiting.pop().run()


TURNS = st.lists(st.integers(0, 3), max_size=60)


@given(count=st.integers(0, 300), page=st.integers(10, 20), cap=st.integers(10, 20), turns=TURNS)
def test_a_quiet_list_is_read_once_in_order(count, page, cap, turns):
    line = Line(Listing(range(count), cap=cap), turns=turns)
    assert line.names(page) == list(range(count))
    needed = Listing(range(count), cap=cap)
    names(needed, page)
    in_vain = len(set(line.asked) - {offset for offset, _ in needed.calls})
    assert in_vain <= min(7, max(0, len(needed.calls) - 2))


@given(count=st.integers(0, 300), page=st.integers(10, 20), turns=TURNS)
def test_a_list_of_known_length_costs_no_call_more(count, page, turns):
    """No small export, and none of any size, pays for what the end of a list makes vain."""
    line, plain = Line(Listing(range(count)), expected=count, turns=turns), Listing(range(count))
    assert line.names(page) == names(plain, page) == list(range(count))
    assert sorted(line.taken) == sorted(offset for offset, _ in plain.calls)
    assert len(line.listing.calls) == len(plain.calls)


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (9, 1), (10, 2), (1000, 2), (1008, 2), (1009, 3), (1998, 3)])
def test_short_lists_cost_as_many_calls_as_without(count, calls):
    line = Line(Listing(range(count)))
    assert line.names(1000) == list(range(count))
    assert len(line.asked) + line.taken.count(0) == calls


@given(count=st.integers(0, 120), page=st.integers(10, 14), changes=CHANGES, turns=TURNS)
def test_whatever_stays_in_a_changing_list_is_read_exactly_once(count, page, changes, turns):
    line = Line(Listing(range(count), changes), turns=turns)
    seen = line.names(page)
    assert len(seen) == len(set(seen))
    assert {name for name in line.listing.ids if name < 1000} <= set(seen)


@given(turns=TURNS, at=st.integers(1, 12), gone=st.integers(1, 30))
def test_what_moves_up_while_pages_are_under_way_is_not_missed(turns, at, gone):
    line = Line(Listing(range(200), [lambda _: None] * at + [leaves(set(range(gone)))]), turns=turns)
    seen = line.names(PAGE)
    assert len(seen) == len(set(seen))
    assert set(range(gone, 200)) <= set(seen)


@pytest.mark.parametrize("count", [0, 1, 9, 35, 400])
@pytest.mark.parametrize("leave", [0, 3])
@pytest.mark.parametrize("join", [1, 5, 12])
@pytest.mark.parametrize("turns", [[], [1, 0, 2] * 400], ids=["in order", "out of order"])
def test_a_list_that_others_change_as_fast_as_it_is_read_is_read_to_an_end(count, leave, join, turns):
    line = Line(Busy(count, leave=leave, join=join, gap=3), turns=turns)
    seen = line.names(PAGE)
    assert len(seen) == len(set(seen))
    assert line.listing.stayed & set(range(count)) <= set(seen)


def test_lists_that_cannot_be_read_are_refused():
    with pytest.raises(FastLabelException, match="same page"):
        Line(lambda offset, limit: [{"id": number} for number in range(PAGE)]).names(PAGE)
    with pytest.raises(FastLabelException, match="no end"):
        Line(lambda offset, limit: [{"id": number} for number in range(offset, offset + limit)]).names(PAGE)


def test_pages_of_changing_length_cost_no_more_than_twice_the_calls():
    """A server may page first and leave out afterwards: no page has the length of the one before."""

    class Ragged(Listing):
        def __call__(self, offset, limit):
            return super().__call__(offset, limit - len(self.calls) % 3)

    line = Line(Ragged(range(2000)))
    assert line.names(20) == list(range(2000))
    assert len(line.asked) <= 2 * len(line.taken)


def test_the_last_of_many_pages_is_found_with_one_look_where_the_length_is_known():
    """A long list is looked up at its end, should others add to it for ever: that took a search, answer by answer."""
    count = 100 * STEP
    line, plain = Line(Listing(range(count)), expected=count), Listing(range(count))
    assert line.names(PAGE) == names(plain, PAGE) == list(range(count))
    aside = line.taken.copy()
    for offset in range(0, count, STEP):
        aside.remove(offset)
    assert aside == [count - 1]
    assert len(line.listing.calls) < len(plain.calls)


@pytest.mark.parametrize("expected", [1, 500, 899, 901, 5000])
def test_a_length_that_is_not_right_any_more_does_no_harm(expected):
    line = Line(Listing(range(900)), expected=expected)
    assert line.names(PAGE) == list(range(900))


def under_way(line, page_size=PAGE):
    """How many pages are under way when each page is taken."""
    most = []

    def get(*asked):
        most.append(len(line._waiting))
        return usual(*asked)

    usual, line.ahead._get = line.ahead._get, get
    line.names(page_size)
    return most


def test_one_more_page_is_under_way_for_each_that_was_waited_for():
    assert under_way(Line(Listing(range(200)), expected=200))[:11] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert max(under_way(Line(Listing(range(200)), most=3))) == 3
    assert max(under_way(Line(Listing(range(200)), most=0))) == 0


def test_pages_that_are_there_when_they_are_needed_let_no_more_be_under_way():
    line = Line(Listing(range(200)), turns=itertools.repeat(9))
    assert line.names(PAGE) == list(range(200))
    plain = Listing(range(200))
    names(plain, PAGE)
    assert len(line.listing.calls) == len(plain.calls)


def test_pages_under_way_are_bounded_by_their_size(monkeypatch):
    monkeypatch.setattr(reading_ahead, "MOST_BYTES_AHEAD", 25_000)
    assert max(under_way(Line(Listing(range(300)), bytes_each=10_000))) == 2
    assert max(under_way(Line(Listing(range(300)), bytes_each=100_000))) == 1


def test_nothing_new_is_asked_for_while_a_page_has_failed():
    """Page 12 fails, and that is known at once; it is tried again when its turn has come, and then all goes on."""

    class Failing(Line):
        def ask(self, offset, limit):
            early = super().ask(offset, limit)
            if offset == 12 * STEP:
                self._waiting.pop().run()
                self.before = list(self.taken), list(self.asked)
            return early

        def get(self, offset, limit, early=None):
            if offset == 12 * STEP and early:
                assert early.failed
                assert self.asked == self.before[1]
            return super().get(offset, limit, early)

    line = Failing(Listing(range(400)), expected=400)
    line.refused = {12 * STEP: 429}
    assert line.names(PAGE) == list(range(400))
    assert len(line.before[0]) < 12
    assert len(line.listing.calls) == 1 + len(line.asked) + 1


# Over the wire


def tasks(count):
    return [{"id": str(number), "name": f"{number}.mp4"} for number in range(count)]


class Gate:
    """A list of tasks whose pages are answered when the test wants.

    :param held: answer a page only once its reader has come to wait for it, and all that are to be under way with it
        have arrived. Without it, at once.
    """

    def __init__(self, raw, items, page=PAGE, held=None, ahead=8):
        self.raw = raw
        self.items = items
        self.page = page
        self.last = max(0, -(-(len(items) - page) // (page - 1))) + 1
        self.arrived = []
        self.most = self._now = self._wanted = 0
        self.steps = {}
        self.changed = threading.Condition()
        self.held = held is not None
        self.ahead = ahead
        self.free = set()
        if held:
            there = vars(EarlyAnswer)["there"]
            held.setattr(EarlyAnswer, "there", property(lambda early: self._comes(there.fget(early))))
        raw.play(self)

    def _comes(self, there):
        with self.changed:
            self._wanted += 1
            self.changed.notify_all()
        return there

    def _may_answer(self, place):
        together = range(place, min(place + min(max(place, 1), self.ahead), self.last))
        return not self.held or place in self.free or (self._wanted >= place and set(together) <= set(self.arrived))

    def __call__(self, request):
        query = dict(pair.split("=") for pair in request["path"].partition("?")[2].split("&"))
        offset = int(query.get("offset", 0))
        place = offset // (self.page - 1)
        with self.changed:
            self.arrived.append(place)
            self._now += 1
            self.most = max(self.most, self._now)
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self._may_answer(place), 40)
            self._now -= 1
        step = self.steps.pop(place, None)
        if step:
            return step(request) if callable(step) else step
        page = list(self.items)[offset : offset + self.page]
        return self.raw.answer(200, {key: self.items[key] for key in page} if isinstance(self.items, dict) else page)

    def wait(self, *places):
        with self.changed:
            assert self.changed.wait_for(lambda: set(places) <= set(self.arrived), 40)

    def open(self):
        with self.changed:
            self.held = False
            self.changed.notify_all()


@pytest.fixture
def raw_client(raw):
    """A client that leaves a busy machine the time a gate may take."""
    with PatientClient("secret-token", api_url=raw.url, max_retries=2, timeout=(60, 60)) as client:
        client.pauses = []
        client.transport.sleep = client.pauses.append
        yield client


def reading():
    return [thread for thread in threading.enumerate() if thread.name == "fastlabel-early"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    for thread in reading():
        thread.join(40)
    assert reading() == []


def test_eight_pages_are_under_way_at_once_and_come_in_order(raw, raw_client, monkeypatch):
    gate = Gate(raw, tasks(300), held=monkeypatch)
    assert list(raw_client.iter_tasks("p", "video", pages_ahead=8, expected=300)) == gate.items
    assert gate.most == 8
    assert sorted(gate.arrived) == list(range(34))


def test_the_names_of_a_project_are_read_ahead(raw, raw_client, monkeypatch):
    gate = Gate(raw, {str(number): f"{number}.jpg" for number in range(17_500)}, page=1000, held=monkeypatch)
    assert raw_client.task_ids_by_name("p") == {name: key for key, name in gate.items.items()}
    gate.open()  # to the calls in vain behind the end
    assert gate.most == 8
    assert len(gate.arrived) <= 19 + 7


def test_without_the_argument_a_page_is_asked_for_when_it_is_needed(raw, raw_client):
    gate = Gate(raw, tasks(100))
    pager = raw_client.iter_tasks("p", "video")
    for _ in range(PAGE):
        next(pager)
    assert gate.arrived == [0]
    assert reading() == []


@pytest.mark.parametrize("wrong", [{"pages_ahead": 17}, {"pages_ahead": -1}, {"pages_ahead": True}, {"expected": 1.5}])
def test_numbers_that_cannot_be_meant_are_refused_at_once(client, wrong):
    with pytest.raises(FastLabelException, match=f"{next(iter(wrong))} must be a whole number"):
        client.iter_tasks("p", "video", **wrong)


def test_an_error_comes_at_its_page_and_ends_the_calls(raw, raw_client):
    gate = Gate(raw, tasks(300))
    gate.steps = {6: raw.answer(403, {"message": "no"})}
    seen: list[object] = []
    with pytest.raises(AuthError, match="GET tasks/video"):
        seen += (task for task in raw_client.iter_tasks("p", "video", pages_ahead=8))
    assert seen == gate.items[: 5 * STEP + PAGE]
    assert gate.arrived.count(6) == 1
    assert max(gate.arrived) <= 6 + 7


@pytest.mark.parametrize("fault", ["reset", "503", "cut"])
def test_a_page_that_fails_for_a_passing_reason_is_asked_for_again_in_its_turn(raw, raw_client, fault):
    gate = Gate(raw, tasks(300))
    whole = raw.answer(200, gate.items[9 * STEP : 9 * STEP + PAGE])

    def cut():
        yield whole[:-9]
        raise ConnectionError  # the server's end of it

    gate.steps = {9: {"reset": raw.RESET, "503": raw.answer(503), "cut": cut()}[fault]}
    assert list(raw_client.iter_tasks("p", "video", pages_ahead=8, expected=300)) == gate.items
    assert gate.arrived.count(9) == 2
    assert len(raw_client.pauses) == 1


def test_a_wish_for_a_pause_is_heard_before_anything_else_is_asked_for(raw, raw_client, monkeypatch):
    """The 429 is there before the page in front of it: from then on nothing is sent until the pause is over."""
    gate = Gate(raw, tasks(300), held=monkeypatch, ahead=2)

    def once_page_9_has_failed(request):
        while len(reading()) > 1:  # the one that waits for this answer
            time.sleep(0.01)
        return raw.answer(200, gate.items[8 * STEP : 8 * STEP + PAGE])

    def sleep(seconds):
        slept.append((seconds, sorted(gate.arrived)))
        gate.open()

    slept: list[tuple[float, list[int]]] = []
    gate.steps = {8: once_page_9_has_failed, 9: raw.answer(429, Retry_After="7")}
    gate.free = {9}
    raw_client.transport.sleep = sleep
    assert list(raw_client.iter_tasks("p", "video", pages_ahead=2, expected=300)) == gate.items
    assert [arrived for _, arrived in slept] == [list(range(10))]
    assert slept[0][0] >= 7
    assert sorted(gate.arrived) == sorted([*range(34), 9])


def test_pages_take_their_calls_from_the_quota_and_never_wait_for_one_in_a_thread(raw):
    gate = Gate(raw, tasks(300))
    with FastLabelClient("token-of-quota", api_url=raw.url, calls_per_10_minutes=6, timeout=(60, 60)) as client:
        client.patience = lambda: 1.0
        seen: list[object] = []
        with pytest.raises(RateLimited, match="Nothing was sent"):
            seen += (task for task in client.iter_tasks("p", "video", pages_ahead=8))
        assert client.quota.remaining() == 0
    assert sorted(gate.arrived) == list(range(6))
    assert seen == gate.items[: 5 * STEP + PAGE]


def test_nothing_is_asked_for_once_the_reader_has_stopped(raw, raw_client, monkeypatch):
    gate = Gate(raw, tasks(300), held=monkeypatch)
    pager = raw_client.iter_tasks("p", "video", pages_ahead=8)
    for _ in range(5 * STEP + 1 + 1):
        next(pager)
    gate.wait(*range(12))
    assert len(reading()) == 6
    pager.close()
    gate.open()
    for thread in reading():
        thread.join(20)
    assert sorted(gate.arrived) == list(range(12))
    assert raw_client.quota.remaining() == raw_client.quota.limit - 12


def test_what_was_dropped_before_it_was_sent_is_not_sent_and_costs_no_call():
    line = Line(Listing(range(50)))
    early = line.ask(0, PAGE)
    early.drop()
    early.run()
    assert (line.listing.calls, line._quota.remaining()) == ([], 10**6)


def test_a_machine_without_threads_reads_page_by_page(raw, raw_client, monkeypatch):
    gate = Gate(raw, tasks(100))

    def start(thread):
        if thread.name == "fastlabel-early":
            raise RuntimeError("can't start new thread")
        return begin(thread)

    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", start)
    assert list(raw_client.iter_tasks("p", "video", pages_ahead=8)) == gate.items
    assert raw_client.quota.remaining() == raw_client.quota.limit - len(gate.arrived)


def test_a_forked_child_asks_anew_for_what_its_parent_has_under_way(raw, raw_client):
    gate = Gate(raw, tasks(100))
    pager = raw_client.iter_tasks("p", "video", pages_ahead=8)
    first = next(pager)
    gate.wait(1)
    child = os.fork()
    if child == 0:
        os._exit(0 if [first, *pager] == gate.items else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [first, *pager] == gate.items
