"""What shares a data set for Ultralytics is split into, and which names its folders and pictures cannot have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.formats.writing.naming import safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping

SPLITS = {"train": 0.8, "val": 0.2}
"""The shares where none are asked for."""
NOT_FOUND = re.compile(r"(?:^|(?<=/))(?=images/|\.)")
"""Where a path needs another character in front: Ultralytics reads the last folder ``images`` of a picture's path as
``labels``, and does not list what is hidden.
"""


def checked_splits(splits: Mapping[str, float] | None) -> Mapping[str, float]:
    """Return the shares of the splits.

    :param splits: as asked for; ``None`` or none for :data:`SPLITS`.
    :raises ValueError: ``train`` or ``val`` is missing, a name is no plain one, or the shares are none of a whole.
    """
    shares = dict(splits or SPLITS)
    plain = all("/" not in name and safe_name(f"{name}/a", NOT_FOUND) == f"{name}/a" for name in shares)
    if not plain or not {"train", "val"} <= set(shares):
        raise ValueError(f"splits need 'train' and 'val' (and plain names): {shares!r}")
    if any(isinstance(share, bool) or not isinstance(share, int | float) for share in shares.values()):
        raise ValueError(f"the shares of the splits must be numbers: {shares!r}")
    total = sum(shares.values())
    if min(shares.values()) < 0 or not abs(total - 1) <= 1e-6:
        raise ValueError(f"the shares of the splits must sum to 1, and these sum to {total:g}: {shares!r}")
    return shares
