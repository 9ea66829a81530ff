"""Where FastLabel's web application shows things: the one table of its addresses, and how a connection replaces it.

FastLabel documents no addresses of its application. The table is our choice: an early official SDK opened
``https://app.fastlabel.ai/projects/`` with the id of a project behind it, and every page here is that one; what a link
knows besides stands in the query, where the application may take it or leave it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any
from urllib.parse import quote, urlsplit

from airflow_provider_fastlabel.words import shortened

OWN_HOST = "fastlabel.ai"
"""The application is known only for an API of this domain: a gateway or an emulator has one of its own, or none."""

APPLICATION = "https://app.fastlabel.ai"

PAGES: Mapping[str, str] = {
    "home": "/",
    "project": "/projects/{project_id}",
    "tasks": "/projects/{project_id}?status={status}&tags={tags}",
    "import": "/projects/{project_id}?importHistory={history_id}",
    "model_job": "/projects/{project_id}?modelJob={job_id}",
}
"""The pages of the application, and where they are below its address."""

OUTPUT = "output"
"""The page of what a task has published; it is not the application's."""

CONSOLES: Mapping[str, str] = {
    "s3": "https://console.aws.amazon.com/s3/buckets/{bucket}?prefix={path}/",
    "gs": "https://console.cloud.google.com/storage/browser/{bucket}/{path}",
}
"""Where the provider of an object store shows a folder, by the scheme of its URLs."""

PLACEHOLDERS = (
    "project", "project_id", "task_id", "status", "tags", "history_id", "job_id", "output", "bucket", "path",
)  # fmt: skip
"""What may stand in braces in an address."""

EXAMPLE = "https://app.example.com/projects/{project_id}"
LONGEST = 2000
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ODD = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\<>\"\ud800-\udfff]")
_WITH_SLASHES = ("output", "path")
_ONE_THING = ("task_id", "history_id", "job_id")
"""Placeholders for one thing: where there are several, the address leads to where all of them are."""


def parse_app_url(raw: Any) -> dict[str, str]:
    """Read where the application is: return the addresses of its pages.

    :param raw: a text, or a dictionary (or its JSON text) from page to text. A text without placeholders is the address
        of the application, the pages are where the table says; one with placeholders is the address of every page.
    :raises ValueError: it is no such thing; the message says what is wrong.
    """
    if isinstance(raw, str) and raw.strip().startswith("{"):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError("must be an http(s) address, or a JSON object from page to address") from None
    if isinstance(raw, Mapping):
        if unknown := [name for name in raw if name not in (*PAGES, OUTPUT)]:
            raise ValueError(f"has the pages {shortened(unknown, 200)}; known are {[*PAGES, OUTPUT]}")
        return {str(name): _address(pattern) for name, pattern in raw.items()}
    pattern = _address(raw)
    if _PLACEHOLDER.search(pattern):
        return dict.fromkeys(PAGES, pattern)
    if "?" in pattern or "#" in pattern:
        raise ValueError(f"must be an address without query, or with placeholders such as {EXAMPLE}")
    return {name: pattern.rstrip("/") + path for name, path in PAGES.items()}


def _address(raw: Any) -> str:
    """Check one address with its placeholders."""
    pattern = raw.strip() if isinstance(raw, str) else ""
    if not pattern or len(pattern) > LONGEST or _ODD.search(pattern):
        raise ValueError(f"must be an http(s) address, not {shortened(raw, 200)}; for instance {EXAMPLE}")
    try:
        parts = urlsplit(pattern)
        _ = parts.port
    except ValueError:
        raise ValueError(f"must be an http(s) address, and this one cannot be read; for instance {EXAMPLE}") from None
    if "@" in parts.netloc:
        raise ValueError("must be an address without user and password: everybody who sees the task sees it")
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        raise ValueError(f"must be an http(s) address, not {shortened(pattern, 200)}; for instance {EXAMPLE}")
    try:
        names = [(name, spec, kind) for _, name, spec, kind in Formatter().parse(pattern) if name is not None]
    except ValueError:
        raise ValueError(f"has braces that are no placeholder in {shortened(pattern, 200)}") from None
    if unknown := [name for name, spec, kind in names if name not in PLACEHOLDERS or spec or kind]:
        raise ValueError(f"has the placeholders {shortened(unknown, 200)}; known are {[*PLACEHOLDERS]}")
    if "{{" in pattern or "}}" in pattern:
        raise ValueError(f"has braces that are no placeholder in {shortened(pattern, 200)}")
    return pattern


def pages_of(api_url: str, given: Mapping[str, str] | None) -> dict[str, str]:
    """Return the addresses of the pages that are known for an API, by page.

    :param api_url: the API's base URL.
    :param given: what the connection or the configuration says, see :func:`parse_app_url`.
    """
    host = urlsplit(api_url).hostname or ""
    known = host == OWN_HOST or host.endswith(f".{OWN_HOST}")
    pages = parse_app_url(APPLICATION) if known else {}
    return {**pages, **(given or {})}


def fill(pattern: str, facts: Mapping[str, Any]) -> str:
    """Return an address with what is known in the place of its placeholders.

    What is not known ends the path before the part that asks for it, and takes its parameter out of the query.

    :param pattern: the address.
    :param facts: values by placeholder: texts, numbers, or lists of them.
    """
    path, question, query = pattern.partition("?")
    parts: list[str] = []
    for part in path.split("/"):
        filled = _filled(part, facts)
        if filled is None:
            parts.append("")
            break
        parts.append(filled)
    given = [filled for one in query.split("&") if (filled := _filled(one, facts)) is not None]
    return "/".join(parts) + (question + "&".join(given) if any(given) else "")


def asks_for(pattern: str, name: str) -> bool:
    """Tell whether an address has a placeholder.

    :param pattern: the address.
    :param name: of the placeholder.
    """
    return name in _PLACEHOLDER.findall(pattern)


def _filled(part: str, facts: Mapping[str, Any]) -> str | None:
    """Fill one part of a path or query, ``None`` when something that it asks for is not known."""
    values = {name: _quoted(name, facts.get(name)) for name in _PLACEHOLDER.findall(part)}
    if not all(values.values()):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]], part)


def _quoted(name: str, value: Any) -> str:
    """Return a value as it may stand in an address, empty for what is none."""
    values = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    texts = [str(each) for each in values if isinstance(each, str | int) and not isinstance(each, bool)]
    if name in _ONE_THING and len(texts) != 1:
        return ""
    safe = "/" if name in _WITH_SLASHES else ""
    # Dots alone would lead to another page.
    return ",".join(quote(text, safe=safe, errors="replace") for text in texts if text.strip() and text.strip("."))
