"""Published data sets for the tests of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

WRITERS: dict[str, Any] = {
    "coco": export_coco,
    "yolo": export_yolo,
    "pascalvoc": export_pascalvoc,
    "labelme": export_labelme,
    "masks": export_masks,
}
FILTERS = {"project": "photos", "status": "approved"}


def publish_tasks(
    target: Any,
    work: Path,
    tasks: Iterable[Any],
    form: str = "coco",
    *,
    classes: Sequence[str] = (),
    pictures: Mapping[str, int] | None = None,
    filters: Mapping[str, Any] = FILTERS,
    **arguments: Any,
) -> Any:
    """Publish tasks as an export does, with pictures of one colour each where colours are given by name."""
    work.mkdir()
    staged, images = work / "staged", work / "images"
    staged.mkdir()
    for name, colour in (pictures or {}).items():
        path = images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (640, 480), (colour, 90, 30)).save(path, "PNG")
    if pictures and form == "yolo":
        arguments |= {"layout": "ultralytics", "image_dir": images}
    elif pictures:
        images.rename(staged / "images")
    known = ClassMap.of([{"type": "bbox", "value": value, "title": value} for value in classes])
    report = WRITERS[form](tasks, staged, **({"classes": known} if classes else {}), **arguments)
    manifest = manifest_of(report, format=form, classes=known if classes else None, filters=filters)
    publish(staged, target, manifest)
    return target
