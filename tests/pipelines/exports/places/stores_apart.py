"""Places in an S3-compatible store of another process, for processes that fork before they use one."""

from __future__ import annotations

from functools import cache
from typing import Any

import s3fs
from upath import UPath

OPTIONS: dict[str, Any] = {"key": "emulator", "secret": "emulator"}


@cache
def s3_files(address: str) -> Any:
    """Return the file system of this process."""
    return s3fs.S3FileSystem(**OPTIONS, endpoint_url=address)


def s3_place(address: str, name: str) -> Any:
    """Return a place in the bucket ``sets``, over that file system."""
    place = UPath(f"s3://sets/{name}/set", **OPTIONS, endpoint_url=address)
    assert place.fs is s3_files(address)
    return place
