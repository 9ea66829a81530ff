"""What every group of calls stands on: the transport, checked page sizes, and a pager that misses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.transport import Transport, segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.client.kinds import Limits

__all__ = ["Resource", "present", "segment", "within"]


class Resource:
    """A group of calls on the shared transport. The mixins of :class:`FastLabelClient` derive from it."""

    _transport: Transport
    limits: Limits
    """Largest files and folders that may be sent; change a field to widen it, e.g. ``client.limits.pcd = 100 * MB``."""


def within(limit: int | None, maximum: int) -> int | None:
    """Return a page size that the list accepts.

    :param limit: the page size asked for; ``None`` leaves it to FastLabel.
    :param maximum: the largest one of this list.
    :raises FastLabelInvalidException: if it is larger, before any request.
    """
    if limit is not None and limit > maximum:
        raise FastLabelInvalidException(
            f"limit must be {maximum} or less for this list, not {limit}. Nothing was sent.", 422
        )
    return limit


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not empty: ``None``, ``""``, ``[]``, ``0`` and ``False`` are not sent."""
    return {key: value for key, value in fields.items() if value}
