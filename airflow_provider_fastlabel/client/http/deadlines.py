"""Connections on which an answer as a whole has a time to arrive in, not only each of its parts.

A timeout of sockets begins anew with every byte: a server that sends one byte a minute would hold a thread for ever.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from typing import TYPE_CHECKING, Any

import urllib3.exceptions
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

WHOLE_ANSWER = 10
"""An answer of the API must be there after this many times the timeout for reading."""
SLOWEST = 10_000
"""Bytes per second that a file from a signed address must bring on average, once that time is over."""
MOST_INTERIM = 100
"""Interim answers ("continue", "early hints") that may come before an answer."""


class PatientAdapter(HTTPAdapter):
    """An adapter of ``requests`` whose connections keep a deadline for each answer, headers and body together.

    The clock starts when the request has been sent. Sending is bounded by the timeout for each piece alone.

    :param slowest: bytes per second that put the deadline off; 0 for a fixed deadline.
    :param more: as in :class:`requests.adapters.HTTPAdapter`.
    """

    def __init__(self, slowest: int = 0, **more: Any) -> None:
        self._slowest = slowest
        super().__init__(**more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **more)
        self._keep_deadlines(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **more)
        self._keep_deadlines(manager)
        return manager

    def _keep_deadlines(self, manager: Any) -> None:
        pools = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: _patient(pool, self._slowest) for scheme, pool in pools.items()}


@functools.cache
def _patient(pool: Any, slowest: int) -> Any:
    """Return a class of pools like ``pool`` whose connections keep deadlines."""
    if issubclass(pool, _PatientPool):
        return pool
    bases = (_PatientConnection, pool.ConnectionCls)
    connection = type(f"Patient{pool.ConnectionCls.__name__}", bases, {"slowest": slowest})
    return type(f"Patient{pool.__name__}", (_PatientPool, pool), {"ConnectionCls": connection})


class _PatientPool:
    """Marks a class of pools that has been made here."""


class _PatientConnection:
    """A connection, over or beside one of urllib3, that reads its answers by a deadline."""

    slowest: int

    def getresponse(self) -> Any:
        """Read the head of an answer.

        :raises urllib3.exceptions.ProtocolError: also for headers that make no sense. The request has been sent then,
            which the library's own errors for headers do not tell from a request that cannot be.
        """
        try:
            return super().getresponse()  # type: ignore[misc]
        except (urllib3.exceptions.InvalidHeader, ValueError, TypeError, OverflowError) as problem:
            raise urllib3.exceptions.ProtocolError("The head of the answer makes no sense", problem) from None

    def response_class(self, sock: socket.socket, *args: Any, **more: Any) -> http.client.HTTPResponse:
        """Return the reader of one answer."""
        return _Answer(_Reading(sock, self.slowest), *args, **more)  # type: ignore[arg-type]


class _Answer(http.client.HTTPResponse):
    """An answer without the interim ones before it (RFC 9110, 15.2).

    The library passes over "continue" alone, for ever. Of any other it makes the answer itself; the true one would then
    be read as the answer of the next call on that connection.
    """

    def _read_status(self) -> tuple[str, int, str]:
        """Return the first line of the answer; ``http.client`` asks for it when it reads the head.

        :raises http.client.HTTPException: if another protocol begins, or interim answers do not end.
        """
        for _ in range(MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            if status == http.client.SWITCHING_PROTOCOLS:
                break
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("no answer behind an interim one")


class _Reading:
    """Stands for a socket where an answer is read from it."""

    def __init__(self, sock: socket.socket, slowest: int) -> None:
        self._socket = sock
        self._slowest = slowest

    def makefile(self, mode: str) -> io.BufferedReader:
        raw = self._socket.makefile(mode, buffering=0)  # type: ignore[call-overload]
        return io.BufferedReader(_TimedFile(raw, self._socket, self._slowest))


class _TimedFile(io.RawIOBase):
    """The file of a socket, which waits no longer than the answer as a whole may take."""

    def __init__(self, raw: Any, sock: socket.socket, slowest: int) -> None:
        self._raw = raw
        self._socket = sock
        self._slowest = slowest
        self._timeout = sock.gettimeout()
        self._deadline = float("inf") if self._timeout is None else time.monotonic() + WHOLE_ANSWER * self._timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        if self._timeout is None or left >= self._timeout:
            return self._count(self._raw.readinto(buffer))
        self._socket.settimeout(left)
        try:
            return self._count(self._raw.readinto(buffer))
        finally:
            self._socket.settimeout(self._timeout)

    def _count(self, size: int | None) -> int | None:
        if size and self._slowest:
            self._deadline += size / self._slowest
        return size

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()
