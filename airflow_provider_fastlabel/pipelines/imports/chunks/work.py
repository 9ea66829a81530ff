"""Imports one chunk of a plan, on whatever machine: the same engine, which trusts what the planner has found out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.problems import ImportIncomplete, ImportRefused
from airflow_provider_fastlabel.pipelines.imports.chunks.items import ChunkItems
from airflow_provider_fastlabel.pipelines.imports.engine import Import
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest, TaskIds
from airflow_provider_fastlabel.pipelines.imports.preflight import resolve_destination
from airflow_provider_fastlabel.pipelines.running.people import People

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.files.problems import ImportSummary
    from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder


class ChunkAccount(Manifest):
    """The manifest of a chunk, which knows which tasks earlier tries have brought about or met."""

    def __init__(self, target: Any, *, project: str, kind: str) -> None:
        super().__init__(target, project=project, kind=kind)
        self.begun: bool = False
        self.task_ids: TaskIds = TaskIds()

    def check_header(self, header: dict[str, Any]) -> None:
        """Note that an earlier try has begun; see the base class."""
        super().check_header(header)
        self.begun = True

    def remember(self, record: dict[str, Any]) -> bool:
        """Note the id of the task; see the base class."""
        known = super().remember(record)
        if known and isinstance(record.get("task_id"), str):
            self.task_ids[record["name"]] = record["task_id"]
        return known


def import_chunk(
    client: FastLabelClient,
    plan: PlanFolder,
    number: int,
    sha256: str,
    *,
    opened: Callable[[str, str | None], Any],
    stop: threading.Event | None = None,
) -> ImportSummary:
    """Create what is missing of one chunk. Run again after a kill or a failure, it goes on where it was.

    :param client: the client.
    :param plan: the plan.
    :param number: number of the chunk.
    :param sha256: its digest.
    :param opened: opens the folder of the import, of a path or URL and the id of a connection.
    :param stop: set it to end the run early.
    :returns: the counts of this chunk, and where its manifest is.
    :raises ImportRefused: the chunk is not the one that was planned, or its files are not right any more.
    :raises ImportIncomplete: more items of it failed than tolerated. What was created stays.
    """
    with plan.read_chunk(number, sha256) as lines:
        header = next(lines)
        folder = opened(header["places"]["folder"], header["places"]["source_conn_id"])
        _refuse_missing(folder)
        filesystem = None if local_path(folder) is not None else folder.fs
        into = resolve_destination(client, header["project"], header["kind"])
        with ChunkItems(filesystem, header["root"], header["inside"]) as items:
            items.take(lines)
            record = ChunkAccount(plan.account(number), project=into.project, kind=into.kind.name)
            record.earlier = items.earlier
            with record:
                plan.write_result(number, None)
                limit, on = header["max_failures"], (header["on"][0], header["on"][1])
                one = Import(client, into, record, on, header["fields"], items.read, max_failures=limit, part=True)
                one.people = People(header["people"])
                one.differences = items.differences
                for name, task_id in _existing(client, items, record, into.project):
                    one.existing[name] = task_id
                workers, stop = header["max_workers"], stop or threading.Event()
                bad = one.check(items.sources, items.problems, workers, stop)
                try:
                    summary = one.create(items.sources, bad, workers, stop)
                except ImportIncomplete as error:
                    plan.write_result(number, {"sha256": sha256, "complete": False, "summary": error.summary})
                    raise
    plan.write_result(number, {"sha256": sha256, "complete": True, "summary": summary})
    return summary


def _existing(
    client: FastLabelClient, items: ChunkItems, record: ChunkAccount, project: str
) -> Iterable[tuple[str, str]]:
    """Return which items are tasks, with their ids.

    A first try trusts the planner, one that comes back from a wait for the quota also its own account: reading the
    names of the whole project for each chunk would cost more than the creates. After a failure or a kill, of which
    nobody knows how long ago it was, FastLabel is asked again.
    """
    if record.begun and not record.left:
        named = client.iter_task_names(project)
        return ((name, task_id) for name, task_id in named if items.sources.has(name) or name in items.task_ids)
    return [*items.task_ids.items(), *record.task_ids.items()]


def _refuse_missing(folder: Any) -> None:
    path = local_path(folder)
    if path is not None and not path.is_dir():
        raise ImportRefused(
            f"The folder {path}, which another worker has planned, does not exist on this one. Nothing of this chunk "
            "was created now. Give a folder that all workers reach: on a shared volume, or in an object store."
        )
