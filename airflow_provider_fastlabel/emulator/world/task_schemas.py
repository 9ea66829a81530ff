"""Bodies that create and change tasks."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from airflow_provider_fastlabel.emulator.world.schemas import (
    AnnotationIn,
    AttributeIn,
    ContentIn,
    CustomStatus,
    ExternalStatus,
    MetadataIn,
    Name,
    Priority,
    RelationIn,
    Status,
    Tags,
    Text,
    Wire,
    _printable,
)


class Users(Wire):
    """Assignments by user slug; null clears one."""

    assignee: str | None = None
    reviewer: str | None = None
    approver: str | None = None
    external_assignee: str | None = None
    external_reviewer: str | None = None
    external_approver: str | None = None
    workflow_1_user: str | None = None
    workflow_2_user: str | None = None
    workflow_3_user: str | None = None
    workflow_4_user: str | None = None
    workflow_5_user: str | None = None
    workflow_6_user: str | None = None


USER_FIELDS = tuple(Users.model_fields)
"""Roles a task can be assigned in."""


class States(Users):
    """What every task has."""

    status: Status | None = None
    external_status: ExternalStatus | None = None
    tags: Tags = Field(default_factory=list)


class TaskUpdate(States):
    """Body of ``PUT tasks/{id}``, and base of the others."""

    priority: Priority | None = None
    metadatas: list[MetadataIn] = Field(default_factory=list)


class TaskTags(Wire):
    """Tags to put on many tasks at once, or to take off."""

    project: Name
    task_ids: list[Name] = Field(max_length=5000)
    tags: list[Annotated[str, StringConstraints(min_length=1, max_length=140), AfterValidator(_printable)]] = Field(
        max_length=20
    )


class AnnotatedUpdate(TaskUpdate):
    """Update of a task with annotations."""

    annotations: list[AnnotationIn] = Field(default_factory=list)


class ImageUpdate(AnnotatedUpdate):
    """Update of an image task."""

    relations: list[RelationIn] | None = None
    custom_task_status: CustomStatus | None = None


class ClassifiedUpdate(States):
    """Update of a classification task."""

    priority: Priority | None = None
    attributes: list[AttributeIn] = Field(default_factory=list)


class DicomUpdate(States):
    """Update of a DICOM task."""

    metadatas: list[MetadataIn] = Field(default_factory=list)


class RoboticsUpdate(TaskUpdate):
    """Update of a robotics task; an empty list of annotations clears them."""

    operator: Text | None = None
    annotations: list[AnnotationIn] | None = None


class AnnotatedCreate(AnnotatedUpdate):
    """Task of one file with annotations."""

    project: Name
    name: Name
    file: str


class ImageCreate(AnnotatedCreate):
    """Image task."""

    is_delete_exif: bool = False
    custom_task_status: CustomStatus | None = None


class ClassifiedCreate(ClassifiedUpdate):
    """Classification task of one file."""

    project: Name
    name: Name
    file: str


class ImageClassifiedCreate(ClassifiedCreate):
    """Image classification task."""

    is_delete_exif: bool = False


class MultiImageCreate(ClassifiedUpdate):
    """Classification task of several images."""

    project: Name
    name: Name
    contents: list[ContentIn] = Field(min_length=1)
    is_delete_exif: bool = False


class SequentialCreate(AnnotatedUpdate):
    """Task of several files with annotations."""

    project: Name
    name: Name
    contents: list[ContentIn] = Field(min_length=1)


class SequentialImageCreate(SequentialCreate):
    """Sequential image task."""

    is_delete_exif: bool = False


class RoboticsCreate(TaskUpdate):
    """Robotics task; its contents follow in a zip."""

    project: Name
    name: Name
    operator: Text | None = None


class DicomCreate(DicomUpdate):
    """DICOM import of an uploaded zip."""

    project: Name
    file_key: Name


class IntegratedCreate(States):
    """Image task whose file lies in a connected bucket."""

    project: Name
    file_path: Name
    storage_type: Name
    annotations: list[AnnotationIn] = Field(default_factory=list)
    metadatas: list[MetadataIn] = Field(default_factory=list)


class IntegratedClassifiedCreate(ClassifiedUpdate):
    """Image classification task whose file lies in a connected bucket."""

    project: Name
    file_path: Name
    storage_type: Name
