"""What one measurement is given: the same for every side, so that all do the same job on the same input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Given:
    """One measurement.

    :param side: who does it: ``ours``, ``parts`` (of ours), ``floor``, ``sdk`` or a peer's name.
    :param job: what is done, a key of the side's table.
    :param size: number of tasks.
    :param data: folder of this size's input, see :mod:`.sets`.
    :param out: empty folder for the output.
    :param kind: ``mixed`` or ``bbox``.
    :param stream: whether tasks come from the file one at a time, their parsing timed too, instead of from memory.
    """

    side: str
    job: str
    size: int
    data: str
    out: str
    kind: str = "mixed"
    stream: bool = False

    @property
    def folder(self) -> Path:
        """Output folder."""
        return Path(self.out)

    def path(self, name: str) -> Path:
        """Return a file or folder of the input."""
        return Path(self.data, name)

    @property
    def coco(self) -> Path:
        """COCO file of boxes, in the folders datumaro insists on."""
        return self.path("coco/annotations/instances_train.json")

    def tasks(self) -> Iterable[dict[str, Any]]:
        """Return the tasks, as a list or, streaming, as an iterator over the file."""
        lines = self._lines()
        return lines if self.stream else list(lines)

    def _lines(self) -> Iterator[dict[str, Any]]:
        from orjson import loads

        with self.path(f"{self.kind}.jsonl").open("rb") as file:
            for line in file:
                yield loads(line)

    def to_json(self) -> str:
        """Return it as text for another process."""
        return json.dumps(asdict(self))
