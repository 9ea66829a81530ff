"""Keeps Airflow's home in a temporary folder, set before anything imports Airflow."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_home = tempfile.mkdtemp(prefix="airflow-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)

os.environ["AIRFLOW_HOME"] = _home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_home}/airflow.db"
os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"] = f"{_home}/logs"
for name in [n for n in os.environ if n.startswith(("FASTLABEL_", "AIRFLOW_CONN_"))]:
    del os.environ[name]
_tests = itertools.count()

# How long an example takes says how busy the machine is, not what the code does.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

pytest_plugins = ["airflow_provider_fastlabel.emulator.pytest_plugin"]


@pytest.fixture(autouse=True)
def own_count_of_calls() -> Iterator[None]:
    """Count the calls of each test, and of its processes, apart: tokens and addresses are the same in all."""
    from airflow_provider_fastlabel.client.http import quota

    folder = f"{_home}/quota/{next(_tests)}"
    with pytest.MonkeyPatch.context() as patch:  # of its own: that of a test is undone before its other fixtures end
        patch.setenv("FASTLABEL_QUOTA_FOLDER", folder)
        yield
    # One that counts alone stays for good, and would count the calls of all tests that follow.
    quota._counting_alone.clear()
    quota._shared.clear()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of an S3-compatible server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_address(s3_server: str) -> str:
    """Address of an S3-compatible server without buckets."""
    import requests

    requests.post(f"{s3_server}/moto-api/reset", timeout=60).raise_for_status()
    return s3_server
