"""How long a task keeps its worker slot for a wait, and what it loses when it leaves."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from airflow_provider_fastlabel.client.exceptions import AuthError, RateLimited, ServerError, Unavailable
from airflow_provider_fastlabel.utils import slot as slots
from airflow_provider_fastlabel.utils.slot import Slot

log = logging.getLogger(__name__)


def slot_of(monkeypatch, kind, *, leavings=0, progressed=True, store=True, clock=lambda: 0.0):
    context = {"task_reschedule_count": leavings, **({"task_state_store": object()} if store else {})}
    monkeypatch.setattr(slots, "current_context", lambda: context)
    monkeypatch.setattr(slots, "time", SimpleNamespace(monotonic=clock))
    return Slot(kind, lambda: progressed)


def test_work_that_stays_done_waits_20_seconds_in_the_slot(monkeypatch):
    assert slot_of(monkeypatch, "goes on", leavings=150).patience() == 20


def test_whoever_left_in_vain_waits_longer_the_next_time(monkeypatch):
    patience = [slot_of(monkeypatch, "goes on", leavings=n, progressed=False).patience() for n in range(8)]
    assert patience == [20, 40, 80, 160, 320, 600, 600, 600]


@pytest.mark.parametrize(("worked", "patience"), [(0, 20), (19, 20), (95, 95), (5000, 600)])
def test_work_that_would_be_lost_waits_as_long_as_it_has_taken(monkeypatch, worked, patience):
    now = [100.0]
    slot = slot_of(monkeypatch, "starts again", clock=lambda: now[0])
    now[0] += worked
    assert slot.patience() == patience


@pytest.mark.parametrize(
    ("kind", "store", "leaves"),
    [("goes on", False, True), ("starts again", False, True), ("remembers", True, True), ("remembers", False, False),
     ("stays", True, False)],
)  # fmt: skip
def test_who_may_leave(monkeypatch, kind, store, leaves):
    slot = slot_of(monkeypatch, kind, store=store)
    assert slot.may_be_left is leaves
    assert (slot.leave_for(RateLimited("x", 429, 60), log) is not None) is leaves


@pytest.mark.parametrize(
    ("error", "leaves"),
    [
        (RateLimited("x", 429, 20), False),
        (RateLimited("x", 429, 21), True),
        (RateLimited("x", 429), False),
        (Unavailable("x", 503, 21), True),
        (ServerError("x", 503, 21), False),
        (AuthError("x", 401), False),
        (ValueError("x"), False),
    ],
)
def test_what_is_left_for(monkeypatch, error, leaves):
    assert (slot_of(monkeypatch, "goes on").leave_for(error, log) is not None) is leaves
