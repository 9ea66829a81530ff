"""What a report must know of each picture waits on the disk until it is known which pictures the page shows.

The tasks are read once, and which of them are suspicious or must stand for a bar of a figure is known only at the end.
A file without a name takes some hundred bytes a picture; memory holds eight.
"""

from __future__ import annotations

import marshal
import tempfile
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.formats.geometry.shapes import Shape

MOST_OBJECTS = 200
"""Objects of one picture that are kept for drawing."""
CORNERS = 16
"""Corners of an outline that are kept: a thumbnail shows no more."""
LONGEST_NAME = 3_000
"""Letters of a picture's name that are kept: it finds the photograph, and the task with its content."""
_TEXT = 300


class Drawn(NamedTuple):
    """One object as the page draws it.

    :param class_id: number of its class.
    :param box: left, upper, right and lower edge, pixels.
    :param ring: an outline as flat coordinates, shortened; empty for a box.
    """

    class_id: int
    box: tuple[float, float, float, float]
    ring: list[float]


class Record(NamedTuple):
    """What is kept of a picture.

    :param name: of the task, as the data set's picture is called.
    :param task_id: of the task.
    :param url: where the picture can be fetched; empty if nowhere.
    :param status: of the task.
    :param split: of the data set; empty if there is none.
    :param person: who labelled it; empty for nobody.
    :param width: pixels, 0 if not known.
    :param height: the same.
    :param total: how many objects it has.
    :param objects: those kept for drawing.
    :param attributes: numbers of the attribute values in it.
    :param reasons: why annotations of it could not be read.
    :param back: whether the task was declined or sent back.
    """

    name: str
    task_id: str
    url: str
    status: str
    split: str
    person: str
    width: float
    height: float
    total: int
    objects: list[Drawn]
    attributes: list[int]
    reasons: list[str]
    back: bool


def text_of(value: Any, most: int = _TEXT) -> str:
    """Return a text of a task; what is none is an empty one.

    :param value: anything.
    :param most: letters at most.
    """
    return value[:most] if isinstance(value, str) else ""


def record_of(name: str) -> Record:
    """Return what is known of a picture without a task: its name.

    :param name: of the picture.
    """
    return Record(name, "", "", "", "", "", 0, 0, 0, [], [], [], False)


def drawn(class_id: int, shape: Shape) -> Drawn:
    """Return what is kept of an object.

    :param class_id: number of its class.
    :param shape: its geometry.
    """
    ring: list[float] = []
    if shape.kind in ("polygon", "segmentation") or shape.rotation:
        outer = max((region[0] for region in shape.regions), key=len)
        step = 2 * -(-len(outer) // (2 * CORNERS))
        xs, ys = outer[::step], outer[1::step]
        ring = [number for point in zip(xs, ys, strict=True) for number in point]
    return Drawn(class_id, (shape.x1, shape.y1, shape.x2, shape.y2), ring)


class Spool:
    """Records in a file that is gone when the process ends, however it ends."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="fastlabel-report-")  # noqa: SIM115 - closed by :meth:`close`
        self._starts = array("Q", [0])
        self._pending: list[bytes] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._starts) - 1

    def add(self, record: Record) -> int:
        """Keep a record.

        :param record: the record.
        :returns: its number, from 0.
        :raises OSError: the disk of the temporary folder is full.
        """
        fields = (*record[:9], [tuple(each) for each in record.objects], *record[10:])
        data = marshal.dumps(fields)
        self._pending.append(data)
        self._bytes += len(data)
        self._starts.append(self._starts[-1] + len(data))
        if self._bytes > 1 << 20:
            self._flush()
        return len(self) - 1

    def get(self, number: int) -> Record:
        """Return a record.

        :param number: what :meth:`add` returned.
        """
        self._flush()
        start, end = self._starts[number], self._starts[number + 1]
        self._file.seek(start)
        fields: list[Any] = list(marshal.loads(self._file.read(end - start)))
        fields[9] = [Drawn(*each) for each in fields[9]]
        return Record(*fields)

    def close(self) -> None:
        """Give the disk its room back."""
        self._file.close()

    def _flush(self) -> None:
        if self._pending:
            self._file.seek(0, 2)
            self._file.write(b"".join(self._pending))
            self._pending.clear()
            self._bytes = 0


def person_of(task: Mapping[str, Any]) -> str:
    """Return who labels a task, empty for nobody.

    :param task: task object.
    """
    return text_of(task.get("assignee")) or text_of(task.get("externalAssignee"))
