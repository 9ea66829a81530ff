"""One reading of the connection: hosts with and without all their parts, and a clear word for each wrong field."""

from __future__ import annotations

import pytest
from airflow.sdk import Connection

from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError, read_connection


def read(extra=None, **fields):
    """Read a connection with a token."""
    connection = Connection(conn_id="my_conn", conn_type="fastlabel", **{"password": "tok-en-12345", **fields})
    return read_connection(connection, extra or {})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (None, "https://api.fastlabel.ai/v1/"),
        ("", "https://api.fastlabel.ai/v1/"),
        ("api.example.com", "https://api.example.com/v1/"),
        ("api.example.com/v1", "https://api.example.com/v1/"),
        ("https://api.example.com", "https://api.example.com/v1/"),
        ("https://api.example.com/", "https://api.example.com/v1/"),
        ("https://api.example.com/v1", "https://api.example.com/v1/"),
        (" https://api.example.com/v1/ ", "https://api.example.com/v1/"),
        ("https://gateway.example.com/fastlabel/v1/", "https://gateway.example.com/fastlabel/v1/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/v1/"),
        ("localhost:9000/v1", "http://localhost:9000/v1/"),
        ("http://127.0.0.1:9000/v1/", "http://127.0.0.1:9000/v1/"),
        ("[::1]:9000", "http://[::1]:9000/v1/"),
    ],
)
def test_hosts(host, url):
    assert read(host=host).api_url == url


def test_port_and_schema_of_a_connection_uri_are_understood():
    assert read(host="api.example.com", port=8443).api_url == "https://api.example.com:8443/v1/"
    assert read(host="api.example.com", port=8080, schema="http").api_url == "http://api.example.com:8080/v1/"
    assert read(host="https://api.example.com:1234", port=8443).api_url == "https://api.example.com:1234/v1/"


@pytest.mark.parametrize(
    "host",
    [
        "ftp://api.example.com",
        "https://",
        "https://user:secret@api.example.com",
        "https://:secret@api.example.com",
        "https://a.example/?x=1",
        "a:b:c",
    ],
)
def test_a_host_that_is_no_base_url_is_refused_without_showing_it(host):
    with pytest.raises(InvalidConnectionError, match="'my_conn', host") as caught:
        read(host=host)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("password", [None, "", "  "])
def test_no_token_says_where_it_belongs(password):
    with pytest.raises(InvalidConnectionError, match=r"'my_conn' has no access token.*'Access token'"):
        read(password=password)


@pytest.mark.parametrize(
    ("extra", "argument"),
    [
        ({"timeout": 30}, {"timeout": 30.0}),
        ({"timeout": "2.5"}, {"timeout": 2.5}),
        ({"timeout": [5, 30]}, {"timeout": (5.0, 30.0)}),
        ({"max_retries": 0}, {"max_retries": 0}),
        ({"max_retries": "3"}, {"max_retries": 3}),
        ({"calls_per_10_minutes": 500}, {"calls_per_10_minutes": 500}),
        ({"verify": False}, {"verify": False}),
        ({"verify": "false"}, {"verify": False}),
        ({"verify": "True"}, {"verify": True}),
        ({"verify": __file__}, {"verify": __file__}),
        ({"proxies": {"https": "http://proxy:3128"}}, {"proxies": {"https": "http://proxy:3128"}}),
        ({"proxies": '{"https": "http://proxy:3128"}'}, {"proxies": {"https": "http://proxy:3128"}}),
        ({"timeout": None, "max_retries": "", "verify": "", "proxies": None}, {}),
    ],
)
def test_extra_fields(extra, argument):
    base = {"access_token": "tok-en-12345", "api_url": "https://api.fastlabel.ai/v1/"}
    assert read(extra).client_arguments() == {**base, **argument}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", 0),
        ("timeout", "soon"),
        ("timeout", True),
        ("timeout", float("inf")),
        ("timeout", [1, 2, 3]),
        ("max_retries", -1),
        ("max_retries", 1.5),
        ("max_retries", True),
        ("calls_per_10_minutes", 0),
        ("verify", 3),
        ("verify", "/no/such/bundle.pem"),
        ("proxies", "http://user:secret@proxy"),
        ("proxies", ["http://proxy"]),
        ("proxies", {"https": 3}),
    ],
)
def test_a_wrong_extra_field_is_named(name, value):
    with pytest.raises(InvalidConnectionError, match=f"'my_conn', extra field '{name}'") as caught:
        read({name: value})
    assert "secret" not in str(caught.value)


FIELDS = ("timeout", "max_retries", "calls_per_10_minutes", "verify", "proxies")
STRANGE: list[object] = [
    {"a": {}}, [[]], [None], [5, None], 10**400, "9" * 5000, -(10**400), "1e400", "a\0b", "x" * 5000, "[" * 100_000,
]  # fmt: skip
MORE = [("timeout", {}), ("timeout", 1e300), ("timeout", [5, 10**10]), ("proxies", {"https": None})]


@pytest.mark.parametrize(("name", "value"), [*((name, value) for name in FIELDS for value in STRANGE), *MORE])
def test_an_extra_field_of_another_type_is_named(name, value):
    with pytest.raises(InvalidConnectionError, match=f"'my_conn', extra field '{name}'") as caught:
        read({name: value})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ("[]", "a list"), ("5", "a number"), ("null", "null"), ('"x"', "a text"), ("false", "true or false"),
        ("NaN", "a number"), ("timeout=5", "no JSON"), ("{", "no JSON"), ('{"timeout": 5', "no JSON"),
    ],
)  # fmt: skip
def test_an_extra_that_is_no_object_says_so(extra, kind):
    connection = Connection(conn_id="my_conn", conn_type="fastlabel", password="tok-en-12345", extra=extra)
    with pytest.raises(InvalidConnectionError, match=f"'my_conn', extra: must be a JSON object such as .* not {kind}$"):
        read_connection(connection, connection.extra_dejson)


def test_an_unknown_extra_field_is_remarked_on():
    (remark,) = read({"max_retires": 3}).remarks
    assert "max_retires" in remark
    assert "max_retries" in remark


def test_http_to_another_host_is_remarked_on():
    (remark,) = read(host="http://api.example.com").remarks
    assert "unencrypted" in remark
    assert read(host="http://127.0.0.1:9000").remarks == ()


def test_the_token_is_in_no_repr_and_changes_the_fingerprint():
    settings = read()
    assert "tok-en" not in repr(settings)
    assert settings.fingerprint() != read(password="another-token").fingerprint()
    assert settings.fingerprint() == read().fingerprint()
    assert "tok-en" not in settings.fingerprint()
