"""Folders for work that nobody needs afterwards: they go away at the end, also those of processes that were killed.

A folder is locked (``flock``) for as long as its process lives, and its name says on which machine that is. The next
process on the machine that wants one of the same kind in the same place removes those that nobody holds: its own
user's only, since the names can be anybody's. Locks are known to one running kernel. So a folder of another machine, on
a disk that both share, is left alone; one from before this machine was started anew is removed after a week.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import socket
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

log: logging.Logger = logging.getLogger(__name__)

OLD_SECONDS = 7 * 86_400
"""A folder from before the machine was started anew is removed when nothing has been put into it for so long."""
LOOK_SECONDS = 600
"""So often, at most, a process looks for what others have left in a place."""
MOST_REMOVED = 100
"""So many folders are removed at a time."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TRIES = 100

_looked: dict[tuple[int, str, str], float] = {}


@contextmanager
def scratch_folder(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for work, and remove those of its kind that killed processes have left beside it.

    :param kind: beginning of its name, the same for all folders of one use.
    :param parent: existing folder to make it in; ``None`` for the temporary folder.
    :returns: the folder, which only this user may enter; it is removed at the end, with all that is in it.
    :raises OSError: it cannot be made.
    """
    place = Path(tempfile.gettempdir() if parent is None else parent)
    remove_abandoned(kind, place)
    folder, handle = _made(kind, place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def remove_abandoned(kind: str, parent: Path) -> None:
    """Remove the folders of a kind whose processes were killed.

    :param kind: as for :func:`scratch_folder`.
    :param parent: where they lie.
    """
    asked = (os.getpid(), kind, os.fspath(parent))
    now = time.monotonic()
    if now - _looked.get(asked, -LOOK_SECONDS) < LOOK_SECONDS:
        return
    _looked[asked] = now
    machine = f"{kind}{_machine()}-"
    with suppress(OSError), os.scandir(parent) as entries:
        found = [entry.name for entry in entries if entry.name.startswith(machine)]
        removed = sum(_remove_if_abandoned(parent / name, kind) for name in found[:MOST_REMOVED])
        if removed:
            log.info("Removed %d folders %s* that killed processes had left in %s", removed, kind, parent)


def _remove_if_abandoned(folder: Path, kind: str) -> bool:
    """Remove a folder that nobody holds; what is no folder, such as a pipe or a link, is not opened."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        seen = os.fstat(handle)
        of_this_start = folder.name.startswith(f"{kind}{_machine()}-{_start()}-")
        if seen.st_uid != os.geteuid() or not (of_this_start or time.time() - seen.st_mtime > OLD_SECONDS):
            return False
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        return not os.path.lexists(folder)
    except OSError:  # somebody holds it, or has just removed it
        return False
    finally:
        os.close(handle)


def _made(kind: str, parent: Path) -> tuple[Path, int]:
    """Make a folder and lock it."""
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}{_machine()}-{_start()}-", dir=parent))
        handle = -1
        with suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):  # where nothing can be locked, nobody can take it for abandoned either
                fcntl.flock(handle, fcntl.LOCK_EX)
            if _is(folder, handle):
                return folder, handle
        # Between the making and the locking, another process has taken it for abandoned.
        if handle >= 0:
            os.close(handle)
    raise FileExistsError(f"every new folder {kind}* in {parent} was removed by others at once")


def _is(folder: Path, handle: int) -> bool:
    there, held = folder.lstat(), os.fstat(handle)
    return stat.S_ISDIR(there.st_mode) and (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)


@cache
def _machine() -> str:
    """Return a few characters that name this machine."""
    return hashlib.sha256(socket.gethostname().encode("utf-8", "replace")).hexdigest()[:8]


@cache
def _start() -> str:
    """Return a few characters that name this start of the machine, the same in all its containers."""
    with suppress(OSError):
        return hashlib.sha256(_BOOT.read_bytes()).hexdigest()[:8]
    return "00000000"
