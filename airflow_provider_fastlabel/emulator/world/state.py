"""Everything one running emulator holds, and how a route gets at it."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from airflow_provider_fastlabel.emulator.patterns import Pattern
from airflow_provider_fastlabel.emulator.world.errors import not_found
from airflow_provider_fastlabel.emulator.world.files import Files
from airflow_provider_fastlabel.emulator.world.kinds import MB
from airflow_provider_fastlabel.emulator.world.settings import Clock, Settings
from airflow_provider_fastlabel.emulator.world.store import Record, Store

LOG_LENGTH = 100_000
LOG_BYTES = 64 * MB
LOG_BODY_BYTES = 4 * MB
_ENTRY_BYTES = 600
BASE = "emulator.base"
"""Key of ``scope["extensions"]`` under which the gate puts the emulator's own address."""
lenient: contextvars.ContextVar[bool] = contextvars.ContextVar("lenient", default=False)
"""Whether the request at hand may carry unknown fields."""


@dataclass(slots=True)
class Fault:
    """Something that goes wrong with the next matching calls.

    :param kind: ``status``, ``reset``, ``slow``, ``truncate`` or ``lost_answer``.
    :param times: how many more calls it hits.
    :param method: HTTP verb, or ``None`` for any.
    :param path: what is searched in the path below ``/v1/``, or ``None`` for any.
    :param status: code of a ``status`` fault.
    :param retry_after: its ``Retry-After`` header: seconds or an HTTP date.
    :param seconds: delay of a ``slow`` fault.
    """

    kind: str
    times: int = 1
    method: str | None = None
    path: Pattern | None = None
    status: int = 503
    retry_after: str | None = None
    seconds: float = 1.0

    def matches(self, method: str, path: str) -> bool:
        """Whether it hits this call."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or self.path.search(path)


@dataclass(slots=True)
class Annotator:
    """Simulated people at work on one project.

    :param ground_truth: what they draw, by task name: annotations, or attributes for classification kinds.
    :param tasks_per_second: their pace.
    :param approve_after: seconds from labelled to approved.
    :param review: whether tasks pass ``reviewed`` half-way.
    :param credit: tasks they had the time for and have not done yet.
    :param last: when the credit was computed.
    """

    ground_truth: dict[str, list[dict[str, Any]]]
    tasks_per_second: float
    approve_after: float
    review: bool
    credit: float = 0.0
    last: float = 0.0


class CallLog:
    """The calls received, oldest first. The oldest leave when there are too many, or they take too much memory.

    :param length: most calls.
    :param most: most bytes.
    """

    def __init__(self, length: int = LOG_LENGTH, most: int = LOG_BYTES) -> None:
        self._length, self._most = length, most
        self._sizes: dict[int, int] = {}
        self._entries: dict[int, dict[str, Any]] = {}
        self._bytes = 0

    def append(self, entry: dict[str, Any]) -> None:
        """Add a call.

        :param entry: what is known of it; ``id`` is its key.
        """
        self._entries[entry["id"]] = entry
        self._grow(entry["id"], _ENTRY_BYTES + len(entry["path"]) + len(repr(entry["query"])))

    def fill(self, entry: dict[str, Any], body: bytes) -> None:
        """Note the body of a call, or only its size when it is very long.

        :param entry: the call.
        :param body: JSON text without its files.
        """
        entry["body"] = body if len(body) <= LOG_BODY_BYTES else orjson.dumps({"omitted": len(body)})
        if entry["id"] in self._entries:
            self._grow(entry["id"], len(entry["body"]))

    def _grow(self, ident: int, size: int) -> None:
        self._sizes[ident] = self._sizes.get(ident, 0) + size
        self._bytes += size
        while self._entries and (self._bytes > self._most or len(self._entries) > self._length):
            oldest = next(iter(self._entries))
            del self._entries[oldest]
            self._bytes -= self._sizes.pop(oldest)

    def entries(self) -> list[dict[str, Any]]:
        """Return the calls that are still known."""
        return list(self._entries.values())

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._sizes.clear()
        self._bytes = 0


@dataclass(slots=True)
class Emulation:
    """One emulator.

    :param store: database.
    :param files: stored files.
    :param clock: its time.
    :param token: the accepted access token.
    :param settings: what tests turn.
    :param defaults: settings to return to at a reset.
    :param ground_truth: what annotators may be told to draw, by file name; read at the start.
    """

    store: Store
    files: Files
    clock: Clock
    token: str
    settings: Settings
    defaults: Settings
    ground_truth: Mapping[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    log: CallLog = field(default_factory=CallLog)
    logged: int = 0
    faults: list[Fault] = field(default_factory=list)
    calls: dict[str, deque[float]] = field(default_factory=dict)
    annotators: dict[str, Annotator] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    staged: dict[str, Any] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def reset(self) -> None:
        """Return to the state of a new emulator."""
        self.store.reset()
        self.files.reset()
        self.clock.offset = 0.0
        for name in Settings.__slots__:
            setattr(self.settings, name, getattr(self.defaults, name))
        self.settings.page_maxima = dict(self.defaults.page_maxima)
        self.log.clear()
        self.logged = 0
        self.faults.clear()
        for memory in (self.calls, self.annotators, self.endpoints, self.staged):
            memory.clear()
        self.running.clear()
        self.seed()

    def seed(self) -> None:
        """Create what every workspace has: its owner."""
        if self.store.by_name("user", "admin@example.com") is None:
            body = {"slug": "admin", "name": "Admin", "email": "admin@example.com", "role": "owner", "modules": []}
            self.store.insert("user", body, name="admin@example.com")

    def project(self, slug: str) -> Record:
        """Return the project with this slug.

        :raises ApiError: 404 when there is none.
        """
        record = self.store.by_name("project", slug)
        if record is None:
            raise not_found("project", slug)
        return record


async def _current(request: Request) -> Emulation:
    found: Emulation = request.app.state.emulation
    return found


Emu = Annotated[Emulation, Depends(_current)]
"""Parameter type by which a route receives the emulator."""


def base_of(request: Request) -> str:
    """Return the emulator's own address, of which signed addresses are made; never what the caller said it is."""
    base: str = request.scope["extensions"][BASE]
    return base


class _OrjsonRequest(Request):
    async def json(self) -> Any:
        return orjson.loads(await self.body())


class OrjsonRoute(APIRoute):
    """A route whose bodies are read by orjson: faster, and without NaN or lone surrogates."""

    def get_route_handler(self) -> Any:
        """Return the handler FastAPI calls."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response: Response = await handler(_OrjsonRequest(request.scope, request.receive))
            return response

        return handle


def answer(value: Any) -> Response:
    """Return a value as a JSON answer with status 200.

    :param value: anything orjson writes.
    """
    return Response(orjson.dumps(value), media_type="application/json")


NO_CONTENT: dict[str, Any] = {"status_code": 204, "response_class": Response, "response_model": None}
"""Arguments of a route that answers nothing. Without ``response_model`` a FastAPI before 0.117 takes ``-> None`` for a
model and refuses the route."""
