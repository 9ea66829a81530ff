"""What all pages share: frame, headers, tables, and how an address of one is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import Response

from airflow_provider_fastlabel.emulator.pages.markup import Markup, document, tag, text

SAFE = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""Headers of every page: nothing but the emulator's own files is loaded, and nothing shows it in a frame."""

Crumb = tuple[str, str]
"""A page above: what it is called, and its address."""

HOME: Crumb = ("Projects", "/")


def page(title: str, *body: Any, above: Sequence[Crumb] = (), status: int = 200) -> Response:
    """Return a page as an answer.

    :param title: its heading.
    :param body: what it shows.
    :param above: the pages it lies below, the first one first.
    :param status: of the answer.
    """
    head = text(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · FastLabel emulator"),
        tag("link", rel="icon", href="/pages/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/pages/page.css"),
        tag("script", src="/pages/page.js", defer=True),
    )
    crumbs = [tag("li", link(href, name)) for name, href in above]
    shown = tag(
        "body",
        tag("a", "To the content", href="#content", class_="skip"),
        tag(
            "header",
            tag("a", "FastLabel emulator", href="/", class_="brand"),
            tag("nav", tag("a", "Projects", href="/"), tag("a", "Imports", href="/imports"),
                tag("a", "Model jobs", href="/jobs"), aria_label="Pages"),
        ),
        tag("main", tag("nav", tag("ol", crumbs), aria_label="Above this page", class_="crumbs") if crumbs else None,
            tag("h1", own(title)), body, id="content"),
    )  # fmt: skip
    return Response(document(head, shown), status, dict(SAFE), media_type="text/html; charset=utf-8")


def own(value: Any) -> Markup:
    """Return a text that somebody wrote; letters of it that change the direction do not reach beyond it."""
    return tag("bdi", value)


def link(href: str, *inside: Any, **attributes: Any) -> Markup:
    """Return a link with a text that somebody wrote."""
    return tag("a", own(inside), href=href, **attributes)


def below(*parts: str) -> str:
    """Return the address of a page, whose parts are quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def with_query(path: str, **query: str | int | Sequence[str] | None) -> str:
    """Return an address with a query; values of a list have commas between them, as those of the provider's links."""
    written = []
    for name, value in query.items():
        values = [str(value)] if isinstance(value, str | int) else list(value or ())
        if values:
            written.append(urlencode({name: ""}) + ",".join(quote(each, safe="") for each in values))
    return path + ("?" + "&".join(written) if written else "")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """Return a table; one that is too wide scrolls by itself.

    :param caption: what it lists.
    :param heads: of its columns.
    :param rows: its cells.
    """
    body = [tag("tr", (tag("td", cell) for cell in row)) for row in rows]
    head = tag("thead", tag("tr", (tag("th", name, scope="col") for name in heads)))
    inner = tag("table", tag("caption", caption), head, tag("tbody", body))
    return tag("div", inner, class_="wide", role="region", aria_label=caption, tabindex="0")


def facts(found: Mapping[str, Any]) -> Markup:
    """Return what is known of a thing as a list of names and values."""
    return tag("dl", ((tag("dt", own(name)), tag("dd", own(said(value)))) for name, value in found.items()))


def said(value: Any) -> Any:
    """Return a value as people read it: markup and texts as they are, the rest as JSON."""
    if isinstance(value, str):
        return value or "–"
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def shortened(value: str, most: int) -> str:
    """Return a text, cut where it is longer than it may be."""
    return value if len(value) <= most else value[: most - 1] + "…"


def many(count: int, what: str) -> str:
    """Return a number of things in words, as "1 hole" and "2,000 holes"."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
