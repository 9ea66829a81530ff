"""Searches a text for a regular expression in time linear in the text, whatever the expression.

Python's own engine goes back and tries again, so that ``(a+)+$`` takes hours on forty letters. Here all ways through
the expression are followed at once. What needs going back (look-around, references) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_LONGEST = 300
_DEEPEST = 30
_MOST_STEPS = 2000
_ATOM = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\[dDwWsS]|\\[^a-zA-Z0-9]|\.|[^\\|()\[\]{}*+?^$.]", re.DOTALL)
_TIMES = re.compile(r"(\*|\+|\?|\{(\d{1,3})(,?)(\d{0,3})\})\??")


@dataclass(slots=True, eq=False)
class _Step:
    """One place in an expression: where to go on, at the cost of a fitting character, a condition or nothing.

    :param accepts: whether a character fits; ``None`` for a step that takes none.
    :param at: ``^`` or ``$`` for a step that is passed only there.
    :param onward: the next steps.
    """

    accepts: Callable[[str], object] | None = None
    at: str = ""
    onward: list[_Step] = field(default_factory=list)


class Pattern:
    """A regular expression of characters, classes, groups, ``|``, ``* + ? {m,n}``, ``^`` and ``$``.

    :param text: the expression.
    :raises ValueError: when it is none of this kind, or too long.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ValueError(f"longer than {_LONGEST} characters")
        self._text, self._position, self._steps = text, 0, 0
        self._start = self._step()
        self._end = self._step()
        try:
            (self._choice(self._start, 0)).onward.append(self._end)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if self._position < len(text):
            raise ValueError(
                f"not a regular expression: {text[self._position :][:20]!r} at {self._position} is not taken"
            )

    def search(self, text: str) -> bool:
        """Whether the expression fits anywhere in a text.

        :param text: where to look.
        """
        alive: set[_Step] = set()
        for position in range(len(text) + 1):
            alive = self._reach({*alive, self._start}, position, len(text))
            if self._end in alive:
                return True
            if position < len(text):
                letter = text[position]
                alive = {after for step in alive if step.accepts and step.accepts(letter) for after in step.onward}
        return False

    @staticmethod
    def _reach(steps: Iterable[_Step], position: int, length: int) -> set[_Step]:
        """Return the steps and all that are reached from them without taking a character."""
        found: set[_Step] = set()
        waiting = list(steps)
        while waiting:
            step = waiting.pop()
            if step in found:
                continue
            found.add(step)
            passed = not step.at or (position == 0 if step.at == "^" else position == length)
            if step.accepts is None and passed:
                waiting += step.onward
        return found

    def _step(self, accepts: Callable[[str], object] | None = None, at: str = "") -> _Step:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise ValueError("too many repetitions")
        return _Step(accepts, at)

    def _refusal(self) -> ValueError:
        return ValueError(f"not a regular expression that is taken here: {self._next()!r} at {self._position}")

    def _next(self) -> str:
        return self._text[self._position : self._position + 1]

    def _choice(self, start: _Step, depth: int) -> _Step:
        """Read alternatives that begin after ``start`` and return the step in which they end."""
        if depth > _DEEPEST:
            raise ValueError("groups are nested too deep")
        end = self._step()
        while True:
            begin = self._step()
            start.onward.append(begin)
            self._row(begin, depth).onward.append(end)
            if self._next() != "|":
                return end
            self._position += 1

    def _row(self, last: _Step, depth: int) -> _Step:
        """Read what follows one another and return the last step."""
        while self._next() not in ("", "|", ")"):
            begin = self._position
            piece = self._one(last_of := self._step(), depth)
            times = _TIMES.match(self._text, self._position)
            if times is None:
                last.onward.append(last_of)
                last = piece
                continue
            least, most = _bounds(times)
            self._position = times.end()
            last = self._repeated(last, begin, depth, least, most)
        return last

    def _repeated(self, last: _Step, begin: int, depth: int, least: int, most: int | None) -> _Step:
        """Add a piece so many times by reading it again and again; return the last step."""
        end, behind = self._step(), self._position
        for number in range(max(least, 1) if most is None else most):
            if number >= least:
                last.onward.append(end)
            self._position = begin
            first = self._step()
            last.onward.append(first)
            last = self._one(first, depth)
            if most is None and number >= least - 1:
                last.onward.append(first)
        last.onward.append(end)
        if most is None and not least:
            first.onward.append(end)
        self._position = behind
        return end

    def _one(self, start: _Step, depth: int) -> _Step:
        """Read one character, class, condition or group that begins after ``start``; return the step after it."""
        end = self._step()
        if self._next() in ("^", "$"):
            condition = self._step(at=self._next())
            condition.onward.append(end)
            start.onward.append(condition)
            self._position += 1
            return end
        if self._next() == "(":
            self._position += 3 if self._text.startswith("(?:", self._position) else 1
            self._choice(start, depth + 1).onward.append(end)
            if self._next() != ")":
                raise ValueError(
                    "not a regular expression: a group is not closed, or takes a form that is not known here"
                )
            self._position += 1
            return end
        atom = _ATOM.match(self._text, self._position)
        if atom is None:
            raise self._refusal()
        self._position = atom.end()
        letter = self._step(re.compile(atom[0]).fullmatch)
        letter.onward.append(end)
        start.onward.append(letter)
        return end


def _bounds(times: re.Match[str]) -> tuple[int, int | None]:
    if times[2] is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[times[1]]
    least = int(times[2])
    most = int(times[4]) if times[4] else None if times[3] else least
    if most is not None and most < least:
        raise ValueError(f"not a regular expression: {times[1]}")
    return least, most
