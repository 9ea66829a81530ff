"""Answers that break the rules of HTTP, swell, or drip: nothing is held for ever, and no create is thought unsent."""

from __future__ import annotations

import gzip
import json
import logging
import time
import zlib
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.client import (
    FastLabelClient,
    FastLabelException,
    OutcomeUnknown,
    RateLimited,
    RequestTimeout,
    UnexpectedAnswer,
)
from airflow_provider_fastlabel.client.http import answers, deadlines
from tests.limits import run_limited

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER_TIME = "Wed, 01 Jul 2026 12:00:00 GMT"
JUST_NOW = "2026-07-01T12:00:00.400Z"


def head(*lines, body=b"", status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


PACKED = gzip.compress(b'"t9"' * 50)
CARRIED_OUT = {
    "two lengths": head("Content-Length: 4", "Content-Length: 5", body=b'"t9"'),
    "two lengths in one": head("Content-Length: 4, 5", body=b'"t9"'),
    "a length that is none": head("Content-Length: -4", body=b""),
    "a broken redirect": head("Location: http://[::1/x", "Content-Length: 0", status="302 Found"),
    "a redirect to nowhere": head("Location: http://a..b:99999/", "Content-Length: 0", status="302 Found"),
    "a redirect to a file": head("Location: file:///etc/passwd", "Content-Length: 0", status="303 See Other"),
    "a redirect that is no text": head("Location: \xff\xfe", "Content-Length: 0", status="302 Found"),
    "a status that is none": head("Content-Length: 0", status="fine"),
    "a status of letters": head("Content-Length: 0", status="2\xb20 OK"),
    "a status far off": head("Content-Length: 0", status="99999 X"),
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "noise": bytes(range(256)) * 10,
    "a header without end": head("X: " + "x" * 70_000),
    "a thousand headers": head(*["X: x"] * 1000, "Content-Length: 0"),
    "a chunk that is none": head("Transfer-Encoding: chunked", body=b"zz\r\n"),
    "a chunk below zero": head("Transfer-Encoding: chunked", body=b"-5\r\nabc"),
    "a chunk too large": head("Transfer-Encoding: chunked", body=b"f" * 200 + b"\r\n"),
    "a coding of transfer that is none": head("Transfer-Encoding: magic", "Content-Length: 4", body=b"\0\1\2\3"),
    "no gzip": head("Content-Encoding: gzip", "Content-Length: 4", body=b'"t9"'),
    "half a gzip": head(
        "Content-Encoding: gzip", f"Content-Length: {len(PACKED) // 2}", body=PACKED[: len(PACKED) // 2]
    ),
    "a foreign encoding": head("Content-Encoding: br", "Content-Length: 4", body=b"\x8b\x01\x80a"),
    "an encoding that is none": head("Content-Encoding: \x1b[2J", "Content-Length: 4", body=b'"t9"'),
    "two encodings": head("Content-Encoding: gzip, gzip", "Content-Length: 4", body=b'"t9"'),
    "half surrogates and no JSON": head("Content-Length: 6", body=b"\xed\xa0\x80abc"),
    "half a length": head("Content-Length: 1000", body=b'"t9"'),
    "another protocol from now on": head("Upgrade: x", status="101 Switching Protocols"),
    "one interim answer after the other": head(status="103 Early Hints") * 2000,
    "nothing but goes on": head(status="100 Continue") * 2000,
}


@pytest.fixture
def quick(raw, raw_client):
    """A client that waits half a second for what never comes."""
    raw_client.transport._timeout = (5, 0.5)
    return raw_client


@pytest.mark.parametrize("answer", CARRIED_OUT.values(), ids=CARRIED_OUT)
def test_a_post_that_was_sent_is_in_doubt_whatever_the_answer_is(raw, quick, answer):
    """Each of these comes after the call was carried out."""
    raw.play(answer)
    with pytest.raises(OutcomeUnknown, match="POST model-monitorings/create.*look before sending it again") as caught:
        quick.create_model_monitoring_request_results("m", [])
    assert raw.lines() == ["POST model-monitorings/create"]
    assert "Nothing was sent" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.__context__ is None


@pytest.mark.parametrize("answer", CARRIED_OUT.values(), ids=CARRIED_OUT)
def test_a_create_by_name_is_looked_up_whatever_the_answer_is(raw, quick, tmp_path, answer):
    (tmp_path / "a.txt").write_text("hello")
    found = [{"id": "t9", "name": "n", "createdAt": JUST_NOW}]
    raw.play(answer, raw.answer(200, found, Date=SERVER_TIME))
    assert quick.create_text_task("p", "n", tmp_path / "a.txt") == "t9"
    assert [line.split("?")[0] for line in raw.lines()] == ["POST tasks/text", "GET tasks/text"]


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 X"])
def test_an_interim_answer_is_not_the_answer(raw, raw_client, status):
    """What comes behind it would be read as the answer of the next call on the same connection."""

    def step(request):
        yield head("Link: </style.css>; rel=preload", status=status)
        time.sleep(0.1)
        yield raw.answer(200, [{"id": request["path"].partition("?")[2], "slug": "s"}])

    raw.play(step)
    paths = [f"projects?n={number}" for number in range(3)]
    assert [raw_client.transport.get(path)[0]["id"] for path in paths] == ["n=0", "n=1", "n=2"]
    assert raw.connections == 1


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary", "308 Permanent"])
def test_a_post_that_is_sent_elsewhere_was_not_carried_out(raw, raw_client, status):
    raw.play(head("Location: http://[::1/x", "Content-Length: 0", status=status))
    with pytest.raises(FastLabelException, match="redirected where this call does not follow") as caught:
        raw_client.create_model_monitoring_request_results("m", [])
    assert type(caught.value) is FastLabelException


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[::1/x", "//", "ftp://x/", "http://a..b/", "\xff"])
def test_a_read_that_is_redirected_to_what_is_no_address(raw, raw_client, location):
    raw.play(head(f"Location: {location}", "Content-Length: 0", status="302 Found"))
    with pytest.raises(FastLabelException, match="GET projects"):
        raw_client.get_projects()


@pytest.mark.parametrize("retry_after", ["1e308", "-1", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "\xff", "nan"])
def test_a_pause_that_no_clock_can_take(raw, raw_client, retry_after):
    raw.play(head(f"Retry-After: {retry_after}", "Content-Length: 0", status="429 Slow"))
    with pytest.raises(RateLimited) as caught:
        raw_client.get_projects()
    assert (caught.value.retry_after or 0) <= 86_400


@pytest.mark.parametrize("token", ["a\nb: c", "a\r\n", "\ttoken", "a\x00b", "a\u2028b"])
def test_a_token_adds_no_header(raw, token):
    """Blanks around it are those of a careless copy."""
    raw.play(raw.answer(200, []))
    if token.strip().isprintable():
        with FastLabelClient(token, api_url=raw.url) as client:
            client.get_projects()
        assert raw.requests[0]["headers"]["authorization"] == f"Bearer {token.strip()}"
    else:
        with pytest.raises(ValueError, match="access token") as caught:
            FastLabelClient(token, api_url=raw.url)
        assert token not in str(caught.value)


# Bodies that swell ---------------------------------------------------------------------------------------------------


@cache
def bomb(size):
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * 1_000_000
    return b"".join(
        [*(packer.compress(block) for _ in range(size // 1_000_000)), packer.compress(b"[]"), packer.flush()]
    )


SMALL = """
import sys
from pathlib import Path
from airflow_provider_fastlabel.client import FastLabelClient, FastLabelException
client = FastLabelClient("secret-token", api_url=sys.argv[1], max_retries=0)
try:
    CALL
except FastLabelException as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        ("client.get_projects()", 200, "UnexpectedAnswer GET projects: the answer cannot be read"),
        ("client.get_projects()", 302, "UnexpectedAnswer GET projects: the answer cannot be read"),
        ("client.get_projects()", 503, "ServerError <Response [503]>"),
        ("client.create_model_monitoring_request_results('m')", 200, "OutcomeUnknown POST model-monitorings/create"),
        ("client.delete_task('t')", 200, ""),
        (
            "client.transport.download(sys.argv[1] + 'f?X-Signature=s3cr3t', Path(sys.argv[2]) / 'f')",
            200,
            "UnexpectedAnswer download of f from 127.0.0.1: the answer cannot be read",
        ),
    ],
)
def test_a_body_that_swells_costs_little(raw, tmp_path, call, status, says):
    """653 MB in 636 kB; asked for as they are, downloads are answered so all the same."""
    data = bomb(653_000_000)
    redirect = "Location: /v1/projects" if status == 302 else "X: x"
    raw.play(
        head("Content-Encoding: gzip", f"Content-Length: {len(data)}", redirect, status=f"{status} Text", body=data),
        head("Content-Encoding: gzip", f"Content-Length: {len(data)}", body=data),
    )
    said = run_limited(SMALL.replace("CALL", call), raw.url, tmp_path, seconds=20)
    assert said.startswith(says)
    assert "s3cr3t" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_says_the_same_over_and_over_is_no_bomb(raw, raw_client):
    """As of 1000 tasks that all got the same 500 annotations: 37 MB in 160 kB."""
    box = {"type": "bbox", "value": "cat", "title": "Cat", "points": [0, 0, 1, 1]}
    tasks = [{"id": str(number), "status": "registered", "annotations": [box] * 500} for number in range(1000)]
    data = gzip.compress(json.dumps(tasks).encode(), 9)
    raw.play(head("Content-Encoding: gzip", f"Content-Length: {len(data)}", body=data))
    assert len(raw_client.transport.get("tasks/image")) == 1000


def test_an_answer_has_a_largest_size(raw, raw_client, monkeypatch):
    monkeypatch.setattr(answers, "LARGEST", 1000)
    raw.play(raw.answer(200, ["x" * 2000]))
    with pytest.raises(UnexpectedAnswer, match="larger than 1 kB"):
        raw_client.get_projects()
    assert len(raw.requests) == 1


@pytest.mark.parametrize("wbits", [31, 15])
@pytest.mark.parametrize("parts", [1, 3])
def test_answers_that_are_compressed_as_asked_are_whole(raw, raw_client, wbits, parts):
    """Several parts of gzip follow each other as one."""
    text = b"[" + b" " * 3_000_000 + b'{"id": "p"}]'
    cuts = [len(text) * number // parts for number in range(parts + 1)]
    data = b"".join(zlib.compress(text[a:b], wbits=wbits) for a, b in pairwise(cuts))
    raw.play(raw.answer(body=data, Content_Encoding="gzip" if wbits == 31 else "deflate"))
    assert raw_client.get_projects() == [{"id": "p"}]
    assert raw_client.get_projects() == [{"id": "p"}]
    assert raw.requests[0]["headers"]["accept-encoding"] == "gzip"
    assert raw.connections == 1


def test_a_file_that_is_stored_compressed_arrives_as_it_was(raw, raw_client, tmp_path):
    data = bytes(range(256)) * 4000
    raw.play(raw.answer(body=gzip.compress(data), Content_Encoding="gzip", ETag='"e1"'))
    raw_client.transport.download(raw.url + "f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == data


# Answers that drip ---------------------------------------------------------------------------------------------------

START = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", START], ids=["status", "headers", "body"])
@pytest.mark.parametrize("call", ["read", "create", "download"])
def test_an_answer_that_drips_ends(raw, tmp_path, start, call):
    """Each byte comes within the timeout."""
    raw.play(raw.drip(b"H" * 1000, 0.05, start))
    with FastLabelClient("secret-token", api_url=raw.url, max_retries=0, timeout=(5, 0.1)) as client:
        calls: dict[str, tuple[type[Exception], Callable[[], object]]] = {
            "read": (RequestTimeout, client.get_projects),
            "create": (OutcomeUnknown, lambda: client.create_model_monitoring_request_results("m")),
            "download": (RequestTimeout, lambda: client.transport.download(raw.url + "f", tmp_path / "f")),
        }
        kind, make = calls[call]
        with pytest.raises(kind, match="not the whole of it within 10 times as long"):
            make()


def test_an_answer_that_says_continue_for_ever_ends(raw):
    raw.play(raw.drip(b"", 0, b"HTTP/1.1 100 Continue\r\n\r\n" * 5), raw.HANG)
    with (
        FastLabelClient("secret-token", api_url=raw.url, max_retries=0, timeout=(5, 0.1)) as client,
        pytest.raises(RequestTimeout),
    ):
        client.get_projects()


def test_a_slow_download_that_brings_enough_is_not_cut_off(raw, raw_client, tmp_path):
    """It takes longer than ten timeouts, at forty kilobytes a second."""
    size = 60_000

    def slowly(request):
        yield f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        for _ in range(size // 2000):
            raw._stop.wait(0.05)
            yield bytes(2000)

    raw.play(slowly)
    raw_client.transport._timeout = (5, 0.1)
    raw_client.transport.download(raw.url + "f", tmp_path / "f")
    assert (tmp_path / "f").stat().st_size == size


def test_a_connection_keeps_its_timeout_after_an_answer_that_was_nearly_late(raw, monkeypatch):
    passed = [0.0]
    monkeypatch.setattr(deadlines, "time", SimpleNamespace(monotonic=lambda: passed[0]))

    def nearly_late(request):
        raw._stop.wait(0.2)  # the clock of the answer starts when the client has sent its request
        passed[0] += 28
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n["
        raw._stop.wait(0.2)
        yield b"]"

    with FastLabelClient("secret-token", api_url=raw.url, max_retries=0, timeout=(5, 3)) as client:
        raw.play(nearly_late)
        client.get_projects()
        adapter: Any = client.transport._session.get_adapter(raw.url)
        pools = adapter.poolmanager.pools
        (connection,) = filter(None, pools[pools.keys().pop()].pool.queue)
        assert connection.sock.gettimeout() == 3
        raw.play(raw.answer(200, []))
        client.get_projects()
    assert raw.connections == 1


def test_headers_that_make_no_sense_bring_no_signature_into_the_log(raw, raw_client, tmp_path, caplog):
    raw.play(head("Content-Length: 1", "X: x", " \x1b[2J no header: at all", "\x00", body=b"x"))
    with caplog.at_level(logging.DEBUG):
        raw_client.transport.download(raw.url + "f?X-Signature=s3cr3t", tmp_path / "f")
    assert "s3cr3t" not in caplog.text
    assert "\x1b" not in caplog.text


MANY_VALUES = """
from airflow_provider_fastlabel.client import FastLabelClient, UnexpectedAnswer
from tests.client.conftest import RawServer
raw = RawServer()
with FastLabelClient("secret-token", api_url=raw.url, max_retries=0) as client:
    for piece in (b"[],", b'{"":0},', b'"abc",', b"0.5,"):
        body = b"[" + piece * (200_000_000 // len(piece)) + b"0]"
        raw.play(raw.answer(200, body=body))
        try:
            client.get_projects()
        except UnexpectedAnswer as error:
            print(error)
raw.stop()
"""


def test_an_answer_of_nothing_but_small_values_is_refused():
    """200 MB of them took 5 GB."""
    printed = run_limited(MANY_VALUES, seconds=60)
    assert printed.count("lists and objects, and 10,000,000 are the most") == 2
    assert printed.count("values, and 32,000,000 are the most") == 2
