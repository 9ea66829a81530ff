"""A proxy in front of the emulator that changes answers: as FastLabel of tomorrow, or a stranger between, might."""

from __future__ import annotations

import http.server
import json
import threading
from random import Random
from typing import TYPE_CHECKING, Any

import requests

from tests.fuzz.mutation import WRONG, places_in

if TYPE_CHECKING:
    from collections.abc import Callable

STRANGE: tuple[Any, ...] = (*WRONG, "9" * 5000, "\x1b[2J\n\u202e", "http://127.0.0.1:1/x", {"id": None})


class ChangingProxy:
    """Passes calls on to the emulator, and changes an answer of JSON when it is told to.

    :param target: address of the emulator, without a slash at its end.
    :param always: what becomes of each answer of JSON.
    """

    def __init__(self, target: str, always: Callable[[Any], Any] = lambda value: value) -> None:
        self._target = target
        self._always = always
        self._session = requests.Session()
        self._session.trust_env = False
        self._random = Random(0)
        self._countdown = 0
        self.changed = ""
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {k: self.headers[k] for k in ("Authorization", "Content-Type") if k in self.headers}
                status, data = proxy._answer(self.command, self.path, body, headers)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._session.close()

    def change(self, random: Random, after: int) -> None:
        """Change one answer, after some that stay as they are.

        :param random: what decides where and how.
        :param after: answers of JSON to leave alone.
        """
        self._random, self._countdown, self.changed = random, after + 1, ""

    def _answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        answer = self._session.request(method, self._target + path, data=body, headers=headers)
        try:
            value = answer.json()
        except ValueError:
            return answer.status_code, answer.content
        value = self._always(json.loads(json.dumps(value).replace(self._target, self.address)))
        self._countdown -= 1
        if self._countdown == 0:
            value, what = mutated(value, self._random)
            self.changed = f"{method} {path}: {what}"
        return answer.status_code, json.dumps(value).encode()


def mutated(value: Any, random: Random) -> tuple[Any, str]:
    """Return a JSON value with one place in it changed, and what was done in words."""
    places = list(places_in(value))
    strange = random.choice(STRANGE)
    if not places or random.random() < 0.1:
        return strange, f"all of it became {strange!r:.60}"
    holder, key = random.choice(places)
    if random.random() < 0.25:
        del holder[key]
        return value, f"{key!r:.60} is gone"
    holder[key] = strange
    return value, f"{key!r:.60} became {strange!r:.60}"
