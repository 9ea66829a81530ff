"""Keeps Airflow's home in a temporary folder, set before anything imports Airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="airflow-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)

os.environ["AIRFLOW_HOME"] = _home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_home}/airflow.db"
os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"] = f"{_home}/logs"
for name in [n for n in os.environ if n.startswith(("FASTLABEL_", "AIRFLOW_CONN_"))]:
    del os.environ[name]

pytest_plugins = ["airflow_provider_fastlabel.emulator.pytest_plugin"]
