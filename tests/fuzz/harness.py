"""Feeds one target with many inputs in this process, and watches errors, time and memory."""

from __future__ import annotations

import faulthandler
import linecache
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PACKAGE = Path(__file__).resolve().parents[2] / "airflow_provider_fastlabel"

SECONDS = 5.0
"""CPU time of one input, beyond which it counts as a hang: most take a millisecond."""
STUCK = 120
"""Seconds on the clock after which an input that does nothing (waits, or sits in foreign code) ends the process."""
GROWTH = 300
"""Megabytes by which the process may grow over all inputs."""
ROOM = 1536
"""Megabytes of address space that a process may take beyond what it has at the start."""


@dataclass(frozen=True)
class Target:
    """One parser.

    :param name: what it is called.
    :param make: makes an input of random numbers.
    :param feed: gives the input to the parser, in an empty folder of its own.
    :param refusals: classes of errors, beside the ``ValueError`` of the house, that the parser is documented to raise.
    """

    name: str
    make: Callable[[Random], bytes]
    feed: Callable[[Path, bytes], Any]
    refusals: tuple[type[Exception], ...] = ()


@dataclass
class Outcome:
    """What became of the inputs.

    :param inputs: how many there were.
    :param refused: how many ended with an error for a reader.
    :param raw: where it was raised -> the first input's number with any other error, and the error.
    :param raw_inputs: how many inputs ended so.
    :param slowest: CPU seconds of the slowest input, and its number.
    :param growth: megabytes by which the process grew.
    """

    inputs: int = 0
    refused: int = 0
    raw: dict[str, tuple[int, str]] = field(default_factory=dict)
    raw_inputs: int = 0
    slowest: tuple[float, int] = (0.0, -1)
    growth: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it for another process."""
        return asdict(self)


class _Hang(BaseException):
    """Nothing may catch it."""


def run(target: Target, count: int, *, first: int = 0, place: Path | None = None) -> Outcome:
    """Feed a target, in a process that is used for nothing else.

    :param target: the parser.
    :param count: how many inputs.
    :param first: number of the first input.
    :param place: file that always holds the number of the input in work, for whoever finds the process dead.
    """
    outcome = Outcome()
    signal.signal(signal.SIGPROF, _hang)
    marker = os.open(place, os.O_CREAT | os.O_WRONLY, 0o644) if place is not None else -1
    root = Path(tempfile.mkdtemp(prefix="fastlabel-fuzz-"))
    try:
        for number in range(3):  # what is loaded only once is no growth
            _one(target, Outcome(), first + number, root)
        before = _peak()
        address_space = _address_space() + (ROOM << 20)
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        for number in range(first, first + count):
            if marker >= 0:
                os.pwrite(marker, b"%12d" % number, 0)
            _one(target, outcome, number, root)
        outcome.growth = _peak() - before
    finally:
        faulthandler.cancel_dump_traceback_later()
        shutil.rmtree(root, ignore_errors=True)
    return outcome


def input_of(target: Target, number: int) -> bytes:
    """Return an input by its number."""
    return target.make(Random(f"{target.name} {number}"))


def _one(target: Target, outcome: Outcome, number: int, root: Path) -> None:
    """Feed one input."""
    data = input_of(target, number)
    folder = root / "in"
    folder.mkdir()
    outcome.inputs += 1
    faulthandler.dump_traceback_later(STUCK, exit=True)
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            target.feed(folder, data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except (Exception, _Hang) as error:
        if _is_refusal(error, target):
            outcome.refused += 1
        else:
            outcome.raw_inputs += 1
            outcome.raw.setdefault(_where(error), (number, f"{type(error).__name__}: {str(error)[:300]}"))
    outcome.slowest = max(outcome.slowest, (round(time.process_time() - begun, 3), number))
    shutil.rmtree(folder)


def _hang(*_: Any) -> None:
    raise _Hang(f"more than {SECONDS:g} s of CPU time")


def _is_refusal(error: BaseException, target: Target) -> bool:
    """Tell an error that was written for a reader from one that Python or a library came up with.

    It is a class of the house or a plain ``ValueError``, documented for the parser, and raised by a statement of ours.
    """
    if not isinstance(error, (ValueError, *target.refusals)):
        return False
    plain = type(error) in (ValueError, *target.refusals)
    if not plain and not type(error).__module__.startswith(PACKAGE.name):
        return False
    file, line = _innermost(error.__traceback__)
    text = str(error)
    return (
        Path(file).is_relative_to(PACKAGE)
        and linecache.getline(file, line).lstrip().startswith("raise")
        and bool(text.strip())
    )


def _innermost(trace: TracebackType | None) -> tuple[str, int]:
    frames = list(traceback.walk_tb(trace))
    frame, line = frames[-1]
    return frame.f_code.co_filename, line


def _where(error: BaseException) -> str:
    """Name the place by which errors are told apart: the innermost line of ours."""
    found = "outside of the package"
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(PACKAGE):
            found = f"{file.relative_to(PACKAGE)}:{line}"
    return f"{type(error).__name__} at {found}"


def _peak() -> float:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _address_space() -> int:
    """Return the bytes of address space that this process has."""
    pages = (
        Path("/proc/self/statm").read_text(encoding="ascii").split()[0] if Path("/proc/self/statm").exists() else "0"
    )
    return int(pages) * resource.getpagesize() or 4 << 30
