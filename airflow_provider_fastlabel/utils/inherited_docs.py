"""Puts what inherited arguments mean into the docstring of a class, so that ``help()`` tells of all it takes."""

from __future__ import annotations

import inspect
import re

_PARAMETER = re.compile(r"^:param (\w+):.*(?:\n[ \t]+.*)*", re.MULTILINE)


def inherit_parameters(cls: type, ours: str) -> None:
    """Append the ``:param:`` entries of the base classes that the docstring of a class does not have itself.

    :param cls: the class; one without docstring, as under ``python -OO``, stays without.
    :param ours: what the names of the modules begin with whose classes count.
    """
    own = inspect.cleandoc(cls.__doc__ or "")
    if not own:
        return
    entries = dict.fromkeys(_entries(own), "")
    for base in cls.__mro__[1:]:
        if base.__module__.startswith(ours):
            for name, entry in _entries(inspect.cleandoc(base.__dict__.get("__doc__") or "")).items():
                entries.setdefault(name, entry)
    inherited = [entry for entry in entries.values() if entry]
    if inherited:
        cls.__doc__ = "\n".join([own, "", "Arguments of the classes that it extends:", "", *inherited])


def _entries(text: str) -> dict[str, str]:
    """Return the entries of a docstring by the names of the parameters."""
    return {found.group(1): found.group() for found in _PARAMETER.finditer(text)}
