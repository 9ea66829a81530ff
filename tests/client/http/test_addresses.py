"""Ids in routes, addresses that are none, redirects, certificates and proxies."""

from __future__ import annotations

import socket

import pytest

from airflow_provider_fastlabel.client import (
    ConnectionFailed,
    FastLabelClient,
    FastLabelException,
    FastLabelInvalidException,
)
from airflow_provider_fastlabel.client.http.transport import segment


@pytest.mark.parametrize("hostile", ["../projects", "a/b", "a?b=c", "a#b", "a b", "%2e%2e", "日本", "a%2Fb", "a;b"])
def test_an_id_cannot_leave_its_place_in_the_route(raw, raw_client, hostile):
    raw.play(raw.answer(200, {}))
    raw_client.find_project(hostile)
    path = raw.requests[0]["path"]
    assert path.startswith("projects/")
    assert path.count("/") == 1
    assert not set("?#;") & set(path)
    from urllib.parse import unquote

    assert unquote(path.removeprefix("projects/")) == hostile


@pytest.mark.parametrize("empty", ["", None, ".", ".."])
def test_an_id_that_is_none_is_refused(raw, raw_client, empty):
    with pytest.raises(FastLabelInvalidException):
        raw_client.delete_project(empty)
    assert raw.requests == []


def test_ordinary_ids_are_sent_as_they_are():
    assert segment("0b2f6c1e-93d4-4f5a-8a1d-1f2e3d4c5b6a") == "0b2f6c1e-93d4-4f5a-8a1d-1f2e3d4c5b6a"
    assert segment("my_project-1.v2~x") == "my_project-1.v2~x"
    assert segment(7) == "7"


@pytest.mark.parametrize("target", ["http://[::1", "http://" + "a" * 70 + ".b/", "ftp://x/y", "file:///etc/passwd"])
def test_a_redirect_to_what_is_no_address_is_not_tried_again(raw, raw_client, target):
    raw.play(raw.answer(302, Location=target))
    with pytest.raises(FastLabelInvalidException, match="GET projects: .*address"):
        raw_client.get_projects()
    assert len(raw.requests) == 1


def test_a_redirect_in_a_circle_ends_soon_and_is_not_tried_again(raw, raw_client):
    raw.play(raw.answer(302, Location="projects"))
    with pytest.raises(FastLabelException, match="GET projects: .*redirect.*API URL"):
        raw_client.get_projects()
    assert len(raw.requests) <= 10
    assert raw_client.pauses == []


def test_certificates_that_are_gone_are_named(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    client = FastLabelClient("t", api_url="https://127.0.0.1:9/v1/", verify=str(bundle), max_retries=0)
    bundle.unlink()
    with client, pytest.raises(ConnectionFailed, match=r"GET projects: .*bundle\.pem.*verify"):
        client.get_projects()


def test_certificates_that_are_none_leave_no_doubt(tmp_path):
    """Nothing was sent yet, so that there is nothing to look up."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/v1/"
        client = FastLabelClient("t", api_url=url, verify=str(bundle), max_retries=0)
        with client, pytest.raises(ConnectionFailed, match="verify"):
            client.execute_auto_annotation_job("p", "m")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told(raw, scheme):
    raw.play(raw.answer(407, body=b"<html>Who are you?</html>"))
    proxy = {scheme: f"http://127.0.0.1:{raw.port}"}
    client = FastLabelClient("t", api_url=f"{scheme}://fastlabel.test/v1/", proxies=proxy, max_retries=0)
    with client, pytest.raises(FastLabelException, match="407.*prox"):
        client.execute_auto_annotation_job("p", "m")
