"""A sink for imports: a server that answers what an import asks, and keeps none of the tasks that it says it creates.

Runs as a process of its own, prints its URL as a JSON line, and ends with its standard input. The project is empty
whenever it is asked.

    python -m benchmarks.creates [FILE]

With a file, it gets a line per create: the task's name and the digest of all that was sent, in the order of arrival.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import sys
import time
from typing import TextIO
from urllib.parse import parse_qs, urlsplit

from benchmarks.generate import CLASSES, COLORS

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NAME = re.compile(rb'"name": ?("(?:[^"\\]|\\.)*")')
_PROJECT = '[{"id":"1","slug":"benchmark","type":"image_all","name":"benchmark"}]'
_ROWS = [
    {"id": str(number), "type": "polygon", "value": value, "title": value, "color": color, "attributes": []}
    for number, (value, color) in enumerate(zip(CLASSES, COLORS, strict=True))
]


def _page(path: str) -> str:
    """Return a page of the project's annotation classes, as a JSON text."""
    query = parse_qs(urlsplit(path).query)
    offset, limit = (int(query.get(name, [default])[0]) for name, default in (("offset", "0"), ("limit", "100")))
    return json.dumps(_ROWS[offset : offset + limit])


class Creates(asyncio.Protocol):
    """One connection: requests one after the other.

    :param record: where a line per create goes; None for nowhere.
    """

    count = 0
    first = 0.0

    def __init__(self, record: TextIO | None) -> None:
        self._record = record
        self._head = b""
        self._hash = hashlib.sha256()
        self._beginning = b""
        self._missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is complete."""
        if self._missing < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self._head[:end], self._head[end + 4 :]
            self._head = head
            found = _LENGTH.search(head)
            self._missing = int(found[1]) if found else 0
            self._hash, self._beginning = hashlib.sha256(), b""
        self._missing -= len(data)
        if self._record is not None:
            self._hash.update(data)
            self._beginning += data[: max(0, 4096 - len(self._beginning))]
        if self._missing <= 0:
            answer = self._answer().encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            self._transport.write(head % len(answer) + answer)
            self._head, self._missing = b"", -1

    def _answer(self) -> str:
        """Return the answer to the request that has come."""
        path = self._head.split(b" ", 2)[1].decode()
        if self._head.startswith(b"POST"):
            Creates.count += 1
            Creates.first = Creates.first or time.time()
            if self._record is not None:
                name = _NAME.search(self._beginning)
                self._record.write(f"{name[1].decode() if name else None} {self._hash.hexdigest()}\n")
            return json.dumps(f"00000000-0000-4000-8000-{Creates.count:012d}")
        if "/tasks/map/id-name" in path:
            return "{}"
        if "/annotations" in path:
            return _page(path)
        return _PROJECT if "/projects" in path else "[]"


async def _serve(record: TextIO | None) -> None:
    """Serve on a free port until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Creates(record), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/"
    print(json.dumps({"url": url}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(json.dumps({"creates": Creates.count, "first": Creates.first}), flush=True)


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        asyncio.run(_serve(stack.enter_context(open(sys.argv[1], "w")) if len(sys.argv) > 1 else None))
