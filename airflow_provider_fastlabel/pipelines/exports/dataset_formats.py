"""The formats in which a data set is published: where its pictures go, and which writer is called with what."""

from __future__ import annotations

import re
import tempfile
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.formats.writing.naming import (
    BESIDE_IMAGES,
    BESIDE_JSON,
    BESIDE_OWN_FILES,
    OWN_FILES,
    safe_name,
)
from airflow_provider_fastlabel.formats.yolo.splits import checked_splits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.formats.writing.stage import OnError

    Task = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DatasetFormat(ABC):
    """What a data set of one format needs beside the labels; use one of its subclasses.

    :param include_images: whether the images belong to the data set.
    :param on_error: ``raise`` at the first malformed annotation, or ``skip`` such and count them.
    """

    name: ClassVar[str]
    """Name of the format, for the manifest."""
    reserved: ClassVar[re.Pattern[str] | None] = None
    """Where the paths of images need a ``_``, so that they meet no other file of the format."""

    include_images: bool = False
    on_error: OnError = "raise"

    @property
    def first_class_id(self) -> int:
        """Id of the first class."""
        return 0

    @property
    def wants_images(self) -> bool:
        """Whether the images are needed at all."""
        return self.include_images

    def images_folder(self, work: Path, folder: Path) -> Path | None:
        """Say where images are brought to.

        :param work: folder for work, on the same file system; it is not published.
        :param folder: folder of the data set.
        :returns: the folder, or ``None`` when images are not wanted.
        """
        del work
        return folder / "images" if self.include_images else None

    def earlier_places(self, name: str) -> Sequence[str]:
        """Return where in a published data set the image of a task may lie.

        :param name: the task's name.
        :returns: relative paths, the likeliest first.
        """
        return (f"images/{safe_name(name)}",)

    @abstractmethod
    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the tasks.

        :param tasks: image tasks, or the frames of sequences and videos as such; to be read once.
        :param folder: existing folder of the data set.
        :param classes: the project's classes with their ids.
        :param images: folder in which a task's image lies when the task comes; ``None`` if images are not wanted.
        :param left_out: the list of what is left out, which a writer fills.
        :returns: what was done.
        """


@dataclass(frozen=True, kw_only=True)
class CocoFormat(DatasetFormat):
    """One COCO file.

    :param file_name: name of the file, ending in ``.json``; not ``manifest.json`` or another name of ours.
    :param clip: cut shapes at the image's border, and count them.
    :param box_margin: of a pose, the share of the keypoints' extent by which its box grows on each side.
    :raises ValueError: the file cannot be called so.
    """

    name: ClassVar[str] = "coco"

    file_name: str = "annotations.json"
    clip: bool = True
    box_margin: float = 0

    def __post_init__(self) -> None:
        name = self.file_name
        if PurePosixPath(name).name != name or not name.endswith(".json") or name.casefold() in OWN_FILES:
            raise ValueError(f"file_name is a plain name ending in .json, and none of {OWN_FILES}, not {name!r}")

    @property
    def first_class_id(self) -> int:
        """Categories are counted from 1."""
        return 1

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the COCO file; see the base class."""
        from airflow_provider_fastlabel.formats.coco import export_coco

        del images
        return export_coco(
            tasks,
            folder,
            classes=classes,
            file_name=self.file_name,
            clip=self.clip,
            box_margin=self.box_margin,
            on_error=self.on_error,
            left_out=left_out,
        )


@dataclass(frozen=True, kw_only=True)
class YoloFormat(DatasetFormat):
    """YOLO label files.

    :param yolo_task: what the rows are: ``detect``, ``segment``, ``pose`` or ``obb``.
    :param layout: ``fastlabel`` or ``ultralytics``.
    :param splits: for ``ultralytics``: the share of each split, summing to 1; ``None`` for 0.8 ``train``, 0.2 ``val``.
    :param split_group: for ``ultralytics``: regular expression searched in the task's name; tasks with the same match
        (its first group, if it has one) stay in one split.
    :param box_margin: of a pose, the share of the keypoints' extent by which its box grows on each side.
    :raises ValueError: splits are given for a layout that has none, or are no shares of a whole; or the expression is
        none.
    """

    name: ClassVar[str] = "yolo"

    yolo_task: Literal["detect", "segment", "pose", "obb"] = "detect"
    layout: Literal["fastlabel", "ultralytics"] = "fastlabel"
    splits: Mapping[str, float] | None = None
    split_group: str | None = None
    box_margin: float = 0

    def __post_init__(self) -> None:
        if self.layout == "fastlabel" and (self.splits or self.split_group):
            raise ValueError("splits and split_group need layout='ultralytics'")
        if self.splits:
            checked_splits(self.splits)
        if self.split_group is not None:
            re.compile(self.split_group)

    def images_folder(self, work: Path, folder: Path) -> Path | None:
        """Keep images aside for the ``ultralytics`` layout, whose writer links them into its splits."""
        if self.layout == "ultralytics" and self.include_images:
            return work / "images"
        return super().images_folder(work, folder)

    def earlier_places(self, name: str) -> Sequence[str]:
        """Return the image's path in each split of the ``ultralytics`` layout."""
        from airflow_provider_fastlabel.formats.yolo import image_paths

        return image_paths(name, self.splits) if self.layout == "ultralytics" else super().earlier_places(name)

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the label files; see the base class."""
        from airflow_provider_fastlabel.formats.yolo import export_yolo

        return export_yolo(
            tasks,
            folder,
            classes=classes,
            task=self.yolo_task,
            layout=self.layout,
            splits=self.splits,
            group_by=self._group,
            image_dir=images if self.layout == "ultralytics" else None,
            box_margin=self.box_margin,
            on_error=self.on_error,
            left_out=left_out,
        )

    def _group(self, task: Task) -> str:
        """Return what must stay together with a task."""
        name = str(task.get("source_name") or task["name"])
        found = re.search(self.split_group, name) if self.split_group else None
        if found is None:
            return name
        return found.group(1 if found.re.groups else 0) or name


@dataclass(frozen=True, kw_only=True)
class PascalVocFormat(DatasetFormat):
    """Pascal VOC files, ``annotations/<name>.xml``.

    :param corners: ``one_based`` as the VOC devkit says (pixels counted from 1, both ends inside), or ``zero_based`` as
        labelImg writes.
    :param clip: cut shapes at the image's border, and count them.
    """

    name: ClassVar[str] = "pascalvoc"

    corners: Literal["one_based", "zero_based"] = "one_based"
    clip: bool = True

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the XML files; see the base class."""
        from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc

        del images
        return export_pascalvoc(
            tasks,
            folder,
            classes=classes,
            corners=self.corners,
            clip=self.clip,
            on_error=self.on_error,
            left_out=left_out,
        )


@dataclass(frozen=True, kw_only=True)
class LabelmeFormat(DatasetFormat):
    """labelme files, ``<name>.json``, with the images beside them.

    :param clip: cut shapes at the image's border, and count them.
    """

    name: ClassVar[str] = "labelme"
    reserved: ClassVar[re.Pattern[str] | None] = BESIDE_JSON

    clip: bool = True

    def images_folder(self, work: Path, folder: Path) -> Path | None:
        """Put images beside their files."""
        del work
        return folder if self.include_images else None

    def earlier_places(self, name: str) -> Sequence[str]:
        """Return the image's path beside its file."""
        return (safe_name(name),)

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the JSON files; see the base class."""
        from airflow_provider_fastlabel.formats.labelme import export_labelme

        del images
        return export_labelme(tasks, folder, classes=classes, clip=self.clip, on_error=self.on_error, left_out=left_out)


@dataclass(frozen=True, kw_only=True)
class MasksFormat(DatasetFormat):
    """Index masks, ``<name>.png``, with a table of the indexes.

    :param mask_kind: ``semantic``: a pixel's index is that of the class; ``instance``: that of the object.
    :param start_index: index of the first class or object; 0 is the background's unless this is 0.
    """

    name: ClassVar[str] = "masks"
    reserved: ClassVar[re.Pattern[str] | None] = BESIDE_IMAGES

    mask_kind: Literal["semantic", "instance"] = "semantic"
    start_index: int = 1

    @property
    def first_class_id(self) -> int:
        """The first index is the first class's."""
        return self.start_index

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the masks; see the base class."""
        from airflow_provider_fastlabel.formats.masks import export_masks

        del images
        return export_masks(
            tasks,
            folder,
            kind=self.mask_kind,
            classes=classes,
            start_index=self.start_index,
            on_error=self.on_error,
            left_out=left_out,
        )


@dataclass(frozen=True, kw_only=True)
class DrawingsFormat(DatasetFormat):
    """The images with their annotations drawn on them, named like the tasks."""

    name: ClassVar[str] = "annotated_images"
    reserved: ClassVar[re.Pattern[str] | None] = BESIDE_OWN_FILES

    @property
    def wants_images(self) -> bool:
        """They are drawn on."""
        return True

    def images_folder(self, work: Path, folder: Path) -> Path | None:
        """Keep the plain images aside."""
        del folder
        return work / "images"

    def earlier_places(self, name: str) -> Sequence[str]:
        """Return nothing: the images are drawn on."""
        del name
        return ()

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Draw; see the base class.

        :raises ImageError: a picture cannot be drawn on, with ``on_error="raise"``.
        """
        from airflow_provider_fastlabel.formats.drawings import export_drawings
        from airflow_provider_fastlabel.formats.drawings.write import ImageError
        from airflow_provider_fastlabel.formats.writing.folder import Kept

        assert images is not None
        # All pictures come before the first is drawn on: pages of tasks and drawings together would take more memory.
        with tempfile.TemporaryFile(dir=Path(images).parent) as spool:
            kept = Kept(tasks, spool)
            deque(kept, maxlen=0)
            try:
                return export_drawings(kept, images, folder, classes=classes, on_error=self.on_error, left_out=left_out)
            except ImageError as error:
                raise ImageError(
                    f"{error}. Nothing was published; what is there stays. The picture of a task at FastLabel is "
                    "replaced by importing a sound one under another name and deleting the task"
                ) from error
