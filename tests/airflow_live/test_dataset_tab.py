"""The "Dataset" tab in Airflow's screens, after a real sign-in, in Chromium."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from demo.local_airflow import LocalAirflow
from tests.browser import browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.airflow_live.conftest import Live
    from tests.browser import Page

DAG = "reported"
# What the page holds that is open in Airflow's frame for a tab.
TAB = "document.querySelector('iframe')?.contentDocument?.body"


@pytest.fixture(scope="module")
def run(live: Live) -> str:
    """Run the DAG until somebody is asked, and return the run's id."""
    live.client.create_project(type="image_bbox", name="Reported", slug=DAG)
    live.client.create_annotation(DAG, "bbox", "cat", "Cat")
    for number in range(3):
        picture = live.state / f"reported-{number}.png"
        Image.effect_mandelbrot((320, 240), (-2, -1.5, 1, 1.5), 20 + 9 * number).save(picture)
        box: dict[str, Any] = {"type": "bbox", "value": "cat", "points": [20, 30, 120, 150 + number]}
        again = {**box, "points": [22, 30, 121, 150]}
        live.client.create_image_task(DAG, picture.name, str(picture), status="approved", annotations=[box, again])
    run = live.airflow.trigger(DAG, {"folder": str(live.state / "reported")})
    deadline = time.monotonic() + 240
    while True:
        states = {str(one["task_id"]): one["state"] for one in live.airflow.task_instances(DAG, run)}
        if states.get("ask") in ("awaiting_input", "deferred"):
            return run
        assert "failed" not in states.values(), live.airflow.newest_log(DAG, run, "report")
        assert time.monotonic() < deadline, states
        time.sleep(1)


@pytest.fixture(scope="module")
def guarded(live: Live) -> Iterator[str]:
    """Address of a second API server, which asks everybody to sign in."""
    settings = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "vera:viewer",
    }
    server = LocalAirflow(live.airflow.home, live.airflow.home, settings)
    server.launch("api-server")
    try:
        deadline = time.monotonic() + 120
        while True:
            assert time.monotonic() < deadline, "the API server does not answer"
            try:
                if requests.get(f"{server.url}/api/v2/version", timeout=10).ok:
                    break
            except requests.ConnectionError:
                time.sleep(1)
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="module")
def page(live: Live, guarded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser in which a person without rights to change anything has signed in."""
    stored = live.airflow.home / "simple_auth_manager_passwords.json.generated"
    password = json.loads(stored.read_text(encoding="utf-8").splitlines()[0])["vera"]
    with browser(tmp_path_factory.mktemp("profile")) as page:
        page.size(1400, 900)
        page.visit(f"{guarded}/auth/login/", "document.querySelectorAll('input').length >= 2")
        for at, words in enumerate(("vera", password)):
            page.run(f"document.querySelectorAll('input')[{at}].focus()")
            page.call("Input.insertText", text=words)
        page.run("document.querySelector('button[type=submit]').click()")
        page.wait("location.pathname === '/' && document.querySelector('nav, a[href*=dags]') !== null")
        yield page


def tab_of(guarded: str, run: str, task: str) -> str:
    return f"{guarded}/dags/{DAG}/runs/{run}/tasks/{task}/plugin/fastlabel-dataset"


@pytest.mark.parametrize("index", [0, 1])
def test_the_tab_shows_the_report_of_its_task(page: Page, guarded: str, run: str, index: int, tmp_path: Path) -> None:
    page.complaints.clear()
    page.requests.clear()
    page.visit(tab_of(guarded, run, f"report/mapped/{index}"), f"{TAB}?.querySelector('iframe') != null")

    with page.frame("/report.html") as inner:
        inner.wait("document.querySelector('h1')")
        assert inner.run("document.title") == "reported: data set report"
        assert "Drawn twice" in inner.run("document.body.innerText")
        assert inner.complaints == []
        assert inner.faults() == []
        assert inner.run("self.origin") == "null"
        assert inner.run("fetch('/api/v2/dags').then(() => 'read', () => 'refused')") == "refused"
    assert page.run("document.querySelector('iframe').contentDocument.querySelector('iframe').title") != ""
    ours = [line for line in page.complaints if "fastlabel" in line.lower()]
    assert ours == []
    assert [each for each in page.requests if not each.removeprefix("blob:").startswith(guarded)] == []


def test_a_task_without_a_data_set_says_so(page: Page, guarded: str, run: str) -> None:
    page.visit(tab_of(guarded, run, "other"), f"{TAB}?.innerText.includes('no report to show')")


def test_an_approval_shows_the_contact_sheet(page: Page, guarded: str, run: str) -> None:
    sheet = "document.querySelector('img[src*=\"contact-sheet\"]')"
    page.visit(f"{guarded}/dags/{DAG}/runs/{run}/tasks/ask/required_actions", f"{sheet}?.complete")

    assert page.run(f"{sheet}.naturalWidth") > 600
    links = "[...document.querySelectorAll('a')].filter(each => each.textContent === 'The whole report')"
    link = page.run(f"{links}.map(each => decodeURIComponent(each.href))[0]")
    assert link == tab_of(guarded, run, "report/mapped/0")


def test_nobody_else_sees_it(guarded: str, run: str) -> None:
    address = f"{guarded}/fastlabel/datasets/{DAG}/{run}/report/0"

    assert [requests.get(f"{address}{name}", timeout=30).status_code for name in ("", "/report.html")] == [401, 401]
