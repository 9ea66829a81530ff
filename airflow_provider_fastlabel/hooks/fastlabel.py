"""The hook makes a ready client of an Airflow connection of type ``fastlabel``."""

from __future__ import annotations

import logging
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_fastlabel.hooks import settings as configuration
from airflow_provider_fastlabel.hooks.connection import ConnectionSettings, InvalidConnectionError, read_connection
from airflow_provider_fastlabel.hooks.pages import pages_of
from airflow_provider_fastlabel.provider_info import CONN_FIELDS, UI_FIELD_BEHAVIOUR

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.exceptions import FastLabelException

log: logging.Logger = logging.getLogger(__name__)

TEST_TIMEOUT = (5.0, 10.0)
"""Connect and read timeout of "test connection", in seconds."""

TEST_PAGE = 100
"""How many projects "test connection" asks for."""


def user_agent() -> str:
    """Return what the client puts in front of its own ``User-Agent``: the versions of Airflow and Python."""
    from airflow import __version__ as airflow_version

    return f"apache-airflow/{airflow_version} python/{platform.python_version()}"


def build_client(settings: ConnectionSettings, **overrides: Any) -> FastLabelClient:
    """Build a client from checked settings, and log what is worth remarking on them.

    :param overrides: client arguments that win over the connection, for instance ``max_retries=0``.
    :raises InvalidConnectionError: when the client refuses what the connection says.
    :raises InvalidSettingError: when an option of ``[fastlabel]`` in Airflow's configuration is wrong.
    """
    from airflow_provider_fastlabel.client import FastLabelClient

    for remark in settings.remarks:
        log.warning("%s", remark)
    source = f"Airflow connection {settings.conn_id!r} (its password, 'Access token')"
    own: dict[str, Any] = {"user_agent": user_agent(), "token_source": source}
    if settings.calls_per_10_minutes is None and (calls := configuration.calls_per_10_minutes()) is not None:
        own["calls_per_10_minutes"] = calls
    try:
        return FastLabelClient(**{**settings.client_arguments(), **own, **overrides})
    except ValueError as error:
        raise InvalidConnectionError(f"Connection {settings.conn_id!r}: {error}") from None


class FastLabelHook(BaseHook):
    """Gives a :class:`~airflow_provider_fastlabel.client.FastLabelClient` for an Airflow connection.

    Connection fields: password = access token; host = API base URL (default ``https://api.fastlabel.ai/v1/``); extra:
    ``timeout``, ``max_retries``, ``calls_per_10_minutes``, ``quota_seconds``, ``quota_redis``, ``verify``, ``proxies``,
    ``app_url``. Token and address come from the connection alone: what Airflow says is what is used.

    :param fastlabel_conn_id: id of the Airflow connection, of type ``fastlabel``.
    """

    conn_name_attr = "fastlabel_conn_id"
    default_conn_name = "fastlabel_default"
    conn_type = "fastlabel"
    hook_name = "FastLabel"

    def __init__(self, fastlabel_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fastlabel_conn_id = fastlabel_conn_id
        self._client: FastLabelClient | None = None
        self._settings: ConnectionSettings | None = None

    def get_conn(self) -> FastLabelClient:
        """Return the client of this connection; built at the first call, the same one afterwards.

        :raises InvalidConnectionError: when the connection has no token or a field that cannot be used.
        """
        if self._client is None:
            settings = self.settings()
            # The address comes last: Airflow's log view makes a link of it, with whatever follows.
            log.info("Airflow connection %r leads to FastLabel at %s", self.fastlabel_conn_id, settings.api_url)
            self._client = build_client(settings)
        return self._client

    def settings(self) -> ConnectionSettings:
        """Return the connection, read and checked at the first call.

        :raises InvalidConnectionError: naming the field that is missing or wrong.
        :raises AirflowNotFoundException: when there is no such connection.
        """
        if self._settings is None:
            self._settings = self._read()
        return self._settings

    def pages(self) -> dict[str, str]:
        """Return the addresses of the pages of FastLabel's application that are known, by page, with placeholders.

        The connection's ``app_url`` goes before that of ``[fastlabel]`` in Airflow's configuration, and this before
        the table in :mod:`~airflow_provider_fastlabel.hooks.pages`, which is for FastLabel's own API only.

        :raises InvalidConnectionError: when the connection cannot be used.
        :raises InvalidSettingError: when ``app_url`` of the configuration is wrong.
        """
        settings = self.settings()
        return pages_of(settings.api_url, settings.app_url or configuration.app_url())

    def _read(self) -> ConnectionSettings:
        """Read and check the connection."""
        try:
            connection = self.get_connection(self.fastlabel_conn_id)
        except AirflowNotFoundException:
            raise AirflowNotFoundException(
                f"The conn_id {self.fastlabel_conn_id!r} isn't defined. Create a connection of type FastLabel of "
                "this id (Admin > Connections), or correct `fastlabel_conn_id`"
            ) from None
        return read_connection(connection, connection.extra_dejson)

    def test_connection(self) -> tuple[bool, str]:
        """Make one cheap call and say in few words what is right or wrong; never shows the token.

        The connection is not named: Airflow tests a copy of it under a random id.

        :returns: (works, message).
        """
        from airflow_provider_fastlabel.client.exceptions import FastLabelException, RateLimited

        try:
            settings = self.settings()
            client = build_client(replace(settings, remarks=()), timeout=TEST_TIMEOUT, max_retries=0)
        except InvalidConnectionError as error:
            return False, str(error).replace(f"Connection {self.fastlabel_conn_id!r}", "This connection")
        host = urlsplit(settings.api_url).netloc
        try:
            projects: object = client.get_projects(limit=TEST_PAGE)
        except RateLimited:
            return True, f"{host} knows the access token, but its call quota is used up for now."
        except FastLabelException as error:
            return False, _explain(error, settings.api_url)
        finally:
            client.close()
        if not isinstance(projects, list):
            return False, _not_the_api(settings.api_url)
        found = f"Connected to {host}; the access token sees {_count_projects(len(projects))}."
        remarks = [
            text.replace(f"Connection {self.fastlabel_conn_id!r}", "This connection") for text in settings.remarks
        ]
        return True, " ".join([found, *(f"{remark}." for remark in remarks)])

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return which standard fields the form hides and renames; read by Airflow 3.1 only."""
        return {
            "hidden_fields": list(UI_FIELD_BEHAVIOUR["hidden-fields"]),
            "relabeling": dict(UI_FIELD_BEHAVIOUR["relabeling"]),
            "placeholders": dict(UI_FIELD_BEHAVIOUR["placeholders"]),
        }

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the extra fields of the form, one widget each; read by Airflow 3.1 only."""
        # wtforms first: it is the package whose absence Airflow 3.1 forgives.
        from wtforms import IntegerField, StringField  # type: ignore[import-untyped, unused-ignore]  # isort: skip
        from flask_babel import lazy_gettext  # type: ignore[import-not-found, unused-ignore]  # isort: skip

        widgets: dict[str, Any] = {}
        for name, field in CONN_FIELDS.items():
            widget = IntegerField if "integer" in field["schema"]["type"] else StringField
            widgets[name] = widget(lazy_gettext(field["label"]), description=field["description"])
        return widgets


def client_of(conn_id: str) -> FastLabelClient:
    """Return the client of a connection, for somebody who is no task and knows no Airflow.

    :param conn_id: id of the Airflow connection.
    :raises InvalidConnectionError: there is no such connection, or it cannot be used.
    """
    try:
        return FastLabelHook(fastlabel_conn_id=conn_id).get_conn()
    except AirflowNotFoundException as error:
        raise InvalidConnectionError(str(error)) from None


def _explain(error: FastLabelException, api_url: str) -> str:
    """Say in few words what a failed connection test means and what to check."""
    from airflow_provider_fastlabel.client.exceptions import (
        AuthError,
        ConnectionFailed,
        FastLabelInvalidException,
        NotFound,
        RequestTimeout,
    )

    host, said = urlsplit(api_url).netloc, error.message.rstrip(".")
    if error.web_page and error.code is not None:
        return _a_web_page(error.code, api_url)
    if isinstance(error, AuthError):
        return f"{host} answered, but refuses the access token (HTTP {error.code}). Check the access token."
    # FastLabel has this call, and says what it does not like; a proxy that wants a password is none of it.
    wordless = isinstance(error, FastLabelInvalidException) and error.code != 407 and "no explanation" in said
    if isinstance(error, NotFound) or wordless:
        return _not_the_api(api_url)
    if isinstance(error, ConnectionFailed | RequestTimeout) and error.code is None:
        # The error gives the same advice, without the words of the form.
        said = said.partition(". Check ")[0]
        return f"{host} cannot be reached: {said}. Check the API base URL, the proxies and the network."
    return f"{host} answered with an error: {said}. Check the API base URL {api_url}"


def _a_web_page(status: int, api_url: str) -> str:
    """Say that a web page came where the API answers with JSON."""
    host = urlsplit(api_url).netloc
    if status >= 500:
        whose = "a gateway says that what is behind it does not answer. Try again later, or check the API base URL"
    else:
        whose = "a proxy's login page, or an application in place of the API. Check the API base URL and the proxies"
    return f"{host} answered with a web page (HTTP {status}), not as the FastLabel API: {whose}; asked was {api_url}"


def _not_the_api(api_url: str) -> str:
    """Say that something answers at the address which is not FastLabel's API."""
    return f"{urlsplit(api_url).netloc} answered, but not as the FastLabel API. Check the API base URL {api_url}"


def _count_projects(number: int) -> str:
    """Say how many projects were seen, when the list may have been cut."""
    if number >= TEST_PAGE:
        return f"{number} projects or more"
    return f"{number} project{'' if number == 1 else 's'}"
