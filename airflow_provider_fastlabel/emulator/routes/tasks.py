"""Task routes: the same five for every kind, made from the table of kinds, and those all kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.world import schemas, task_schemas, task_table
from airflow_provider_fastlabel.emulator.world.errors import invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import CONTENTS_CHARACTERS, KINDS, Kind
from airflow_provider_fastlabel.emulator.world.media import store_file
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer, base_of
from airflow_provider_fastlabel.emulator.world.store import Record
from airflow_provider_fastlabel.emulator.world.task_table import NewTask

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["tasks"])

_BODIES: Mapping[str, tuple[type[task_schemas.States] | None, type[task_schemas.States] | None]] = MappingProxyType(
    {
        "image": (task_schemas.ImageCreate, task_schemas.ImageUpdate),
        "image_classification": (task_schemas.ImageClassifiedCreate, task_schemas.ClassifiedUpdate),
        "multi_image_classification": (task_schemas.MultiImageCreate, task_schemas.ClassifiedUpdate),
        "sequential_image": (task_schemas.SequentialImageCreate, task_schemas.AnnotatedUpdate),
        "video": (task_schemas.AnnotatedCreate, task_schemas.AnnotatedUpdate),
        "video_classification": (task_schemas.ClassifiedCreate, task_schemas.ClassifiedUpdate),
        "text": (task_schemas.AnnotatedCreate, task_schemas.AnnotatedUpdate),
        "text_classification": (task_schemas.ClassifiedCreate, task_schemas.ClassifiedUpdate),
        "audio": (task_schemas.AnnotatedCreate, task_schemas.AnnotatedUpdate),
        "audio_classification": (task_schemas.ClassifiedCreate, task_schemas.ClassifiedUpdate),
        "multi_modal_video_audio": (None, None),
        "pcd": (task_schemas.AnnotatedCreate, task_schemas.AnnotatedUpdate),
        "sequential_pcd": (task_schemas.SequentialCreate, task_schemas.AnnotatedUpdate),
        "dicom": (None, task_schemas.DicomUpdate),
        "robotics": (task_schemas.RoboticsCreate, task_schemas.RoboticsUpdate),
    }
)


@router.get("/tasks/count")
async def count_tasks(emu: Emu, query: Annotated[schemas.TaskFilter, Query()]) -> Response:
    """Count the tasks that pass a filter."""
    condition, values = task_table.where(emu, query)
    row = emu.store.row(f"SELECT count(*) AS n FROM tasks WHERE {condition}", *values)
    return answer(row["n"] if row else 0)


@router.get("/tasks/map/id-name")
async def get_task_id_name_map(emu: Emu, query: Annotated[schemas.ProjectPage, Query()]) -> Response:
    """Map task ids to names."""
    limit = page_limit(query.limit, 1000, 1000)
    sql = "SELECT id, name FROM tasks WHERE project_id=? ORDER BY seq LIMIT ? OFFSET ?"
    rows = emu.store.rows(sql, emu.project(query.project).id, limit, query.offset)
    return answer({row["id"]: row["name"] for row in rows})


@router.post("/tasks/tags/add")
async def add_task_tags(emu: Emu, body: task_schemas.TaskTags) -> Response:
    """Put tags on tasks and answer on how many tasks something changed."""
    return answer({"updatedTaskCount": _change_tags(emu, body, lambda old: [*old, *body.tags])})


@router.post("/tasks/tags/remove")
async def remove_task_tags(emu: Emu, body: task_schemas.TaskTags) -> Response:
    """Take tags off tasks and answer on how many tasks something changed."""
    changed = _change_tags(emu, body, lambda old: [name for name in old if name not in body.tags])
    return answer({"updatedTaskCount": changed})


def _change_tags(emu: Emulation, body: task_schemas.TaskTags, change: Callable[[list[str]], list[str]]) -> int:
    project, count = emu.project(body.project), 0
    with emu.store.transaction():
        for ident in dict.fromkeys(body.task_ids):
            row = task_table.task_row(emu, ident)
            if row["project_id"] != project.id:
                raise not_found("task", ident)
            old = orjson.loads(row["tag_names"])
            new = list(dict.fromkeys(change(old)))
            if new != old:
                task_table.set_tags(emu, project.id, ident, new)
                count += 1
    return count


@router.put("/tasks/{task_id}")
async def update_task(emu: Emu, task_id: str, body: task_schemas.TaskUpdate) -> Response:
    """Change status, priority, tags or assignments of a task of any kind and answer its id."""
    return _update(emu, task_id, None, body)


@router.delete("/tasks/{task_id}", **NO_CONTENT)
async def delete_task(emu: Emu, task_id: str) -> None:
    """Remove a task."""
    task_table.delete_row(emu, task_id)


@router.delete("/tasks/{task_id}/task-annotations", **NO_CONTENT)
async def delete_task_annotations(emu: Emu, task_id: str) -> None:
    """Remove all annotations of a task; the task stays."""
    row = task_table.task_row(emu, task_id)
    task_table.update_row(emu, row, {"annotations": b"[]", "attributes": b"[]", "relations": b"[]"})


@router.post("/tasks/integrated-image")
async def create_integrated_image_task(emu: Emu, body: task_schemas.IntegratedCreate) -> Response:
    """Create an image task whose file stays in a connected bucket and answer its id."""
    return await _create_integrated(emu, KINDS["image"], body)


@router.post("/tasks/integrated-image/classification")
async def create_integrated_image_classification_task(
    emu: Emu, body: task_schemas.IntegratedClassifiedCreate
) -> Response:
    """Create a classification task whose image stays in a connected bucket and answer its id."""
    return await _create_integrated(emu, KINDS["image_classification"], body)


async def _create_integrated(
    emu: Emulation, kind: Kind, body: task_schemas.IntegratedCreate | task_schemas.IntegratedClassifiedCreate
) -> Response:
    project = task_table.project_for(emu, body.project, kind)
    if PurePosixPath(body.file_path).suffix.lower().lstrip(".") not in kind.extensions:
        raise invalid(f"filePath: {body.file_path} must end in one of {', '.join(kind.extensions)}")
    task = _fields(emu, NewTask(kind, body.file_path), project, body)
    return answer(task_table.insert_task(emu, project, task))


async def _create(emu: Emulation, kind: Kind, body: Any) -> Response:
    project = task_table.project_for(emu, body.project, kind)
    task_table.check_name(emu, project, body.name)
    task = NewTask(kind, body.name)
    if kind.file_count == 1:
        task.media = await store_file(emu, kind, body.file)
    elif kind.file_count > 1:
        task.contents = await _contents(emu, kind, body.contents)
    return answer(task_table.insert_task(emu, project, _fields(emu, task, project, body)))


async def _contents(emu: Emulation, kind: Kind, contents: Sequence[schemas.ContentIn]) -> list[dict[str, Any]]:
    """Store the files of a task in ascending order of their names."""
    if len(contents) > kind.file_count:
        raise invalid(f"contents: {len(contents)} files, at most {kind.file_count}")
    names = [content.name for content in contents]
    if len(set(names)) != len(names):
        raise invalid("contents: two files have the same name")
    stored = []
    for content in sorted(contents, key=lambda item: item.name):
        if PurePosixPath(content.name).suffix.lower().lstrip(".") not in kind.extensions:
            raise invalid(f"contents: {content.name} must end in one of {', '.join(kind.extensions)}")
        file = await store_file(emu, kind, content.file, f"contents {content.name}")
        stored.append({"name": content.name, **file})
    if sum(item["size"] * 4 // 3 for item in stored) > CONTENTS_CHARACTERS:
        raise invalid(f"contents: more than {CONTENTS_CHARACTERS} characters in total")
    return stored


def _fields(emu: Emulation, task: NewTask, project: Record, body: Any) -> NewTask:
    """Copy what a create body says onto a new task."""
    task.status, task.external_status, task.tags = body.status, body.external_status, body.tags
    task.priority = getattr(body, "priority", None)
    task.custom_status = getattr(body, "custom_task_status", None)
    task.operator = getattr(body, "operator", None)
    task.users = {role: slug for role, slug in task_table.users_of(emu, body).items() if slug}
    task.metadatas = [item.model_dump() for item in getattr(body, "metadatas", [])]
    sent = getattr(body, "annotations", None) or []
    task.annotations = task_table.rendered(emu, task.kind, project.id, sent, task.contents)
    task.attributes = task_table.rendered_attributes(emu, project.id, getattr(body, "attributes", []))
    return task


def _update(emu: Emulation, task_id: str, kind: Kind | None, body: Any) -> Response:
    row = task_table.task_row(emu, task_id, kind)
    changes: dict[str, Any] = {"tags": body.tags}
    for column, field in (
        ("status", "status"),
        ("external_status", "external_status"),
        ("priority", "priority"),
        ("custom_status", "custom_task_status"),
        ("operator", "operator"),
    ):
        value = getattr(body, field, None)
        if value is not None:
            changes[column] = value
    users = task_table.users_of(emu, body)
    if users:
        merged = orjson.loads(row["users"]) | users
        changes["users"] = orjson.dumps({role: slug for role, slug in merged.items() if slug})
    if getattr(body, "metadatas", None):
        changes["metadatas"] = orjson.dumps([item.model_dump() for item in body.metadatas])
    changes |= _labels(emu, row, body)
    task_table.update_row(emu, row, changes)
    return answer(task_id)


def _labels(emu: Emulation, row: Any, body: Any) -> dict[str, Any]:
    """Return the columns that sent annotations, relations or attributes replace."""
    kind, changes = KINDS[row["kind"]], {}
    sent = getattr(body, "annotations", None)
    if sent or (kind.name == "robotics" and sent is not None):
        contents = orjson.loads(row["contents"])
        shown = task_table.rendered(emu, kind, row["project_id"], sent, contents)
        changes["annotations"] = orjson.dumps(shown)
        changes["relations"] = b"[]"
    if getattr(body, "relations", None) is not None:
        shown = orjson.loads(changes.get("annotations", b"[]"))
        changes["relations"] = orjson.dumps(_relations(body.relations, shown))
    if getattr(body, "attributes", None):
        rendered = task_table.rendered_attributes(emu, row["project_id"], body.attributes)
        changes["attributes"] = orjson.dumps(rendered)
    return changes


def _relations(sent: Sequence[schemas.RelationIn], shown: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    for index, relation in enumerate(sent):
        if max(relation.start_index, relation.end_index) >= len(shown):
            raise invalid(f"relations.{index}: the call carries only {len(shown)} annotations")
    return [{"start": shown[item.start_index]["id"], "end": shown[item.end_index]["id"]} for item in sent]


def _add_routes(kind: Kind) -> None:
    """Register list, find, create and update of one kind."""
    path = f"/tasks/{kind.path}"
    create, update = _BODIES[kind.name]

    async def listed(emu: Emu, request: Request, query: Annotated[schemas.TaskQuery, Query()]) -> Response:
        """List tasks."""
        maximum = emu.settings.page_maxima.get(kind.name, kind.page)
        limit = page_limit(query.limit, kind.default_page, maximum)
        condition, values = task_table.where(emu, query)
        condition += " AND kind=?"
        page = task_table.list_tasks(emu, condition, [*values, kind.name], query.offset, limit, base_of(request))
        return Response(page, media_type="application/json")

    async def found(emu: Emu, request: Request, task_id: str) -> Response:
        """Return one task."""
        row = task_table.task_row(emu, task_id, kind)
        return answer(task_table.show(emu, row, task_table.user_names(emu), base_of(request)))

    async def created(emu: Emu, body: task_schemas.States) -> Response:
        """Create a task and answer its id."""
        return await _create(emu, kind, body)

    async def updated(emu: Emu, task_id: str, body: task_schemas.States) -> Response:
        """Change a task and answer its id."""
        return _update(emu, task_id, kind, body)

    router.add_api_route(path, listed, methods=["GET"], name=f"get_{kind.name}_tasks")
    router.add_api_route(f"{path}/{{task_id}}", found, methods=["GET"], name=f"find_{kind.name}_task")
    if create is not None:
        created.__annotations__["body"] = create
        router.add_api_route(path, created, methods=["POST"], name=f"create_{kind.name}_task")
    if update is not None:
        updated.__annotations__["body"] = update
        router.add_api_route(f"{path}/{{task_id}}", updated, methods=["PUT"], name=f"update_{kind.name}_task")


for _kind in sorted(KINDS.values(), key=lambda kind: "/" not in kind.path):
    _add_routes(_kind)
