"""FastLabelProgressNotifier: in callbacks, as a deadline's callback, and through other notifiers."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseNotifier, BaseOperator
from airflow.sdk.definitions.deadline import AsyncCallback  # type: ignore[attr-defined]

from airflow_provider_fastlabel.notifications import FastLabelProgressNotifier
from airflow_provider_fastlabel.provider_info import get_provider_info

HALF = "Project photos: still 1 of 2 tasks are not approved. 1 of those that are approved changed in the last 24.0 h"


class Collected(BaseNotifier):
    """A notifier of somebody else's, that only knows how to wait for a call."""

    template_fields = ("text",)
    sent: list[tuple[str, str]] = []  # noqa: RUF012 - of all that are made

    def __init__(self, text="{{ fastlabel_progress.text }}", context=None):
        super().__init__()
        self.text = text

    def notify(self, context):
        self.sent.append(("sync", self.text))


class AsyncCollected(Collected):
    """The same, at home in an event loop."""

    async def async_notify(self, context):
        self.sent.append(("async", self.text))


@pytest.fixture(autouse=True)
def sent():
    Collected.sent.clear()
    return Collected.sent


@pytest.fixture
def half(client, fill):
    fill("a.png", status="approved")
    fill("b.png")


def in_a_callback(**arguments):
    FastLabelProgressNotifier(**{"project": "photos", **arguments})({"params": {"project": "photos"}})


def in_a_deadline(**arguments):
    """Do what Airflow's triggerer does with a missed deadline: everything went through JSON."""
    kept = AsyncCallback(FastLabelProgressNotifier, kwargs={"project": "photos", **arguments}).serialize()
    kept = json.loads(json.dumps(kept.get("__data__", kept)))
    assert kept["path"] == get_provider_info()["notifications"][0]

    context: Any = {"dag_run": {"conf": {"project": "photos"}}}

    async def run():
        await FastLabelProgressNotifier(**kept["kwargs"], context=context)

    asyncio.run(run())


@pytest.mark.parametrize("way", [in_a_callback, in_a_deadline])
def test_says_in_the_log_how_far_a_project_is(half, capsys, way):
    way()
    assert HALF in capsys.readouterr().out


@pytest.mark.parametrize(
    ("through", "way", "how"),
    [
        (Collected("{{ fastlabel_progress.left }}: {{ fastlabel_progress.text }}"), in_a_callback, "sync"),
        (AsyncCollected(), in_a_callback, "sync"),
        (f"{__name__}.Collected", in_a_callback, "sync"),
        (f"{__name__}.Collected", in_a_deadline, "sync"),
        (f"{__name__}.AsyncCollected", in_a_deadline, "async"),
    ],
)
def test_another_notifier_carries_it(half, sent, monkeypatch, through, way, how):
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Collected.__module__])
    way(through=through)
    ((done, text),) = sent
    assert done == how
    assert HALF in text


def test_a_path_may_come_with_arguments(half, sent):
    in_a_deadline(through=f"{__name__}.Collected", through_arguments={"text": "left: {{ fastlabel_progress.left }}"})
    assert sent == [("sync", "left: 1")]


def test_templates_and_tags(half, fill, sent):
    fill("c.png", tags=["night"])
    in_a_callback(project="{{ params.project }}", tags=["night"], window=timedelta(hours=2), through=Collected())
    in_a_deadline(project="{{ dag_run.conf.project }}", status=["registered"], through=f"{__name__}.Collected")
    assert (
        "Project photos (tagged night): still 1 of 1 tasks are not approved. None became so in the last 2.0 h"
        in (sent[0][1])
    )
    assert "still 1 of 3 tasks are not registered" in sent[1][1]


@pytest.mark.parametrize("way", [in_a_callback, in_a_deadline])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"project": "nowhere"}, "Project nowhere: its progress is not known: "),
        ({"fastlabel_conn_id": "nobody"}, "its progress is not known: The conn_id"),
        ({"project": "{{ none }}"}, "project is empty; its template may have been rendered to nothing"),
        ({"status": "fine"}, "status must be one of"),
        ({"status": []}, "status is empty"),
    ],
)
def test_the_message_goes_out_even_if_fastlabel_cannot_be_asked(client, sent, way, arguments, words):
    way(through=f"{__name__}.Collected", **arguments)
    ((_, text),) = sent
    assert words in text


def test_in_the_callbacks_of_a_task(airflow_run, half, sent):
    class Failing(BaseOperator):
        def execute(self, context):
            raise ValueError("no")

    notifier = FastLabelProgressNotifier(project="{{ task.task_id }}", through=Collected())
    done = airflow_run(lambda: Failing(task_id="photos", on_execute_callback=notifier)).attempt()
    assert done.state == "failed"
    assert HALF in sent[0][1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"window": 0}, "window must be a positive number of seconds"),
        ({"window": "{{ 5 }}"}, "window must be a positive number of seconds"),
        ({"through": "not a path"}, "through must be a notifier or the path of one, not 'not a path'"),
        ({"through": "name"}, "through must be a notifier or the path of one, not 'name'"),
        ({"through": print}, "through must be a notifier or the path of one"),
        ({"through_arguments": {"text": "a"}}, "through_arguments are for a notifier named by its path"),
        ({"through": Collected(), "through_arguments": {"text": "a"}}, "through_arguments are for"),
    ],
)
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(arguments, words):
    with pytest.raises(ValueError, match=words):
        FastLabelProgressNotifier(project="photos", **arguments)
