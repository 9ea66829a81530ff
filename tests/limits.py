"""Runs code in a process of its own that may use so much memory and processor time, and no more.

A hostile input must cost little, and a test of that must not take the machine down when it fails, nor wait for ever.
Limits are on what a process uses (address space, processor time); the clock, by which a busy machine would fail tests,
only ends what waits.
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
import atexit, os, resource, sys
# Each thread of a numerical library reserves address space and uses none of it.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
resource.setrlimit(resource.RLIMIT_AS, (%d, %d))
resource.setrlimit(resource.RLIMIT_CPU, (%d, %d))
@atexit.register
def _figures():
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss would count the process that started this one.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(f"\\n{used.ru_utime + used.ru_stime:.1f} s, {peak / 1024:.0f} MB", file=sys.stderr)
"""


def run_limited(code: str, *arguments: object, megabytes: int | None = None, seconds: int = PROCESSOR_SECONDS) -> str:
    """Run code under limits, and fail with its errors when it does not come to its end.

    :param code: what to run, indented as it may be; the package and ``tests`` can be imported.
    :param arguments: its arguments, from ``sys.argv[1]`` on.
    :param megabytes: resident memory that it may reach; None for what the address space allows.
    :param seconds: processor time that it may take, imports too; ten times as many on the clock.
    :returns: what it printed, stripped.
    """
    limits = _FIRST % (ADDRESS_SPACE, ADDRESS_SPACE, seconds, seconds)
    done = subprocess.run(
        [sys.executable, "-c", limits + textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * seconds,
    )
    assert done.returncode == 0, f"it ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    figures = done.stderr.rstrip().rpartition("\n")[2]
    logging.getLogger(__name__).info(figures)
    assert megabytes is None or float(figures.split(", ")[1].split()[0]) <= megabytes, figures
    return done.stdout.strip()
