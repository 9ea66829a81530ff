"""One measurement in a process of its own: prepare, run once, print time and peak memory as JSON.

python -m benchmarks.worker '{"side": "ours", "job": "coco", "size": 500, "data": "...", "out": "..."}'
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import sys
import time
from contextlib import redirect_stdout

from benchmarks.given import Given

_MODULES = {"ours": "ours", "parts": "parts", "floor": "floors", "sdk": "sdk"}


def measure(given: Given) -> dict[str, float]:
    """Run one job.

    :param given: what to do.
    :returns: ``wall`` and ``cpu`` seconds of the job alone (``cpu``: user and system, all threads), ``peak`` resident
        megabytes of the whole process, ``extra`` megabytes by which the job raised that peak.
    """
    module = importlib.import_module(f"benchmarks.{_MODULES.get(given.side, 'peers')}")
    table = module.JOBS if given.side in _MODULES else module.JOBS[given.side]
    run = table[given.job](given)
    gc.collect()
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"wall": wall, "cpu": cpu, "peak": _peak(), "extra": _peak() - before}


def _peak() -> float:
    """Return the largest resident size of this process so far, in megabytes (2**20 bytes)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        figures = measure(Given(**json.loads(sys.argv[1])))
    print(json.dumps(figures))
