"""The connection as Airflow's own API and UI see it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.airflow_live.conftest import Live


def airflow(live: Live, *command: str) -> str:
    # Airflow prints warnings before its answer, for instance of what Python 3.14 deprecates in its command line.
    env = {**live.airflow.env, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *command], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_providers_list_and_get(live: Live) -> None:
    listed = json.loads(airflow(live, "providers", "list", "--output", "json"))
    assert "airflow-provider-fastlabel" in {one["package_name"] for one in listed}
    assert "fastlabel" in airflow(live, "providers", "get", "airflow-provider-fastlabel", "--full", "--output", "json")


def test_form_of_the_connection(live: Live) -> None:
    answer = live.airflow.http.get(f"{live.airflow.url}/ui/connections/hook_meta", timeout=60)
    (form,) = [one for one in answer.json() if one["connection_type"] == "fastlabel"]
    assert form["standard_fields"]["password"]["title"] == "Access token"
    assert form["standard_fields"]["login"]["hidden"] is True
    assert set(form["extra_fields"]) == {
        "timeout",
        "max_retries",
        "calls_per_10_minutes",
        "quota_seconds",
        "quota_redis",
        "verify",
        "proxies",
        "app_url",
    }


def check(live: Live, **fields: object) -> tuple[bool, str]:
    body = {"connection_id": "probe", "conn_type": "fastlabel", "host": live.emulator.url, **fields}
    answer = live.airflow.call("POST", "connections/test", body)
    return answer["status"], answer["message"]


def test_connection_test(live: Live) -> None:
    right, message = check(live, password=live.emulator.token)
    assert right, message
    wrong, message = check(live, password="not-the-token")
    assert not wrong
    assert "token" in message
    assert "not-the-token" not in message
    unreachable, message = check(live, host="http://127.0.0.1:9/v1/", password="x" * 20)
    assert not unreachable
    assert "127.0.0.1:9" in message
