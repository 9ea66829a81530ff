"""Exports the labelled tasks of a project, one operator per format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.operators.export_base import FastLabelExportOperator
from airflow_provider_fastlabel.pipelines.exports.dataset_formats import (
    CocoFormat,
    DrawingsFormat,
    LabelmeFormat,
    MasksFormat,
    PascalVocFormat,
    YoloFormat,
)
from airflow_provider_fastlabel.utils.numbers import MARGIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.exports.dataset_formats import DatasetFormat
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

    def __init__(
        self, *, file_name: str = "annotations.json", clip: bool = True, box_margin: float | str = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.box_margin: Any = box_margin
        self.file_name = file_name
        self.clip = clip
        self.dataset_format()  # a wrong argument is refused where the DAG is parsed

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return CocoFormat(
            include_images=self.include_images,
            on_error=self.on_error,
            file_name=self.file_name,
            clip=self.clip,
            box_margin=self.box_margin,
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
        self.yolo_task: Literal["detect", "segment", "pose", "obb"] = yolo_task
        self.layout: Literal["fastlabel", "ultralytics"] = layout
        self.splits = splits
        self.split_group = split_group
        self.box_margin: Any = box_margin
        self.dataset_format()  # a wrong argument is refused where the DAG is parsed

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return YoloFormat(
            include_images=self.include_images,
            on_error=self.on_error,
            yolo_task=self.yolo_task,
            layout=self.layout,
            splits=self.splits,
            split_group=self.split_group,
            box_margin=self.box_margin,
        )


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

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return PascalVocFormat(
            include_images=self.include_images, on_error=self.on_error, corners=self.corners, clip=self.clip
        )


class FastLabelExportLabelmeOperator(FastLabelExportOperator):
    """Export a project as labelme files, ``<name>.json``.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param clip: cut shapes at the image's border, and count them.
    :param include_images: also download the images, beside their files, where labelme looks for them.
    """

    format = "labelme"

    def __init__(self, *, clip: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clip = clip

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return LabelmeFormat(include_images=self.include_images, on_error=self.on_error, clip=self.clip)


class FastLabelExportMasksOperator(FastLabelExportOperator):
    """Export a project as index masks, ``<name>.png``, with a table of the indexes.

    For ``project``, ``output``, ``include_images`` and the rest see :class:`FastLabelExportOperator`.

    :param mask_kind: ``semantic``: a pixel's index is that of the class; ``instance``: that of the object.
    :param start_index: index of the first class or object; 0 is the background's unless this is 0.
    """

    format = "masks"

    def __init__(
        self, *, mask_kind: Literal["semantic", "instance"] = "semantic", start_index: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.mask_kind: Literal["semantic", "instance"] = mask_kind
        self.start_index = start_index

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return MasksFormat(
            include_images=self.include_images,
            on_error=self.on_error,
            mask_kind=self.mask_kind,
            start_index=self.start_index,
        )


class FastLabelExportAnnotatedImagesOperator(FastLabelExportOperator):
    """Export the images of a project with their annotations drawn on them, named like the tasks.

    For ``project``, ``output`` and the rest see :class:`FastLabelExportOperator`.
    """

    format = "annotated_images"

    def dataset_format(self) -> DatasetFormat:
        """Return the format as the arguments rendered; see the base class."""
        return DrawingsFormat(include_images=self.include_images, on_error=self.on_error)
