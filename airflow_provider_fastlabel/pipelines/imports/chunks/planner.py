"""Plans an import in chunks: all that must be known of the whole is found out once, by one task, before any create."""

from __future__ import annotations

import logging
import threading
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypedDict

from airflow_provider_fastlabel.pipelines.imports.chunks.account import Account
from airflow_provider_fastlabel.pipelines.imports.chunks.items import ItemLines
from airflow_provider_fastlabel.pipelines.imports.chunks.old_plans import remove_old_plans
from airflow_provider_fastlabel.pipelines.imports.engine import Import
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.imports.matching import as_read, lasting
from airflow_provider_fastlabel.pipelines.running.people import People
from airflow_provider_fastlabel.words import top_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
    from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport

log: logging.Logger = logging.getLogger(__name__)


class Chunk(TypedDict):
    """What tells one chunk of a plan from all others.

    :param number: its number, from 0.
    :param sha256: digest of its file.
    :param items: how many items it has.
    """

    number: int
    sha256: str
    items: int


def plan_import(
    job: FolderImport,
    plan: PlanFolder,
    *,
    size: int,
    most: int,
    people: dict[str, Any],
    places: dict[str, Any],
    stop: threading.Event | None = None,
) -> list[Chunk]:
    """List and check a folder as an import does before its first create, and cut it into chunks.

    What an earlier plan at the same place has brought is taken into the manifest first; then that plan is gone.
    Last, old plans of other runs beside it go.

    :param job: the import.
    :param plan: where the plan is written.
    :param size: how many items a chunk has at most, if there need not be more than ``most`` chunks then.
    :param most: how many chunks there may be.
    :param people: who works on which task, as it was given.
    :param places: what a chunk, and the account, need to open the places: ``folder``, ``source_conn_id``, ``manifest``
        and ``manifest_conn_id``.
    :param stop: set it to end early.
    :returns: the chunks.
    :raises ImportRefused: the folder, the files or the pre-annotations are not right. Nothing was created.
    :raises OSError: the plan, or the manifest, cannot be written.
    """
    stop = stop or threading.Event()
    with job.prepared() as (into, found, annotations):
        Account(plan, job.manifest).take_in(into.project, into.kind.name)
        plan.empty()
        on: tuple[OnExists, OnDifference] = (job.on_exists, job.on_difference)
        fields = lasting(job.given_fields)
        read = annotations or as_read({})
        with Manifest(job.manifest, project=into.project, kind=into.kind.name) as record:
            one = Import(job.client, into, record, on, fields, read, max_failures=job.max_failures)
            one.people = job.people or People()
            one.leave_out(found.links)
            one.look(found.sources, job.max_workers, stop)
            bad = one.check(found.sources, [*found.problems, *read.problems], job.max_workers, stop)
            header = {"plan": "fastlabel-import-plan", "version": 1, "project": into.project, "kind": into.kind.name}
            header |= {"fields": fields, "people": people, "on": on, "max_failures": job.max_failures}
            header |= {"max_workers": job.max_workers, "places": places}
            chunks = _write(plan, one, bad, found.sources, header, size=size, most=most)
        plan.write_index(header | _facts(one) | {"chunks": chunks})
        read.settled.create(job.client)
    remove_old_plans(plan)
    log.info("Planned %d items of project %s in %d chunks: %s", one.items.total, into.project, len(chunks), plan.place)
    return chunks


def _write(
    plan: PlanFolder,
    one: Import,
    bad: set[str],
    sources: Sources,
    header: dict[str, Any],
    *,
    size: int,
    most: int,
) -> list[Chunk]:
    """Write the chunks, all as large as each other but for one item."""
    first = next(iter(sources), None)
    root = "" if first is None else first.location.removesuffix(first.name)
    count = min(most, max(1, -(-len(sources) // size)))
    if -(-len(sources) // size) > most:
        log.warning(
            "%d chunks of %d items are more than the %d that may be: they are larger",
            -(-len(sources) // size),
            size,
            most,
        )
    lines, items = ItemLines(one, bad, root), iter(sources)
    head = header | {"root": root, "inside": "" if first is None else first.inside}
    chunks: list[Chunk] = []
    for number in range(count):
        share = len(sources) * (number + 1) // count - len(sources) * number // count
        others = list(lines.strangers(sources)) if not number else []

        def written(share: int = share, others: list[dict[str, Any]] = others) -> Iterator[dict[str, Any]]:
            return chain([head], others, map(lines.of, islice(items, share)))

        digest = plan.write_chunk(number, written())
        wrong = sum(line["name"] in bad for line in others)
        chunks.append({"number": number, "sha256": digest, "items": share + wrong})
    return chunks


def _facts(one: Import) -> dict[str, Any]:
    """Return what is known of the whole only."""
    facts: dict[str, Any] = {
        "items": one.items.total,
        "links_left_out": one.links,
        "differs": len(one.differences.differs),
        "not_compared": one.differences.not_compared,
        "asked": one.read.asked,
    }
    if one.differences.moved:
        facts["same_elsewhere"] = len(one.differences.moved)
    if one.read.asked:
        facts["attributes_left_out"] = top_counts(one.read.settled.left_out)
        facts["notes"] = one.read.notes
    return facts
