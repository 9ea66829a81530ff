"""PostgreSQL and Redis for one test run, on loopback, under a folder of their own; stopped by their process."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.local_airflow import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 120
STOP_SECONDS = 60
NEEDED = "Install it: apt-get install --no-install-recommends redis-server postgresql"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL; gives host, port and database as ``airflow@127.0.0.1:5432/postgres``.

    :param folder: is made; whose parents everybody may enter, because PostgreSQL does not run as root.
    :raises RuntimeError: if it is not installed or does not start.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise RuntimeError(f"PostgreSQL is missing. {NEEDED}")
    folder.mkdir()
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        other = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data, port = folder / "data", free_port()
    initdb: list[Any] = [programs[-1] / "initdb", "-D", data, "-U", "airflow", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **other)
    command = [programs[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with _running("PostgreSQL", command, folder, port, signal.SIGINT, **other):
        yield f"airflow@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Redis; gives its address without a database, as ``redis://127.0.0.1:6379``.

    :param folder: is made.
    :raises RuntimeError: if it is not installed or does not start.
    """
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise RuntimeError(f"Redis is missing. {NEEDED}")
    folder.mkdir()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--daemonize", "no"]
    with _running("Redis", command, folder, port, signal.SIGTERM):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def _running(
    what: str, command: list[Any], folder: Path, port: int, end: signal.Signals, **other: Any
) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder, **other
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not start: {(folder / 'server.log').read_text()}")
            time.sleep(0.2)
        yield
    finally:
        process.send_signal(end)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
