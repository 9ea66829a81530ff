"""Jobs of models, the answer of an endpoint, and monitored requests."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, Literal, NotRequired, TypedDict


class CustomModel(TypedDict):
    """The model a training job made; empty strings and an empty list until it has finished."""

    modelId: str
    modelName: str
    modelURL: str
    classes: list[str]


class TrainingJob(TypedDict):
    """A training job."""

    trainingJobId: str
    status: str  # in_progress, completed; failure values are not documented
    baseModelName: str
    instanceType: str
    epoch: int
    projects: list[str]
    statuses: list[str]
    tags: list[str]
    contentCount: int
    userName: str
    userEmail: NotRequired[str]
    createdAt: str
    completedAt: str | None
    customModel: CustomModel


class EvaluationJob(TypedDict):
    """An evaluation of a model on a dataset; the scores are missing or null while it runs."""

    id: str
    version: str | int
    status: str
    modelType: str
    modelName: str
    customModelId: NotRequired[str | None]
    iouThreshold: float
    confidenceThreshold: float
    contentCount: NotRequired[int | None]
    gtCount: NotRequired[int | None]
    predCount: NotRequired[int | None]
    mAP: NotRequired[float | None]
    recall: NotRequired[float | None]
    precision: NotRequired[float | None]
    f1: NotRequired[float | None]
    confusionMatrix: NotRequired[Any]
    duration: NotRequired[float | None]
    evaluationSource: NotRequired[str]
    projects: NotRequired[list[str]]
    statuses: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    datasetId: NotRequired[str | None]
    dataset: NotRequired[dict[str, Any] | None]
    datasetRevisionId: NotRequired[str | None]
    useDatasetTest: NotRequired[bool]
    userName: NotRequired[str]
    completedAt: NotRequired[str | None]
    createdAt: str
    updatedAt: str


class AutoAnnotationJob(TypedDict):
    """A run of a model over the tasks of a project."""

    id: str
    version: str | int
    status: str
    autoAnnotationType: NotRequired[str]
    modelName: str
    contentCount: NotRequired[int | None]
    taskAnnotationCount: NotRequired[int | None]
    audioSeconds: NotRequired[float | None]
    duration: NotRequired[float | None]
    msgCode: NotRequired[str]
    userName: NotRequired[str]
    createdAt: str
    updatedAt: str
    completedAt: NotRequired[str | None]


class EndpointResult(TypedDict):
    """What a model endpoint answers: findings, and the drawn image as base64 (may begin with ``data:...;base64,``)."""

    json: Any
    file: str


class MonitoringPrediction(TypedDict):
    """One predicted class of a monitored request."""

    value: str
    confidenceScore: float  # 0 to 1


class MonitoringResult(TypedDict):
    """One monitored request of a model (input)."""

    status: Literal["success", "failed"]
    result: list[MonitoringPrediction]
    requestAt: str  # ISO 8601 with offset
