"""Which FastLabel a command talks to: that of the environment, or of an Airflow connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client import FastLabelClient


def connect(conn_id: str | None) -> FastLabelClient:
    """Return the client of a command.

    :param conn_id: id of an Airflow connection, wherever this Airflow keeps its connections; ``None`` for the
        environment: ``FASTLABEL_ACCESS_TOKEN`` and ``FASTLABEL_API_URL``.
    :raises ValueError: there is no token, no Airflow, or no such connection.
    """
    from airflow_provider_fastlabel.client import FastLabelClient

    if conn_id is not None:
        return _of_airflow(conn_id)
    if not os.environ.get("FASTLABEL_ACCESS_TOKEN"):
        raise ValueError(
            "There is no access token. Set the environment variable FASTLABEL_ACCESS_TOKEN, or name an Airflow "
            "connection with --conn-id."
        )
    return FastLabelClient(user_agent="fastlabel-pipelines")


def _of_airflow(conn_id: str) -> FastLabelClient:
    try:
        # The hook reads all fields of a connection; a second reading of them here could only differ.
        from airflow_provider_fastlabel.hooks.fastlabel import client_of
    except ImportError as error:
        raise ValueError(
            f"--conn-id needs Apache Airflow, which cannot be imported here ({error}). Leave it out and set "
            "FASTLABEL_ACCESS_TOKEN."
        ) from error
    return client_of(conn_id)
