"""Published versions of data sets, for the tests of who reads them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

WRITERS: dict[str, Callable[..., Any]] = {
    "coco": export_coco,
    "yolo": export_yolo,
    "pascalvoc": export_pascalvoc,
    "labelme": export_labelme,
    "masks": partial(export_masks, kind="semantic"),
}


def publish_version(
    root: Path,
    name: str,
    tasks: Sequence[dict[str, Any]],
    *,
    form: str = "coco",
    pictures: Mapping[str, int | Image.Image] | None = None,
    place: Any = None,
) -> Any:
    """Publish tasks as a version of a data set.

    :param root: folder for it.
    :param name: its name there.
    :param tasks: the tasks.
    :param form: its format.
    :param pictures: path below ``images`` -> the picture, or its grey.
    :param place: where it is published instead.
    :returns: its place.
    """
    folder = root / f"staged-{name}"
    folder.mkdir()
    report = WRITERS[form](tasks, folder)
    for path, given in (pictures or {}).items():
        target = folder / "images" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (Image.new("L", (640, 480), given) if isinstance(given, int) else given).save(target)
    target = place or root / name
    publish(folder, target, manifest_of(report, format=form))
    return target
