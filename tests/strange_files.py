"""What may stand where a file is expected, and a child process in which opening it cannot stop the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STRANGE = {"fifo": "named pipe", "zero": "device", "socket": "socket", "folder": "folder"}
"""Kind of strange file -> the word by which it is refused."""


def make_strange(kind: str, path: Path) -> Path:
    """Put something that is no regular file in the place of one.

    :param kind: a key of :data:`STRANGE`; ``zero`` is a link to the device that never ends.
    :param path: where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        # The path of a socket is short by law of the kernel.
        here = os.open(path.parent, os.O_RDONLY)
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)
    return path


def said_by_child(code: str, *arguments: object, seconds: float = 60) -> str:
    """Run code with its arguments in ``sys.argv[1:]`` and 1.5 GB of memory, and return what it prints.

    :param code: Python code; the package and ``tests`` can be imported.
    :param arguments: texts and paths.
    :param seconds: after which it counts as waiting for ever.
    """
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1536 << 20,) * 2)\n" + code
    done = subprocess.run(
        [sys.executable, "-c", limited, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
