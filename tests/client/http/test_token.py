"""Where the token goes, and where it never shows."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from airflow_provider_fastlabel.client import (
    AuthError,
    FastLabelClient,
    FastLabelException,
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
    ],
)
def test_a_token_echoed_in_another_spelling_is_hidden(raw, said):
    with FastLabelClient("secret/token+value", api_url=raw.url) as client:
        raw.play(raw.answer(403, body=said))
        with pytest.raises(AuthError) as caught:
            client.get_projects()
    assert "secret" not in str(caught.value)


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
