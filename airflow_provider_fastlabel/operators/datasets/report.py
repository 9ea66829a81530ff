"""Makes a report of a project that people can look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import external_status, rendered_texts, task_status
from airflow_provider_fastlabel.utils.asset_events import storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.links import PROJECT, PUBLISHED, TASKS, facts_of_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelReportOperator"]


class FastLabelReportOperator(FastLabelBaseOperator):
    """Make a report of a project: ``report.html``, one file that loads nothing, to be opened in any browser.

    It shows a contact sheet of the most suspicious labels, and as figures statuses, splits, classes, sizes, places,
    objects per picture, attributes, annotators, what was left out and what has changed since the report before and,
    with a ``dataset`` that has an earlier version, in its pictures and objects since that. A click
    on any bar, point or cell shows its pictures. The file stays below 10 MB: of a large project it holds a choice of
    pictures, and says so; all counts are of everything. ``contact-sheet.jpg`` beside it shows the worst as one picture,
    and ``report.json`` holds the counts, from which the next report at the same place tells what has changed.

    The tasks are read once, and memory stays small at any number of tasks. The report names the annotators.

    Pushes ``{"output", "report", "tasks", "pictures", "objects", "suspicions", "photographs_missing",
    "photographs_damaged", "bytes", "sha256", "changed", "markdown"}``: counts, suspicions by kind, whether the report
    differs from the one before, and the contact sheet for the ``body`` of an approval; with ``output_conn_id`` if that
    is given, and ``worked_in``, the worker's folder, if the place is relative to it. Airflow shows the report in the
    tab "Dataset" of the task. If two versions were compared, ``"since_last_version"`` has the counts of what changed.

    :param project: slug of the project. Templated.
    :param output: folder that ``report.html`` is written into: local path on the worker, or URL of an object store that
        Airflow knows (``s3://bucket/prefix``), whose bucket must exist. It may be the ``output`` of an export, whose
        next run leaves the report where it is. Templated.
    :param output_conn_id: Airflow connection of the object store. Templated.
    :param dataset: the ``output`` of an export of the project, or the ``path`` of its result; of versions at ``output``
        the current one is meant. The report then shows its photographs (of an export with ``include_images``), its
        splits, and what it left out. Templated.
    :param dataset_conn_id: Airflow connection of the object store of ``dataset``. Templated.
    :param before: the ``output`` of an earlier export, or the ``path`` of its result: the version since which the
        report says what has changed in ``dataset``, with the objects before and after. ``None`` or an empty text for
        the version before at the place of ``dataset``, where that keeps versions. If there is none, the report says
        so. Templated.
    :param before_conn_id: Airflow connection of the object store of ``before``. Templated.
    :param status: only tasks of this status; ``None`` or an empty text for any. Templated.
    :param external_status: only tasks of this external status. Templated.
    :param tags: only tasks that carry these tags, at most 10. Templated.
    :param include_images: download the photographs that are not in ``dataset``: as many as the file has room for, about
        a thousand. Without them the report draws labels on empty frames.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "output_path",
        "output_conn_id",
        "dataset",
        "dataset_conn_id",
        "before",
        "before_conn_id",
        "status",
        "external_status",
        "tags",
    )
    operator_extra_links: Links = (PROJECT, TASKS, PUBLISHED)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}
    after_leaving: ClassVar[AfterLeaving] = "starts again"
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    def __init__(
        self,
        *,
        project: str,
        output: str,
        output_conn_id: str | None = None,
        dataset: str | None = None,
        dataset_conn_id: str | None = None,
        before: str | None = None,
        before_conn_id: str | None = None,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        include_images: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.output_path = output
        self.output_conn_id = output_conn_id
        self.dataset = dataset
        self.dataset_conn_id = dataset_conn_id
        self.before = before
        self.before_conn_id = before_conn_id
        self.status = status
        self.external_status = external_status
        self.tags = tags
        self.include_images = include_images

    def execute(self, context: Context) -> dict[str, Any]:
        """Make the report and write it.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: the project does not exist, an argument rendered to what cannot be meant, or
            no labels can be read back from ``dataset`` or ``before``, which is given.
        :raises FileNotFoundError: there is no data set at ``dataset``, or the bucket of ``output`` does not exist.
        :raises DamagedFileError: the data set's manifest, or the last report's counts, are not as we write them.
        :raises OSError: the output cannot be written; the report that was there before stays.
        """
        from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.pipelines.reports.project import ProjectReport
        from airflow_provider_fastlabel.utils.dataset_tab import readable, report_markdown
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            target = real_place(storage_path("output", self.output_path, self.output_conn_id))
            self.show_links(context, **facts_of_output(target, self.output_path))
            refuse_missing_bucket(target, "output")
            filters = {
                "project": self.project,
                "status": task_status("status", self.status),
                "external_status": external_status("external_status", self.external_status),
                "tags": sorted(rendered_texts("tags", self.tags)),
            }
            dataset = self.dataset and storage_path("dataset", self.dataset, self.dataset_conn_id)
            before = self.before and storage_path("before", self.before, self.before_conn_id)
            made, changed = ProjectReport(
                client=self.client, filters=filters, target=target, dataset=dataset or None, before=before or None,
                fetch=self.include_images,
            ).run()  # fmt: skip
        result = made.result(shown_place(self.output_path), changed=changed)
        tell_outlets(self, context, result, storage_uri(target))
        return readable({**result, "markdown": report_markdown(context)}, self.output_conn_id)

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind; see the base class."""
        return "Nothing was published; the report that was there before stays."

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the project to the report; a failed task has written none."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        source = project_place(self.client, self.project)
        return Edge([source], [storage_place(self.output_path)]) if complete else Edge([source])
