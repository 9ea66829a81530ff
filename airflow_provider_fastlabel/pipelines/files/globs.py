"""Globs over relative paths, matched in a time that grows with the path and not with the ways to match it.

A regular expression tries one way after the other, of which eight ``**/`` have very many. It is only used where there
are few; otherwise all ways are followed at once, character by character (Thompson, 1968), a bit for each.
"""

from __future__ import annotations

import re

_TOKENS = re.compile(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])")
_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_MOST_WAYS = 100_000
"""Steps of a regular expression that are surely quicker than the other method."""


class Glob:
    """A glob that relative paths with forward slashes match as a whole, or do not.

    :param pattern: ``*`` and ``?`` stay inside one folder, ``**/`` crosses any number of folders, ``[...]`` is a set.
    :raises ValueError: a set in it is none.
    """

    def __init__(self, pattern: str) -> None:
        # Several in a row say no more than one.
        parts = [part for part in _TOKENS.split(re.sub(r"(\*\*/)+", "**/", pattern)) if part]
        try:
            self._expression = re.compile("".join(map(_expression, parts)), re.DOTALL)
        except re.error as error:
            raise ValueError(f"pattern {pattern!r} is no glob: {error}") from None
        self._crossing = parts.count("**/")
        self._stars = max(1, parts.count("*") + parts.count("**"))
        self._steps = [step for part in parts for step in ([part] if part in _WILD or _is_set(part) else part)]
        self._singles = {step: re.compile(_expression(step), re.DOTALL) for step in self._steps if _is_single(step)}

    def matches(self, name: str) -> bool:
        """Tell whether a path matches.

        :param name: the path.
        """
        if (name.count("/") + 1) ** self._crossing * (len(name) + 1) ** self._stars <= _MOST_WAYS:
            return self._expression.fullmatch(name) is not None
        return self._follow(name)

    def _follow(self, name: str) -> bool:
        """Follow all ways at once; bit ``n`` is set where the first ``n`` steps may lead to."""
        now = self._skip(1)
        taken: dict[str, tuple[int, int, int]] = {}
        for character in name:
            if character not in taken:
                taken[character] = self._masks(character)
            onward, staying, leaving = taken[character]
            now = now & staying | self._skip((now & onward | now & leaving) << 1)
            if not now:
                return False
        return bool(now >> len(self._steps) & 1)

    def _masks(self, character: str) -> tuple[int, int, int]:
        """Return the steps that take a character and are done; those that stay; those of them that may end with it."""
        onward = staying = leaving = 0
        for at, step in enumerate(self._steps):
            bit = 1 << at
            if step in ("*", "**", "**/"):
                if step != "*" or character != "/":
                    staying |= bit
                    leaving |= bit if step != "**/" or character == "/" else 0
            elif self._singles[step].fullmatch(character) if step in self._singles else step == character:
                onward |= bit
        return onward, staying, leaving

    def _skip(self, reached: int) -> int:
        """Add what can be reached from there without a character: what comes after steps that may be empty."""
        for at, step in enumerate(self._steps):
            if reached >> at & 1 and step in ("*", "**", "**/"):
                reached |= 1 << at + 1
        return reached


def _is_set(part: str) -> bool:
    return part.startswith("[") and part.endswith("]") and len(part) > 2


def _is_single(step: str) -> bool:
    return step == "?" or _is_set(step)


def _expression(part: str) -> str:
    if _is_set(part):
        return "[" + part[1:-1].replace("\\", r"\\").replace("!", "^", int(part[1] == "!")) + "]"
    return _WILD.get(part) or re.escape(part)
