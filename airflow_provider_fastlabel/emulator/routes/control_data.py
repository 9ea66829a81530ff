"""Control plane: what a test puts into the world, and what it reads out of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from airflow_provider_fastlabel.emulator.routes.control import Control
from airflow_provider_fastlabel.emulator.world import histories, jobs, schemas, task_table
from airflow_provider_fastlabel.emulator.world.errors import conflict, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE
from airflow_provider_fastlabel.emulator.world.schemas import Name
from airflow_provider_fastlabel.emulator.world.state import Emu, OrjsonRoute, answer

router: APIRouter = APIRouter(prefix="/_emulator", route_class=OrjsonRoute, tags=["control plane"])


class StatusIn(Control):
    """Statuses set by hand."""

    project: Name
    status: schemas.Status
    names: list[str] | None = None


@router.post("/tasks/status")
async def set_status(emu: Emu, body: StatusIn) -> Response:
    """Set the status of some tasks of a project, or of all."""
    project = emu.project(body.project)
    rows = emu.store.rows("SELECT id, name, project_id FROM tasks WHERE project_id=?", project.id)
    chosen = [row for row in rows if body.names is None or row["name"] in set(body.names)]
    with emu.store.transaction():
        for row in chosen:
            task_table.update_row(emu, row, {"status": body.status})
    return answer({"changed": len(chosen)})


class TaskIn(Control):
    """A task without a file, of any kind."""

    project: Name
    name: Name
    annotations: list[schemas.AnnotationIn] = Field(default_factory=list)


@router.post("/tasks")
async def add_task(emu: Emu, body: TaskIn) -> Response:
    """Create a task as the application would; the way to tasks no API call creates."""
    project = emu.project(body.project)
    kind = KIND_OF_PROJECT_TYPE[project.body["type"]]
    shown = task_table.rendered(emu, kind, project.id, body.annotations)
    return answer(task_table.insert_task(emu, project, task_table.NewTask(kind, body.name, annotations=shown)))


class SettleIn(Control):
    """How running imports or jobs end."""

    id: str | None = None
    status: Literal["completed", "failed"] = "completed"
    message: Name = "failed_by_hand"


@router.post("/histories")
async def settle_histories(emu: Emu, body: SettleIn) -> Response:
    """End one running import, or all, by hand."""
    idents = list(emu.running) if body.id is None else [body.id]
    for ident in idents:
        record = emu.store.get("history", ident)
        if ident not in emu.running:
            raise conflict(f"history {ident} is not running")
        if ident not in emu.staged and body.status == "completed":
            raise conflict(f"history {ident} is still reading its source; try again")
        histories.settle(emu, record, failure=body.message if body.status == "failed" else None)
    return answer({"settled": len(idents)})


@router.post("/jobs")
async def settle_jobs(emu: Emu, body: SettleIn) -> Response:
    """End one running training, evaluation or auto-annotation job, or all, by hand."""
    running = [
        (name, record)
        for name in jobs.COLLECTIONS
        for record in emu.store.list(name)
        if record.body["status"] == "in_progress" and body.id in (None, record.id)
    ]
    if body.id is not None and not running:
        raise not_found("running job", body.id)
    for name, record in running:
        jobs.finish(emu, name, record, body.status)
    return answer({"settled": len(running)})


class EndpointIn(Control):
    """What a model endpoint detects."""

    name: Name
    detections: list[dict[str, str | float | list[float]]]


@router.put("/endpoints")
async def put_endpoint(emu: Emu, body: EndpointIn) -> Response:
    """Set what a model endpoint answers as ``json``."""
    emu.endpoints[body.name] = body.detections
    return answer({"name": body.name})


class MetadataDefinition(Control):
    """A metadata definition, of the workspace or of a project."""

    key: Name
    type: Name = "text"
    project: Name | None = None
    options: list[str] = Field(default_factory=list)
    default_value: str | None = None
    is_required: bool = False


@router.put("/metadatas")
async def put_metadata(emu: Emu, body: MetadataDefinition) -> Response:
    """Add a metadata definition, which only the application can."""
    scope = emu.project(body.project).id if body.project is not None else ""
    fields = {
        "key": body.key,
        "type": body.type,
        "options": body.options,
        "defaultValue": body.default_value,
        "order": len(emu.store.list("metadata", scope=scope)) + 1,
        "isAdmin": False,
        "isRequired": body.is_required,
    }
    return answer(emu.store.insert("metadata", fields, scope=scope, name=body.key).id)


class UserIn(Control):
    """A workspace user."""

    slug: Name
    name: Name
    email: Name | None = None
    role: Literal["member", "owner"] = "member"


@router.put("/users")
async def put_user(emu: Emu, body: UserIn) -> Response:
    """Add a user that tasks can be assigned to."""
    email = body.email or f"{body.slug}@example.com"
    fields = {"slug": body.slug, "name": body.name, "email": email, "role": body.role, "modules": []}
    return answer(emu.store.insert("user", fields, name=email).id)


class KeypointDefinition(Control):
    """A keypoint of a pose class; edges are keys."""

    key: Name
    name: Name
    color: str = "#0033CC"
    edges: list[str] = Field(default_factory=list)


class KeypointsIn(Control):
    """Keypoints of a class, which only the application can set."""

    annotation_id: str
    keypoints: list[KeypointDefinition]


@router.put("/keypoints")
async def put_keypoints(emu: Emu, body: KeypointsIn) -> Response:
    """Set the keypoints of an annotation class; edges become ids on both sides."""
    record = emu.store.get("annotation", body.annotation_id)
    idents = {point.key: emu.store.next_id("records")[1] for point in body.keypoints}
    neighbours: dict[str, list[str]] = {key: [] for key in idents}
    for point in body.keypoints:
        for other in point.edges:
            if other not in idents:
                raise invalid(f"keypoints: edge of {point.key} to unknown key {other}")
            for one, two in ((point.key, other), (other, point.key)):
                if two not in neighbours[one]:
                    neighbours[one].append(two)
    record.body["keypoints"] = [
        {
            "id": idents[point.key],
            "name": point.name,
            "key": point.key,
            "color": point.color,
            "edges": [idents[key] for key in neighbours[point.key]],
            "value": [],
        }
        for point in body.keypoints
    ]
    emu.store.save("annotation", record)
    return answer(record.id)


class MonitoringQuery(Control):
    """Whose results to show."""

    name: str


@router.get("/monitoring")
async def monitoring(emu: Emu, query: Annotated[MonitoringQuery, Query()]) -> Response:
    """Show the results received for a monitoring setting."""
    setting = emu.store.by_name("monitoring", query.name)
    if setting is None:
        raise not_found("model monitoring", query.name)
    return answer([record.body for record in emu.store.list("monitoring_result", scope=setting.id)])
