"""FastLabel annotations to and from COCO, YOLO, Pascal VOC, labelme, masks and pictures.

The modules here know no Airflow and no HTTP. Every writer is one function, `export_<format>(tasks, folder, ...)`: it
streams task objects as the API returns them into an existing local folder and returns an
:class:`.ExportReport` in which every annotation is either written or counted
by the reason it was left out. A writer reads some tasks ahead, so an iterator must yield a new object for each task.

Each format is a folder with its functions at the door: ``formats.coco`` has ``export_coco`` and ``read_coco``, and
likewise ``yolo``, ``pascalvoc``, ``labelme``, ``masks`` and ``drawings``. What they share:

* :mod:`.geometry`: annotation -> shape (corner order, rotation, rings, holes, clipping, degenerate, malformed)
* :mod:`.writing`: tasks -> class ids and shapes, counted; class ids that never move; safe file names; the report
* :mod:`.reading`: what a reader hands back, with everything it could not take

Importing this package imports nothing heavy; numpy, OpenCV, Pillow and orjson belong to the writers' modules.
"""

from __future__ import annotations

from typing import Literal, get_args

AnnotationsFormat = Literal["coco", "yolo", "pascalvoc", "labelme", "masks"]
"""A format whose files can be read for pictures that are to become tasks."""

ANNOTATIONS_FORMATS: tuple[AnnotationsFormat, ...] = get_args(AnnotationsFormat)
