"""Our side of the jobs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmarks.generate import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.given import Given


def _coco(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.coco import export_coco

    tasks = given.tasks()
    return lambda: export_coco(tasks, given.folder)


def _yolo(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.yolo import export_yolo

    tasks = given.tasks()
    task: Any = "segment" if given.kind == "mixed" else "detect"
    return lambda: export_yolo(tasks, given.folder, classes=CLASSES, task=task)


def _yolo_without_classes(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.yolo import export_yolo

    tasks = given.tasks()
    return lambda: export_yolo(tasks, given.folder)


def _pascalvoc(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc

    tasks = given.tasks()
    return lambda: export_pascalvoc(tasks, given.folder)


def _labelme(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.labelme import export_labelme

    tasks = given.tasks()
    return lambda: export_labelme(tasks, given.folder)


def _instance_masks(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.masks import export_masks

    tasks = given.tasks()
    return lambda: export_masks(tasks, given.folder, kind="instance")


def _semantic_masks(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.masks import export_masks

    tasks = given.tasks()
    return lambda: export_masks(tasks, given.folder, kind="semantic")


def _drawn(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.drawings import export_drawings

    tasks = given.tasks()
    return lambda: export_drawings(tasks, given.path("images"), given.folder)


def _read_coco(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.coco import read_coco

    return lambda: read_coco(given.coco, "bbox")


def _read_yolo(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.yolo import read_yolo

    return lambda: read_yolo(given.path("classes.txt"), given.path("yolo"))


def _read_pascalvoc(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

    return lambda: read_pascalvoc(given.path("pascalvoc"))


def _read_labelme(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.labelme import read_labelme

    return lambda: read_labelme(given.path("labelme"))


def _upload(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.client import FastLabelClient

    client = FastLabelClient("benchmark", api_url=os.environ["SINK_URL"])
    client.get_projects(slug="benchmark")
    return lambda: client.create_video_task("benchmark", "video.mp4", given.path("video.mp4"))


JOBS: dict[str, Callable[[Given], Callable[[], object]]] = {
    "coco": _coco,
    "yolo": _yolo,
    "yolo_without_classes": _yolo_without_classes,
    "pascalvoc": _pascalvoc,
    "labelme": _labelme,
    "instance_masks": _instance_masks,
    "semantic_masks": _semantic_masks,
    "drawn": _drawn,
    "read_coco": _read_coco,
    "read_yolo": _read_yolo,
    "read_pascalvoc": _read_pascalvoc,
    "read_labelme": _read_labelme,
    "upload": _upload,
}
