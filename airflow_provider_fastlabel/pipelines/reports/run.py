"""Makes a report of the tasks of a project: a page and a picture for people, ``report.json`` for the report after it.

The tasks are read once. Memory holds counts and a few numbers for each class and figure; what must be known of each
picture waits in a temporary file. The same tasks, pictures and earlier report give the same bytes.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.comparisons.since import key_of
from airflow_provider_fastlabel.pipelines.exports.manifests import read_own
from airflow_provider_fastlabel.pipelines.files.placed import put_file
from airflow_provider_fastlabel.pipelines.reports import summary as summaries
from airflow_provider_fastlabel.pipelines.reports.measures import Measures
from airflow_provider_fastlabel.pipelines.reports.page import page_of
from airflow_provider_fastlabel.pipelines.reports.page_file import PAGE, SHEET
from airflow_provider_fastlabel.pipelines.reports.pictures import COMPARED, Seen, look_alike
from airflow_provider_fastlabel.pipelines.reports.spool import Spool
from airflow_provider_fastlabel.pipelines.running.progress import results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_fastlabel.pipelines.comparisons.result import Comparison
    from airflow_provider_fastlabel.pipelines.comparisons.since import Since
    from airflow_provider_fastlabel.pipelines.reports.pictures import Source

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)


def _no_picture(_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report that is to be made.

    :param project: slug of the project, the title of the page.
    :param source: says where the photograph of a picture is: a path, its bytes, or ``None``.
    :param compare: whether photographs are compared with one another, for which some thousand are opened.
    :param split_of: says in which split of the data set a picture is, given the task's name.
    :param left_out: what the export of the data set counted, as :meth:`.PublishedDataset.left_out` returns it.
    :param reasons_of: says why that export left out what of a picture, given its name.
    :param since: what has changed in the data set since the version before; ``None`` without a data set.
    """

    project: str
    source: Source = _no_picture
    compare: bool = False
    split_of: Callable[[str], str] = field(default=lambda _: "")
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons_of: Callable[[str], Iterable[str]] = field(default=lambda _: ())
    since: Since | None = None

    def make(self, tasks: Iterable[Task], last: bytes | None = None) -> Made:
        """Make the report.

        :param tasks: task objects as the API returns them, read once; not changed.
        :param last: ``report.json`` of the report before; ``None`` if there is none.
        :returns: the files, and the counts.
        :raises OSError: the disk of the temporary folder is full.
        """
        spool = Spool()
        try:
            wanted = frozenset(() if self.since is None else map(key_of, self.since.names()))
            measures = Measures(spool, self.split_of, self.reasons_of, wanted)
            measures.read(tasks)
            seen = Seen()
            if self.compare:
                look_alike(spool, measures.lowest_ranks(COMPARED), self.source, measures.worst, seen)
            summary = summaries.with_previous(summaries.summary_of(measures, self.project), last)
            page, sheet = page_of(
                measures, summary, source=self.source, seen=seen, left_out=self.left_out, since=self.since
            )
        finally:
            spool.close()
        for fault in seen.faults[:10]:
            log.warning("The report shows outlines in place of a picture that cannot be read: %s", fault)
        comparison = None if self.since is None else self.since.comparison
        return Made(page, sheet, summaries.stored(summary), summary, seen, comparison)


@dataclass(frozen=True)
class Made:
    """A report as it is to be written.

    :param page: content of ``report.html``.
    :param sheet: content of ``contact-sheet.jpg``.
    :param stored: content of ``report.json``.
    :param summary: what is in that.
    :param seen: what became of the pictures.
    :param comparison: with the version before; ``None`` if there was none to compare with.
    """

    page: bytes
    sheet: bytes
    stored: bytes
    summary: dict[str, Any]
    seen: Seen
    comparison: Comparison | None = None

    def result(self, place: str, *, changed: bool) -> dict[str, Any]:
        """Return what the report says in few numbers, and say it in the log.

        :param place: where the report was written, as a reader finds it.
        :param changed: whether it differs from the one before.
        """
        numbers = {name: self.summary[name] for name in ("tasks", "pictures", "objects", "suspicions")}
        results.info(
            "%s/%s shows %d tasks with %d objects; suspicious: %s",
            place.rstrip("/"),
            PAGE,
            numbers["tasks"],
            numbers["objects"],
            numbers["suspicions"] or "nothing",
        )
        return {
            "output": place,
            "report": f"{place.rstrip('/')}/{PAGE}",
            **numbers,
            "photographs_missing": self.seen.missing,
            "photographs_damaged": self.seen.damaged,
            "bytes": len(self.page),
            "sha256": hashlib.sha256(self.page).hexdigest(),
            "changed": changed,
            **({} if self.comparison is None else {"since_last_version": self.comparison.counts()}),
        }


def last_report(target: Any) -> bytes | None:
    """Read the file by which the last report at a place says what it counted.

    :param target: the report's local folder, or its path in an object store.
    :returns: its content; ``None`` if there is none.
    :raises DamagedFileError: it is no regular file, or too large for one.
    :raises OSError: it cannot be read.
    """
    return read_own(target, summaries.SUMMARY, summaries.MOST_BYTES)


def write_report(made: Made, target: Any) -> bool:
    """Write a report, each of its files whole or not at all, the page first.

    :param made: the report.
    :param target: as for :func:`last_report`; a local folder is made if it is missing.
    :returns: whether anything differs from what was there.
    :raises OSError: it cannot be written; what was there before stays.
    """
    files = {PAGE: made.page, SHEET: made.sheet, summaries.SUMMARY: made.stored}
    changed = [_put(target, name, data) for name, data in files.items()]
    return any(changed)


def _put(target: Any, name: str, data: bytes) -> bool:
    """Put a file in its place unless it is there already."""
    if read_own(target, name, 1 << 26) == data:
        return False
    put_file(target, name, (data,))
    return True
