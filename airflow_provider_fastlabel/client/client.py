"""The client: all groups of calls in one object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.client.const import DEFAULT_API_URL
from airflow_provider_fastlabel.client.http.transport import Transport
from airflow_provider_fastlabel.client.kinds import Limits
from airflow_provider_fastlabel.client.resources.annotations import AnnotationClasses
from airflow_provider_fastlabel.client.resources.appendix import Appendix
from airflow_provider_fastlabel.client.resources.comments import Comments
from airflow_provider_fastlabel.client.resources.converters import Converters
from airflow_provider_fastlabel.client.resources.datasets import Datasets
from airflow_provider_fastlabel.client.resources.imports import Imports
from airflow_provider_fastlabel.client.resources.lerobot.importer import LeRobot
from airflow_provider_fastlabel.client.resources.metadata import Metadata
from airflow_provider_fastlabel.client.resources.models import Models
from airflow_provider_fastlabel.client.resources.monitoring import Monitoring
from airflow_provider_fastlabel.client.resources.projects import Projects
from airflow_provider_fastlabel.client.resources.tags import Tags
from airflow_provider_fastlabel.client.resources.tasks import Tasks
from airflow_provider_fastlabel.client.resources.users import WorkspaceUsers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_fastlabel.client.http.quota import Quota


class FastLabelClient(
    Tasks,
    Imports,
    AnnotationClasses,
    Converters,
    Projects,
    Tags,
    Monitoring,
    Models,
    Datasets,
    Comments,
    WorkspaceUsers,
    Metadata,
    Appendix,
    LeRobot,
):
    """FastLabel's HTTP API in Python. One client may be used from many threads.

    What was decided where nothing is documented: an answer must be there as a whole after ten times the timeout for
    reading, and has at most 256 MB; a read that is redirected to another host is sent there without the token; a write
    is never redirected. An answer of another shape than its call has raises
    :class:`~airflow_provider_fastlabel.client.exceptions.UnexpectedAnswer`.

    :param access_token: token of the workspace; ``FASTLABEL_ACCESS_TOKEN`` if ``None``.
    :param api_url: base URL of the API; ``FASTLABEL_API_URL`` if ``None``, else the public one.
    :param timeout: seconds for connecting and for each wait on the answer, as one number or as a pair. Each answer as a
        whole has ten times as long; a file from a signed address longer, while it brings 10 kB a second on average.
    :param max_retries: how often a call that failed for a passing reason is repeated.
    :param calls_per_10_minutes: the quota of the token. All clients of a token share it, in all processes of a user on
        a machine; in a process the last value given holds.
    :param verify: whether to check TLS certificates, or the path of a bundle to check them with.
    :param proxies: proxy per scheme; those of the environment if ``None``.
    :param user_agent: text to put in front of the ``User-Agent``.
    :param quota_seconds: length of the quota's window: FastLabel's 10 minutes, unless an emulator has another.
    :param quota_redis: address of a Redis by which the clients of several machines share the quota, such as
        ``redis://:password@host:6379/0``; needs the extra ``redis``.
    :param token_source: in words, where the token comes from, for the message when FastLabel refuses it; by default the
        argument or the environment variable.
    :raises ValueError: if there is no token, or another argument cannot be one; the message names it.
    """

    def __init__(
        self,
        access_token: str | None = None,
        *,
        api_url: str | None = None,
        timeout: float | tuple[float, float] = (10, 60),
        max_retries: int = 5,
        calls_per_10_minutes: int = 10_000,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
        user_agent: str | None = None,
        token_source: str | None = None,
        quota_seconds: float = 600,
        quota_redis: str | None = None,
    ) -> None:
        token = access_token or os.environ.get("FASTLABEL_ACCESS_TOKEN")
        if not token:
            raise ValueError("FASTLABEL_ACCESS_TOKEN is not configured: set it, or pass access_token.")
        found_in = "the argument access_token" if access_token else "the environment variable FASTLABEL_ACCESS_TOKEN"
        own_agent = f"airflow-provider-fastlabel/{__version__}"
        self.limits: Limits = Limits()
        self._transport = Transport(
            token,
            _first_filled(api_url, os.environ.get("FASTLABEL_API_URL"), DEFAULT_API_URL),
            timeout=timeout,
            max_retries=max_retries,
            calls_per_10_minutes=calls_per_10_minutes,
            quota_seconds=quota_seconds,
            quota_redis=quota_redis,
            token_source=token_source or found_in,
            verify=verify,
            proxies=proxies,
            user_agent=f"{user_agent} {own_agent}" if user_agent else own_agent,
        )

    @property
    def quota(self) -> Quota:
        """The quota of this token: ``.remaining()`` calls may start now, of ``.limit`` in ``.window`` seconds."""
        return self._transport.quota

    @property
    def patience(self) -> Callable[[], float] | None:
        """Asked for the longest wait, in seconds, for FastLabel's ``Retry-After`` or for a free call of the quota.

        ``None``, the default: a ``Retry-After`` of up to 120 s is waited for, the quota as long as it takes. A longer
        wait raises ``RateLimited``, or ``Unavailable`` where FastLabel answered 5xx, with ``retry_after``.
        """
        return self._transport.patience

    @patience.setter
    def patience(self, value: Callable[[], float] | None) -> None:
        self._transport.patience = self._transport.patience_for_quota = value

    @property
    def transport(self) -> Transport:
        """The door to the network below, for calls this client has no method for."""
        return self._transport

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FastLabelClient {self._transport.api_url}>"


def _first_filled(*addresses: str | None) -> str:
    """Return the first address that is not blank; what is no text at all is left to the check of addresses."""
    return next(each for each in addresses if each is not None and (not isinstance(each, str) or each.strip()))


Client = FastLabelClient
