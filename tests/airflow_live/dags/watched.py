"""DAGs that approvals start: each, every ten, and all; and an export whose event starts another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, AssetWatcher, task

from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator
from airflow_provider_fastlabel.triggers.watchers import FastLabelTaskStatusEventTrigger

PATIENT: dict[str, Any] = {"retries": 5, "retry_delay": timedelta(seconds=2)}
GROUPS: dict[str, Any] = {"each": 1, "tens": 10, "all": "all"}

for name, every in GROUPS.items():
    watcher = AssetWatcher(
        name=f"watched_{name}",
        trigger=FastLabelTaskStatusEventTrigger(project="watched", every=every, poll_interval=2),
    )
    with DAG(f"watched_{name}", schedule=[Asset(f"watched_{name}", watchers=[watcher])]):

        @task(**PATIENT)
        def keys(triggering_asset_events=None):
            """Return the keys of the events that started the run."""
            return [event.extra["payload"]["key"] for events in triggering_asset_events.values() for event in events]

        keys()

with DAG("watched_export", schedule=None, params={"output": "", "emit": "changed"}):
    for emit in ("changed", "always"):
        FastLabelExportCocoOperator(
            task_id=emit,
            project="watched",
            output="{{ params.output }}/" + emit,
            emit=emit,
            **PATIENT,
            outlets=[Asset(f"exported_{emit}"), AssetAlias(f"place_of_{emit}")],
        )

with DAG("watched_export_consumer", schedule=[Asset("exported_changed")]):

    @task(**PATIENT)
    def seen(triggering_asset_events=None):
        """Return what the export told."""
        return [event.extra for events in triggering_asset_events.values() for event in events]

    seen()
