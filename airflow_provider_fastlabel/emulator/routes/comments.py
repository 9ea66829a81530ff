"""Comments on tasks and their threads."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import Field

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.world import schemas, task_table
from airflow_provider_fastlabel.emulator.world.errors import invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KINDS
from airflow_provider_fastlabel.emulator.world.schemas import Name, Number, Text, Wire
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["comments"])

Small = Annotated[int, Field(ge=0, le=10**9)]


class CommentQuery(schemas.ProjectPage):
    """A page of a task's comments."""

    task_id: Name


class ThreadQuery(schemas.ProjectPage):
    """A page of a project's threads."""

    task_status: schemas.Status | None = None
    task_external_status: schemas.ExternalStatus | None = None
    task_tags: schemas.FilterTags = Field(default_factory=list)
    issue_category_id: str | None = None


class CommentIn(Wire):
    """A new comment."""

    task_id: Name
    points: list[Number]
    text: Text
    type: Name = "text"
    is_resolved: bool = False
    scale: Number = 0
    frame: Small = 0
    content_id: Name | None = None
    content_name: Name | None = None
    status: Name | None = None
    priority: Small | None = None
    task_annotation_id: Name | None = None
    color: Name | None = None


class ThreadIn(Wire):
    """Text of a thread."""

    text: Text


def _threads(emu: Emulation, comment: Record) -> list[dict[str, Any]]:
    return [thread.out() for thread in emu.store.list("thread", scope=comment.id)]


def _show(emu: Emulation, comment: Record) -> dict[str, Any]:
    shown = {"id": comment.id, **comment.body, "threads": _threads(emu, comment)}
    return shown | {"createdAt": comment.created_at, "updatedAt": comment.updated_at}


@router.get("/comments")
async def get_task_comments(emu: Emu, query: Annotated[CommentQuery, Query()]) -> Response:
    """List the comments of a task."""
    project = emu.project(query.project)
    if task_table.task_row(emu, query.task_id)["project_id"] != project.id:
        raise not_found("task", query.task_id)
    limit = page_limit(query.limit, 100, 1000)
    records = emu.store.list("comment", scope=query.task_id, offset=query.offset, limit=limit)
    return answer([_show(emu, record) for record in records])


@router.get("/comments/threads")
async def get_project_comments(emu: Emu, query: Annotated[ThreadQuery, Query()]) -> Response:
    """List the threads of a project's comments."""
    limit = page_limit(query.limit, 100, 1000)
    wanted = schemas.TaskFilter.model_construct(
        project=query.project,
        status=query.task_status,
        external_status=query.task_external_status,
        tags=query.task_tags,
    )
    condition, values = task_table.where(emu, wanted)
    found = []
    for row in emu.store.rows(f"SELECT id FROM tasks WHERE {condition} ORDER BY seq", *values):
        for comment in emu.store.list("comment", scope=row["id"]):
            if query.issue_category_id in (None, "", comment.body["issueCategoryId"]):
                found += [_thread(thread, comment) for thread in emu.store.list("thread", scope=comment.id)]
    return answer(found[query.offset : query.offset + limit])


def _thread(thread: Record, comment: Record) -> dict[str, Any]:
    shown = thread.out()
    return {"id": shown["id"], "text": shown["text"], "comment": comment.out(), **shown}


@router.post("/comments")
async def create_task_comment(emu: Emu, body: CommentIn) -> Response:
    """Comment on a task and return the comment."""
    row = task_table.task_row(emu, body.task_id)
    contents = [item["name"] for item in orjson.loads(row["contents"])]
    content = body.content_id
    if body.content_name is not None:
        if content is not None or body.content_name not in (*contents, row["name"]):
            raise invalid(f"contentName: {body.content_name} is not a file of the task, or contentId is given too")
        content = str(uuid.uuid5(uuid.UUID(row["id"]), body.content_name))
    if content is None:
        if KINDS[row["kind"]].has_contents and len(contents) != 1:
            raise invalid("contentId: needed for a task of several contents")
        content = row["id"]
    fields = {
        **body.model_dump(by_alias=True, exclude={"text", "content_name"}),
        "contentId": content,
        "status": body.status or "todo",
        "priority": body.priority or 0,
        "issueCategoryId": None,
    }
    with emu.store.transaction():
        comment = emu.store.insert("comment", fields, scope=row["id"])
        emu.store.insert("thread", {"text": body.text}, scope=comment.id)
    return answer(_show(emu, comment))


@router.post("/comments/{comment_id}/threads")
async def add_thread(emu: Emu, comment_id: str, body: ThreadIn) -> Response:
    """Reply to a comment and return it."""
    comment = emu.store.get("comment", comment_id)
    emu.store.insert("thread", {"text": body.text}, scope=comment.id)
    return answer(_show(emu, comment))


@router.put("/comments/threads/{thread_id}")
async def update_task_comment(emu: Emu, thread_id: str, body: ThreadIn) -> Response:
    """Change the text of a thread and return the thread."""
    thread = emu.store.get("thread", thread_id)
    thread.body["text"] = body.text
    emu.store.save("thread", thread)
    return answer(thread.out())


@router.delete("/comments/threads/{thread_id}", **NO_CONTENT)
async def delete_task_comment(emu: Emu, thread_id: str) -> None:
    """Remove a thread, and its comment with the last one."""
    thread = emu.store.get("thread", thread_id)
    with emu.store.transaction():
        emu.store.delete("thread", thread_id)
        if not emu.store.list("thread", scope=thread.scope, limit=1):
            emu.store.delete("comment", thread.scope)
