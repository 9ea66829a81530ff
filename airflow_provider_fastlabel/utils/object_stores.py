"""Where files come from and go to: a local path, or a URL of any object store that Airflow knows."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.utils.arguments import refused, require_rendered

_HALF_A_URL = re.compile(r"[a-z][a-z0-9+.-]*:/(?!/)")


def storage_path(name: str, url: str, conn_id: str | None = None) -> Any:
    """Open a local path or an object store URL for the ``pathlib`` interface; nothing is read yet.

    :param name: of the argument, for messages.
    :param url: a local path, in which ``~`` is the home of the worker's user, or a URL such as ``s3://bucket/prefix``
        of a scheme that an installed provider registers.
    :param conn_id: Airflow connection of the object store; by default what the store's own tools find.
    :returns: a ``pathlib.Path`` or Airflow's ``ObjectStoragePath``.
    :raises FastLabelInvalidException: the text is empty or half a URL, or no installed provider knows the URL's scheme.
    """
    require_rendered(name, url)
    if not isinstance(url, str | os.PathLike):
        raise refused(f"{name} must be a text, not {url!r}.")
    if "://" not in str(url):
        if _HALF_A_URL.match(str(url)):
            raise refused(f"{name} {str(url)!r} is neither a path nor a URL; a URL is written like s3://bucket/prefix.")
        return Path(url).expanduser()
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(url, conn_id=conn_id)
        path.fs  # noqa: B018 - looked up now, so that a missing provider is reported before any work
    except (ValueError, ImportError) as error:
        raise refused(
            f"{name} {url}: {error}. Install the Airflow provider of this object store with its file system extra, "
            "for instance apache-airflow-providers-amazon[s3fs] for s3://."
        ) from error
    return path


def path_below(folder: Any, inner: Any) -> str | None:
    """Return the path of a place relative to a folder, with forward slashes; ``None`` when it is not inside.

    :param folder: what :func:`storage_path` returned.
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
