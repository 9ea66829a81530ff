"""What to make of a thing that is found after the answer to its creation was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import Conflict, OutcomeUnknown
from airflow_provider_fastlabel.client.http.retry import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def require_ours(what: str, found: Mapping[str, Any], is_ours: Callable[[object], bool]) -> None:
    """Return if the thing was created by this call.

    :param what: a noun phrase for the message.
    :param found: the thing.
    :param is_ours: tells whether something was created since the call began.
    :raises Conflict: if it is older than the call.
    :raises OutcomeUnknown: if it does not tell when it was created.
    """
    if timestamp(found.get("createdAt")) is None:
        raise OutcomeUnknown(f"The answer was lost. There is a {what} now that does not tell its age; look at it.")
    if not is_ours(found["createdAt"]):
        raise Conflict(f"There was a {what} already. Nothing was created.", 409)
