"""Reads, refusals and connections, against a server that breaks connections for real."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from email.utils import formatdate

import pytest

from airflow_provider_fastlabel.client import (
    AuthError,
    Conflict,
    ConnectionFailed,
    FastLabelClient,
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
    RateLimited,
    RequestTimeout,
    ServerError,
)


def test_a_read_is_repeated_until_it_succeeds(raw, raw_client):
    raw.play(raw.RESET, raw.answer(503, {"message": "busy"}), raw.answer(200, [{"id": "p"}]))
    assert raw_client.get_projects() == [{"id": "p"}]
    assert raw.lines() == ["GET projects?limit=100"] * 3
    assert len(raw_client.pauses) == 2
    assert 0 <= raw_client.pauses[0] <= 0.5
    assert 0 <= raw_client.pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RESET", ConnectionFailed),
        ("truncated", ConnectionFailed),
        ("html", ConnectionFailed),
        ("empty", ConnectionFailed),
        ("204", ConnectionFailed),
        ("500", ServerError),
        ("429", RateLimited),
    ],
)
def test_after_the_last_retry_the_cause_is_raised(raw, raw_client, step, expected):
    raw.play(
        {
            "RESET": raw.RESET,
            "truncated": raw.answer(body=b"[", length=100) + b"",
            "html": raw.answer(body=b"<html>proxy</html>"),
            "empty": raw.answer(body=b""),
            "204": raw.answer(204),
            "500": raw.answer(500, {"message": "boom"}),
            "429": raw.answer(429, {"message": "slow down"}),
        }[step]
    )
    if step == "truncated":
        raw.play(lambda request: raw.CLOSE_EARLY)
    with pytest.raises(expected) as caught:
        raw_client.find_project("p1")
    assert "GET projects/p1" in caught.value.message
    assert len(raw.requests) == 3


def test_an_answer_cut_short_is_not_taken_for_the_whole(raw, raw_client):
    def cut(request):
        return raw.answer(body=b'[{"id": "1"}', length=4000)

    raw.play(cut, raw.answer(200, [{"id": "1"}, {"id": "2"}]))
    raw_client.transport._timeout = (5, 0.2)  # the rest never comes
    assert len(raw_client.get_projects()) == 2


def test_a_silent_server_is_a_timeout(raw):
    with FastLabelClient("t", api_url=raw.url, max_retries=0, timeout=(5, 0.1)) as client:
        raw.play(raw.HANG)
        with pytest.raises(RequestTimeout) as caught:
            client.get_projects()
    assert isinstance(caught.value, TimeoutError)
    assert "timeout" in str(caught.value)


def test_a_closed_port_is_named_and_not_in_doubt():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with FastLabelClient("t", api_url=f"http://127.0.0.1:{port}/v1/", max_retries=1) as client:
        client.transport.sleep = lambda _: None
        with pytest.raises(ConnectionFailed, match="refused"):
            client.create_model_monitoring_request_results("m")


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (401, b'{"message": "Unauthorized"}', AuthError, "refused the access token. Put a valid one into the argument"),
        (403, b'{"message": "Forbidden"}', AuthError, "The access token from the argument access_token is valid, but"),
        (404, b'{"statusCode": 404, "message": "no such project", "error": "Not Found"}', NotFound, "no such project"),
        (409, b'{"message": "conflict"}', Conflict, "conflict"),
        (422, b'{"message": "name already exists"}', Conflict, "already exists"),
        (400, b'{"message": ["slug is already used", "x"]}', Conflict, "slug is already used; x"),
        (422, b'{"message": "tags must not hold duplicates"}', FastLabelInvalidException, "duplicates"),
        (422, b'{"message": "duplicate name"}', Conflict, "duplicate name"),
        (422, b'{"message": "limit is too large"}', FastLabelInvalidException, "limit is too large"),
        (422, b'{"message": ["a must be b", "c must be d"]}', FastLabelInvalidException, "a must be b; c must be d"),
        (422, b'{"error": "Unprocessable Entity"}', FastLabelInvalidException, "Unprocessable Entity"),
        (400, b"{}", FastLabelInvalidException, "{}"),
        (400, b"[1]", FastLabelInvalidException, "[1]"),
        (413, b"<html>\n<h1>Too large</h1></html>", FastLabelInvalidException, "Too large"),
        (418, b"", FastLabelInvalidException, "no explanation"),
        (400, "日本語".encode(), FastLabelInvalidException, "日本語"),
        (302, b"", FastLabelException, "redirected where this call does not follow. Check the API URL"),
    ],
)
def test_every_refusal_says_what_where_and_what_to_do(raw, raw_client, status, body, kind, says):
    raw.play(raw.answer(status, body=body))
    with pytest.raises(kind) as caught:
        raw_client.update_task("t1")
    error = caught.value
    assert type(error) is kind
    assert error.code == status
    assert says in error.message
    assert "PUT tasks/t1" in error.message
    assert str(error) == f"<Response [{status}]> {error.message}"
    assert error.__cause__ is None
    assert error.__context__ is None
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", [200, 201])
def test_answers_of_writes(raw, raw_client, status):
    raw.play(raw.answer(status, "id-1"), raw.answer(204), raw.answer(status, body=b""), raw.answer(200, {"x": 1}))
    assert raw_client.update_task("t") == "id-1"
    assert raw_client.update_task("t") is None
    assert raw_client.update_task("t") is None
    assert raw_client.delete_task("t") is None


def test_retry_after_is_waited_for(raw, raw_client):
    raw.play(raw.answer(429, {"message": "m"}, Retry_After="7"), raw.answer(200, []))
    raw_client.get_projects()
    assert 7 <= raw_client.pauses[0] <= 7.5


@pytest.mark.parametrize("wrong_by", [-7200, 7200])
def test_a_retry_after_date_is_held_against_the_clock_of_the_server(raw, raw_client, wrong_by):
    now = time.time() + wrong_by
    dates = {"Date": formatdate(now, usegmt=True), "Retry_After": formatdate(now + 9, usegmt=True)}
    raw.play(raw.answer(429, **dates), raw.answer(200, []))
    raw_client.get_projects()
    assert len(raw_client.pauses) == 1
    assert 9 <= raw_client.pauses[0] <= 9.5


def test_a_long_retry_after_is_handed_to_the_caller_at_once(raw, raw_client):
    raw.play(raw.answer(429, {"message": "m"}, Retry_After="121"))
    with pytest.raises(RateLimited) as caught:
        raw_client.get_projects()
    assert caught.value.retry_after == 121
    assert raw_client.pauses == []
    assert "121 s" in str(caught.value)


def test_a_refused_create_is_sent_again(raw, raw_client, tmp_path):
    """429 came before anything was created, so that nothing needs to be looked up."""
    (tmp_path / "a.txt").write_text("hello")
    raw.play(raw.answer(429, {"message": "m"}), raw.answer(200, "id-1"))
    assert raw_client.create_text_task("p", "n", tmp_path / "a.txt") == "id-1"
    assert raw.lines() == ["POST tasks/text"] * 2
    bodies = [json.loads(request["body"]) for request in raw.requests]
    assert bodies[0] == bodies[1] == {"project": "p", "name": "n", "file": "aGVsbG8="}


def test_many_threads_share_kept_connections(raw, raw_client):
    raw.play(raw.answer(200, 5))
    counts: list[int] = []

    def count():
        counts.extend(raw_client.count_tasks("p") for _ in range(20))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [5] * 160
    assert raw.connections <= 8


def test_a_forked_child_opens_its_own_connections(raw, raw_client):
    raw.play(raw.answer(200, 5))
    raw_client.count_tasks("p")
    child = os.fork()
    if child == 0:
        os._exit(0 if raw_client.count_tasks("p") == 5 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert raw.connections == 2
    assert raw_client.count_tasks("p") == 5
    assert raw.connections == 2
