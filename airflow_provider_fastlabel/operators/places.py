"""Where files come from and go to: a local path, or a URL of any object store that Airflow knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def place(url: str, conn_id: str | None = None) -> Any:
    """Open a local path or an object store URL for the ``pathlib`` interface; nothing is read yet.

    :param url: a local path, or a URL such as ``s3://bucket/prefix`` of a scheme that an installed provider registers.
    :param conn_id: Airflow connection of the object store; by default what the store's own tools find.
    :returns: a ``pathlib.Path`` or Airflow's ``ObjectStoragePath``.
    :raises ValueError: the text is empty, or no installed provider knows the URL's scheme.
    """
    if not str(url).strip():
        raise ValueError("The path is empty; its template may have been rendered to nothing.")
    if "://" not in str(url):
        return Path(url)
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(url, conn_id=conn_id)
        path.fs  # noqa: B018 - looked up now, so that a missing provider is reported before any work
    except (ValueError, ImportError) as error:
        raise ValueError(
            f"{url}: {error}. Install the Airflow provider of this object store with its file system extra, "
            "for instance apache-airflow-providers-amazon[s3fs] for s3://."
        ) from error
    return path
