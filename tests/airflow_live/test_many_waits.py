"""Three hundred deferred sensors in a real triggerer that is killed: what they ask, and that each ends once."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from demo.local_airflow import COMPONENTS, LocalAirflow
from demo.local_emulator import LocalEmulator
from tests.airflow_fixtures import PNG

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "many-waits-token-1b2c"
PROJECTS = ("crowd-0", "crowd-1", "crowd-2")
WAITS = 300
MINUTE = 60
PATIENCE = 300
BLOCKED = re.compile(r"blocked for ([\d.]+) seconds")
QUOTA = 60_000
"""Calls in ten minutes: so many that waits on 300 tags end within the minute, and so few that they are stretched."""


class Crowd:
    """Airflow's database with deferred sensors, and a triggerer that may be killed."""

    def __init__(self, home: Path, emulator: LocalEmulator) -> None:
        self.emulator = emulator
        self.log = home / "triggerer.log"
        connection = {
            "conn_type": "fastlabel",
            "host": emulator.url,
            "password": TOKEN,
            "extra": {"calls_per_10_minutes": QUOTA, "timeout": 60},
        }
        self.env = LocalAirflow(
            home,
            Path(__file__).with_name("many_dags"),
            {
                "AIRFLOW_CONN_FASTLABEL_DEFAULT": json.dumps(connection),
                "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
                "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
                "PYTHONPATH": str(ROOT),
            },
        ).env

    def run(self, *command: str) -> str:
        """Run a program with this Airflow to its end; return what it said."""
        done = subprocess.run(
            [sys.executable, *command], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def tell(self, what: str, dag: str) -> dict[str, Any]:
        """Run one of the commands of ``deferred.py``."""
        answer: dict[str, Any] = json.loads(self.run("-m", "tests.airflow_live.deferred", what, dag).splitlines()[-1])
        return answer

    @contextmanager
    def triggerer(self) -> Iterator[None]:
        """Run a triggerer until it is killed, as a machine dies: with no time for anything."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *COMPONENTS["triggerer"]],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            yield
            assert process.poll() is None, self.log.read_text()[-4000:]
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of the sensors that the emulator has got since the log was emptied."""
        found: list[dict[str, Any]] = self.emulator.control("GET", "requests?path=tasks/count")
        return found

    def approve(self, project: str) -> None:
        """Let all waits on a project end."""
        self.emulator.control("POST", "tasks/status", {"project": project, "status": "approved"})

    def wait_for(self, enough: Any) -> None:
        """Wait until something is so."""
        until = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < until, self.log.read_text()[-4000:]
            time.sleep(1)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    home = tmp_path_factory.mktemp("crowd")
    with LocalEmulator(home, TOKEN) as emulator:
        made = Crowd(home, emulator)
        made.run("-m", "airflow", "db", "migrate")
        made.run("-m", "airflow", "dags", "reserialize")
        yield made


@pytest.fixture
def client(crowd: Crowd, tmp_path: Path) -> Iterator[FastLabelClient]:
    """A client of the emulator with the projects; each of their two tasks has all tags of its project's sensors."""
    crowd.emulator.control("POST", "reset")
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    with FastLabelClient(TOKEN, api_url=crowd.emulator.url) as client:
        for number, project in enumerate(PROJECTS):
            client.create_project("image_bbox", project, project)
            for name in ("a.png", "b.png"):
                client.create_image_task(project, name, picture, tags=[f"t{n}" for n in range(number, WAITS, 3)])
        yield client


def most_in_a_minute(calls: list[dict[str, Any]]) -> int:
    """Return the most calls that came within any minute, by the clock of who got them."""
    times = [datetime.fromisoformat(call["at"]) for call in calls]
    return max(bisect_left(times, at + timedelta(seconds=MINUTE)) - first for first, at in enumerate(times))


@pytest.mark.parametrize(
    ("dag", "most"),
    # 3 projects, 6 looks a minute; all of the tasks are counted when a look is the first, and now and then.
    [("on_projects", 3 * 6 + 2), ("on_tags", QUOTA // 10 // 5)],
)
def test_waits_keep_to_their_calls_and_each_ends_once_though_the_triggerer_is_killed(
    crowd: Crowd, client: FastLabelClient, dag: str, most: int
) -> None:
    assert crowd.tell("defer", dag) == {"deferred": WAITS}
    with crowd.triggerer():
        crowd.wait_for(
            lambda: len({json.dumps(call["query"]) for call in crowd.calls()}) >= (3, WAITS)[dag == "on_tags"]
        )
        time.sleep(10)
        crowd.emulator.control("DELETE", "requests")
        time.sleep(MINUTE)
        asked = most_in_a_minute(crowd.calls())
        crowd.approve(PROJECTS[0])
        crowd.wait_for(lambda: crowd.tell("states", dag).get("scheduled", 0) >= 1)
    between = crowd.tell("states", dag)
    assert between["deferred"] >= WAITS * 2 // 3
    for project in PROJECTS[1:]:
        crowd.approve(project)
    with crowd.triggerer():
        crowd.wait_for(lambda: crowd.tell("states", dag)["left"] == 0)
    longest = max(map(float, BLOCKED.findall(crowd.log.read_text())), default=0.0)
    log.info("%s: %s calls a minute; at the kill %s; longest block %s s", dag, asked, between, longest)
    assert 6 <= asked <= most
    assert crowd.tell("states", dag) == {"scheduled": WAITS, "events": {"1": WAITS}, "left": 0}
