"""YAML of strangers is read here and nowhere else: a small file costs little, and what is wrong stands with its line.

PyYAML's own safe loader does the reading. While it puts the values together they are counted: an alias costs as much as
what it repeats, so a file of 300 bytes cannot unfold to millions of values, nor one be nested without end. What the
loader would let through as an error of Python's (a date that no calendar has, a list as a key) is refused by line.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import yaml
from yaml.composer import Composer

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.words import shortened

MOST_CHARACTERS = 1_000_000
"""Longest text that is read: the 21,841 classes of ImageNet take half of it."""
MOST_VALUES = 100_000
"""Values of a file, keys and lists too; those that aliases repeat are counted as often as they are repeated."""
MOST_REPEATED = 10_000
"""Values that the aliases of a file may repeat, all together."""
DEEPEST = 50
"""Levels of lists and mappings, one in the other."""

_LONGEST_NUMBER = 100
_LONGEST_MESSAGE = 200
_PREFIX = "tag:yaml.org,2002:"
_KNOWN = frozenset(
    _PREFIX + name for name in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map", "merge")
)


class UnusableYamlError(ValueError):
    """A text is no YAML that this package takes.

    :param name: what messages call the file.
    :param line: line number from 1; None where the whole file is meant.
    :param problem: what is wrong.
    """

    def __init__(self, name: str, line: int | None, problem: str) -> None:
        self.line = line
        super().__init__(f"{name if line is None else f'{name}:{line}'}: not usable YAML: {problem}")


def read_yaml(text: str, name: str, *, as_written: bool = False) -> Any:
    """Read a YAML file of one document.

    :param text: its text.
    :param name: what messages call it.
    :param as_written: leave every word the text that it is: ``no``, ``1.0`` and ``null`` too.
    :returns: dictionaries, lists and what is in them; aliases of one value are one object.
    :raises UnusableYamlError: it is not YAML, too large, nested too deeply, repeats too much by aliases, or holds a tag
        of its own, a key that is a list, a mapping or no finite number, or a word that looks like a date or a number
        and is none.
    """
    if len(text) > MOST_CHARACTERS:
        raise UnusableYamlError(
            name, None, f"it has {len(text):,} characters, and {MOST_CHARACTERS:,} are the most that is read"
        )
    try:
        return yaml.load(text, Loader=_AsWritten if as_written else _Typed)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnusableYamlError(name, mark.line + 1 if mark else None, _words(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnusableYamlError(name, line, f"the character {error.character:#06x} has no place in it") from None
    except ValueError:  # PyYAML makes a character of any number
        raise UnusableYamlError(name, None, r"an escape such as \U00110000 stands for no character") from None


def _words(error: yaml.MarkedYAMLError) -> str:
    """Return what PyYAML says of an error, without the places."""
    return foreign_text(": ".join(part for part in (error.context, error.problem) if part), _LONGEST_MESSAGE)


def _refuse(problem: str, at: Any) -> NoReturn:
    """Refuse what a node or an event says."""
    raise yaml.constructor.ConstructorError(None, None, problem, at.start_mark)


class _Bounds(Composer):
    """Counts values while they are put together, and refuses what is too much or no value."""

    def compose_document(self) -> yaml.Node | None:
        """Put the document together."""
        self._values = self._repeated = self._depth = self._deepest = 0
        # Anchor -> how many values it names, and how many levels; nothing while its value is still open.
        self._measures: dict[str, tuple[int, int]] = {}
        return super().compose_document()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Put one value together, with all that is in it."""
        event = self.peek_event()  # type: ignore[attr-defined]
        if isinstance(event, yaml.AliasEvent):
            self._repeat(event)
            return super().compose_node(parent, index)
        if event.anchor in self.anchors:
            _refuse(f"the anchor &{event.anchor} is there twice", event)
        before, deepest = self._values, self._deepest
        self._add(event, 1, 1)
        self._depth += 1
        self._deepest = self._depth
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None:
            self._measures[event.anchor] = (self._values - before, self._deepest - self._depth)
        self._deepest = max(deepest, self._deepest)
        if node is not None:
            _check(node)
        return node

    def _repeat(self, event: yaml.AliasEvent) -> None:
        """Count what an alias repeats."""
        if event.anchor not in self._measures:
            known = event.anchor in self.anchors
            why = "stands inside of what it repeats" if known else "repeats what is not there before it"
            _refuse(f"the alias *{event.anchor} {why}", event)
        count, levels = self._measures[event.anchor or ""]
        self._repeated += count
        if self._repeated > MOST_REPEATED:
            _refuse(f"its aliases repeat more than {MOST_REPEATED:,} values: write them out", event)
        self._add(event, count, levels)
        self._deepest = max(self._deepest, self._depth + levels)

    def _add(self, event: yaml.Event, count: int, levels: int) -> None:
        self._values += count
        if self._values > MOST_VALUES:
            _refuse(f"it holds more than {MOST_VALUES:,} values", event)
        if self._depth + levels > DEEPEST + 1:
            _refuse(f"it is nested more than {DEEPEST} levels deep", event)


def _check(node: yaml.Node) -> None:
    """Refuse tags and keys that have no meaning here."""
    if node.tag not in _KNOWN:
        _refuse(f"the tag {shortened(node.tag.replace(_PREFIX, '!!'))} is not known", node)
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse("a key is a list or a mapping", key)


class _AsWritten(_Bounds, yaml.BaseLoader):
    """Leaves every word as it is written."""


class _Typed(_Bounds, yaml.SafeLoader):
    """Makes numbers, dates, flags and nothing of the words that mean them."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Make one value."""
        number = node.tag in (f"{_PREFIX}int", f"{_PREFIX}float")
        if number and len(node.value) > _LONGEST_NUMBER:
            _refuse(f"a number of {len(node.value):,} characters", node)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
            kind = node.tag.removeprefix(_PREFIX)
            _refuse(
                f"{shortened(node.value)} is no {'date' if kind == 'timestamp' else kind}: quote it if it is text", node
            )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make one mapping."""
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if any(isinstance(key, float) and not math.isfinite(key) for key in made):
            for key, _ in node.value:
                if key.tag == f"{_PREFIX}float" and not math.isfinite(self.construct_yaml_float(key)):
                    _refuse(f"the key {key.value} is no finite number: quote it if it is text", key)
        return made
