"""The one reading of an Airflow connection of type ``fastlabel``: what its fields mean and how a wrong one is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from airflow_provider_fastlabel.client.const import DEFAULT_API_URL
from airflow_provider_fastlabel.client.http.redis_address import redis_host
from airflow_provider_fastlabel.hooks.fields import positive_seconds, whole_number
from airflow_provider_fastlabel.hooks.pages import parse_app_url
from airflow_provider_fastlabel.words import shortened

EXAMPLE_OF_EXTRA = '{"timeout": 60, "max_retries": 5}'
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class InvalidConnectionError(ValueError):
    """A ``fastlabel`` connection that cannot be used; the message names the connection and the field."""


class ConnectionLike(Protocol):
    """The attributes of an Airflow connection that are read here."""

    conn_id: str
    host: str | None
    port: int | None
    schema: str | None
    password: str | None
    extra: str | None


@dataclass(frozen=True, repr=False)
class ConnectionSettings:
    """What a ``fastlabel`` connection says, checked; a field that was not given is ``None``.

    :param conn_id: id of the Airflow connection, for messages.
    :param access_token: FastLabel access token; never shown by ``repr``.
    :param api_url: API base URL, ends with a slash.
    :param timeout: seconds, one number or (connect, read).
    :param max_retries: retries per request.
    :param calls_per_10_minutes: quota shared by all processes of a machine.
    :param quota_seconds: length of the quota's window.
    :param quota_redis: address of a Redis by which machines share the quota; may hold a password.
    :param verify: TLS verification: ``True``, ``False`` or the path of a CA bundle.
    :param proxies: URL scheme to proxy URL, as ``requests`` takes it.
    :param app_url: addresses of pages of FastLabel's application, by page, for links.
    :param remarks: what is not wrong but worth a line in the log.
    """

    conn_id: str
    access_token: str
    api_url: str
    timeout: float | tuple[float, float] | None = None
    max_retries: int | None = None
    calls_per_10_minutes: int | None = None
    quota_seconds: float | None = None
    quota_redis: str | None = None
    verify: bool | str | None = None
    proxies: Mapping[str, str] | None = None
    app_url: Mapping[str, str] | None = None
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ConnectionSettings({self.conn_id!r}, {self.api_url!r})"

    def client_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of a client; what the connection leaves out keeps the client's default."""
        optional = {name: getattr(self, name) for name in EXTRA_FIELDS if name != "app_url"}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"access_token": self.access_token, "api_url": self.api_url, **given}

    def fingerprint(self) -> str:
        """Return a digest that changes when anything in the connection changes, the token included."""
        text = json.dumps(self.client_arguments(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_connection(connection: ConnectionLike, extra: Mapping[str, Any]) -> ConnectionSettings:
    """Read and check a connection.

    :param connection: the Airflow connection: password = access token, host = API base URL.
    :param extra: its extra field as a dictionary. Passed apart, because reading it needs an await inside a trigger.
    :raises InvalidConnectionError: naming the connection and the field that is missing or wrong.
    """
    conn_id = connection.conn_id
    token = (connection.password or "").strip()
    if not token:
        raise InvalidConnectionError(
            f"Connection {conn_id!r} has no access token: put the FastLabel access token into its field 'Access token' "
            "(the connection's password)."
        )
    _check_extra(connection, extra)
    remarks = []
    if unknown := sorted(set(extra) - set(EXTRA_FIELDS)):
        named = shortened(unknown, 200)
        remarks.append(f"Connection {conn_id!r}: extra fields {named} are ignored; known: {[*EXTRA_FIELDS]}")
    values: dict[str, Any] = {}
    for name, parse in EXTRA_FIELDS.items():
        raw = extra.get(name)
        if raw is None or raw == "":
            continue
        try:
            values[name] = parse(raw)
        except (TypeError, ValueError) as error:
            raise InvalidConnectionError(f"Connection {conn_id!r}, extra field {name!r}: {error}") from None
    api_url = api_url_of(connection)
    parts = urlsplit(api_url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        remarks.append(f"Connection {conn_id!r} sends the access token unencrypted (http) to {parts.hostname}")
    return ConnectionSettings(conn_id=conn_id, access_token=token, api_url=api_url, remarks=tuple(remarks), **values)


def _check_extra(connection: ConnectionLike, extra: object) -> None:
    """Refuse an extra field that is no JSON object: Airflow takes any JSON, and what is no JSON for nothing."""
    found = extra
    if extra == {} and connection.extra:
        try:
            found = json.loads(connection.extra)
        except (ValueError, RecursionError):
            found = "no JSON"
    if not isinstance(found, Mapping):
        kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
        kind = found if found == "no JSON" else kinds.get(type(found), "a number")
        raise InvalidConnectionError(
            f"Connection {connection.conn_id!r}, extra: must be a JSON object such as {EXAMPLE_OF_EXTRA}, not {kind}"
        )


def api_url_of(connection: ConnectionLike) -> str:
    """Return the API base URL of a connection, with scheme, version path and trailing slash.

    ``api.example.com``, ``https://api.example.com`` and ``https://api.example.com/v1/`` all mean the last; a path other
    than the root is kept. Without a scheme it is https, except on the loopback host.

    :raises InvalidConnectionError: when the host is no http(s) URL.
    """
    host = (connection.host or "").strip()
    if not host:
        return DEFAULT_API_URL
    if "://" not in host:
        name = urlsplit(f"//{host}").hostname
        schema = connection.schema if connection.schema in {"http", "https"} else None
        host = f"{schema or ('http' if name in LOOPBACK_HOSTS else 'https')}://{host}"
    try:
        parts = urlsplit(host)
        port = parts.port
    except ValueError:
        raise InvalidConnectionError(f"Connection {connection.conn_id!r}, host: the URL cannot be read") from None
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise InvalidConnectionError(
            f"Connection {connection.conn_id!r}, host: must be the API base URL, without credentials or query, "
            f"such as {DEFAULT_API_URL}"
        )
    netloc = parts.netloc if port or not connection.port else f"{parts.netloc}:{connection.port}"
    path = parts.path.strip("/") or "v1"
    return f"{parts.scheme}://{netloc}/{path}/"


def _parse_timeout(raw: Any) -> float | tuple[float, float]:
    """Read seconds: one number, or two for connect and read."""
    if isinstance(raw, list | tuple):
        if len(raw) != 2:
            raise ValueError("must be a number of seconds or [connect, read]")
        return positive_seconds(raw[0]), positive_seconds(raw[1])
    return positive_seconds(raw)


def _parse_verify(raw: Any) -> bool | str:
    """Read a truth value or the path of a CA bundle."""
    if isinstance(raw, bool):
        return raw
    if not isinstance(raw, str):
        raise ValueError("must be true, false or the path of a CA bundle")
    text = raw.strip()
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        exists = Path(text).exists()
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        exists = False
    if not exists:
        shown = shortened(text, 200)
        raise ValueError(f"must be true, false or the path of a CA bundle; {shown} does not exist on this machine")
    return text


def _parse_proxies(raw: Any) -> dict[str, str]:
    """Read a mapping from URL scheme to proxy URL; its JSON text is welcome too. A proxy URL may hold a password."""
    problem = 'must be an object such as {"https": "http://proxy.example.com:3128"}'
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        raise ValueError(problem) from None
    if not isinstance(value, Mapping) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        raise ValueError(problem)
    return dict(value)


def _parse_redis(raw: Any) -> str:
    """Read the address of a Redis; it may hold a password, so that no message repeats it."""
    redis_host(raw)
    return str(raw).strip()


EXTRA_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "timeout": _parse_timeout,
    "max_retries": whole_number(0),
    "calls_per_10_minutes": whole_number(1),
    "quota_seconds": positive_seconds,
    "quota_redis": _parse_redis,
    "verify": _parse_verify,
    "proxies": _parse_proxies,
    "app_url": parse_app_url,
}
"""Name of each extra field and the parser that checks it."""
