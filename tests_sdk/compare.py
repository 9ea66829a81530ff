"""Compares what two runs of the driver recorded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_SIGNED = re.compile(r"expires=[\d.]+&signature=\w+")
_NEAR = 8
"""Largest difference of a value of a JPEG's pixel: both draw with other libraries."""


def neutral(value: Any) -> Any:
    """Return a value without what differs from moment to moment: times and signatures."""
    text = json.dumps(value, sort_keys=True)
    return json.loads(_SIGNED.sub("<signed>", _TIME.sub("<time>", text)))


def requests(call: dict[str, Any]) -> list[Any]:
    """Return the requests of a call; transfers to signed addresses come last, because some of them run in parallel."""
    sent = neutral(call["requests"])
    transfers = [item for item in sent if item["path"].startswith("storage/")]
    return [item for item in sent if item not in transfers] + sorted(transfers, key=str)


def same_file(one: Path, other: Path) -> bool:
    """Whether two files say the same."""
    if one.suffix == ".json":
        return bool(json.loads(one.read_bytes()) == json.loads(other.read_bytes()))
    if one.suffix in (".jpg", ".png"):
        left, right = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (one, other))
        if left is None or right is None or left.shape != right.shape:
            return False
        return bool(np.abs(left.astype(int) - right).max() <= (_NEAR if one.suffix == ".jpg" else 0))
    return one.read_bytes() == other.read_bytes()


def differing_files(one: dict[str, Any], other: dict[str, Any], folders: tuple[Path, Path]) -> list[str]:
    """Return the files of a call that are not in both runs, or not the same."""
    names = one["files"].keys() | other["files"].keys()
    return sorted(
        name
        for name in names
        if not (name in one["files"] and name in other["files"]) or not same_file(folders[0] / name, folders[1] / name)
    )
