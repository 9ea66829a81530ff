"""Runs code in a process of its own with little memory and a limit of time, as hostile input must be met."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1536 << 20,) * 2)\n"


def in_small_process(code: str, given: str = "", *arguments: object, seconds: float = 60) -> str:
    """Run code with 1.5 GB of address space, and return what it printed.

    :param code: Python code; the package and ``tests`` can be imported.
    :param given: its standard input.
    :param arguments: its arguments, from ``sys.argv[1]`` on.
    :param seconds: CPU seconds it may take, and ten times as many on the clock: the machine may be busy.
    :raises AssertionError: if it fails or takes longer; with what it wrote to its standard error.
    """
    limits = f"{LIMITS}resource.setrlimit(resource.RLIMIT_CPU, ({int(seconds)},) * 2)\n"
    done = subprocess.run(
        [sys.executable, "-c", limits + code, *map(str, arguments)],
        cwd=ROOT, input=given, capture_output=True, text=True, timeout=10 * seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-3000:]}"
    return done.stdout
