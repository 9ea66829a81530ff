"""Other tools' side of the jobs, from a COCO file of boxes. All but hotcoco have read it before the clock starts.

They run in their own environment and are imported by name, as the project does not depend on them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from benchmarks.generate import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.given import Given

_IDS = {value: number for number, value in enumerate(CLASSES)}


def _make_folders(given: Given) -> None:
    """Make the folders of the images' names in the output, which two of the tools do not."""
    for number in range(0, given.size, 1000):
        for parent in ("", "labels"):
            (given.folder / parent / f"batch_{number // 1000:03d}").mkdir(parents=True)


def _labelformat(make: Callable[[Any, Given], Any]) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        formats = importlib.import_module("labelformat.formats")
        source = formats.COCOObjectDetectionInput(given.coco)
        target = make(formats, given)
        _make_folders(given)
        return lambda: target.save(label_input=source)

    return prepare


def _globox(save: Callable[[Any, Given], object]) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        annotations = importlib.import_module("globox").AnnotationSet.from_coco(given.coco)
        _make_folders(given)
        return lambda: save(annotations, given)

    return prepare


def _datumaro(name: str) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        dataset_class = importlib.import_module("datumaro").Dataset
        dataset = dataset_class.import_from(str(given.path("coco")), "coco")
        dataset.init_cache()
        return lambda: dataset.export(given.out, name, save_media=False)

    return prepare


def _hotcoco(save: Callable[[Any, Given], object]) -> Callable[[Given], Callable[[], object]]:
    def prepare(given: Given) -> Callable[[], object]:
        coco_class = importlib.import_module("hotcoco").COCO
        return lambda: save(coco_class(str(given.coco)), given)

    return prepare


JOBS: dict[str, dict[str, Callable[[Given], Callable[[], object]]]] = {
    "labelformat": {
        "coco": _labelformat(lambda formats, given: formats.COCOObjectDetectionOutput(given.folder / "out.json")),
        "yolo": _labelformat(
            lambda formats, given: formats.YOLOv8ObjectDetectionOutput(given.folder / "data.yaml", "train")
        ),
        "pascalvoc": _labelformat(lambda formats, given: formats.PascalVOCObjectDetectionOutput(given.folder)),
    },
    "globox": {
        "coco": _globox(lambda annotations, given: annotations.save_coco(given.folder / "out.json", auto_ids=True)),
        "yolo": _globox(lambda annotations, given: annotations.save_yolo_v5(given.folder, label_to_id=_IDS)),
        "pascalvoc": _globox(lambda annotations, given: annotations.save_pascal_voc(given.folder)),
        "labelme": _globox(lambda annotations, given: annotations.save_labelme(given.folder)),
    },
    "datumaro": {
        "coco": _datumaro("coco_instances"),
        "yolo": _datumaro("yolo"),
        "pascalvoc": _datumaro("voc_detection"),
        # Its label_me is the XML of an older tool of that name.
    },
    "hotcoco": {
        "coco": _hotcoco(lambda coco, given: coco.save(str(given.folder / "out.json"))),
        "yolo": _hotcoco(lambda coco, given: coco.to_yolo(given.out)),
        "pascalvoc": _hotcoco(lambda coco, given: coco.to_voc(given.out)),
    },
}
