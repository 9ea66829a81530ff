"""The formats that can be written, by name, and the options of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from airflow_provider_fastlabel.cli.options import given, pairs

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.exports.dataset_formats import DatasetFormat

Written = Literal["coco", "yolo", "pascalvoc", "labelme", "masks", "drawings"]
"""A format in which a data set can be written; drawings are the pictures with their labels drawn on them."""

IncludeImages = Annotated[
    bool | None,
    typer.Option("--include-images/--no-images", help="Put the pictures into the data set. Default: no, but for "
    "YOLO's ultralytics layout."),
]  # fmt: skip
SkipMalformed = Annotated[
    bool, typer.Option("--skip-malformed", help="Leave malformed annotations out, counted, instead of failing.")
]
FileName = Annotated[str | None, typer.Option(help="coco: name of the file.")]
Clip = Annotated[
    bool | None,
    typer.Option("--clip/--no-clip", help="coco, pascalvoc, labelme: cut shapes at the border. Default: yes."),
]  # fmt: skip
BoxMargin = Annotated[
    float | None,
    typer.Option(min=0, help="coco, yolo: share by which the box of a pose grows."),
]
YoloTask = Annotated[
    Literal["detect", "segment", "pose", "obb"] | None,
    typer.Option(help="yolo: what the rows are. Default: detect."),
]
Layout = Annotated[
    Literal["fastlabel", "ultralytics"] | None,
    typer.Option(help="yolo: ultralytics can be trained on as it is."),
]
Splits = Annotated[
    list[str] | None,
    typer.Option("--split", metavar="NAME=SHARE", help="yolo, ultralytics: a split, such as train=0.8. Repeatable."),
]  # fmt: skip
SplitGroup = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="yolo, ultralytics: tasks whose names match alike stay in one split."),
]  # fmt: skip
Corners = Annotated[
    Literal["one_based", "zero_based"] | None,
    typer.Option(help="pascalvoc: how pixels are counted. Default: one_based, as the devkit says."),
]  # fmt: skip
MaskKind = Annotated[
    Literal["semantic", "instance"] | None,
    typer.Option(help="masks: an index for each class, or for each object."),
]
StartIndex = Annotated[int | None, typer.Option(min=0, max=1, help="masks: index of the first class.")]


def format_of(name: Written, options: Mapping[str, Any], *, skip_malformed: bool) -> DatasetFormat:
    """Return a format with its options.

    :param name: of the format.
    :param options: name -> value, ``None`` for not given; ``splits`` as texts NAME=SHARE.
    :param skip_malformed: whether malformed annotations are left out, instead of failing.
    :raises ValueError: an option is none of the format's.
    """
    from airflow_provider_fastlabel.pipelines.exports import dataset_formats as known

    forms: dict[str, type[DatasetFormat]] = {
        "coco": known.CocoFormat,
        "yolo": known.YoloFormat,
        "pascalvoc": known.PascalVocFormat,
        "labelme": known.LabelmeFormat,
        "masks": known.MasksFormat,
        "drawings": known.DrawingsFormat,
    }
    form = forms[name]
    chosen = given(options)
    if splits := pairs("--split", chosen.pop("splits", None), float):
        chosen["splits"] = splits
    if chosen.get("layout") == "ultralytics":
        chosen.setdefault("include_images", True)
    for option in chosen.keys() - {field.name for field in fields(form)}:
        raise ValueError(f"--{option.replace('_', '-')} is no option of the format {name}.")
    return form(on_error="skip" if skip_malformed else "raise", **chosen)
