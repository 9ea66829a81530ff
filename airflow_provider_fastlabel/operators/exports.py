"""Exports the labelled tasks of a project, one operator per format."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.formats.writing.naming import (
    BESIDE_IMAGES,
    BESIDE_JSON,
    BESIDE_OWN_FILES,
    OWN_FILES,
    safe_name,
)
from airflow_provider_fastlabel.operators.export_base import FastLabelExportOperator
from airflow_provider_fastlabel.utils.numbers import MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.operators.export_base import Task
    from airflow_provider_fastlabel.utils.numbers import Number

__all__ = [
    "FastLabelExportAnnotatedImagesOperator",
    "FastLabelExportCocoOperator",
    "FastLabelExportLabelmeOperator",
    "FastLabelExportMasksOperator",
    "FastLabelExportPascalVocOperator",
    "FastLabelExportYoloOperator",
]


class FastLabelExportCocoOperator(FastLabelExportOperator):
    """Export a project as one COCO file.

    Boxes, polygons, segmentations (run lengths where there are holes) and poses; other annotations are counted as left
    out. Category ids start at 1 in the order of the project's classes.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param file_name: name of the file, ending in ``.json``; not ``manifest.json`` or another name of ours.
    :param clip: cut shapes at the image's border, and count them.
    :param box_margin: of a pose, the share of the keypoints' extent by which its box grows on each side.
        Templated.
    """

    template_fields: Sequence[str] = (*FastLabelExportOperator.template_fields, "box_margin")
    numbers: ClassVar[Mapping[str, Number]] = {**FastLabelExportOperator.numbers, "box_margin": MARGIN}

    format = "coco"
    first_class_id: int = 1

    def __init__(
        self, *, file_name: str = "annotations.json", clip: bool = True, box_margin: float | str = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.box_margin: Any = box_margin
        if (
            PurePosixPath(file_name).name != file_name
            or not file_name.endswith(".json")
            or file_name.casefold() in OWN_FILES
        ):
            raise ValueError(f"file_name is a plain name ending in .json, and none of {OWN_FILES}, not {file_name!r}")
        self.file_name = file_name
        self.clip = clip

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


class FastLabelExportYoloOperator(FastLabelExportOperator):
    """Export a project as YOLO label files.

    ``layout="fastlabel"`` gives ``annotations/<name>.txt`` and ``classes.txt``. ``layout="ultralytics"`` gives a folder
    that can be trained on as it is: ``images/<split>/``, ``labels/<split>/``, ``data.yaml``; images are included unless
    ``include_images`` is set to ``False``. Class ids start at 0 in the order of the project's classes.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param yolo_task: what the rows are: ``detect``, ``segment``, ``pose`` or ``obb``.
    :param layout: ``fastlabel`` or ``ultralytics``.
    :param splits: for ``ultralytics``: the share of each split, summing to 1; default 0.8 ``train`` and 0.2 ``val``. A
        task stays in its split when others are added. Of few images the shares are far from that: the result's
        ``splits`` and the log say how far.
    :param split_group: for ``ultralytics``: regular expression searched in the task's name; tasks with the same match
        (its first group, if it has one) stay in one split, for instance ``r"^[^/]+"`` for the first folder. Frames of
        one sequence or video always stay together.
    :param include_images: also download the images; by default for the ``ultralytics`` layout only.
    :param box_margin: of a pose, the share of the keypoints' extent by which its box grows on each side.
        Templated.
    """

    template_fields: Sequence[str] = (*FastLabelExportOperator.template_fields, "box_margin")
    numbers: ClassVar[Mapping[str, Number]] = {**FastLabelExportOperator.numbers, "box_margin": MARGIN}

    format = "yolo"

    def __init__(
        self,
        *,
        yolo_task: Literal["detect", "segment", "pose", "obb"] = "detect",
        layout: Literal["fastlabel", "ultralytics"] = "fastlabel",
        splits: Mapping[str, float] | None = None,
        split_group: str | None = None,
        include_images: bool | None = None,
        box_margin: float | str = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(include_images=layout == "ultralytics" if include_images is None else include_images, **kwargs)
        if layout == "fastlabel" and (splits or split_group):
            raise ValueError("splits and split_group need layout='ultralytics'")
        if split_group is not None:
            re.compile(split_group)
        self.yolo_task: Literal["detect", "segment", "pose", "obb"] = yolo_task
        self.layout: Literal["fastlabel", "ultralytics"] = layout
        self.splits = splits
        self.split_group = split_group
        self.box_margin: Any = box_margin

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


class FastLabelExportPascalVocOperator(FastLabelExportOperator):
    """Export a project as Pascal VOC files, ``annotations/<name>.xml``.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param corners: ``one_based`` as the VOC devkit says (pixels counted from 1, both ends inside), or ``zero_based`` as
        labelImg writes.
    :param clip: cut shapes at the image's border, and count them.
    """

    format = "pascalvoc"

    def __init__(
        self, *, corners: Literal["one_based", "zero_based"] = "one_based", clip: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.corners: Literal["one_based", "zero_based"] = corners
        self.clip = clip

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


class FastLabelExportLabelmeOperator(FastLabelExportOperator):
    """Export a project as labelme files, ``<name>.json``.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param clip: cut shapes at the image's border, and count them.
    :param include_images: also download the images, beside their files, where labelme looks for them.
    """

    format = "labelme"
    reserved = BESIDE_JSON

    def __init__(self, *, clip: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clip = clip

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


class FastLabelExportMasksOperator(FastLabelExportOperator):
    """Export a project as index masks, ``<name>.png``, with a table of the indexes.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param mask_kind: ``semantic``: a pixel's index is that of the class; ``instance``: that of the object.
    :param start_index: index of the first class or object; 0 is the background's unless this is 0.
    """

    format = "masks"
    reserved = BESIDE_IMAGES

    def __init__(
        self, *, mask_kind: Literal["semantic", "instance"] = "semantic", start_index: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.mask_kind: Literal["semantic", "instance"] = mask_kind
        self.start_index = start_index
        self.first_class_id: int = start_index

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


class FastLabelExportAnnotatedImagesOperator(FastLabelExportOperator):
    """Export the images of a project with their annotations drawn on them, named like the tasks.

    For ``project``, ``output`` and the rest see :class:`FastLabelExportOperator`.
    """

    format = "annotated_images"
    reserved = BESIDE_OWN_FILES

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
        """Draw; see the base class."""
        from airflow_provider_fastlabel.formats.drawings import export_drawings

        assert images is not None
        # The writer lists the images first: all of them must be there before the first task comes.
        with tempfile.TemporaryFile("w+", dir=Path(images).parent, encoding="utf-8") as kept:
            for task in tasks:
                kept.write(json.dumps(task) + "\n")
            kept.seek(0)
            return export_drawings(
                map(json.loads, kept), images, folder, classes=classes, on_error=self.on_error, left_out=left_out
            )
