"""Projects, their tags, metadata definitions and members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import invalid, not_found
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["projects"])

_OWNED = ("annotation", "tag", "history", "storage", "member", "upload", "auto_annotation", "metadata", "appendix")
_HIDDEN = {"workflow", "externalWorkflow"}


def page_limit(limit: int | None, default: int, maximum: int) -> int:
    """Return the page size of a list call.

    :param limit: what the caller asked for.
    :param default: size when nothing was asked for.
    :param maximum: largest size.
    :raises ApiError: 422 over the maximum.
    """
    if limit is None:
        return min(default, maximum)
    if limit > maximum:
        raise invalid(f"limit must be less than or equal to {maximum}")
    return limit


def shown(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return records as the API lists them."""
    return [record.out() for record in records]


def _project(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.out().items() if key not in _HIDDEN}


@router.get("/projects")
async def get_projects(emu: Emu, query: Annotated[schemas.ProjectQuery, Query()]) -> Response:
    """List projects, or the one with a slug."""
    limit = page_limit(query.limit, 100, 1000)
    if query.slug is not None:
        record = emu.store.by_name("project", query.slug)
        return answer([_project(record)] if record and not query.offset and limit else [])
    return answer([_project(record) for record in emu.store.list("project", offset=query.offset, limit=limit)])


@router.get("/projects/map/id-slug")
async def get_project_id_slug_map(emu: Emu, query: Annotated[schemas.Page, Query()]) -> Response:
    """Map project ids to slugs."""
    limit = page_limit(query.limit, 1000, 1000)
    records = emu.store.list("project", offset=query.offset, limit=limit)
    return answer({record.id: record.name for record in records})


@router.post("/projects")
async def create_project(emu: Emu, body: schemas.ProjectCreate) -> Response:
    """Create a project and answer its id."""
    record = emu.store.insert("project", {**body.model_dump(by_alias=True), "status": "active"}, name=body.slug)
    return answer(record.id)


@router.post("/projects/copy")
async def copy_project(emu: Emu, body: schemas.ProjectCopy) -> Response:
    """Copy a project with its classes, without its tasks, and answer the new id."""
    source = emu.store.get("project", body.id)
    slug = body.slug or _free_slug(emu, f"{source.name}-copy")
    fields = {**source.body, "slug": slug, "name": body.name or f"{source.body['name']} copy"}
    with emu.store.transaction():
        copy = emu.store.insert("project", fields, name=slug)
        for item in emu.store.list("annotation", scope=source.id):
            emu.store.insert("annotation", item.body, scope=copy.id, name=item.name)
    return answer(copy.id)


def _free_slug(emu: Emulation, base: str) -> str:
    slug, number = base, 1
    while emu.store.by_name("project", slug) is not None:
        number += 1
        slug = f"{base}-{number}"
    return slug


@router.get("/projects/{project_id}")
async def find_project(emu: Emu, project_id: str) -> Response:
    """Return one project."""
    return answer(_project(emu.store.get("project", project_id)))


@router.put("/projects/{project_id}")
async def update_project(emu: Emu, project_id: str, body: schemas.ProjectUpdate) -> Response:
    """Change a project and answer its id."""
    record = emu.store.get("project", project_id)
    record.body |= body.model_dump(by_alias=True, exclude_none=True)
    record.name = record.body["slug"]
    emu.store.save("project", record)
    return answer(record.id)


@router.delete("/projects/{project_id}", **NO_CONTENT)
async def delete_project(emu: Emu, project_id: str) -> None:
    """Remove a project with everything in it."""
    store = emu.store
    with store.transaction():
        store.delete("project", project_id)
        store.run("DELETE FROM task_tags WHERE task_id IN (SELECT id FROM tasks WHERE project_id=?)", project_id)
        store.run("DELETE FROM tasks WHERE project_id=?", project_id)
        for collection in _OWNED:
            store.delete_scope(collection, project_id)


class ProjectMetadata(Wire):
    """External codes of a project."""

    external_code_1: str | None = None
    external_code_2: str | None = None
    external_code_3: str | None = None


@router.put("/projects/{project_id}/metadata")
async def update_project_metadata(emu: Emu, project_id: str, body: ProjectMetadata) -> Response:
    """Set the external codes of a project and answer the id of the setting."""
    emu.store.get("project", project_id)
    fields = body.model_dump(by_alias=True)
    record = emu.store.by_name("project_metadata", "codes", project_id)
    if record is None:
        return answer(emu.store.insert("project_metadata", fields, scope=project_id, name="codes").id)
    record.body = fields
    emu.store.save("project_metadata", record)
    return answer(record.id)


class ProjectUser(Wire):
    """Role of a person in a project."""

    project: Name
    email: Name
    role: Literal[
        "annotator", "reviewer", "owner", "external_annotator", "external_reviewer", "external_approver",
        "external_sub_owner", "external_owner", "none",
    ]  # fmt: skip


@router.put("/projects-users")
async def update_project_user_permission(emu: Emu, body: ProjectUser) -> Response:
    """Give a workspace user a role in a project, or take it away."""
    project = emu.project(body.project)
    if emu.store.by_name("user", body.email) is None:
        raise not_found("user", body.email)
    record = emu.store.by_name("member", body.email, project.id)
    if record is not None:
        emu.store.delete("member", record.id)
    if body.role != "none":
        emu.store.insert("member", {"role": body.role}, scope=project.id, name=body.email)
    return answer(True)


@router.get("/tags")
async def get_tags(emu: Emu, query: Annotated[schemas.TagQuery, Query()]) -> Response:
    """List the tags of a project, or those whose name contains a keyword."""
    project = emu.project(query.project)
    limit = page_limit(query.limit, 100, 1000)
    if not query.keyword:
        return answer(shown(emu.store.list("tag", scope=project.id, offset=query.offset, limit=limit)))
    word = query.keyword.lower()
    found = [tag for tag in emu.store.list("tag", scope=project.id) if word in tag.body["name"].lower()]
    return answer(shown(found[query.offset : query.offset + limit]))


@router.post("/tags/delete/multi", **NO_CONTENT)
async def delete_tags(emu: Emu, body: schemas.TagDelete) -> None:
    """Remove tags, also from the tasks that carry them; all or none."""
    with emu.store.transaction():
        for ident in dict.fromkeys(body.tag_ids):
            emu.store.delete("tag", ident)
            emu.store.run("DELETE FROM task_tags WHERE tag_id=?", ident)


class MetadataQuery(schemas.Page):
    """A page of metadata definitions, of one project or of the workspace."""

    project: Name | None = None


@router.get("/metadatas")
async def get_metadatas(emu: Emu, query: Annotated[MetadataQuery, Query()]) -> Response:
    """List metadata definitions."""
    scope = emu.project(query.project).id if query.project is not None else ""
    limit = page_limit(query.limit, 100, 1000)
    return answer(shown(emu.store.list("metadata", scope=scope, offset=query.offset, limit=limit)))
