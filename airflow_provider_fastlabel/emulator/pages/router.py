"""The addresses of the pages: those that the provider's links have with the emulator as ``app_url``."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute

from airflow_provider_fastlabel.emulator.pages import happenings, listing
from airflow_provider_fastlabel.emulator.pages.layout import HOME, SAFE, page
from airflow_provider_fastlabel.emulator.pages.markup import tag
from airflow_provider_fastlabel.emulator.pages.media import OTHER, type_of
from airflow_provider_fastlabel.emulator.pages.task import task
from airflow_provider_fastlabel.emulator.world import annotators, histories, task_table
from airflow_provider_fastlabel.emulator.world.errors import ApiError, not_found
from airflow_provider_fastlabel.emulator.world.state import Emu

_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FILE = {**SAFE, "Content-Security-Policy": "sandbox; default-src 'none'"}
_MOST = 2**62


class _PageRoute(APIRoute):
    """A route that does what is due before it looks, and whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            emu = request.app.state.emulation
            try:
                annotators.advance(emu)
                histories.advance(emu)
                response: Response = await handler(request)
            except ApiError as error:
                title = HTTPStatus(error.status).phrase
                return page(title, tag("p", error.message), above=[HOME], status=error.status)
            return response

        return handle


router: APIRouter = APIRouter(route_class=_PageRoute, include_in_schema=False)


def _listed(request: Request, name: str) -> tuple[str, ...]:
    """Return the values of a parameter, which have commas between them; commas in a value are quoted."""
    found = []
    for part in request.url.query.split("&"):
        key, _, values = part.partition("=")
        if unquote_plus(key) == name:
            found += [unquote_plus(value) for value in values.split(",") if value]
    return tuple(dict.fromkeys(found))[:10]


def _number(request: Request, name: str, least: int = 0) -> int:
    """Return a parameter that is a number; what is none is the least."""
    text = request.query_params.get(name, "")
    return min(max(int(text), least), _MOST) if text.isascii() and text.isdigit() and len(text) < 20 else least


@router.get("/")
@router.get("/projects")
@router.get("/projects/")
async def projects(emu: Emu, request: Request) -> Response:
    """Show the projects, or the import or job that a link names without its project."""
    return _happening(emu, request) or listing.projects(emu, min(_number(request, "page", 1), 10**6))


def _happening(emu: Emu, request: Request) -> Response | None:
    if history := request.query_params.get("importHistory"):
        return happenings.one_import(emu, history)
    if job := request.query_params.get("modelJob"):
        return happenings.one_job(emu, job)
    return None


@router.get("/projects/{project_id}")
async def project(emu: Emu, request: Request, project_id: str) -> Response:
    """Show the tasks of a project by status and tags, or the import or job that a link names."""
    found = listing.project_of(emu, project_id)
    edges = {"after": _number(request, "after"), "before": _number(request, "before")}
    choice = listing.Choice(_listed(request, "status"), _listed(request, "tags"), **edges)
    return _happening(emu, request) or listing.tasks(emu, found, choice)


@router.get("/projects/{project_id}/imports")
async def project_imports(emu: Emu, project_id: str) -> Response:
    """Show the imports into a project."""
    return happenings.imports(emu, listing.project_of(emu, project_id))


@router.get("/tasks/{task_id}")
async def one_task(emu: Emu, request: Request, task_id: str) -> Response:
    """Show a task."""
    return await task(emu, task_id, _number(request, "frame", 1))


@router.get("/imports")
async def imports(emu: Emu) -> Response:
    """Show the imports."""
    return happenings.imports(emu)


@router.get("/imports/{history_id}")
async def one_import(emu: Emu, history_id: str) -> Response:
    """Show an import."""
    return happenings.one_import(emu, history_id)


@router.get("/jobs")
async def all_jobs(emu: Emu) -> Response:
    """Show the jobs of models."""
    return happenings.all_jobs(emu)


@router.get("/jobs/{job_id}")
async def one_job(emu: Emu, job_id: str) -> Response:
    """Show a job of a model."""
    return happenings.one_job(emu, job_id)


@router.get("/files/{task_id}/{number}")
async def file(emu: Emu, task_id: str, number: str) -> Response:
    """Send a file of a task. Pages do not use signed addresses: those are logged, and faults hit them."""
    row = task_table.task_row(emu, task_id)
    files = orjson.loads(row["contents"]) or [{"name": row["name"], **orjson.loads(row["media"])}]
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else -1
    if not 0 <= at < len(files) or "sha256" not in files[at]:
        raise not_found("file", f"{task_id}/{number}")
    path = emu.files.path(files[at]["sha256"])
    if not path.is_file():
        raise not_found("file", f"{task_id}/{number}")
    kind = await run_in_threadpool(type_of, path)
    return FileResponse(path, media_type=kind, headers=_FILE, filename="file" if kind == OTHER else None)


@router.get("/pages/{name}")
async def asset(name: str) -> Response:
    """Send a file that the pages are made of."""
    if name not in _ASSETS:
        raise not_found("page", name)
    return FileResponse(Path(__file__).with_name(name), media_type=_ASSETS[name], headers=dict(SAFE))
