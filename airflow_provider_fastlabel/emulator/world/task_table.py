"""Tasks in the database: inserted, changed, listed, counted, shown."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.world import instances
from airflow_provider_fastlabel.emulator.world.errors import conflict, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE, KINDS, Kind
from airflow_provider_fastlabel.emulator.world.schemas import AnnotationIn, AttributeIn, TaskFilter
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import Record
from airflow_provider_fastlabel.emulator.world.task_schemas import USER_FIELDS, Users

_SHOWN_MEDIA = ("width", "height", "fps", "frameCount", "duration")
_TAGS = (
    "(SELECT json_group_array(name) FROM (SELECT r.name FROM task_tags t "
    "JOIN records r ON r.collection='tag' AND r.id=t.tag_id WHERE t.task_id=tasks.id ORDER BY t.rowid)) AS tag_names"
)


@dataclass(slots=True)
class NewTask:
    """What a new task is made of.

    :param kind: its kind.
    :param name: its name.
    :param status: status; ``registered`` when ``None``.
    :param media: description of its file, or empty.
    :param contents: descriptions of its files, for kinds that have several.
    :param annotations: rendered annotations.
    :param attributes: rendered attributes.
    """

    kind: Kind
    name: str
    status: str | None = None
    external_status: str | None = None
    custom_status: str | None = None
    priority: int | None = None
    users: dict[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    media: Mapping[str, Any] = field(default_factory=dict)
    contents: Sequence[Mapping[str, Any]] = ()
    annotations: Sequence[Mapping[str, Any]] = ()
    attributes: Sequence[Mapping[str, Any]] = ()
    metadatas: Sequence[Mapping[str, Any]] = ()
    operator: str | None = None


def project_for(emu: Emulation, slug: str, kind: Kind) -> Record:
    """Return a project that takes tasks of this kind.

    :raises ApiError: 404 for an unknown slug, 422 when the project is for another kind.
    """
    project = emu.project(slug)
    if KIND_OF_PROJECT_TYPE[project.body["type"]] is not kind:
        raise invalid(f"project {slug} is of type {project.body['type']} and does not take {kind.name} tasks")
    return project


def check_name(emu: Emulation, project: Record, name: str) -> None:
    """Refuse a task name that is taken.

    :raises ApiError: 409.
    """
    if emu.store.row("SELECT 1 FROM tasks WHERE project_id=? AND name=?", project.id, name):
        raise conflict(f"task name already exists in project {project.name}: {name}")


def users_of(emu: Emulation, body: Users) -> dict[str, str | None]:
    """Return the assignments a body carries: role to user slug, ``None`` to clear.

    :raises ApiError: 422 for a slug nobody has.
    """
    sent = {role: getattr(body, role) for role in USER_FIELDS if role in body.model_fields_set}
    if sent:
        slugs = {user.body["slug"] for user in emu.store.list("user")}
        for role, slug in sent.items():
            if slug and slug not in slugs:
                raise invalid(f"{role}: the workspace has no user with slug {slug!r}")
    return sent


def insert_task(emu: Emulation, project: Record, task: NewTask) -> str:
    """Add a task and return its id.

    :raises ApiError: 409 when the name is taken.
    """
    check_name(emu, project, task.name)
    seq, ident = emu.store.next_id("tasks")
    now = emu.clock.iso()
    with emu.store.transaction():
        emu.store.db.execute(
            f"INSERT INTO tasks VALUES ({','.join('?' * 21)})",
            (
                seq, ident, project.id, task.kind.name, task.name, task.status or "registered",
                task.external_status or "registered", task.custom_status, task.priority or 0,
                orjson.dumps({role: slug for role, slug in task.users.items() if slug}),
                orjson.dumps(task.annotations), orjson.dumps(task.attributes), b"[]", orjson.dumps(task.metadatas),
                orjson.dumps(task.media), orjson.dumps(task.contents), task.operator, 0, None, now, now,
            ),
        )  # fmt: skip
        set_tags(emu, project.id, ident, task.tags)
    return ident


def set_tags(emu: Emulation, project_id: str, task_id: str, names: Iterable[str]) -> None:
    """Make these the tags of a task; new names become tags of the project."""
    emu.store.run("DELETE FROM task_tags WHERE task_id=?", task_id)
    for name in dict.fromkeys(names):
        tag = emu.store.by_name("tag", name, project_id)
        if tag is None:
            order = emu.store.count("tag", project_id) + 1
            tag = emu.store.insert("tag", {"name": name, "order": order}, scope=project_id, name=name)
        emu.store.run("INSERT INTO task_tags VALUES (?,?)", task_id, tag.id)


def task_row(emu: Emulation, task_id: str, kind: Kind | None = None) -> sqlite3.Row:
    """Return one task's row.

    :param emu: the emulator.
    :param task_id: id.
    :param kind: what it must be; ``None`` for any.
    :raises ApiError: 404 when there is none.
    """
    row = emu.store.row(f"SELECT *, {_TAGS} FROM tasks WHERE id=?", task_id)
    if row is None or (kind is not None and row["kind"] != kind.name):
        raise not_found("task" if kind is None else f"{kind.name} task", task_id)
    return row


def rendered(
    emu: Emulation,
    kind: Kind,
    project_id: str,
    annotations: Sequence[AnnotationIn],
    contents: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return sent annotations as stored, with ids of their own."""
    if not annotations:
        return []
    _, seed = emu.store.next_id("records")
    return instances.render(kind, instances.classes_of(emu, project_id), annotations, uuid.UUID(seed), contents)


def rendered_attributes(emu: Emulation, project_id: str, attributes: Sequence[AttributeIn]) -> list[dict[str, Any]]:
    """Return sent attributes of a classification task as stored.

    :raises ApiError: 422 when the project has no classification class.
    """
    if not attributes:
        return []
    definition = emu.store.by_name("annotation", "classification", project_id)
    if definition is None:
        raise invalid("attributes: the project has no annotation class with value 'classification'")
    return instances.render_attributes(definition.body, attributes, "attributes")


def update_row(emu: Emulation, row: sqlite3.Row, changes: Mapping[str, Any]) -> None:
    """Write changed columns of a task.

    :param emu: the emulator.
    :param row: the task.
    :param changes: column to value; ``tags`` is a list of names.
    """
    columns = {name: value for name, value in changes.items() if name != "tags"}
    columns["updated_at"] = emu.clock.iso()
    assignments = ", ".join(f"{name}=?" for name in columns)
    with emu.store.transaction():
        sql = f"UPDATE tasks SET {assignments}, revision=revision+1 WHERE id=?"
        emu.store.run(sql, *columns.values(), row["id"])
        if changes.get("tags"):
            set_tags(emu, row["project_id"], row["id"], changes["tags"])


def delete_row(emu: Emulation, task_id: str) -> None:
    """Remove a task with its tags and comments.

    :raises ApiError: 404 when there is none.
    """
    with emu.store.transaction():
        if not emu.store.run("DELETE FROM tasks WHERE id=?", task_id):
            raise not_found("task", task_id)
        emu.store.run("DELETE FROM task_tags WHERE task_id=?", task_id)
        for comment in emu.store.list("comment", scope=task_id):
            emu.store.delete_scope("thread", comment.id)
        emu.store.delete_scope("comment", task_id)


def where(emu: Emulation, query: TaskFilter) -> tuple[str, list[Any]]:
    """Return the SQL condition of a task filter and its values.

    :raises ApiError: 404 for an unknown project.
    """
    clauses: list[str] = ["project_id=?"]
    values: list[Any] = [emu.project(query.project).id]
    for column, value in (
        ("status", query.status),
        ("external_status", query.external_status),
        ("name", getattr(query, "task_name", None)),
    ):
        if value:
            clauses.append(f"{column}=?")
            values.append(value)
    for name in query.tags:
        tag = emu.store.by_name("tag", name, str(values[0]))
        clauses.append("id IN (SELECT task_id FROM task_tags WHERE tag_id=?)")
        values.append(tag.id if tag else "")
    return " AND ".join(clauses), values


def list_tasks(emu: Emulation, condition: str, values: Sequence[Any], offset: int, limit: int, base: str) -> bytes:
    """Return a page of tasks as JSON text.

    :param emu: the emulator.
    :param condition: SQL condition.
    :param values: its values.
    :param offset: tasks to leave out.
    :param limit: tasks at most.
    :param base: address of the server, for signed addresses.
    """
    sql = f"SELECT *, {_TAGS} FROM tasks WHERE {condition} ORDER BY seq LIMIT ? OFFSET ?"
    names = user_names(emu)
    return orjson.dumps([show(emu, row, names, base) for row in emu.store.rows(sql, *values, limit, offset)])


def user_names(emu: Emulation) -> dict[str, str]:
    """Map user slugs to names."""
    return {user.body["slug"]: user.body["name"] for user in emu.store.list("user")}


def show(emu: Emulation, row: sqlite3.Row, names: Mapping[str, str], base: str) -> dict[str, Any]:
    """Return a task as the API shows it.

    :param emu: the emulator.
    :param row: its row.
    :param names: user names by slug.
    :param base: address of the server, for signed addresses.
    """
    kind = KINDS[row["kind"]]
    media = orjson.loads(row["media"])
    task: dict[str, Any] = {"id": row["id"], "name": row["name"]}
    task |= {key: media[key] for key in _SHOWN_MEDIA if key in media}
    if "sha256" in media and not kind.has_contents:
        task["url"] = address(emu, media["sha256"], row["name"], base)
    if kind.has_contents and (kind.media == "image" or kind.name in ("robotics", "multi_modal_video_audio")):
        task["contents"] = [_content(emu, content, base) for content in orjson.loads(row["contents"])]
    task |= {"status": row["status"], "externalStatus": row["external_status"]}
    if kind.name == "image" and row["custom_status"]:
        task["customTaskStatus"] = row["custom_status"]
    if kind.name != "dicom":
        task["priority"] = row["priority"]
    task["tags"] = orjson.Fragment(row["tag_names"])
    task |= _assignments(orjson.loads(row["users"]), names)
    if kind.classified:
        task["attributes"] = orjson.Fragment(row["attributes"])
    else:
        task["annotations"] = orjson.Fragment(row["annotations"])
        if kind.name in ("image", "pcd", "robotics"):
            task["relations"] = orjson.Fragment(row["relations"])
    if kind.name == "robotics":
        task["roboticsOperator"] = row["operator"]
    task["metadatas"] = orjson.Fragment(row["metadatas"])
    return task | {"createdAt": row["created_at"], "updatedAt": row["updated_at"]}


_CAMEL = {
    "assignee": "assignee",
    "reviewer": "reviewer",
    "approver": "approver",
    "external_assignee": "externalAssignee",
    "external_reviewer": "externalReviewer",
    "external_approver": "externalApprover",
}


def _assignments(users: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {label: names.get(users.get(role, "")) for role, label in _CAMEL.items()}
    for number in range(1, 7):
        slug = users.get(f"workflow_{number}_user")
        if slug:
            shown[f"workflow{number}User"] = names.get(slug)
    return shown


def _content(emu: Emulation, content: Mapping[str, Any], base: str) -> dict[str, Any]:
    shown = {"name": content["name"], "url": address(emu, content["sha256"], content["name"], base)}
    return shown | {key: content[key] for key in _SHOWN_MEDIA if key in content}


def address(emu: Emulation, sha256: str, name: str, base: str) -> str:
    """Return a signed download address.

    :param emu: the emulator.
    :param sha256: the stored file.
    :param name: its last part becomes the name in the address.
    :param base: address of the server.
    """
    shown = "".join(letter if letter.isprintable() else "_" for letter in name.rsplit("/", 1)[-1])
    path = f"/storage/files/{sha256}/{shown or 'file'}"
    return base + emu.files.sign("GET", path, emu.settings.signed_url_seconds)
