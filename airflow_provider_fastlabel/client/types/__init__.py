"""Shapes of what the FastLabel API answers and accepts.

Everything here is a ``TypedDict`` or an alias: at run time the client hands out the plain dictionaries of the JSON
answer, these classes only tell mypy and editors what is inside. A key that the API does not always send is
``NotRequired``. Statuses and kinds whose set of values FastLabel documents are ``Literal``; those it does not document
in full stay ``str``.

Timestamps are ISO 8601 strings in UTC with milliseconds (``2024-05-06T07:08:09.123Z``); ids are UUID strings; pixel
coordinates start at the top-left corner with y pointing down.
"""

from __future__ import annotations

from airflow_provider_fastlabel.client.statuses import ExternalStatus, Priority, TaskStatus
from airflow_provider_fastlabel.client.types.annotations import (
    Annotation,
    AnnotationBase,
    AnnotationInput,
    AttributeInput,
    AttributeValue,
    AudioAnnotation,
    Coordinates,
    DicomAnnotation,
    FramePoints,
    ImageAnnotation,
    Keypoint,
    KeypointInput,
    PcdAnnotation,
    Regions,
    RelationInput,
    RoboticsAnnotation,
    SequentialImageAnnotation,
    SequentialPcdAnnotation,
    TextAnnotation,
    VideoAnnotation,
)
from airflow_provider_fastlabel.client.types.appendix import (
    AppendixData,
)
from airflow_provider_fastlabel.client.types.comments import (
    Comment,
    CommentBase,
    CommentThread,
    Thread,
)
from airflow_provider_fastlabel.client.types.datasets import (
    Dataset,
    DatasetObject,
    DatasetObjectType,
    DatasetVisibility,
)
from airflow_provider_fastlabel.client.types.definitions import (
    AnnotationClass,
    AttributeDefinition,
    AttributeDefinitionInput,
    AttributeOption,
    KeypointDefinition,
    MetadataDefinition,
    Project,
    Tag,
)
from airflow_provider_fastlabel.client.types.imports import (
    ImportHistory,
    LeRobotResult,
)
from airflow_provider_fastlabel.client.types.models import (
    AutoAnnotationJob,
    CustomModel,
    EndpointResult,
    EvaluationJob,
    MonitoringPrediction,
    MonitoringResult,
    TrainingJob,
)
from airflow_provider_fastlabel.client.types.tasks import (
    AudioClassificationTask,
    AudioTask,
    Content,
    DicomTask,
    ImageClassificationTask,
    ImageTask,
    MergedTask,
    MetadataValue,
    MultiImageClassificationTask,
    MultiModalVideoAudioTask,
    PcdTask,
    Relation,
    RoboticsTask,
    SequentialImageTask,
    SequentialPcdTask,
    Task,
    TaskBase,
    TextClassificationTask,
    TextTask,
    VideoClassificationTask,
    VideoTask,
)
from airflow_provider_fastlabel.client.types.users import (
    FunctionResourcePermissions,
    WorkspaceUser,
)

__all__ = [
    "Annotation",
    "AnnotationBase",
    "AnnotationClass",
    "AnnotationInput",
    "AppendixData",
    "AttributeDefinition",
    "AttributeDefinitionInput",
    "AttributeInput",
    "AttributeOption",
    "AttributeValue",
    "AudioAnnotation",
    "AudioClassificationTask",
    "AudioTask",
    "AutoAnnotationJob",
    "Comment",
    "CommentBase",
    "CommentThread",
    "Content",
    "Coordinates",
    "CustomModel",
    "Dataset",
    "DatasetObject",
    "DatasetObjectType",
    "DatasetVisibility",
    "DicomAnnotation",
    "DicomTask",
    "EndpointResult",
    "EvaluationJob",
    "ExternalStatus",
    "FramePoints",
    "FunctionResourcePermissions",
    "ImageAnnotation",
    "ImageClassificationTask",
    "ImageTask",
    "ImportHistory",
    "Keypoint",
    "KeypointDefinition",
    "KeypointInput",
    "LeRobotResult",
    "MergedTask",
    "MetadataDefinition",
    "MetadataValue",
    "MonitoringPrediction",
    "MonitoringResult",
    "MultiImageClassificationTask",
    "MultiModalVideoAudioTask",
    "PcdAnnotation",
    "PcdTask",
    "Priority",
    "Project",
    "Regions",
    "Relation",
    "RelationInput",
    "RoboticsAnnotation",
    "RoboticsTask",
    "SequentialImageAnnotation",
    "SequentialImageTask",
    "SequentialPcdAnnotation",
    "SequentialPcdTask",
    "Tag",
    "Task",
    "TaskBase",
    "TaskStatus",
    "TextAnnotation",
    "TextClassificationTask",
    "TextTask",
    "Thread",
    "TrainingJob",
    "VideoAnnotation",
    "VideoClassificationTask",
    "VideoTask",
    "WorkspaceUser",
]
