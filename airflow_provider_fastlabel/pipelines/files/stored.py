"""Files of an object store, read and listed so that what its file system leaves unsaid is an error.

Those of fsspec return errors among the contents of files, ask for the first byte of objects that have none, leave out
of a listing what cannot be listed, and say of a file that cannot be looked at that it is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.buckets import NO_FILE, store_asked, store_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Info = Mapping[str, Any]

_AT_ONCE = 200


def read_files(folder: Any, names: Sequence[str], most: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Read many files, some at the same time where the store can; those that are not there are left out.

    :param folder: an object-store path.
    :param names: of the files, relative to the folder.
    :param most: bytes of each that are wanted, from its beginning; ``None`` for all.
    :returns: name and content of each file that is there and no folder, in their order.
    :raises StoreFailedError: the store has failed at one of them.
    """
    first = None if most is None else 0  # a range would be refused where a file is empty, and many label files are
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        found = folder.fs.cat_ranges([(folder / name).path for name in some], first, most)
        for name, data in zip(some, found, strict=True):
            if isinstance(data, NO_FILE):
                continue
            with store_read(folder / name):
                if isinstance(data, OSError) and most is not None:
                    data = read_beginning(folder / name, most)
                elif isinstance(data, Exception):
                    raise data
            yield name, bytes(data)


def read_beginning(place: Any, most: int) -> bytes:
    """Read a file, or its beginning, in one answer.

    :param place: an object-store path.
    :param most: bytes that are wanted.
    :raises FileNotFoundError: it is not there.
    :raises OSError: it cannot be read.
    """
    try:
        return bytes(place.fs.cat_file(place.path, start=0, end=most))
    except FileNotFoundError:
        raise
    except OSError:  # an empty object has no first byte to ask for
        return bytes(place.fs.cat_file(place.path))[:most]


def kind_at(place: Any) -> str:
    """Say what there is at a place: ``file``, ``directory``, another kind that its store knows, or nothing.

    :param place: an object-store path.
    :returns: the kind; empty where there is nothing.
    :raises StoreFailedError: the store says neither.
    """
    try:
        with store_asked(place, "cannot be looked at", "Nothing was made of it."):
            return str(place.fs.info(place.path)["type"])
    except (FileNotFoundError, NotADirectoryError):
        return ""


def list_files(folder: Any) -> dict[str, Info]:
    """List all files below a folder, by one listing where the store has such, else by one of each folder.

    :param folder: an object-store path; where it is a file, that alone is listed.
    :returns: path -> what the store says of the file.
    :raises FileNotFoundError: the folder is not there; some stores list nothing instead.
    :raises Exception: whatever the store says of the folder or one below it.
    """
    root = str(folder.path).rstrip("/")
    if not _leaves_out(folder.fs):
        found: dict[str, Info] = folder.fs.find(root, withdirs=False, detail=True)
        return found
    return dict(_walk(folder.fs, folder.fs._strip_protocol(root)))


def _leaves_out(fs: Any) -> bool:
    """Tell whether a file system finds files as fsspec does by itself: those of the folders that can be listed."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    kind = type(fs)
    if issubclass(kind, AsyncFileSystem):
        return bool(kind._find is AsyncFileSystem._find)
    return bool(kind.find is AbstractFileSystem.find)


def _walk(fs: Any, root: str) -> Iterator[tuple[str, Info]]:
    left = [root]
    while left:
        at = left.pop()
        try:
            listed = fs.ls(at, detail=True)
        except FileNotFoundError:
            if at == root:
                raise
            continue  # it has gone since its parent was listed, and its files with it
        for info in listed:
            if info["type"] != "directory":
                yield info["name"], info
            elif info["name"].rstrip("/") != at:
                left.append(info["name"].rstrip("/"))
