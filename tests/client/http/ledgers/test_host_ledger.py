from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.client.http.ledgers import host_ledger
from airflow_provider_fastlabel.client.http.ledgers.host_ledger import MOST_CALLS, HostLedger
from airflow_provider_fastlabel.client.http.quota import Quota, shared_quota
from tests.client.http.ledgers.spenders import made_by, most_in_a_window, spending


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def taken(ledger, limit):
    receipt = ledger.take(limit)
    assert receipt is not None
    return receipt


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "quota"
    monkeypatch.setenv("FASTLABEL_QUOTA_FOLDER", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_processes_use_the_whole_quota_together_and_never_more(fastlabel_emulator, folder, processes):
    """80 calls in 4 s, for three windows and a half: four times 80 are granted at most."""
    fastlabel_emulator.configure(quota=80, quota_seconds=4.0)
    answers = spending(fastlabel_emulator, processes, seconds=14, calls_per_10_minutes=80, quota_seconds=4)
    statuses = [call["status"] for call in fastlabel_emulator.requests()]
    assert set(statuses) == {200}, "no 429"
    assert 0.9 * 320 <= len(statuses) <= 320
    shares = [made_by(answer) for answer in answers]
    assert min(shares) > 0.1 * sum(shares) / processes, "none is left out"


@pytest.mark.slow
def test_killed_processes_leave_no_lock_and_what_they_spent_expires(fastlabel_emulator, folder):
    fastlabel_emulator.configure(quota=60, quota_seconds=3.0)
    answers = spending(fastlabel_emulator, 4, seconds=12, kill=3, calls_per_10_minutes=60, quota_seconds=3)
    calls = fastlabel_emulator.requests()
    assert not [call for call in calls if call["status"] == 429]
    assert made_by(answers[-1]) > 60  # the one that was left went on


@given(
    limit=st.integers(min_value=1, max_value=6),
    steps=st.lists(st.tuples(st.floats(0, 4), st.floats(0, 3), st.integers(0, 2)), max_size=40),
)
def test_no_window_of_the_server_holds_more_than_the_limit(tmp_path_factory, limit, steps):
    """As for one process, with three that take turns."""
    clock, calls = Clock(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTLABEL_QUOTA_FOLDER", str(tmp_path_factory.mktemp("quota") / "q"))
        ledgers = [HostLedger("x", 10, clock) for _ in range(3)]
        for pause, duration, which in steps:
            clock.now += pause
            receipt = ledgers[which].take(limit)
            if receipt is None:
                assert ledgers[which].next_free() > 0
                continue
            sent = clock.now
            clock.now += duration
            ledgers[which].settle(receipt)
            calls.append((sent, clock.now))
    for pick in (0, 1):
        assert most_in_a_window([call[pick] for call in calls], 10) <= limit


def test_a_call_under_way_of_a_killed_process_counts_for_two_windows(folder):
    child = os.fork()
    if child == 0:
        HostLedger("x", 10, Clock()).take(2)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    clock = Clock()
    ledger = HostLedger("x", 10, clock)
    assert ledger.free(2) == 1
    assert ledger.take(1) is None
    clock.now += 19.9
    assert ledger.take(1) is None
    clock.now += 0.1
    receipt = ledger.take(1)
    assert receipt is not None
    assert ledger.take(1) is None
    ledger.settle(receipt)


def test_the_answer_of_a_call_that_was_given_up_changes_no_other(folder):
    clock = Clock()
    ledger = HostLedger("x", 10, clock)
    late = taken(ledger, 1)
    clock.now += 20
    other = taken(ledger, 1)
    ledger.settle(late)
    assert ledger.free(3) == 1
    ledger.settle(other)
    assert ledger.free(3) == 1


def test_many_calls_under_way_each_have_their_place(folder):
    clock = Clock()
    ledger = HostLedger("x", 10, clock)
    receipts = [taken(ledger, 2000) for _ in range(host_ledger.MOST_UNDER_WAY)]
    assert len({flight for flight, _ in receipts}) == host_ledger.MOST_UNDER_WAY
    assert ledger.take(2000) is None
    assert ledger.next_free() < 1, "asked again soon, although no call is over"
    ledger.settle(receipts[7])
    assert taken(ledger, 2000)[0] == receipts[7][0]


def test_the_ring_goes_round(folder):
    clock = Clock()
    ledger = HostLedger("x", 10, clock)
    for _ in range(3):
        for _ in range(MOST_CALLS // 2 + 1):
            ledger.settle(taken(ledger, MOST_CALLS))
        assert ledger.free(MOST_CALLS) == MOST_CALLS // 2 - 1
        assert ledger.next_free() == 10
        assert ledger.all_free() == 10
        clock.now += 10
        assert ledger.free(MOST_CALLS) == MOST_CALLS


def test_neither_the_token_nor_what_others_may_read_is_in_the_folder(folder):
    quota = shared_quota("http://fastlabel.test/v1/", "host-ledger-token", 5)
    with quota.slot():
        pass
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert "host-ledger-token" not in file.name
    assert b"host-ledger-token" not in content


def test_hosts_tokens_and_windows_are_counted_apart(folder):
    one = shared_quota("http://fastlabel.test/v1/", "apart-a", 5)
    with one.slot():
        pass
    others = [
        shared_quota("http://FASTLABEL.test/v2/", "apart-a", 5),
        shared_quota("http://other.test/v1/", "apart-a", 5),
        shared_quota("http://fastlabel.test/v1/", "apart-b", 5),
        shared_quota("http://fastlabel.test/v1/", "apart-a", 5, window=7),
    ]
    assert [quota.remaining() for quota in others] == [4, 5, 5, 5]


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def test_a_client_that_is_gone_does_not_take_its_calls_along(folder):
    quota = shared_quota("http://fastlabel.test/v1/", "gone", 5)
    with quota.slot():
        pass
    before = open_files()
    del quota
    assert open_files() < before, "its file is closed"
    assert shared_quota("http://fastlabel.test/v1/", "gone", 5).remaining() == 4


def make_a_file(folder):
    folder.write_text("no folder")


def make_it_open_to_others(folder):
    folder.mkdir()
    folder.chmod(0o755)


def make_a_link(folder):
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [make_a_file, make_it_open_to_others, make_a_link])
def test_a_folder_that_cannot_be_used_is_said_once_and_the_process_counts_alone(folder, spoil, caplog):
    spoil(folder)
    quota = shared_quota("http://fastlabel.test/v1/", spoil.__name__, 5)
    for _ in range(2):
        with quota.slot():
            pass
    assert quota.remaining() == 3
    del quota
    assert shared_quota("http://fastlabel.test/v1/", spoil.__name__, 5).remaining() == 3
    (line,) = caplog.records
    assert "cannot be shared with the other processes" in line.getMessage()
    assert str(folder) in line.getMessage()


def test_a_place_that_is_no_file_is_refused(folder, caplog):
    quota = Quota(5, ledger=HostLedger("x", 10))
    folder.mkdir(mode=0o700)
    (folder / "quota-x").symlink_to(folder.parent / "victim")
    assert quota.remaining() == 5
    assert "cannot be shared" in caplog.text
    assert not (folder.parent / "victim").exists()


def test_more_calls_than_a_file_has_room_for_are_counted_alone(folder, caplog):
    quota = Quota(MOST_CALLS + 1, ledger=HostLedger("x", 10))
    with quota.slot():
        pass
    assert quota.remaining() == MOST_CALLS
    assert f"{MOST_CALLS + 1} calls are more than" in caplog.text


def test_a_file_that_was_removed_is_made_again(folder):
    clock = Clock()
    ledger = HostLedger("x", 10, clock)
    receipt = taken(ledger, 2)
    (folder / "quota-x").unlink()
    clock.now += 2
    assert HostLedger("x", 10, clock).take(2) is not None
    assert ledger.free(2) == 1, "both have the new file"
    ledger.settle(receipt)
    assert ledger.free(3) == 1


def test_counts_of_an_earlier_start_of_the_machine_are_forgotten(folder, monkeypatch):
    clock = Clock()
    HostLedger("x", 10, clock).take(1)
    monkeypatch.setattr(host_ledger, "_machine_start", lambda: (1, 2))
    assert HostLedger("x", 10, clock).free(1) == 1


def test_old_counts_of_others_are_removed_and_new_ones_stay(folder):
    clock = Clock()
    for name in ("old", "new"):
        HostLedger(name, 10, clock).take(1)
    os.utime(folder / "quota-old", (0, 0))
    HostLedger("third", 10, clock).take(1)
    assert sorted(path.name for path in folder.iterdir()) == ["quota-new", "quota-third"]


def test_a_lock_of_a_parent_does_not_live_on_in_its_child(folder):
    """Else a child that outlives its killed parent, which held the lock at that moment, would stop all others."""
    ledger = HostLedger("x", 10)
    quota = Quota(5, ledger=ledger)  # which tells its ledger of forks
    ledger.take(5)
    ready, done = os.pipe(), os.pipe()
    parent = os.fork()
    if parent == 0:
        inside = threading.Event()

        def hold():
            with ledger._locked():
                inside.set()
                time.sleep(60)

        threading.Thread(target=hold, daemon=True).start()
        inside.wait()
        if os.fork() == 0:
            os.write(ready[1], b".")
            os.read(done[0], 1)
            os._exit(0)
        time.sleep(60)
    os.read(ready[0], 1)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    with (folder / "quota-x").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if somebody has it
    os.write(done[1], b".")
    assert quota.remaining() == 4


def test_parent_and_child_count_each_other(folder):
    quota = shared_quota("http://fastlabel.test/v1/", "family", 5)
    with quota.slot():
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException), quota.slot():
                os._exit(quota.remaining())
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert quota.remaining() == 3, sys.version
