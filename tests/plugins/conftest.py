"""Airflow's API server in this process, with its database, its plugins and its own guard."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from airflow import settings
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.xcom import XComModel
from fastapi.testclient import TestClient
from sqlalchemy import text

from airflow_provider_fastlabel.pipelines.reports.run import Report, write_report
from tests.pipelines.reports.labelled import streets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_runs = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """The application that the API server runs."""
    settings.configure_orm()
    import_all_models()
    Base.metadata.create_all(settings.engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "not a secret " * 8)
        yield create_app("core")


@pytest.fixture
def ask(server: Any) -> Any:
    """Ask the server as somebody: of a role, ``None`` for a person without any, or "nobody" for no person at all."""

    def go(path: str, role: str | None = "VIEWER") -> Any:
        client = TestClient(server, base_url="http://airflow.test")
        if role != "nobody":
            token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="eve", role=role))
            client.cookies.set("_token", token)
        return client.get(path)

    return go


@pytest.fixture
def publish(server: Any) -> Any:
    """Let a task return something; returns the address of its tab."""

    def go(value: Any, map_index: int = -1, run: str | None = None) -> str:
        run_id = run or f"manual__2026-11-29T00:00:00+00:00_{next(_runs)}"
        names = {"dag_id": "nightly", "run_id": run_id, "task_id": "sets.report", "map_index": map_index}
        row = {**names, "key": "return_value", "dag_run_id": next(_runs), "value": json.dumps(value)}
        assert settings.engine is not None
        with settings.engine.connect() as connection:
            connection.execute(text("PRAGMA foreign_keys=OFF"))  # the rows of DAG, run and task are of no matter here
            connection.execute(XComModel.__table__.insert().values(**row))
            connection.commit()
        return f"/fastlabel/datasets/nightly/{run_id}/sets.report/{map_index}"

    return go


@pytest.fixture
def reported(tmp_path: Path) -> dict[str, Any]:
    """A report in a folder; returns the result of the task that has made it."""
    folder = tmp_path / "report"
    made = Report(project="streets").make(streets(20))
    write_report(made, folder)
    return made.result(str(folder), changed=True)
