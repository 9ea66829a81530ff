"""The page of one task: what it is about, its labels, values and comments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from fastapi import Response

from airflow_provider_fastlabel.emulator.pages.layout import (
    HOME,
    below,
    facts,
    link,
    many,
    own,
    page,
    said,
    shortened,
    table,
    with_query,
)
from airflow_provider_fastlabel.emulator.pages.listing import state
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag, text
from airflow_provider_fastlabel.emulator.pages.shapes import colour_of
from airflow_provider_fastlabel.emulator.pages.spans import colours
from airflow_provider_fastlabel.emulator.pages.stage import Shown, frames_of, read, stage
from airflow_provider_fastlabel.emulator.world import task_table
from airflow_provider_fastlabel.emulator.world.state import Emulation

_NUMBERS = 8
_VALUE = 500


async def task(emu: Emulation, task_id: str, frame: int) -> Response:
    """Return the page of a task.

    :param emu: the emulator.
    :param task_id: its id.
    :param frame: the frame to show, of a task that has several.
    :raises ApiError: 404 when there is none.
    """
    row = task_table.task_row(emu, task_id)
    shown, project = read(row), emu.store.get("project", row["project_id"])
    here = below("projects", project.id)
    last = frames_of(shown)
    above = [HOME, (str(project.body["name"]), here)]
    return page(
        shown.name,
        tag("p", state(row["status"]), f" {shown.kind.name.replace('_', ' ')}", _neighbours(emu, row), class_="note"),
        tag("section", tag("h2", "What it shows", class_="unseen"), await stage(emu, shown, min(max(frame, 1), last))),
        _values(shown),
        _labels(shown),
        _comments(emu, row["id"]),
        tag("section", tag("h2", "The task"), facts(_facts(emu, row, here))),
        above=above,
    )


def _neighbours(emu: Emulation, row: sqlite3.Row) -> list[Any]:
    found: list[Any] = []
    for name, sign, order in (("previous task", "<", "DESC"), ("next task", ">", "ASC")):
        sql = f"SELECT id FROM tasks WHERE project_id=? AND seq{sign}? ORDER BY seq {order} LIMIT 1"
        other = emu.store.row(sql, row["project_id"], row["seq"])
        if other is not None:
            found += [" · ", tag("a", name, href=below("tasks", other["id"]))]
    return found


def _facts(emu: Emulation, row: sqlite3.Row, here: str) -> Mapping[str, Any]:
    names = task_table.user_names(emu)
    users = orjson.loads(row["users"])
    tags = [
        text(link(with_query(here, tags=[name]), name, class_="tag"), " ") for name in orjson.loads(row["tag_names"])
    ]
    found: dict[str, Any] = {
        "Id": row["id"],
        "External status": row["external_status"],
        "Priority": str(row["priority"]),
        "Tags": text(tags),
        **{role.replace("_", " ").capitalize(): names.get(slug, slug) for role, slug in users.items()},
        **{item["key"]: item["value"] for item in orjson.loads(row["metadatas"])},
        "Operator": row["operator"],
        "File": ", ".join(_measures(orjson.loads(row["media"]))),
        "Created": row["created_at"],
        "Changed": row["updated_at"],
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _measures(media: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known of a file, in words."""
    if media.get("width"):
        yield f"{media['width']} x {media['height']} pixels"
    if media.get("frameCount"):
        yield many(media["frameCount"], "frame")
    if media.get("fps"):
        yield f"{media['fps']:g} a second"
    if media.get("duration"):
        yield f"{media['duration']:g} s long"
    if media.get("size"):
        yield many(media["size"], "byte")


def _values(shown: Shown) -> Markup:
    """Return the values of a classification."""
    if not shown.kind.classified:
        return text()
    if not shown.attributes:
        return tag("section", tag("h2", "Values"), tag("p", "Nothing is chosen yet."))
    values = {str(each["name"] or each["key"]): _chosen(each) for each in shown.attributes}
    return tag("section", tag("h2", "Values"), facts(values))


def _chosen(attribute: Mapping[str, Any]) -> Any:
    value = attribute.get("title") or said(attribute["value"])
    return shortened(str(value), _VALUE)


def _labels(shown: Shown) -> Markup:
    if shown.kind.classified:
        return text()
    heading = tag("h2", many(len(shown.annotations), "label"))
    if not shown.annotations:
        return tag("section", heading, tag("p", "Nobody has labelled this task yet."))
    named = colours(shown.annotations) if shown.kind.name == "text" else {}
    rows = [(_class(each, named), each["type"], _where(each), text(_attributes(each))) for each in shown.annotations]
    said_more = any(row[-1] for row in rows)
    heads = ("Class", "Type", "Where", "Attributes") if said_more else ("Class", "Type", "Where")
    return tag("section", heading, table("Labels", heads, (row[: len(heads)] for row in rows)))


def _class(annotation: Mapping[str, Any], named: Mapping[str, str]) -> Markup:
    colour = tag("rect", width=10, height=10, fill=colour_of(annotation))
    patch = tag("svg", colour, viewBox="0 0 10 10", class_="patch", aria_hidden="true")
    if annotation["value"] in named:  # as in the text above
        patch = tag("span", class_=f"patch {named[annotation['value']]}")
    value, title = str(annotation["value"]), str(annotation.get("title") or annotation["value"])
    return text(patch, own(title), tag("small", " ", own(value)) if value.lower() != title.lower() else None)


def _attributes(annotation: Mapping[str, Any]) -> list[Any]:
    written = [(tag("span", own(each["name"] or each["key"]), ": ", own(_chosen(each))), tag("br"))
               for each in annotation.get("attributes", ())]  # fmt: skip
    score = annotation.get("confidenceScore", -1)
    return [*written, f"score {score:g}" if score is not None and score >= 0 else None]


def _where(annotation: Mapping[str, Any]) -> Any:
    """Return in few words where a label is."""
    points = annotation.get("points")
    if "start" in annotation:
        span = f"{annotation['start']:g} to {annotation['end']:g}"
        return (span, ": ", own(shortened(annotation["text"], 80))) if annotation.get("text") else span
    if annotation.get("keypoints"):
        placed = [each for each in annotation["keypoints"] if each["value"]]
        return f"{len(placed)} of {len(annotation['keypoints'])} keypoints"
    if isinstance(points, dict):
        by_hand = sum(not each["autogenerated"] for each in points.values())
        frames = sorted(map(int, points))
        return f"{len(frames)} frames from {frames[0]} to {frames[-1]}, {by_hand} by hand"
    if isinstance(points, list) and points and isinstance(points[0], list):
        holes = sum(map(len, points)) - len(points)
        return f"{many(len(points), 'region')}, {many(holes, 'hole')}"
    turned = f", turned by {annotation['rotation']:g}°" if annotation.get("rotation") else ""
    content = (own(annotation["content"]), ": ") if annotation.get("content") else None
    return content, _written(points or []), turned


def _written(points: Sequence[float]) -> str:
    first = ", ".join(f"{each:g}" for each in points[:_NUMBERS])
    return first + (f", … ({len(points)} numbers)" if len(points) > _NUMBERS else "")


def _comments(emu: Emulation, task_id: str) -> Markup:
    found = emu.store.list("comment", scope=task_id, limit=200)
    if not found:
        return text()
    entries = [
        tag("li", [tag("p", own(thread.body["text"])) for thread in emu.store.list("thread", scope=each.id, limit=50)])
        for each in found
    ]
    return tag("section", tag("h2", "Comments"), tag("ol", entries))
