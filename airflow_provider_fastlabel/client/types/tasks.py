"""Tasks, one shape per kind, and what belongs to all of them."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, NotRequired, TypeAlias, TypedDict

from airflow_provider_fastlabel.client.statuses import ExternalStatus, Priority, TaskStatus
from airflow_provider_fastlabel.client.types.annotations import (
    AttributeValue,
    AudioAnnotation,
    DicomAnnotation,
    ImageAnnotation,
    PcdAnnotation,
    RoboticsAnnotation,
    SequentialImageAnnotation,
    SequentialPcdAnnotation,
    TextAnnotation,
    VideoAnnotation,
)


class MetadataValue(TypedDict):
    """One metadata entry of a task."""

    key: str
    value: Any


class Relation(TypedDict):
    """A relation between two annotations, by id."""

    start: str
    end: str


class Content(TypedDict):
    """One file of a task that holds several."""

    name: str
    url: NotRequired[str]  # signed download address
    width: NotRequired[int]
    height: NotRequired[int]


class TaskBase(TypedDict):
    """What tasks of every kind carry. Users are shown by name (calls take their slug), None or ``""`` for nobody."""

    id: str
    name: str
    status: TaskStatus
    externalStatus: ExternalStatus
    tags: list[str]
    assignee: str | None
    reviewer: str | None
    externalAssignee: str | None
    externalReviewer: str | None
    createdAt: str
    updatedAt: str
    priority: NotRequired[Priority]  # absent from DICOM tasks
    approver: NotRequired[str | None]
    externalApprover: NotRequired[str | None]
    relations: NotRequired[list[Relation]]
    secondsToAnnotate: NotRequired[float]
    metadatas: NotRequired[list[MetadataValue]]


class ImageTask(TaskBase):
    """An image with its annotations."""

    url: str
    width: int
    height: int
    annotations: list[ImageAnnotation]


class ImageClassificationTask(TaskBase):
    """An image with its attributes."""

    url: str
    width: int
    height: int
    attributes: list[AttributeValue]


class MultiImageClassificationTask(TaskBase):
    """Several images with one set of attributes."""

    contents: list[Content]
    attributes: list[AttributeValue]


class SequentialImageTask(TaskBase):
    """A sequence of images; each annotation names its image in ``content``."""

    contents: list[Content]
    annotations: list[SequentialImageAnnotation]


class VideoTask(TaskBase):
    """A clip with frame-keyed annotations."""

    url: str
    width: int
    height: int
    fps: float
    frameCount: int
    duration: float  # seconds
    annotations: list[VideoAnnotation]


class VideoClassificationTask(TaskBase):
    """A clip with its attributes."""

    url: str
    width: NotRequired[int]
    height: NotRequired[int]
    fps: NotRequired[float]
    frameCount: NotRequired[int]
    duration: NotRequired[float]  # seconds
    attributes: list[AttributeValue]


class TextTask(TaskBase):
    """A text with named entities."""

    url: str
    annotations: list[TextAnnotation]


class TextClassificationTask(TaskBase):
    """A text with its attributes."""

    url: str
    attributes: list[AttributeValue]


class AudioTask(TaskBase):
    """A recording with segments."""

    url: str
    annotations: list[AudioAnnotation]


class AudioClassificationTask(TaskBase):
    """A recording with its attributes."""

    url: str
    attributes: list[AttributeValue]


class MultiModalVideoAudioTask(TaskBase):
    """A clip with its sound. FastLabel documents no more of its shape than what all tasks share."""

    contents: NotRequired[list[Content]]
    url: NotRequired[str]
    annotations: NotRequired[list[dict[str, Any]]]


class PcdTask(TaskBase):
    """A point cloud."""

    url: str
    annotations: list[PcdAnnotation]


class SequentialPcdTask(TaskBase):
    """A sequence of point clouds with frame-keyed cuboids."""

    annotations: list[SequentialPcdAnnotation]


class DicomTask(TaskBase):
    """A DICOM series; each annotation names its slice in ``contentId``."""

    url: str
    width: int
    height: int
    annotations: list[DicomAnnotation]


class RoboticsTask(TaskBase):
    """An episode of a robot."""

    contents: list[Content]
    annotations: list[RoboticsAnnotation]
    roboticsOperator: str | None


Task: TypeAlias = (
    ImageTask
    | ImageClassificationTask
    | MultiImageClassificationTask
    | SequentialImageTask
    | VideoTask
    | VideoClassificationTask
    | TextTask
    | TextClassificationTask
    | AudioTask
    | AudioClassificationTask
    | MultiModalVideoAudioTask
    | PcdTask
    | SequentialPcdTask
    | DicomTask
    | RoboticsTask
)


class MergedTask(TypedDict):
    """Split tasks joined by their prefix; the annotations carry no id."""

    name: str
    annotations: list[dict[str, Any]]
