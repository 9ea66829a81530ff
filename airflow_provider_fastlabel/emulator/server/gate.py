"""What every call passes before a route sees it: request log, faults, token, quota, body."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from airflow_provider_fastlabel.emulator.server.callers import API, STORAGE, Callers
from airflow_provider_fastlabel.emulator.world import annotators, histories
from airflow_provider_fastlabel.emulator.world.bodies import DEEPEST, JsonSpooler
from airflow_provider_fastlabel.emulator.world.errors import ApiError, error_response
from airflow_provider_fastlabel.emulator.world.files import Batch
from airflow_provider_fastlabel.emulator.world.kinds import CONTENTS_CHARACTERS, LARGEST_UPLOAD, MB
from airflow_provider_fastlabel.emulator.world.state import BASE, Emulation, Fault, lenient

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

TRANSPORT = "emulator.transport"
"""Key of ``scope["extensions"]`` under which the server puts the socket's transport."""

_MOST_JSON = 64 * MB
_MOST_BODY = CONTENTS_CHARACTERS + _MOST_JSON
_AROUND = MB
"""What a form may add to the file it carries."""
_LAST = {"Connection": "close"}
"""Headers of an answer that was given without reading the body."""


class Gate:
    """Outermost ASGI application.

    :param app: the routes.
    :param emu: the emulator.
    :param callers: decides who is answered at all.
    """

    def __init__(self, app: Asgi, emu: Emulation, callers: Callers) -> None:
        self._app = app
        self._emu: Emulation = emu
        self._callers = callers

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        try:
            scope.setdefault("extensions", {})[BASE] = self._callers.admit(scope)
        except ApiError as error:
            # Neither logged nor a hit of a fault: a page that tries must leave no trace that a test could see.
            refusal = error_response(error.status, error.message, _LAST)
            await refusal(scope, receive, self._dated(send))
            return
        lenient.set(not self._emu.settings.strict)
        path: str = scope["path"]
        if path.startswith(API):
            await self._logged(scope, receive, send, path[len(API) :])
        elif path.startswith(STORAGE):
            await self._logged(scope, _bounded(receive, LARGEST_UPLOAD + _AROUND), send, path[1:])
        else:
            await self._app(scope, _bounded(receive, _MOST_JSON), self._dated(send))

    def _dated(self, send: Send, entry: dict[str, Any] | None = None) -> Send:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"date", self._emu.clock.http_date().encode())]
                if entry is not None:
                    entry["status"] = message["status"]
            await send(message)

        return stamped

    async def _logged(self, scope: MutableMapping[str, Any], receive: Receive, send: Send, path: str) -> None:
        emu, started = self._emu, time.perf_counter()
        entry = self._entry(scope, path)
        emu.log.append(entry)
        fault = self._fault(scope["method"], path)
        entry["fault"] = fault.kind if fault else None
        send = self._dated(send, entry)
        try:
            with emu.files.batch() as batch:
                if scope["path"].startswith(API):
                    receive = await self._body(scope, receive, entry)
                if fault is not None and fault.kind == "reset":
                    await _reset(scope, receive)
                else:
                    await self._serve(scope, receive, send, fault, batch)
        except ApiError as error:
            await error_response(error.status, error.message, error.headers)(scope, receive, send)
        except ClientDisconnect:
            # Half a call is none: nothing was done, and nobody waits for an answer.
            pass
        finally:
            entry["ms"] = round((time.perf_counter() - started) * 1000, 3)

    def _entry(self, scope: MutableMapping[str, Any], path: str) -> dict[str, Any]:
        self._emu.logged += 1
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if path.startswith("storage/"):
            query = {}
        return {
            "id": self._emu.logged,
            "at": self._emu.clock.iso(),
            "method": scope["method"],
            "path": path,
            "query": {key: values[0] if len(values) == 1 else values for key, values in query.items()},
            "body": b"",
            "status": None,
            "ms": None,
            "fault": None,
            "authorization": any(name == b"authorization" for name, _ in scope["headers"]),
        }

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self._emu.faults:
            if fault.matches(method, path):
                fault.times -= 1
                if fault.times <= 0:
                    self._emu.faults.remove(fault)
                return fault
        return None

    async def _body(self, scope: MutableMapping[str, Any], receive: Receive, entry: dict[str, Any]) -> Receive:
        """Read the whole body, store the files in it and return a receive of what is left.

        :raises ClientDisconnect: when the caller went away before it was complete.
        :raises ApiError: 413 when it is too large, 422 when it is nested too deep.
        """
        spooler, received, more = JsonSpooler(self._emu.files, entry["path"]), 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more, piece = message.get("more_body", False), message.get("body", b"")
            received += len(piece)
            if received > _MOST_BODY:
                raise ApiError(413, f"the body is too large: more than {_MOST_BODY // MB} MB", _LAST)
            if spooler.size <= _MOST_JSON:
                spooler.feed(piece)
        body = spooler.finish()
        self._emu.log.fill(entry, body)
        if len(body) > _MOST_JSON:
            raise ApiError(413, f"the body is too large: more than {_MOST_JSON // MB} MB without its files")
        if spooler.deepest > DEEPEST:
            raise ApiError(422, f"the body is nested too deep: {spooler.deepest} levels, at most {DEEPEST}")
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        scope["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        return replay

    async def _serve(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, fault: Fault | None, batch: Batch
    ) -> None:
        refusal = self._refusal(scope, fault)
        app: Asgi = refusal if refusal is not None else self._app
        if refusal is None and scope["path"].startswith(API):
            annotators.advance(self._emu)
            histories.advance(self._emu)
        answer: list[Message] = []

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                batch.kept = message["status"] < HTTPStatus.BAD_REQUEST
                self._emu.files.settle(batch)  # before the caller knows of it
            if fault is None or fault.kind == "status":
                await send(message)
            else:
                answer.append(message)

        await app(scope, receive, pass_on)
        if fault is None or fault.kind == "status":
            return
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            for message in answer:
                await send(message)
        else:
            await _cut(scope, receive, send, answer if fault.kind == "truncate" else [])

    def _refusal(self, scope: MutableMapping[str, Any], fault: Fault | None) -> Response | None:
        if fault is not None and fault.kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            return error_response(fault.status, "a fault that was asked for", headers)
        if not scope["path"].startswith(API):
            return None
        try:
            if not self._callers.knows_token(scope):
                raise ApiError(401, "the access token is missing or wrong")
            self._spend()
        except ApiError as error:
            return error_response(error.status, error.message, error.headers)
        return None

    def _spend(self) -> None:
        settings, now = self._emu.settings, self._emu.clock.now()
        if settings.quota is None:
            return
        calls = self._emu.calls.setdefault(self._emu.token, deque())
        while calls and calls[0] <= now - settings.quota_seconds:
            calls.popleft()
        if len(calls) >= settings.quota:
            wait = calls[0] + settings.quota_seconds - now if calls else settings.quota_seconds
            minutes = settings.quota_seconds / 60
            message = f"more than {settings.quota} calls in {minutes:g} minutes"
            raise ApiError(429, message, {"Retry-After": str(math.ceil(wait))})
        calls.append(now)


def _bounded(receive: Receive, most: int) -> Receive:
    """Return a receive that ends a body, announced or not, which goes on beyond ``most`` bytes."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413, f"the body is too large: more than {most // MB} MB", _LAST)
        return message

    return counted


async def _reset(scope: MutableMapping[str, Any], receive: Receive) -> None:
    """Close the connection with a TCP reset."""
    transport = scope["extensions"][TRANSPORT]
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _disconnected(receive)


async def _cut(scope: MutableMapping[str, Any], receive: Receive, send: Send, answer: list[Message]) -> None:
    """Send half of an answer, or nothing of it, and close the connection in good order."""
    body = b"".join(message.get("body", b"") for message in answer)
    if body:
        start = answer[0]
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    scope["extensions"][TRANSPORT].close()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
