"""Imports many files into a project: every file exactly one task, however often it is run and wherever it is killed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import NotFound, RateLimited, Unavailable
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE
from airflow_provider_fastlabel.pipelines.files.problems import (
    ImportIncomplete,
    ImportRefused,
    ImportSummary,
    Problem,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.imports.differences import find_differences
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations, as_read, lasting
from airflow_provider_fastlabel.pipelines.imports.preflight import (
    Destination,
    each_once,
    find_problems,
    resolve_destination,
)
from airflow_provider_fastlabel.pipelines.imports.settling import Settler
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, Run
from airflow_provider_fastlabel.regular_files import LEAVES
from airflow_provider_fastlabel.words import top_counts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.running.people import People

log: logging.Logger = logging.getLogger(__name__)

_HOPELESS: tuple[type[Exception], ...] = (*HOPELESS, NotFound)
"""Not found is the project: a task that is gone is told apart where it is updated."""


def import_files(
    client: FastLabelClient,
    project: str | Destination,
    sources: Iterable[Source],
    *,
    manifest: Any,
    kind: str | None = None,
    annotations: Mapping[str, Sequence[Mapping[str, Any]]] | PreAnnotations | None = None,
    fields: Mapping[str, Any] | None = None,
    on_exists: OnExists = "skip",
    on_difference: OnDifference = "warn",
    people: People | None = None,
    max_failures: int | None = None,
    max_workers: int = 4,
    problems: Iterable[Problem] = (),
    links: Iterable[str] = (),
    stop: threading.Event | None = None,
) -> ImportSummary:
    """Create one task per source. Run again after a kill or a failure, it creates what is missing and nothing twice.

    The truth is which names exist in FastLabel. All that can be is checked before the first task is created.

    :param client: the client.
    :param project: the project's slug, or what :func:`resolve_destination` has found of it already.
    :param sources: what to create, usually from :func:`find_sources`.
    :param manifest: where the fate of each item is written, as ``target`` of :class:`Manifest`; it is continued.
    :param kind: the task kind's name; by default that of the project's type, and in no case another.
    :param annotations: task name -> pre-annotations as FastLabel takes them, or what a reader made of annotation files.
        A name that is no source is an item that failed: its picture is missing.
    :param fields: further arguments of the create method for every task (``tags``, ``status``, ``priority`` ...).
    :param on_exists: what to do with a name that exists: leave it alone (``skip``), send annotations and fields to it
        unless this manifest says they were sent already (``update``), or count it as a failure (``fail``; tasks this
        manifest says were created by an earlier try do not count).
    :param on_difference: where a file is another one than its task was made of, ``warn``, or look closer and ``fail``.
    :param people: who works on which task.
    :param max_failures: how many items may fail, in the checks or in FastLabel, with the others still imported. None:
        the checks end the run before anything is created, later failures do not stop the others. Whatever is allowed,
        a run that brings nothing, or none of the annotations, fails.
    :param max_workers: how many uploads run at a time.
    :param problems: problems known already, from listing and reading; their items are not created.
    :param links: links out of the folder that were left out, to be counted.
    :param stop: set it to end the run early; what was created stays.
    :returns: the counts and the manifest's place.
    :raises ImportRefused: the project or kind does not fit, or the checks found too much. Nothing was created.
    :raises ImportIncomplete: more items failed than tolerated, or the run was stopped. What was created stays.
    :raises AuthError: the token is not accepted (any more).
    :raises RateLimited: FastLabel asks to wait too long; try again later.
    :raises OSError: the manifest cannot be written.
    """
    if max_workers < 1:
        raise ValueError(f"max_workers must be at least 1, not {max_workers}")
    into = project if isinstance(project, Destination) else resolve_destination(client, project, kind)
    read = annotations if isinstance(annotations, PreAnnotations) else as_read(annotations or {})
    with Manifest(manifest, project=into.project, kind=into.kind.name) as record:
        on = (on_exists, on_difference)
        one = Import(client, into, record, on, lasting(fields or {}), read, max_failures=max_failures)
        one.people = people or one.people
        one.leave_out(links)
        items, repeated = each_once(sources)
        return one.run(items, [*problems, *read.problems, *repeated], max_workers, stop or threading.Event())


class Import(Settler):
    """One import: what is checked, what becomes of each item, and how its end is told.

    :param client: the client.
    :param into: the project.
    :param manifest: where fates are written, open.
    :param on: what is done with names that exist, and with files that differ.
    :param fields: what every task gets.
    :param read: the pre-annotations.
    :param max_failures: how many items may fail.
    :param part: whether it is a part of a larger import, whose end decides whether anything of what was asked arrived.
    """

    items: Run[Source]

    def __init__(
        self,
        client: FastLabelClient,
        into: Destination,
        manifest: Manifest,
        on: tuple[OnExists, OnDifference],
        fields: Mapping[str, Any],
        read: PreAnnotations,
        *,
        max_failures: int | None,
        part: bool = False,
    ) -> None:
        super().__init__(client, into, manifest, on, fields, read)
        self.max_failures = max_failures
        self.part = part
        self.links = 0
        self.told: list[Problem] = []
        """All problems that are known, of items that are left alone too."""

    def leave_out(self, links: Iterable[str]) -> None:
        """Write down the links that are no items.

        :param links: their names.
        """
        for name in links:
            self.links += 1
            self.manifest.write(name, "left_out", why=LEAVES)

    def run(self, sources: Sources, known: list[Problem], workers: int, stop: threading.Event) -> ImportSummary:
        """Check everything, then create what is missing.

        :param sources: the items.
        :param known: problems that are known already.
        :param workers: how many files are read, and uploaded, at a time.
        :param stop: set it to end the run early.
        """
        self.look(sources, workers, stop)
        bad = self.check(sources, known, workers, stop)
        self.read.settled.create(self.client)
        return self.create(sources, bad, workers, stop)

    def look(self, sources: Sources, workers: int, stop: threading.Event) -> None:
        """Read which tasks the project has, and compare the files with theirs; see :meth:`run`."""
        for name, task_id in self.client.iter_task_names(self.project):
            self.existing[name] = task_id
        self.differences = find_differences(
            self.client,
            (self.project, self.kind.name),
            sources,
            (self.existing, self.manifest.earlier),
            thorough=self.on_difference == "fail",
            workers=workers,
            stop=stop,
        )

    def check(self, sources: Sources, known: list[Problem], workers: int, stop: threading.Event) -> set[str]:
        """Check all items, and refuse the import if too much is wrong; see :meth:`run`.

        :returns: the names of the items that are not to be imported.
        :raises ImportRefused: more is wrong than may be.
        """
        known = [*known, *self._without_picture(sources)]
        problems = sorted({*self._relevant(known), *self._check(sources, workers, stop)})
        self.told = sorted({*known, *problems})
        bad = {problem.name for problem in problems}

        def todo() -> Iterator[Source]:
            return (source for source in sources if source.name not in bad)

        self.items = self._run_over(len(sources) + sum(not sources.has(name) for name in bad))
        self._judge(problems, todo())
        log.info(
            "Importing %d items into project %s (%s): %d are tasks already, %d have problems",
            self.items.total,
            self.project,
            self.kind.name,
            sum(source.name in self.existing for source in todo()) if self.existing else 0,
            len(bad),
        )
        return bad

    def create(self, sources: Sources, bad: Collection[str], workers: int, stop: threading.Event) -> ImportSummary:
        """Bring all items to their fate that the checks have passed; see :meth:`run`.

        :param bad: the names of the others.
        :raises ImportIncomplete: more items failed than tolerated, or the run was stopped.
        """

        def todo() -> Iterator[Source]:
            return (source for source in sources if source.name not in bad)

        if self.on_exists == "fail":
            self.manifest.announce(source.name for source in todo() if source.name not in self.existing)
        try:
            self.items.over(todo(), workers=workers, stop=stop, tick=self.manifest.checkpoint)
        except _HOPELESS as error:
            summary = self._summary()
            if isinstance(error, RateLimited | Unavailable):
                self.manifest.note_parts(summary["created"], summary["updated"])
            log.warning("Stopped; what was created stays, run again to go on: %s", summary)
            raise
        if self._in_vain():
            raise self._incomplete("The import brought nothing of what was asked")
        summary = self._summary()
        self.manifest.note_parts(0, 0)
        self.items.say_result("Import into project %s: %s", self.project, summary)
        return summary

    def _in_vain(self) -> bool:
        """Tell whether nothing arrived, or none of the annotations."""
        if self.part:
            return False
        unlabelled = self.read.asked and not self.tally.sent + self.tally.existing
        return unlabelled or 0 < self.items.total == self.items.counts["failed"]

    def _without_picture(self, sources: Sources) -> list[Problem]:
        """Return the pictures that have annotations and are not there."""
        missing = sorted(name for name, own in self.annotations.items() if own and not sources.has(name))
        text = "has annotations, and there is no such picture among the files to import"
        return [Problem(name, text, NO_PICTURE, self.tally.take_out(name)) for name in missing]

    def _relevant(self, known: list[Problem]) -> list[Problem]:
        """Leave out what a reader lost of pictures whose tasks exist and stay as they are."""
        self.tally.know(known)
        left = {problem.name for problem in known if problem.reason and self._stays(problem.name)}
        for name in left:
            self.tally.forgive(name)
        if left:
            log.info("%d pictures with unusable annotations are tasks already and stay as they are", len(left))
        return [problem for problem in known if problem.name not in left]

    def _stays(self, name: str) -> bool:
        """Tell whether an item is a task already that this run leaves alone."""
        return name in self.existing and self.on_exists == "skip" and not self.is_owed(name)

    def _run_over(self, total: int) -> Run[Source]:
        return Run(
            "import",
            "items",
            total,
            name=lambda source: source.name,
            settle=self.settle,
            incomplete=self._incomplete,
            max_failures=self.max_failures,
            hopeless=_HOPELESS,
            on_failure=self._note_failure,
            calls_left=self.client.quota.remaining,
        )

    def _note_failure(self, problem: Problem) -> None:
        self.manifest.write(problem.name, "failed", why=problem.message, lost=self.tally.failed(problem.name))

    def _check(self, sources: Sources, workers: int, stop: threading.Event) -> list[Problem]:
        problems = find_problems(
            self.client,
            self.project,
            self.kind,
            sources,
            self._stays if self.existing else lambda _: False,
            self.annotations,
            classes=self.read.settled.classes,
            workers=workers,
            stop=stop,
        )
        if self.on_exists == "fail":
            problems += [
                Problem(source.name, "exists in the project already (on_exists='fail')")
                for source in sources
                if source.name in self.existing and not self.manifest.is_ours(source.name)
            ]
        return [*problems, *(self.differences.problems() if self.on_difference == "fail" else ())]

    def _judge(self, problems: list[Problem], todo: Iterator[Source]) -> None:
        """Write down what the checks found, and refuse the run when it is more than tolerated."""
        reasons: dict[str, list[str]] = {}
        for problem in problems:
            reasons.setdefault(problem.name, []).append(problem.message)
        for name, messages in reasons.items():
            self.items.fail(Problem(name, "; ".join(messages)))
        hopeless = self.read.asked and not any(self.tally.objects(source.name) for source in todo)
        if not problems or (self.max_failures is not None and len(reasons) <= self.max_failures and not hopeless):
            return
        limit = "" if self.max_failures is None else f", {self.max_failures} are tolerated"
        limit += ". None of the annotations would arrive" if hopeless else ""
        raise ImportRefused(
            f"{len(reasons)} of {self.items.total} items cannot be imported into project {self.project!r}"
            f"{limit}. Nothing was created.\n{enumerate_problems(problems)}\n"
            f"All are listed in {self.manifest}. Correct, rename or take away these files, or raise max_failures to "
            "import the others, and run again.",
            problems,
        )

    def _summary(self) -> ImportSummary:
        counts, left = self.items.counts, self.manifest.left
        created, updated = (left.get(fate, 0) for fate in ("created", "updated"))
        summary: ImportSummary = {
            "total": self.items.total,
            "created": counts["created"] + created,
            # What earlier parts of this import brought exists for the last one.
            "exists": max(0, counts["exists"] - created - updated),
            "updated": counts["updated"] + updated,
            "failed": counts["failed"],
            "with_annotations": self.tally.with_annotations,
            "without_annotations": self.tally.without_annotations,
            "annotations": self.tally.counts(),
            "links_left_out": self.links,
            "differs": len(self.differences.differs),
            "not_compared": self.differences.not_compared,
            "manifest": str(self.manifest),
        }
        if self.differences.moved:
            summary["same_elsewhere"] = len(self.differences.moved)
        if self.read.asked:
            summary["attributes_left_out"] = top_counts(self.read.settled.left_out)
            summary["notes"] = self.read.notes
        return summary

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
