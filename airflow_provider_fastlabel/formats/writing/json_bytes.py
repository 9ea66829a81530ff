"""JSON as bytes, fast, and never failing on what people type.

orjson refuses what JSON from elsewhere may hold: half of a surrogate pair, whole numbers beyond 64 bits, keys that are
no strings. Those rare values take the standard library's way.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return a value as compact JSON.

    :param value: JSON types; NaN and the infinities become null.
    :returns: UTF-8; what cannot be encoded becomes ``?``.
    :raises TypeError: the value holds something that is no JSON type.
    :raises ValueError: it is nested some hundred times.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        pass
    try:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    except RecursionError:
        keys = ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
        raise ValueError(
            f"lists or objects are nested too deeply to be written as JSON, in one of {keys}. Look for an attribute of "
            "such a value at FastLabel."
        ) from None


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for by null, as orjson does."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return value
