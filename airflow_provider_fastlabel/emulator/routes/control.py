"""The control plane under ``/_emulator/``: what tests and demos turn, and what the emulator says of itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field, StringConstraints, field_validator

from airflow_provider_fastlabel.emulator.choices import CHOICES
from airflow_provider_fastlabel.emulator.patterns import Pattern
from airflow_provider_fastlabel.emulator.world import annotators, histories
from airflow_provider_fastlabel.emulator.world.bodies import readable
from airflow_provider_fastlabel.emulator.world.errors import conflict, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import KIND_OF_PROJECT_TYPE, KINDS
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.settings import LONGEST_ADVANCE, Settings
from airflow_provider_fastlabel.emulator.world.state import Annotator, Emu, Emulation, Fault, OrjsonRoute, answer

router: APIRouter = APIRouter(prefix="/_emulator", route_class=OrjsonRoute, tags=["control plane"])

Seconds = Annotated[float, Field(ge=0, le=1e9)]
Count = Annotated[int, Field(ge=0, le=10**9)]
_LONGEST_DELAY = 3600
_MOST_FAULTS = 10_000


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
        {**entry, "body": readable(emu.files, entry["body"])}
        for entry in emu.log.entries()
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
    retry_after: Annotated[str, StringConstraints(max_length=100)] | Count | Seconds | None = None
    seconds: float = Field(1.0, ge=0, le=_LONGEST_DELAY)

    @field_validator("path")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            Pattern(value)
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
    if len(emu.faults) >= _MOST_FAULTS:
        raise conflict(f"there are {_MOST_FAULTS} faults already; clear them with DELETE /_emulator/faults")
    fields = body.model_dump()
    if body.retry_after is not None:
        fields["retry_after"] = str(body.retry_after)
    if body.path is not None:
        fields["path"] = Pattern(body.path)
    emu.faults.append(Fault(**fields))
    return answer({"faults": len(emu.faults)})


@router.delete("/faults")
async def clear_faults(emu: Emu) -> Response:
    """Let nothing fail any more."""
    emu.faults.clear()
    return answer({"faults": 0})


class Config(Control):
    """Settings to change; see :class:`Settings`. Where S3 is, is said at the start only: keys are sent there."""

    strict: bool = True
    quota: Count | None = None
    quota_seconds: Seconds = 600
    history_seconds: Seconds = 0
    history_reads: int | None = Field(None, ge=1, le=10**9)
    history_manual: bool = False
    fail_histories: Count = 0
    job_seconds: Seconds = 0
    job_manual: bool = False
    signed_url_seconds: Seconds = 3600
    page_maxima: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = Field(default_factory=dict)
    monitoring_names: list[str] | None = None
    endpoint_names: list[str] | None = None
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
    if not emu.clock.can_advance(body.advance):
        raise invalid(f"advance: the clock cannot be moved by more than {LONGEST_ADVANCE:g} seconds in all")
    emu.clock.advance(body.advance)
    tick(emu)
    return answer({"now": emu.clock.iso()})


def tick(emu: Emulation) -> None:
    """Do what is due by now."""
    annotators.advance(emu)
    histories.advance(emu)


class AnnotatorsIn(Control):
    """People at work on a project; ``file`` is the name of a file of ground truth that was named at the start."""

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
    if body.file is not None and body.file not in emu.ground_truth:
        raise invalid(f"file: {body.file!r} is none of the files named at the start with --ground-truth")
    truth = body.ground_truth if body.file is None else emu.ground_truth[body.file]
    kind = KIND_OF_PROJECT_TYPE[project.body["type"]]
    annotators.check(emu, project.id, kind.name, truth or {})
    emu.annotators[project.id] = Annotator(
        truth or {}, body.tasks_per_second, body.approve_after, body.review, last=emu.clock.now()
    )
    return answer({"tasks": len(truth or {})})


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
