"""Runs the emulator on a loopback port, in this process or in a thread of it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import requests
import uvicorn

from airflow_provider_fastlabel.emulator.server.app import build
from airflow_provider_fastlabel.emulator.server.gate import TRANSPORT, Asgi, Message, Receive, Send
from airflow_provider_fastlabel.emulator.world.settings import Settings

DEFAULT_TOKEN = "emulator-token"
_MOST_HEAD = 128 * 1024
_PIECE = 16 * 1024
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Bounded:
    """What is around the bodies of calls has an end, and only what comes before a body is a header.

    Over a protocol of uvicorn, which takes addresses, headers and trailers in any length, and trailers for headers.
    Its parser in C calls the methods.
    """

    transport: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._around = 0  # bytes in a row that are no body; 0 while a body comes
        self._in_head = False

    def on_message_begin(self) -> None:
        self._around, self._in_head = 1, True
        super().on_message_begin()  # type: ignore[misc]

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        self._around, self._in_head = 0, False
        super().on_headers_complete()  # type: ignore[misc]

    def on_chunk_header(self) -> None:
        self._around = 1

    def on_body(self, body: bytes) -> None:
        self._around = 0
        super().on_body(body)  # type: ignore[misc]

    def on_message_complete(self) -> None:
        self._around = 0
        super().on_message_complete()  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        while data and not self.transport.is_closing():
            size = _PIECE if self._around else len(data)
            piece, data = data[:size], data[size:]
            if self._around:
                self._around += len(piece)
            if self._around > _MOST_HEAD:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()
                return
            super().data_received(piece)  # type: ignore[misc]


def protocol() -> type[Any]:
    """Return the HTTP protocol class: uvicorn's best one, which also hands the routes their connection."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol as Base  # type: ignore[assignment]

    class Connected(_Bounded, Base):  # pyright: ignore[reportGeneralTypeIssues]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            inner: Asgi = self.app

            async def connected(scope: Message, receive: Receive, send: Send) -> None:
                extensions = {**scope.get("extensions", {}), TRANSPORT: self.transport}
                await inner({**scope, "extensions": extensions}, receive, send)

            self.app = connected

    return Connected


def listen(host: str, port: int) -> socket.socket:
    """Return a listening loopback socket.

    :param host: loopback address.
    :param port: port; 0 for a free one.
    :raises ValueError: when ``host`` is not a loopback address.
    """
    if host not in _LOOPBACK:
        raise ValueError(f"the emulator serves this machine only: host must be one of {', '.join(_LOOPBACK)}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(2048)
    return sock


def make_server(app: Asgi) -> uvicorn.Server:
    """Return the server of an application.

    :param app: the emulator, see :func:`build`.
    """
    config = uvicorn.Config(
        app,
        http=protocol(),
        ws="none",
        log_level="warning",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def address(sock: socket.socket) -> str:
    """Return the address of a listening socket, without a path."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Emulator:
    """The emulator in a thread, as a context manager.

    >>> with Emulator() as emulator:
    ...     url, token = emulator.url, emulator.token

    :param token: the access token it accepts.
    :param host: loopback address.
    :param port: port; 0 for a free one.
    :param db: SQLite file; ``None`` keeps the data in memory.
    :param files: folder of the stored files; ``None`` for a temporary one.
    :param allow_hosts: names beside ``127.0.0.1``, ``::1`` and ``localhost`` that callers may use for it: ``name``, or
        ``name:port`` for one port only.
    :param ground_truth: JSON files, task name to list of annotations, that ``PUT /_emulator/annotators`` may name.
    :param config: settings to start with and to return to at a reset, see :class:`Settings`.
    """

    def __init__(
        self,
        token: str = DEFAULT_TOKEN,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        db: str | os.PathLike[str] | None = None,
        files: str | os.PathLike[str] | None = None,
        allow_hosts: Sequence[str] = (),
        ground_truth: Sequence[str | os.PathLike[str]] = (),
        **config: Any,
    ) -> None:
        self.token = token
        self._settings = Settings(**config)
        self._sock = listen(host, port)
        try:
            app = build(
                token, db=db, files=files, settings=self._settings, allow_hosts=allow_hosts, ground_truth=ground_truth
            )
        except BaseException:
            self._sock.close()
            raise
        self.base_url: str = address(self._sock)
        self.url: str = f"{self.base_url}/v1/"
        self.control_url: str = f"{self.base_url}/_emulator/"
        self._server = make_server(app)
        self._thread = threading.Thread(target=self._serve, name="fastlabel-emulator", daemon=True)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Emulator:
        """Start it and wait until it answers."""
        self._thread.start()
        self.control("GET", "health")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and wait for its thread."""
        self._session.close()
        self._server.should_exit = True
        self._thread.join(timeout=15)
        self._sock.close()

    def _serve(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._server.run(sockets=[self._sock])

    def control(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """Call the control plane and return its answer.

        :param method: HTTP verb.
        :param path: below ``/_emulator/``.
        :param body: JSON body.
        :param query: query parameters.
        :raises RuntimeError: when it refuses, with its message.
        """
        answer = self._session.request(method, self.control_url + path, json=body, params=query, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{method} /_emulator/{path}: {answer.json()['message']}")
        return answer.json()

    def reset(self) -> None:
        """Forget everything: data, files, settings, faults, log, clock."""
        self.control("POST", "reset")

    def requests(self, **query: Any) -> list[dict[str, Any]]:
        """Return the calls received, oldest first.

        :param query: ``method``, ``path`` (a prefix, without ``/v1/``), ``after`` (an id).
        """
        found: list[dict[str, Any]] = self.control("GET", "requests", **query)
        return found

    def clear_requests(self) -> None:
        """Empty the log of calls."""
        self.control("DELETE", "requests")

    def fault(self, kind: str, **fault: Any) -> None:
        """Let the next matching calls fail.

        :param kind: ``status``, ``reset``, ``slow``, ``truncate`` or ``lost_answer``.
        :param fault: ``times``, ``method``, ``path`` (regular expression), ``status``, ``retry_after``, ``seconds``.
        """
        self.control("POST", "faults", {"kind": kind, **fault})

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Add several faults, see :meth:`fault`; without any, let nothing fail any more."""
        if not faults:
            self.control("DELETE", "faults")
        for fault in faults:
            self.control("POST", "faults", dict(fault))

    def configure(self, **settings: Any) -> dict[str, Any]:
        """Change settings and return all of them, see :class:`Settings`.

        :param settings: name to value. ``s3_endpoint`` can be set here but not by HTTP: keys are sent there.
        """
        if "s3_endpoint" in settings:
            self._settings.s3_endpoint = settings.pop("s3_endpoint")
        found: dict[str, Any] = self.control("PUT", "config", settings)
        return found

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward.

        :param seconds: by how much.
        """
        self.control("POST", "clock", {"advance": seconds})

    def annotators(self, project: str, ground_truth: Mapping[str, Any], **pace: Any) -> None:
        """Put simulated annotators to work on a project.

        :param project: slug.
        :param ground_truth: annotations (or attributes) by task name.
        :param pace: ``tasks_per_second``, ``approve_after`` (seconds), ``review``.
        """
        self.control("PUT", "annotators", {"project": project, "ground_truth": dict(ground_truth), **pace})

    def run_annotators(self, project: str, tasks: int | None = None, *, approve: bool = True) -> int:
        """Let the annotators of a project work at once and return how many tasks they labelled."""
        body = {"project": project, "tasks": tasks, "approve": approve}
        return int(self.control("POST", "annotators/run", body)["labelled"])

    def set_status(self, project: str, status: str, names: Sequence[str] | None = None) -> int:
        """Set the status of some tasks, or of all of a project, and return how many."""
        body = {"project": project, "status": status, "names": None if names is None else list(names)}
        return int(self.control("POST", "tasks/status", body)["changed"])

    def settle_history(self, ident: str | None = None, *, status: str = "completed", message: str = "failed") -> None:
        """End one running import, or all, by hand."""
        self.control("POST", "histories", {"id": ident, "status": status, "message": message})

    def add_user(self, slug: str, name: str) -> None:
        """Add a workspace user that tasks can be assigned to."""
        self.control("PUT", "users", {"slug": slug, "name": name})

    def monitoring(self, name: str) -> list[dict[str, Any]]:
        """Return the results received for a monitoring setting."""
        found: list[dict[str, Any]] = self.control("GET", "monitoring", name=name)
        return found

    def state(self) -> dict[str, Any]:
        """Return counts of what there is."""
        found: dict[str, Any] = self.control("GET", "state")
        return found
