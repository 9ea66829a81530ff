"""One count of calls for all processes of a user on a machine, in a small file that they map into their memory.

The file is locked for the few microseconds of a change, by a lock that the kernel takes back when its process ends, so
a kill leaves none behind. What a killed process had spent expires like all calls; a call that it had under way counts
for two windows from when it was sent. Nothing is ever flushed to disk: after a restart of the machine the count begins
anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import math
import mmap
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER_VARIABLE = "FASTLABEL_QUOTA_FOLDER"
"""Environment variable that names another folder than the one in the temporary folder."""

MOST_CALLS = 32_768
"""Calls of one window that a file has room for; FastLabel grants 10,000."""

MOST_UNDER_WAY = 1024
"""Calls that all processes together may have under way."""

_KIND = 0x464C_5154_0001
_HEAD, _TAIL, _COUNT = 3, 4, 5
_FLIGHTS = 8
_RING = _FLIGHTS + MOST_UNDER_WAY
_SIZE = (_RING + MOST_CALLS) * 8
_ASK_AGAIN = 0.02
_STILL_THERE_SECONDS = 1.0
_OLD_SECONDS = 86_400


class HostLedger:
    """Counts the calls of all processes that use one file.

    Cells of eight bytes: what kind of file it is, the start of the machine (two), the ring's head and tail, how many
    calls are under way; when each of those was sent (0 for none); the ring of the times at which calls were over.

    :param name: what the ledger is about, as it may stand in the name of a file.
    :param window: length of the window in seconds.
    :param clock: a monotonic clock in seconds that all processes of the machine share.
    """

    def __init__(self, name: str, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = f"quota-{name}"
        self._window = window
        self._clock = clock
        self._file: int | None = None
        self._path = Path()
        self._node: tuple[int, int] = (0, 0)
        self._looked = -math.inf
        self._hint = _FLIGHTS

    def take(self, limit: int) -> tuple[int, float] | None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        with self._locked() as now:
            if self._places(limit, now) < 1:
                self._recount(now)  # only now: it looks at every call under way
                if self._places(limit, now) < 1:
                    return None
            flight = self._empty_flight()
            if flight is None:
                return None
            # In this order: a kill in between leaves the call uncounted, which was not sent either.
            self._times[flight] = now
            self._cells[_COUNT] += 1
            return flight, now

    def settle(self, receipt: tuple[int, float], *, sent: bool = True) -> None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        flight, since = receipt
        with self._locked() as now:
            cells, tail = self._cells, self._cells[_TAIL]
            # In this order: a kill in between leaves the call counted twice, until the next recount.
            if sent:
                self._times[_RING + tail % MOST_CALLS] = now
                cells[_TAIL] = tail + 1
                if tail + 1 - cells[_HEAD] > MOST_CALLS:
                    cells[_HEAD] += 1
            if self._times[flight] == since:  # else it took so long that it was given up, or the file is a new one
                self._times[flight] = 0.0
                cells[_COUNT] -= 1
            self._hint = flight

    def free(self, limit: int) -> int:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        with self._locked() as now:
            return max(0, self._places(limit, now))

    def next_free(self) -> float:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        with self._locked() as now:
            head = self._cells[_HEAD]
            if head == self._cells[_TAIL]:
                return _ASK_AGAIN
            return self._times[_RING + head % MOST_CALLS] + self._window - now

    def all_free(self) -> float:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        with self._locked() as now:
            last = self._cells[_TAIL] - 1
            return 0.0 if last < 0 else max(0.0, self._times[_RING + last % MOST_CALLS] + self._window - now)

    def forked(self) -> None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`.

        The lock goes with the open file, which the child shares with its parent: kept open it would outlive the parent.
        """
        self._close()

    def _places(self, limit: int, now: float) -> int:
        """Forget what has left the window, and return how many places are free.

        :raises OSError: if the file has no room for so many calls.
        """
        if limit > MOST_CALLS:
            raise OSError(f"{limit} calls are more than the {MOST_CALLS} that its file has room for")
        cells, times = self._cells, self._times
        head, tail, horizon = cells[_HEAD], cells[_TAIL], now - self._window
        while head < tail and times[_RING + head % MOST_CALLS] <= horizon:
            head += 1
        cells[_HEAD] = head
        return limit - cells[_COUNT] - (tail - head)

    def _recount(self, now: float) -> None:
        """Count the calls under way, without those whose process was killed long ago."""
        times, given_up, count = self._times, now - 2 * self._window, 0
        for flight in range(_FLIGHTS, _RING):
            if times[flight]:
                if times[flight] <= given_up:
                    times[flight] = 0.0
                else:
                    count += 1
        self._cells[_COUNT] = count

    def _empty_flight(self) -> int | None:
        """Return a cell for a call under way, first the one that this process used last."""
        times = self._times
        if not times[self._hint]:
            return self._hint
        return next((flight for flight in range(_FLIGHTS, _RING) if not times[flight]), None)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[float]:
        """Hold the file's lock; gives the time."""
        now = self._clock()
        if self._file is None or now - self._looked > _STILL_THERE_SECONDS:
            self._file = self._present_file()
            self._looked = now
        file = self._file
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield self._clock()
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _present_file(self) -> int:
        """Return the open file, opened anew if it was removed: some machines clear their temporary folder."""
        if self._file is not None:
            with contextlib.suppress(FileNotFoundError):
                found = self._path.stat()
                if (found.st_dev, found.st_ino) == self._node:
                    return self._file
            self._close()
        self._path = quota_folder() / self._name
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._map_file(file)
            fcntl.flock(file, fcntl.LOCK_UN)
        except BaseException:
            os.close(file)
            raise
        return file

    def _map_file(self, file: int) -> None:
        """Map a locked file into memory, made ready if it is new."""
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{self._path} is no file")
        if found.st_size < _SIZE:
            _remove_old(self._path)
            # Written, not only stretched: a full disk shows here, and not at a change of the mapped memory.
            if os.pwrite(file, bytes(_SIZE), 0) < _SIZE:
                raise OSError(f"there is no room for {self._path}")
        self._map = mmap.mmap(file, _SIZE)
        self._view = memoryview(self._map)
        self._cells, self._times = self._view.cast("q"), self._view.cast("d")
        self._node = (found.st_dev, found.st_ino)
        start = _machine_start()
        if (self._cells[0], self._cells[1], self._cells[2]) != (_KIND, *start):
            self._view[:] = bytes(_SIZE)
            self._cells[1], self._cells[2] = start
            self._cells[0] = _KIND

    def _close(self) -> None:
        if self._file is None:
            return
        try:
            for view in (self._cells, self._times, self._view):
                view.release()
            self._map.close()
        except BufferError:  # a thread of the parent of this process was reading it
            pass
        os.close(self._file)
        self._file = None

    def __del__(self) -> None:
        if os is not None:  # at the end of a process the modules may go first, and its files go with it
            self._close()


def quota_folder() -> Path:
    """Return the folder of the counts of this user, made if it is missing.

    :raises OSError: if it cannot be made, or others could write to it.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"airflow-provider-fastlabel-{os.geteuid()}"
    folder.mkdir(mode=0o700, parents=bool(named), exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of this user that nobody else may enter (mode 0700)")
    return folder


def _remove_old(path: Path) -> None:
    """Remove counts that nobody has changed for a day; who has one open all the same makes a new one."""
    for other in path.parent.glob("quota-*"):
        with contextlib.suppress(OSError):
            if other != path and time.time() - other.stat().st_mtime > _OLD_SECONDS:
                other.unlink()


def _machine_start() -> tuple[int, int]:
    """Return what is different after each start of the machine: times on its clock mean nothing to the next."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:  # no Linux: times of an earlier start are forgotten within a window at most, or lie ahead
        return 0, 0
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[:8], "little", signed=True), int.from_bytes(digest[8:16], "little", signed=True)
