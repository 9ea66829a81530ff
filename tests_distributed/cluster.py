"""Airflow with the CeleryExecutor and workers that share nothing on disk: home, DAGs, logs, temporary files."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
from cryptography.fernet import Fernet

from demo.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKERS = ("worker-1", "worker-2")
ROOM_FOR_SLOW_MACHINES = 600


class Cluster(LocalAirflow):
    """Scheduler, api-server, dag-processor and triggerer as one machine, each worker as another.

    :param folder: below it every machine has a folder.
    :param dags_folder: DAG files, copied to every machine.
    :param database: user, host, port and database of PostgreSQL.
    :param redis: address of Redis; Celery uses database 0.
    :param env: further environment variables for every component.
    """

    start_seconds = ROOM_FOR_SLOW_MACHINES

    def __init__(self, folder: Path, dags_folder: Path, database: str, redis: str, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._dags = dags_folder
        everywhere = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__CELERY__BROKER_URL": f"{redis}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{database}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "1",
            "AIRFLOW__CELERY__WORKER_ENABLE_REMOTE_CONTROL": "False",
            # A killed worker's task is missed after half a minute, not after five.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            # Else a busy machine loses a start of a task to a time-out of 5 s, and five minutes until its retry.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",
            "C_FORCE_ROOT": "1",
            **env,
        }
        super().__init__(folder / "control" / "home", folder / "control" / "dags", everywhere)
        self.env.update(self._machine("control"))

    def _machine(self, name: str) -> dict[str, str]:
        """Make the folder of a machine; return the variables by which its processes stay in it."""
        place = self.folder / name
        for part in ("home", "tmp"):
            (place / part).mkdir(parents=True)
        shutil.copytree(self._dags, place / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        return {
            "HOME": str(place),
            "TMPDIR": str(place / "tmp"),
            "AIRFLOW_HOME": str(place / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(place / "dags"),
        }

    def start(self) -> None:
        """Start the control machine, then the workers, and wait until they take tasks.

        :raises RuntimeError: when something does not start; names its log file.
        """
        super().start()
        for name in WORKERS:
            self.launch_worker(name)
        deadline = time.monotonic() + self.start_seconds
        for name in WORKERS:
            log = self._log(name)
            while " ready." not in log.read_text(encoding="utf-8", errors="replace"):
                if self.processes[name].poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} is not ready; read {log}")
                time.sleep(0.5)

    def launch_worker(self, name: str) -> None:
        """Start a worker as a machine of its own.

        :param name: one of :data:`WORKERS`.
        """
        env = {**self.env, **self._machine(name)}
        command = ["celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs", "--without-mingle"]
        with self._log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *command],
                env=env,
                cwd=self.folder / name,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def cut_power(self, name: str) -> None:
        """End a worker and all that it started by SIGKILL.

        :param name: one of :data:`WORKERS`.
        """
        process = self.processes.pop(name)
        _kill_family(process.pid)
        process.wait()

    def stop(self) -> None:
        """End everything, the tasks of the workers too."""
        families = [_family(process.pid) for process in self.processes.values()]
        super().stop()
        for family in families:
            for one in family:
                if one.is_running():
                    one.kill()

    def ran(self, dag_id: str, run_id: str) -> dict[str, set[str]]:
        """Return for each worker which tasks of a run it has on its own disk the log of."""
        found: dict[str, set[str]] = {}
        for name in WORKERS:
            logs = self.folder / name / "home" / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
            found[name] = {path.parent.name.removeprefix("task_id=") for path in logs.rglob("attempt=*.log")}
        return found

    def begun(self, dag_id: str, run_id: str) -> dict[str, bool]:
        """Return for each worker whether it is at a mapped task of a run: one that runs and whose log it has."""
        running = {
            f"map_index={each['map_index']}"
            for each in self.task_instances(dag_id, run_id)
            if each["state"] == "running" and each["map_index"] >= 0
        }
        return {name: bool(tasks & running) for name, tasks in self.ran(dag_id, run_id).items()}

    def newest_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Return the text of a task's newest log file on any machine."""
        pattern = f"*/home/logs/dag_id={dag_id}/run_id={run_id}/task_id={task_id}/**/attempt=*.log"
        logs = sorted(self.folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        return logs[-1].read_text(encoding="utf-8") if logs else f"no log like {pattern}"

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, the children first."""
    try:
        parent = psutil.Process(pid)
        return [*reversed(parent.children(recursive=True)), parent]
    except psutil.NoSuchProcess:
        return []


def _kill_family(pid: int) -> None:
    """Stop a process before its children are looked for, so that it starts no others meanwhile, and end all."""
    psutil.Process(pid).suspend()
    for one in _family(pid):
        if one.is_running():
            one.kill()
