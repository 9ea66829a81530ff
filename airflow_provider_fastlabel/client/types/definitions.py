"""What a project and a workspace define: projects, classes, tags and metadata fields."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, NotRequired, TypedDict


class AttributeOption(TypedDict):
    """One choice of a select, radio or checkbox attribute."""

    title: str
    value: str


class AttributeDefinition(TypedDict):
    """An attribute of an annotation class."""

    id: str
    key: str
    name: str
    type: str
    value: Any  # default
    options: list[AttributeOption]  # empty for free values
    order: int


class AttributeDefinitionInput(TypedDict):
    """An attribute definition as sent; ``options`` required for select, radio and checkbox, ``id`` for updates."""

    type: str
    name: str
    key: str
    options: NotRequired[list[AttributeOption]]
    id: NotRequired[str]


class KeypointDefinition(TypedDict):
    """A keypoint of a pose class."""

    id: str
    key: str
    name: str
    color: str
    edges: list[str]  # ids of the neighbours
    value: list[float]


class AnnotationClass(TypedDict):
    """A class that annotations of a project may have."""

    id: str
    type: str
    value: str  # unique in the project
    title: str
    color: str
    order: int
    vertex: NotRequired[int]  # most vertices allowed, 0 for any number
    attributes: list[AttributeDefinition]
    keypoints: NotRequired[list[KeypointDefinition]]
    createdAt: str
    updatedAt: str


class Project(TypedDict):
    """A project."""

    id: str
    type: str
    slug: str
    name: str
    isPixel: bool
    jobSize: int
    status: str
    createdAt: str
    updatedAt: str


class Tag(TypedDict):
    """A tag of a project."""

    id: str
    name: str
    order: int
    createdAt: str
    updatedAt: str


class MetadataDefinition(TypedDict):
    """A metadata field that a workspace or project defines for its tasks."""

    id: str
    key: str
    type: str
    options: list[Any]
    defaultValue: Any
    order: int
    isAdmin: bool
    isRequired: bool
    createdAt: str
    updatedAt: str
