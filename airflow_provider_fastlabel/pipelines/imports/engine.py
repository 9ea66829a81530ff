"""Imports many files into a project: every file exactly one task, however often it is run and wherever it is killed."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.client.exceptions import (
    AuthError,
    Conflict,
    ConnectionFailed,
    FastLabelException,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from airflow_provider_fastlabel.pipelines.files.problems import (
    SHOWN,
    ImportIncomplete,
    ImportRefused,
    ImportSummary,
    Problem,
    count_items,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.files.sources import without_temporary
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.imports.preflight import find_problems, resolve_kind
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded
from airflow_provider_fastlabel.pipelines.running.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.pipelines.files.sources import Source

log: logging.Logger = logging.getLogger(__name__)

OnExists = Literal["skip", "update", "fail"]

OUTAGE = 20
"""So many items in a row that fail because FastLabel does not answer mean an outage, not bad items: the run stops."""

_HOPELESS = (AuthError, NotFound, RateLimited)
_OUTAGE_ERRORS = (ServerError, ConnectionFailed, RequestTimeout, OutcomeUnknown)


def import_files(
    client: FastLabelClient,
    project: str,
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
    :param project: the project's slug.
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
    resolved = resolve_kind(client, project, kind)
    with Manifest(manifest, project=project, kind=resolved.name) as record:
        given = _lasting(fields or {}), _lasting(annotations or {})
        run = _Run(client, project, resolved, record, on_exists, max_failures, *given)
        return run.run(list(sources), list(problems), max_workers, stop or threading.Event())


def _lasting(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values that can be read more than once: an iterator gives its items to the first reader only."""
    if not any(isinstance(value, Iterator) for value in values.values()):
        return values
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in values.items()}


class _Run:
    """One run of an import."""

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
        self.failures: list[Problem] = []
        self.total = 0
        self.progress = Progress(0)
        self._lock = threading.Lock()
        self._silent = 0

    def run(self, sources: list[Source], known: list[Problem], workers: int, stop: threading.Event) -> ImportSummary:
        """Check everything, then create what is missing."""
        self.existing = self.client.task_ids_by_name(self.project)
        problems = sorted({*known, *self._check(sources, workers, stop)})
        bad = {problem.name for problem in problems}
        todo = [source for source in sources if source.name not in bad]
        self.total = len(todo) + len(bad)
        self.progress = Progress(self.total, calls_left=self.client.quota.remaining)
        self._judge(problems)
        log.info(
            "Importing %d items into project %s (%s): %d of the project's %d tasks exist among them, %d have problems",
            self.total,
            self.project,
            self.kind.name,
            sum(source.name in self.existing for source in todo),
            len(self.existing),
            len(bad),
        )
        try:
            run_bounded(self._settle, todo, workers=workers, stop=stop, tick=self._tick)
        except _HOPELESS:
            log.error("Stopped; what was created stays, run again to go on: %s", self._summary())
            raise
        return self._finish(stop)

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
            self._fail(Problem(name, "; ".join(messages)), tolerated=True)
        if not problems or (self.max_failures is not None and len(reasons) <= self.max_failures):
            return
        limit = "" if self.max_failures is None else f", {self.max_failures} are tolerated"
        raise ImportRefused(
            f"{count_items(problems)} of {self.total} items cannot be imported into project {self.project!r}{limit}. "
            f"Nothing was created.\n{enumerate_problems(problems)}\n"
            f"All of them are listed in {self.manifest}. Correct them, or raise max_failures, and run again.",
            problems,
        )

    def _tick(self) -> None:
        self.manifest.checkpoint()
        self.progress.beat()

    def _settle(self, source: Source) -> None:
        """Bring one item to its fate."""
        try:
            task_id = self.existing.get(source.name)
            fate = self._create(source) if task_id is None else self._meet(source.name, task_id)
            self._silent = 0
            self.progress.count(fate)
        except _HOPELESS:
            raise
        except (FastLabelException, OSError, ValueError) as error:
            self._fail(Problem(source.name, without_temporary(str(error)) or type(error).__name__))
            self._watch_for_outage(error)

    def _create(self, source: Source) -> str:
        payload = self._payload(source.name)
        if self.on_exists == "fail":
            self.manifest.write(source.name, "creating")
        try:
            with source.local() as path:
                task_id = self.client.create_task(self.project, self.kind.name, source.name, path, **payload)
        except Conflict:
            # Somebody else, or a call of ours whose answer a killed run never read, created it meanwhile.
            found = getattr(self.client, f"find_{self.kind.name}_task_by_name")(self.project, source.name)
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
            getattr(self.client, f"update_{self.kind.name}_task")(task_id, **payload)
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

    def _fail(self, problem: Problem, *, tolerated: bool = False) -> None:
        self.manifest.write(problem.name, "failed", why=problem.message)
        self.progress.count("failed")
        if not tolerated:
            log.warning("Failed: %s", problem)
        with self._lock:
            self.failures.append(problem)
            over = self.max_failures is not None and len(self.failures) > self.max_failures
        if over and not tolerated:
            raise self._incomplete("The import was stopped: more items failed than max_failures tolerates")

    def _watch_for_outage(self, error: Exception) -> None:
        with self._lock:
            self._silent = self._silent + 1 if isinstance(error, _OUTAGE_ERRORS) else 0
            out = self._silent >= OUTAGE
        if out:
            raise self._incomplete(
                f"The import was stopped: {OUTAGE} items in a row got no usable answer from FastLabel"
            )

    def _finish(self, stop: threading.Event) -> ImportSummary:
        if stop.is_set():
            raise self._incomplete("The import was stopped on request")
        if self.failures and self.max_failures is None:
            raise self._incomplete("The import is not complete")
        summary = self._summary()
        log.info("Import into project %s: %s", self.project, summary)
        return summary

    def _summary(self) -> ImportSummary:
        counts = self.progress.counts
        return {
            "total": self.total,
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
            f"{what}: {kept} of {self.total} items of project {self.project!r} are tasks now "
            f"({summary['created']} created, {summary['exists']} existed, {summary['updated']} updated) and stay; "
            f"{summary['failed']} failed."
        )
        if self.failures:
            text += f"\n{enumerate_problems(self.failures, SHOWN)}"
        text += f"\nEvery item's fate is in {self.manifest}. Run again: it tries only what is missing."
        return ImportIncomplete(text, summary)
