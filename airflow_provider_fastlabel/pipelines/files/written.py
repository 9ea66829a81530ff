"""When a file in an object store was last written, as its listing says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITTEN = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""What file systems of fsspec call it, the surest first."""


def told_time(info: Mapping[str, Any]) -> Any:
    """Return when a file was last written, in the store's own words; ``None`` if the store does not say.

    :param info: what the file system says of the file.
    """
    return next((info[name] for name in _WRITTEN if info.get(name) is not None), None)


def written_at(info: Mapping[str, Any]) -> float | None:
    """Return when a file was last written, in seconds since 1970; ``None`` if the store does not say it clearly.

    :param info: what the file system says of the file.
    """
    told = told_time(info)
    if isinstance(told, str):
        try:
            told = datetime.fromisoformat(told)
        except ValueError:
            return None
    if isinstance(told, datetime):
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    return float(told) if isinstance(told, int | float) else None
