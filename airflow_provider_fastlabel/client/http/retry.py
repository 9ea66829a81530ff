"""How the answers of FastLabel become results, typed errors and pauses: pure functions, no network."""

from __future__ import annotations

import email.utils
import html
import json
import math
import random
import re
import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from airflow_provider_fastlabel.client.exceptions import (
    AuthError,
    Conflict,
    ConnectionFailed,
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
    RateLimited,
    RequestTimeout,
    ServerError,
    Unavailable,
    UnexpectedAnswer,
)
from airflow_provider_fastlabel.client.http.answers import LONGEST_ERROR, UnreadableBody
from airflow_provider_fastlabel.client.http.deadlines import WHOLE_ANSWER
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RETRY_AFTER_CAP = 120.0
"""Longest pause in seconds that is slept here where the client was given no other patience; beyond it the caller is
told.
"""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
LONGEST_PAUSE_ASKED = 86_400.0
"""A ``Retry-After`` of more seconds counts as a day: not every number of seconds is a time."""
_HIDDEN = {"<!--": "-->", "<script": "</script", "<style": "</style"}
"""How what a web page does not show begins, and where it ends."""
_TAKEN = re.compile(
    r"already (exist|used|taken|in use|registered)|duplicate (name|slug|key|value|entry)|must be unique|not unique",
    re.IGNORECASE,
)
_REFUSED = {
    401: (AuthError, "FastLabel refused the access token. Put a valid one into {source}."),
    403: (
        AuthError,
        "The access token from {source} is valid, but may not do this; ask the workspace owner.",
    ),
    407: (
        FastLabelInvalidException,
        "The proxy wants a user and a password; put them into its address in `proxies`.",
    ),
    404: (NotFound, "Check the id or the slug, and that the token belongs to the same workspace."),
    409: (Conflict, "Choose another name, or look the existing one up."),
}


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, 10.2.3): seconds, with or without decimals, or an HTTP date.

    :param value: the header, ``None`` if absent.
    :param now: the present time in seconds since 1970.
    :returns: seconds to wait, at most :data:`LONGEST_PAUSE_ASKED`, 0 for a date in the past; ``None`` if it is absent,
        negative, not finite or not readable.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        date = http_date(value)
        return None if date is None else min(max(0.0, date - now), LONGEST_PAUSE_ASKED)
    return min(seconds, LONGEST_PAUSE_ASKED) if math.isfinite(seconds) and seconds >= 0 else None


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds an answer asks to wait. A date is held against the server's own clock, where it tells it."""
    date = http_date(headers.get("Date"))
    return retry_after_seconds(headers.get("Retry-After"), time.time() if date is None else date)


def http_date(value: str | None) -> float | None:
    """Return an HTTP date as seconds since 1970, ``None`` if it is absent or not readable."""
    try:
        date = email.utils.parsedate_to_datetime(value or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def timestamp(value: object) -> float | None:
    """Return an ISO 8601 time of the API as seconds since 1970, ``None`` if it is not readable."""
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def pause_before_retry(attempt: int, retry_after: float | None) -> float:
    """Return the seconds to wait before the next attempt: as asked and a little more, else full jitter.

    :param attempt: number of attempts made before, from 0.
    :param retry_after: seconds FastLabel asked for.
    """
    if retry_after is not None:
        return retry_after + random.uniform(0, FIRST_PAUSE)
    return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))


def error_for(
    call: str, status: int, text: str, retry_after: float | None, token_source: str | None = None
) -> FastLabelException:
    """Return the error that an answer outside 2xx stands for.

    :param call: verb and path.
    :param status: HTTP status code.
    :param text: what the answer says, in one short line.
    :param retry_after: seconds FastLabel asked to wait.
    :param token_source: in words, where the token of the call came from; ``None`` for a signed address, which got none.
    """
    said = f"{text or 'no explanation'} ({call})."
    if status == 408:
        return RequestTimeout(f"{said} FastLabel closed the request as too slow; try again.", status)
    if status == 429:
        wait = "a while" if retry_after is None else f"{retry_after:g} s"
        return RateLimited(f"{said} Too many calls; try again after {wait}.", status, retry_after)
    if status >= 500:
        return ServerError(f"{said} The fault is on FastLabel's side; try again later.", status, retry_after)
    if status >= 400:
        kind, advice = _REFUSED.get(status, (FastLabelInvalidException, "Correct the request and send it again."))
        if status in (400, 422) and _TAKEN.search(text):
            kind, advice = _REFUSED[409]
        if kind is AuthError and token_source is None:
            kind, advice = (
                FastLabelInvalidException,
                "The signed address has expired or is not valid; ask for a new one.",
            )
        return kind(f"{said} {advice.format(source=token_source)}", status)
    where = "It was redirected where this call does not follow."
    return FastLabelException(f"{said} {where} Check the API URL, and whether it is http or https.", status)


def error_text(said: bytes, hide: Callable[[str], str] = str) -> str:
    """Return what an error body says, in one short line.

    :param said: the answer, or its beginning as :func:`~airflow_provider_fastlabel.client.http.answers.beginning`
        reads it: JSON with ``message`` (a string or a list), JSON without it, or anything else.
    :param hide: takes out what must not be shown, after JSON's escapes are resolved and before the line is cut.
    """
    body = said[:LONGEST_ERROR].decode("utf-8-sig", errors="replace").lstrip()
    if len(said) >= LONGEST_ERROR:
        # The last word of a cut text may be half of what must not be shown, which nobody can tell.
        body = " ".join(body.rsplit(None, 1)[:-1])
    text: Any = _words(body) if body.startswith("<") else body
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        text = parsed.get("message") or parsed.get("error") or body
    if isinstance(text, list):
        text = "; ".join(str(item) for item in text)
    line = " ".join(str(text).split()).rstrip(".")
    return foreign_text(hide("".join(character for character in line if character.isprintable())))


def _words(page: str) -> str:
    """Return what a web page or XML says, as those of gateways and stores, without its markup. Reads it once."""
    lower = page.lower() if page.isascii() else page  # the length of other letters may change
    words, at = [], 0
    while (start := page.find("<", at)) >= 0:
        words.append(page[at:start])
        end = next((end for opening, end in _HIDDEN.items() if lower.startswith(opening, start)), ">")
        found = lower.find(end, start + 1)
        at = len(page) if found < 0 else found + len(end) if end[0] != "<" else found
    return html.unescape(" ".join([*words, page[at:]]))


def network_error(call: str, error: requests.RequestException) -> tuple[FastLabelException, bool]:
    """Return the error that a failure of the network stands for, and whether the request may have reached FastLabel.

    The text of the library is not used: it quotes the address, and the address of a file is signed. The host is named.

    :param call: verb and path, or verb and host for a signed address.
    """
    reason, host = _innermost(error), _host_of(error)
    if isinstance(error, UnreadableBody):
        return UnexpectedAnswer(f"{call}: the answer cannot be read: {error}. Check the address and any proxy."), True
    if isinstance(error, ValueError):
        return FastLabelInvalidException(
            f"{call}: the address, that of a redirect or that of the proxy is not valid, or its kind needs a package "
            f"({type(error).__name__}). Nothing was sent there.",
            422,
        ), False
    if isinstance(error, requests.TooManyRedirects):
        return FastLabelException(f"{call}: one redirect led to the next without end. Check the API URL."), False
    if isinstance(error, requests.ConnectTimeout):
        return RequestTimeout(
            f"{call}: no connection to {host} within the timeout. Check the network and the API URL."
        ), False
    if isinstance(reason, urllib3.exceptions.TimeoutError | TimeoutError):
        return RequestTimeout(
            f"{call}: no answer from {host} within the timeout, or not the whole of it within {WHOLE_ANSWER} times as "
            "long. Raise `timeout` if the file is large or the line slow."
        ), True
    name = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
    if type(reason) is OSError and not reason.strerror:
        name = str(reason)  # what a proxy said, or which certificates are missing
    name = foreign_text(name)
    if isinstance(error, requests.exceptions.SSLError) and _is_about_certificates(reason):
        return ConnectionFailed(
            f"{call}: no trusted TLS connection to {host} ({name}). Check the certificate, or `verify`."
        ), False
    reached = not isinstance(_outer(error), urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError)
    what = f"the connection to {host} broke" if reached else f"cannot connect to {host}"
    return ConnectionFailed(f"{call}: {what} ({name}). Check the network, the proxy and the API URL."), reached


def _host_of(error: requests.RequestException) -> str:
    """Return host and port of the address that was asked, without a user, a path or a query."""
    url = getattr(error.request, "url", None)
    parts = urlsplit(url if isinstance(url, str) else "")
    return foreign_text(parts.netloc.rpartition("@")[2], 200) or "the server"


def _is_about_certificates(reason: BaseException) -> bool:
    """Return whether TLS failed over certificates, theirs or ours: then nothing was sent."""
    if isinstance(reason, ssl.SSLError):
        return isinstance(reason, ssl.SSLCertVerificationError) or reason.library == "X509"
    return type(reason) is OSError


def may_retry(error: FastLabelException) -> bool:
    """Return whether a later attempt of the same call can succeed."""
    return isinstance(error, ConnectionFailed | RequestTimeout | ServerError | RateLimited)


def asked_wait(error: FastLabelException) -> float | None:
    """Return the seconds FastLabel asked to wait."""
    return error.retry_after if isinstance(error, RateLimited | ServerError) else None


def beyond_patience(error: FastLabelException) -> FastLabelException:
    """Return the error of a wait that is too long to be slept here: of a 5xx, one that concerns every call."""
    if isinstance(error, ServerError):
        return Unavailable(error.message, error.code, error.retry_after)
    return error


def _outer(error: BaseException) -> object:
    """Return urllib3's reason inside an error of requests."""
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", None) or inner


def _innermost(error: BaseException) -> BaseException:
    """Return the first cause inside nested errors of requests and urllib3."""
    seen: BaseException = error
    while True:
        inner = next(
            (a for a in (getattr(seen, "reason", None), *reversed(seen.args)) if isinstance(a, BaseException)), None
        )
        inner = inner or seen.__cause__
        if inner is None:
            return seen
        seen = inner
