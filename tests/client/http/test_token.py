"""Where the token goes, and where it never shows."""

from __future__ import annotations

import gzip
import logging
import re
import traceback
from typing import Any

import pytest

from airflow_provider_fastlabel.client import (
    AuthError,
    FastLabelClient,
    FastLabelException,
    UnexpectedAnswer,
)


def test_the_token_goes_to_the_api(raw, raw_client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    raw.play(raw.answer(200, []))
    raw_client.get_projects()
    headers = raw.requests[0]["headers"]
    assert headers["authorization"] == "Bearer secret-token"
    assert headers["content-type"] == "application/json"
    assert "cookie" not in headers


def test_cookies_are_not_kept(raw, raw_client):
    raw.play(raw.answer(200, [], Set_Cookie="a=b; Path=/"), raw.answer(200, []))
    raw_client.get_projects()
    raw_client.get_projects()
    assert "cookie" not in raw.requests[1]["headers"]


def test_a_redirect_elsewhere_does_not_get_the_token(raw, raw_client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    raw.play(raw.answer(302, Location=f"http://localhost:{raw.port}/v1/elsewhere"), raw.answer(200, []))
    raw_client.get_projects()
    assert raw.lines() == ["GET projects?limit=100", "GET elsewhere"]
    assert "authorization" not in raw.requests[1]["headers"]


def test_a_redirected_write_is_not_followed(raw, raw_client):
    raw.play(raw.answer(307, Location=f"http://localhost:{raw.port}/v1/elsewhere"))
    with pytest.raises(FastLabelException, match="API URL"):
        raw_client.create_project("image_bbox", "N", "s")
    assert len(raw.requests) == 1


def test_a_token_echoed_by_the_server_is_hidden(raw, raw_client):
    raw.play(raw.answer(401, {"message": "bad token secret-token"}))
    with pytest.raises(AuthError) as caught:
        raw_client.get_projects()
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        rb'{"message": "bad token secret\/token+value"}',
        rb'{"message": "bad token secret/token\u002bvalue"}',
        b'{"message": ["' + b"x" * 490 + b'", "secret/token+value"]}',
        b"bad token secret/token+value",
        rb'{"token": "\u0073ecret\u002Ftoken\u002bvalue"}',  # an object without a message is shown as it came
        rb'the body was {"token": "secret\/token+value"}',
        rb'{"request": "{\"token\": \"\\u0073ecret/token+value\"}"}',
        rb'"\u0073ecret/token+value',
        b"/login?token=%73ecret%2Ftoken%2bvalue",
        b"{'token': '&#115;&#101;cret&#x2f;token+value'}",
    ],
)
def test_a_token_echoed_in_another_spelling_is_hidden(raw, said):
    with FastLabelClient("secret/token+value", api_url=raw.url) as client:
        raw.play(raw.answer(403, body=said))
        with pytest.raises(AuthError) as caught:
            client.get_projects()
    assert "secret"[1:] not in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("start", "end"), [(b'{"message": "no ', b'"}'), (b'"no ', b'"'), (b"no ", b""), (b"<p>no ", b"</p>")]
)
def test_half_a_token_at_the_border_of_what_is_read_is_not_shown(raw, raw_client, start, end, packed):
    """Of an error page 64 kB are read. What stands there may be the first half of a token."""
    for echo in (b"secret-token", rb"\u0073ecret-tok", b"&#115;ecret-tok"):
        for shown in range(1, len(echo)):
            said = start + b"x" * (64 * 1024 - len(start) - shown - 1) + b" " + echo + b" and more" + end
            raw.play(
                raw.answer(422, body=gzip.compress(said), Content_Encoding="gzip")
                if packed
                else raw.answer(422, body=said)
            )
            with pytest.raises(FastLabelException, match="no xxx") as caught:
                raw_client.get_projects()
            told = str(caught.value).partition(" (GET")[0]
            assert re.search(r"x [^…]", told) is None, (echo, shown, told[-40:])


def test_the_beginning_of_a_long_list_of_messages_is_told(raw, raw_client):
    raw.play(raw.answer(422, {"message": [f"tasks[{number}].name must be a string" for number in range(10_000)]}))
    with pytest.raises(FastLabelException, match=r"tasks\[0\]\.name must be a string"):
        raw_client.get_projects()


@pytest.mark.parametrize("answer", ["secret-token", {"name": ["x" * 30 + "secret-token"]}, [{"id": 1}, "secret-token"]])
def test_a_token_in_an_answer_of_another_shape_is_hidden(raw, raw_client, answer):
    raw.play(raw.answer(200, answer))
    with pytest.raises(UnexpectedAnswer) as caught:
        raw_client.get_projects()
    assert "secret"[1:] not in str(caught.value)


def test_a_token_in_the_address_of_a_redirect_is_not_logged(raw, raw_client, caplog):
    raw.play(raw.answer(302, Location=f"http://localhost:{raw.port}/login/%73ecret-token"), raw.answer(200, []))
    with caplog.at_level(logging.DEBUG):
        raw_client.get_projects()
    assert "GET /login/***" in caplog.text
    assert "secret"[1:] not in caplog.text


def test_a_token_in_a_header_is_hidden(raw, raw_client):
    raw.play(raw.answer(200, [], Content_Encoding="secret-token"))
    with pytest.raises(UnexpectedAnswer, match="encoded") as caught:
        raw_client.get_projects()
    assert "secret"[1:] not in str(caught.value)


def test_no_frame_of_an_error_holds_the_token(raw, raw_client, tmp_path):
    """Some error reports print the variables of all frames."""
    path = tmp_path / "a.txt"
    path.symlink_to("/proc/self/mem")  # cannot be read, which only shows in the midst of the request
    raw.play(raw.answer(500))
    for call in (lambda: raw_client.create_text_task("p", "n", path), raw_client.get_projects):
        with pytest.raises(FastLabelException) as caught:
            call()
        report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert "secret-token" not in report


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_named_by_its_source_and_not_shown(raw, monkeypatch, status):
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", "secret-token")
    raw.play(raw.answer(status))
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "environment variable FASTLABEL_ACCESS_TOKEN"),
        ({"token_source": "drawer 'x'"}, "drawer 'x'"),
    )
    for given, says in cases:
        with FastLabelClient(api_url=raw.url, **given) as client, pytest.raises(AuthError, match=says) as caught:
            client.get_projects()
        assert "secret-token" not in str(caught.value)
