"""Puts the sensors of a DAG aside in Airflow's database, as 300 workers would have, and tells what became of them.

Run with the environment of the Airflow in question: ``defer DAG``, which starts a run, or ``states DAG``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.models.dagbag import DBDagBag
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import Trigger
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from airflow_provider_fastlabel.triggers.fastlabel import trigger_for
from tests.airflow_live.many_dags import many_waits

if TYPE_CHECKING:
    from airflow.sdk import DAG


def defer(dag: DAG) -> dict[str, Any]:
    """Start a run whose sensors all wait in the triggerer."""
    now = datetime.now(UTC)
    with create_session() as session:
        stored: Any = DBDagBag().get_latest_version_of_dag(dag.dag_id, session=session)
        stored.create_dagrun(
            run_id="run",
            run_after=now,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        rows = session.scalars(select(TaskInstance).where(TaskInstance.dag_id == dag.dag_id)).all()
        for row in rows:
            sensor: Any = dag.get_task(row.task_id)
            made = trigger_for(
                sensor.build_wait(),
                fastlabel_conn_id=sensor.fastlabel_conn_id,
                poll_interval=sensor.poke_interval,
                end_time=time.time() + 3600,
            )
            row.trigger = Trigger(*made.serialize())
            row.state, row.next_method, row.next_kwargs = TaskInstanceState.DEFERRED, "execute_complete", {}
            row.try_number, row.start_date = 1, now
    return {"deferred": len(rows)}


def states(dag: DAG) -> dict[str, Any]:
    """Return how many tasks are in which state, with which event, and how many triggers are left."""
    with create_session() as session:
        rows = session.scalars(select(TaskInstance).where(TaskInstance.dag_id == dag.dag_id)).all()
        ends = Counter(str(row.state) for row in rows)
        events = Counter(str(row.next_kwargs).count("'success'") for row in rows)
        return {**ends, "events": dict(events), "left": sum(row.trigger_id is not None for row in rows)}


if __name__ == "__main__":
    json.dump({"defer": defer, "states": states}[sys.argv[1]](getattr(many_waits, sys.argv[2])), sys.stdout)
