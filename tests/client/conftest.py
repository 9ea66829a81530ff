"""Clients whose network is played by ``responses``, or by a server that breaks the rules of HTTP."""

from __future__ import annotations

import json
import socket
import struct
import threading
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from airflow_provider_fastlabel.client import FastLabelClient

API = "http://fastlabel.test/v1/"


@pytest.fixture
def client():
    """A client that does not sleep between attempts."""
    with FastLabelClient("secret-token", api_url=API, max_retries=2) as client:
        client.transport.sleep = lambda _: None
        yield client


class Wire:
    """What went over the wire."""

    def __init__(self, mock):
        self.mock = mock

    def answer(self, method, path, value=None, status=200, **more):
        """Let a route answer; a value of ``None`` stands for an empty body."""
        if value is not None:
            more["json"] = value
        self.mock.add(method, API + path, status=status, **more)

    def lose(self, method, path):
        """Let the answer of a route get lost after the request was sent."""
        self.mock.add(method, API + path, status=502, json={"message": "bad gateway"})

    @property
    def sent(self):
        """Verb, path below the base URL, query as a list of pairs, and JSON body of every request."""
        return [self._line(call.request) for call in self.mock.calls]

    @staticmethod
    def _line(request):
        url = urlsplit(request.url)
        body = request.body
        if body is not None and not isinstance(body, str | bytes):
            body = b"".join(body)
        query = parse_qsl(url.query, keep_blank_values=True)
        return request.method, url.path.removeprefix("/v1/"), query, json.loads(body) if body else None


@pytest.fixture
def wire():
    """The network, faked."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Wire(mock)


class RawServer:
    """A server on loopback that answers byte for byte as told, also wrongly.

    It plays one step of its script per request, the last one for ever. A step is the bytes of an answer, a function
    from the request to a step, a generator of bytes sent one by one (see ``drip``), or one of the constants.
    """

    RESET = "read the request, then break the connection without an answer"
    CLOSE_EARLY = "break the connection after the head of the request"
    HANG = "read the request and answer nothing until the server stops"

    def __init__(self):
        self.script = []
        self.requests = []
        self.connections = 0
        self.sizes_only = False
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @staticmethod
    def answer(status=200, value=None, *, body=None, length=None, **headers):
        """One whole answer; ``length`` lies about the number of bytes."""
        data = body if body is not None else b"" if value is None else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(data) if length is None else length}"]
        lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items() if text is not None]
        if "Date" not in headers:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data

    def drip(self, data, seconds, start=b""):
        """Return a step that sends ``start`` at once and then a byte every some seconds."""

        def step(request):
            yield start
            for number in range(len(data)):
                if self._stop.wait(seconds):
                    return
                yield data[number : number + 1]

        return step

    def play(self, *script):
        self.script = list(script)

    def lines(self):
        return [f"{r['method']} {r['path']}" for r in self.requests]

    def stop(self):
        self._stop.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _accept(self):
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                while self._answer_one(connection):
                    pass
            except OSError:
                return

    def _answer_one(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return False
            head += piece
        head, _, rest = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        request = {"method": method, "path": path.removeprefix("/v1/"), "headers": headers, "body": b"", "size": 0}
        if step is not self.CLOSE_EARLY:
            self._read_body(connection, request, rest, int(headers.get("content-length", 0)))
        self.requests.append(request)
        if callable(step):
            step = step(request)
        if step is self.HANG:
            self._stop.wait(30)
        elif step is self.RESET or step is self.CLOSE_EARLY:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            for piece in [step] if isinstance(step, bytes) else step:
                connection.sendall(piece)
            return True
        return False

    def _read_body(self, connection, request, rest, length):
        pieces = [rest]
        size = len(rest)
        while size < length:
            piece = connection.recv(1 << 20)
            if not piece:
                break
            size += len(piece)
            pieces = pieces if self.sizes_only else [*pieces, piece]
        request["size"] = size
        request["body"] = b"".join(pieces)


@pytest.fixture
def raw():
    """A server that answers byte for byte as told."""
    server = RawServer()
    yield server
    server.stop()


class PatientClient(FastLabelClient):
    """A client that says how long it would have slept."""

    pauses: list[float]


@pytest.fixture
def raw_client(raw):
    """A client of the raw server. Its pauses are collected in ``.pauses`` instead of slept."""
    with PatientClient("secret-token", api_url=raw.url, max_retries=2, timeout=(5, 5)) as client:
        client.pauses = []
        client.transport.sleep = client.pauses.append
        yield client


@pytest.fixture
def video_file():
    """Write the smallest MP4 whose boxes name a codec; there is no picture in it."""

    def box(kind, *content):
        return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)

    def write(path, codec=b"avc1"):
        stsd = box(b"stsd", bytes(7), b"\1", box(codec, bytes(78)))
        media = box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(13)), box(b"minf", box(b"stbl", stsd)))
        path.write_bytes(box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"trak", media)))
        return path

    return write
