"""How far a project is and when it is done, in words that do not claim more than is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.pipelines.projects import pace
from airflow_provider_fastlabel.pipelines.projects.pace import Pace, project_pace
from tests.airflow_fixtures import PNG

AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def text(reached, total, recent, *, tags=(), statuses=("approved",), window=DAY):
    return Pace("photos", tags, statuses, reached, total, recent, window, AT).text()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (text(0, 0, None), "Project photos has no tasks yet."),
        (text(5, 5, None), "Project photos: all 5 tasks are approved."),
        (text(6, 5, None), "Project photos: all 5 tasks are approved."),
        (
            text(280, 400, 35),
            "Project photos: still 120 of 400 tasks are not approved. 35 of those that are approved changed in the "
            "last 24.0 h; at this pace the rest is done on Friday, 4 December 2026, 19:47 UTC (in 3.4 days).",
        ),
        (
            text(0, 400, None, tags=["a", "b"], statuses=["completed", "approved"], window=timedelta(hours=1)),
            "Project photos (tagged a, b): still 400 of 400 tasks are not completed or approved. None became so in the "
            "last 60 min, so nobody can tell when they will be.",
        ),
        (text(7, 400, 0), "None became so in the last 24.0 h, so nobody can tell when they will be."),
        (text(7, 400, 1), "at this pace the rest takes more than a year."),
        (text(30_000, 40_000, None), "The 30000 that are were too many to read, so the pace is not known."),
    ],
)
def test_the_words(said, words):
    assert said.endswith(words)


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        yield client


@pytest.fixture
def filled(client, tmp_path):
    """Six tasks: three approved, one completed, two registered; one of each is tagged."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    for number, status in enumerate(["approved", "completed", "registered", "approved", "approved", "registered"]):
        client.create_image_task("cats", f"{number}.png", path, status=status, tags=["a"] if number < 3 else ["b"])


def test_counts_and_looks_back(client, filled, fastlabel_emulator):
    fastlabel_emulator.clear_requests()
    now = project_pace(client, "cats", ["approved"])
    assert (now.reached, now.total, now.left, now.recent) == (3, 6, 3, 3)
    assert now.done_at is not None
    assert timedelta(0) < now.done_at - now.at <= DAY
    assert len(fastlabel_emulator.requests()) <= 4  # two counts, the kind of the project, one page
    tagged = project_pace(client, "cats", ["approved", "completed"], tags=["a"])
    assert (tagged.reached, tagged.total, tagged.recent) == (2, 3, 2)


def test_nothing_was_done_lately(client, filled):
    later = datetime.now(UTC) + 3 * DAY
    pace = project_pace(client, "cats", ["approved"], now=later)
    assert (pace.recent, pace.done_at) == (0, None)
    assert project_pace(client, "cats", ["approved"], now=later, window=4 * DAY).recent == 3


def test_what_needs_no_look_back_costs_none(client, filled, fastlabel_emulator):
    fastlabel_emulator.clear_requests()
    assert project_pace(client, "cats", ["skipped"]).recent is None
    assert project_pace(client, "cats", ["approved", "completed", "registered"]).left == 0
    assert {request["path"] for request in fastlabel_emulator.requests()} == {"tasks/count"}


def test_too_many_to_read_are_not_read(client, filled, monkeypatch):
    monkeypatch.setattr(pace, "MOST_PAGES", 0)
    looked = project_pace(client, "cats", ["approved"])
    assert looked.recent is None
    assert "too many to read" in looked.text()


def test_an_unknown_project_is_not_an_empty_one(client):
    with pytest.raises(NotFound):
        project_pace(client, "nowhere", ["approved"])
