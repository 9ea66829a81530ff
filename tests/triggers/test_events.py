"""The event between triggerer and worker, which may be of different releases."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowTaskTimeout,
)

from airflow_provider_fastlabel.pipelines.waits.events import STATUSES, WaitEvent
from airflow_provider_fastlabel.triggers.events import raise_unless_success, read_event


def test_the_statuses_are_frozen():
    assert frozenset({"success", "failed", "error", "timeout", "execution_timeout"}) == STATUSES


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_an_event_survives_the_way(status):
    event = WaitEvent(status, "what was seen", {"done": 1}, {"history_id": "h"})
    assert read_event(event.payload()) == event


@pytest.mark.parametrize(
    "event",
    [
        None,
        "success",
        {},
        {"status": "done", "message": "", "facts": {}},
        {"status": "success"},
        {"status": "success", "message": 3, "facts": {}},
        {"status": "success", "message": "x", "facts": []},
    ],
)
def test_anything_else_is_refused(event):
    with pytest.raises(AirflowException, match="The trigger sent"):
        read_event(event)


@pytest.mark.parametrize(
    ("status", "of_sensor", "of_operator"),
    [
        ("failed", AirflowFailException, AirflowException),
        ("error", AirflowFailException, AirflowFailException),
        ("timeout", AirflowSensorTimeout, AirflowTaskTimeout),
        ("execution_timeout", AirflowTaskTimeout, AirflowTaskTimeout),
    ],
)
def test_every_end_but_success_has_its_exception(status, of_sensor, of_operator):
    for sensor, kind in ((True, of_sensor), (False, of_operator)):
        with pytest.raises(kind, match="last words") as caught:
            raise_unless_success(WaitEvent(status, "last words"), sensor=sensor)
        assert type(caught.value) is kind


def test_success_raises_nothing():
    raise_unless_success(WaitEvent("success", ""), sensor=True)
