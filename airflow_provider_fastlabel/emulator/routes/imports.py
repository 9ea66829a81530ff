"""Import routes: S3 buckets, DICOM zips, and their histories."""

from __future__ import annotations

import asyncio
import logging
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.routes.storage import readable_zip, uploaded
from airflow_provider_fastlabel.emulator.world import histories, s3, schemas, task_schemas, task_table
from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid, not_found
from airflow_provider_fastlabel.emulator.world.files import Blob
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE, KINDS
from airflow_provider_fastlabel.emulator.world.media import check_size
from airflow_provider_fastlabel.emulator.world.state import Emu, Emulation, OrjsonRoute, answer
from airflow_provider_fastlabel.emulator.world.store import Record
from airflow_provider_fastlabel.emulator.world.task_table import NewTask

log: logging.Logger = logging.getLogger(__name__)

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["imports"])

_FROM_S3 = ("image_", "video_", "audio_", "text_")
_background: set[asyncio.Task[None]] = set()


@router.put("/storages/aws-s3/{project}")
async def update_aws_s3_storage(emu: Emu, project: str, body: schemas.StoragePut) -> Response:
    """Link a bucket to a project."""
    owner = emu.project(project)
    fields = body.model_dump(by_alias=True)
    record = emu.store.by_name("storage", "aws-s3", owner.id)
    if record is None:
        emu.store.insert("storage", fields, scope=owner.id, name="aws-s3")
    else:
        record.body = fields
        emu.store.save("storage", record)
    return answer("success")


@router.post("/tasks/aws-s3")
async def create_task_from_aws_s3(emu: Emu, body: schemas.S3Import) -> Response:
    """Begin to import every file of a project's bucket."""
    project = emu.project(body.project)
    if not project.body["type"].startswith(_FROM_S3):
        raise invalid(f"project {body.project} is of type {project.body['type']}; S3 import takes image, video, "
                      "audio and text projects")  # fmt: skip
    storage = emu.store.by_name("storage", "aws-s3", project.id)
    if storage is None:
        raise invalid(f"project {body.project} has no AWS S3 storage; set bucketName and bucketRegion first")
    work = {"storage": storage.body, **body.model_dump(include={"status", "tags", "priority"})}
    record = histories.start(emu, project, "aws-s3", work, kind="s3")
    run_in_background(emu, record)
    return answer(histories.show(record))


@router.get("/tasks/import/status/aws-s3/{project}")
async def get_aws_s3_import_status(emu: Emu, project: str) -> Response:
    """Return the latest S3 import of a project."""
    owner = emu.project(project)
    for record in emu.store.list("history", scope=owner.id, newest=True):
        if record.body["storageType"] == "aws-s3":
            return answer(histories.show(histories.read(emu, record)))
    raise not_found("S3 import of project", project)


@router.get("/tasks/import/histories")
async def get_histories(emu: Emu, query: Annotated[schemas.ProjectPage, Query()]) -> Response:
    """List the imports of a project, in the order they were begun."""
    project = emu.project(query.project)
    limit = page_limit(query.limit, 100, 1000)
    records = emu.store.list("history", scope=project.id, offset=query.offset, limit=limit)
    return answer([histories.show(histories.read(emu, record)) for record in records])


@router.get("/tasks/import/histories/{history_id}")
async def find_history(emu: Emu, history_id: str) -> Response:
    """Return one import."""
    return answer(histories.show(histories.read(emu, emu.store.get("history", history_id))))


@router.post("/tasks/dicom")
async def create_dicom_task(emu: Emu, body: task_schemas.DicomCreate) -> Response:
    """Begin to import an uploaded zip; its task is named after the zip."""
    project = task_table.project_for(emu, body.project, KINDS["dicom"])
    name, blob = uploaded(emu, project, body.file_key)
    check_size(KINDS["dicom"], blob.size, "file")
    work = {
        "name": name,
        "sha256": blob.sha256,
        "size": blob.size,
        "users": task_table.users_of(emu, body),
        **body.model_dump(include={"status", "external_status", "tags", "metadatas"}),
    }
    record = histories.start(emu, project, "zip", work, kind="local")
    run_in_background(emu, record)
    return answer(histories.show(record))


def run_in_background(emu: Emulation, record: Record) -> None:
    """Do the work of an import beside the calls that are served.

    :param emu: the emulator.
    :param record: its history.
    """
    task = asyncio.get_running_loop().create_task(_work(emu, record))
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _work(emu: Emulation, record: Record) -> None:
    work: dict[str, Any] = record.body["work"]
    try:
        if record.body["storageType"] == "aws-s3":
            found = await _s3_tasks(emu, record, work)
        else:
            found = await asyncio.to_thread(_dicom_tasks, emu, work)
    except ApiError as error:
        histories.stage(emu, record.id, error)
    except Exception:
        log.exception("Import %s failed", record.id)
        histories.stage(emu, record.id, ApiError(500, "import_failed"))
    else:
        histories.stage(emu, record.id, found)


async def _s3_tasks(emu: Emulation, record: Record, work: dict[str, Any]) -> list[NewTask]:
    kind = KIND_OF_PROJECT_TYPE[emu.store.get("project", record.scope).body["type"]]
    rows = emu.store.rows("SELECT name FROM tasks WHERE project_id=?", record.scope)
    names = frozenset(row["name"] for row in rows)
    endpoint = emu.settings.s3_endpoint
    files = await asyncio.to_thread(s3.fetch, work["storage"], endpoint, kind, emu.files, names)
    common = {key: work[key] for key in ("status", "tags", "priority")}
    return [NewTask(kind, name, media=media, **common) for name, media in files]


def _dicom_tasks(emu: Emulation, work: dict[str, Any]) -> list[NewTask]:
    """Return the one task of a zip; its picture is the first image of the series."""
    blob = Blob(work["sha256"], work["size"])
    with readable_zip(emu.files.path(blob.sha256)) as archive:
        members = sorted(name for name in archive.namelist() if not name.endswith("/"))
        if not members:
            raise invalid("the zip holds no file")
        with archive.open(members[0]) as member:
            size = dicom_size(member.read(_HEADER))
    media = {"sha256": blob.sha256, "size": blob.size, **size}
    return [
        NewTask(
            KINDS["dicom"],
            PurePosixPath(work["name"]).stem,
            status=work["status"],
            external_status=work["external_status"],
            tags=work["tags"],
            users=work["users"],
            metadatas=work["metadatas"],
            media=media,
        )
    ]


_HEADER = 1024 * 1024
_ROWS, _COLUMNS = b"\x28\x00\x10\x00", b"\x28\x00\x11\x00"


def dicom_size(data: bytes) -> dict[str, int]:
    """Return ``width`` and ``height`` of a DICOM image from its Rows and Columns elements, 0 when there are none.

    Reads the two little-endian encodings of DICOM PS3.5: tags (0028,0010) and (0028,0011), an optional ``US``
    with a two-byte length or a four-byte length, then an unsigned 16-bit number.

    :param data: start of the file.
    """
    return {"width": _unsigned(data, _COLUMNS), "height": _unsigned(data, _ROWS)}


def _unsigned(data: bytes, tag: bytes) -> int:
    for head in (tag + b"US\x02\x00", tag + b"\x02\x00\x00\x00"):
        at = data.find(head)
        if at >= 0:
            return int.from_bytes(data[at + len(head) : at + len(head) + 2], "little")
    return 0


def resume(emu: Emulation) -> None:
    """Take up the imports that were running when the emulator was stopped."""
    histories.resume(emu, lambda record: run_in_background(emu, record))
