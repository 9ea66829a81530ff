"""A sink for uploads: an HTTP/1.1 server that counts a body's bytes and throws them away.

Runs as a process of its own and prints its URL; ends with its standard input.

    python -m benchmarks.upload
"""

from __future__ import annotations

import asyncio
import re
import sys

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Sink(asyncio.BufferedProtocol):
    """One connection: requests one after the other."""

    def __init__(self) -> None:
        self._buffer = bytearray(1 << 20)
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        """Lend the one buffer."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count body bytes; answer when the body is complete."""
        if not self._missing:
            self._head += self._buffer[:nbytes]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            found = _LENGTH.search(self._head[:end])
            self._missing = int(found[1]) if found else 0
            nbytes = len(self._head) - end - 4
            posted = self._head.startswith(b"POST")
            self._answer = b'"1"' if posted else b'[{"slug":"benchmark","type":"video_bbox"}]'
            self._head = b""
        self._missing -= nbytes
        if self._missing <= 0:
            self._missing = 0
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            self._transport.write(head % len(self._answer) + self._answer)


async def _serve() -> None:
    """Serve on a free port until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
