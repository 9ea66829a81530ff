"""The one door to the network: calls to the API with quota, retries and typed errors, and signed transfers."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from airflow_provider_fastlabel.client.arguments import not_unicode
from airflow_provider_fastlabel.client.exceptions import (
    Conflict,
    ConnectionFailed,
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
    OutcomeUnknown,
)
from airflow_provider_fastlabel.client.http import retry
from airflow_provider_fastlabel.client.http.answers import beginning, whole_body
from airflow_provider_fastlabel.client.http.bodies import StreamedBody, encode
from airflow_provider_fastlabel.client.http.early import ask_early
from airflow_provider_fastlabel.client.http.quota import WINDOW_SECONDS, Quota, shared_quota
from airflow_provider_fastlabel.client.http.session import TokenAuth, base_url
from airflow_provider_fastlabel.client.http.shapes import unexpected
from airflow_provider_fastlabel.client.http.transfers import Transfers
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_fastlabel.client.http.early import EarlyAnswer, Exchanged
    from airflow_provider_fastlabel.client.http.shapes import Shape

log: logging.Logger = logging.getLogger(__name__)

_LONGEST_PATH = 300
"""Characters of a path in a message: an id in it is what an answer said."""

DONE_PERHAPS = (302, 303, 408)
"""Statuses below 500 that also follow a call which was carried out: "found" and "see other" lead to its result."""


def segment(value: object) -> str:
    """Return an id, slug or object name as one segment of a path, which no value can leave.

    :raises FastLabelInvalidException: for an empty value and for ``.`` and ``..``, which would address another route.
    """
    text = "" if value is None else str(value)
    if text in ("", ".", ".."):
        raise FastLabelInvalidException(f"{text!r} is not an id, slug or name. Nothing was sent.", 422)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise not_unicode(error) from None


class Transport(Transfers):
    """Sends calls to the API, and files to and from signed addresses. Safe to use from many threads.

    Paths are relative to the base URL, without a slash in front; put ids and slugs through :func:`segment`.

    :param token: access token.
    :param api_url: base URL of the API; a slash at its end may be missing.
    :param calls_per_10_minutes: the quota of this token, shared by all its transports on this machine.
    :param quota_seconds: length of the quota's window.
    :param quota_redis: address of a Redis by which several machines share the quota.
    :param token_source: in words, where the token comes from, for the message when FastLabel refuses it.
    :param connection: see :class:`~airflow_provider_fastlabel.client.http.session.Connections`.
    :raises ValueError: if an argument cannot be one; the message names it.
    """

    def __init__(
        self,
        token: str,
        api_url: str,
        *,
        calls_per_10_minutes: int,
        token_source: str,
        quota_seconds: float = WINDOW_SECONDS,
        quota_redis: str | None = None,
        **connection: Any,
    ) -> None:
        self.api_url: str = base_url(api_url)
        self._auth = TokenAuth(token, self.api_url)
        self._token_source = token_source
        self.may_have_changed: bool = False
        """Whether a call has, or may have, changed anything at FastLabel."""
        super().__init__(**connection)
        self.quota: Quota = shared_quota(
            self.api_url, token, calls_per_10_minutes, window=quota_seconds, redis=quota_redis
        )
        self._clock_offset = time.time() - time.monotonic()

    def get(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        shape: Shape | None = None,
        early: EarlyAnswer | None = None,
    ) -> Any:
        """Read something.

        :param params: the query. ``None`` values are not sent; lists are sent as repeated keys.
        :param shape: of the answer, from :mod:`~airflow_provider_fastlabel.client.http.shapes`; ``None`` for any.
        :param early: what :meth:`ask_early` returned for this path and query: the first attempt. Should it have failed,
            that is told here, after the pause it asks for, or leads to the next attempt, as of any call.
        :raises UnexpectedAnswer: if the answer is of another shape.
        """
        return self._call("GET", path, params=params, shape=shape, early=early)

    def ask_early(self, path: str, params: Mapping[str, object] | None = None) -> EarlyAnswer | None:
        """Send a read whose answer is taken later, by :meth:`get`. It is sent once, and waits for nothing.

        :param params: as in :meth:`get`.
        :returns: ``None`` if nothing is sent: no call of the quota is free now, or the machine gives no more threads.
        """
        session = self._session
        return ask_early(lambda: self._exchange(session, "GET", path, params=params), self.quota)

    def post(
        self,
        path: str,
        body: Mapping[str, object] | StreamedBody,
        *,
        settle: Callable[[Callable[[object], bool]], Any] | None = None,
        idempotent: bool = False,
        shape: Shape | None = None,
    ) -> Any:
        """Send something that may create.

        A call whose answer was lost (reset, timeout, 5xx, or not of the ``shape``) may have been carried out. Then:

        * an ``idempotent`` call is simply sent again;
        * ``settle(is_ours)`` is asked what became of it. It returns the result, or ``None`` if nothing was created and
          the call may be sent again, or raises. ``is_ours(created_at)`` tells whether something was created since this
          call began;
        * without either, and where the look-up itself fails, :class:`OutcomeUnknown` is raised.

        :returns: the parsed answer; ``None`` if it is empty.
        """
        return self._call("POST", path, body=body, settle=settle, repeatable=idempotent, shape=shape)

    def put(self, path: str, body: Mapping[str, object] | StreamedBody, *, removes: bool = False) -> Any:
        """Set something, by a body that may be sent twice. ``None`` if the answer is empty.

        :param removes: whether this takes something away: then as :meth:`delete`.
        """
        return self._call("PUT", path, body=body, removes=removes)

    def delete(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """Delete something. When the answer was lost, "not found" at the second attempt means it is done."""
        self._call("DELETE", path, body=body, removes=True)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Mapping[str, object] | StreamedBody | None = None,
        settle: Callable[[Callable[[object], bool]], Any] | None = None,
        repeatable: bool = True,
        removes: bool = False,
        shape: Shape | None = None,
        early: EarlyAnswer | None = None,
    ) -> Any:
        """Make a call, repeating it as far as that is safe.

        Errors are raised outside of ``except`` blocks, so that they carry no request, and with it no token, as context.
        """
        started = time.monotonic()
        call = f"{method} {foreign_text(path, _LONGEST_PATH)}"
        data = encode(body) if body is not None and not isinstance(body, StreamedBody) else body
        lost_before = False
        for attempt in range(self._max_retries + 1):
            # A kept connection may just be closing; that must not put a call in doubt which nothing can settle.
            fresh = not (repeatable or settle)
            answer, error, lost = self._attempt(method, path, params, data, fresh=fresh, early=early)
            early = None
            self.may_have_changed |= method != "GET" and (error is None or lost)
            if error is None:
                if shape is None or (problem := shape(answer)) is None:
                    return answer
                error, lost = unexpected(call, self._auth.hide(problem)), True
            if removes and lost_before and isinstance(error, NotFound):
                return None
            in_doubt = lost or (lost_before and error.code in (400, 409, 422))
            lost_before = lost_before or lost
            if in_doubt and not repeatable:
                found = self._settle(call, error, settle, started)
                if found is not None:
                    return found
            self._pause(call, attempt, error)
        raise AssertionError("unreachable: the last attempt has returned or raised")

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
            # The server's Date has whole seconds, rounded down: never later than the true start.
            return created is not None and created >= started + self._clock_offset

        in_vain = ask_again = None
        if settle is not None:
            log.warning("The answer to %s was lost; looking up what became of it.", call)
            try:
                return settle(is_ours)
            except (Conflict, OutcomeUnknown):
                raise
            except FastLabelException as problem:
                in_vain, ask_again = problem.message, retry.asked_wait(problem)
        raise OutcomeUnknown(
            f"{error.message} It may have been carried out nevertheless; look before sending it again."
            + (f" Looking it up failed: {in_vain}" if in_vain else ""),
            error.code,
            ask_again,
        )

    def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        data: bytes | StreamedBody | None,
        *,
        fresh: bool,
        early: EarlyAnswer | None,
    ) -> tuple[Any, FastLabelException | None, bool]:
        """Send a call once, or take what was sent early.

        :returns: the answer, or the error and whether the call may have been carried out.
        """
        session = self._new_session() if fresh else self._session
        call = f"{method} {foreign_text(path, _LONGEST_PATH)}"
        try:
            answered = [(early and early.taken()) or self._in_turn(session, method, path, params, data)]
        except FastLabelException as problem:  # of a file in the body; the frames on its way hold the headers
            return None, problem.with_traceback(None), False
        except UnicodeEncodeError as problem:
            return None, not_unicode(problem), False
        except requests.RequestException as problem:
            error, lost = retry.network_error(call, problem)
            return None, error, lost
        finally:
            if fresh:
                session.close()
        return self._read(method, call, answered)

    def _in_turn(self, session: requests.Session, method: str, path: str, params: Any, data: Any) -> Exchanged:
        """Send a call as soon as the quota has one free."""
        with self.quota.slot(self.patience_for_quota):
            return self._exchange(session, method, path, params=params, data=data)

    def _exchange(self, session: requests.Session, method: str, path: str, **more: Any) -> Exchanged:
        """Send a call, for which a slot of the quota is taken, and receive its answer."""
        response = self._send(
            session,
            method,
            self.api_url + path,
            headers={"Content-Type": "application/json"},
            auth=self._auth,
            allow_redirects=method == "GET",
            **more,
        )
        date = retry.http_date(response.headers.get("Date"))
        if date is not None:
            self._clock_offset = date - time.monotonic()
        # Of what says nothing but that it is done, or why not, the beginning will do.
        ok = 200 <= response.status_code < 300 and method != "DELETE"
        return response, whole_body(response) if ok else beginning(response)

    def _read(self, method: str, call: str, answered: list[Exchanged]) -> tuple[Any, FastLabelException | None, bool]:
        """Return what an answer says: a result, or the error and whether the call may have been carried out.

        :param answered: the one answer, which is taken out: the text of a page has megabytes.
        """
        response, body = answered.pop()
        status = response.status_code
        page = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        if not 200 <= status < 300:
            said = retry.error_text(body, self._auth.hide)
            error = retry.error_for(call, status, said, retry.asked_pause(response.headers), self._token_source)
            error.web_page = page
            return None, error, status >= 500 or status in DONE_PERHAPS
        if method == "DELETE" or (method != "GET" and not body):
            return None, None, False
        what = "is a web page, not JSON" if page else "is not JSON" if body else "is empty"
        try:
            text = body.decode("utf-8-sig")
            del body
            return json.loads(text), None, False
        except (ValueError, RecursionError):
            unread = ConnectionFailed(f"{call}: the answer {what}. Check the API URL and any proxy.", status)
            unread.web_page = page
            return None, unread, True

    def __repr__(self) -> str:
        return f"<Transport {self.api_url}>"
