"""Which things are new since the last look, and which events they make: the pure half of the watchers.

A watcher looks at a set of things that are where it watches: tasks in a status, imports or jobs that have ended. What
was not there at the last look has arrived. No clock takes part in that, so neither FastLabel's clocks nor ours can
make a watcher miss anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.marks import mark_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    Facts = Mapping[str, Any]
    Every = int | Literal["all"]

IDS_SHOWN = 100
"""Ids that an event of several tasks names at most, so that it stays small."""


@dataclass(frozen=True)
class Cursor:
    """What a watcher remembers from look to look, and across a restart where Airflow can store it.

    :param since: when the watcher began, ISO 8601; part of the keys of numbered events.
    :param known: marks of the things that are where the watcher watches.
    :param pending: those of them that no event has told of yet, the oldest first.
    :param told: numbered events so far.
    :param total: of ``all``: the number of tasks when the last event was made; ``None`` once one was missing again.
    :param gone: not stored: when those that were told and left at the last look were changed last, by mark. One that
        comes back unchanged had only slipped through a list that moved while it was read.
    """

    since: str
    known: frozenset[str] = frozenset()
    pending: tuple[str, ...] = ()
    told: int = 0
    total: int | None = None
    gone: Mapping[str, Any] = field(default_factory=dict, compare=False)


def first_cursor(present: Mapping[str, Facts], *, now: str, include_existing: bool) -> Cursor:
    """Return the cursor of a watcher that looks for the first time.

    :param present: what is there, by id.
    :param now: the time, ISO 8601.
    :param include_existing: whether what is there is new to it.
    """
    return Cursor(now, frozenset() if include_existing else frozenset(map(mark_of, present)))


def arrived(
    cursor: Cursor, present: Mapping[str, Facts], before: Mapping[str, Facts], *, every: int
) -> tuple[Cursor, list[dict[str, Facts]]]:
    """Tell what has arrived since the last look, in as many groups as are full.

    :param cursor: what the watcher remembers.
    :param present: what is there now, by id; ``updated_at`` among the facts is when a thing was changed last.
    :param before: what was there at the last look of this process, empty at its first.
    :param every: how many things make a group.
    :returns: the cursor after the groups were told, and the groups.
    """
    marks = {mark_of(ident): ident for ident in present}
    changed_at = {mark: present[ident].get("updated_at") for mark, ident in marks.items()}
    strange = marks.keys() - cursor.known - set(cursor.pending)
    new = [mark for mark in strange if cursor.gone.get(mark, "") != changed_at[mark]]
    left = {mark_of(ident): before[ident].get("updated_at") for ident in before.keys() - present.keys()}
    told_and_left = {mark: at for mark, at in left.items() if mark not in cursor.pending}
    waiting = [mark for mark in cursor.pending if mark in marks]
    waiting += sorted(new, key=lambda mark: (str(changed_at[mark] or ""), marks[mark]))
    full = len(waiting) // every * every
    groups = [
        {marks[mark]: present[marks[mark]] for mark in waiting[start : start + every]}
        for start in range(0, full, every)
    ]
    after = replace(
        cursor,
        known=frozenset(marks),
        pending=tuple(waiting[full:]),
        told=cursor.told + len(groups),
        gone=told_and_left,
    )
    return after, groups


def first_of_all(reached: int, total: int, *, now: str, include_existing: bool) -> Cursor:
    """Return the cursor of a watcher of all tasks that looks for the first time; parameters as in :func:`all_reached`.

    :param reached: tasks that are in the status.
    :param total: all tasks.
    :param now: the time, ISO 8601.
    :param include_existing: whether it tells of a set that is complete already.
    """
    complete = 0 < total <= reached
    return Cursor(now, total=total if complete and not include_existing else None)


def all_reached(cursor: Cursor, reached: int, total: int) -> tuple[Cursor, bool]:
    """Tell whether all tasks have reached the status, and were not complete in the same number when last told.

    No task at all is not all of them: an import that has not begun must not look like finished work.

    :param cursor: what the watcher remembers.
    :param reached: tasks that are in the status.
    :param total: all tasks.
    :returns: the cursor after it was told, and whether there is something to tell.
    """
    if total == 0 or reached < total:
        return replace(cursor, total=None), False
    if cursor.total == total:
        return cursor, False
    return replace(cursor, total=total, told=cursor.told + 1), True
