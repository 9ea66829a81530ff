"""The official SDK's side of the jobs; runs in the peers' own environment.

The project's type, which the SDK would ask the API for, is given; its codec check, which needs a real video, is told
that the video is one. Nothing else is changed.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from benchmarks.generate import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.given import Given


def _client() -> Any:
    os.environ.setdefault("FASTLABEL_ACCESS_TOKEN", "benchmark")
    if "SINK_URL" in os.environ:
        os.environ["FASTLABEL_API_URL"] = os.environ["SINK_URL"]
    client = importlib.import_module("fastlabel").Client()
    client.find_project_by_slug = lambda slug: {"slug": slug, "type": "image_all"}
    return client


def _export(name: str, *, project: bool = True, **options: Any) -> Callable[[Given], Callable[[], object]]:
    """Return a job that exports tasks from memory."""

    def prepare(given: Given) -> Callable[[], object]:
        method = getattr(_client(), name)
        tasks = list(given.tasks())
        first = ("benchmark", tasks) if project else (tasks,)
        return lambda: method(*first, output_dir=given.out, **options)

    return prepare


def _drawn(given: Given) -> Callable[[], object]:
    client, tasks = _client(), list(given.tasks())
    return lambda: client.export_image_with_annotations(tasks, str(given.path("images")), given.out)


def _read_coco(given: Given) -> Callable[[], object]:
    client = _client()
    return lambda: client.convert_coco_to_fastlabel(str(given.coco), "bbox")


def _read_yolo(given: Given) -> Callable[[], object]:
    client = _client()
    files = str(given.path("classes.txt")), str(given.path("yolo"))
    return lambda: client.convert_yolo_to_fastlabel(*files, project_type="image_bbox")


def _read_pascalvoc(given: Given) -> Callable[[], object]:
    client = _client()
    return lambda: client.convert_pascalvoc_to_fastlabel(str(given.path("pascalvoc")))


def _read_labelme(given: Given) -> Callable[[], object]:
    client = _client()
    return lambda: client.convert_labelme_to_fastlabel(str(given.path("labelme")))


def _upload(given: Given) -> Callable[[], object]:
    client = _client()
    importlib.import_module("fastlabel").utils.is_video_supported_codec = lambda _: True
    return lambda: client.create_video_task("benchmark", "video.mp4", str(given.path("video.mp4")))


JOBS: dict[str, Callable[[Given], Callable[[], object]]] = {
    "coco": _export("export_coco"),
    "yolo": _export("export_yolo", classes=CLASSES),
    "yolo_without_classes": _export("export_yolo"),
    "pascalvoc": _export("export_pascalvoc"),
    "labelme": _export("export_labelme", project=False),
    "instance_masks": _export("export_instance_segmentation", project=False),
    "semantic_masks": _export("export_semantic_segmentation", project=False),
    "drawn": _drawn,
    "read_coco": _read_coco,
    "read_yolo": _read_yolo,
    "read_pascalvoc": _read_pascalvoc,
    "read_labelme": _read_labelme,
    "upload": _upload,
}
