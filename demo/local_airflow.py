"""A real Airflow (api-server, scheduler, dag-processor, triggerer) on loopback, for the demo and the live tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

# The log servers of scheduler and triggerer listen on every interface and take no host option; on one machine the
# api-server reads the log files itself, so they are not needed.
COMPONENTS: dict[str, list[str]] = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START_SECONDS = 240
STOP_SECONDS = 30


def free_port() -> int:
    """Return a TCP port that was free on loopback a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LocalAirflow:
    """Airflow with SQLite and the LocalExecutor under one folder; a context manager that stops what it started.

    :param home: folder for the configuration, the database, and the logs; becomes ``AIRFLOW_HOME``.
    :param dags_folder: folder of the DAG files.
    :param env: further environment variables for every component, such as ``AIRFLOW__SECTION__KEY``.
    """

    start_seconds = START_SECONDS
    """How long it may take until all components are healthy."""

    def __init__(self, home: Path, dags_folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.http = requests.Session()
        self.http.trust_env = False
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW", "FASTLABEL")) and name.lower() not in {"http_proxy", "all_proxy"}
        }
        self.env = {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "NO_PROXY": "127.0.0.1,localhost",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            # Workers reach the execution API through base_url; a port alone is not enough.
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **(env or {}),
        }

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.stop)
            self.start()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Create the database and start the components.

        :raises RuntimeError: when a component ends, or is not healthy after four minutes; names its log file.
        """
        logs = self.home / "components"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "db-migrate.log").open("wb") as log:
            self._airflow(["db", "migrate"], log).wait()
        for name in COMPONENTS:
            self.launch(name)
        self._wait_until_healthy(logs)
        answer = self.http.get(f"{self.url}/auth/token", timeout=30)
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def launch(self, name: str) -> None:
        """Start one component; what it says is added to its log file.

        :param name: such as ``triggerer``.
        """
        with (self.home / "components" / f"{name}.log").open("ab") as log:
            self.processes[name] = self._airflow(COMPONENTS[name], log)

    def kill(self, name: str) -> None:
        """End one component with all its processes by SIGKILL, as a power cut does.

        :param name: such as ``triggerer``.
        """
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _airflow(self, command: list[str], log: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", *command],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _wait_until_healthy(self, logs: Path) -> None:
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"Airflow's {name} ended with code {process.returncode}; read {logs / name}.log")
            if self._healthy():
                return
            time.sleep(1)
        raise RuntimeError(f"Airflow was not healthy after {self.start_seconds} s; read the logs in {logs}")

    def _healthy(self) -> bool:
        try:
            health = self.http.get(f"{self.url}/api/v2/monitor/health", timeout=10).json()
        except (requests.RequestException, ValueError):
            return False
        return all((health.get(part) or {}).get("status") == "healthy" for part in HEALTHY)

    def stop(self) -> None:
        """End every component: SIGTERM, and SIGKILL to its process group for what is left after 30 s."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call Airflow's REST API.

        :param path: below ``/api/v2/``.
        :param body: sent as JSON when given.
        :raises RuntimeError: for an answer of 400 and above, with its text.
        """
        answer = self.http.request(method, f"{self.url}/api/v2/{path}", json=body, timeout=60)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def add_connection(self, connection_id: str, **fields: Any) -> None:
        """Store a connection in Airflow's database, replacing one of the same id.

        :param fields: ``conn_type``, ``host``, ``password``, ``extra`` (a dict) ...
        """
        body = {"connection_id": connection_id, **fields}
        if isinstance(body.get("extra"), dict):
            body["extra"] = json.dumps(body["extra"])
        if self.http.get(f"{self.url}/api/v2/connections/{connection_id}", timeout=60).ok:
            self.call("PATCH", f"connections/{connection_id}", body)
        else:
            self.call("POST", "connections", body)

    def wait_for_dag(self, dag_id: str, seconds: float = 120) -> None:
        """Wait until the dag-processor has read a DAG.

        :raises RuntimeError: with Airflow's import errors, when it has not after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not self.http.get(f"{self.url}/api/v2/dags/{dag_id}", timeout=60).ok:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Airflow has not read {dag_id}: {self.call('GET', 'importErrors')}")
            time.sleep(1)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Unpause a DAG, start a run of it and return the run's id."""
        self.wait_for_dag(dag_id)
        self.call("PATCH", f"dags/{dag_id}", {"is_paused": False})
        run = self.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a DAG run, such as ``running`` or ``success``."""
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run as the REST API shows them."""
        found: list[dict[str, Any]] = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")[
            "task_instances"
        ]
        return found

    def newest_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Return the text of a task's newest log file, or where logs would be when it has none."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        logs = sorted(folder.rglob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
        return logs[-1].read_text(encoding="utf-8") if logs else f"no log in {folder}"

    def watch(self, dag_id: str, run_id: str, every: float = 0.5) -> Iterator[tuple[str, str]]:
        """Yield ``(task id, state)`` at every change seen, until the run has ended."""
        seen: dict[str, str] = {}
        while True:
            ended = self.run_state(dag_id, run_id) in {"success", "failed"}
            for task in self.task_instances(dag_id, run_id):
                state = str(task["state"])
                if seen.get(task["task_id"]) != state:
                    seen[task["task_id"]] = state
                    yield task["task_id"], state
            if ended:
                return
            time.sleep(every)
