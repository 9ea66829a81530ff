"""Many future tasks, on disk, so that memory stays flat however many files a folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, ClassVar

from airflow_provider_fastlabel.disk_table import DiskTable, as_text
from airflow_provider_fastlabel.pipelines.files.source import Source


class Sources(Collection[Source]):
    """Future tasks in ascending order of their names, each name once. May be read from any thread.

    :param sources: what to take in; of those that share a name, the first.
    :raises OSError: in all that reads and writes: the disk of temporary files is full.
    """

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._table = _Table()
        self._count = 0
        for source in sources:
            self.add(source)

    def add(self, source: Source) -> Source | None:
        """Take a source in, unless there is one of its name.

        :param source: the source.
        :returns: the one that is there.
        """
        if (other := self._table.get(source.name)) is not None:
            return other
        self._table[source.name] = source
        self._count += 1
        return None

    def keep(self, fits: Callable[[Source], bool]) -> None:
        """Take out all that do not fit.

        :param fits: tells of a source whether it stays.
        """
        for source in self:
            if not fits(source):
                self._table.remove(source.name)
                self._count -= 1

    def has(self, name: str) -> bool:
        """Tell whether there is a source of a name.

        :param name: the task's name.
        """
        return name in self._table

    def named(self, name: str) -> Source | None:
        """Return the source of a name, if there is one.

        :param name: the task's name.
        """
        return self._table.get(name)

    def __contains__(self, source: object) -> bool:
        return isinstance(source, Source) and self.named(source.name) == source

    def __iter__(self) -> Iterator[Source]:
        return self._table.values_in_order()

    def __len__(self) -> int:
        return self._count


class _Table(DiskTable[Source]):
    """Name -> source. What all sources of a folder share is kept once, in memory."""

    columns: ClassVar[tuple[str, ...]] = ("location", "size", "stamp", "files", "shared")

    def __init__(self) -> None:
        super().__init__()
        self._shared: list[tuple[Any, str]] = []

    def to_row(self, value: Source) -> tuple[Any, ...]:
        """Return the columns of a source; see the base class."""
        shared = (value.filesystem, value.inside)
        if not self._shared or self._shared[-1] != shared:
            self._shared.append(shared)
        files = [(one.name, one.location, one.size, one.stamp) for one in value.files]
        number = len(self._shared) - 1
        return value.location, value.size, value.stamp, json.dumps(files) if files else None, number

    def to_value(self, key: str, row: tuple[Any, ...]) -> Source:
        """Return the source of a row; see the base class."""
        location, size, stamp, files, number = row
        filesystem, inside = self._shared[number]
        parts = tuple(
            Source(name, place, length, filesystem, inside=inside, stamp=mark)
            for name, place, length, mark in (json.loads(files) if files else ())
        )
        return Source(key, location, size, filesystem, parts, inside, stamp)

    def values_in_order(self) -> Iterator[Source]:
        """Yield the sources."""
        return (self.to_value(as_text(key), row) for key, row in self.rows_from(""))
