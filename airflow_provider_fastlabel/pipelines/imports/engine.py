"""Imports many files into a project: every file exactly one task, however often it is run and wherever it is killed."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.client.exceptions import Conflict, NotFound
from airflow_provider_fastlabel.pipelines.files.problems import (
    ImportIncomplete,
    ImportRefused,
    ImportSummary,
    Problem,
    count_items,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.imports.preflight import Destination, find_problems, resolve_destination
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.pipelines.files.sources import Source

log: logging.Logger = logging.getLogger(__name__)

OnExists = Literal["skip", "update", "fail"]

_HOPELESS: tuple[type[Exception], ...] = (*HOPELESS, NotFound)
"""Not found is the project: a task that is gone is told apart where it is updated."""


def import_files(
    client: FastLabelClient,
    project: str | Destination,
    sources: Iterable[Source],
    *,
    manifest: Any,
    kind: str | None = None,
    annotations: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    fields: Mapping[str, Any] | None = None,
    on_exists: OnExists = "skip",
    max_failures: int | None = None,
    max_workers: int = 4,
    problems: Iterable[Problem] = (),
    stop: threading.Event | None = None,
) -> ImportSummary:
    """Create one task per source. Run again after a kill or a failure, it creates what is missing and nothing twice.

    The truth is which names exist in FastLabel; the manifest tells what became of each item. Everything that can be
    checked without sending is checked, for all items, before the first task is created.

    :param client: the client.
    :param project: the project's slug, or what :func:`resolve_destination` has found of it already.
    :param sources: what to create, usually from :func:`find_sources`.
    :param manifest: where the fate of each item is written: a local path, or an object with the ``pathlib`` interface
        in an object store. A manifest of an earlier run of the same import is continued.
    :param kind: the task kind's name; by default that of the project's type, and in no case another.
    :param annotations: task name -> pre-annotations as FastLabel takes them.
    :param fields: further arguments of the create method for every task (``tags``, ``status``, ``priority`` ...).
    :param on_exists: what to do with a name that exists: leave it alone (``skip``), send annotations and fields to it
        unless this manifest says they were sent already (``update``), or count it as a failure (``fail``; tasks this
        manifest says were created by an earlier try do not count).
    :param max_failures: how many items may fail, in the checks or in FastLabel, with the others still imported.
        ``None``: any problem found by the checks ends the run before anything is created; failures met later do not
        stop the others but fail the run at its end.
    :param max_workers: how many uploads run at a time.
    :param problems: problems known already, from listing the files or reading the annotations.
    :param stop: set it to end the run early; what was created stays and is found by the next run.
    :returns: the counts and the manifest's place.
    :raises ImportRefused: the project is unknown, the kind does not fit, or the checks found too many problems. Nothing
        was created.
    :raises ImportIncomplete: more items failed than tolerated, or the run was stopped. What was created stays.
    :raises AuthError: the token is not accepted (any more).
    :raises RateLimited: FastLabel asks to wait longer than a client should; try again later.
    :raises OSError: the manifest cannot be written.
    """
    if max_workers < 1:
        raise ValueError(f"max_workers must be at least 1, not {max_workers}")
    into = project if isinstance(project, Destination) else resolve_destination(client, project, kind)
    with Manifest(manifest, project=into.project, kind=into.kind.name) as record:
        given = _lasting(fields or {}), _lasting(annotations or {})
        one = _Import(client, into.project, into.kind, record, on_exists, max_failures, *given)
        return one.run(list(sources), list(problems), max_workers, stop or threading.Event())


def _lasting(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values that can be read more than once: an iterator gives its items to the first reader only."""
    if not any(isinstance(value, Iterator) for value in values.values()):
        return values
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in values.items()}


class _Import:
    """One import: what is checked, what becomes of each item, and how its end is told."""

    items: Run[Source]

    def __init__(
        self,
        client: FastLabelClient,
        project: str,
        kind: Kind,
        manifest: Manifest,
        on_exists: OnExists,
        max_failures: int | None,
        fields: Mapping[str, Any],
        annotations: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        self.client = client
        self.project = project
        self.kind = kind
        self.manifest = manifest
        self.on_exists = on_exists
        self.max_failures = max_failures
        self.fields = fields
        self.annotations = annotations
        self.existing: dict[str, str] = {}

    def run(self, sources: list[Source], known: list[Problem], workers: int, stop: threading.Event) -> ImportSummary:
        """Check everything, then create what is missing."""
        self.existing = self.client.task_ids_by_name(self.project)
        problems = sorted({*known, *self._check(sources, workers, stop)})
        bad = {problem.name for problem in problems}
        todo = [source for source in sources if source.name not in bad]
        self.items = self._run_over(len(todo) + len(bad))
        self._judge(problems)
        log.info(
            "Importing %d items into project %s (%s): %d of the project's %d tasks exist among them, %d have problems",
            self.items.total,
            self.project,
            self.kind.name,
            sum(source.name in self.existing for source in todo),
            len(self.existing),
            len(bad),
        )
        try:
            self.items.over(todo, workers=workers, stop=stop, tick=self.manifest.checkpoint)
        except _HOPELESS:
            log.error("Stopped; what was created stays, run again to go on: %s", self._summary())
            raise
        summary = self._summary()
        log.info("Import into project %s: %s", self.project, summary)
        return summary

    def _run_over(self, total: int) -> Run[Source]:
        return Run(
            "import",
            "items",
            total,
            name=lambda source: source.name,
            settle=self._settle,
            incomplete=self._incomplete,
            max_failures=self.max_failures,
            hopeless=_HOPELESS,
            on_failure=lambda problem: self.manifest.write(problem.name, "failed", why=problem.message),
            calls_left=self.client.quota.remaining,
        )

    def _check(self, sources: list[Source], workers: int, stop: threading.Event) -> list[Problem]:
        problems = find_problems(
            self.client,
            self.project,
            self.kind,
            # What exists and stays as it is need not be fit for creating.
            [s for s in sources if not (s.name in self.existing and self.on_exists == "skip")],
            self.annotations,
            workers=workers,
            stop=stop,
        )
        if self.on_exists == "fail":
            problems += [
                Problem(source.name, "exists in the project already (on_exists='fail')")
                for source in sources
                if source.name in self.existing and not self._is_ours(source.name)
            ]
        return problems

    def _is_ours(self, name: str) -> bool:
        earlier = self.manifest.earlier.get(name)
        return earlier is not None and earlier.ours

    def _judge(self, problems: list[Problem]) -> None:
        """Write down what the checks found, and refuse the run when it is more than tolerated."""
        reasons: dict[str, list[str]] = {}
        for problem in problems:
            reasons.setdefault(problem.name, []).append(problem.message)
        for name, messages in reasons.items():
            self.items.fail(Problem(name, "; ".join(messages)))
        if not problems or (self.max_failures is not None and len(reasons) <= self.max_failures):
            return
        limit = "" if self.max_failures is None else f", {self.max_failures} are tolerated"
        raise ImportRefused(
            f"{count_items(problems)} of {self.items.total} items cannot be imported into project {self.project!r}"
            f"{limit}. Nothing was created.\n{enumerate_problems(problems)}\n"
            f"All of them are listed in {self.manifest}. Correct them, or raise max_failures, and run again.",
            problems,
        )

    def _settle(self, source: Source) -> str:
        """Bring one item to its fate."""
        task_id = self.existing.get(source.name)
        return self._create(source) if task_id is None else self._meet(source.name, task_id)

    def _create(self, source: Source) -> str:
        payload = self._payload(source.name)
        if self.on_exists == "fail":
            self.manifest.write(source.name, "creating")
        try:
            with source.local() as path:
                task_id = self.client.create_task(self.project, self.kind.name, source.name, path, **payload)
        except Conflict:
            # Somebody else, or a call of ours whose answer a killed run never read, created it meanwhile.
            found = self.client.find_task_by_name(self.kind.name, self.project, source.name)
            self._note_existing(source.name, found["id"] if found else None)
            if self.on_exists == "fail" and not self._is_ours(source.name):
                raise
            return "exists"
        self.manifest.write(source.name, "created", task_id=str(task_id), digest=self._digest(payload))
        return "created"

    def _meet(self, name: str, task_id: str) -> str:
        """Deal with a task that exists."""
        earlier = self.manifest.earlier.get(name)
        payload = self._payload(name)
        if self.on_exists == "update" and payload:
            digest = self._digest(payload)
            if earlier is None or earlier.digest != digest:
                self._update(name, task_id, payload)
                self.manifest.write(name, "updated", task_id=task_id, digest=digest)
                return "updated"
        if earlier is None or earlier.fate in ("creating", "failed"):
            self._note_existing(name, task_id)
        return "exists"

    def _note_existing(self, name: str, task_id: str | None) -> None:
        self.manifest.write(name, "created" if self._is_ours(name) else "exists", task_id=task_id)

    def _update(self, name: str, task_id: str, payload: Mapping[str, Any]) -> None:
        try:
            self.client.update_task_of(self.kind.name, task_id, **payload)
        except NotFound as error:
            raise ValueError(f"task {task_id} was deleted during the run; run again to create {name!r} anew") from error

    def _payload(self, name: str) -> dict[str, Any]:
        payload = dict(self.fields)
        if self.annotations.get(name):
            payload["annotations"] = self.annotations[name]
        return payload

    def _digest(self, payload: Mapping[str, Any]) -> str | None:
        if self.on_exists != "update":
            return None
        return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def _summary(self) -> ImportSummary:
        counts = self.items.counts
        return {
            "total": self.items.total,
            "created": counts["created"],
            "exists": counts["exists"],
            "updated": counts["updated"],
            "failed": counts["failed"],
            "manifest": str(self.manifest),
        }

    def _incomplete(self, what: str) -> ImportIncomplete:
        summary = self._summary()
        kept = summary["created"] + summary["exists"] + summary["updated"]
        text = (
            f"{what}: {kept} of {self.items.total} items of project {self.project!r} are tasks now "
            f"({summary['created']} created, {summary['exists']} existed, {summary['updated']} updated) and stay; "
            f"{summary['failed']} failed."
        )
        if self.items.failures:
            text += f"\n{enumerate_problems(self.items.failures)}"
        text += f"\nEvery item's fate is in {self.manifest}. Run again: it tries only what is missing."
        return ImportIncomplete(text, summary, self.items.failures)
