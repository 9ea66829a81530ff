"""Where files come from and go to: a path of this machine, or a URL of any object store that fsspec knows."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from airflow_provider_fastlabel.pipelines.files.places import check_place, check_url, local_place, store_missing


def place(name: str, text: str) -> Any:
    """Open a path or URL for the ``pathlib`` interface; nothing is read yet.

    The store finds its credentials as its own tools do, for instance in ``AWS_PROFILE`` or ``AWS_ENDPOINT_URL_S3``.

    :param name: of the argument, for messages.
    :param text: the path, in which ``~`` is the user's home, or the URL.
    :returns: a ``pathlib.Path`` or a ``UPath``.
    :raises FastLabelInvalidException: it is neither, or nothing installed knows such a store.
    """
    check_place(name, text)
    if not text:
        raise ValueError(f"{name} is empty.")
    if "://" not in text:
        return local_place(name, text)
    check_url(name, text)
    from upath import UPath

    try:
        path = UPath(text)
        path.fs  # noqa: B018 - looks the store up
    except (ValueError, ImportError) as error:
        raise store_missing(name, text, error) from error
    return path


def manifest_place(api_url: str, project: str, folder: str) -> str:
    """Return where an import keeps its manifest if nobody says it: the same for the same command, on this machine.

    It lies below ``$AIRFLOW_HOME/fastlabel``, as those of Airflow's tasks do, else below the user's folder for state,
    ``$XDG_STATE_HOME/fastlabel`` or ``~/.local/state/fastlabel``.

    :param api_url: of the FastLabel that it goes to.
    :param project: slug of the project.
    :param folder: the folder, as it was given.
    """
    home, state = os.environ.get("AIRFLOW_HOME"), os.environ.get("XDG_STATE_HOME")
    base = Path(home or state or "~/.local/state").expanduser() / "fastlabel"
    source = folder if "://" in folder else str(Path(folder).expanduser().absolute())
    digest = hashlib.sha256(source.encode(errors="surrogateescape")).hexdigest()[:16]
    host = quote(urlsplit(api_url).netloc, safe=":")
    return str(base / "imports" / "command-line" / host / quote(project, safe="") / f"{digest}.jsonl")
