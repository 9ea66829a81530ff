"""What can go wrong in a call to FastLabel, one class per cause.

The two public bases are those of the official SDK: a program that catches them keeps working. Below them there is one
class per cause, so that a caller decides by type and never by parsing a text. No exception ever holds a token, a header
or a signed URL.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_fastlabel.foreign_text import visible


class FastLabelException(Exception):  # noqa: N818 - the names are FastLabel's or our contract's
    """A call to FastLabel failed.

    :param message: what happened, in which call, and what to do next.
    :param errcode: HTTP status code, ``None`` when there was no answer.
    """

    web_page: bool = False
    """Whether the answer was a web page, as proxies and web applications give, where the API answers with JSON."""

    def __init__(self, message: str, errcode: int | None = None) -> None:
        self.message: str = visible(message)
        super().__init__(self.message, errcode)
        self.code = errcode

    def __str__(self) -> str:
        if self.code is None:
            return self.message
        return f"<Response [{self.code}]> {self.message}"


class FastLabelInvalidException(FastLabelException, ValueError):  # noqa: N818
    """The request is at fault: FastLabel answered 4xx, or the client refused it before sending (code 422)."""


class AuthError(FastLabelInvalidException):
    """FastLabel does not accept the token (401) or the token lacks the right (403)."""


class NotFound(FastLabelInvalidException):
    """The id or slug is unknown (404)."""


class Conflict(FastLabelInvalidException):
    """The name or slug exists already (409, or 400 and 422 saying so)."""


class RateLimited(FastLabelInvalidException):
    """Too many calls: FastLabel says so (429), or all calls of our own quota are used and the wait would be too long.

    :param retry_after: seconds after which FastLabel wants to be asked again, ``None`` when it did not say.
    """

    def __init__(self, message: str, errcode: int | None = 429, retry_after: float | None = None) -> None:
        super().__init__(message, errcode)
        self.args: tuple[Any, ...] = (self.message, errcode, retry_after)
        self.retry_after = retry_after


class ServerError(FastLabelException):
    """FastLabel answered 5xx, still after the retries.

    :param retry_after: seconds after which FastLabel wants to be asked again, ``None`` when it did not say.
    """

    def __init__(self, message: str, errcode: int | None = 500, retry_after: float | None = None) -> None:
        super().__init__(message, errcode)
        self.args: tuple[Any, ...] = (self.message, errcode, retry_after)
        self.retry_after = retry_after


class Unavailable(ServerError):  # noqa: N818
    """FastLabel answered 5xx and wants to be asked again later than this client waits: that concerns every call."""


class ConnectionFailed(FastLabelException):
    """FastLabel was not reached, or the connection broke before the whole answer came."""


class RequestTimeout(FastLabelException, TimeoutError):  # noqa: N818
    """FastLabel did not answer within the timeout."""


class UnexpectedAnswer(FastLabelException):
    """An answer is not of the shape or size that this call has; the message says which call answered what."""


class OutcomeUnknown(FastLabelException):
    """A call that must not be repeated was sent, its answer was lost, and it cannot be found out what became of it.

    :param retry_after: seconds after which FastLabel can be asked what became of it, ``None`` if it did not say so.
    """

    def __init__(self, message: str, errcode: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, errcode)
        self.args: tuple[Any, ...] = (self.message, errcode, retry_after)
        self.retry_after = retry_after


def cannot_pass(error: BaseException) -> bool:
    """Tell whether asking again must fail the same way: a refused token, a missing thing, a request that is at fault.

    :param error: any error.
    """
    return isinstance(error, FastLabelInvalidException) and not isinstance(error, RateLimited)
