"""FastLabelHook: the client of a connection, and what "test connection" says."""

from __future__ import annotations

import http.server
import json
import logging
import socket
import sys
import threading
import types

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.secrets.base_secrets import BaseSecretsBackend

from airflow_provider_fastlabel.client import AuthError
from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.provider_info import CONN_FIELDS

TOKEN = "very-secret-token"


def test_the_client_is_that_of_the_connection_and_made_once(client):
    hook = FastLabelHook()
    assert hook.get_conn() is hook.get_conn()
    assert [project["slug"] for project in hook.get_conn().get_projects()] == ["photos"]


def test_another_connection_id(emulator, connect):
    connect("other", password=emulator.token, host=emulator.url)
    assert FastLabelHook("other").get_conn().get_projects() == []


def test_the_environment_of_the_client_is_not_consulted(monkeypatch, connect):
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", "from-the-environment")
    connect(password=None)
    with pytest.raises(InvalidConnectionError):
        FastLabelHook().get_conn()


def test_a_missing_connection_is_airflows_own_error():
    with pytest.raises(AirflowNotFoundException):
        FastLabelHook("nowhere").get_conn()


def test_requests_name_provider_airflow_and_python(connect):
    with Answering(200, b"[]", "application/json") as (host, seen):
        connect(password=TOKEN, host=host)
        FastLabelHook().get_conn().get_projects()
    agent = seen[0]["User-Agent"]
    assert "airflow-provider-fastlabel/" in agent
    assert "apache-airflow/" in agent
    assert "python/" in agent


def test_works_and_counts_the_projects(client, emulator):
    works, message = FastLabelHook().test_connection()
    assert works
    assert message == f"Connected to {emulator.url.split('/')[2]}; the access token sees 1 project."
    emulator.clear_requests()
    FastLabelHook().test_connection()
    assert len(emulator.requests()) == 1


def test_wrong_token_says_so(emulator, connect, caplog):
    caplog.set_level(logging.DEBUG)
    connect(password=TOKEN, host=emulator.url)
    works, message = FastLabelHook().test_connection()
    assert not works
    assert "refuses the access token (HTTP 401)" in message
    assert TOKEN not in message + caplog.text


@pytest.mark.skipif(
    not hasattr(BaseSecretsBackend, "_get_connection_class"),
    reason="Airflow 3.1 itself drops a connection in the environment whose extra is no object",
)
@pytest.mark.parametrize("extra", ["[]", "5", "null", '"x"'])
def test_an_extra_that_is_no_object_is_a_message_not_an_exception(monkeypatch, extra):
    value = {"conn_type": "fastlabel", "password": TOKEN, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_FASTLABEL_DEFAULT", json.dumps(value))
    works, message = FastLabelHook().test_connection()
    assert not works
    assert message.startswith("This connection, extra: must be a JSON object")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_call_names_the_connection(emulator, connect, status):
    connect("team_x", password=emulator.token, host=emulator.url)
    emulator.faults({"kind": "status", "status": status, "times": 1})
    with pytest.raises(AuthError, match=r"Airflow connection 'team_x' \(its password, .Access token.\)") as caught:
        FastLabelHook("team_x").get_conn().get_projects()
    assert emulator.token not in str(caught.value)


def test_wrong_base_path_says_so(emulator, connect):
    connect(password=emulator.token, host=emulator.url.replace("/v1/", "/v7/"))
    works, message = FastLabelHook().test_connection()
    assert not works
    assert "not as the FastLabel API" in message
    assert "/v7/" in message


def test_unreachable_says_so(connect):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        connect(password=TOKEN, host=host)
        works, message = FastLabelHook().test_connection()
    assert not works
    assert message.startswith(f"{host} cannot be reached")
    assert ".." not in message
    assert message.count("Check ") == 1
    assert TOKEN not in message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html><body>Welcome</body></html>", "text/html"),
        (200, b'{"service": "another"}', "application/json"),
        (404, b"<html>not here</html>", "text/html"),
    ],
)
def test_another_service_at_the_address_says_so(connect, status, body, kind):
    with Answering(status, body, kind) as (host, _):
        connect(password=TOKEN, host=host)
        works, message = FastLabelHook().test_connection()
    assert not works
    assert host in message
    assert "Check the API base URL" in message
    assert TOKEN not in message


@pytest.mark.parametrize("status", [400, 405, 410])
def test_a_server_of_something_else_that_refuses_the_call_is_not_the_api(connect, status):
    with Answering(status, b"", "application/xml") as (host, _):
        connect(password=TOKEN, host=host)
        works, message = FastLabelHook().test_connection()
    assert not works
    assert message.startswith(f"{host} answered, but not as the FastLabel API. Check the API base URL http")


@pytest.mark.parametrize("status", [200, 203, 302, 401, 403, 404, 407, 500, 502, 503])
def test_a_web_page_is_told_from_a_host_that_cannot_be_reached_and_from_a_refused_token(connect, status):
    page = b"\n<!DOCTYPE html><html><head><title>Sign in</title></head><body>Proxy</body></html>"
    with Answering(status, page, "text/html; charset=utf-8") as (host, _):
        connect(password=TOKEN, host=host)
        works, message = FastLabelHook().test_connection()
    assert not works
    assert f"answered with a web page (HTTP {status})" in message
    assert "cannot be reached" not in message
    assert "refuses the access token" not in message
    assert message.endswith("/v1/")


def test_airflows_random_id_of_a_tested_connection_is_in_no_message_and_no_log(connect, emulator, caplog):
    caplog.set_level(logging.DEBUG)
    messages = []
    for fields in (
        {"password": ""}, {"timeout": "x"}, {"app_url": "javascript:x"}, {"password": "two words"},
        {"password": TOKEN, "host": emulator.url}, {"password": TOKEN, "host": "http://fastlabel.invalid"},
        {"password": emulator.token, "host": emulator.url, "unknown": 1},
    ):  # fmt: skip
        connect("qwhzjxkvbn", **fields)
        messages.append(FastLabelHook("qwhzjxkvbn").test_connection()[1])
    assert "qwhzjxkvbn" not in " ".join(messages) + caplog.text
    assert "extra fields ['unknown'] are ignored" in messages[-1]


def test_addresses_in_the_log_and_in_messages_are_followed_by_nothing(client, caplog):
    caplog.set_level(logging.INFO)
    FastLabelHook().get_conn()
    (line,) = [record.getMessage() for record in caplog.records if "leads to FastLabel" in record.getMessage()]
    assert line.endswith("/v1/")


def test_an_invalid_connection_is_a_message_not_an_exception(connect):
    connect(password=TOKEN, timeout="soon")
    works, message = FastLabelHook().test_connection()
    assert not works
    assert "'timeout'" in message
    connect(password="")
    assert FastLabelHook().test_connection()[0] is False


@pytest.mark.parametrize("fields", [{"password": "two words"}, {"password": TOKEN, "host": "https://a b/v1/"}])
def test_what_only_the_client_refuses_names_the_connection_too(connect, fields):
    connect(**fields)
    with pytest.raises(InvalidConnectionError, match="'fastlabel_default'") as caught:
        FastLabelHook().get_conn()
    words = str(caught.value).replace("Connection 'fastlabel_default'", "This connection")
    assert FastLabelHook().test_connection() == (False, words)
    assert "two words" not in str(caught.value)


def test_an_exhausted_quota_still_proves_the_token(emulator, connect):
    emulator.faults({"path": "projects", "times": 1, "kind": "status", "status": 429})
    assert FastLabelHook().test_connection()[0] is True


def test_form_of_airflow_3_0_and_3_1_shows_the_same_fields(monkeypatch):
    # Their API server puts stand-ins in place of these two packages in this very way.
    class Field:
        def __init__(self, label, description=""):
            self.label, self.description = label, description

    class Whole(Field):
        pass

    wtforms, babel = types.ModuleType("wtforms"), types.ModuleType("flask_babel")
    vars(wtforms).update(StringField=Field, IntegerField=Whole)
    vars(babel).update(lazy_gettext=str)
    monkeypatch.setitem(sys.modules, "wtforms", wtforms)
    monkeypatch.setitem(sys.modules, "flask_babel", babel)
    widgets = FastLabelHook.get_connection_form_widgets()
    assert {name: widget.label for name, widget in widgets.items()} == {
        name: field["label"] for name, field in CONN_FIELDS.items()
    }
    assert isinstance(widgets["max_retries"], Whole)
    behaviour = FastLabelHook.get_ui_field_behaviour()
    assert behaviour["relabeling"] == {"password": "Access token", "host": "API base URL"}
    assert set(behaviour["hidden_fields"]) == {"login", "port", "schema"}


class Answering:
    """A web server that answers everything the same way, and remembers the headers it got."""

    def __init__(self, status, body, kind):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.headers)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{self.server.server_address[1]}", self.seen

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()
