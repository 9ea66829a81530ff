"""Which failures pass by themselves and which do not: one judgement for retries, waits and triggers.

And what their messages lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.pipelines.files.buckets import BucketMissingError

if TYPE_CHECKING:
    from collections.abc import Callable


def is_permanent(error: BaseException) -> bool:
    """Tell whether doing the same again must fail the same way.

    True for a refused token, a missing thing, an invalid or conflicting request, a bucket that does not exist, and a
    missing or unusable Airflow connection; false for an exceeded quota, server errors, timeouts and everything that is
    not ours to judge.
    """
    from airflow_provider_fastlabel.client.exceptions import cannot_pass

    ours = (InvalidConnectionError, AirflowNotFoundException, BucketMissingError)
    return cannot_pass(error) or isinstance(error, ours)


def is_transient(error: BaseException) -> bool:
    """Tell whether the failure belongs to FastLabel, to the network or to Airflow's own services, and may pass.

    Everything that is neither this nor :func:`is_permanent` is a mistake in a program and must not be waited out.
    """
    from airflow.sdk.exceptions import AirflowRuntimeError

    from airflow_provider_fastlabel.client.exceptions import FastLabelException

    if is_permanent(error):
        return False
    return isinstance(error, FastLabelException | AirflowRuntimeError | OSError)


def asks_to_wait(error: BaseException) -> bool:
    """Tell whether an error means that FastLabel, or its quota, is to be left alone for a while by every call."""
    from airflow_provider_fastlabel.client.exceptions import RateLimited, Unavailable

    return isinstance(error, RateLimited | Unavailable)


def retry_after(error: BaseException | None) -> float | None:
    """Return after how many seconds (at least 1) FastLabel wants to be asked again, when the error says so."""
    from airflow_provider_fastlabel.client.exceptions import RateLimited, ServerError

    if isinstance(error, RateLimited | ServerError) and error.retry_after is not None:
        return max(1.0, error.retry_after)
    return None


def tell_what_stays(error: BaseException, conn_id: str, stays: Callable[[], str]) -> None:
    """Complete the message of a call that failed: it knows neither Airflow's connection nor the task's work.

    Errors that the work itself raises say both, and are left.

    :param error: what ended the work.
    :param conn_id: id of the Airflow connection.
    :param stays: says what of the work stays; asked only if the error needs it.
    """
    from airflow_provider_fastlabel.client import exceptions as of

    calls = (of.AuthError, of.RateLimited, of.ServerError, of.ConnectionFailed, of.RequestTimeout, of.UnexpectedAnswer)
    if not isinstance(error, calls):
        return
    named = "" if repr(conn_id) in error.message else f" The address is that of Airflow connection {conn_id!r}."
    error.message = f"{error.message}{named} {stays()}"
    error.args = (error.message, *error.args[1:])
