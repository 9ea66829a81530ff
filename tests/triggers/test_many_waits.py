"""Three hundred waits of one triggerer, in virtual time: how often they ask, and that all of them end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from airflow_provider_fastlabel.triggers.fastlabel import FastLabelTaskCountTrigger
from tests import virtual_time
from tests.airflow_fixtures import PNG, calls

WAITS = 300
PROJECTS = ("photos", "videos", "scans")
MINUTES = 6
A_FIFTH = 200
"""Calls that all waits may make in any minute: a fifth of 10,000 in 10 minutes."""

DEMANDS: list[dict[str, Any]] = [{"min_count": 2}, {"min_share": 1.0}, {"min_count": 2, "min_share": 0.5}]


def wait(number, tags=(), **more):
    project = PROJECTS[number % len(PROJECTS)]
    arguments = {"project": project, "statuses": ["approved"], "tags": list(tags), "min_count": None, "min_share": None}
    return FastLabelTaskCountTrigger(
        fastlabel_conn_id="fastlabel_default", poll_interval=10, end_time=time.time() + 7200, **{**arguments, **more}
    )


async def ended(trigger):
    async for event in trigger.run():
        return event.payload["status"]


@pytest.fixture
def world(client, emulator, connect, tmp_path):
    for project in PROJECTS[1:]:
        client.create_project("image_bbox", project, project)
    connect(password=emulator.token, host=emulator.url, max_retries=0)

    def run(made):
        async def scenario():
            waits = [asyncio.create_task(ended(one)) for one in made]
            per_minute = []
            for _ in range(MINUTES):
                before = calls(emulator, "")
                await asyncio.sleep(60)
                per_minute.append(calls(emulator, "") - before)
            for project in PROJECTS:
                emulator.set_status(project, "approved")
            return per_minute, await asyncio.gather(*waits)

        return virtual_time.run(scenario())

    return run


KINDS = {
    # How to make wait n, and how many calls all of them may make in any minute: 3 projects, 6 looks a minute each.
    "a number": (lambda n: wait(n, min_count=1), 20),
    "a share": (lambda n: wait(n, min_share=1.0), 20),
    "numbers and shares": (lambda n: wait(n, **DEMANDS[n // 3 % 3]), 20),
    "two statuses": (
        lambda n: wait(n, min_count=1, statuses=[["approved"], ["approved", "completed"]][n // 3 % 2]),
        40,
    ),
    "a tag each": (lambda n: wait(n, tags=[f"t{n}"], min_count=1), A_FIFTH),
}


@pytest.mark.parametrize("kind", KINDS)
def test_waits_share_their_calls_and_all_of_them_end(client, emulator, world, kind, tmp_path):
    picture = tmp_path / "p.png"
    picture.write_bytes(PNG)
    tags = [f"t{number}" for number in range(WAITS)] if kind == "a tag each" else []
    for project in PROJECTS:
        client.create_image_task(project, "a.png", picture, tags=tags)
        client.create_image_task(project, "b.png", picture, tags=tags)
    make, most = KINDS[kind]
    per_minute, ends = world([make(number) for number in range(WAITS)])
    assert ends == ["success"] * WAITS
    assert max(per_minute) <= most, per_minute
