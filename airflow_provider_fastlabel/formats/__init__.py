"""FastLabel annotations to and from COCO, YOLO, Pascal VOC, labelme, masks and pictures.

The modules here know no Airflow and no HTTP. Every writer is one function, `export_<format>(tasks, folder, ...)`: it
streams task objects as the API returns them into an existing local folder and returns an
:class:`~airflow_provider_fastlabel.formats.report.ExportReport` in which every annotation is either written or counted
by the reason it was left out. A writer reads some tasks ahead, so an iterator must yield a new object for each task.

What all writers share exists once:

* :mod:`.geometry`: annotation -> shape (corner order, rotation, rings, holes, clipping, degenerate, malformed)
* :mod:`.overlay`: what is left of regions that cross themselves, their holes, one another or the border
* :mod:`.measures`: boxes and areas of many outlines at once
* :mod:`.stage`: task -> class ids and shapes, with the counting and the error policy
* :mod:`.classes`: class ids that never move
* :mod:`.naming`: task name -> output path that stays inside the folder and never overwrites another
* :mod:`.publish`: a finished folder appears at its target whole or not at all

Importing this package imports nothing heavy; numpy, OpenCV, Pillow and orjson belong to the writers' modules.
"""
