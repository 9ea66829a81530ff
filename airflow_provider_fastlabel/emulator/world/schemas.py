"""What the API accepts, in its own spelling; unknown fields are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import fastapi
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from airflow_provider_fastlabel.emulator.world.kinds import PROJECT_TYPES
from airflow_provider_fastlabel.emulator.world.state import lenient

_MOST = 1_000_000_000
_CLASS_VALUE = re.compile(r"[A-Za-z0-9_-]+")
"""What FastLabel's help page lets a class value be, and the hyphen that the examples of its README have."""

_NAMES_ARE_OURS = tuple(int(part) for part in fastapi.__version__.split(".")[:2]) < (0, 124)
"""Whether FastAPI hands a query over by the names of our fields; later releases do so by those on the wire."""


def _printable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


def _class_value(text: str) -> str:
    if not lenient.get() and not _CLASS_VALUE.fullmatch(text):
        raise ValueError(f"must be of ASCII letters, digits, underscores and hyphens, not {text!r}")
    return text


Text = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_printable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_printable)]
ClassValue = Annotated[Name, AfterValidator(_class_value)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=255)]
Number = int | float
Status = Literal["pending", "registered", "completed", "skipped", "reviewed", "sent_back", "approved", "declined"]
ExternalStatus = Literal[Status, "customer_declined"]
CustomStatus = Annotated[str, StringConstraints(pattern=r"^(registered|pending|workflow_[1-6]_(completed|declined))$")]
Priority = Literal[0, 10, 20, 30]
if TYPE_CHECKING:
    ProjectType = str
else:
    ProjectType = Literal[PROJECT_TYPES]
Workflow = Literal["two_step", "three_step"]
AttributeType = Literal["text", "textarea", "number", "select", "radio", "checkbox", "switch", "frameSelect"]
ClassType = Literal[
    "bbox", "polygon", "keypoint", "line", "circle", "segmentation", "classification", "pose_estimation",
    "ner", "cuboid", "sub_task",
]  # fmt: skip
Tags = list[Name]
FilterTags = Annotated[list[Name], Field(max_length=10)]


class Wire(BaseModel):
    """Base of all: camelCase on the wire, no unknown fields unless the emulator is lenient."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", alias_generator=to_camel, allow_inf_nan=False, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_unknown(cls, data: Any) -> Any:
        if not lenient.get() or not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if key in known}

    @model_validator(mode="before")
    @classmethod
    def _by_wire_name(cls, data: Any) -> Any:
        if not _NAMES_ARE_OURS or not isinstance(data, dict):
            return data
        aliases = {name: field.alias or name for name, field in cls.model_fields.items()}
        return {aliases.get(name, name): value for name, value in data.items()}


# Queries


class Page(Wire):
    """Paging of a list; the maximum is checked by the route."""

    offset: int = Field(0, ge=0, le=_MOST)
    limit: int | None = Field(None, ge=0, le=_MOST)


class ProjectPage(Page):
    """A page of one project's things."""

    project: Name


class TaskFilter(Wire):
    """What ``tasks/count`` takes."""

    project: Name
    status: Status | None = None
    external_status: ExternalStatus | None = None
    tags: FilterTags = Field(default_factory=list)


class TaskQuery(TaskFilter):
    """The list filter group."""

    task_name: str | None = None
    offset: int = Field(0, ge=0, le=_MOST)
    limit: int | None = Field(None, ge=0, le=_MOST)


class PrefixQuery(Wire):
    """Which split task to merge."""

    project: Name
    prefix: Name


class ClassQuery(ProjectPage):
    """A page of annotation classes."""

    value: str | None = None


class ProjectQuery(Page):
    """A page of projects."""

    slug: str | None = None


class TagQuery(ProjectPage):
    """A page of tags."""

    keyword: str | None = None


class FileQuery(Wire):
    """What a signed upload address is asked for."""

    project: Name
    file_name: Name
    file_type: Literal["application/zip"]


# Annotations of tasks


class AttributeIn(Wire):
    """One attribute value; display fields of a fetched object are accepted and ignored."""

    key: Text
    value: bool | int | float | str | list[str] | list[Number] | list[list[Number]] | None = None
    name: Any = None
    type: Any = None
    title: Any = None


class KeypointIn(Wire):
    """One keypoint of a pose."""

    key: Text
    value: list[Number] = Field(default_factory=list, max_length=3)
    name: Any = None
    edges: Any = None


class AnnotationIn(Wire):
    """One annotation; display fields of a fetched object are accepted and ignored."""

    type: Text
    value: Text
    attributes: list[AttributeIn] = Field(default_factory=list)
    points: Any = None
    keypoints: list[KeypointIn] = Field(default_factory=list)
    rotation: Annotated[Number, Field(ge=-180, le=360)] = 0
    confidence_score: Number = -1
    content: Text | None = None
    start: Number | None = None
    end: Number | None = None
    text: Text | None = None
    id: Any = None
    title: Any = None
    color: Any = None
    content_id: Any = None
    order: Any = None
    autogenerated: bool | None = None


class RelationIn(Wire):
    """A link between two annotations of the same call."""

    start_index: int = Field(ge=0)
    end_index: int = Field(ge=0)


class MetadataIn(Wire):
    """One metadata value of a task."""

    key: Name
    value: str | bool | Number | None = None


class ContentIn(Wire):
    """One file of a task made of several."""

    name: Name
    file: str


# Definitions


class OptionIn(Wire):
    """One choice of a select, radio or checkbox attribute."""

    title: Text
    value: Name


class AttributeDefinition(Wire):
    """One attribute of an annotation class."""

    id: str | None = None
    key: Name
    name: Text
    type: AttributeType
    options: list[OptionIn] = Field(default_factory=list)
    value: Any = None
    order: int | None = Field(None, ge=0, le=_MOST)


class ClassUpdate(Wire):
    """Update of an annotation class."""

    value: ClassValue | None = None
    title: Text | None = None
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] | None = None
    order: int | None = Field(None, ge=0, le=_MOST)
    attributes: list[AttributeDefinition] = Field(default_factory=list)
    max_area_count: int | None = Field(None, ge=1, le=_MOST)


class ClassCreate(ClassUpdate):
    """New annotation class."""

    project: Name
    type: ClassType
    value: ClassValue = Field()
    title: Text = Field()


class ClassificationCreate(Wire):
    """The one class of a classification project."""

    project: Name
    attributes: list[AttributeDefinition]


class ClassificationUpdate(Wire):
    """Its update."""

    attributes: list[AttributeDefinition]


class ProjectUpdate(Wire):
    """Update of a project."""

    name: Name | None = None
    slug: Slug | None = None
    job_size: int | None = Field(None, ge=1, le=10_000)
    workflow: Workflow | None = None
    external_workflow: Workflow | None = None


class ProjectCreate(ProjectUpdate):
    """New project."""

    type: ProjectType
    name: Name = Field()
    slug: Slug = Field()
    is_pixel: bool = False
    job_size: int = Field(10, ge=1, le=10_000)
    workflow: Workflow = "two_step"
    external_workflow: Workflow = "two_step"


class ProjectCopy(Wire):
    """Copy of a project."""

    id: Name
    name: Name | None = None
    slug: Slug | None = None


class TagDelete(Wire):
    """Tags to remove."""

    tag_ids: list[Name]


# Imports


class StoragePut(Wire):
    """S3 bucket of a project."""

    bucket_name: Name
    bucket_region: Name
    prefix: Text | None = None


class S3Import(Wire):
    """Import of a project's bucket."""

    project: Name
    status: Status = "registered"
    tags: Tags = Field(default_factory=list)
    priority: Priority = 0


# Models


class MonitoredValue(Wire):
    """One inferred class."""

    value: Text
    confidence_score: float = Field(ge=0, le=1)


class MonitoredResult(Wire):
    """Result of one model call."""

    status: Literal["success", "failed"]
    result: list[MonitoredValue] = Field(default_factory=list)
    request_at: Text


class MonitoringCreate(Wire):
    """Results for one monitoring setting."""

    name: Name
    results: list[MonitoredResult]


class EndpointExecute(Wire):
    """Call of a model endpoint."""

    model_endpoint_name: Name
    file: str
