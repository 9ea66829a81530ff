"""The account of an import in chunks: their manifests as one, and one summary once every file has its fate."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow_provider_fastlabel.disk_table import DiskTable
from airflow_provider_fastlabel.pipelines.files.problems import ImportIncomplete, ImportSummary
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder

log: logging.Logger = logging.getLogger(__name__)

_COUNTS = ("total", "created", "exists", "updated", "failed", "with_annotations", "without_annotations")
_OF_THE_WHOLE = ("links_left_out", "differs", "not_compared", "same_elsewhere", "attributes_left_out", "notes")
_SHOWN = 20


class _There(DiskTable[bool]):
    """The lines that are there."""

    columns: ClassVar[tuple[str, ...]] = ("there",)

    def to_row(self, value: bool) -> tuple[Any, ...]:
        """Return the columns of a line; see the base class."""
        return (value,)

    def to_value(self, key: str, row: tuple[Any, ...]) -> bool:  # noqa: ARG002
        """Return what a row says; see the base class."""
        return bool(row[0])


class _Joined(Manifest):
    """The manifest of the whole, into which a line is written once, however often the joining was killed."""

    def __init__(self, target: Any, *, project: str, kind: str) -> None:
        super().__init__(target, project=project, kind=kind)
        self._there = _There()

    def remember(self, record: dict[str, Any]) -> bool:
        """Note a line that is there; see the base class."""
        self._there[_key(record)] = True
        return super().remember(record)

    def join(self, record: dict[str, Any]) -> None:
        """Write a line of a chunk's manifest, unless it is there."""
        if _key(record) not in self._there:
            self.append(record)


@dataclass
class Account:
    """What becomes of the accounts of a plan's chunks.

    :param plan: the plan.
    :param manifest: where the account of the whole is kept, as ``target`` of :class:`Manifest`.
    """

    plan: PlanFolder
    manifest: Any

    def take_in(self, project: str, kind: str) -> None:
        """Write what the chunks have written, and is not there yet, into the manifest of the whole.

        Asks for no index: of a planner that was killed there may be none, or a part of one.

        :param project: the project's slug.
        :param kind: the task kind's name.
        """
        if not (numbers := self.plan.accounts()):
            return
        with _Joined(self.manifest, project=project, kind=kind) as record:
            for number in numbers:
                for line in self.plan.account_lines(number):
                    if "name" in line and "fate" in line:
                        record.join(line)

    def sum_up(self) -> ImportSummary:
        """Return the summary of the whole; the plan's files are removed then, but for it.

        :raises ImportIncomplete: a chunk has not come to its end, more items failed than tolerated, or nothing of what
            was asked arrived.
        :raises LookupError: there is no plan.
        """
        index = self.plan.read_index()
        if index is None:
            raise LookupError(f"There is no plan at {self.plan.place}")
        if index.get("summary"):
            self.plan.empty(but_index=True)  # which the try before may not have come to
            return cast("ImportSummary", index["summary"])
        self.take_in(index["project"], index["kind"])
        results = [self._result(chunk) for chunk in index["chunks"]]
        summary = _added([result["summary"] for result in results if result], index, str(self.manifest))
        lacking = [number for number, result in enumerate(results) if not (result and result["complete"])]
        if lacking or summary["total"] != index["items"]:
            raise ImportIncomplete(self._unfinished(lacking, summary, index), summary)
        if summary["failed"] > (index["max_failures"] or 0):
            raise ImportIncomplete(self._too_much("More items failed than max_failures tolerates", summary), summary)
        arrived = summary["annotations"]["sent"] + summary["annotations"]["existing"]
        if (index["asked"] and not arrived) or 0 < summary["total"] == summary["failed"]:
            raise ImportIncomplete(self._too_much("The import brought nothing of what was asked", summary), summary)
        self.plan.write_index(index | {"summary": summary})
        self.plan.empty(but_index=True)
        log.info("Import in %d chunks: %s", len(results), summary)
        return summary

    def _result(self, chunk: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return how a chunk of this plan has ended, not one of an earlier plan."""
        result = self.plan.read_result(chunk["number"])
        return result if result and result["sha256"] == chunk["sha256"] else None

    def _unfinished(self, lacking: Sequence[int], summary: ImportSummary, index: Mapping[str, Any]) -> str:
        numbers = ", ".join(map(str, lacking[:_SHOWN])) + (" ..." if len(lacking) > _SHOWN else "")
        return (
            f"{len(lacking)} of {len(index['chunks'])} chunks have not come to a good end (map index {numbers}). "
            f"{_kept(summary)} of {index['items']} items are tasks now and stay, {summary['failed']} failed as far as "
            f"the chunks tell. What is known of each item is in {self.manifest}. Read the logs of these chunks and "
            "clear them, with this task: they create only what is missing."
        )

    def _too_much(self, what: str, summary: ImportSummary) -> str:
        return (
            f"{what}: {_kept(summary)} of {summary['total']} items are tasks now and stay; {summary['failed']} failed. "
            f"Every item's fate is in {self.manifest}. Clear the task that plans, and all after it, to try what is "
            "missing again."
        )


def _key(line: Mapping[str, Any]) -> str:
    """Return what tells a line of a manifest from all others."""
    return f"{line.get('at')} {line.get('fate')} {line.get('name')}"


def _kept(summary: ImportSummary) -> int:
    return summary["created"] + summary["exists"] + summary["updated"]


def _added(parts: Sequence[ImportSummary], index: Mapping[str, Any], manifest: str) -> ImportSummary:
    """Return the summary of all parts, with what only the planner knows."""
    whole: dict[str, Any] = {name: sum(cast("Any", part)[name] for part in parts) for name in _COUNTS}
    lost: Counter[str] = Counter()
    for part in parts:
        lost.update(part["annotations"]["lost"])
    counts = {
        name: sum(cast("Any", part["annotations"])[name] for part in parts) for name in ("read", "sent", "existing")
    }
    whole["annotations"] = {**counts, "lost": dict(sorted(lost.items()))}
    whole |= {name: index[name] for name in _OF_THE_WHOLE if name in index}
    whole["manifest"] = manifest
    return cast("ImportSummary", whole)
