"""Datasets and their objects."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from airflow_provider_fastlabel.emulator.routes.projects import page_limit, shown
from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KINDS, MB
from airflow_provider_fastlabel.emulator.world.media import describe
from airflow_provider_fastlabel.emulator.world.schemas import Name, Text, Wire
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer, base_of
from airflow_provider_fastlabel.emulator.world.store import Record
from airflow_provider_fastlabel.emulator.world.task_table import address

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["datasets"])

_OBJECT_BYTES = 250 * MB
_OBJECTS = "/dataset-revision-objects/datasets/{dataset_id}/objects/{object_name:path}"
DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=255)]
FewTags = Annotated[list[Name], Field(max_length=5)]
Licenses = Annotated[list[Name], Field(max_length=10)]
Visibility = Literal["workspace", "public", "organization"]
ObjectType = Literal["none", "train", "valid", "test"]


class DatasetQuery(Wire):
    """Which datasets to list."""

    keyword: str | None = None
    tags: list[Name] = Field(default_factory=list)
    license: str | None = None
    visibility: Visibility | None = None


class DatasetIn(Wire):
    """A new dataset."""

    name: DatasetName
    tags: FewTags = Field(default_factory=list)
    visibility: Visibility | None = None


class DatasetUpdate(Wire):
    """Changes of a dataset."""

    name: DatasetName | None = None
    tags: FewTags | None = None


@router.get("/datasets-v2")
async def get_datasets(emu: Emu, query: Annotated[DatasetQuery, Query()]) -> Response:
    """List datasets; at most 1000."""
    wanted = set(query.tags)
    found = [
        record
        for record in emu.store.list("dataset")
        if (not query.keyword or query.keyword.lower() in record.body["name"])
        and wanted <= set(record.body["tags"])
        and (not query.license or record.body["license"] == query.license)
        and (not query.visibility or record.body["visibility"] == query.visibility)
    ]
    return answer(shown(found[:1000]))


@router.post("/datasets-v2")
async def create_dataset(emu: Emu, body: DatasetIn) -> Response:
    """Create a dataset and return it."""
    fields = {"name": body.name, "tags": body.tags, "visibility": body.visibility or "workspace", "license": ""}
    return answer(emu.store.insert("dataset", fields, name=body.name).out())


@router.get("/datasets-v2/{dataset_id}")
async def find_dataset(emu: Emu, dataset_id: str) -> Response:
    """Return one dataset."""
    return answer(emu.store.get("dataset", dataset_id).out())


@router.put("/datasets-v2/{dataset_id}")
async def update_dataset(emu: Emu, dataset_id: str, body: DatasetUpdate) -> Response:
    """Change a dataset and return it."""
    record = emu.store.get("dataset", dataset_id)
    record.body |= body.model_dump(exclude_none=True)
    record.name = record.body["name"]
    emu.store.save("dataset", record)
    return answer(record.out())


@router.delete("/datasets-v2/{dataset_id}", **NO_CONTENT)
async def delete_dataset(emu: Emu, dataset_id: str) -> None:
    """Remove a dataset with its objects."""
    with emu.store.transaction():
        emu.store.delete("dataset", dataset_id)
        emu.store.delete_scope("dataset_object", dataset_id)


class ObjectQuery(Wire):
    """Which version of an object."""

    version: Text | None = None
    revision_id: Text | None = None


class ObjectsQuery(ObjectQuery):
    """Which objects to list."""

    dataset_name: Name
    tags: list[Name] = Field(default_factory=list)
    licenses: list[Name] = Field(default_factory=list)
    types: list[ObjectType] = Field(default_factory=list)
    offset: int = Field(0, ge=0, le=10**9)
    limit: int | None = Field(None, ge=0, le=10**9)


class ObjectUpdate(Wire):
    """Changes of an object."""

    dataset_id: Name
    object_name: Name
    tags: FewTags | None = None
    licenses: Licenses | None = None
    annotations: list[schemas.AnnotationIn] | None = None
    custom_metadata: dict[str, str] | None = None


class ObjectIn(Wire):
    """A new object; ``filePath`` carries the file."""

    dataset_name: Name
    object_name: Name
    file_path: str
    tags: FewTags = Field(default_factory=list)
    licenses: Licenses = Field(default_factory=list)
    annotations: list[schemas.AnnotationIn] = Field(default_factory=list)
    custom_metadata: dict[str, str] = Field(default_factory=dict)


def _check_version(query: ObjectQuery) -> None:
    """Only the latest version exists here."""
    if query.version and query.revision_id:
        raise ApiError(400, "use only one of version and revisionId")
    if query.revision_id or (query.version or "latest") != "latest":
        raise not_found("dataset version", query.revision_id or query.version or "")


def _dataset(emu: Emulation, name: str) -> Record:
    record = emu.store.by_name("dataset", name)
    if record is None:
        raise not_found("dataset", name)
    return record


def _object(emu: Emulation, dataset_id: str, name: str) -> Record:
    emu.store.get("dataset", dataset_id)
    record = emu.store.by_name("dataset_object", name, dataset_id)
    if record is None:
        raise not_found("dataset object", name)
    return record


def _selected(emu: Emulation, query: ObjectsQuery) -> list[Record]:
    _check_version(query)
    limit = page_limit(query.limit, 1000, 1000)
    found = [
        record
        for record in emu.store.list("dataset_object", scope=_dataset(emu, query.dataset_name).id)
        if set(query.tags) <= set(record.body["tags"])
        and set(query.licenses) <= set(record.body["licenses"])
        and (not query.types or record.body["type"] in query.types)
    ]
    return found[query.offset : query.offset + limit]


def _show(record: Record) -> dict[str, Any]:
    hidden = ("sha256", "type", "id")
    return {key: value for key, value in record.out().items() if key not in hidden}


@router.get("/dataset-revision-objects")
async def get_dataset_objects(emu: Emu, query: Annotated[ObjectsQuery, Query()]) -> Response:
    """List the objects of a dataset."""
    return answer([_show(record) for record in _selected(emu, query)])


@router.get("/dataset-revision-objects/signed-urls")
async def get_signed_urls(emu: Emu, request: Request, query: Annotated[ObjectsQuery, Query()]) -> Response:
    """List the objects of a dataset with addresses to download them from."""
    base = base_of(request)
    return answer(
        [
            {
                **_show(record),
                "type": record.body["type"],
                "signedUrl": address(emu, record.body["sha256"], record.body["name"], base),
            }
            for record in _selected(emu, query)
        ]
    )


@router.get(_OBJECTS)
async def find_dataset_object(
    emu: Emu, dataset_id: str, object_name: str, query: Annotated[ObjectQuery, Query()]
) -> Response:
    """Return one object."""
    _check_version(query)
    return answer(_show(_object(emu, dataset_id, object_name)))


@router.delete(_OBJECTS, **NO_CONTENT)
async def delete_dataset_object(emu: Emu, dataset_id: str, object_name: str) -> None:
    """Remove one object."""
    emu.store.delete("dataset_object", _object(emu, dataset_id, object_name).id)


@router.post("/dataset-revision-objects")
async def create_dataset_object(emu: Emu, body: ObjectIn) -> Response:
    """Add an image, video or audio file to a dataset and return the object."""
    dataset = _dataset(emu, body.dataset_name)
    blob = emu.files.receive(body.file_path, "filePath")
    if blob.size > _OBJECT_BYTES:
        raise invalid(f"filePath is too large: {blob.size} bytes, at most {_OBJECT_BYTES // MB} MB")
    guessed = (mimetypes.guess_type(body.object_name)[0] or "").partition("/")[0]
    if guessed not in ("image", "video", "audio"):
        raise invalid(f"objectName: {body.object_name} is not the name of an image, video or audio file")
    kind = KINDS[guessed]
    facts = await describe(emu, kind, blob, "filePath")
    fields = {
        "name": body.object_name,
        "size": blob.size,
        "height": facts.get("height", 0),
        "width": facts.get("width", 0),
        "tags": body.tags,
        "licenses": body.licenses,
        "annotations": _annotations(emu, body.annotations),
        "customMetadata": body.custom_metadata,
        "type": "none",
        "sha256": blob.sha256,
    }
    return answer(_show(emu.store.insert("dataset_object", fields, scope=dataset.id, name=body.object_name)))


@router.put("/dataset-revision-objects")
async def update_dataset_object(emu: Emu, body: ObjectUpdate) -> Response:
    """Change an object and return it."""
    record = _object(emu, body.dataset_id, body.object_name)
    changed = body.model_dump(by_alias=True, exclude_none=True, include={"tags", "licenses", "custom_metadata"})
    if body.annotations is not None:
        changed["annotations"] = _annotations(emu, body.annotations)
    record.body |= changed
    emu.store.save("dataset_object", record)
    return answer(_show(record))


def _annotations(emu: Emulation, sent: list[schemas.AnnotationIn]) -> list[dict[str, Any]]:
    """Return annotations of an object as stored: datasets have no classes, the value stands for the title."""
    return [
        {
            "id": emu.store.next_id("records")[1],
            "type": item.type,
            "title": item.value,
            "value": item.value,
            "color": "#d9534f",
            "attributes": [{"key": value.key, "value": value.value} for value in item.attributes],
            "points": _plain_points(item.points),
            "rotation": item.rotation,
            "keypoints": [point.model_dump(include={"key", "value"}) for point in item.keypoints],
            "confidenceScore": item.confidence_score,
        }
        for item in sent
    ]


def _plain_points(points: Any, depth: int = 5) -> Any:
    """Return points as sent, refusing anything but nested numbers."""
    if points is None:
        return []
    if isinstance(points, int | float | bool):
        return points
    if depth and isinstance(points, list):
        return [_plain_points(item, depth - 1) for item in points]
    if depth and isinstance(points, dict):
        return {key: _plain_points(item, depth - 1) for key, item in points.items()}
    raise invalid("annotations: points must be numbers in lists")
