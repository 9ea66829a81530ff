"""FastLabel's HTTP API in Python. Knows nothing of Airflow.

>>> from airflow_provider_fastlabel.client import FastLabelClient
>>> client = FastLabelClient()  # reads FASTLABEL_ACCESS_TOKEN
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client.client import Client, FastLabelClient
    from airflow_provider_fastlabel.client.exceptions import (
        AuthError,
        Conflict,
        ConnectionFailed,
        FastLabelException,
        FastLabelInvalidException,
        NotFound,
        OutcomeUnknown,
        RateLimited,
        RequestTimeout,
        ServerError,
        Unavailable,
        UnexpectedAnswer,
    )

__all__ = [
    "AuthError",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "FastLabelClient",
    "FastLabelException",
    "FastLabelInvalidException",
    "NotFound",
    "OutcomeUnknown",
    "RateLimited",
    "RequestTimeout",
    "ServerError",
    "Unavailable",
    "UnexpectedAnswer",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(
        __name__,
        {name: "client" if name.endswith("Client") else "exceptions" for name in __all__},
    )
