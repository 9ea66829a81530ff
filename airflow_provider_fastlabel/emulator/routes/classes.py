"""Annotation classes of projects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from airflow_provider_fastlabel.emulator.routes.projects import page_limit, shown
from airflow_provider_fastlabel.emulator.world import schemas
from airflow_provider_fastlabel.emulator.world.errors import invalid
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE
from airflow_provider_fastlabel.emulator.world.state import NO_CONTENT, Emu, Emulation, OrjsonRoute, answer
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["annotations"])

_COLORS = ("#d9534f", "#4f81d9", "#5cb85c", "#f0ad4e", "#9b59b6", "#1abc9c", "#e67e22", "#7f8c8d")
_CHOICES = ("select", "radio", "checkbox")


@router.get("/annotations")
async def get_annotations(emu: Emu, query: Annotated[schemas.ClassQuery, Query()]) -> Response:
    """List the annotation classes of a project, or the one with a value."""
    project = emu.project(query.project)
    limit = page_limit(query.limit, 10, 1000)
    if query.value:
        record = emu.store.by_name("annotation", query.value, project.id)
        return answer(shown([record]) if record and not query.offset and limit else [])
    records = sorted(emu.store.list("annotation", scope=project.id), key=lambda record: int(record.body["order"]))
    return answer(shown(records[query.offset : query.offset + limit]))


@router.post("/annotations")
async def create_annotation(emu: Emu, body: schemas.ClassCreate) -> Response:
    """Create an annotation class and answer its id."""
    project = emu.project(body.project)
    kind = KIND_OF_PROJECT_TYPE[project.body["type"]]
    if body.type == "classification" or body.type not in kind.types:
        raise invalid(f"type: {body.type!r} does not fit a project of type {project.body['type']}")
    return answer(new_class(emu, project, body).id)


@router.post("/annotations/classification")
async def create_classification_annotation(emu: Emu, body: schemas.ClassificationCreate) -> Response:
    """Create the one class of a classification project and answer its id."""
    project = emu.project(body.project)
    if not KIND_OF_PROJECT_TYPE[project.body["type"]].classified:
        raise invalid(f"project {body.project} is not a classification project")
    sent = schemas.ClassCreate.model_construct(
        project=body.project, type="classification", value="classification", title="Classification",
        color=None, order=None, attributes=body.attributes,
    )  # fmt: skip
    return answer(new_class(emu, project, sent).id)


def new_class(emu: Emulation, project: Record, sent: schemas.ClassCreate) -> Record:
    """Add a class to a project.

    :param emu: the emulator.
    :param project: the project.
    :param sent: the checked body.
    :raises ApiError: 409 when the value is taken, 422 for faulty attributes.
    """
    count = len(emu.store.list("annotation", scope=project.id))
    body = {
        "type": sent.type,
        "value": sent.value,
        "title": sent.title,
        "color": sent.color or _COLORS[count % len(_COLORS)],
        "order": sent.order if sent.order is not None else count + 1,
        "vertex": 0,
        "attributes": _attributes(project.id + sent.value, sent.attributes, []),
        "keypoints": [],
    }
    if "max_area_count" in sent.model_fields_set:
        body["maxAreaCount"] = sent.max_area_count
    return emu.store.insert("annotation", body, scope=project.id, name=sent.value)


def _attributes(
    seed: str, sent: Sequence[schemas.AttributeDefinition], old: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return attribute definitions as stored; the sent list replaces the old one, ids stay."""
    known = {item["id"] for item in old}
    by_key = {item["key"]: item["id"] for item in old}
    keys = [item.key for item in sent]
    if len(set(keys)) != len(keys):
        raise invalid("attributes: two attributes have the same key")
    stored = []
    for index, item in enumerate(sent):
        if item.id is not None and item.id not in known:
            raise invalid(f"attributes.{index}.id: the class has no attribute {item.id}")
        if item.type in _CHOICES and not item.options:
            raise invalid(f"attributes.{index}.options: needed for type {item.type}")
        ident = item.id or by_key.get(item.key) or str(uuid.uuid5(uuid.NAMESPACE_OID, seed + item.key))
        stored.append(
            {
                "id": ident,
                "key": item.key,
                "name": item.name,
                "options": [option.model_dump() for option in item.options],
                "order": index + 1,
                "type": item.type,
                "value": "",
            }
        )
    return stored


@router.get("/annotations/{annotation_id}")
async def find_annotation(emu: Emu, annotation_id: str) -> Response:
    """Return one annotation class."""
    return answer(emu.store.get("annotation", annotation_id).out())


@router.put("/annotations/classification/{annotation_id}")
async def update_classification_annotation(
    emu: Emu, annotation_id: str, body: schemas.ClassificationUpdate
) -> Response:
    """Replace the attributes of a classification project's class and answer its id."""
    record = emu.store.get("annotation", annotation_id)
    if record.body["type"] != "classification":
        raise invalid(f"annotation {annotation_id} is not a classification class")
    record.body["attributes"] = _attributes(record.id, body.attributes, record.body["attributes"])
    emu.store.save("annotation", record)
    return answer(record.id)


@router.put("/annotations/{annotation_id}")
async def update_annotation(emu: Emu, annotation_id: str, body: schemas.ClassUpdate) -> Response:
    """Change an annotation class, also on the tasks that use it, and answer its id."""
    record = emu.store.get("annotation", annotation_id)
    old = record.body["value"]
    record.body |= body.model_dump(include={"value", "title", "color", "order"}, exclude_none=True)
    if body.attributes:
        record.body["attributes"] = _attributes(record.id, body.attributes, record.body["attributes"])
    if "max_area_count" in body.model_fields_set:
        record.body["maxAreaCount"] = body.max_area_count
    record.name = new = record.body["value"]

    def renamed(item: dict[str, Any]) -> dict[str, Any]:
        if item["value"] == old:
            item |= {"value": new, "title": record.body["title"], "color": record.body["color"]}
        return item

    with emu.store.transaction():
        emu.store.save("annotation", record)
        _rewrite(emu, record.scope, lambda items: [renamed(item) for item in items])
    return answer(record.id)


@router.delete("/annotations/{annotation_id}", **NO_CONTENT)
async def delete_annotation(emu: Emu, annotation_id: str) -> None:
    """Remove an annotation class and its annotations."""
    record = emu.store.get("annotation", annotation_id)
    with emu.store.transaction():
        emu.store.delete("annotation", annotation_id)
        _rewrite(emu, record.scope, lambda items: [item for item in items if item["value"] != record.name])


def _rewrite(emu: Emulation, project_id: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    for row in emu.store.rows("SELECT id, annotations FROM tasks WHERE project_id=?", project_id):
        changed = orjson.dumps(change(orjson.loads(row["annotations"])))
        if changed != row["annotations"]:
            emu.store.run("UPDATE tasks SET annotations=? WHERE id=?", changed, row["id"])
