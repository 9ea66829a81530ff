"""Signed addresses: downloads of stored files and uploads of zips, without the access token."""

from __future__ import annotations

import hashlib
import mimetypes
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid, not_found
from airflow_provider_fastlabel.emulator.world.files import Blob
from airflow_provider_fastlabel.emulator.world.kinds import LARGEST_UPLOAD, MB
from airflow_provider_fastlabel.emulator.world.state import Emu, Emulation, OrjsonRoute, answer, base_of
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(tags=["signed addresses"])
api: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["imports"])

_FORM_FIELDS = 20
_PIECE = 1024 * 1024
_HARMLESS = MappingProxyType({"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"})
"""A stored page or drawing that a browser opens must not act in the emulator's name."""
Signature = Annotated[str, Query(max_length=200)]
Expires = Annotated[str, Query(max_length=20)]
Authorization = Annotated[str | None, Header(include_in_schema=False)]


def _without_token(authorization: str | None) -> None:
    if authorization is not None:
        raise ApiError(400, "a signed address must be called without an Authorization header")


@api.get("/files")
async def get_upload_address(emu: Emu, request: Request, query: Annotated[schemas.FileQuery, Query()]) -> Response:
    """Return a signed address to upload a zip to, and the key to name it by later."""
    project = emu.project(query.project)
    file_name = query.file_name.rsplit("/", 1)[-1]
    record = emu.store.insert("upload", {"fileName": file_name}, scope=project.id)
    path = f"/storage/uploads/{record.id}"
    signed = emu.files.sign("PUT", path, emu.settings.signed_url_seconds)
    return answer({"url": base_of(request) + signed, "name": f"{record.id}/{file_name}"})


def uploaded(emu: Emulation, project: Record, file_key: str) -> tuple[str, Blob]:
    """Return name and content of an uploaded file.

    :param emu: the emulator.
    :param project: the project it was uploaded for.
    :param file_key: the ``name`` that came with the upload address.
    :raises ApiError: 404 for an unknown key, 422 when nothing was uploaded.
    """
    record = emu.store.find("upload", file_key.partition("/")[0])
    if record is None or record.scope != project.id:
        raise not_found("uploaded file", file_key)
    if "sha256" not in record.body:
        raise invalid(f"fileKey: nothing was uploaded for {file_key}")
    return record.body["fileName"], Blob(record.body["sha256"], record.body["size"])


@contextmanager
def readable_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an uploaded zip, whose members are stored or deflated.

    :param path: where it lies.
    :raises ApiError: 422 when it cannot be read, also while the block reads from it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                # A dictionary of LZMA may ask for gigabytes before the first byte.
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile("an unusual compression")
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise invalid("the file is not a readable zip") from error


@router.put("/storage/uploads/{upload_id}")
async def upload(
    emu: Emu,
    request: Request,
    upload_id: str,
    expires: Expires,
    signature: Signature,
    authorization: Authorization = None,
) -> Response:
    """Take an upload: a multipart form with one part ``file``, or the raw bytes."""
    _without_token(authorization)
    emu.files.check("PUT", request.scope["path"], expires, signature)
    record = emu.store.get("upload", upload_id)
    blob = await _receive(emu, request)
    record.body |= {"sha256": blob.sha256, "size": blob.size}
    emu.store.save("upload", record)
    return Response()


async def _receive(emu: Emulation, request: Request) -> Blob:
    writer = emu.files.writer(LARGEST_UPLOAD)
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=_FORM_FIELDS) as form:
                part: Any = form.get("file")
                if not isinstance(part, UploadFile):
                    raise invalid("the form has no file part named 'file'")
                while piece := await part.read(_PIECE):
                    writer.write(piece)
        else:
            async for piece in request.stream():
                writer.write(piece)
    except ClientDisconnect:
        raise invalid("the upload broke off") from None
    blob = writer.commit()
    if writer.over:
        raise ApiError(413, f"the file is too large: {blob.size} bytes, at most {LARGEST_UPLOAD // MB} MB")
    return blob


@router.get("/storage/files/{sha256}/{name:path}")
async def download(
    emu: Emu,
    request: Request,
    sha256: str,
    name: str,
    expires: Expires,
    signature: Signature,
    authorization: Authorization = None,
) -> Response:
    """Send a stored file, or the range of it that was asked for; 304 if the caller names its MD5, as S3 does."""
    _without_token(authorization)
    emu.files.check("GET", request.scope["path"], expires, signature)
    path = emu.files.path(sha256)
    if not path.is_file():
        raise not_found("file", name)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    etag = f'"{await run_in_threadpool(_md5_of, path)}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return FileResponse(path, media_type=media_type, headers={"ETag": etag, **_HARMLESS})


@lru_cache(maxsize=4096)
def _md5_of(path: Path) -> str:
    """Return the MD5 of a stored file, hexadecimal. A stored file never changes: it is named by its content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
