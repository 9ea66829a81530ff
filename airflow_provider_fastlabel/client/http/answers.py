"""The bodies of answers: whole, decoded by ourselves, and never larger than anything FastLabel would send."""

from __future__ import annotations

import http.client
import io
import zlib
from typing import TYPE_CHECKING

import requests
import urllib3.exceptions

from airflow_provider_fastlabel.words import megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 256 * 1024**2
"""Bytes of an answer of the API, decoded: a page of 1000 tasks has a few at most."""
MOST_CONTAINERS = 10_000_000
"""Lists and objects of an answer: 1,000 tasks, the largest page there is, with 1,000 annotations each have six million.
"""
MOST_VALUES = 32_000_000
"""Values of an answer, about: coordinates of that many fill :data:`LARGEST`."""
CALM = 64 * 1024**2
"""Bytes to which anything compressed may swell."""
SWELLING = 100
"""How many times its size a larger body may swell. JSON swells by ten to thirty times, a bomb by a thousand."""
LONGEST_ERROR = 64 * 1024
"""Bytes of an error page that are read."""
CHUNK_BYTES = 256 * 1024
ASKED_ENCODING = "gzip"
_OTHERS = ("br", "zstd", "compress", "x-compress")
"""Encodings that are named where they come uncalled for. Any other text may be whatever the server repeats."""
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


class UnreadableBody(requests.RequestException):
    """The body of an answer cannot be decoded, or is larger than it may be; the text says which."""


def whole_body(response: requests.Response) -> bytes:
    """Return the body of an answer of the API, decoded.

    :param response: an answer whose body was not read yet.
    :raises UnreadableBody: if it is not in the encoding that was asked for, does not decode, swells beyond reason, is
        larger than :data:`LARGEST`, or as JSON would have more than :data:`MOST_VALUES`.
    :raises requests.RequestException: if the connection breaks.
    """
    collected = io.BytesIO()
    for piece in pieces(response):
        collected.write(piece)
        if collected.tell() > LARGEST:
            raise UnreadableBody(f"it is larger than {megabytes(LARGEST)}")
    body = collected.getvalue()
    _count_values(body)
    return body


def _count_values(body: bytes) -> None:
    """Refuse what would be far larger as values than as text: an empty list of three bytes takes seventy."""
    containers = body.count(b"[") + body.count(b"{")
    if containers > MOST_CONTAINERS:
        raise UnreadableBody(f"it has {containers:,} lists and objects, and {MOST_CONTAINERS:,} are the most")
    values = containers + body.count(b",")
    if values > MOST_VALUES:
        raise UnreadableBody(f"it has {values:,} values, and {MOST_VALUES:,} are the most")


def beginning(response: requests.Response) -> bytes:
    """Return the first :data:`LONGEST_ERROR` bytes of a body; errors as in :func:`whole_body`."""
    body = bytearray()
    for piece in pieces(response):
        body += piece
        if len(body) >= LONGEST_ERROR:
            break
    return bytes(body[:LONGEST_ERROR])


def pieces(response: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer, decoded, in pieces of at most :data:`CHUNK_BYTES`.

    The libraries below would decode what arrives into memory in one go, by as many encodings as the answer names.
    A body that was read to its end gives its connection back; any other closes it.

    :param response: an answer whose body was not read yet.
    :raises UnreadableBody: see :func:`whole_body`; there is no bound on the size of what did not swell.
    :raises requests.RequestException: if the connection breaks.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    try:
        if encoding in ("", "identity"):
            yield from _raw(response)
        elif encoding in ("gzip", "x-gzip", "deflate"):
            yield from _inflated(response)
        else:
            name = f"as '{encoding}'" if encoding in _OTHERS else "in a way"
            raise UnreadableBody(f"it is encoded {name}, which was not asked for")
        response.raw.release_conn()
    except zlib.error:
        raise UnreadableBody(f"it is not {encoding}, as it says") from None
    except UnreadableBody:
        raise
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError, OverflowError) as problem:
        raise requests.ConnectionError(problem) from None
    finally:
        response.raw.close()


def _raw(response: requests.Response) -> Iterator[bytes]:
    yield from response.raw.stream(CHUNK_BYTES, decode_content=False)


def _inflated(response: requests.Response) -> Iterator[bytes]:
    """Yield what gzip or zlib hold, also where several of them follow each other."""
    came = made = 0
    inflating = zlib.decompressobj(_ZLIB_OR_GZIP)
    for piece in _raw(response):
        came += len(piece)
        data = piece
        while data:
            if inflating.eof:
                inflating = zlib.decompressobj(_ZLIB_OR_GZIP)
            part = inflating.decompress(data, CHUNK_BYTES)
            data = inflating.unused_data if inflating.eof else inflating.unconsumed_tail
            made += len(part)
            if made > max(CALM, came * SWELLING):
                raise UnreadableBody(f"{megabytes(came)} of it swell to more than {megabytes(made)}")
            yield part
    yield inflating.flush()  # of a few bytes that a full piece had no room for
    if came and not inflating.eof:
        raise UnreadableBody("its compressed text ends too early")
