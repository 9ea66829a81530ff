"""Files of an object store, read so that what its file system leaves unsaid is an error.

Those of fsspec return errors among the contents of files, and ask for the first byte of objects that have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE = 200


def read_files(folder: Any, names: Sequence[str], most: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Read many files, some at the same time where the store can; those that are not there are left out.

    :param folder: an object-store path.
    :param names: of the files, relative to the folder.
    :param most: bytes of each that are wanted, from its beginning; ``None`` for all.
    :returns: name and content of each file that is there, in their order.
    :raises Exception: whatever the store says of a file, but that it is not there.
    """
    first = None if most is None else 0  # a range would be refused where a file is empty, and many label files are
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        found = folder.fs.cat_ranges([(folder / name).path for name in some], first, most)
        for name, data in zip(some, found, strict=True):
            if isinstance(data, FileNotFoundError):
                continue
            if isinstance(data, OSError) and most is not None:
                yield name, read_beginning(folder / name, most)
            elif isinstance(data, Exception):
                raise data
            else:
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
