"""The address of a Redis: whether a text is one, and what of it may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = ("redis", "rediss")
"""What the address of a Redis begins with."""


def redis_host(address: object) -> str:
    """Return host and port of the address of a Redis, without what is secret in it.

    :param address: such as ``redis://:password@host:6379/0``.
    :raises ValueError: if it is no such address; the text does not repeat it.
    """
    problem = "must be the address of a Redis, such as redis://host:6379/0 or rediss://:password@host/0"
    try:
        parts = urlsplit(str(address).strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    if parts.scheme not in SCHEMES or not host:
        raise ValueError(problem)
    return f"{host}:{port or 6379}"
