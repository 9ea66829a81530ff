"""Makes the report of a project: tasks come from FastLabel, photographs from a data set or from FastLabel too."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.client.http.shapes import needed
from airflow_provider_fastlabel.client.kinds import kind_of_project_type
from airflow_provider_fastlabel.pipelines.comparisons.since import changes_since
from airflow_provider_fastlabel.pipelines.files.task_files import download_task_file
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from airflow_provider_fastlabel.pipelines.reports.run import Report, last_report, write_report
from airflow_provider_fastlabel.pipelines.running.progress import Progress
from airflow_provider_fastlabel.regular_files import read_regular
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.pipelines.reports.run import Made
    from airflow_provider_fastlabel.pipelines.reports.spool import Record

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ProjectReport:
    """A report of the tasks of a project.

    :param client: the client.
    :param filters: what the tasks are selected by: ``project``, its slug, and what ``count_tasks`` takes beside it.
    :param target: where the report is written: a ``pathlib.Path``, or an object with its interface in an object store.
    :param dataset: where a data set of the project is published, whose photographs, splits and counts the report shows;
        ``None`` for none.
    :param before: folder of the earlier version of the data set, with which it is compared; ``None`` for the one before
        at the same place, where that keeps versions.
    :param fetch: whether photographs that are not in the data set are downloaded, as many as the page shows.
    """

    client: FastLabelClient
    filters: Mapping[str, Any]
    target: Any
    dataset: Any = None
    before: Any = None
    fetch: bool = False

    def run(self) -> tuple[Made, bool]:
        """Read the tasks once, make the report and write it.

        :returns: the report, and whether it differs from what was there.
        :raises NotFound: the project does not exist.
        :raises FileNotFoundError: there is no data set at ``dataset``.
        :raises DamagedFileError: the data set's manifest, or the last report's counts, are not as we write them.
        :raises FastLabelInvalidException: ``before`` is given without ``dataset``, or no labels can be read back from
            one of the two.
        :raises OSError: the report cannot be written; what was there before stays.
        """
        if self.before is not None and self.dataset is None:
            raise FastLabelInvalidException(
                "`before` is given without `dataset`, so there is nothing to compare with it. No report was made. Give "
                "the `output` of the later export as `dataset`."
            )
        slug = str(self.filters["project"])
        project = self.client.find_project_by_slug(slug)
        if project is None:
            raise NotFound(
                f"Project {slug!r} does not exist, or the token may not see it. No report was made. "
                "Check `project` (the slug, as in the address of the project's page)."
            )
        kind = kind_of_project_type(needed(project, "type", f"project {slug}"))
        last = last_report(self.target)
        dataset = None if self.dataset is None else PublishedDataset(self.dataset)
        # Before the tasks are read: what a comparison needs in memory is gone by then.
        since = None if dataset is None else changes_since(dataset, self.before)
        with scratch_folder("fastlabel-report-") as folder:
            source = _Photographs(self.client, kind, dataset, folder if self.fetch else None)
            report = Report(
                project=slug,
                source=source,
                compare=dataset is not None,
                split_of=(lambda _: "") if dataset is None else dataset.split_of,
                left_out={} if dataset is None else dataset.left_out(),
                reasons_of=(lambda _: ()) if dataset is None else dataset.reasons_of,
                since=since,
            )
            made = report.make(self._tasks(kind), last)
        return made, write_report(made, self.target)

    def _tasks(self, kind: Kind) -> Iterator[Task]:
        """Read the tasks page by page and say every now and then how far it is."""
        count = self.client.count_tasks(**self.filters)
        progress = Progress(count, calls_left=self.client.quota.remaining)
        filters = {name: value for name, value in self.filters.items() if name != "project"}
        slug = str(self.filters["project"])
        for task in self.client.iter_tasks(slug, kind.name, **filters, pages_ahead=PAGES_AHEAD, expected=count):
            yield task
            progress.count("read")
            progress.beat()


@dataclass(frozen=True)
class _Photographs:
    """Finds the photograph of a picture: in the data set, or at FastLabel."""

    client: FastLabelClient
    kind: Kind
    dataset: PublishedDataset | None
    folder: Path | None

    def __call__(self, record: Record) -> Path | bytes | None:
        found = None if self.dataset is None else self.dataset.picture(record)
        if found is not None or self.folder is None or not record.url:
            return found
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            place = Path(own, "picture")
            self._download(record, place)
            return read_regular(place)

    def _download(self, record: Record, place: Path) -> None:
        """Download a photograph; an address that has expired while the tasks were read is asked for anew."""
        download_task_file(
            self.client,
            self.kind.name,
            record.task_id,
            record.url,
            place,
            name=record.name,
            is_content=lambda name: record.name.endswith(f"/{name}"),
        )
