"""Imports that run inside FastLabel, and those of robot episodes."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, NotRequired, TypedDict


class ImportHistory(TypedDict):
    """One import that runs inside FastLabel (DICOM zip, bucket)."""

    id: str
    storageType: str
    status: str  # running, completed; the failure value is not documented
    createdAt: str
    updatedAt: str
    type: NotRequired[str]
    msgCode: NotRequired[str]
    msgLevel: NotRequired[str]
    userName: NotRequired[str]
    count: NotRequired[int]


class LeRobotResult(TypedDict):
    """The fate of one episode of a LeRobot import."""

    episode_index: int
    episode: str
    success: bool
    result: dict[str, Any]
