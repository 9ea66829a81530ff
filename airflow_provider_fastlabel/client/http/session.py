"""Connections: one pooled session per process, and the token that goes to the API's own host only."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from airflow_provider_fastlabel.client.arguments import LONGEST_DURATION, is_duration, is_whole
from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.http import retry
from airflow_provider_fastlabel.client.http.answers import ASKED_ENCODING
from airflow_provider_fastlabel.client.http.deadlines import SLOWEST, PatientAdapter
from airflow_provider_fastlabel.client.http.hidden import own_call, without_secret
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

log: logging.Logger = logging.getLogger(__name__)

POOL_SIZE = 64
MOST_REDIRECTS = 5
SHORTEST_SECRET = 8
"""Shorter tokens (of an emulator) are also syllables of ordinary words."""


class TokenAuth(AuthBase):
    """Puts the token on requests to the API's own origin, and on no other.

    :param token: access token.
    :param api_url: base URL of the API.
    :raises ValueError: if the token cannot be one; the message does not quote it.
    """

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token.strip() if isinstance(token, str) else ""
        if not self._token or not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise ValueError("The FastLabel access token is empty or has characters no token has. Copy it again.")
        self._origin = origin(api_url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        if origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def hide(self, text: str) -> str:
        """Return ``text`` without the token, should the server have echoed it, in whatever spelling."""
        return without_secret(text, self._token) if len(self._token) >= SHORTEST_SECRET else text

    def __reduce__(self) -> NoReturn:
        raise TypeError("A FastLabel client holds a token and cannot be pickled; create one in each process.")


def base_url(given: str | None) -> str:
    """Return the base URL of an API, ending in a slash.

    :raises ValueError: if it is no HTTP address, or has a query, a fragment or a password, which is not quoted.
    """
    url = given.strip() if isinstance(given, str) else ""
    try:
        parts = urlsplit(url)
        scheme, host, _ = origin(url)
    except ValueError:
        scheme = host = ""
    if scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        shown = "" if "@" in url else f", not {given!r}"
        raise ValueError(f"api_url or FASTLABEL_API_URL must be an http or https address{shown}.")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("api_url or FASTLABEL_API_URL must be without query, fragment and password.")
    return url.rstrip("/") + "/"


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class _Session(requests.Session):
    """A session that reads no body of a redirect, and can be told to redirect reads only."""

    reads_only = True

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer redirects to, ``None`` if a call of this method does not follow it.

        ``requests`` works out the next step also where it is told not to follow, and fails at an address that is none.
        """
        if self.reads_only and resp.request.method != "GET":
            return None
        target = super().get_redirect_target(resp)
        if target is not None:
            resp.raw.close()  # requests would read the body to its end, and decode it to any size
        return target


class Connections:
    """Sends single requests, and waits between attempts. Safe to use from many threads, and after a fork.

    :param timeout: seconds for connecting and for each wait on the answer; one number holds for both. An answer as a
        whole has ten times as long.
    :param max_retries: how often a failed call is repeated at most.
    :param verify: whether to check TLS certificates, or the path of a bundle to check them with.
    :param proxies: proxy per scheme; those of the environment if ``None``.
    :param user_agent: the ``User-Agent`` header.
    :raises ValueError: naming the argument that cannot be one.
    """

    def __init__(
        self,
        *,
        timeout: float | tuple[float, float],
        max_retries: int,
        verify: bool | str,
        proxies: Mapping[str, str] | None,
        user_agent: str,
    ) -> None:
        self.sleep: Callable[[float], object] = time.sleep
        self.patience: Callable[[], float] | None = None
        self.patience_for_quota: Callable[[], float] | None = None
        self._timeout = _timeouts(timeout)
        if not is_whole(max_retries, 0):
            raise ValueError(f"max_retries must be a whole number from 0, not {max_retries!r}.")
        self._max_retries = max_retries
        self._verify = _certificates(verify)
        if proxies is not None and not (
            isinstance(proxies, Mapping) and all(isinstance(each, str | None) for each in proxies.values())
        ):
            raise ValueError("proxies must be addresses by scheme, such as {'https': 'http://proxy:3128'}.")
        if not isinstance(user_agent, str) or not user_agent.isascii() or not user_agent.isprintable():
            raise ValueError(f"user_agent must be one line of ASCII, not {user_agent!r}.")
        self._proxies = None if proxies is None else dict(proxies)
        self._user_agent = user_agent
        self._renew()

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        self._own_session.close()
        self._own_transfers.close()

    def _send(
        self, session: requests.Session, method: str, url: str, *, auth: TokenAuth | None = None, **more: Any
    ) -> requests.Response:
        """Send a request. The body of the answer is left to :mod:`~airflow_provider_fastlabel.client.http.answers`.

        :param auth: the token; ``None`` for a signed address.
        :raises requests.RequestException: if that fails; also where requests itself lets other errors through.
        """
        try:
            proxies = self._proxies if self._proxies is not None else get_environ_proxies(url)
            more |= {"timeout": self._timeout, "verify": self._verify, "proxies": proxies, "stream": True}
            with own_call(str if auth is None else auth.hide):
                return session.request(method, url, auth=auth, **more)
        except (requests.RequestException, FastLabelException, UnicodeEncodeError):
            raise
        except ValueError as problem:  # of an address, possibly that of a redirect; what answers hold comes wrapped
            raise requests.exceptions.InvalidURL(type(problem).__name__) from None
        except OSError as problem:  # of the certificates; those of the network come wrapped
            raise requests.exceptions.SSLError(problem) from None

    def _pause(self, call: str, attempt: int, error: FastLabelException) -> None:
        """Wait before the next attempt, or raise when there is none."""
        asked = retry.asked_wait(error)
        longest = retry.RETRY_AFTER_CAP if self.patience is None else self.patience()
        if asked is not None and asked > longest:
            raise retry.beyond_patience(error)
        if not retry.may_retry(error) or attempt >= self._max_retries:
            raise error
        pause = retry.pause_before_retry(attempt, asked)
        reason, number, of = type(error).__name__, attempt + 2, self._max_retries + 1
        log.warning("%s failed (%s); attempt %d of %d in %.1f s.", call, reason, number, of, pause)
        self.sleep(pause)

    @property
    def _session(self) -> requests.Session:
        """Connections to the API."""
        self._renew_after_fork()
        return self._own_session

    @property
    def _transfers(self) -> requests.Session:
        """Connections for files at signed addresses, whose answers may take the longer the more they bring."""
        self._renew_after_fork()
        return self._own_transfers

    def _renew_after_fork(self) -> None:
        if os.getpid() != self._process:
            self._renew()  # a forked child must not speak on its parent's connections

    def _renew(self) -> None:
        self._own_session = self._new_session(POOL_SIZE)
        self._own_transfers = self._new_session(POOL_SIZE, slowest=SLOWEST)
        self._own_transfers.reads_only = False
        self._process = os.getpid()

    def _new_session(self, size: int = 1, slowest: int = 0) -> _Session:
        session = _Session()
        session.trust_env = False  # .netrc must not replace the token; proxies and certificates go with each request
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.max_redirects = MOST_REDIRECTS
        session.headers["User-Agent"] = self._user_agent
        session.headers["Accept-Encoding"] = ASKED_ENCODING
        adapter = PatientAdapter(slowest, pool_connections=size, pool_maxsize=size)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session


def _timeouts(timeout: float | tuple[float, float]) -> tuple[float, float]:
    """Return the timeouts for connecting and for reading."""
    pair = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    if len(pair) != 2 or not all(map(is_duration, pair)):
        raise ValueError(
            f"timeout must be seconds above 0 and at most {LONGEST_DURATION:,}, one number or a pair (connect, read), "
            f"not {shortened(timeout)}."
        )
    return pair


def _certificates(verify: bool | str) -> bool | str:
    """Return what to verify TLS with: the bundle named in the environment takes the place of ``True``."""
    try:
        known = isinstance(verify, bool) or (isinstance(verify, str | os.PathLike) and Path(verify).exists())
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        known = False
    if not known:
        raise ValueError(
            f"verify must be true, false or an existing file or folder of certificates, not {shortened(verify)}."
        )
    if verify is True:
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return verify
