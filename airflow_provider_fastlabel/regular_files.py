"""Files that a stranger may have put there: only regular files are opened, and nothing waits for ever.

A named pipe has no end until somebody closes it, a device may have none at all, and opening one can do something. So
whatever stands where a file is expected is looked at first, opened without waiting, and looked at again.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    Place = str | os.PathLike[str]

# O_NONBLOCK: between the look and the opening, a pipe may have taken the file's place.
_WITHOUT_WAITING = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_PIECE_BYTES = 1 << 20
MOST_BYTES = 1 << 34
"""A larger file (16 GB) is not read whole: of a sparse one, terabytes take no room on the disk."""
LEAVES = "it is a link that leaves the folder, which is only followed with follow_links=True"
"""Why a file or folder is not opened."""
# What systems say of a link where O_NOFOLLOW is given; ENOTDIR also of a file in the place of a folder.
_LINK_MET = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """What stands in the place of a file is none: a named pipe, a socket, a device or a folder.

    ``strerror`` says which, as in "it is a named pipe (FIFO), not a regular file"; ``filename`` names it.
    """


def open_regular(path: Place, *, seen: bool = False, most: int | None = None) -> BinaryIO:
    """Open a regular file for reading bytes.

    :param path: the file, or a link to it.
    :param seen: whether the caller has just seen that it is one; it is looked at after the opening alone then.
    :param most: bytes that it may have; None for any number.
    :returns: the file, to be closed by the caller.
    :raises NotRegularError: it is something else, which was not opened or is closed again.
    :raises OSError: it is not there, may not be read, or has more bytes.
    """
    descriptor = regular_descriptor(path, os.O_RDONLY, seen=seen)
    try:
        if most is not None:
            _refuse_above(most, descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    # With a buffer of this size nobody asks the system what kind of terminal the file is.
    return os.fdopen(descriptor, "rb", io.DEFAULT_BUFFER_SIZE)


def read_regular(path: Place, *, seen: bool = False, most: int = MOST_BYTES) -> bytes:
    """Read a regular file whole.

    :param path: the file, or a link to it.
    :param most: bytes that it may have.
    :param seen: as for :func:`open_regular`.
    :returns: its content.
    :raises NotRegularError: it is something else, which was not opened or is closed again.
    :raises OSError: it is not there, may not be read, has more bytes, or would make us wait, as some files of the
        kernel do.
    """
    return _read(regular_descriptor(path, os.O_RDONLY, seen=seen), path, most)


def read_below(folder: str, name: str, *, most: int = MOST_BYTES) -> bytes:
    """Read a file whole; parameters and errors are those of :func:`open_below` and :func:`read_regular`."""
    return _read(_below(folder, name), f"{folder}/{name}", most)


def _read(descriptor: int, path: Place, most: int) -> bytes:
    """Read an open file whole, and close it."""
    try:
        stated = _refuse_above(most, descriptor, path)
        size = min(stated + 1, _PIECE_BYTES)
        pieces = []
        while piece := os.read(descriptor, size):
            pieces.append(piece)
            size = _PIECE_BYTES
    finally:
        os.close(descriptor)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _refuse_above(most: int, descriptor: int, path: Place) -> int:
    """Return how many bytes an open file has, if it may have so many."""
    stated = os.fstat(descriptor).st_size
    if stated > most:
        raise OSError(errno.EFBIG, f"it has {stated:,} bytes, and {most:,} are the most", os.fspath(path))
    return stated


def regular_descriptor(path: Place, flags: int, mode: int = 0o666, *, seen: bool = False) -> int:
    """Open a regular file as :func:`os.open` does; also an ``opener`` for :func:`open`.

    :param path: the file, or a link to it.
    :param flags: as for :func:`os.open`.
    :param mode: permissions of a file that is created.
    :param seen: as for :func:`open_regular`.
    :returns: the descriptor, to be closed by the caller.
    :raises NotRegularError: it is something else, which was not opened or is closed again.
    :raises OSError: it cannot be opened.
    """
    if not seen:
        try:
            mode_now = os.stat(path).st_mode  # noqa: PTH116 - a Path costs more than the look
        except FileNotFoundError:
            pass  # which the opening says, or it makes one
        else:
            refuse_unless_regular(mode_now, path)
    descriptor = os.open(path, flags | _WITHOUT_WAITING, mode)
    try:
        refuse_unless_regular(os.fstat(descriptor).st_mode, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_below(folder: str, name: str) -> BinaryIO:
    """Open a regular file below a folder for reading bytes, and no other one, whatever is exchanged meanwhile.

    Part by part without following a link. Where one stands in the way that leads to a place inside of the folder, the
    place is gone to by that rule.

    :param folder: the folder, which may be reached by a link.
    :param name: path relative to it, with ``/`` between the parts.
    :returns: the file, to be closed by the caller.
    :raises NotRegularError: it is something else.
    :raises OSError: it is not there, may not be read, or is a link that leaves the folder.
    """
    return os.fdopen(_below(folder, name), "rb", io.DEFAULT_BUFFER_SIZE)


def _below(folder: str, name: str) -> int:
    """Return the descriptor of :func:`open_below`."""
    try:
        return _descriptor_below(folder, name)
    except OSError as error:
        if error.errno not in _LINK_MET:
            raise
        real_folder, real = os.path.realpath(folder), os.path.realpath(f"{folder}/{name}")
        if not is_below(real, real_folder):
            raise OSError(errno.EACCES, LEAVES, f"{folder}/{name}") from None
        return _descriptor_below(real_folder, os.path.relpath(real, real_folder))


def _descriptor_below(folder: str, name: str) -> int:
    """Open a regular file by a path in which nothing below the folder is a link."""
    *parents, last = name.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | _WITHOUT_WAITING, dir_fd=at)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, f"{folder}/{name}") from None
    finally:
        os.close(at)
    try:
        refuse_unless_regular(os.fstat(descriptor).st_mode, f"{folder}/{name}")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_unless_regular(mode: int, path: Place) -> None:
    """Refuse what is no regular file.

    :param mode: ``st_mode`` of what a path leads to.
    :param path: the path.
    :raises NotRegularError: it is none; the error says what it is.
    """
    if not stat.S_ISREG(mode):
        raise NotRegularError(errno.EINVAL, f"it is {kind_of(mode)}, not a regular file", os.fspath(path))


def kind_of(mode: int) -> str:
    """Return in words what something is: ``a named pipe (FIFO)``, ``a folder``, ``a regular file``.

    :param mode: its ``st_mode``.
    """
    return next((words for fits, words in _KINDS if fits(mode)), "a regular file")


def leaves(path: Place, real_folder: str) -> bool:
    """Tell whether a path leads out of a folder, by a link or by ``..``. What leads nowhere counts as far as it leads.

    :param path: the path.
    :param real_folder: the folder, without links: ``os.path.realpath`` of it.
    """
    return not is_below(os.path.realpath(path), real_folder)


def is_below(real: str, real_folder: str) -> bool:
    """Tell whether a path is a folder or in it. Both are without links.

    :param real: the path.
    :param real_folder: the folder.
    """
    return real == real_folder or real.startswith(real_folder.rstrip(os.sep) + os.sep)
