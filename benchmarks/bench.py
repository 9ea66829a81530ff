"""Runs measurements, each in a process of its own, in turn, on a file system in memory where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.given import Given

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
ROUNDS = 3
# A side that takes longer than this is not measured again: its own noise is smaller then.
_LONG = 20.0


@dataclass(frozen=True)
class Figures:
    """Medians of some measurements.

    :param cpu: seconds, user and system, all threads.
    :param wall: seconds.
    :param peak: resident megabytes of the process.
    :param extra: megabytes by which the job raised them.
    :param size: number of tasks.
    """

    cpu: float
    wall: float
    peak: float
    extra: float
    size: int


class Bench:
    """A working folder with the sets, and the way to measure.

    :param folder: empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[tuple[int, str]] = set()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Bench]:
        """Make the working folder, and remove it afterwards."""
        memory = Path("/dev/shm")
        parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="fastlabel-benchmarks-", dir=parent) as folder:
            yield cls(Path(folder))

    def run(
        self, sides: Sequence[str], job: str, size: int, needs: Sequence[str], *, kind: str, stream: bool = False
    ) -> dict[str, Figures]:
        """Measure some sides of a job in turn, A B A B ...

        :param sides: who.
        :param job: what.
        :param size: number of tasks.
        :param needs: parts of the set that are read.
        :param kind: ``mixed`` or ``bbox``.
        :param stream: whether tasks come one at a time from the file.
        :returns: medians by side; a side that failed is absent, and said so on standard error.
        """
        data = self._data(size, needs)
        found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        todo = list(sides)
        for _ in range(ROUNDS):
            for side in list(todo):
                given = Given(side, job, size, str(data), str(self._folder / "out"), kind, stream)
                figures = self._measure(given)
                if figures is not None:
                    found[side].append(figures)
                if figures is None or figures["wall"] > _LONG:
                    todo.remove(side)
        return {side: _medians(some, size) for side, some in found.items() if some}

    def _measure(self, given: Given) -> dict[str, float] | None:
        """Make one measurement."""
        shutil.rmtree(given.folder, ignore_errors=True)
        given.folder.mkdir()
        ours = given.side in ("ours", "parts", "floor")
        python = sys.executable if ours else str(PEERS_PYTHON)
        said = f"{given.side} {given.job} {given.kind} {given.size}{' one pass' if given.stream else ''}"
        command = [python, "-m", "benchmarks.worker", given.to_json()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            tell(f"{said}: failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
            return None
        figures: dict[str, float] = json.loads(done.stdout)
        tell(f"{said}: {figures['cpu']:.3f} s CPU, {figures['wall']:.3f} s, {figures['peak']:.0f} MB")
        return figures

    def _data(self, size: int, needs: Sequence[str]) -> Path:
        """Return the folder of a set whose parts exist."""
        folder = self._folder / f"set-{size}"
        folder.mkdir(exist_ok=True)
        missing = [part for part in needs if (size, part) not in self._made]
        if missing:
            command = [sys.executable, "-m", "benchmarks.sets", str(folder), str(size), *missing]
            subprocess.run(command, cwd=ROOT, check=True)
            self._made.update((size, part) for part in missing)
        return folder


def _medians(some: list[dict[str, float]], size: int) -> Figures:
    """Put several measurements together."""
    cpu, wall, peak, extra = (median(one[key] for one in some) for key in ("cpu", "wall", "peak", "extra"))
    return Figures(cpu, wall, peak, extra, size)


@contextmanager
def busy() -> Iterator[None]:
    """Keep all cores but one busy (one, where there is but one): what other tasks of a worker do."""
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(max((os.cpu_count() or 1) - 1, 1))]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@contextmanager
def sink() -> Iterator[None]:
    """Run the upload's sink; ``SINK_URL`` tells the measurements where it is."""
    command = [sys.executable, "-m", "benchmarks.upload"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        os.environ["SINK_URL"] = process.stdout.readline().strip()
        try:
            yield
        finally:
            del os.environ["SINK_URL"]
            process.stdin.close()


def tell(line: str) -> None:
    """Say what is going on, beside the tables on standard output."""
    print(line, file=sys.stderr, flush=True)
