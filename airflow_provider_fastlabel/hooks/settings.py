"""The section ``[fastlabel]`` of Airflow's configuration: an organisation's defaults, read when they are needed.

What a task's argument or the connection says goes before it, and behind it come the defaults of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.hooks.fields import positive_seconds, share, whole_number
from airflow_provider_fastlabel.hooks.pages import parse_app_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECTION = "fastlabel"

WAIT_QUOTA_SHARE = 0.2
"""Share of a connection's quota that all waits of a process may use together; the rest is for those that work."""


class InvalidSettingError(InvalidConnectionError):
    """An option of ``[fastlabel]`` in Airflow's configuration that cannot be used; the message names it."""


def poll_interval(otherwise: float) -> float:
    """Return the seconds between two looks of a wait that does not say it itself.

    :param otherwise: what is not configured.
    :raises InvalidSettingError: the option is wrong.
    """
    return _or(_read("poll_interval"), otherwise)


def manifests_path() -> str | None:
    """Return the folder, or the URL of one, below which imports keep their manifests; ``None`` if not configured."""
    text: str | None = _read("manifests_path")
    return text


def wait_quota_share() -> float:
    """Return the share of a connection's quota that all waits of a process may use together.

    :raises InvalidSettingError: the option is wrong.
    """
    return _or(_read("wait_quota_share"), WAIT_QUOTA_SHARE)


def calls_per_10_minutes() -> int | None:
    """Return the call quota of one process where the connection does not say it; ``None`` if not configured.

    :raises InvalidSettingError: the option is wrong.
    """
    number: int | None = _read("calls_per_10_minutes")
    return number


def app_url() -> Mapping[str, str] | None:
    """Return the addresses of the application's pages where the connection does not say them.

    :raises InvalidSettingError: the option is wrong.
    """
    pages: Mapping[str, str] | None = _read("app_url")
    return pages


def _read(option: str) -> Any:
    """Return an option as its parser reads it, ``None`` when it is not set or empty.

    :raises InvalidSettingError: naming section and option.
    """
    raw = conf.get(SECTION, option, fallback=None)
    if raw is None or not raw.strip():
        return None
    try:
        return OPTIONS[option](raw.strip())
    except ValueError as error:
        raise InvalidSettingError(
            f"Airflow's configuration, [{SECTION}] {option}: {error}. Correct it in airflow.cfg, or the environment "
            f"variable AIRFLOW__{SECTION.upper()}__{option.upper()}."
        ) from None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "poll_interval": positive_seconds,
    "manifests_path": str,
    "wait_quota_share": share,
    "calls_per_10_minutes": whole_number(1),
    "app_url": parse_app_url,
}
"""Name of each option and the parser that checks it; provider_info.py describes them to Airflow."""
