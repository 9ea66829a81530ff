"""A list of what an export leaves out: a line of JSON for each annotation, picture and task, whose reason it is.

The rows go to unnamed files as they come, so memory stays flat however many there are. They come in nearly the order of
the tasks, but not quite: pictures are fetched ahead, and drawn by as many threads as the machine has. The list has them
in order, so that the same tasks give the same bytes.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from pathlib import Path

    Task = Mapping[str, Any]

UNFOLDED, FETCHED, WRITTEN = range(3)
"""Where something was left out: while sequences and videos are taken apart, for want of a picture, by the writer."""

_BUFFER = 1 << 16
# Two numbers that sort as text stand before each waiting row.
_KEY_LENGTH = 13
_LONGEST_TEXT = 1000


class LeftOut:
    """Collects the rows of one export.

    :param folder: where the unnamed files may be.
    """

    def __init__(self, folder: Path) -> None:
        self.rows: int = 0
        self._folder = folder
        self._open = ExitStack()
        # Each file holds rows in rising order; a row goes into the first that it continues. So there are no more files
        # than places that rows come from at one time.
        self._files: list[IO[bytes]] = []
        self._last: list[bytes] = []

    def add(self, order: tuple[int, int], row: Mapping[str, Any]) -> None:
        """Keep a row.

        :param order: one of the three places above, and the number of the task there.
        :param row: what was left out.
        :raises OSError: the disk is full.
        """
        key = b"%d%012d" % order
        number = next((number for number, last in enumerate(self._last) if last <= key), len(self._last))
        if number == len(self._files):
            file = tempfile.TemporaryFile(dir=self._folder, buffering=_BUFFER)  # noqa: SIM115
            self._files.append(self._open.enter_context(file))
            self._last.append(key)
        self._last[number] = key
        self._files[number].write(key + dumps(row) + b"\n")
        self.rows += 1

    def write(self, path: Path) -> bool:
        """Write the list, if there is anything in it.

        :param path: the file.
        :returns: whether there is.
        :raises OSError: the disk is full.
        """
        if not self.rows:
            return False
        for file in self._files:
            file.seek(0)
        with path.open("wb", buffering=_BUFFER) as out:
            for line in heapq.merge(*self._files, key=lambda line: line[:_KEY_LENGTH]):
                out.write(line[_KEY_LENGTH:])
        return True

    def close(self) -> None:
        """Let the waiting rows go."""
        self._open.close()


def row_of_annotation(reason: str, task: Task, annotation: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an annotation that is left out.

    :param reason: as it is counted.
    :param task: its task, or the image of a sequence or frame of a video that became one.
    :param annotation: the annotation, which may be anything.
    :param more: what else is known, such as what exactly is malformed.
    """
    known = annotation if isinstance(annotation, Mapping) else {}
    return {
        "what": "annotation",
        "reason": reason,
        **_place_of(task),
        "annotation_id": _plain(known.get("id")),
        "type": _plain(known.get("type")),
        "value": _plain(known.get("value")),
        **more,
    }


def row_of_task(what: str, reason: str, task: Task) -> dict[str, Any]:
    """Describe a task or picture that is left out.

    :param what: ``task`` or ``picture``.
    :param reason: as it is counted.
    :param task: the task, or the image of a sequence or frame of a video that became one.
    """
    return {"what": what, "reason": reason, **_place_of(task)}


def _place_of(task: Task) -> dict[str, Any]:
    """Name a task as FastLabel does, and its image where that is called otherwise."""
    name, own = task.get("name"), task.get("source_name")
    place = {"task": name if own is None else own, "task_id": _plain(task.get("id"))}
    return place if own is None or own == name else {**place, "image": name}


def _plain(value: Any) -> Any:
    """Return a short text or number as it is, and of anything else how it begins."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, str) and len(value) <= _LONGEST_TEXT):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    return shortened(value, _LONGEST_TEXT)
