"""Puts a data set together aside, with all that belongs to one of ours, and publishes it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.digests import facts_of
from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE
from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
from airflow_provider_fastlabel.formats.writing.naming import LEFT_OUT_FILE
from airflow_provider_fastlabel.formats.writing.noted import NotedFolder
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.exports.staging import staging
from airflow_provider_fastlabel.pipelines.files.buckets import store_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination
    from airflow_provider_fastlabel.pipelines.exports.publish import Published, Row

    Write = Callable[[NotedFolder[Rows], NotedFolder[Rows], LeftOut], ExportReport]


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A data set that is to be put together.

    :param destination: where it is published, as it was before the work.
    :param format: name of its format.
    :param classes: its classes with their ids.
    :param first_class_id: id of the first class.
    :param filters: what it was selected by, for the manifest.
    :param class_changes: how the classes changed the last time they did.
    """

    destination: Destination
    format: str
    classes: ClassMap
    first_class_id: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)
    class_changes: Mapping[str, Any] = field(default_factory=dict)

    def publish(
        self, write: Write, stand_ins: Callable[[], Mapping[str, Row] | None] = lambda: None
    ) -> tuple[ExportReport, Published]:
        """Let somebody write the data set, complete it and publish it.

        :param write: given a folder for work, the folder of the data set in it, and the list of what is left out. An
            error of its keeps what was published before.
        :param stand_ins: asked when the files are there: which only stand for files of the earlier data set.
        :returns: what the writer did, and what publishing did.
        :raises StoreFailedError: the object store was not reached, or refused.
        :raises OSError: the disk is full, or the target cannot be written; what was published before stays.
        """
        with staging(self.destination.target) as work, closing(Rows(work)) as rows, closing(LeftOut(work)) as left_out:
            noted = NotedFolder(work, rows)
            folder = noted.at(work / "dataset")
            folder.path.mkdir()
            report = write(noted, folder, left_out)
            lock = self.classes.to_lock(self.class_changes)
            (folder.path / LOCK_FILE).write_bytes(lock)
            folder.note(LOCK_FILE, facts_of((lock,)))
            left_out.write(folder.path / LEFT_OUT_FILE)
            report.left_out = left_out
            described = manifest_of(
                report,
                format=self.format,
                classes=self.classes,
                first_class_id=self.first_class_id,
                filters=self.filters,
                class_changes=self.class_changes,
            )
            place, kept = self.destination.target, self.destination.after_failure
            with store_asked(place, "cannot be published to", kept, alone=False):
                return report, publish(folder, self.destination, described, stand_ins=stand_ins())
