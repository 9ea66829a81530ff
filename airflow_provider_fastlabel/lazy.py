"""A package offers names at its door and loads the module of each only when it is asked for (PEP 562)."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def loads(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and the ``__dir__`` of a package.

    The package calls it where type checkers do not look (``if not TYPE_CHECKING``) and imports the same names where
    only they do: so an editor knows what each name is, and that any other name is a slip.

    :param package: the package's ``__name__``.
    :param modules: name that the package offers -> module that defines it, seen from the package: ``engine`` is in it,
        ``.files.sources`` beside it.
    :returns: a function that imports the module and returns the name, or raises ``AttributeError`` for any other name;
        and one that lists what the package has and offers.
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f".{modules[name]}", package), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return find, names
