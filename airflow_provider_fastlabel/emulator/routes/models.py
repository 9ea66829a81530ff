"""Model monitoring and endpoints, training, evaluation and auto-annotation jobs."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from airflow_provider_fastlabel.emulator.routes.projects import page_limit
from airflow_provider_fastlabel.emulator.world import jobs, schemas
from airflow_provider_fastlabel.emulator.world.errors import invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import MB
from airflow_provider_fastlabel.emulator.world.media import image_size
from airflow_provider_fastlabel.emulator.world.schemas import Name, Wire
from airflow_provider_fastlabel.emulator.world.state import Emu, Emulation, OrjsonRoute, answer, lenient
from airflow_provider_fastlabel.emulator.world.store import Record

router: APIRouter = APIRouter(route_class=OrjsonRoute, tags=["models"])

_ENDPOINT_BYTES = 6 * MB
Share = Annotated[float, Field(ge=0, le=1)]


@router.post("/model-monitorings/create")
async def create_model_monitoring_request_results(emu: Emu, body: schemas.MonitoringCreate) -> Response:
    """Keep results of model calls and answer the id of the monitoring setting."""
    names = emu.settings.monitoring_names
    if names is not None and body.name not in names:
        raise not_found("model monitoring", body.name)
    setting = emu.store.by_name("monitoring", body.name) or emu.store.insert("monitoring", {}, name=body.name)
    with emu.store.transaction():
        for result in body.results:
            emu.store.insert("monitoring_result", result.model_dump(by_alias=True), scope=setting.id)
    return answer(setting.id)


@router.post("/model-endpoints/execute")
async def execute_endpoint(emu: Emu, body: schemas.EndpointExecute) -> Response:
    """Run a model endpoint on a picture: the answer set for it, or nothing detected."""
    name, names = body.model_endpoint_name, emu.settings.endpoint_names
    if name not in (emu.endpoints if names is None else names) and not (names is None and lenient.get()):
        raise not_found("model endpoint", name)
    blob = emu.files.receive(body.file, "file")
    emu.files.forget(blob)
    if blob.size > _ENDPOINT_BYTES:
        raise invalid(f"file is too large: {blob.size} bytes, at most {_ENDPOINT_BYTES // MB} MB")
    path = emu.files.path(blob.sha256)
    image_size(path, "file")
    return answer({"json": emu.endpoints.get(name, []), "file": base64.b64encode(path.read_bytes()).decode()})


class TrainingIn(Wire):
    """A training to run."""

    dataset_name: Name
    base_model_name: Name
    epoch: int = Field(ge=1, le=100_000)
    use_dataset_train_val: bool = False
    instance_type: Name = "ml.p3.2xlarge"
    dataset_revision_id: Name | None = None
    batch_size: int | None = Field(None, ge=1, le=1_000_000)
    learning_rate: float | None = Field(None, gt=0)
    resize_option: Literal["fixed", "none"] | None = None
    resize_dimension: Literal[512, 1024] | None = None
    annotation_value: str | None = None
    config_file: str | None = None


@router.get("/trainings")
async def get_training_jobs(emu: Emu, query: Annotated[schemas.Page, Query()]) -> Response:
    """List training jobs, newest first."""
    limit = page_limit(query.limit, 100, 1000)
    records = emu.store.list("training", offset=query.offset, limit=limit, newest=True)
    return answer([_training(jobs.current(emu, "training", record)) for record in records])


@router.get("/trainings/{job_id}")
async def find_training_job(emu: Emu, job_id: str) -> Response:
    """Return one training job."""
    return answer(_training(jobs.current(emu, "training", emu.store.get("training", job_id))))


@router.post("/trainings")
async def execute_training_job(emu: Emu, body: TrainingIn) -> Response:
    """Begin a training on a dataset and return the job."""
    if body.base_model_name == "fastlabel_keypoint_rcnn" and not body.annotation_value:
        raise invalid("annotationValue is needed for fastlabel_keypoint_rcnn")
    if body.config_file is not None:
        emu.files.forget(emu.files.receive(body.config_file, "configFile"))
    contents, classes = _dataset_facts(emu, body.dataset_name)
    name = f"{body.base_model_name}-{jobs.stamp(emu.clock)}"
    record = jobs.begin(
        emu,
        "training",
        {
            "baseModelName": body.base_model_name,
            "instanceType": body.instance_type,
            "epoch": body.epoch,
            "projects": [],
            "statuses": [],
            "tags": [],
            "contentCount": contents,
            "userName": "Admin",
            "userEmail": "admin@example.com",
            "customModel": {"modelId": "", "modelName": "", "modelURL": "", "classes": []},
            "finished": {"modelName": name, "classes": classes},
        },
    )
    return answer(_training(record))


def _training(record: Record) -> dict[str, Any]:
    shown = jobs.show(record)
    model = {"modelName": shown.pop("modelName", ""), "classes": shown.pop("classes", [])}
    if shown["status"] == "completed":
        shown["customModel"] = {**shown["customModel"], **model, "modelId": record.id}
    shown.pop("updatedAt")
    return {"trainingJobId": shown.pop("id"), **shown}


def _dataset_facts(emu: Emulation, name: str) -> tuple[int, list[str]]:
    """Return how many objects a dataset has and the class values on them.

    :raises ApiError: 404 for an unknown dataset.
    """
    dataset = emu.store.by_name("dataset", name)
    if dataset is None:
        raise not_found("dataset", name)
    objects = emu.store.list("dataset_object", scope=dataset.id)
    values = {item["value"] for record in objects for item in record.body["annotations"]}
    return len(objects), sorted(values)


class EvaluationIn(Wire):
    """An evaluation to run."""

    dataset_name: Name
    model_name: Name
    iou_threshold: Share = 0.5
    confidence_threshold: Share = 0.4
    use_dataset_test: bool = False
    dataset_revision_id: Name | None = None
    instance_type: Name | None = None
    batch_size: int | None = Field(None, ge=1, le=1_000_000)
    learning_rate: float | None = Field(None, gt=0)


@router.get("/evaluations")
async def get_evaluation_jobs(emu: Emu, query: Annotated[schemas.Page, Query()]) -> Response:
    """List evaluation jobs, newest first."""
    limit = page_limit(query.limit, 1000, 1000)
    records = emu.store.list("evaluation", offset=query.offset, limit=limit, newest=True)
    return answer([jobs.show(jobs.current(emu, "evaluation", record)) for record in records])


@router.get("/evaluations/{job_id}")
async def find_evaluation_job(emu: Emu, job_id: str) -> Response:
    """Return one evaluation job."""
    return answer(jobs.show(jobs.current(emu, "evaluation", emu.store.get("evaluation", job_id))))


@router.post("/evaluations")
async def execute_evaluation_job(emu: Emu, body: EvaluationIn) -> Response:
    """Begin an evaluation of a model on a dataset and return the job."""
    contents, classes = _dataset_facts(emu, body.dataset_name)
    dataset = emu.store.by_name("dataset", body.dataset_name)
    assert dataset is not None
    scores = dict.fromkeys(("mAP", "recall", "precision", "f1"), 0.0)
    fields = body.model_dump(by_alias=True, exclude={"dataset_name", "instance_type", "batch_size", "learning_rate"})
    reference = {"id": dataset.id, "workspaceId": "", "name": body.dataset_name}
    record = jobs.begin(
        emu,
        "evaluation",
        {
            **fields,
            "version": len(emu.store.list("evaluation")) + 1,
            "modelType": "builtin",
            "customModelId": None,
            "contentCount": contents,
            "gtCount": 0,
            "predCount": 0,
            **dict.fromkeys(scores),
            "confusionMatrix": None,
            "duration": None,
            "evaluationSource": "dataset",
            "projects": [],
            "statuses": [],
            "tags": [],
            "datasetId": dataset.id,
            "dataset": {**reference, "createdAt": dataset.created_at, "updatedAt": dataset.updated_at},
            "userName": "Admin",
            "finished": {**scores, "duration": emu.settings.job_seconds, "confusionMatrix": {"classes": classes}},
        },
    )
    return answer(jobs.show(record))


class AutoAnnotationIn(Wire):
    """An auto-annotation to run."""

    project: Name
    model_name: Name
    update_existing: bool = False
    confidence_threshold: Share = 0.4
    use_tta: bool = Field(False, alias="useTTA")
    use_flip: bool = False
    processing_speed: Literal["low", "medium", "high"] = "low"
    auto_creation: bool = True
    algorithm_type: Literal["object_detection", "ocr", "image_classification"] | None = None


@router.get("/auto-annotations")
async def get_auto_annotation_jobs(emu: Emu, query: Annotated[schemas.ProjectPage, Query()]) -> Response:
    """List the auto-annotation jobs of a project, newest first."""
    project = emu.project(query.project)
    limit = page_limit(query.limit, 1000, 1000)
    records = emu.store.list("auto_annotation", scope=project.id, offset=query.offset, limit=limit, newest=True)
    return answer([jobs.show(jobs.current(emu, "auto_annotation", record)) for record in records])


@router.post("/auto-annotations")
async def execute_auto_annotation_job(emu: Emu, body: AutoAnnotationIn) -> Response:
    """Begin an auto-annotation of a project's tasks and answer the job's id."""
    project = emu.project(body.project)
    row = emu.store.row("SELECT count(*) AS n FROM tasks WHERE project_id=?", project.id)
    fields = {
        "version": len(emu.store.list("auto_annotation", scope=project.id)) + 1,
        "autoAnnotationType": project.body["type"],
        "modelName": body.model_name,
        "contentCount": row["n"] if row else 0,
        "taskAnnotationCount": 0,
        "audioSeconds": 0,
        "duration": None,
        "msgCode": "none",
        "userName": "Admin",
        "finished": {"duration": emu.settings.job_seconds},
    }
    return answer(jobs.begin(emu, "auto_annotation", fields, project.id).id)
