"""Who may call: programs that use an address the emulator was started under. Web pages of others may not."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_fastlabel.emulator.world.errors import ApiError

API = "/v1/"
STORAGE = "/storage/"
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
"""What this machine calls itself in a ``Host`` header."""

PAGES = ("/projects/", "/tasks/", "/imports/", "/jobs/")
"""What pages for people begin with; the first one is ``/``."""

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_])?)(?::([0-9]{1,5}))?")
_HTTP_PORT = "80"
_READING = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("same-origin", "none")
_JSON = "application/json"
_SHOWN = 100


class Callers:
    """Decides which calls are answered at all.

    A web page can make its reader's browser call ``127.0.0.1``; the browser then says where the page comes from
    (``Origin``, ``Sec-Fetch-Site``), or, after DNS rebinding, sends the page's own name as ``Host``.

    :param token: the access token; it stands for a JSON body in calls of the control plane.
    :param allowed: further names the emulator is called by: ``name`` at any port, or ``name:port``.
    :raises ValueError: when one of them is not such a name.
    """

    def __init__(self, token: str, allowed: Iterable[str] = ()) -> None:
        self._bearer = b"Bearer " + token.encode()
        self._allowed: set[tuple[str, str | None]] = set()
        for name in allowed:
            found = _HOST.fullmatch(name.lower())
            if found is None:
                raise ValueError(f"allow_hosts takes names such as ci-emulator or ci-emulator:8080, not {name!r}")
            self._allowed.add((found[1], found[2]))

    def knows_token(self, scope: Mapping[str, Any]) -> bool:
        """Whether a call carries the access token."""
        sent = _sent(scope, b"authorization")
        return len(sent) == 1 and hmac.compare_digest(sent[0], self._bearer)

    def admit(self, scope: Mapping[str, Any]) -> str:
        """Return the address of the emulator that a call used: of its socket, or under a name given at the start.

        :param scope: ASGI scope of the call.
        :raises ApiError: 403 for a foreign host, origin or site, 415 for a change that is not sent as JSON.
        """
        base = self._address(scope)
        _check_origin(scope)
        path, reading = scope["path"], scope["method"] in _READING
        # A form of any web page can send these without asking first, but not as JSON and not with the token.
        if not reading and not path.startswith((API, STORAGE)) and not self.knows_token(scope):
            types = [value.partition(b";")[0].strip().lower() for value in _sent(scope, b"content-type")]
            if types != [_JSON.encode()]:
                raise ApiError(415, f"send Content-Type: {_JSON}, or the access token as Authorization: Bearer")
        return base

    def _address(self, scope: Mapping[str, Any]) -> str:
        sent = [value.decode("latin-1") for value in _sent(scope, b"host")]
        found = _HOST.fullmatch(sent[0].lower()) if len(sent) == 1 else None
        own, port = scope["server"][0], str(scope["server"][1])
        if found is not None and found[1] in LOOPBACK and (found[2] or _HTTP_PORT) == port:
            return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"
        if found is not None and {(found[1], None), (found[1], found[2] or _HTTP_PORT)} & self._allowed:
            return f"http://{found[0]}"
        named = ", ".join(sent)[:_SHOWN]
        advice = f"call it as 127.0.0.1:{port}, or start it with --allow-host NAME"
        raise ApiError(403, f"the host {named!r} is not the emulator's: {advice}")


def _sent(scope: Mapping[str, Any], wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


def _check_origin(scope: Mapping[str, Any]) -> None:
    """Refuse what a browser sends for a page of another origin.

    :raises ApiError: 403.
    """
    host = _sent(scope, b"host")[0].lower()
    for origin in _sent(scope, b"origin"):
        if origin.lower() not in (b"http://" + host, b"https://" + host):
            raise ApiError(403, f"calls from web pages are refused, here of {origin.decode('latin-1')[:_SHOWN]!r}")
    sites = [value.decode("latin-1") for value in _sent(scope, b"sec-fetch-site")]
    if all(site in _OWN_SITES for site in sites):
        return
    # A link to a signed address may be followed: its signature says that it was given out. So may one to a page, as
    # Airflow shows them: the page that has the link does not see what it opens.
    link = (_sent(scope, b"sec-fetch-mode"), _sent(scope, b"sec-fetch-dest")) == ([b"navigate"], [b"document"])
    if not (link and scope["method"] == "GET" and _may_be_opened(scope["path"])):
        raise ApiError(403, "calls from web pages of other sites are refused")


def _may_be_opened(path: str) -> bool:
    return path == "/" or f"{path}/".startswith((STORAGE, *PAGES))
