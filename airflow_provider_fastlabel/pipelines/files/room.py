"""What it is when a disk or a store has no room left."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What operating systems say when there is no room."""


class DiskFullError(OSError):
    """There is no room; the message says where, what was kept and what to do."""


@contextmanager
def room_needed(while_: Callable[[], str]) -> Iterator[None]:
    """Say what was being done when there was no room; an error that says so already is left as it is.

    :param while_: called then: what was being written and where, what is kept, and what to do.
    :raises DiskFullError: there is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, DiskFullError):
            raise
        raise DiskFullError(error.errno, f"{error.strerror} while {while_()}") from error
