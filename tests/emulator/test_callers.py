"""Web pages do not get in: Host, Origin, what browsers say of a call's site, content types, web sockets."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from airflow_provider_fastlabel.emulator import Emulator

from .conftest import Api, picture_bytes

ROUTES = [
    ("GET", "/v1/projects"),
    ("POST", "/v1/projects"),
    ("GET", "/_emulator/health"),
    ("GET", "/_emulator/requests"),
    ("POST", "/_emulator/reset"),
    ("DELETE", "/_emulator/requests"),
    ("PUT", "/_emulator/config"),
    ("GET", "/storage/files/00/a.png"),
    ("PUT", "/storage/uploads/00"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/no/such/route"),
    ("OPTIONS", "/_emulator/reset"),
]


def send(api: Api, method: str, path: str, headers: dict[str, str] | None = None, **more) -> requests.Response:
    common = {"Content-Type": "application/json", "Authorization": f"Bearer {api.emulator.token}"}
    url = api.emulator.base_url + path
    return requests.request(method, url, headers=common | (headers or {}), timeout=60, **more)


def port(api: Api) -> int:
    found = urlsplit(api.emulator.base_url).port
    assert found is not None
    return found


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_under_a_foreign_name(cats, method, path):
    # A page of evil.example whose name was turned to 127.0.0.1 sends its own name: DNS rebinding.
    before = len(cats.emulator.requests())
    for host in ("evil.example", f"evil.example:{port(cats)}", "127.0.0.1", f"127.0.0.1:{port(cats) + 1}", "a@b", ""):
        answer = send(cats, method, path, {"Host": host})
        assert answer.status_code == 403
        assert "--allow-host" in answer.json()["message"]
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert cats("GET", "projects")[0]["slug"] == "cats"
    assert len(cats.emulator.requests()) == before + 1


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_a_page_of_another_origin(cats, method, path):
    origins = ("http://evil.example", "null", f"http://localhost:{port(cats)}", f"http://127.0.0.1:{port(cats)}.evil")
    for headers in (
        *({"Origin": origin} for origin in origins),
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = send(cats, method, path, headers)
        assert answer.status_code == 403, headers
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert cats("GET", "projects")[0]["slug"] == "cats"


def test_names_of_this_machine_and_pages_of_its_own_do_get_in(api: Api):
    number = port(api)
    assert send(api, "GET", "/v1/projects", {"Host": f"LocalHost:{number}"}).status_code == 200
    assert send(api, "GET", "/v1/projects", {"Host": f"[::1]:{number}"}).status_code == 200
    own = {"Origin": f"http://127.0.0.1:{number}", "Sec-Fetch-Site": "same-origin"}
    assert send(api, "POST", "/_emulator/reset", own).status_code == 200
    assert send(api, "GET", "/docs", {"Sec-Fetch-Site": "none"}).status_code == 200


def test_a_faked_call_uses_up_no_fault_and_leaves_no_trace(api: Api):
    api.emulator.fault("status", status=503)
    assert send(api, "GET", "/v1/projects", {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert api.send("GET", "projects").status_code == 503
    assert len(api.emulator.requests()) == 1


def test_a_signed_address_opens_from_a_link_but_not_inside_another_page(cats):
    url = cats("GET", f"tasks/image/{cats.image('a.png')}")["url"]
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert requests.get(url, headers=link, timeout=60).content == picture_bytes()
    assert requests.get(url, headers=link | {"Sec-Fetch-Dest": "iframe"}, timeout=60).status_code == 403
    assert requests.get(cats.emulator.base_url + "/_emulator/state", headers=link, timeout=60).status_code == 403


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"])
@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("POST", "clock"), ("DELETE", "requests")])
def test_control_calls_that_change_need_json_or_the_token(cats, content_type, method, path):
    url = cats.emulator.control_url + path
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = requests.request(method, url, data=b'{"advance": 9}', headers=headers, timeout=60)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["message"]
    assert cats("GET", "projects")[0]["slug"] == "cats"
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    assert requests.request(method, url, data=b'{"advance": 0}', headers=json_type, timeout=60).status_code == 200
    token = {"Authorization": f"Bearer {cats.emulator.token}"}
    assert requests.request(method, url, json={"advance": 0}, headers=token, timeout=60).status_code == 200


def test_web_sockets_are_not_spoken(cats):
    number = port(cats)
    lines = (
        "GET /_emulator/requests HTTP/1.1", f"Host: 127.0.0.1:{number}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://evil.example",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", number)) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1:1", "localhost"]])
def test_two_names_or_none_are_refused(api: Api, hosts):
    head = "".join(f"Host: {host}\r\n" for host in hosts)
    with socket.create_connection(("127.0.0.1", port(api))) as connection:
        connection.sendall(f"GET /_emulator/state HTTP/1.1\r\n{head}\r\n".encode())
        assert connection.recv(100).startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))


def test_signed_addresses_carry_the_emulators_own_address(cats):
    ident = cats.image("a.png")
    headers = {"Host": f"localhost:{port(cats)}", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert send(cats, "GET", f"/v1/tasks/image/{ident}", headers).json()["url"].startswith(cats.emulator.base_url)


def test_other_names_are_let_in_when_they_were_named_at_the_start():
    with Emulator(allow_hosts=["ci-emulator", "proxy.internal:8080"]) as emulator:
        api = Api(emulator)
        api.project()
        ident = api.image("a.png")
        for host, status in (
            ("ci-emulator:9000", 200), ("CI-emulator", 200), ("proxy.internal:8080", 200), ("proxy.internal", 403),
        ):  # fmt: skip
            answer = send(api, "GET", f"/v1/tasks/image/{ident}", {"Host": host})
            assert answer.status_code == status
            if status == 200:
                assert answer.json()["url"].startswith(f"http://{host.lower()}/storage/files/")
        cross = {"Host": "ci-emulator:9000", "Origin": "http://evil.example"}
        assert send(api, "GET", "/_emulator/state", cross).status_code == 403
        assert send(api, "GET", "/_emulator/state", {"Host": "ci-emulator:9000.evil.example"}).status_code == 403
        api.session.close()


@pytest.mark.parametrize("name", ["*", "", "http://host", "host/path", "host:port", "a b"])
def test_a_name_to_let_in_is_a_name(name):
    with pytest.raises(ValueError, match="allow"):
        Emulator(allow_hosts=[name])


def test_a_stored_page_runs_no_script_in_the_emulators_name(api: Api):
    api.project("text_ner", "texts")
    page = "PHNjcmlwdD5mZXRjaCgnL19lbXVsYXRvci9yZXNldCcpPC9zY3JpcHQ+"
    ident = api("POST", "tasks/text", {"project": "texts", "name": "page.html", "file": page})
    answer = requests.get(api("GET", f"tasks/text/{ident}")["url"], timeout=60)
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_its_own_page_loads_nothing_from_elsewhere(api: Api):
    answer = requests.get(api.emulator.base_url + "/docs", timeout=60)
    assert "/v1/tasks/image/{task_id}" in answer.text
    assert "<script" not in answer.text
    assert "src=" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
