"""HTML and SVG, built of tags: the one place where text becomes markup, so that none of it can be taken for some."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

_EMPTY = frozenset({"br", "img", "input", "link", "meta"})
"""Elements that have no end tag."""


class Markup(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


def text(*values: Any) -> Markup:
    """Return values as markup, one after the other: what is no markup yet is escaped.

    :param values: texts, numbers, markup, or iterables of them; ``None`` and ``False`` are nothing.
    """
    return Markup("".join(_pieces(values)))


def _pieces(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, Markup):
            yield value
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield escape(str(value))
        elif value is not None and not isinstance(value, bool):
            yield from _pieces(value)


def tag(name: str, /, *inside: Any, **attributes: Any) -> Markup:
    """Return an element.

    :param name: of the element.
    :param inside: what it holds, see :func:`text`.
    :param attributes: its attributes. ``class_`` is ``class``, ``data_x`` is ``data-x``; ``True`` is an attribute
        without a value, and those that are ``None`` or ``False`` are left out.
    """
    written = []
    for key, value in attributes.items():
        if value is True:
            written.append(f" {_attribute(key)}")
        elif value is not None and value is not False:
            written.append(f' {_attribute(key)}="{escape(str(value))}"')
    end = "" if name in _EMPTY else f"{text(inside)}</{name}>"
    return Markup(f"<{name}{''.join(written)}>{end}")


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def document(head: Markup, body: Markup) -> bytes:
    """Return a whole page.

    :param head: what stands in its head.
    :param body: its body element.
    """
    html = f"<!doctype html>{tag('html', tag('head', head), body, lang='en')}"
    return html.encode("utf-8", "replace")
