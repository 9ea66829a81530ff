"""Where files come from and go to: a local path, or a URL of any object store that Airflow knows."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.pipelines.files.buckets import AZURE_STORES, BUCKET_STORES
from airflow_provider_fastlabel.pipelines.files.places import check_place, check_url, local_place, store_missing
from airflow_provider_fastlabel.utils.arguments import TO_NOTHING, refused, require_rendered


def storage_path(name: str, url: str, conn_id: str | None = None) -> Any:
    """Open a local path or an object store URL for the ``pathlib`` interface; nothing is read yet.

    :param name: of the argument, for messages.
    :param url: a local path, in which ``~`` is the home of the worker's user, or a URL such as ``s3://bucket/prefix``
        of a scheme that an installed provider registers.
    :param conn_id: Airflow connection of the object store; by default what the store's own tools find.
    :returns: a ``pathlib.Path`` or Airflow's ``ObjectStoragePath``.
    :raises FastLabelInvalidException: the text, or a part of it, is what a template makes of nothing; it is neither a
        path nor a URL; or no installed provider knows the URL's scheme.
    """
    require_rendered(name, url)
    if conn_id is not None:
        require_rendered(f"the connection of {name}", conn_id, "Leave it out where none is needed.")
    text = os.fspath(url) if isinstance(url, str | os.PathLike) else url
    if not isinstance(text, str):
        raise refused(f"{name} must be a text, not {url!r}.")
    check_place(name, text)
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        _refuse_nothing(name, text, "file", text)
        return local_place(name, url)
    _refuse_nothing(name, text, scheme, rest)
    check_url(name, text)
    return _opened(name, text, conn_id)


def shown_place(url: str | os.PathLike[str]) -> str:
    """Return a place for an XCom: as it was given, but for ``~``, which means another home elsewhere.

    :param url: what :func:`storage_path` has opened.
    """
    text = os.fspath(url)
    return str(Path(text).expanduser()) if text.startswith("~") else text


def _refuse_nothing(name: str, text: str, scheme: str, rest: str) -> None:
    """Refuse a place of which a template made a part from nothing: it is not the place that was meant."""
    bucket = rest.partition("/")[0].rpartition("@")[2]
    lacking = not scheme or not rest or text.startswith(":/") or (scheme in BUCKET_STORES and not bucket)
    if lacking or any(_is_nothing(part) for part in (scheme, *rest.split("/"))):
        raise refused(f"{name} {text!r} lacks a part; {TO_NOTHING}.")


def _is_nothing(part: str) -> bool:
    """Tell whether a part of a path is blank or the text that a template makes of ``None``; two slashes are one."""
    return part.strip() == "None" or (part != "" and not part.strip())


def _opened(name: str, url: str, conn_id: str | None) -> Any:
    """Return the place of a URL; a missing provider is reported now, before any work."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(url, conn_id=conn_id)
        path.fs  # noqa: B018 - looks the provider up
    except (ValueError, ImportError) as error:
        raise store_missing(name, url, error) from error
    if path.protocol in AZURE_STORES:
        _quieten_azure()
    return path


def _quieten_azure() -> None:
    """Keep Azure's client from logging each request with its headers, unless somebody has said what it is to log."""
    requests = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
    if requests.level == logging.NOTSET:
        requests.setLevel(logging.WARNING)
