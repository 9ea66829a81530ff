"""The lists: projects, and the tasks of one by status and tags."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import Response

from airflow_provider_fastlabel.emulator.pages.layout import HOME, below, link, own, page, shortened, table, with_query
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag, text
from airflow_provider_fastlabel.emulator.world.kinds import STATUSES
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import Record

PAGE = 50
_TAGS_SHOWN = 40
_COLUMNS = (
    "seq, id, name, status, created_at, updated_at, json_array_length(annotations) AS labels, "
    "json_array_length(attributes) AS filled, "
    "(SELECT json_group_array(r.name) FROM task_tags t JOIN records r ON r.collection='tag' AND r.id=t.tag_id "
    "WHERE t.task_id=tasks.id) AS tag_names"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tasks are listed.

    :param statuses: one of these; empty for any.
    :param tags: all of these.
    :param after: number of the task that the page before ended with.
    :param before: number of the task that the page after begins with; it counts when it is not 0.
    """

    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    after: int = 0
    before: int = 0


def projects(emu: Emulation, number: int) -> Response:
    """Return the page of all projects.

    :param emu: the emulator.
    :param number: of the page, from 1.
    """
    found = emu.store.list("project", offset=(number - 1) * PAGE, limit=PAGE + 1)
    rows = [
        (link(below("projects", each.id), each.body["name"]), own(each.name), each.body["type"], _count(emu, each.id))
        for each in found[:PAGE]
    ]
    shown = table("Projects", ("Project", "Slug", "Type", "Tasks"), rows) if rows else tag("p", "There is no project.")
    links = [
        number > 1 and tag("a", "Previous projects", href=with_query("/", page=number - 1)),
        len(found) > PAGE and tag("a", "Next projects", href=with_query("/", page=number + 1)),
    ]
    return page("Projects", shown, tag("p", links, class_="pager"))


def _count(emu: Emulation, project_id: str) -> int:
    row = emu.store.row("SELECT count(*) AS n FROM tasks WHERE project_id=?", project_id)
    return int(row["n"]) if row else 0


def project_of(emu: Emulation, key: str) -> Record:
    """Return the project with an id, or a slug.

    :raises ApiError: 404 when there is none.
    """
    return emu.store.find("project", key) or emu.project(key)


def tasks(emu: Emulation, project: Record, choice: Choice) -> Response:
    """Return the page of a project's tasks."""
    here = below("projects", project.id)
    found, more = _found(emu, project.id, choice)
    body = [
        tag("p", own(project.name), f" · {project.body['type']} · ", link(f"{here}/imports", "imports"), class_="note"),
        _statuses(emu, project, choice),
        _tags(emu, project, choice),
        table("Tasks", ("Task", "Status", "Labels", "Tags", "Changed (UTC)"), (_row(here, row) for row in found))
        if found
        else tag("p", "There is no such task."),
        _pager(here, choice, found, more),
    ]
    return page(str(project.body["name"]), body, above=[HOME])


def _row(here: str, row: sqlite3.Row) -> Sequence[Any]:
    tags = [_tag(here, name) for name in orjson.loads(row["tag_names"])]
    changed = tag("time", row["updated_at"][:19].replace("T", " "), datetime=row["updated_at"])
    name = link(below("tasks", row["id"]), row["name"])
    return name, state(row["status"]), row["labels"] or row["filled"], tags, changed


def state(status: str) -> Markup:
    """Return a status as a badge."""
    return tag("span", status, class_=f"state {status}")


def _tag(here: str, name: str) -> Markup:
    return text(link(with_query(here, tags=[name]), shortened(name, 60), class_="tag"), " ")


def _found(emu: Emulation, project_id: str, choice: Choice) -> tuple[list[sqlite3.Row], bool]:
    """Return the tasks of a page, and whether there are more of them in its direction.

    Every status is asked for by itself, so that each is read in the order of an index, and no further than a page goes.
    """
    condition, values = "project_id=?", [project_id]
    for name in choice.tags:
        known = emu.store.by_name("tag", name, project_id)
        condition += " AND id IN (SELECT task_id FROM task_tags WHERE tag_id=?)"
        values.append(known.id if known else "")
    back = choice.before > 0
    condition += " AND seq<?" if back else " AND seq>?"
    order = "DESC" if back else "ASC"
    edge = choice.before if back else choice.after
    found: list[sqlite3.Row] = []
    for status in choice.statuses or (None,):
        only, own_values = (" AND status=?", (status,)) if status is not None else ("", ())
        sql = f"SELECT {_COLUMNS} FROM tasks WHERE {condition}{only} ORDER BY seq {order} LIMIT ?"
        found += emu.store.rows(sql, *values, edge, *own_values, PAGE + 1)
    found.sort(key=lambda row: row["seq"], reverse=back)
    more, found = len(found) > PAGE, found[:PAGE]
    return found[::-1] if back else found, more


def _statuses(emu: Emulation, project: Record, choice: Choice) -> Markup:
    sql = "SELECT status, count(*) AS n FROM tasks WHERE project_id=? GROUP BY status"
    counts = {row["status"]: row["n"] for row in emu.store.rows(sql, project.id)}
    here = below("projects", project.id)
    entries: list[tuple[str, tuple[str, ...], int]] = [("all", (), sum(counts.values()))]
    entries += [(status, (status,), counts[status]) for status in STATUSES if status in counts]
    shown = [
        tag("a", f"{name} {count:,}", href=with_query(here, status=statuses, tags=choice.tags),
            aria_current="true" if set(statuses) == set(choice.statuses) else None)
        for name, statuses, count in entries
    ]  # fmt: skip
    return tag("nav", shown, class_="choices", aria_label="By status")


def _tags(emu: Emulation, project: Record, choice: Choice) -> Markup:
    here = below("projects", project.id)
    known = emu.store.list("tag", scope=project.id, limit=_TAGS_SHOWN)
    if not known and not choice.tags:
        return text()
    shown = [_tag(here, each.name or "") for each in known]
    chosen = [(own(name), " ") for name in choice.tags]
    undo = tag("a", "all tags", href=with_query(here, status=choice.statuses))
    return tag(
        "nav", ("Tagged ", chosen, "· ", undo) if chosen else ("Tags: ", shown), class_="tags", aria_label="By tag"
    )


def _pager(here: str, choice: Choice, found: Sequence[sqlite3.Row], more: bool) -> Markup:
    def at(**edge: int) -> str:
        wanted = replace(choice, after=0, before=0)
        return with_query(here, status=wanted.statuses, tags=wanted.tags, **edge)

    back = choice.before > 0
    links = [
        found and (more if back else choice.after > 0) and tag("a", "Previous", href=at(before=found[0]["seq"])),
        found and (back or more) and tag("a", "Next", href=at(after=found[-1]["seq"])),
    ]
    return tag("p", links, class_="pager")
