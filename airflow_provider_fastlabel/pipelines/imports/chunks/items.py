"""The lines of a chunk: what the planner knows of an item, written down and read again on another machine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.reading.spool import Spool
from airflow_provider_fastlabel.pipelines.files.problems import Problem
from airflow_provider_fastlabel.pipelines.files.source import Source
from airflow_provider_fastlabel.pipelines.files.source_table import Sources
from airflow_provider_fastlabel.pipelines.imports.differences import Differences
from airflow_provider_fastlabel.pipelines.imports.manifest import FileFacts, Record, Records, TaskIds
from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Self

    from airflow_provider_fastlabel.pipelines.imports.engine import Import


class ItemLines:
    """Writes items as lines of a chunk.

    :param one: the import, which has looked and checked.
    :param bad: the items that are not to be created.
    :param root: what stands before the name in the location of most items.
    """

    def __init__(self, one: Import, bad: Collection[str], root: str) -> None:
        self._one = one
        self._bad = bad
        self._root = root
        self._problems: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for problem in one.told:
            self._problems[problem.name].append((problem.message, problem.reason, problem.lost))

    def strangers(self, sources: Sources) -> Iterator[dict[str, Any]]:
        """Yield the lines of what is wrong with names that are no items.

        :param sources: the items.
        """
        for name, problems in self._problems.items():
            if not sources.has(name):
                yield {"name": name, **self._known(name), "problems": problems}

    def of(self, source: Source) -> dict[str, Any]:
        """Return the line of an item.

        :param source: the item.
        """
        one, name = self._one, source.name
        line: dict[str, Any] = self._place(source)
        if source.files:
            line["files"] = [self._place(file) for file in source.files]
        line |= self._known(name)
        if (differs := one.differences.differs.get(name)) is not None:
            line["differs"] = differs
        if (seen := one.differences.seen.get(name)) is not None:
            line["seen"] = seen
        if name in self._problems:
            line["problems"] = self._problems[name]
        if objects := one.read.objects.get(name):
            line["objects"] = objects
        if name not in self._bad and (own := one.annotations.get(name)):
            line["annotations"] = list(own)
        return line

    def _known(self, name: str) -> dict[str, Any]:
        """Return what FastLabel and earlier runs say of a name."""
        task_id, earlier = self._one.existing.get(name), self._one.manifest.earlier.get(name)
        return ({} if task_id is None else {"task_id": task_id}) | ({} if earlier is None else {"earlier": earlier})

    def _place(self, source: Source) -> dict[str, Any]:
        line: dict[str, Any] = {"name": source.name, "size": source.size}
        if source.stamp:
            line["stamp"] = source.stamp
        if source.location != self._root + source.name:
            line["location"] = source.location
        return line


@dataclass
class ChunkItems:
    """The items of a chunk, as the planner left them. Use as a context manager.

    :param filesystem: the fsspec file system that the files live in; ``None`` means local.
    :param root: as for :class:`ItemLines`.
    :param inside: the folder that local files must not leave; empty if they may.
    """

    filesystem: Any
    root: str
    inside: str
    sources: Sources = field(default_factory=Sources)
    task_ids: TaskIds = field(default_factory=TaskIds)
    earlier: Records = field(default_factory=Records)
    differences: Differences = field(default_factory=Differences)
    problems: list[Problem] = field(default_factory=list)
    read: PreAnnotations = field(default_factory=lambda: PreAnnotations(asked=False, spool=Spool()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *end: object) -> None:
        self.read.__exit__(*end)

    def take(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in the lines of a chunk, without its header.

        :param lines: the lines.
        """
        for line in lines:
            name = line["name"]
            self.problems += [Problem(name, *problem) for problem in line.get("problems", ())]
            if "task_id" in line:
                self.task_ids[name] = line["task_id"]
            if "earlier" in line:
                fate, digest, ours, bare, file = line["earlier"]
                self.earlier[name] = Record(fate, digest, ours, bare, None if file is None else FileFacts(*file))
            if "size" in line:
                self._take_item(name, line)

    def _take_item(self, name: str, line: Mapping[str, Any]) -> None:
        self.sources.add(self._source(line, tuple(self._source(file) for file in line.get("files", ()))))
        if "differs" in line:
            self.differences.differs[name] = line["differs"]
        if "seen" in line:
            self.differences.seen[name] = FileFacts(*line["seen"])
        if "annotations" in line and self.read.spool is not None:
            self.read.by_name[name] = self.read.spool.keep(line["annotations"])
        if "objects" in line:
            self.read.objects[name] = line["objects"]

    def _source(self, line: Mapping[str, Any], files: tuple[Source, ...] = ()) -> Source:
        name = line["name"]
        location = line.get("location", self.root + name)
        return Source(name, location, line["size"], self.filesystem, files, self.inside, line.get("stamp", ""))
