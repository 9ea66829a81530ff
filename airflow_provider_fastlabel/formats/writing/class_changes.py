"""The classes of a project are compared with those that an earlier export to the same place gave numbers.

FastLabel's id tells a class that was renamed from one that went while another came: the lock file keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.classes import ClassMap

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ClassChanges:
    """What has become of the classes since the earlier export.

    :param gone: values the project has not any more; their numbers stay unused.
    :param new: values that it has now, those that have come back among them.
    :param renamed: earlier value -> value of the same FastLabel class now.
    :param retyped: value now -> its annotation type then and now.
    """

    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """Return what has changed, for a result or a manifest; what has not is left out.

        :param most: entries of each kind at most; ``more`` then says how many there are beyond them. All without it.
        :returns: a new dictionary of JSON types; empty if nothing has changed.
        """
        found = {
            "gone": list(self.gone[:most]),
            "new": list(self.new[:most]),
            "renamed": dict(islice(self.renamed.items(), most)),
            "retyped": {value: list(types) for value, types in islice(self.retyped.items(), most)},
        }
        total = len(self.gone) + len(self.new) + len(self.renamed) + len(self.retyped)
        more = total - sum(map(len, found.values()))
        return {kind: one for kind, one in found.items() if one} | ({"more": more} if more else {})


def class_changes(locked: ClassMap, current: ClassMap) -> ClassChanges:
    """Compare.

    :param locked: the classes of the earlier export, from its lock file.
    :param current: those of the project now.
    :returns: the differences, in the order of the classes.
    """
    renamed = _renamed(locked, current)
    there = {one.value for one in locked if not one.gone}
    came = set(renamed.values())
    now = {one.value: one for one in current}
    retyped = {}
    for one in locked:
        after = now.get(renamed.get(one.value, one.value))
        if after is not None and one.type and after.type and one.type != after.type:
            retyped[after.value] = (one.type, after.type)
    return ClassChanges(
        gone=tuple(one.value for one in locked if not one.gone and one.value not in now and one.value not in renamed),
        new=tuple(value for value in now if value not in there and value not in came),
        renamed=renamed,
        retyped=retyped,
    )


def brought_up_to_date(locked: ClassMap, current: ClassMap, *, keep_renamed: bool) -> ClassMap:
    """Return the locked classes as they are now: numbers stay, classes that are new are appended.

    :param locked: the classes of the earlier export.
    :param current: those of the project now; their titles, colours and keypoints win.
    :param keep_renamed: whether a class that has another value now keeps its number. Without it the number stays with
        the earlier value, and the new value gets a new one. A value that has a number of its own keeps that.
    :returns: a closed map.
    """
    kept = _renamed(locked, current) if keep_renamed else {}
    # What cannot be kept leaves its old value where it is, which may be in the way of the next.
    while clashes := [
        old for old, new in kept.items() if new in {one.value for one in locked if one.value not in kept}
    ]:
        for old in clashes:
            del kept[old]
    now = {one.value: one for one in current}
    living = {one.fastlabel_id for one in current}
    merged = ClassMap()
    for one in locked:
        after = now.get(kept.get(one.value, one.value))
        # The id goes with the class that has it now.
        own = "" if one.fastlabel_id in living else one.fastlabel_id
        merged.add(replace(one, gone=True, fastlabel_id=own) if after is None else after)
    for one in current:
        merged.add(one)
    return merged


def _renamed(locked: ClassMap, current: ClassMap) -> dict[str, str]:
    """Return earlier value -> value now, of classes with the same FastLabel id."""
    now = {one.fastlabel_id: one.value for one in current if one.fastlabel_id}
    # An id counts once: a lock that was edited by hand must not give two numbers to one class.
    pairs = [(one.value, now.pop(one.fastlabel_id)) for one in locked if one.fastlabel_id in now]
    return {old: new for old, new in pairs if old != new}
