"""What it is when a disk or a store has no room left."""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What operating systems say when there is no room."""


class DiskFullError(OSError):
    """There is no room; the message says where, what was kept and what to do."""
