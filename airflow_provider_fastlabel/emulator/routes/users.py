"""Workspace users and their permissions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import not_found
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["users"])

_MODULES = {"annotation": "annotation", "model-dev": "modelDev", "dataset": "dataset"}


class UserQuery(schemas.Page):
    """A page of users."""

    keyword: str | None = None


class UserIn(Wire):
    """A new user."""

    name: Name
    email: Name
    language: Literal["en", "ja"]
    role: Literal["member", "owner"]


class UserUpdate(Wire):
    """Role of a user; none removes."""

    email: Name
    role: Literal["member", "owner", "none"]


class PermissionIn(Wire):
    """Whom to give a module."""

    email: Name


class PermissionDelete(Wire):
    """Whom to take a module from."""

    email: Name
    resource: Literal["annotation", "modelDev", "dataset"]


def _show(record: Record) -> dict[str, Any]:
    body = record.body
    return {
        "id": record.id,
        "userId": record.id,
        "userSlug": body["slug"],
        "userName": body["name"],
        "userEmail": body["email"],
        "role": body["role"],
        "isExternal": False,
        "functionResourcePermissions": {module: module in body["modules"] for module in _MODULES.values()},
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
    }


def _user(emu: Emulation, email: str) -> Record:
    record = emu.store.by_name("user", email)
    if record is None:
        raise not_found("user", email)
    return record


@router.get("/workspaces-users")
async def get_workspace_users(emu: Emu, query: Annotated[UserQuery, Query()]) -> Response:
    """List users, or those whose name or address contains a keyword."""
    limit = page_limit(query.limit, 20, 1000)
    word = (query.keyword or "").lower()
    found = [
        record
        for record in emu.store.list("user")
        if word in record.body["name"].lower() or word in record.body["email"].lower()
    ]
    return answer([_show(record) for record in found[query.offset : query.offset + limit]])


@router.post("/workspaces-users/internal-users")
async def create_workspace_user(emu: Emu, body: UserIn) -> Response:
    """Add a user and return it; the slug is made from the address."""
    base = re.sub(r"[^a-z0-9]+", "-", body.email.partition("@")[0].lower()).strip("-") or "user"
    taken = {record.body["slug"] for record in emu.store.list("user")}
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    fields = {"slug": slug, "name": body.name, "email": body.email, "role": body.role, "modules": []}
    return answer(_show(emu.store.insert("user", fields, name=body.email)))


@router.put("/workspaces-users/internal-users")
async def update_workspace_user(emu: Emu, body: UserUpdate) -> Response:
    """Change the role of a user, or remove the user, and return it."""
    record = _user(emu, body.email)
    record.body["role"] = body.role
    if body.role == "none":
        emu.store.delete("user", record.id)
    else:
        emu.store.save("user", record)
    return answer(_show(record))


@router.post("/function-resource-permissions/{module}/internal-users")
async def create_permission(
    emu: Emu, module: Literal["annotation", "model-dev", "dataset"], body: PermissionIn
) -> Response:
    """Give a user a module and answer the module."""
    record = _user(emu, body.email)
    name = _MODULES[module]
    record.body["modules"] = sorted({*record.body["modules"], name})
    emu.store.save("user", record)
    return answer(name)


@router.delete("/function-resource-permissions", **NO_CONTENT)
async def delete_permission(emu: Emu, body: PermissionDelete) -> None:
    """Take a module from a user."""
    record = _user(emu, body.email)
    record.body["modules"] = [name for name in record.body["modules"] if name != body.resource]
    emu.store.save("user", record)
