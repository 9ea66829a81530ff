"""Runs code in a process of its own that may use so much memory and processor time, and no more.

A hostile input must cost little, and a test of that must not take the machine down when it fails. Limits are on what a
process uses (address space, processor time), not on the clock, so that a busy machine fails nothing.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS_SPACE = 1_500_000_000
PROCESSOR_SECONDS = 20
_FIRST = """
import os
# Each thread of a numerical library reserves address space and uses none of it.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
import resource
resource.setrlimit(resource.RLIMIT_AS, (%d, %d))
resource.setrlimit(resource.RLIMIT_CPU, (%d, %d))
"""
_LAST = """
used = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss would count the process that started this one.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"{used.ru_utime + used.ru_stime:.1f} s, {peak / 1024:.0f} MB")
"""


def run_limited(code: str, *, megabytes: int | None = None, seconds: int = PROCESSOR_SECONDS) -> str:
    """Run code under limits, and fail with its errors when it does not come to its end.

    :param code: what to run, indented as it may be.
    :param megabytes: resident memory that it may reach; None for what the address space allows.
    :param seconds: processor time that it may take, imports too.
    :returns: what it printed, stripped.
    """
    limits = _FIRST % (ADDRESS_SPACE, ADDRESS_SPACE, seconds, seconds)
    done = subprocess.run(
        [sys.executable, "-c", limits + textwrap.dedent(code) + _LAST],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30 * seconds,
    )
    assert done.returncode == 0, f"it ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    printed, _, figures = done.stdout.rstrip().rpartition("\n")
    logging.getLogger(__name__).info(figures)
    peak = float(figures.split(", ")[1].split()[0])
    assert megabytes is None or peak <= megabytes, figures
    return printed.strip()
