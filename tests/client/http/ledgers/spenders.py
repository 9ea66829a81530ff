"""Processes that spend one quota together, and what is asked of their calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_fastlabel.emulator import Emulator


def spending(
    emulator: Emulator, processes: int, *, seconds: float, kill: int = 0, apart: Path | None = None, **client: Any
) -> list[str]:
    """Let processes make calls at once for some seconds.

    :param kill: how many of them are ended by SIGKILL while they work.
    :param apart: folder in which each has a folder of its own to count in, as on machines of their own.
    :param client: arguments of their clients.
    :returns: what each process printed.
    """
    orders = {
        "seconds": seconds,
        "threads": 4,
        "client": {"access_token": emulator.token, "api_url": emulator.url, **client},
    }
    command = [sys.executable, str(Path(__file__).with_name("spend.py")), json.dumps(orders)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_machine(apart, number))
        for number in range(processes)
    ]
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        emulator.clear_requests()
        for each in started:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        for each in started[:kill]:
            _wait_for_calls(emulator)
            each.kill()
        return [each.communicate(timeout=seconds + 60)[0] for each in started]
    finally:
        for each in started:
            each.kill()
            each.wait()


def _machine(apart: Path | None, number: int) -> dict[str, str]:
    return {**os.environ} if apart is None else {**os.environ, "FASTLABEL_QUOTA_FOLDER": str(apart / str(number))}


def _wait_for_calls(emulator: Emulator) -> None:
    before = len(emulator.requests())
    while len(emulator.requests()) < before + 5:
        pass


def made_by(answer: str) -> int:
    """Return how many calls a process made by what it printed."""
    made: int = json.loads(answer.splitlines()[-1])["made"]
    return made


def most_in_a_window(times: list[float], window: float) -> int:
    """Return the most times that lie within one window."""
    return max((sum(start <= each < start + window for each in times) for start in times), default=0)
