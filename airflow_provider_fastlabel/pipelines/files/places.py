"""Where files come from and go to, as a person writes it: a path or a URL. What cannot be meant is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.files.buckets import AZURE_STORES, BUCKET_STORES
from airflow_provider_fastlabel.pipelines.files.local_path import LOCAL_SCHEMES

if TYPE_CHECKING:
    import os

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_EXTRAS = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(AZURE_STORES, "azure"),
}
"""Scheme -> the extra of ours that brings its provider and file system."""
_SCHEMES = "|".join(sorted({*BUCKET_STORES, *LOCAL_SCHEMES}))
_HALF_A_URL = re.compile(rf":/|[a-z][a-z0-9+.-]*:/(?!/)|(?:{_SCHEMES})(?::|//)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_place(name: str, text: str) -> None:
    """Refuse a text that is no place to begin with.

    :param name: of the argument, for the message.
    :param text: the path or URL.
    :raises FastLabelInvalidException: it begins or ends with a blank, or holds a control character.
    """
    if text != text.strip() or _UNPRINTABLE.search(text):
        raise FastLabelInvalidException(
            f"{name} {text!r} begins or ends with a blank, or holds a line break or another control character."
        )


def local_place(name: str, text: str | os.PathLike[str]) -> Path:
    """Return a path of this machine.

    :param name: of the argument, for the message.
    :param text: the path, in which ``~`` is the user's home.
    :raises FastLabelInvalidException: it is half a URL, or the home of a user whom nobody knows.
    """
    if _HALF_A_URL.match(str(text)):
        raise _no_place(name, str(text))
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise FastLabelInvalidException(
            f"{name} {str(text)!r}: the worker knows no user of that name, so no home."
        ) from error


def check_url(name: str, text: str) -> None:
    """Refuse a URL that names another place than it seems to.

    :param name: of the argument, for the message.
    :param text: the URL, with ``://`` in it.
    :raises FastLabelInvalidException: it is no URL, or has parts that its kind of store does not know.
    """
    scheme, _, rest = text.partition("://")
    if not _SCHEME.fullmatch(scheme):
        raise _no_place(name, text)
    if scheme in LOCAL_SCHEMES:
        # Without the third slash the path would begin at the folder that the process happens to run in.
        if not rest.startswith("/") or rest.startswith("//"):
            raise FastLabelInvalidException(
                f"{name} {text!r} is no URL of a file: it is written with three slashes, file:///data/x."
            )
    elif not {".", ".."}.isdisjoint(rest.split("/")):
        raise FastLabelInvalidException(f"{name} {text!r} has a part '.' or '..', which object stores do not know.")


def store_missing(name: str, url: str, error: Exception) -> FastLabelInvalidException:
    """Return the error of a URL whose kind of store nothing installed knows.

    :param name: of the argument.
    :param url: the URL.
    :param error: what was said of it.
    """
    extra = _EXTRAS.get(url.partition("://")[0])
    ours = f": the extra [{extra}] of airflow-provider-fastlabel has both" if extra else ""
    return FastLabelInvalidException(
        f"{name} {url}: {error}. Install the Airflow provider of this object store and its file system{ours}."
    )


def _no_place(name: str, text: str) -> FastLabelInvalidException:
    return FastLabelInvalidException(
        f"{name} {text!r} is neither a path nor a URL; a URL is written like s3://bucket/prefix."
    )
