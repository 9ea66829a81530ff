"""Tells local paths from object stores, by their interface only: the client knows no Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.regular_files import open_regular

LOCAL_SCHEMES = ("file", "local")
"""Schemes of URLs that are files of this machine."""


def local_path(place: Any) -> Path | None:
    """Say where on this machine a place is.

    :param place: a path as text, a ``pathlib`` path, or an object with the ``pathlib`` interface over an fsspec file
        system (attributes ``protocol``, ``path`` and ``fs``), such as Airflow's ``ObjectStoragePath``.
    :returns: the local path, or ``None`` when the place is in an object store.
    """
    # Asked first: under universal_pathlib 0.2, as on Airflow 3.1, a path of an object store is a `pathlib.Path` too.
    protocol = getattr(place, "protocol", None)
    if protocol is None:
        return Path(place)
    return Path(place.path) if protocol in ("", *LOCAL_SCHEMES) else None


def open_place(place: Any) -> Any:
    """Open a file for reading bytes, a local one only if it is a regular file.

    Past Airflow's own ``open`` of an object store, which notes every single file for lineage.

    :param place: a ``pathlib`` path, or an object with its interface over an fsspec file system.
    :returns: the binary file, to be closed by the caller.
    :raises OSError: it cannot be read, or is no regular file.
    """
    local = local_path(place)
    return place.fs.open(place.path, "rb") if local is None else open_regular(local)


def path_below(folder: Any, inner: Any) -> str | None:
    """Return the path of a place relative to a folder, with forward slashes; ``None`` when it is not inside.

    :param folder: as for :func:`local_path`.
    :param inner: the same.
    """
    local, path = local_path(folder), local_path(inner)
    if (local is None) != (path is None) or getattr(folder, "protocol", None) != getattr(inner, "protocol", None):
        return None
    if local is not None and path is not None:
        local, path = local.resolve(), path.resolve()
        return path.relative_to(local).as_posix() if path.is_relative_to(local) else None
    root, key = (f"{str(each.path).rstrip('/')}/" for each in (folder, inner))
    return key.removeprefix(root).rstrip("/") if key.startswith(root) else None
