"""THE table: what distinguishes the kinds of task. Everything that differs between kinds is a column here."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

MB = 1024 * 1024


@dataclass
class Limits:
    """Largest files and folders that may be sent, checked before a byte goes out.

    The defaults are those of FastLabel's documentation. Where its own SDK is wider (PCD: 100 MB), widen them on the
    client: ``client.limits.pcd = 100 * MB``. Sizes are in bytes, a file of exactly that size is allowed.
    """

    image: int = 20 * MB
    video: int = 250 * MB
    text: int = 2 * MB
    audio: int = 120 * MB
    pcd: int = 30 * MB
    dicom: int = 2000 * MB
    sequential_files: int = 250
    multi_image_files: int = 6
    folder_characters: int = 536_870_000
    """Sum over the files of a folder of the length of ``{"name": ..., "file": base64}`` as JSON: 512 MB in FastLabel's
    words.
    """


@dataclass(frozen=True)
class Media:
    """What a file must be.

    :param name: the field of :class:`Limits` that bounds its size.
    :param extensions: allowed extensions in lower case.
    :param h264: whether it must be an MP4 container with H.264 video.
    """

    name: Literal["image", "video", "text", "audio", "pcd", "dicom"]
    extensions: tuple[str, ...]
    h264: bool = False


IMAGE = Media("image", ("png", "jpg", "jpeg"))
VIDEO = Media("video", ("mp4",), h264=True)
TEXT = Media("text", ("txt",))
AUDIO = Media("audio", ("mp3", "wav", "m4a"))
PCD = Media("pcd", ("pcd",))
DICOM = Media("dicom", ("zip",))


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    :param name: as in the method names: ``create_<name>_task``.
    :param path: route below the base URL.
    :param media: what its file or files must be; ``None`` if tasks of this kind are created without.
    :param holder: the field that carries the labels.
    :param default_limit: default page size of its list.
    :param page_maximum: largest page the server gives.
    :param checked: whether a larger ``limit`` is refused before sending, as FastLabel's SDK does.
    :param max_files: the field of :class:`Limits` that bounds the number of files of a folder; ``None`` for a single
        file.
    :param content_on_create: whether the task's name is put into sent annotations as ``content``.
    :param content_on_update: whether an empty ``content`` is put into sent annotations, for the server to fill in.
    """

    name: str
    path: str
    media: Media | None
    holder: Literal["annotations", "attributes"] = "annotations"
    default_limit: int = 100
    page_maximum: int = 1000
    checked: bool = True
    max_files: Literal["sequential_files", "multi_image_files"] | None = None
    content_on_create: bool = False
    content_on_update: bool = False


def _single(name: str, media: Media, *, page: int = 1000) -> Kind:
    default = min(page, 100)
    return Kind(
        name, f"tasks/{name}", media, "annotations", default, page, content_on_create=True, content_on_update=True
    )


def _classification(family: str, media: Media) -> Kind:
    return Kind(f"{family}_classification", f"tasks/{family}/classification", media, "attributes", checked=False)


_ROWS = (
    _single("image", IMAGE),
    _classification("image", IMAGE),
    Kind(
        "multi_image_classification", "tasks/multi-image/classification", IMAGE, "attributes",
        checked=False, max_files="multi_image_files",
    ),
    Kind("sequential_image", "tasks/sequential-image", IMAGE, "annotations", 10, 10, max_files="sequential_files"),
    _single("video", VIDEO, page=10),
    _classification("video", VIDEO),
    _single("text", TEXT),
    _classification("text", TEXT),
    _single("audio", AUDIO),
    _classification("audio", AUDIO),
    Kind("multi_modal_video_audio", "tasks/multi-modal-video-audio", None, "annotations", 10, 10),
    _single("pcd", PCD),
    Kind(
        "sequential_pcd", "tasks/sequential-pcd", PCD, "annotations", 10, 10,
        max_files="sequential_files", content_on_update=True,
    ),
    Kind("dicom", "tasks/dicom", DICOM),
    Kind("robotics", "tasks/robotics", None, "annotations", 100, 100),
)  # fmt: skip

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ROWS})
"""All kinds by name."""


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    :raises FastLabelInvalidException: if there is none of this name.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise FastLabelInvalidException(
            f"{name!r} is no kind of task; the kinds are {', '.join(KINDS)}.", 422
        ) from None


def kind_of_project_type(project_type: str) -> Kind:
    """Return the kind of task that a project of this type holds.

    ``image_bbox`` holds ``image`` tasks, ``video_single_classification`` holds ``video_classification`` tasks.

    :param project_type: ``type`` of the project object. Types FastLabel adds later are understood by their first and
        last words.
    :raises FastLabelInvalidException: if it is not recognised.
    """
    if project_type.startswith("multi_image_") and project_type not in KINDS:
        return KINDS["sequential_image"]  # the name of sequential images before July 2023
    for family in sorted(KINDS, key=len, reverse=True):
        if project_type == family or project_type.startswith(f"{family}_"):
            classifies = project_type.endswith("_classification")
            return KINDS.get(f"{family}_classification", KINDS[family]) if classifies else KINDS[family]
    raise FastLabelInvalidException(
        f"Project type {shortened(project_type)} is not known; the kinds are {', '.join(KINDS)}.", 422
    )
