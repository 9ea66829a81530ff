"""The control plane under ``/_emulator/``: what tests and demos turn, see and do by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from airflow_provider_fastlabel.emulator.choices import CHOICES
from airflow_provider_fastlabel.emulator.world import annotators, histories, jobs, schemas, task_table
from airflow_provider_fastlabel.emulator.world.bodies import readable
from airflow_provider_fastlabel.emulator.world.errors import conflict, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE, KINDS
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.settings import Settings
from airflow_provider_fastlabel.emulator.world.state import Annotator, Emu, Emulation, Fault, OrjsonRoute, answer

router: APIRouter = APIRouter(prefix="/_emulator", route_class=OrjsonRoute, tags=["control plane"])

Seconds = Annotated[float, Field(ge=0, le=1e9)]


class Control(Wire):
    """Base of control bodies: snake_case, unknown fields refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)


@router.get("/health")
async def health() -> Response:
    """Say that the emulator serves."""
    return answer({"status": "ok"})


@router.get("/choices")
async def choices() -> Response:
    """Show what FastLabel does not document and we chose."""
    return answer(dict(CHOICES))


@router.post("/reset")
async def reset(emu: Emu) -> Response:
    """Forget everything: data, files, settings, faults, log, clock."""
    emu.reset()
    return answer({"status": "ok"})


class LogQuery(Control):
    """Which calls to show."""

    method: str | None = None
    path: str | None = None
    after: int = Field(0, ge=0, le=10**12)


@router.get("/requests")
async def requests(emu: Emu, query: Annotated[LogQuery, Query()]) -> Response:
    """Show the calls received, oldest first; ``path`` selects by prefix, ``after`` by id."""
    shown = [
        {**entry, "body": readable(entry["body"])}
        for entry in list(emu.log)
        if entry["id"] > query.after
        and (query.method is None or entry["method"] == query.method.upper())
        and (query.path is None or entry["path"].startswith(query.path))
    ]
    return answer(shown)


@router.delete("/requests")
async def forget_requests(emu: Emu) -> Response:
    """Empty the log; ids go on."""
    emu.log.clear()
    return answer({"status": "ok"})


class FaultIn(Control):
    """Something to go wrong."""

    kind: Literal["status", "reset", "slow", "truncate", "lost_answer"]
    times: int = Field(1, ge=1, le=10**9)
    method: str | None = None
    path: str | None = None
    status: int = Field(503, ge=400, le=599)
    retry_after: Annotated[str | int | float | None, Field()] = None
    seconds: Seconds = 1.0

    @field_validator("path")
    @classmethod
    def _is_pattern(cls, value: str | None, _info: ValidationInfo) -> str | None:
        try:
            re.compile(value or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("retry_after")
    @classmethod
    def _is_header(cls, value: str | int | float | None) -> str | int | float | None:
        if (value is not None and not str(value).isascii()) or not str(value).isprintable():
            raise ValueError("must be printable ASCII")
        return value


@router.post("/faults")
async def add_fault(emu: Emu, body: FaultIn) -> Response:
    """Let the next matching calls fail; faults are used up in the order they were added."""
    fields = body.model_dump()
    if fields["retry_after"] is not None:
        fields["retry_after"] = str(fields["retry_after"])
    emu.faults.append(Fault(**fields))
    return answer({"faults": len(emu.faults)})


@router.delete("/faults")
async def clear_faults(emu: Emu) -> Response:
    """Let nothing fail any more."""
    emu.faults.clear()
    return answer({"faults": 0})


class Config(Control):
    """Settings to change; see :class:`Settings`."""

    strict: bool = True
    quota: int | None = Field(None, ge=0)
    quota_seconds: Seconds = 600
    history_seconds: Seconds = 0
    history_reads: int | None = Field(None, ge=1)
    history_manual: bool = False
    fail_histories: int = Field(0, ge=0)
    job_seconds: Seconds = 0
    job_manual: bool = False
    signed_url_seconds: Seconds = 3600
    page_maxima: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = Field(default_factory=dict)
    monitoring_names: list[str] | None = None
    endpoint_names: list[str] | None = None
    s3_endpoint: str | None = None
    merge_overlap: int = Field(0, ge=0, le=10_000)


@router.put("/config")
async def configure(emu: Emu, body: Config) -> Response:
    """Change the settings that are named and show all."""
    for name in body.model_fields_set:
        setattr(emu.settings, name, getattr(body, name))
    return answer({name: getattr(emu.settings, name) for name in Settings.__slots__})


class ClockIn(Control):
    """How far to move the clock."""

    advance: Seconds


@router.post("/clock")
async def move_clock(emu: Emu, body: ClockIn) -> Response:
    """Move the emulator's time forward: imports, jobs, annotators, quota and signed addresses follow it."""
    emu.clock.advance(body.advance)
    tick(emu)
    return answer({"now": emu.clock.iso()})


def tick(emu: Emulation) -> None:
    """Do what is due by now."""
    annotators.advance(emu)
    histories.advance(emu)


class AnnotatorsIn(Control):
    """People at work on a project."""

    project: Name
    ground_truth: dict[str, list[dict[str, Any]]] | None = None
    file: str | None = None
    tasks_per_second: float = Field(0, ge=0, le=1e6)
    approve_after: Seconds = 0
    review: bool = False


@router.put("/annotators")
async def set_annotators(emu: Emu, body: AnnotatorsIn) -> Response:
    """Put people to work on a project; a pace of 0 makes them wait for ``/annotators/run``."""
    project = emu.project(body.project)
    truth = body.ground_truth if body.file is None else _read_truth(body.file)
    kind = KIND_OF_PROJECT_TYPE[project.body["type"]]
    annotators.check(emu, project.id, kind.name, truth or {})
    emu.annotators[project.id] = Annotator(
        truth or {}, body.tasks_per_second, body.approve_after, body.review, last=emu.clock.now()
    )
    return answer({"tasks": len(truth or {})})


def _read_truth(file: str) -> dict[str, list[dict[str, Any]]]:
    try:
        truth = orjson.loads(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise invalid(f"file {file} cannot be read: {error}") from error
    if not isinstance(truth, dict) or not all(isinstance(items, list) for items in truth.values()):
        raise invalid(f"file {file} must hold an object: task name to list of annotations")
    return truth


class RunIn(Control):
    """Work to be done at once."""

    project: Name
    tasks: int | None = Field(None, ge=0, le=10**9)
    approve: bool = True


@router.post("/annotators/run")
async def run_annotators(emu: Emu, body: RunIn) -> Response:
    """Label tasks of a project now, and approve all that is labelled."""
    project = emu.project(body.project)
    if project.id not in emu.annotators:
        raise not_found("annotators of project", body.project)
    return answer({"labelled": annotators.run(emu, project.id, body.tasks, approve=body.approve)})


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


@router.get("/state")
async def state(emu: Emu) -> Response:
    """Count what there is: tasks by kind and status, other records by collection."""
    tick(emu)
    counts = emu.store.rows("SELECT collection, count(*) AS n FROM records GROUP BY collection")
    tasks = dict.fromkeys(KINDS, 0)
    tasks |= {row["kind"]: row["n"] for row in emu.store.rows("SELECT kind, count(*) AS n FROM tasks GROUP BY kind")}
    statuses = emu.store.rows("SELECT status, count(*) AS n FROM tasks GROUP BY status")
    return answer(
        {
            "now": emu.clock.iso(),
            "records": {row["collection"]: row["n"] for row in counts},
            "tasks": tasks,
            "statuses": {row["status"]: row["n"] for row in statuses},
            "requests": emu.logged,
            "faults": len(emu.faults),
            "running_imports": len(emu.running),
        }
    )
