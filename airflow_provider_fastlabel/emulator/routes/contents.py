"""Contents imported as zips: appendix pictures of point clouds, and robotics episodes."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.routes.storage import readable_zip, uploaded
from airflow_provider_fastlabel.emulator.world import schemas, task_table
from airflow_provider_fastlabel.emulator.world.errors import invalid, not_found
from airflow_provider_fastlabel.emulator.world.files import Blob
from airflow_provider_fastlabel.emulator.world.kinds import KINDS
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.state import Emu, Emulation, OrjsonRoute, answer, base_of
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["contents"])

_PIECE = 1024 * 1024
_SWELLING = 20
_SMALL = 16 * 1024 * 1024
"""Bytes that any zip may unpack to; a larger one up to so many times its size."""
_PAGE = 10_000


class ZipIn(Wire):
    """An uploaded zip."""

    project: Name
    file_key: Name


class AppendixQuery(schemas.ProjectPage):
    """A page of appendix data of named tasks."""

    task_name: str | None = None


def _unpack(emu: Emulation, blob: Blob) -> list[tuple[str, Blob]]:
    """Store the files of a zip and return them by name, in order of their names."""
    found, room = [], _SWELLING * blob.size + _SMALL
    with readable_zip(emu.files.path(blob.sha256)) as archive:
        for name in sorted(set(archive.namelist())):
            if name.endswith("/"):
                continue
            writer = emu.files.writer()
            with archive.open(name) as member:
                while piece := member.read(_PIECE):
                    room -= len(piece)
                    if room < 0:
                        raise invalid(f"the zip unpacks to more than {_SWELLING} times its size")
                    writer.write(piece)
            found.append((name, writer.commit()))
    return found


@router.post("/contents/imports/robotics-contents/batch")
async def import_robotics_contents_file(emu: Emu, body: ZipIn) -> Response:
    """Give the files of a zip to the robotics task it is named after."""
    project = task_table.project_for(emu, body.project, KINDS["robotics"])
    name, blob = uploaded(emu, project, body.file_key)
    stem = PurePosixPath(name).stem
    row = emu.store.row("SELECT * FROM tasks WHERE project_id=? AND name=?", project.id, stem)
    if row is None:
        raise not_found("robotics task", stem)
    files = await asyncio.to_thread(_unpack, emu, blob)
    contents = [{"name": PurePosixPath(name).name, "sha256": item.sha256, "size": item.size} for name, item in files]
    task_table.update_row(emu, row, {"contents": orjson.dumps(contents)})
    return answer([{"id": row["id"], "name": stem, "contents": [item["name"] for item in contents]}])


@router.post("/contents/imports/appendix/batch")
async def import_appendix_file(emu: Emu, body: ZipIn) -> Response:
    """Store the pictures of a zip: ``task name/content name.pcd/NNN.png`` with ``NNN.yaml`` beside it."""
    project = emu.project(body.project)
    _, blob = uploaded(emu, project, body.file_key)
    files = dict(await asyncio.to_thread(_unpack, emu, blob))
    made = []
    with emu.store.transaction():
        for name, item in files.items():
            path = PurePosixPath(name)
            if path.suffix.lower() != ".png" or len(path.parts) < 3:
                continue
            calibration = str(path.with_suffix(".yaml"))
            text = _text(emu, files[calibration]) if calibration in files else None
            fields = {
                "task": path.parts[-3],
                "name": "/".join(path.parts[-3:]),
                "sha256": item.sha256,
                "format": "yml" if text is not None else None,
                "imageFileName": path.name,
                "calibrationFileName": PurePosixPath(calibration).name if text is not None else None,
                "calibration": text,
            }
            made.append(emu.store.insert("appendix", fields, scope=project.id))
    return answer([{"id": record.id, "name": record.body["name"]} for record in made])


def _text(emu: Emulation, blob: Blob) -> str:
    return emu.files.path(blob.sha256).read_bytes().decode("utf-8", "replace")


def _selected(emu: Emulation, query: AppendixQuery | schemas.TaskQuery, names: set[str] | None) -> list[Record]:
    project = emu.project(query.project)
    limit = page_limit(query.limit, _PAGE, _PAGE)
    records = [
        record
        for record in emu.store.list("appendix", scope=project.id)
        if names is None or record.body["task"] in names
    ]
    return records[query.offset : query.offset + limit]


def _entry(emu: Emulation, record: Record, base: str, keys: tuple[str, ...]) -> dict[str, Any]:
    url = task_table.address(emu, record.body["sha256"], record.body["imageFileName"], base)
    return {"id": record.id, "url": url, **{key: record.body[key] for key in keys}}


@router.get("/contents/export/appendix")
async def get_appendix_data(emu: Emu, request: Request, query: Annotated[schemas.TaskQuery, Query()]) -> Response:
    """List the appendix pictures of the tasks that pass a filter."""
    condition, values = task_table.where(emu, query)
    names = {row["name"] for row in emu.store.rows(f"SELECT name FROM tasks WHERE {condition}", *values)}
    keys = ("format", "imageFileName", "calibrationFileName", "calibration")
    base = base_of(request)
    return answer([_entry(emu, record, base, keys) for record in _selected(emu, query, names)])


@router.get("/tasks/appendix")
async def get_task_appendix_data(emu: Emu, request: Request, query: Annotated[AppendixQuery, Query()]) -> Response:
    """List the appendix pictures of a project, or of one task."""
    base = base_of(request)
    names = {query.task_name} if query.task_name else None
    keys = ("name", "format", "calibration")
    return answer([_entry(emu, record, base, keys) for record in _selected(emu, query, names)])
