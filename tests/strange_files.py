"""What may stand where a file is expected; see :mod:`tests.limits` for a process in which opening it stops no test."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
