"""What is measured: the rows of the tables."""

from __future__ import annotations

from dataclasses import dataclass

SMALL, MIDDLE, LARGE = 500, 5_000, 118_000
# The files of the imports are made of both task sets.
_FILES = ("mixed", "bbox", "imports")
PEERS = ("labelformat", "globox", "datumaro")
FILE_PEERS = ("hotcoco",)
"""Those that read the file in the same breath."""


@dataclass(frozen=True)
class Row:
    """One job.

    :param title: its name in the table.
    :param job: key of the sides' tables.
    :param needs: parts of the set it reads, see :func:`benchmarks.sets.make`.
    :param kind: ``mixed`` or ``bbox``.
    :param slow: whether the SDK takes so long that only ``--full`` measures it at 5,000 tasks.
    :param heavy: whether everybody does.
    :param peers: who else can do it.
    """

    title: str
    job: str
    needs: tuple[str, ...]
    kind: str = "mixed"
    slow: bool = False
    heavy: bool = False
    peers: tuple[str, ...] = ()


ROWS = (
    Row("COCO", "coco", ("mixed",)),
    Row("YOLO, classes given", "yolo", ("mixed",)),
    Row("Pascal VOC", "pascalvoc", ("mixed",)),
    Row("labelme", "labelme", ("mixed",)),
    Row("COCO, boxes only", "coco", _FILES, "bbox", slow=True, peers=PEERS),
    Row("YOLO, boxes only, classes given", "yolo", _FILES, "bbox", slow=True, peers=PEERS),
    Row("YOLO, boxes only, no classes given", "yolo_without_classes", ("bbox",), "bbox", slow=True),
    Row("Pascal VOC, boxes only", "pascalvoc", _FILES, "bbox", slow=True, peers=PEERS),
    Row("labelme, boxes only", "labelme", _FILES, "bbox", peers=("globox",)),
    Row("instance masks", "instance_masks", ("mixed",), slow=True),
    Row("semantic masks", "semantic_masks", ("mixed",), slow=True),
    Row("annotated images (JPEG)", "drawn", ("mixed", "images"), slow=True, heavy=True),
    Row("COCO import", "read_coco", _FILES, "bbox"),
    Row("YOLO import", "read_yolo", _FILES, "bbox"),
    Row("Pascal VOC import", "read_pascalvoc", _FILES, "bbox"),
    Row("labelme import", "read_labelme", _FILES),
)

#: Jobs whose growth from 5,000 to 118,000 tasks is measured, tasks coming one at a time from a JSON Lines file.
ONE_PASS = tuple(row for row in ROWS if row.kind == "mixed" or row.job.startswith("read_"))

#: Jobs measured once more beside busy processes, as on a worker that has other work.
BUSY = ROWS[:4]

#: Jobs from a file on disk to files on disk, its reading timed too: all that a tool without a service behind it does.
FILE_TO_FILE = tuple(row for row in ROWS if row.kind == "bbox" and row.job in ("coco", "yolo", "pascalvoc"))
