"""What every group of calls stands on: the transport, the limits, and what is left out of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.http.transport import Transport, segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.client.kinds import Limits

__all__ = ["Resource", "present", "segment"]


class Resource:
    """A group of calls on the shared transport. The mixins of :class:`FastLabelClient` derive from it."""

    _transport: Transport
    limits: Limits
    """Largest files and folders that may be sent; change a field to widen it, e.g. ``client.limits.pcd = 100 * MB``."""


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not empty: ``None``, ``""``, ``[]``, ``0`` and ``False`` are not sent."""
    return {key: value for key, value in fields.items() if value}
