"""Errors in the shape FastLabel answers them: ``{"statusCode", "message", "error"}``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

_SHOWN_PROBLEMS = 5


class ApiError(Exception):
    """A request that is answered with an error.

    :param status: HTTP status code.
    :param message: what is wrong, naming the field or the thing.
    :param headers: further response headers, such as ``Retry-After``.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers: dict[str, str] = dict(headers or {})


def not_found(what: str, key: str) -> ApiError:
    """Return the error for an id, slug or name nobody has."""
    return ApiError(404, f"{what} is not found: {key}")


def conflict(message: str) -> ApiError:
    """Return the error for a name or slug that is taken."""
    return ApiError(409, message)


def invalid(message: str) -> ApiError:
    """Return the error for a value the server refuses."""
    return ApiError(422, message)


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return one error as an HTTP response in the NestJS shape.

    :param status: HTTP status code.
    :param message: text for people; always present, because the official client reads it unconditionally.
    :param headers: further response headers.
    """
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    body = orjson.dumps({"statusCode": status, "message": message, "error": phrase})
    return Response(body, status, dict(headers or {}), media_type="application/json")


def install(app: FastAPI) -> None:
    """Answer every kind of error of ``app`` in the one shape.

    :param app: the application whose exception handlers are set.
    """
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _our_fault)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error.status, error.message, error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = f"Cannot {request.method} {request.url.path}"
    return error_response(error.status_code, message, error.headers)


async def _our_fault(_request: Request, _error: Exception) -> Response:
    return error_response(500, "the emulator failed; its log says why")


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [_problem(dict(item)) for item in error.errors()[:_SHOWN_PROBLEMS]]
    return error_response(422, "; ".join(problems))


def _problem(item: dict[str, object]) -> str:
    where = item.get("loc")
    steps = [str(step) for step in where] if isinstance(where, tuple) else []
    field = ".".join(steps[1:]) or (steps[0] if steps else "request")
    if item.get("type") == "extra_forbidden":
        return f"property {field} should not exist"
    text = f"{field}: {item.get('msg')}"
    return text.encode("utf-8", "replace").decode()
