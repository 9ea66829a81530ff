"""What has changed between two versions, as numbers, as JSON, and in words for somebody who decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.markdown_text import markdown_table, markdown_text
from airflow_provider_fastlabel.pipelines.comparisons.objects import KINDS
from airflow_provider_fastlabel.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

OBJECT_COUNTS = ("added", "removed", *KINDS)
"""What is counted of objects, in all and of each class."""
WORDS = {name: "with other attributes" if name == "attributes" else name for name in OBJECT_COUNTS}
"""What each of them is called where people read it."""
MOST_CLASSES = 1_000
"""Classes, and changes from one class to another, that a result names: those with most changes."""
_CLASSES_SHOWN, _NAMES_SHOWN, _NAME = 15, 5, 80


@dataclass(frozen=True)
class Version:
    """One of the two.

    :param format: of its files.
    :param pictures: how many pictures it has.
    :param objects: how many objects.
    :param unread: how many objects or files of it cannot be read, so that they were not compared.
    :param unread_examples: some of them, in words.
    """

    format: str
    pictures: int
    objects: int
    unread: int
    unread_examples: list[str]


@dataclass(frozen=True)
class ClassChange:
    """What has become of one class.

    :param value: of the class.
    :param before: its objects in the earlier version.
    :param after: its objects in the later version.
    :param counts: by :data:`OBJECT_COUNTS`; an object that was reclassed is counted in the class that it has now.
    """

    value: str
    before: int
    after: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Comparison:
    """What has changed between two versions of a data set.

    :param before: the earlier version.
    :param after: the later one.
    :param pictures: how many were ``added``, were ``removed``, have ``changed`` bytes, were ``relabelled`` (are in
        both, and an object in them differs); and how many are in both with bytes that could be ``compared``.
    :param objects: by :data:`OBJECT_COUNTS`, and ``changed``, those in any way, and ``unchanged``. Objects of pictures
        that were added or removed are among those added or removed.
    :param classes: those whose objects changed, most changes first, at most :data:`MOST_CLASSES`.
    :param reclassed: class before, class after, and how many objects; the most first, at most :data:`MOST_CLASSES`.
    :param examples: names of some pictures, by the keys of ``pictures``.
    :param fine: whether outlines and attributes were compared: they are if both versions have the same format.
    """

    before: Version
    after: Version
    pictures: dict[str, int]
    objects: dict[str, int]
    classes: list[ClassChange]
    reclassed: list[tuple[str, str, int]]
    examples: dict[str, list[str]]
    fine: bool

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        pictures = any(self.pictures[name] for name in ("added", "removed", "changed"))
        return pictures or any(self.objects[name] for name in ("added", "removed", "changed"))

    def counts(self) -> dict[str, Any]:
        """Return the numbers alone, for an XCom or an asset's event."""
        return {
            "changed": self.changed,
            "pictures": self.pictures,
            "objects": self.objects,
            "unread": self.before.unread + self.after.unread,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        return {"changed": self.changed, **told(asdict(self))}

    def markdown(self) -> str:
        """Return a short body of Markdown, in which what strangers wrote is text and nothing else."""
        one, other = self.before, self.after
        parts = [
            f"**{one.pictures:,} → {counted(other.pictures, 'picture')}, "
            f"{one.objects:,} → {counted(other.objects, 'object')}**"
            + ("" if self.changed else ": nothing has changed"),
        ]
        if unread := one.unread + other.unread:
            examples = [markdown_text(text, 200) for text in (*one.unread_examples, *other.unread_examples)[:3]]
            lost = counted(unread, "object or file", "objects or files")
            parts.append(f"{lost} cannot be read, so not compared: {'; '.join(examples)}")
        if self.changed:
            names = ("added", "removed", "changed", "relabelled")
            parts.append(_line("Pictures", {name: self.pictures[name] for name in names}))
            parts.append(_line("Objects", {name: self.objects[name] for name in OBJECT_COUNTS}))
            parts += [*self._class_table(), *self._names()]
        if not self.fine:
            parts.append("The formats differ, so outlines and attributes were not compared.")
        return "\n\n".join(parts)

    def _class_table(self) -> list[str]:
        """Return the classes that changed most, and which became which."""
        rows = [
            [markdown_text(each.value, _NAME), f"{each.before:,}", f"{each.after:,}"]
            + [f"{each.counts[name]:,}" for name in OBJECT_COUNTS]
            for each in self.classes[:_CLASSES_SHOWN]
        ]
        parts = [markdown_table(["class", "before", "after", *OBJECT_COUNTS], rows)] if rows else []
        if len(self.classes) > _CLASSES_SHOWN:
            parts.append(f"and {len(self.classes) - _CLASSES_SHOWN:,} more classes")
        swaps = [
            f"{markdown_text(one, _NAME)} → {markdown_text(other, _NAME)} {count:,}"
            for one, other, count in self.reclassed[:_NAMES_SHOWN]
        ]
        return [*parts, f"Reclassed: {', '.join(swaps)}"] if swaps else parts

    def _names(self) -> list[str]:
        """Return some pictures of each kind."""
        lines = []
        for what, names in self.examples.items():
            if names:
                shown = ", ".join(markdown_text(name, _NAME) for name in names[:_NAMES_SHOWN])
                more = self.pictures[what] - min(len(names), _NAMES_SHOWN)
                lines.append(f"- {what}: {shown}" + (f" and {more:,} more" if more else ""))
        return ["\n".join(lines)] if lines else []


def _line(title: str, counts: Mapping[str, int]) -> str:
    parts = [f"{count:,} {WORDS.get(name, name)}" for name, count in counts.items()]
    return f"{title}: {', '.join(parts)}"


def told(value: Any) -> Any:
    """Return JSON types whose texts can be seen: names and class values come from strangers.

    :param value: JSON types and tuples.
    """
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [told(each) for each in value]
    return foreign_text(value) if isinstance(value, str) else value
