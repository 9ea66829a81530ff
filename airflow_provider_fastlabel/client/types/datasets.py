"""Datasets and their files."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

DatasetVisibility: TypeAlias = Literal["workspace", "public", "organization"]

DatasetObjectType: TypeAlias = Literal["none", "train", "valid", "test"]


class Dataset(TypedDict):
    """A dataset."""

    id: str
    name: str
    tags: list[str]
    visibility: str
    license: str | None
    createdAt: str
    updatedAt: str


class DatasetObject(TypedDict):
    """One file of a dataset. The list of signed addresses adds ``type`` and ``signedUrl``."""

    name: str
    size: int  # bytes
    height: NotRequired[int | None]
    width: NotRequired[int | None]
    tags: list[str]
    licenses: NotRequired[list[str]]
    annotations: list[dict[str, Any]]
    customMetadata: dict[str, str] | None
    createdAt: NotRequired[str]
    updatedAt: NotRequired[str]
    type: NotRequired[DatasetObjectType]
    signedUrl: NotRequired[str]
