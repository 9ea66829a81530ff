"""Ours beside the floor, the official SDK and other tools, in one run; prints Markdown.

    python -m benchmarks [--quick | --full] [--write-docs]

The SDK and the tools are used if ``.venv-bench`` holds them (``benchmarks/peers.txt``; ``make bench`` sees to it).
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from benchmarks import table
from benchmarks.bench import PEERS_PYTHON, ROUNDS, Bench, busy, sink, tell
from benchmarks.plan import BUSY, FILE_PEERS, FILE_TO_FILE, LARGE, MIDDLE, ONE_PASS, ROWS, SMALL

if TYPE_CHECKING:
    from benchmarks.bench import Figures
    from benchmarks.plan import Row

_HOW = f"""\
Seconds of CPU, wall clock in brackets; ratios are of CPU seconds, as they hold on a busy machine. Every measurement
runs in a process of its own, the sides in turn, up to {ROUNDS} times; medians. Tasks are in memory before the clock
starts, output goes to a file system in memory. A number of tasks in brackets: that side was measured with so many. The
floor is straight-line code without checks, see `benchmarks/floor.py`. The SDK starts a thread pool per image, which
costs little on an idle machine and much on a busy one; the table "beside a busy process" is measured while other
processes keep all cores but one busy."""


def _jobs(bench: Bench, size: int, full: bool) -> list[tuple[Row, dict[str, Figures], dict[str, Figures]]]:
    """Measure every job; the SDK with fewer tasks where it is slow."""
    others = PEERS_PYTHON.exists()
    results = []
    for row in ROWS:
        own = SMALL if row.heavy and not full else size
        beside = SMALL if row.slow and not full else size
        together = ["floor", "ours", *(("sdk",) if others and beside == own else ()), *(row.peers if others else ())]
        found = bench.run(together, row.job, own, row.needs, kind=row.kind)
        with_sdk = found
        if others and beside != own:
            with_sdk = bench.run(["ours", "sdk"], row.job, beside, row.needs, kind=row.kind)
        results.append((row, found, with_sdk))
    return results


def _file_to_file(bench: Bench, size: int) -> list[tuple[Row, dict[str, Figures]]]:
    """Measure from a file on disk to files on disk: ours and the floor from FastLabel's tasks, others from COCO.

    Of ours the reading of the tasks alone, and that with their shapes, are measured too.
    """
    parts = {
        job: bench.run(["parts"], job, size, ["bbox"], kind="bbox", stream=True)["parts"] for job in ("tasks", "shapes")
    }
    sides = ["floor", "ours", *FILE_PEERS]
    return [
        (row, bench.run(sides, row.job, size, row.needs, kind=row.kind, stream=True) | parts) for row in FILE_TO_FILE
    ]


def _busy(bench: Bench, size: int) -> list[tuple[Row, dict[str, Figures]]]:
    """Measure ours and the SDK while other processes want the processor."""
    with busy():
        return [(row, bench.run(["ours", "sdk"], row.job, size, row.needs, kind=row.kind)) for row in BUSY]


def _one_pass(bench: Bench, full: bool) -> list[tuple[Row, dict[str, Figures], dict[str, Figures]]]:
    """Measure growth; without ``--full`` that of COCO only."""
    results = []
    for row in ONE_PASS if full else ONE_PASS[:1]:
        if row.heavy:
            continue
        middle = bench.run(["ours"], row.job, MIDDLE, row.needs, kind=row.kind, stream=True)
        large = bench.run(["floor", "ours"], row.job, LARGE, row.needs, kind=row.kind, stream=True)
        results.append((row, middle, large))
    return results


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the formats and the upload.")
    parser.add_argument("--quick", action="store_true", help="500 tasks only")
    parser.add_argument("--full", action="store_true", help="slow sides at 5,000 tasks too, every format at 118,000")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/benchmarks.md")
    chosen = parser.parse_args()
    if not PEERS_PYTHON.exists():
        tell("There is no .venv-bench: the SDK and the other tools are left out (make bench installs them).")
    size = SMALL if chosen.quick else MIDDLE
    with Bench.open() as bench:
        jobs = _jobs(bench, size, chosen.full)
        files = _file_to_file(bench, size) if PEERS_PYTHON.exists() else []
        crowded = _busy(bench, size) if PEERS_PYTHON.exists() else []
        grown = [] if chosen.quick else _one_pass(bench, chosen.full)
        with sink():
            sides = ["floor", "ours", *(("sdk",) if PEERS_PYTHON.exists() else ())]
            uploaded = bench.run(sides, "upload", SMALL, ["video"], kind="mixed")
    parts = [_HOW, table.jobs(jobs, size), table.peers([(row, found) for row, found, _ in jobs if row.peers])]
    if files:
        parts.append(table.file_to_file(files))
    if crowded:
        parts.append(table.busy(crowded))
    if grown:
        parts.append(table.one_pass(grown))
    text = "\n\n".join([*parts, table.upload(uploaded), table.facts()])
    print(text)
    if chosen.write_docs and not table.write_docs(text):
        tell(f"{table.PAGE} has no marks {table.START} and {table.END}: add them where the tables belong.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
