"""The one table of task kinds: path, project types, media, limits, page maximum, annotation types."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

MB = 1024 * 1024

IMAGE = ("png", "jpg", "jpeg")
AUDIO = ("mp3", "wav", "m4a")

Media = Literal["image", "video", "plain", "none"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets one kind of task apart.

    :param name: our word for it, as in the client's method names (``find_<name>_task``).
    :param path: below ``tasks/``.
    :param project_types: project types whose tasks are of this kind.
    :param types: annotation types a task may carry; empty for classification kinds.
    :param extensions: accepted file extensions, lower case.
    :param file_bytes: largest single file.
    :param file_count: most files of one task; 1 means the body carries ``file`` instead of ``contents``.
    :param page: largest page of the list call.
    :param default_page: page size when the caller names none.
    :param media: how the size of the picture is found out.
    :param framed: whether ``points`` are keyed by frame number.
    """

    name: str
    path: str
    project_types: tuple[str, ...]
    types: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    file_bytes: int = 0
    file_count: int = 1
    page: int = 1000
    default_page: int = 100
    media: Media = "plain"
    framed: bool = False

    @property
    def classified(self) -> bool:
        """Whether a task carries ``attributes`` instead of ``annotations``."""
        return not self.types

    @property
    def has_contents(self) -> bool:
        """Whether a task is made of several files."""
        return self.file_count != 1


_SHAPES = ("bbox", "polygon", "keypoint", "line", "segmentation")
_IMAGE_TYPES = (*_SHAPES, "circle", "pose_estimation")

_ROWS = (
    Kind(
        "image",
        "image",
        tuple(f"image_{t}" for t in (*_SHAPES, "pose_estimation", "all")),
        _IMAGE_TYPES,
        IMAGE,
        20 * MB,
        media="image",
    ),
    Kind("image_classification", "image/classification", ("image_classification",), (), IMAGE, 20 * MB, media="image"),
    Kind(
        "multi_image_classification",
        "multi-image/classification",
        ("multi_image_classification",),
        (),
        IMAGE,
        20 * MB,
        file_count=6,
        media="image",
    ),
    Kind(
        "sequential_image",
        "sequential-image",
        tuple(f"sequential_image_{t}" for t in _SHAPES),
        _SHAPES,
        IMAGE,
        20 * MB,
        file_count=250,
        page=10,
        default_page=10,
        media="image",
    ),
    Kind(
        "video",
        "video",
        ("video_bbox", "video_keypoint", "video_line"),
        ("bbox", "keypoint", "line"),
        ("mp4",),
        250 * MB,
        page=10,
        default_page=10,
        media="video",
        framed=True,
    ),
    Kind(
        "video_classification",
        "video/classification",
        ("video_single_classification",),
        (),
        ("mp4",),
        250 * MB,
        media="video",
    ),
    Kind("text", "text", ("text_ner",), ("ner",), ("txt",), 2 * MB),
    Kind("text_classification", "text/classification", ("text_single_classification",), (), ("txt",), 2 * MB),
    Kind("audio", "audio", ("audio_segmentation",), ("segmentation",), AUDIO, 120 * MB),
    Kind("audio_classification", "audio/classification", ("audio_single_classification",), (), AUDIO, 120 * MB),
    Kind(
        "multi_modal_video_audio",
        "multi-modal-video-audio",
        ("multi_modal_video_audio_segmentation",),
        ("segmentation",),
        (),
        file_count=0,
        page=10,
        default_page=10,
        media="none",
    ),
    Kind("pcd", "pcd", ("pcd_cuboid", "pcd_segmentation"), ("cuboid", "segmentation"), ("pcd",), 100 * MB),
    Kind(
        "sequential_pcd",
        "sequential-pcd",
        ("sequential_pcd_cuboid",),
        ("cuboid",),
        ("pcd",),
        100 * MB,
        file_count=250,
        page=10,
        default_page=10,
        framed=True,
    ),
    Kind("dicom", "dicom", ("dicom_bbox",), ("bbox",), ("zip",), 2000 * MB, media="none"),
    Kind(
        "robotics",
        "robotics",
        ("robotics_task_classification",),
        ("sub_task",),
        ("zip",),
        file_count=0,
        page=100,
        media="none",
    ),
)

KINDS = MappingProxyType({kind.name: kind for kind in _ROWS})
"""Every kind by its name."""

KIND_OF_PROJECT_TYPE = MappingProxyType({t: kind for kind in _ROWS for t in kind.project_types})
"""The kind of a project's tasks by the project's type."""

PROJECT_TYPES = tuple(KIND_OF_PROJECT_TYPE)
"""Every project type the emulator knows."""

STATUSES = ("pending", "registered", "completed", "skipped", "reviewed", "sent_back", "approved", "declined")
"""Statuses of a task."""

LARGEST_FILE = 250 * MB
"""Most bytes of any file that comes in a JSON body: a video, or an object of a dataset."""

LARGEST_UPLOAD = 2000 * MB
"""Most bytes of a file that comes to a signed address: a DICOM series."""

CONTENTS_CHARACTERS = 536_870_000
"""Most characters of JSON all ``contents`` of one task may take."""
