from __future__ import annotations

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.http.quota import Quota, shared_quota


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@given(
    limit=st.integers(min_value=1, max_value=6),
    steps=st.lists(st.tuples(st.floats(0, 4), st.floats(0, 3)), max_size=40),
)
def test_no_window_of_the_server_holds_more_than_the_limit(limit, steps):
    """Calls take time; the server may count one anywhere between its sending and its answer."""
    clock = Clock()
    quota = Quota(limit, window=10, clock=clock)
    calls = []
    for pause, duration in steps:
        clock.now += pause
        if quota.remaining() < 1:
            continue
        with quota.slot():
            sent = clock.now
            clock.now += duration
        calls.append((sent, clock.now))
    for pick in (0, 1):
        arrivals = [call[pick] for call in calls]
        for start in arrivals:
            assert sum(start <= arrival < start + 10 for arrival in arrivals) <= limit


def test_the_whole_quota_may_be_used_at_once():
    clock = Clock()
    quota = Quota(3, window=10, clock=clock)
    for left in (2, 1, 0):
        with quota.slot():
            pass
        assert quota.remaining() == left
    clock.now += 9.999
    assert quota.remaining() == 0
    clock.now += 0.001
    assert quota.remaining() == 3


def test_a_call_under_way_holds_its_slot():
    quota = Quota(2)
    with quota.slot():
        assert quota.remaining() == 1
        with quota.slot():
            assert quota.remaining() == 0


def test_threads_wait_for_their_turn_and_never_exceed_the_limit():
    quota = Quota(5, window=0.2)
    stamps = []

    def work():
        for _ in range(3):
            with quota.slot():
                stamps.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    stamps.sort()
    assert len(stamps) == 15
    assert all(late - early >= 0.2 for early, late in zip(stamps, stamps[5:], strict=False))


def test_waiting_is_said_once_and_calmly(caplog):
    quota = Quota(1, window=0.1)
    with caplog.at_level("INFO"):
        for _ in range(2):
            with quota.slot():
                pass
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "INFO"
    assert "All 1 calls" in caplog.text


def test_a_failed_call_counts_too():
    quota = Quota(2)
    with pytest.raises(KeyError), quota.slot():
        raise KeyError
    assert quota.remaining() == 1


def test_clients_of_one_token_share_it_and_others_do_not(raw):
    raw.play(raw.answer(200, 5))
    one, same, other = (FastLabelClient(token, api_url=raw.url) for token in ("quota-a", "quota-a", "quota-b"))
    one.count_tasks("p")
    assert (one.quota.remaining(), same.quota.remaining(), other.quota.remaining()) == (9999, 9999, 10000)
    assert one.quota.limit == 10000


def test_the_limit_named_last_holds():
    first = shared_quota("http://x/", "quota-c", 10)
    second = shared_quota("http://x/", "quota-c", 4)
    assert first is second
    assert first.limit == 4


def test_who_waits_hears_of_a_higher_limit():
    quota = shared_quota("http://x/", "quota-e", 1)
    done = threading.Event()

    def work():
        for _ in range(2):
            with quota.slot():
                pass
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert not done.wait(0.2)  # the second call would start in ten minutes
    shared_quota("http://x/", "quota-e", 2)
    assert done.wait(20)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit):
    with pytest.raises(ValueError, match="at least 1"):
        FastLabelClient("quota-d", calls_per_10_minutes=limit)


def test_signed_addresses_are_not_counted(raw, raw_client, tmp_path):
    raw.play(raw.answer(200, body=b"x"))
    before = raw_client.quota.remaining()
    raw_client.transport.download(raw.url + "f", tmp_path / "f")
    assert raw_client.quota.remaining() == before


def test_a_forked_child_is_not_blocked_by_a_lock_of_its_parent():
    quota = Quota(3)
    with quota._changed:
        child = os.fork()
        if child == 0:
            os._exit(0 if quota.remaining() == 3 else 1)
    assert os.waitpid(child, 0)[1] == 0
