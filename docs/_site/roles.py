"""Makes the roles in docstrings readable on the site: each becomes a link where its target has a place, else code."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(
    r":(?:attr|class|data|exc|func|meth|mod):`(?P<short>[~!]?)(?P<name>[^`<]+?)(?: *<(?P<target>[^>]+)>)?`"
)
_CODE = re.compile(r"``(.+?)``", re.DOTALL)
_CLIENT = "airflow_provider_fastlabel.client.FastLabelClient"


class Roles(griffe.Extension):
    """Rewrites every docstring that is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one object.

        :param obj: module, class, function or attribute.
        """
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value, obj)


def readable(text: str, obj: griffe.Object) -> str:
    """Return a docstring with Markdown in place of roles and literals.

    :param text: the docstring.
    :param obj: what it describes, where names are looked up.
    """
    text = _ROLE.sub(lambda role: _link(role, obj), text)
    return _CODE.sub(lambda literal: f"`{literal[1]}`", text)


def _link(role: re.Match[str], obj: griffe.Object) -> str:
    """Return one role as an optional reference: a link if the site has the object, else its name alone."""
    name = (role["target"] or role["name"]).lstrip("~!.")
    shown = role["name"] if role["target"] else role["name"].lstrip(".")
    if role["short"] == "~":
        shown = shown.rpartition(".")[2]
    return f'<autoref identifier="{_path(name, obj)}" optional><code>{shown}</code></autoref>'


def _path(name: str, obj: griffe.Object) -> str:
    """Return the full path of a name as seen from an object; a name not known there is taken for the client's."""
    scope: griffe.Object | None = obj
    while scope is not None:
        try:
            return scope.resolve(name)
        except griffe.NameResolutionError:
            scope = scope.parent
    return name if "." in name else f"{_CLIENT}.{name}"
