"""Three hundred waits on three projects, and as many on a tag each; the test puts them aside, without workers."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG

from airflow_provider_fastlabel.sensors import FastLabelTaskStatusSensor

PROJECTS = ("crowd-0", "crowd-1", "crowd-2")
WAITS = 300
DEMANDS: list[dict[str, Any]] = [{"min_count": 2}, {"min_share": 1.0}, {"min_count": 1, "min_share": 0.5}]

with DAG("on_projects", schedule=None) as on_projects:
    for n in range(WAITS):
        demand = DEMANDS[n // 3 % 3]
        FastLabelTaskStatusSensor(
            task_id=f"wait_{n}", project=PROJECTS[n % 3], status="approved", poke_interval=10, deferrable=True, **demand
        )

with DAG("on_tags", schedule=None) as on_tags:
    for n in range(WAITS):
        FastLabelTaskStatusSensor(
            task_id=f"wait_{n}", project=PROJECTS[n % 3], status="approved", tags=[f"t{n}"], min_count=1,
            poke_interval=10, deferrable=True,
        )  # fmt: skip
