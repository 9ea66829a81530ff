"""Files that accompany a point cloud."""

# No postponed annotations here: they would hide NotRequired from whoever asks a class for its required keys.

from typing import Any, Literal, NotRequired, TypedDict


class AppendixData(TypedDict):
    """A file that accompanies a point cloud: a camera image and its calibration."""

    id: str
    url: str
    format: Literal["yml", "kitti"] | None
    calibration: Any
    name: NotRequired[str]
    imageFileName: NotRequired[str]
    calibrationFileName: NotRequired[str | None]
