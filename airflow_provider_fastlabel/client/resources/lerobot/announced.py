"""What a parquet file announces is read in a process of its own, because pyarrow may end the one that asks.

The description of a column raises an error in pyarrow's C++ where nobody catches it (seen up to 26.0: a histogram of
the wrong length), which aborts the whole process. One child answers for all files, and ends when nobody asks any more.
Reading the values themselves is not affected: those errors arrive in Python.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from airflow_provider_fastlabel.regular_files import open_regular

IDLE = 60.0
"""Seconds without a question after which the child ends."""
PATIENCE = 120.0
"""Seconds that the description of one file may take."""

_lock = threading.Lock()
_children: dict[int, subprocess.Popen[str]] = {}
"""By the process that started it: after a fork, the pipes belong to the parent."""


def most_values(path: str | os.PathLike[str]) -> int:
    """Return how many values the longest column of a row group has, lists counting with all that is in them.

    :param path: the parquet file.
    :raises ValueError: the file's description of itself cannot be read.
    :raises OSError: the file cannot be opened.
    """
    with _lock:
        answer = _ask(os.fspath(path))
    if answer is None:
        raise ValueError("its description of its own columns is damaged")
    if "number" not in answer:
        raise (OSError if answer["os"] else ValueError)(answer["error"])
    return int(answer["number"])


def _ask(path: str) -> dict[str, Any] | None:
    """Ask the child; ``None`` if it dies over the file, or does not answer."""
    for new in (False, True):
        child = None if new else _children.get(os.getpid())
        if child is None:
            child = _children[os.getpid()] = _started()
        if line := _answer(child, json.dumps(path) + "\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        # An old one may just have ended for want of questions
        _end(_children.pop(os.getpid()))
    return None


def _answer(child: subprocess.Popen[str], question: str) -> str:
    """Return the next line that a child says; empty if there is none."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(question)
        child.stdin.flush()
    except BrokenPipeError:
        return ""
    return child.stdout.readline() if select.select([child.stdout], [], [], PATIENCE)[0] else ""


def _started() -> subprocess.Popen[str]:
    """Start the child, which finds what this process finds, but takes no modules from the current folder."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    if not _answer(child, ""):
        _end(child)
        raise OSError(f"no process could be started that looks at it: {sys.executable} -m {__name__}")
    return child


def _end(child: subprocess.Popen[str]) -> None:
    child.kill()
    with suppress(BrokenPipeError):
        child.communicate()


@atexit.register
def _end_own() -> None:
    """End the child with the process that started it."""
    if child := _children.pop(os.getpid(), None):
        _end(child)


def main() -> None:
    """Answer questions, a line each: a path as JSON, and an object with ``number``, or ``error`` and ``os``."""
    import pyarrow.parquet as pq

    _say("ready")
    while select.select([sys.stdin], [], [], IDLE)[0] and (line := sys.stdin.readline()):
        answer: dict[str, Any]
        try:
            with open_regular(json.loads(line)) as file:
                metadata = pq.ParquetFile(file).metadata
                groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
                columns = (group.column(number) for group in groups for number in range(group.num_columns))
                answer = {"number": max((column.num_values for column in columns), default=0)}
        except Exception as error:
            answer = {"error": str(error), "os": isinstance(error, OSError)}
        _say(answer)


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
