"""The one door to the network: a pooled session with timeouts, retries, quota and typed errors."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from airflow_provider_fastlabel.client import retry
from airflow_provider_fastlabel.client.bodies import StreamedBody, encode
from airflow_provider_fastlabel.client.exceptions import (
    ConnectionFailed,
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
    OutcomeUnknown,
)
from airflow_provider_fastlabel.client.quota import shared_quota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

log = logging.getLogger(__name__)

POOL_SIZE = 64
JSON_TYPE = "application/json"
CHUNK_BYTES = 256 * 1024


def segment(value: object) -> str:
    """Return an id, slug or object name as one segment of a path, which no value can leave.

    :raises FastLabelInvalidException: for an empty value and for ``.`` and ``..``, which would address another route.
    """
    text = "" if value is None else str(value)
    if text in ("", ".", ".."):
        raise FastLabelInvalidException(f"{text!r} is not an id, slug or name. Nothing was sent.", 422)
    return quote(text, safe="")


class TokenAuth(AuthBase):
    """Puts the token on requests to the API's own origin, and on no other.

    :param token: access token.
    :param api_url: base URL of the API.
    """

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self._origin = origin(api_url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        if origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def hide(self, text: str) -> str:
        """Return ``text`` without the token, should the server have echoed it."""
        return text.replace(self._token, "***")

    def __reduce__(self) -> NoReturn:
        raise TypeError("A FastLabel client holds a token and cannot be pickled; create one in each process.")


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class Transport:
    """Sends calls to the API and files to and from signed addresses. Safe to use from many threads.

    Paths are relative to the base URL, without a slash in front; put ids and slugs through :func:`segment`.

    :param token: access token.
    :param api_url: base URL of the API, ending in a slash.
    :param timeout: seconds for connecting and for each wait on the answer; one number holds for both.
    :param max_retries: how often a failed call is repeated at most.
    :param calls_per_10_minutes: the quota of this token, shared by all its transports in the process.
    :param verify: whether to check TLS certificates, or the path of a bundle to check them with.
    :param proxies: proxy per scheme; those of the environment if ``None``.
    :param user_agent: the ``User-Agent`` header.
    """

    def __init__(
        self,
        token: str,
        api_url: str,
        *,
        timeout: float | tuple[float, float],
        max_retries: int,
        calls_per_10_minutes: int,
        verify: bool | str,
        proxies: Mapping[str, str] | None,
        user_agent: str,
    ) -> None:
        self.api_url = api_url
        self.quota = shared_quota(api_url, token, calls_per_10_minutes)
        self.sleep: Callable[[float], object] = time.sleep
        self._auth = TokenAuth(token, api_url)
        self._timeout = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        self._max_retries = max_retries
        self._verify = _certificates(verify)
        self._proxies = None if proxies is None else dict(proxies)
        self._api_proxies = self._proxies_for(api_url)
        self._user_agent = user_agent
        self._clock_offset = time.time() - time.monotonic()
        self._open_session()

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Any:
        """Read something. ``None`` values in ``params`` are not sent; lists are sent as repeated keys."""
        return self._call("GET", path, params=params)

    def post(
        self,
        path: str,
        body: Mapping[str, object] | StreamedBody,
        *,
        settle: Callable[[Callable[[object], bool]], Any] | None = None,
        idempotent: bool = False,
    ) -> Any:
        """Send something that may create.

        A call whose answer was lost (reset, timeout, 5xx) may have been carried out. Then:

        * an ``idempotent`` call is simply sent again;
        * ``settle(is_ours)`` is asked what became of it. It returns the result, or ``None`` if nothing was created and
          the call may be sent again, or raises. ``is_ours(created_at)`` tells whether something was created since this
          call began;
        * without either, :class:`OutcomeUnknown` is raised.

        :return: the parsed answer; ``None`` if it is empty.
        """
        return self._call("POST", path, body=body, settle=settle, repeatable=idempotent)

    def put(self, path: str, body: Mapping[str, object] | StreamedBody) -> Any:
        """Set something, by a body that may be sent twice. ``None`` if the answer is empty."""
        return self._call("PUT", path, body=body)

    def delete(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """Delete something. When the answer was lost, "not found" at the second attempt means it is done."""
        self._call("DELETE", path, body=body)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Mapping[str, object] | StreamedBody | None = None,
        settle: Callable[[Callable[[object], bool]], Any] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """Make a call, repeating it as far as that is safe.

        Errors are raised outside of ``except`` blocks, so that they carry no request, and with it no token, as context.
        """
        started = time.monotonic()
        data = encode(body) if body is not None and not isinstance(body, StreamedBody) else body
        lost_before = False
        for attempt in range(self._max_retries + 1):
            answer, error, lost = self._attempt(method, path, params, data)
            if error is None:
                return answer
            if method == "DELETE" and lost_before and isinstance(error, NotFound):
                return None
            in_doubt = lost or (lost_before and error.code in (400, 409, 422))
            lost_before = lost_before or lost
            if in_doubt and not repeatable:
                found = self._settle(f"{method} {path}", error, settle, started)
                if found is not None:
                    return found
            self._pause(method, path, attempt, error)
        raise AssertionError("unreachable")  # the last attempt has raised in _pause

    def _settle(
        self,
        call: str,
        error: FastLabelException,
        settle: Callable[[Callable[[object], bool]], Any] | None,
        started: float,
    ) -> Any:
        """Find out what became of a call whose answer was lost."""

        def is_ours(created_at: object) -> bool:
            created = retry.timestamp(created_at)
            # Date has whole seconds, rounded down: never later than the true start.
            return created is not None and created >= started + self._clock_offset

        if settle is None:
            raise OutcomeUnknown(
                f"{error.message} It may have been carried out nevertheless; look before sending it again.", error.code
            )
        log.warning("The answer to %s was lost; looking up what became of it.", call)
        return settle(is_ours)

    def _pause(self, method: str, path: str, attempt: int, error: FastLabelException) -> None:
        """Wait before the next attempt, or raise when there is none."""
        asked = retry.asked_wait(error)
        if not retry.may_retry(error) or attempt >= self._max_retries or (asked or 0) > retry.RETRY_AFTER_CAP:
            raise error
        pause = retry.pause_before_retry(attempt, asked)
        log.warning(
            "%s %s failed (%s); attempt %d of %d in %.1f s.",
            method, path, type(error).__name__, attempt + 2, self._max_retries + 1, pause,
        )  # fmt: skip
        self.sleep(pause)

    def _attempt(
        self, method: str, path: str, params: Mapping[str, object] | None, data: bytes | StreamedBody | None
    ) -> tuple[Any, FastLabelException | None, bool]:
        """Send a call once. Return the answer, or the error and whether the call may have been carried out."""
        call = f"{method} {path}"
        try:
            with self.quota.slot():
                response = self._session.request(
                    method,
                    self.api_url + path,
                    params=params,  # type: ignore[arg-type]
                    data=data,
                    headers={"Content-Type": JSON_TYPE},
                    auth=self._auth,
                    timeout=self._timeout,
                    verify=self._verify,
                    proxies=self._api_proxies,
                    allow_redirects=method == "GET",
                )
        except requests.RequestException as problem:
            error, lost = retry.network_error(call, problem)
            return None, error, lost
        return self._read(call, response)

    def _read(self, call: str, response: requests.Response) -> tuple[Any, FastLabelException | None, bool]:
        """Return what an answer says: a result, or the error and whether the call may have been carried out."""
        date = retry.http_date(response.headers.get("Date"))
        if date is not None:
            self._clock_offset = date - time.monotonic()
        status = response.status_code
        if not 200 <= status < 300:
            wait = retry.retry_after_seconds(response.headers.get("Retry-After"), time.time())
            error = retry.error_for(call, status, self._auth.hide(response.text), wait)
            return None, error, status >= 500 or status == 408
        if call.startswith("DELETE"):
            return None, None, False
        if response.content:
            try:
                return response.json(), None, False
            except ValueError:
                problem = "is not JSON"
        elif call.startswith("GET"):
            problem = "is empty"
        else:
            return None, None, False
        return None, ConnectionFailed(f"{call}: the answer {problem}. Check the API URL and any proxy.", status), True

    def upload(self, url: str, file_path: str | os.PathLike[str], content_type: str) -> None:
        """Put a file to a signed address as it is, without the token, in flat memory.

        :raises FastLabelException: if the store does not accept it.
        """
        call = f"upload of {Path(file_path).name} to {urlsplit(url).hostname}"

        def send() -> FastLabelException | None:
            with (
                Path(file_path).open("rb") as file,
                self._signed("PUT", url, file, {"Content-Type": content_type}) as response,
            ):
                return self._refusal(call, response)

        self._persist(call, send)

    def download(self, url: str, target: Path) -> None:
        """Fetch a signed address into a file, which appears complete or not at all. No token is sent.

        Written aside, its length checked, then renamed. An interrupted transfer goes on where it stopped if the store
        can do that.

        :raises FastLabelException: if the store does not answer, or not with the whole file.
        """
        call = f"download of {target.name} from {urlsplit(url).hostname}"
        aside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        tag: list[str] = []

        def fetch() -> FastLabelException | None:
            have = aside.stat().st_size if aside.exists() and tag else 0
            headers = {"Accept-Encoding": "identity"} | (
                {"Range": f"bytes={have}-", "If-Range": tag[-1]} if have else {}
            )
            with self._signed("GET", url, None, headers) as response:
                if (refusal := self._refusal(call, response)) is not None:
                    return refusal
                have = have if response.status_code == 206 else 0
                etag = response.headers.get("ETag", "")
                tag[:] = [etag] if etag and not etag.startswith("W/") else []
                return _save(call, response, aside, have)

        try:
            self._persist(call, fetch)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def _persist(self, call: str, transfer: Callable[[], FastLabelException | None]) -> None:
        """Repeat a transfer of a file until it succeeds or the retries are used up."""
        for attempt in range(self._max_retries + 1):
            try:
                error = transfer()
            except requests.RequestException as problem:
                error = retry.network_error(call, problem)[0]
            if error is None:
                return
            self._pause(call, "", attempt, error)

    @contextlib.contextmanager
    def _signed(self, method: str, url: str, data: Any, headers: dict[str, str]) -> Iterator[requests.Response]:
        """Open a signed address: another host, no token, no quota."""
        with self._session.request(
            method,
            url,
            data=data,
            headers=headers,
            timeout=self._timeout,
            verify=self._verify,
            proxies=self._proxies_for(url),
            stream=True,
        ) as response:
            yield response

    def _refusal(self, call: str, response: requests.Response) -> FastLabelException | None:
        """Return the error of an answer outside 2xx; not its text, where stores repeat parts of the signature."""
        if response.ok and response.status_code < 300:
            return None
        wait = retry.retry_after_seconds(response.headers.get("Retry-After"), time.time())
        return retry.error_for(call, response.status_code, response.reason or "", wait)

    @property
    def _session(self) -> requests.Session:
        if os.getpid() != self._process:
            self._open_session()  # a forked child must not speak on its parent's connections
        return self._own_session

    def _open_session(self) -> None:
        session = requests.Session()
        session.trust_env = (
            False  # .netrc must not replace the token; proxies and certificates are passed with each call
        )
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = self._user_agent
        adapter = HTTPAdapter(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        self._own_session = session
        self._process = os.getpid()

    def _proxies_for(self, url: str) -> dict[str, str]:
        return self._proxies if self._proxies is not None else dict(get_environ_proxies(url))

    def __repr__(self) -> str:
        return f"<Transport {self.api_url}>"


def _certificates(verify: bool | str) -> bool | str:
    """Return what to verify TLS with: the bundle named in the environment takes the place of ``True``."""
    if verify is True:
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return verify


def _save(call: str, response: requests.Response, aside: Path, have: int) -> FastLabelException | None:
    """Write the body behind the ``have`` bytes of ``aside``, and check that the promised length arrived."""
    with aside.open("r+b" if have else "wb") as file:
        file.seek(have)
        got = sum(file.write(piece) for piece in response.iter_content(CHUNK_BYTES))
        file.truncate()
    promised = response.headers.get("Content-Length")
    if promised is not None and promised.isdigit() and int(promised) != got:
        return ConnectionFailed(f"{call}: {got} bytes arrived instead of {promised}.")
    return None
