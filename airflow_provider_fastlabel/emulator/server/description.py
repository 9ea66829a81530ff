"""The page at ``/docs``: every route and what it does, without scripts and without anything from another host."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

_SAFE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
_STYLE = "body{font-family:sans-serif;margin:2em}td{padding:.2em 1em .2em 0;vertical-align:top}"


def install(app: FastAPI) -> None:
    """Add the page to an application.

    :param app: the application whose routes it lists.
    """

    async def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers=_SAFE)

    app.add_api_route("/docs", docs, include_in_schema=False)


def page(document: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as a page for people.

    :param document: the document.
    """
    rows = [
        f"<tr><td>{escape(method.upper())}<td><code>{escape(path)}</code><td>{escape(_summary(call))}"
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    ]
    info = document["info"]
    return (
        f"<!doctype html><meta charset=utf-8><title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])} "
        f"Parameters and bodies: <a href=/openapi.json>/openapi.json</a>.<table>{''.join(rows)}</table>"
    )


def _summary(call: Mapping[str, Any]) -> str:
    text: str = call.get("description") or call.get("summary") or ""
    return text.partition("\n\n")[0]
